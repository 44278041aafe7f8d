#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# kill -9 of collector and shipper at random moments, 500 times and more, while real
# logins run programs as fast as they can and the way to the bucket is bad. Most kills
# are of roles that the test runs itself, so that no pause of the supervisor's gives
# them time to recover; the last are of a whole agent. Then everything is in the bucket
# once, numbered without hole, chained, as the manifest says; each program that ran is
# told once, or ran within a gap that is told.
#
#   KILLS   of roles run by the test (480), and a twelfth as many of the whole agent's
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"
. "$E2E_DIR/s3.sh"

KILLS=${KILLS:-480}
SESSIONS=4
RULES=("drop-answer method=PUT p=0.05" "reset-before p=0.02" "reset-after p=0.02"
	"answer status=503 code=SlowDown p=0.03" "answer status=500 p=0.02"
	"truncate bytes=9 p=0.02" "garbage status=200 p=0.01" "hang ms=700 p=0.01")

# What a session does until it is told to stop: runs marked programs, and writes down each before it
# runs, as the truth: time and mark. All else is builtin.
write_worker() {
	cat >"$T/worker.sh" <<-'END'
		dir=$1 ses=$(</proc/self/sessionid) i=0
		exec {nothing}<> <(:)
		: >"$dir/started.$ses"
		until [ -e "$dir/stop" ]; do
			echo "$EPOCHREALTIME mark-$((i += 1))" >>"$dir/ran.$ses"
			/bin/echo "mark-$i" >/dev/null
			read -rt 0.04 -u "$nothing"
		done
		echo "$EPOCHREALTIME end" >>"$dir/ran.$ses"
	END
}

started() { [ "$(find "$T/work" -name 'started.*' | wc -l)" = $SESSIONS ]; }

open_sessions() {
	local i
	for ((i = 0; i < SESSIONS; i++)); do
		ssh_as sa-e2e-ann bash "$T/worker.sh" "$T/work" >"$T/session.$i" 2>&1 </dev/null &
		SESSION_PIDS+=($!)
	done
	wait_for 20 started
}

# --- killing ---

pause() { # up to MILLISECONDS
	local ms=$((RANDOM % $1))
	read -rt "$((ms / 1000)).$(printf %03d $((ms % 1000)))" -u "$NOTHING"
}

# Runs a role and kills it, again and again; each life is as long as chance has it.
kill_role() { # ROLE TIMES LONGEST-LIFE-MS
	local i pid
	for ((i = 0; i < $2; i++)); do
		"$T/libexec/sessaudit-$1" --config "$T/sessaudit.conf" 2>>"$T/$1.log" 9>&- &
		pid=$!
		trap 'kill -9 $pid; exit' TERM
		pause "$3"
		kill -9 $pid 2>/dev/null && echo "$1" >>"$T/kills"
		wait $pid 2>/dev/null
	done
}

KILLERS=()
stop_killers() {
	[ ${#KILLERS[@]} = 0 ] && return
	kill "${KILLERS[@]}"
	wait "${KILLERS[@]}"
}

kill_roles() {
	at_exit stop_killers
	kill_role collector $((KILLS / 3)) 600 &
	KILLERS+=($!)
	kill_role shipper $((KILLS / 3)) 400 &
	KILLERS+=($!)
	wait "${KILLERS[@]}"
	KILLERS=()
	# lives too short to finish anything
	kill_role shipper $((KILLS - KILLS / 3 * 2)) 60 &
	KILLERS=($!)
	wait "${KILLERS[@]}"
	KILLERS=()
}

kill_in_agent() { # ROLE
	local pid
	pid=$(agent_role "$1") && kill -9 "$pid" && echo "agent's $1" >>"$T/kills"
}

# The supervisor's pauses grow with each death in a row: a reload, or a new one, begins anew.
kill_agent() { # TIMES
	local i
	for ((i = 0; i < $1; i++)); do
		case $((RANDOM % 5)) in
		0 | 1) kill_in_agent collector ;;
		2) kill_in_agent shipper ;;
		3) kill_in_agent shipper; kill_in_agent collector ;;
		4)
			kill -9 "$AGENT_PID" && echo "agent" >>"$T/kills"
			wait "$AGENT_PID" 2>/dev/null
			agent_start
			;;
		esac
		pause 700
		[ $((i % 4)) != 3 ] || kill -HUP "$AGENT_PID"
	done
}

killed() { grep -c "^$1" "$T/kills"; }

# --- afterwards ---

all_ended() {
	s3_fetch
	[ "$(find "$T/store/sessions" -name manifest.json | not_strangers | wc -l)" -ge $SESSIONS ] && spool_empty
}

