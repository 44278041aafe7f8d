#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit list and show against a bucket: the same as of a directory, and with how many requests.

. "$SA_SRC/tests/integration/tap.sh"
. "$SA_SRC/tests/s3/lib.sh"

sessaudit=$SA_BUILD/cli/sessaudit
mkstore=$SA_BUILD/tests/integration/mkstore
: >"$T/none"
many=1100 # index objects of others: two pages of keys with them

s3_need 20 16

on_s3() { # COMMAND...: with the owner's credentials, and nothing else of this machine
	env -i PATH="$PATH" HOME="$T" TZ=UTC LC_ALL=C.UTF-8 no_proxy='*' AWS_ACCESS_KEY_ID="$S3_AK" \
		AWS_SECRET_ACCESS_KEY="$S3_SK" AWS_ENDPOINT_URL="$S3_ENDPOINT" \
		AWS_EC2_METADATA_DISABLED=true "$@"
}
s3() { on_s3 "$sessaudit" --store s3://bucket/audit --config "$T/none" "$@" >"$T/s3" 2>"$T/s3.err"; }
dir() { TZ=UTC "$sessaudit" --store "$T/store" "$@" >"$T/dir" 2>"$T/dir.err"; }
sid_of() { awk -v n="$1" '$1 == n { print $2 }' "$T/names"; }

log=$S3_DIR/log/client.rgw.a.log
settled=0
# The server's log is complete up to here.
settle() {
	settled=$((settled + 1))
	curl -s -m 5 --noproxy '*' -o "$T/settle" "$S3_ENDPOINT/settle$settled"
	wait_for 10 grep -q "GET /settle$settled " "$log"
}
mark() {
	settle
	mark=$(wc -l <"$log")
}
# What the server was asked since the mark: "GET /bucket/key".
requests() { # METHOD and beginning of the path
	settle
	sed "1,${mark}d" "$log" | grep -c "beast:.*\"$1"
}
lists() { requests 'GET /bucket/?list-type'; }
gets() { requests 'GET /bucket/audit'; }

both() { # STATUS ARG...: the same from bucket and directory
	want=$1
	shift
	name="$*: as from a directory"
	s3 "$@"
	got=$?
	dir "$@"
	got=$got$?
	[ $got = "$want$want" ] && cmp -s "$T/s3" "$T/dir"
	ok $? "$name"
	[ $got = "$want$want" ] || sed 's/^/# /' "$T/s3.err"
}

s3_aws s3api create-bucket --bucket bucket >/dev/null
check 'a store in a directory' "$mkstore" "$T/store"
on_s3 "$mkstore" s3://bucket/audit $many >"$T/names" 2>"$T/err"
ok $? 'a store in a bucket, with many other sessions'
sed 's/^/# /' "$T/err"

both 0 list --request REQ-1042
both 0 list --request REQ-1043 --json
both 0 list --request REQ-8
both 0 list --request REQ/50 --json
both 0 list --since '2026-11-21 00:00' --json
both 0 list --since 2026-11-21 --until 2026-11-21 --status approved
both 0 show REQ-1042
both 0 show "$(sid_of hostile)" --full
both 0 show "$(sid_of open)" --json
both 0 show 2ab9
both 0 show REQ/50
both 1 show "$(sid_of open | cut -c1-31)0"

mark
s3 list --request REQ-1042
same 'by request: one session costs a list for its folder and one for its facts' "$(lists)" 2
same 'by request: gets first segment and facts' "$(gets)" 2
mark
s3 show "$(sid_of full)"
same 'by session: a list for each 1000 keys of the index, one for the session' "$(lists)" 3
same 'by session: gets facts, two manifests, four segments' "$(gets)" 7
mark
s3 show 2ab9
same 'by the beginning of an id: a request comes first, one list more' "$(lists)" 4
mark
s3 list --since '2026-11-21 00:00' --until '2026-11-21 03:00'
same 'by date: reads only the sessions of that day' "$(gets)" 10
[ "$(lists)" -eq 1 ]
ok $? 'by date: one list for one day'
mark
s3 list --since 2026-11-01 --until 2026-11-30
same 'by date: a month of 30 days is four lists: 0x, 1x, 2x, 30' "$(lists)" 4
mark
s3 list --since 2026-11-03 --until 2027-02-10
[ "$(lists)" -le 16 ]
ok $? 'by date: any time takes few lists'
mark
s3 list
same 'everything is there' "$(wc -l <"$T/s3")" $((many + 11))
same 'and every session was read once' "$(gets)" $((many + 10))

on_s3 "$sessaudit" --config "$T/none" --store s3://nonesuch list >"$T/s3" 2>"$T/s3.err"
[ $? = 1 ] && grep -q 's3://nonesuch' "$T/s3.err"
ok $? 'no such bucket: named'
AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b no_proxy='*' \
	"$sessaudit" --config "$T/none" --store s3://bucket list >"$T/s3" 2>"$T/s3.err"
[ $? = 1 ] && grep -q 's3://bucket' "$T/s3.err"
ok $? 'no store there: named'
s3_aws s3 cp "$S3_DIR.log" "s3://bucket/audit/index/date=2026-11-21/host=prod-db-1/$(sid_of open).start.json" \
	>/dev/null
s3 list --since 2026-11-21
[ $? = 3 ] && grep -q "$(sid_of open).start.json: " "$T/s3.err"
ok $? 'a broken object: its key is named'
printf '[store]\ntype = s3\ns3_url = s3://bucket/audit\ns3_endpoint = %s\n' "$S3_ENDPOINT" >"$T/conf"
on_s3 "$sessaudit" --config "$T/conf" list --request REQ-1042 >"$T/s3" 2>"$T/s3.err" &&
	grep -q REQ-1042 "$T/s3"
ok $? 'the bucket that the settings name'

tap_done
