#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Real logins while the agent ships to a bucket with Object Lock, over TLS, as a user
# who may only put: how long after it happened an event is in the store, and all of it
# after the logout; what the stock client fetches for a request, for people and for
# jq; and that nobody takes any of it away.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"
. "$E2E_DIR/s3.sh"

# A login that runs a program each second. Sets SES and ENDED, seconds.
login() { # SECONDS
	rm -f "$T/ses"
	# shellcheck disable=SC2016
	ssh_as sa-e2e-ann 'read -r ses </proc/self/sessionid; echo $ses
		for i in {1..'"$1"'}; do /bin/echo mark-$i >/dev/null; sleep 1; done' >"$T/ses" &
	LOGIN=$!
	wait_for 10 test -s "$T/ses"
	SES=$(cat "$T/ses")
}

logout() {
	wait "$LOGIN"
	ENDED=$(date +%s.%N)
	check "$NAME: all of it is in the store" wait_for 20 s3_session_ended "$SES"
	s3_times >"$T/times"
	DIR=$(session_dir "$SES")
	KEY=${DIR#"$T/store/"}
}

# The oldest entry of each segment, and how old it was when the store took it.
oldest_entry_age() { # the most of all segments
	local segment time first
	for segment in "$DIR"/*.jsonl.gz; do
		time=$(sed -n "s| $KEY/${segment##*/}$||p" "$T/times")
		first=$(zcat "$segment" | sed '1d;$d' | jq -r '."@timestamp"' | LC_ALL=C sort | head -n 1)
		minus "${time:-9e9}" "$(date -d "$first" +%s.%N)"
	done | sort -n | tail -n 1
}

minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a - b }'; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit a > b }'; } # SECONDS LIMIT

last_object_after_logout() {
	local last
	last=$(grep -F -e "$KEY/" -e "/${KEY##*session=}." "$T/times" | sort -n | tail -n 1)
	minus "${last%% *}" "$ENDED"
}

timely() { # LIMIT
	local age after
	age=$(oldest_entry_age)
	after=$(last_object_after_logout)
	check "$NAME: stored at most $1 s after it happened ($age)" at_most "$age" "$1"
	check "$NAME: everything out within 2 s of the logout ($after)" at_most "$after" 2
	check "$NAME: the end is told in the index" \
		grep -q "index/.*/${KEY##*session=}\\.end\\.json" "$T/times"
}

complete() { # COUNT of programs
	check "$NAME: entries numbered without hole" seqs_are_whole "$DIR"
	check "$NAME: the chain of hashes holds" chain_holds "$DIR"
	same "$NAME: each program once" "$(ran "$DIR" | grep -c '^/bin/echo.mark-')" "$1"
	same "$NAME: no conflict" "$(grep conflict "$T/times")" ""
}

some_stored() { s3_aws s3 ls --recursive "$S3_URL/sessions/request=$1/" | grep -q '000000\.jsonl'; }

by_default() {
	NAME="default"
	grant a sa-e2e-ann REQ-1042
	login 25
	check "$NAME: something is in the store while the session runs" wait_for 20 some_stored REQ-1042
	check "$NAME: the session does run" kill -0 $LOGIN
	logout
	timely 15
	complete 25
}

each_second() {
	NAME="each second"
	agent_config "${AGENT_LINES[@]}" "[segment]" "max_age = 1s"
	kill -HUP "$AGENT_PID"
	sleep 2
	wait_for 15 agent_listens
	grant a sa-e2e-ann REQ-1043
	login 6
	logout
	timely 2.5
	complete 6
}

status() { jq -r "$1" "$T/run/ship/status.json"; }
away() { [ "$(status .away)" = "$1" ]; }

# Nothing of what happens while the server is away is lost, and nothing comes twice.
# SA_OUTAGE: for how long, in seconds.
server_away() {
	local seconds=${SA_OUTAGE:-15}
	NAME="server away for $seconds s"
	grant a sa-e2e-ann REQ-1044
	login $((seconds + 8))
	sleep 3
	s3_down
	check "$NAME: the agent says so" wait_for 10 away 1
	sleep "$seconds"
	check "$NAME: the session goes on" kill -0 $LOGIN
	s3_up
	check "$NAME: the agent says that it is back" wait_for 10 away 0
	logout
	complete $((seconds + 8))
}