spool_empty() { [ -z "$(find "$T/spool/ready" "$T/spool/open" "$T/spool/quarantine" -type f |
	not_strangers)" ]; }

# The manifest's hash of each segment is that of the object.
manifest_holds() { # SESSION-DIR
	(cd "$1" && jq -r '.segments[] | "\(.sha256)  \(.key | split("/") | last)"' manifest.json |
		sha256sum --strict -c) &&
		[ "$(jq '.segments | length' "$1/manifest.json")" = \
			"$(find "$1" -name '*.jsonl.gz' | wc -l)" ]
}

segments_in_row() { # SESSION-DIR
	local got want
	got=$(cd "$1" && echo [0-9]*.jsonl.gz)
	want=$(seq -f '%06.0f.jsonl.gz' 0 $(($(wc -w <<<"$got") - 1)) | xargs)
	same "$2: segments in a row" "$got" "$want"
}

# Each program that is not told began within a gap: between its line in the truth and the next one.
told_or_in_gap() { # SESSION-DIR TRUTH
	ran "$1" | sed -n 's|^/bin/echo.mark-||p' >"$T/told"
	sort -cnu "$T/told" || return 1 # in order, none twice
	entries "$1" | jq -r 'select(.event.action == "gap") | "gap \(.event.start) \(.event.end)"' |
		while read -r _ from to; do
			echo "gap $(date -d "$from" +%s.%N) $(date -d "$to" +%s.%N)"
		done >"$T/gaps"
	awk 'FILENAME ~ /told$/ { told[$1] = 1; next }
		FILENAME ~ /gaps$/ { from[++n] = $2; to[n] = $3; next }
		mark != "" && !(mark in told) {
			fine = 0
			for (i = 1; i <= n; i++) if (from[i] <= $1 && time <= to[i]) fine = 1
			if (!fine) { printf "mark-%s at %.3f is nowhere\n", mark, time; bad = 1 } else missed++
		}
		{ time = $1; mark = $2; sub(/^mark-/, "", mark); ran++ }
		END { printf "%d ran, %d of them in %d gaps\n", ran - 1, missed, n; exit bad }
	' "$T/told" "$T/gaps" "$2"
}

check_session() { # SESSION-DIR
	local name ses
	ses=$(segment_header "$1" | jq .ses)
	name="session $ses"
	segments_in_row "$1" "$name"
	check "$name: entries numbered without hole, none twice" seqs_are_whole "$1"
	if [ -z "$CHAINED" ]; then # sha256sum for each line takes its time; show does it for all
		check "$name: the chain of hashes holds" chain_holds "$1"
		CHAINED=1
	fi
	check "$name: the objects are those of the manifest" manifest_holds "$1"
	check "$name: each program is told once, or ran in a gap" told_or_in_gap "$1" "$T/work/ran.$ses"
	note "$name: $(tail -n 1 "$T/check.out")"
	check "$name: sessaudit show" sa show "$(basename "$1" | sed s/session=//)"
}

# Key and hash of all versions, each pair once.
s3_contents() {
	s3_aws s3api list-object-versions --bucket audit --prefix hosts/ --output text \
		--query 'Versions[].[Key,ETag]' | grep -v /probe/ | LC_ALL=C sort -u
}

check_store() {
	local d
	same "$SESSIONS sessions" "$(session_dirs | wc -l)" $SESSIONS
	s3_versions audit hosts >"$T/versions"
	# A put of a shipper that was killed may still be under way when the next one's begins: Ceph then
	# lets both win (its check is not atomic), with the same bytes.
	note "objects with two versions of the same bytes: $(uniq -d "$T/versions" | wc -l)"
	same "no object was written over with other bytes" "$(s3_contents | cut -f1 | uniq -d)" ""
	uniq "$T/versions" >"$T/keys"
	same "nothing has another key than its own" "$(grep conflict "$T/keys")" ""
	same "no conflict, nothing refused" \
		"$(cat "$T"/*.log | grep -c 'event=\(conflict\|quarantined\)')" 0
	same "each session begins once in the index" \
		"$(grep -c '^index/.*\.start\.json$' "$T/keys")" $SESSIONS
	same "and ends once" "$(grep -c '^index/.*\.end\.json$' "$T/keys")" $SESSIONS
	for d in $(session_dirs); do
		check_session "$d"
	done
}

SESSION_PIDS=()
CHAINED=
exec {NOTHING}<> <(:)
PRODUCT_STORE=s3_product_behind_proxy
AGENT_LINES=("[segment]" "max_age = 100ms" "max_bytes = 4096"
	"[store]" "retry_min = 10ms" "retry_max = 200ms" "stall_timeout = 1s")
product_begin sa-e2e-ann
install -d -m 777 "$T/work"
write_worker
grant a sa-e2e-ann REQ-4001
check "$SESSIONS sessions run programs" open_sessions
agent_stop # made the directories
s3_faults "${RULES[@]}"
SECONDS=0
kill_roles
note "roles: $(killed collector) collectors and $(killed shipper) shippers in $SECONDS s"
agent_start
kill_agent $((KILLS / 12))
note "agent: $(killed "agent") in $SECONDS s, $(cut -d' ' -f1 "$T/proxy.log" | sort | uniq -c | xargs)"
check "$((KILLS + KILLS / 24)) kills or more: $(killed '')" test "$(killed '')" -ge $((KILLS + KILLS / 24))
check "the proxy had its way" test "$(grep -cv '^pass' "$T/proxy.log")" -gt 20
wait_for 20 agent_listens
sleep 1
: >"$T/work/stop"
wait "${SESSION_PIDS[@]}"
check "all transcripts are complete in the bucket" wait_for 60 all_ended
agent_stop
check_store
tap_done
