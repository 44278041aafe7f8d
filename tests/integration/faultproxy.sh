#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# The proxy that other tests rely on for faults: each fault as curl sees it, in front
# of a real S3 server, and what became of the object.

. "$SA_SRC/tests/integration/tap.sh"
. "$SA_SRC/tests/s3/lib.sh"
s3_need 20 16
s3_proxy_start 7
s3_aws s3 mb s3://bucket >"$T/mb" 2>&1

# Prints curl's exit status and the HTTP status (some versions of curl ask for a 100 before, which
# must not count). The signature is for the proxy's address.
put() { # KEY [CURL-OPTION...]
	key=$1
	shift
	curl -s -m 10 --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_AK:$S3_SK" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -T "$T/body" -o "$T/answer" -D "$T/head" \
		-w '%{exitcode} %{http_code}\n' "$@" "$S3_PROXY/bucket/$key" | sed 's/ 100$/ 000/'
}

stored() { # KEY: its bytes are those of the body
	s3_aws s3 cp --only-show-errors "s3://bucket/$1" "$T/got" && cmp "$T/got" "$T/body"
}
not_stored() { ! stored "$1"; }

head -c 65536 /dev/urandom >"$T/body"

s3_faults
same "no fault: a signed request passes" "$(put plain)" "0 200"
check "and is stored whole" stored plain
same "and is counted" "$(s3_met pass PUT /bucket/plain)" 1
same "the connection is kept" "$(put a/1 -T "$T/body" "$S3_PROXY/bucket/a/2" -w '%{num_connects} ' \
	-o "$T/answer")" "1 0 "
S3_VIA=$S3_PROXY
check "the stock client gets through" s3_aws s3 cp --only-show-errors "$T/body" s3://bucket/cli
check "and reads" stored cli
S3_VIA=

s3_faults refuse
same "refuse" "$(put refuse)" "7 000"
s3_faults
same "and back" "$(put back)" "0 200"
s3_met refuse >"$T/n"
same "it is in the log" "$(cat "$T/n")" 1

s3_faults "reset-before method=PUT"
same "reset-before" "$(put before | sed 's/^\(35\|5[56]\) /reset /')" "reset 000"
check "reset-before: not stored" not_stored before
s3_faults "reset-after method=PUT"
same "reset-after" "$(put after)" "56 000"
check "reset-after: not stored" not_stored after
s3_faults "drop-answer method=PUT"
same "drop-answer" "$(put dropped)" "56 000"
check "drop-answer: stored" stored dropped
same "the log has the server's status" "$(s3_met drop-answer PUT "/bucket/dropped 200")" 1

s3_faults "answer status=503 code=SlowDown"
same "answer 503" "$(put slow)" "0 503"
check "its code" grep -q '<Code>SlowDown</Code>' "$T/answer"
s3_faults "answer status=403 code=RequestTimeTooSkewed date=600"
same "answer 403" "$(put skew)" "0 403"
ahead=$(($(date -d "$(sed -n 's/^Date: //p' "$T/head" | tr -d '\r')" +%s) - $(date +%s)))
check "its date is ahead" test $ahead -ge 595 -a $ahead -le 600
s3_faults "answer status=301 code=PermanentRedirect header=x-amz-bucket-region:eu-west-1"
same "answer 301" "$(put moved)" "0 301"
check "its header" grep -q '^x-amz-bucket-region: *eu-west-1' "$T/head"
s3_faults "answer status=503 code=SlowDown" # HEAD has no body
same "answer to HEAD" "$(curl -sI -m 5 -o "$T/head" -w '%{exitcode} %{http_code}' \
	"$S3_PROXY/bucket/x")" "0 503"
s3_faults "garbage status=200"
same "garbage" "$(put garbage)" "0 200"
check "no XML" grep -qaF '<<Down' "$T/answer"
for key in slow skew moved garbage; do
	check "$key: not stored" not_stored $key
done

s3_faults "hang ms=1500"
same "hang: a client that waits" "$(put waits -w '%{exitcode} %{http_code} %{time_total}' |
	sed 's/ [1-3]\.[0-9]*$/ late/')" "0 200 late"
check "is served" stored waits
same "hang: a client that leaves" "$(put leaves -m 1)" "28 000"
sleep 1
check "is not" not_stored leaves
same "hang: both counted" "$(s3_met hang)" 2

s3_faults "drip bytes=200"
same "drip" "$(put drip -m 1)" "28 200"
check "drip: stored" stored drip
s3_faults "truncate bytes=30"
same "truncate" "$(put truncated | sed 's/^[0-9]* /cut /')" "cut 200"
same "truncate: one whole line" "$(tail -n 1 "$T/head" | tr -d '\r')" "HTTP/1.1 200 OK"
check "truncate: stored" stored truncated

some() { # COUNT: puts, and prints which of them failed
	i=1
	while [ $i -le "$1" ]; do
		[ "$(put "some/$i")" = "0 200" ] || printf '%s ' $i
		i=$((i + 1))
	done
}
s3_faults "answer status=500 every=3"
same "every=3" "$(some 9)" "3 6 9 "
s3_faults "answer status=500 first=2"
same "first=2" "$(some 4)" "1 2 "
s3_faults "answer status=500 path=me/2" "answer status=501 path=me/3"
same "path, two rules" "$(some 4)" "2 3 "
s3_faults "answer status=500 method=GET"
same "method" "$(some 2)" ""
s3_faults "answer status=500 p=0.5"
failed=$(some 20 | wc -w)
check "p=0.5: $failed of 20" test "$failed" -ge 3 -a "$failed" -le 17

s3_faults
s3_down
same "the server is away" "$(put away)" "56 000"
same "it is in the log" "$(s3_met away PUT /bucket/away)" 1
s3_up
same "and back" "$(put away)" "0 200"
tap_done
