# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=sh disable=SC2034
#
# A real S3 server for a test, and the stock client. Sourced (sh or bash) after
# integration/tap.sh or e2e/lib.sh, whose clean-up at exit then ends the server too:
#
#	. "$SA_SRC/tests/s3/lib.sh"
#	s3_need 20 16	# 20: made by mkroot.sh below SA_S3_ROOT; 16: installed
#
# Sets S3_DIR S3_VERSION S3_ENDPOINT S3_PORT S3_TLS_ENDPOINT S3_TLS_PORT S3_CA,
# S3_AK and S3_SK (the owner of buckets), S3_AK2 and S3_SK2 (user "up", who has no
# rights: name arn:aws:iam:::user/up in a bucket policy). Version 20 honours
# If-None-Match in buckets with Object Lock, and x-amz-checksum-sha256 where
# x-amz-sdk-checksum-algorithm is sent too; 16 does neither, but answers
# If-None-Match in plain buckets. Most errors of both have an empty Message. A host name
# BUCKET.localhost is virtual-host style; with TLS only that of a bucket called "vhost".
# Bucket names have at least three letters.

S3_LIB=${SA_SRC:-$TOP}/tests/s3
S3_KEEPERS= # server.sh processes of this shell

# What this machine's user may have set for AWS clients and for the way out; all is on loopback here.
# shellcheck disable=SC2046
unset $(env | sed -nE 's/^(AWS_[A-Z0-9_]*|[a-zA-Z]*_proxy|[A-Z]*_PROXY)=.*/\1/p') S3_NONE

# Fails with 77 and the reason in S3_REASON when this machine cannot have it; with 1 when it should
# have come up. Not in a subshell: the server ends with the shell that started it.
s3_start() { # 16|20 [DIRECTORY below which all its state is]
	S3_DIR=${2:-$T/s3-$1}
	s3_find "$1" || return 77
	s3_launch || s3_launch || s3_launch || { # another one may take a port that was free
		sed 's/^/# /' "$S3_DIR.log"
		S3_REASON="the S3 server does not start"
		return 1
	}
}

# Starts the first of these versions that this machine can have; without any the test ends, skipped.
s3_need() { # VERSION...
	for s3_version; do
		s3_start "$s3_version" && return
		[ $? = 77 ] || exit 1
	done
	echo "1..0 # SKIP $S3_REASON"
	exit 77
}

# Sets S3_ROOT for server.sh.
s3_find() { # 16|20
	S3_ROOT=
	if [ "$1" = 16 ]; then
		S3_REASON="no S3 server: Ceph RGW 16 is not installed"
		command -v radosgw >/dev/null && command -v ceph-mon >/dev/null &&
			command -v ceph-osd >/dev/null || return 1
		case $(radosgw --version 2>/dev/null) in "ceph version 16."*) ;; *) return 1 ;; esac
	else
		S3_REASON="no S3 server: Ceph RGW 20 cannot be unpacked here"
		S3_ROOT=${SA_S3_ROOT:-$SA_BUILD/s3-root}
		bash "$S3_LIB/mkroot.sh" "$S3_ROOT" >&2 || return 1
	fi
	S3_REASON=
}

s3_launch() {
	setpriv --pdeathsig TERM bash "$S3_LIB/server.sh" "$S3_DIR" "$S3_ROOT" \
		>"$S3_DIR.log" 2>&1 </dev/null 9>&- &
	s3_pid=$!
	S3_KEEPERS="$S3_KEEPERS $s3_pid"
	until [ -e "$S3_DIR/env" ]; do
		if ! kill -0 $s3_pid 2>/dev/null; then
			S3_KEEPERS=${S3_KEEPERS% *}
			return 1
		fi
		sleep 0.05
	done
	. "$S3_DIR/env"
	mkdir -p "$S3_DIR/home"
}

# Ends all servers that this shell started.
s3_stop() {
	for s3_pid in $S3_KEEPERS; do
		kill "$s3_pid"
		wait "$s3_pid"
	done 2>/dev/null
	S3_KEEPERS=
}