# What a compliance team does, with the stock client and no other tool of ours.
fetched_by_request() {
	local got=$T/REQ-1042
	NAME="fetched"
	check "$NAME: aws s3 cp --recursive" s3_aws s3 cp --only-show-errors --recursive \
		"$S3_URL/sessions/request=REQ-1042/" "$got"
	check "$NAME: a page to read" grep -q 'mark-17' "$got"/session=*/transcript.txt
	check "$NAME: which names who approved" grep -q bob@example.com "$got"/session=*/transcript.txt
	same "$NAME: jq finds the programs" "$(zcat "$got"/session=*/*.jsonl.gz |
		jq -r 'select(.event.action == "exec" and .process.name == "echo").process.args[1]' |
		head -n 3 | xargs)" "mark-1 mark-2 mark-3"
	same "$NAME: jq reads the request" "$(zcat "$got"/session=*/*.jsonl.gz | head -n 1 |
		jq -r .access.request.id)" REQ-1042
}

owner_sa() { # the command line, straight on the bucket
	env -u CREDENTIALS_DIRECTORY AWS_ACCESS_KEY_ID="$S3_AK" AWS_SECRET_ACCESS_KEY="$S3_SK" \
		AWS_REGION=us-east-1 AWS_ENDPOINT_URL="$S3_ENDPOINT" HOME="$T" \
		"$SA_BUILD/cli/sessaudit" --store "$S3_URL" "$@"
}

shown_from_bucket() {
	NAME="sessaudit on the bucket"
	check "$NAME: show" owner_sa show REQ-1042
	check "$NAME: shows the program" grep -q mark-17 <(owner_sa show REQ-1042)
	check "$NAME: list" grep -q REQ-1043 <(owner_sa list)
}

refused() { # COMMAND...
	! "$@" >"$T/refused" 2>&1
}

# Nobody takes it away: not the agent, not the owner.
locked() {
	local key version until
	key=$(cd "$T/store" && echo sessions/request=REQ-1042/session=*/000000.jsonl.gz)
	key=hosts/$key
	NAME="locked"
	version=$(s3_aws s3api head-object --bucket audit --key "$key" --query VersionId --output text)
	until=$(s3_aws s3api get-object-retention --bucket audit --key "$key" \
		--query 'Retention.[Mode,RetainUntilDate]' --output text)
	check "$NAME: under retention ($until)" grep -q COMPLIANCE <<<"$until"
	check "$NAME: for a day" test "$(date -d "${until##*[[:space:]]}" +%s)" -gt "$(date -d '+20 hours' +%s)"
	check "$NAME: the owner cannot delete the version" refused s3_aws s3api delete-object \
		--bucket audit --key "$key" --version-id "$version"
	check "$NAME: the agent's user cannot delete" refused s3_aws_as "$S3_AK2" "$S3_SK2" s3api \
		delete-object --bucket audit --key "$key"
	check "$NAME: nor read" refused s3_aws_as "$S3_AK2" "$S3_SK2" s3 cp "s3://audit/$key" "$T/x"
	check "$NAME: it is there" s3_aws s3 cp --only-show-errors "s3://audit/$key" "$T/x"
	same "$NAME: each object has one version" "$(s3_versions audit hosts | uniq -d)" ""
}


told_status() {
	NAME="status"
	same "$NAME: append-only is proven" "$(status .append_only)" proven
	same "$NAME: nothing waits" "$(status .waiting)" 0
	check "$NAME: metrics" grep -Eq '^sessaudit_shipper_objects_stored_total [1-9]' \
		"$T/run/ship/sessaudit_shipper.prom"
	same "$NAME: no secret in the log" "$(grep -c "$S3_SK2" "$T/agent.log")" 0
}

PRODUCT_STORE=s3_product
AGENT_LINES=("[segment]" "max_age = 10s")
product_begin sa-e2e-ann
by_default
each_second
server_away
fetched_by_request
shown_from_bucket
locked
told_status
agent_stop
tap_done
