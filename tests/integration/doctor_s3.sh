#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit doctor against real servers: a bucket that is set up as `bucket-policy`
# says is found to be right, and each thing taken away is found and named.
# Ceph RGW answers the question for ownership controls with a list of keys: doctor
# must say that it does not know, not that all is well. RGW 16 has no default
# encryption, ignores If-None-Match in a bucket with Object Lock, and refuses a policy
# with actions that it does not know (s3:Replicate*).

. "$SA_SRC/tests/integration/tap.sh"
. "$SA_SRC/tests/s3/lib.sh"

sessaudit=$SA_BUILD/cli/sessaudit

command -v jq >/dev/null || {
	echo '1..0 # SKIP jq is not installed'
	exit 77
}

conf() { # ENDPOINT
	cat <<EOF
[spool]
dir = $T/spool
[store]
type = s3
s3_url = s3://audit/hosts
s3_endpoint = $1
s3_ca_file = $S3_CA
[agent]
run_dir = $T/run
EOF
}
keys() { # ACCESS-KEY SECRET-KEY ARG...
	ak=$1 sk=$2
	shift 2
	env -i PATH="$PATH" HOME="$T" no_proxy='*' AWS_ACCESS_KEY_ID="$ak" AWS_SECRET_ACCESS_KEY="$sk" \
		AWS_EC2_METADATA_DISABLED=true "$sessaudit" --config "$T/conf" "$@" >"$T/out" 2>"$T/err"
}
# The PAM files of a host that is set up right.
mkdir "$T/pam.d"
printf 'session required %s\n' pam_loginuid.so pam_sessaudit.so >"$T/pam.d/sshd"
doctor() { keys "$S3_AK" "$S3_SK" doctor --pam-dir "$T/pam.d" "$@"; }
line() { sed -n "s/^\([a-z]*\)  *$1  */\1 /p" "$T/out"; }
says() { # NAME CHECK "STATUS message's beginning"
	case $(line "$2") in
	"$3"*) ok 0 "$V: $1" ;;
	*)
		ok 1 "$V: $1"
		echo "# got:  $(line "$2")"
		echo "# want: $3"
		;;
	esac
}
# What is not ok, but for what says something of this host, or of the server and not the bucket.
amiss() { grep -v '^ok ' "$T/out" | awk '{ print $2 }' | grep -vx "audit-at-boot\|ownership$lacks" |
	tr '\n' ' '; }