# The server goes away, as a network does, and comes back with its objects.
s3_down() {
	: >"$S3_DIR/down"
	wait_for 10 s3_refuses
}
s3_up() {
	rm "$S3_DIR/down"
	wait_for 60 s3_answers
}
s3_answers() { curl -sf -m 2 -o /dev/null "$S3_ENDPOINT/"; }
s3_refuses() { ! s3_answers; }

# The stock client, as its user would run it, and nothing of this machine's AWS configuration.
# S3_VIA: another endpoint, as that of a proxy.
s3_aws_as() { # ACCESS-KEY SECRET-KEY ARG...
	s3_ak=$1 s3_sk=$2
	shift 2
	env -i PATH="$PATH" HOME="$S3_DIR/home" LC_ALL=C.UTF-8 \
		AWS_ACCESS_KEY_ID="$s3_ak" AWS_SECRET_ACCESS_KEY="$s3_sk" \
		AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_PAGER= \
		AWS_CA_BUNDLE="$S3_CA" AWS_REQUEST_CHECKSUM_CALCULATION=when_required \
		AWS_RESPONSE_CHECKSUM_VALIDATION=when_required \
		aws --endpoint-url "${S3_VIA:-$S3_ENDPOINT}" "$@"
}

s3_aws() { s3_aws_as "$S3_AK" "$S3_SK" "$@"; } # as the owner

# A bucket with versions and Object Lock (a day of retention) into which user "up" may put, and
# nothing else; the bucket's owner may do everything. Both said for objects too: in Ceph they belong
# to who put them.
s3_bucket() { # NAME
	s3_aws s3api create-bucket --bucket "$1" --object-lock-enabled-for-bucket &&
		s3_aws s3api put-object-lock-configuration --bucket "$1" \
			--object-lock-configuration '{ "ObjectLockEnabled": "Enabled", "Rule": {
				"DefaultRetention": { "Mode": "COMPLIANCE", "Days": 1 } } }' &&
		s3_aws s3api put-bucket-policy --bucket "$1" --policy '{ "Statement": [
			'"$(s3_statement "$1" up Allow '"s3:PutObject"')"',
			'"$(s3_statement "$1" up Deny '"s3:GetObject", "s3:DeleteObject"')"',
			'"$(s3_statement "$1" owner Allow '"s3:*"')"' ] }'
}

s3_statement() { # BUCKET USER Allow|Deny ACTIONS
	printf '{ "Effect": "%s", "Principal": { "AWS": "arn:aws:iam:::user/%s" },
		"Action": [ %s ], "Resource": "arn:aws:s3:::%s/*" }' "$3" "$2" "$4" "$1"
}

# The keys of all versions of all objects below a prefix, without the prefix and without that of the
# shipper's probe; an object that was written twice is here twice.
s3_versions() { # BUCKET PREFIX
	s3_aws s3api list-object-versions --bucket "$1" --prefix "$2/" \
		--query 'Versions[].[Key]' --output text |
		sed "s|^$2/||; /^probe\//d; /^None$/d" | LC_ALL=C sort
}

# faultproxy between client and server: sets S3_PROXY, its URL. Ends with this shell.
s3_proxy_start() { # [SEED]
	: >"$T/proxy.log"
	"$SA_BUILD/tests/integration/faultproxy" "$S3_PORT" "$T/proxy.rules" "$T/proxy.log" $1 \
		>"$T/proxy.port" 9>&- &
	S3_PROXY_PID=$!
	wait_for 10 test -s "$T/proxy.port"
	S3_PROXY=http://127.0.0.1:$(cat "$T/proxy.port")
}

# The rules from now on (faultproxy_rules.h), none without an argument.
s3_faults() { # RULE...
	printf '%s\n' "$@" >"$T/proxy.new"
	mv "$T/proxy.new" "$T/proxy.rules"
	sleep 0.05 # the listener looks each 20 ms
}

# Requests so far that met a fault (or `pass`), by the beginnings of their lines in the proxy's log.
s3_met() { # FAULT [METHOD [TARGET]]
	grep -c "^$1 ${2:-}${2:+ }${3:-}" "$T/proxy.log"
}

if command -v at_exit >/dev/null; then
	at_exit s3_stop
elif command -v tap_clean >/dev/null; then
	trap 's3_stop; tap_clean' EXIT
else
	trap s3_stop EXIT
fi
