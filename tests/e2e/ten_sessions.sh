#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Ten concurrent ssh sessions of three users under four requests end up in ten
# transcripts, each with exactly its own commands, checked against what each
# session wrote to a file itself. The recorded log of the run, replayed, gives
# the same entries, byte for byte.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

started() { [ "$(ls "$T/work/started" | wc -l)" -ge "$1" ]; }

SESSION_PIDS=()
open_session() { # NUMBER USER [SSH-OPTION]
	ssh_as "$2" ${3:+$3} "$T/work/worker.sh $1 $T/work ${3:-pipe}" \
		>"$T/work/$1.out" 2>&1 </dev/null &
	SESSION_PIDS+=($!)
}

all_ended() { [ "$(ls "$T"/store/sessions/request=*/session=*/manifest.json | not_strangers | wc -l)" -ge 10 ]; }

# The sessions' own files are named by the kernel's session number.
compare_with_truth() {
	local d ses
	for d in $(session_dirs); do
		ses=$(segment_header "$d" | jq .ses)
		same "session $ses holds exactly its own commands" "$(ran "$d")" \
			"$(cat "$T/work/ran/$ses" 2>&1)"
		check "session $ses: entries numbered without hole" seqs_are_whole "$d"
		same "session $ses: every command succeeded" \
			"$(entries "$d" | jq -r 'select(.event.action == "exec") | .event.outcome' | sort -u)" \
			success
		check "session $ses: the chain of hashes holds" chain_holds "$d"
		same "session $ses: no gap" \
			"$(entries "$d" | jq -c 'select(.event.action == "gap")')" ""
	done
}

compare_with_replay() {
	local d rel first header
	first=$(session_dirs | head -n 1)
	[ -n "$first" ] || { ok 1 "replay: a live session to compare with"; return; }
	header=$(segment_header "$first")
	check "replay of the recorded log" "$SA_BUILD/agent/sessauditd" \
		--config "$T/sessaudit.conf" --libexec "$T/libexec" \
		--replay "$T/record.log" --store "$T/replayed" \
		--host "$(jq -r .host.name <<<"$header")" \
		--machine-id "$(jq -r .host.id <<<"$header")" \
		--boot-id "$(jq -r .host.boot.id <<<"$header")"
	same "replay: the same sessions under the same requests" \
		"$(cd "$T/replayed" && ls -d sessions/request=*/session=* | not_strangers)" \
		"$(cd "$T/store" && ls -d sessions/request=*/session=* | not_strangers)"
	for d in $(session_dirs); do
		rel=${d#"$T/store/"}
		entries "$d" >"$T/live.jsonl"
		entries "$T/replayed/$rel" >"$T/again.jsonl" 2>/dev/null
		check "replay: ${rel##*/} byte for byte" \
			diff "$T/live.jsonl" "$T/again.jsonl"
	done
}

product_begin sa-e2e-ann sa-e2e-ben sa-e2e-cat
install -d -m 777 "$T/work" "$T/work/ran" "$T/work/started"
install -m 755 "$E2E_DIR/worker.sh" "$T/work"
grant a sa-e2e-ann REQ-2001
grant b sa-e2e-ben REQ-2002
grant c sa-e2e-cat REQ-2003
record_start "$T/record.log" || exit 1

for n in 1 2 3; do open_session $n sa-e2e-ann; done
for n in 4 5; do open_session $n sa-e2e-ben -tt; done
open_session 6 sa-e2e-ben
for n in 7 8; do open_session $n sa-e2e-cat; done
check "eight sessions are open" wait_for 20 started 8
# Names the address too, and so goes before REQ-2001, which goes on: were its grant replaced, the
# open sessions would say so, which a replay cannot know.
grant d sa-e2e-ann REQ-2004
sed -i 's|"users":|"source": [ "127.0.0.0/8" ], &|' "$T/grants/d.json"
open_session 9 sa-e2e-ann -tt
open_session 10 sa-e2e-ann
check "ten sessions are open at once" wait_for 20 started 10
: >"$T/work/go"
for pid in "${SESSION_PIDS[@]}"; do
	wait "$pid" || ok 1 "session ran: $(cat "$T"/work/*.out)"
done
check "all transcripts are complete in the store" wait_for 30 all_ended
check "the record of the run is without loss" record_stop

same "ten transcripts" "$(session_dirs | wc -l)" 10
for want in "REQ-2001 3" "REQ-2002 3" "REQ-2003 2" "REQ-2004 2"; do
	set -- $want
	same "$2 sessions under $1" \
		"$(ls -d "$T/store/sessions/request=$1"/session=* | wc -l)" "$2"
done
compare_with_truth
compare_with_replay
agent_stop
tap_done