own() { S3_VIA=$S3_TLS_ENDPOINT s3_aws s3api "$@" --bucket audit >"$T/aws" 2>&1; }
policy() { # JQ-FILTER: the policy, but so that the test can still change the bucket
	jq ".bucket_policy.Statement |= map(select(.Sid | test(\"^(Deny(PlainHttp|UnknownTransport|Overwrite|Delete))\")))
		| .bucket_policy | (.Statement[] | select(.Sid == \"DenyDelete\") | .Action) -= [\"s3:Replicate*\"]
		| $1" "$T/all" >"$T/policy.json" &&
		own put-bucket-policy --policy "file://$T/policy.json"
}
# taken NAME CHECK "STATUS ..." COMMAND...: and nothing else is found
taken() {
	name=$1 check=$2 want=$3
	shift 3
	"$@" || sed 's/^/# /' "$T/aws"
	doctor
	says "$name" "$check" "$want"
	same "$V: $name: and nothing else" "$(amiss)" "$check "
}

run() {
	V="RGW $S3_VERSION"
	lacks=
	[ "$S3_VERSION" != 16 ] || lacks='\|encryption'
	rm -rf "$T/run" "$T/spool"
	mkdir -p "$T/run/ship" "$T/spool"
	chmod 0750 "$T/spool"
	"$SA_BUILD/tests/integration/mkstatus" "$T/run/ship" 0 append_only=1 probed=1795305600 \
		'credentials=instance metadata (role agent)'
	conf "$S3_TLS_ENDPOINT" >"$T/conf"

	doctor
	same "$V: no bucket: failed" $? 1
	says 'no bucket' store 'fail there is no bucket audit: make it with the commands'
	says 'no bucket: nothing else is asked' bucket 'unknown not reached'
	S3_VIA=$S3_TLS_ENDPOINT s3_aws s3api create-bucket --bucket audit --object-lock-enabled-for-bucket \
		>"$T/aws" 2>&1
	doctor
	same "$V: a bare bucket: failed" $? 1
	same "$V: a bare bucket: what it lacks" "$(amiss)" \
		"object-lock $([ "$S3_VERSION" = 16 ] || echo 'encryption ')public-access policy-tls policy-delete policy-overwrite "

	"$sessaudit" bucket-policy --bucket s3://audit/hosts --role arn:aws:iam:::user/up --json >"$T/all"
	own put-object-lock-configuration --object-lock-configuration \
		'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=COMPLIANCE,Days=30}}'
	own put-public-access-block --public-access-block-configuration \
		BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
	[ -n "$lacks" ] || own put-bucket-encryption --server-side-encryption-configuration \
		'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
	policy .
	doctor
	same "$V: set up: success" $? 0
	same "$V: set up: nothing amiss" "$(amiss)" ''
	says 'set up: TLS' transport "ok $S3_TLS_ENDPOINT, with TLS"
	says 'set up: the store' store 'ok s3://audit/hosts answers, region us-east-1'
	says 'set up: credentials' credentials 'ok from the environment'
	says 'set up: versioning' versioning 'ok on: '
	says 'set up: Object Lock' object-lock 'ok COMPLIANCE for 30 day(s): '
	says 'set up: public access' public-access 'ok all four'
	says 'set up: TLS only' policy-tls 'ok the policy denies'
	says 'set up: no delete' policy-delete 'ok the policy denies'
	says 'set up: no overwriting' policy-overwrite 'ok the policy denies'
	says 'set up: not public' policy-public 'ok '
	says 'set up: what the server does not know' ownership 'unknown this store does not know'
	says 'set up: an auditor may list' reading 'ok these credentials can list'
	says 'set up: what the shipper found' append-only \
		'ok a second write to a key was refused (by the shipper, 2026-11-22T00:00:00.000Z)'

	taken 'no default retention' object-lock 'fail no default retention' \
		own put-object-lock-configuration --object-lock-configuration ObjectLockEnabled=Enabled
	taken 'governance' object-lock 'warn GOVERNANCE for 7 day(s): ' own put-object-lock-configuration \
		--object-lock-configuration \
		'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=GOVERNANCE,Days=7}}'
	own put-object-lock-configuration --object-lock-configuration \
		'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=COMPLIANCE,Years=1}}'
	doctor
	says 'retention in years' object-lock 'ok COMPLIANCE for 1 year(s): '
	taken 'part of the public access block' public-access \
		'fail BlockPublicPolicy, RestrictPublicBuckets not set' own put-public-access-block \
		--public-access-block-configuration \
		BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=false
	taken 'the public access block' public-access 'fail BlockPublicAcls, IgnorePublicAcls, ' \
		own delete-public-access-block
	own put-public-access-block --public-access-block-configuration \
		BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
	if [ -z "$lacks" ]; then
		taken 'encryption' encryption 'warn none: ' own delete-bucket-encryption
		own put-bucket-encryption --server-side-encryption-configuration \
			'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
	fi
	taken 'the statement on TLS' policy-tls 'fail the policy does not deny requests without TLS' \
		policy '.Statement |= map(select(.Sid != "DenyPlainHttp"))'
	taken 'TLS elsewhere only' policy-tls 'fail ' policy \
		'(.Statement[] | select(.Sid == "DenyPlainHttp") | .Resource) = ["arn:aws:s3:::audit/other/*"]'
	taken 'TLS for one user only' policy-tls 'fail ' policy \
		'(.Statement[] | select(.Sid == "DenyPlainHttp") | .Principal) = {"AWS":"arn:aws:iam:::user/up"}'
	taken 'TLS with a further condition' policy-tls 'fail ' policy \
		'(.Statement[] | select(.Sid == "DenyPlainHttp") | .Condition.IpAddress) = {"aws:SourceIp":"10.0.0.0/8"}'
	taken 'TLS for reading only' policy-tls 'fail ' policy \
		'(.Statement[] | select(.Sid == "DenyPlainHttp") | .Action) = ["s3:Get*"]'
	taken 'the statement on deleting' policy-delete 'warn the policy does not deny s3:DeleteObject ' \
		policy '.Statement |= map(select(.Sid != "DenyDelete"))'
	taken 'deleting of versions' policy-delete 'warn the policy does not deny s3:DeleteObjectVersion' \
		policy '(.Statement[] | select(.Sid == "DenyDelete") | .Action) = ["s3:DeleteObject"]'
	taken 'the statement on overwriting' policy-overwrite 'unknown the policy does not deny writes' \
		policy '.Statement |= map(select(.Sid != "DenyOverwrite"))'
	own delete-public-access-block
	policy '.Statement += [{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::audit/*"}]'
	doctor
	says 'a public policy' policy-public 'fail the policy opens the bucket to everyone'
	own put-public-access-block --public-access-block-configuration \
		BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
	own delete-bucket-policy
	doctor
	same "$V: no policy: failed" $? 1
	same "$V: no policy" "$(amiss)" 'policy-tls policy-delete policy-overwrite '
	# shellcheck disable=SC2016
	says 'no policy' policy-tls 'fail no bucket policy: `sessaudit bucket-policy` prints one'

	# The probe writes. RGW 16 refuses every object while BlockPublicAcls is set.
	[ "$S3_VERSION" != 16 ] || own delete-public-access-block
	doctor --probe
	if [ "$S3_VERSION" = 16 ]; then
		says 'probe: this server takes a second write' append-only 'fail a second write to a key was taken (probed now)'
	else
		says 'probe' append-only 'ok a second write to a key was refused (probed now)'
	fi
	"$SA_BUILD/tests/integration/mkstatus" "$T/run/ship" 0
	doctor
	says 'nobody has probed' append-only 'unknown nobody has tried'
	"$SA_BUILD/tests/integration/mkstatus" "$T/run/ship" 0 append_only=2 probed=1795305600
	doctor
	says 'the shipper found that it is not' append-only 'fail a second write to a key was taken (by the shipper'

	# Who asks.
	"$SA_BUILD/tests/integration/mkstatus" "$T/run/ship" 0 append_only=1 credentials=environment
	policy .
	doctor
	says 'an agent that can list' reading "warn the agent's credentials can list the bucket"
	own put-bucket-policy --policy '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":
		{"AWS":"arn:aws:iam:::user/up"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::audit/hosts/*"}]}'
	keys "$S3_AK2" "$S3_SK2" doctor --pam-dir "$T/pam.d"
	same "$V: an agent with its least rights: no failure" $? 0
	says 'an agent: cannot list, as it should be' reading 'ok these credentials cannot list: right for an agent'
	says 'an agent: cannot ask' object-lock "unknown not allowed (s3:GetBucketObjectLockConfiguration): ask with an admin"
	keys "$S3_AK2" "$S3_SK2" doctor --pam-dir "$T/pam.d" --probe
	says 'an agent: can probe' append-only "$([ "$S3_VERSION" = 16 ] && echo fail || echo ok) a second write"
	keys nobody nothing doctor --pam-dir "$T/pam.d"
	same "$V: unknown keys: failed" $? 1
	says 'unknown keys' store 'fail the store does not accept the credentials (InvalidAccessKeyId)'
	keys "$S3_AK" wrong doctor --pam-dir "$T/pam.d"
	says 'a wrong secret' store 'fail the store does not accept the credentials (SignatureDoesNotMatch)'
	env -i PATH="$PATH" HOME="$T" AWS_EC2_METADATA_DISABLED=true no_proxy='*' "$sessaudit" \
		--config "$T/conf" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
	same "$V: no credentials: failed" $? 1
	says 'no credentials' credentials 'fail none that can be used'

	# The way there.
	conf "$S3_ENDPOINT" >"$T/conf"
	doctor
	says 'without TLS' transport "warn $S3_ENDPOINT without TLS"
	conf http://127.0.0.1:1 >"$T/conf"
	doctor
	same "$V: no server: failed" $? 1
	says 'no server' store 'fail s3://audit/hosts: '
	conf "$S3_TLS_ENDPOINT" | sed '/s3_ca_file/d' >"$T/conf"
	doctor
	same "$V: a certificate of nobody we know: failed" $? 1
	says 'a certificate of nobody we know' store 'fail s3://audit/hosts: '

	# Another bucket, of no worth.
	conf "$S3_TLS_ENDPOINT" | sed 's|s3://audit/hosts|s3://plain|' >"$T/conf"
	S3_VIA=$S3_TLS_ENDPOINT s3_aws s3api create-bucket --bucket plain >"$T/aws" 2>&1
	doctor
	says 'a plain bucket: no versions' versioning 'fail off: '
	says 'a plain bucket: no Object Lock' object-lock 'fail off: '
	s3_stop
}

for version in 16 20; do
	s3_start $version
	case $? in
	0) run ;;
	77) skip "RGW $version" "$S3_REASON" ;;
	*) ok 1 "RGW $version starts" ;;
	esac
done
tap_done
