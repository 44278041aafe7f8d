#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/live.sh [--quick] [--check] [--ours] [PART...]
#
# What readers of the kernel's audit stream deliver, slow down and cost: a bare one (bareread.c), auditd,
# auditd with laurel, where they are installed, and the agent in SA_BUILD. Each figure that has a target
# is printed beside it; --check exits 1 when one is missed. --ours leaves auditd and laurel out.
#
#   storm     backlog_wait_time 0: how much arrives of 200,000 programs and of 100,000 opened files by
#             two processes at full speed (--quick: 50,000; files always 100,000); CPU time per record
#   slowdown  backlog_wait_time 15000: nothing is lost, how much slower is the load
#   idle      CPU and memory of the agent without a session and with 1,000
#
# So that all readers get the same records: the rules are made here, for the load's own login uid, before
# the reader starts. The agent's own come after them and never match first, and its classes are those
# that make entries of these records: commands; for the files those of the load's directory. All else of
# its configuration is as delivered.
#
# "whole" counts events of which every record arrived; for the agent it counts entries in the store. The
# load's session is opened through PAM and tagged. Figures of one run compare with each other, not with
# other machines'; other work on the machine makes all of them worse.
#
# The kernel's audit state is put back; the lock is held for one measurement at a time (slowdown: one
# round). Needs root and auditctl. Not part of `make check`.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
BENCH=$SA_SRC/tests/bench
. "$SA_SRC/tests/e2e/lib.sh"
. "$SA_SRC/tests/e2e/agent.sh"
# Names of its own: between two measurements a test may hold the lock, and takes away what others left.
AGENT_USER=sa-bench-agent SHIP_USER=sa-bench-ship
USER_NAME=nobody
LOAD_UID=$(id -u $USER_NAME)
EXECS=200000 OPENS=100000 OPEN_RUNS=10 ROUNDS=7 SLOW_EXECS=20000 SLOW_OPENS=100000 IDLE_S=60
READERS=(bare ours auditd laurel)
CHECK='' MISSED=0 PARTS=()
for arg in "$@"; do
	case $arg in
	--quick) EXECS=50000 OPEN_RUNS=3 ROUNDS=3 IDLE_S=20 ;;
	--check) CHECK=1 ;;
	--ours) READERS=(bare ours) ;;
	storm | slowdown | idle) PARTS+=("$arg") ;;
	*) echo "usage: live.sh [--quick] [--check] [--ours] [storm] [slowdown] [idle]" >&2 && exit 2 ;;
	esac
done
[ ${#PARTS[@]} != 0 ] || PARTS=(storm slowdown idle)

# --- figures ---

target() { # NAME VALUE less|atleast TARGET [UNIT]
	local verdict=ok op='<='
	[ "$3" = less ] || op='>='
	awk -v a="$2" -v b="$4" -v op="$op" 'BEGIN { exit !(op == "<=" ? a <= b : a >= b) }' ||
		{ verdict=MISSED && MISSED=1; }
	printf '  %-52s %10s   target %s %s %s  %s\n' "$1" "$2" "$op" "$4" "${5:-}" "$verdict"
}

calc() { awk "BEGIN { printf \"%.${2:-2f}\", $1 }"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
installed() { # READER
	case $1 in
	auditd) command -v auditd >/dev/null ;;
	laurel) command -v auditd >/dev/null && command -v laurel >/dev/null ;;
	esac
}

# --- processes ---

children() { # PID...: these and all below them
	local pid
	for pid; do
		echo "$pid"
		children $(pgrep -P "$pid")
	done
}

# User and system time in 1/100 s, also of children that ended. proc(5): fields 14 to 17, counted
# behind the name.
ticks() { # PID...
	local pid sum=0 stat
	for pid; do
		stat=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) || continue
		set -- $stat
		sum=$((sum + ${12} + ${13} + ${14} + ${15}))
	done
	echo $sum
}

memory() { # FIELD PID...: KiB together
	local field=$1 pid sum=0 n
	shift
	for pid; do
		n=$(sed -n "s/^$field:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$pid/status" 2>/dev/null)
		sum=$((sum + ${n:-0}))
	done
	echo $sum
}

# Where the time goes: for each thread user and system time, and how often it was waited for.
threads() { # PID...
	local pid task
	for pid; do
		for task in "/proc/$pid/task/"*; do
			set -- $(sed 's/.*) //' "$task/stat")
			printf '           %-16s %5s ms user %5s ms system %8s waits\n' "$(cat "$task/comm")" \
				"${12}0" "${13}0" "$(sed -n 's/^voluntary.*:[^0-9]*//p' "$task/status")"
		done
	done
}

# 1/100 s that all processors together worked.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# Others' work spoils the figures: waits up to 20 s for half a second with little of it.
quiet() {
	local i before
	for ((i = 0; i < 40; i++)); do
		before=$(busy)
		sleep 0.5
		[ $(($(busy) - before)) -gt $((10 * $(nproc))) ] || return 0
	done
}

# --- the kernel ---

rules() { # -a|-d
	auditctl "$1" always,exit -F arch=b64 -S execve -F "auid=$LOAD_UID" -k bench-live
	auditctl "$1" always,exit -F arch=b64 -S openat -F "dir=$T/watch" -F "auid=$LOAD_UID" \
		-k bench-live
} >/dev/null 2>&1

kernel() { "$T/auditstate" get | sed "s/.*\\b$1=\\([0-9]*\\).*/\\1/"; }
backlog() { auditctl -s | sed -n 's/^backlog \([0-9]*\)$/\1/p'; }

# audit_begin of lib.sh leaves at the end of the script; here it is many times.
audit_take() {
	audit_lock
	leftovers_remove
	"$T/auditstate" get >"$T/audit.saved"
	cp "$T/audit.saved" "$E2E_LOCK.state"
	"$T/auditstate" set backlog_limit=8192 backlog_wait_time=0 enabled=1
	rules -a
	AUDIT_TAKEN=1
}

audit_give() {
	[ -n "${AUDIT_TAKEN:-}" ] || return 0
	reader_stop
	rules -d
	audit_restore
	AUDIT_TAKEN=
	exec 9>&-
}

# --- readers: reader_start NAME sets PIDS; after reader_stop "$T/out" holds what came ---

auditd_conf() { # [laurel]
	rm -rf "$T/auditd" && mkdir -p "$T/auditd/plugins.d" "$T/auditd/laurel"
	printf '%s = %s\n' log_file "$T/auditd/audit.log" log_group root log_format RAW flush \
		INCREMENTAL_ASYNC freq 50 max_log_file 4000 max_log_file_action IGNORE num_logs 2 \
		priority_boost 4 name_format NONE space_left 75 space_left_action IGNORE \
		admin_space_left 50 admin_space_left_action IGNORE disk_full_action IGNORE \
		disk_error_action IGNORE q_depth 2000 overflow_action SYSLOG max_restarts 10 \
		plugin_dir "$T/auditd/plugins.d" >"$T/auditd/auditd.conf"
	[ -n "${1:-}" ] || return 0
	printf '%s = %s\n' active yes direction out type always format string path \
		"$(command -v laurel)" args "--config $T/auditd/laurel.toml" \
		>"$T/auditd/plugins.d/laurel.conf"
	chmod 640 "$T/auditd/plugins.d/laurel.conf"
	printf 'directory = "%s"\nuser = "root"\n[auditlog]\nfile = "out.log"\nsize = 4000000000\n' \
		"$T/auditd/laurel" >"$T/auditd/laurel.toml"
}

agent_conf() {
	cat >"$T/sessaudit.conf" <<-END
		[pam]
		grants_dir = $T/grants
		[capture]
		exits = no
		network = no
		privilege = no
		self = no
		file_writes = $T/watch
		[redact]
		key_file = $T/redact.key
		[spool]
		dir = $T/spool
		[store]
		dir = $T/store
		[agent]
		run_dir = $T/run
		user = $AGENT_USER
		ship_user = $SHIP_USER
	END
}

is_daemon() { [ "$(kernel pid)" = "$1" ]; }

reader_start() { # NAME
	READER=$1 PIDS=()
	case $1 in
	off) "$T/auditstate" set enabled=0 && return ;;
	bare)
		"$T/bareread" >"$T/out" 9>&- &
		MAIN_PID=$!
		;;
	auditd | laurel)
		auditd_conf "$([ "$1" = auditd ] || echo laurel)"
		auditd -n -s nochange -c "$T/auditd" >/dev/null 2>&1 9>&- &
		MAIN_PID=$!
		;;
	ours)
		rm -rf "$T/store" "$T/spool" "$T/agent.log"
		install -d -m 0750 -o $AGENT_USER -g $SHIP_USER "$T/spool"
		install -d -m 0750 -o $SHIP_USER -g $SHIP_USER "$T/store"
		agent_start || exit 1
		PIDS=($(children "$AGENT_PID"))
		return
		;;
	esac
	wait_for 10 is_daemon $MAIN_PID || { echo "$1 does not start"; exit 1; }
	sleep 1 # laurel comes after auditd
	PIDS=($(children $MAIN_PID))
	[ "$1" != laurel ] || [ ${#PIDS[@]} = 2 ] || { echo "laurel does not start"; exit 1; }
}

reader_stop() {
	case ${READER:-} in
	off) "$T/auditstate" set enabled=1 ;;
	ours) agent_stop ;;
	?*) stop_pid "$MAIN_PID" ;;
	esac
	READER=
}

# What was delivered is on its way no longer: the kernel's queue is empty, the reader stands still.
settle() {
	local before=-1 now=0 i
	for ((i = 0; i < 240 && (now - before > 1 || $(backlog) > 0); i++)); do
		sleep 0.5
		before=$now now=$(ticks "${PIDS[@]}")
	done
}

# auditd's log: events that have all records. It leaves EOE out.
whole_in_log() { # exec|open
	awk -v want="$([ "$1" = exec ] && echo 5 || echo 4)" -v kind="$1" '
		/^type=(SYSCALL|EXECVE|CWD|PATH|PROCTITLE) / && match($0, /:[0-9]+\)/) {
			s = substr($0, RSTART, RLENGTH)
			if (++n[s] == want) whole++
		}
		END { print whole + 0 }' "$T/auditd/audit.log"
}

session_lines() { gzip -dcq "$T"/store/sessions/request=REQ-BENCH/session=*/[0-9]*.jsonl.gz; }

# Sets WHOLE and RECORDS. The records that auditd did not write down: one EOE for each SYSCALL.
delivered() { # exec|open
	local log=$T/auditd/audit.log
	case $1-$2 in
	bare-*)
		WHOLE=$(sed -n "s/.* $2=\([0-9]*\).*/\1/p" "$T/out")
		RECORDS=$(sed -n 's/^records=\([0-9]*\).*/\1/p' "$T/out")
		;;
	auditd-* | laurel-*)
		WHOLE=$(whole_in_log "$2")
		RECORDS=$(($(wc -l <"$log") + $(grep -c '^type=SYSCALL' "$log")))
		;;&
	laurel-exec) WHOLE=$(grep -c '"EXECVE":.*"PROCTITLE":' "$T/auditd/laurel/out.log") ;;
	laurel-open) WHOLE=$(grep -c '"PATH":.*"PROCTITLE":' "$T/auditd/laurel/out.log") ;;
	ours-exec) WHOLE=$(session_lines | grep -c '"action":"exec".*"executable":"'"$T/tiny"'"') ;;
	ours-open) WHOLE=$(session_lines | grep -c '"path":"'"$T/watch/f") ;;
	esac
	if [ "$1" = ours ]; then
		RECORDS=$(sed -n 's/.*event=collected records=\([0-9]*\).*/\1/p' "$T/agent.log")
		GAPS=$(session_lines | grep '"action":"gap"' |
			sed 's/.*"reason":"\([a-z_]*\)".*/\1/' | sort | uniq -c | tr -s ' \n' ' ')
	fi
}

# One load under a reader that runs; sets RATE.
load_run() { # exec|open N [-v]
	local what=("$T/load" ${3:-} "$1" "$2" 2)
	[ "$1" = exec ] && what+=("$T/tiny") || what+=("$T/watch")
	if [ "$READER" = ours ]; then
		"$T/pamlogin" -u $USER_NAME "$PAM_SERVICE" timeout 300 "${what[@]}" >"$T/load.out" 9>&-
	else
		timeout 300 "${what[@]:0:1}" -u "$LOAD_UID" "${what[@]:1}" >"$T/load.out" 9>&-
	fi || { echo "the load failed: $(cat "$T/load.out")"; exit 1; }
	RATE=$(tail -n 1 "$T/load.out" | cut -d ' ' -f 2)
}

# --- storm ---

# One line of the table; sets WHOLE, RECORDS, LOST, GAPS, COST.
storm_run() { # READER exec|open N
	local lost cpu others mine
	quiet
	audit_take
	reader_start "$1"
	lost=$(kernel lost) cpu=$(ticks "${PIDS[@]}")
	others=$(busy)
	load_run "$2" "$3"
	settle
	LOST=$(($(kernel lost) - lost)) cpu=$(($(ticks "${PIDS[@]}") - cpu))
	others=$(($(busy) - others))
	mine=$(memory VmHWM "${PIDS[@]}")
	[ "$1" != ours ] || threads "${PIDS[@]}" >"$T/threads"
	audit_give
	GAPS=
	delivered "$1" "$2"
	COST=$(calc "$cpu * 10000 / (${RECORDS:-0} + 0.001)")
	printf '  %-8s %8s of %8s %6s %%  lost %8s  %8s records  %6s us/record  %6s /s  %5s MiB  busy %s s %s\n' \
		"$1" "$WHOLE" "$3" "$(calc "$WHOLE * 100 / $3")" "$LOST" "$RECORDS" "$COST" "$RATE" \
		$((mine / 1024)) $((others / 100)) "${GAPS:+gaps: $GAPS}"
	[ "$1" != ours ] || cat "$T/threads"
}

part_storm() {
	local reader whole=0 i lost=0
	echo "storm: $EXECS programs by 2 processes, backlog_wait_time 0"
	for reader in "${READERS[@]}"; do
		[ "$reader" = ours ] || storm_run "$reader" exec "$EXECS"
	done
	storm_run ours exec "$EXECS"
	target "execs of the session that are in its transcript" "$WHOLE" atleast "$EXECS"
	target "events the kernel lost" "$LOST" less 0
	target "gaps in the transcript" "${GAPS:-0}" less 0
	target "CPU per record, programs" "$COST" less 3 us
	echo "storm: $OPENS opened files by 2 processes, backlog_wait_time 0"
	for reader in "${READERS[@]}"; do
		[ "$reader" = ours ] || storm_run "$reader" open "$OPENS"
	done
	: >"$T/costs"
	for ((i = 0; i < OPEN_RUNS; i++)); do
		storm_run ours open "$OPENS"
		[ "$WHOLE" -ge "$OPENS" ] && [ -z "$GAPS" ] && [ "$LOST" = 0 ] && whole=$((whole + 1))
		echo "$COST" >>"$T/costs"
	done
	target "runs of $OPEN_RUNS in which no file is lost" $whole atleast $((OPEN_RUNS * 9 / 10))
	target "CPU per record, files, median" "$(median <"$T/costs")" less 3 us
}

# --- slowdown ---

# The kernel lets a process wait for a reader that is behind, whoever it is: only while the load runs.
slow_run() { # exec|open N [-v]
	[ "$READER" = off ] || "$T/auditstate" set backlog_wait_time=15000
	load_run "$@"
	"$T/auditstate" set backlog_wait_time=0
	settle
	echo "$RATE" >>"$T/rate.$READER.$1"
}

part_slowdown() {
	local reader kind i
	rm -f "$T"/rate.*
	for ((i = 0; i < ROUNDS; i++)); do
		quiet
		audit_take
		for reader in off "${READERS[@]}"; do
			reader_start "$reader"
			slow_run exec $SLOW_EXECS -v
			slow_run open $SLOW_OPENS
			reader_stop
		done
		audit_give
	done
	for kind in exec open; do
		echo "slow-down: $kind, backlog_wait_time 15000, median (least to most) of $ROUNDS rounds"
		for reader in off "${READERS[@]}"; do
			printf '  %-8s %8s /s (%s to %s)  %6s x off  %6s x bare\n' "$reader" \
				"$(median <"$T/rate.$reader.$kind")" \
				"$(sort -n "$T/rate.$reader.$kind" | head -n 1)" \
				"$(sort -n "$T/rate.$reader.$kind" | tail -n 1)" \
				"$(slower off "$reader" $kind)" "$(slower bare "$reader" $kind)"
		done
		[ $kind = exec ] && i=1.15 || i=1.5
		target "slower than the bare reader" "$(slower bare ours $kind)" less $i x
	done
}

# Round by round, since what else the machine does changes meanwhile; the median of these.
slower() { # THAN READER exec|open
	paste "$T/rate.$1.$3" "$T/rate.$2.$3" | awk '{ printf "%.2f\n", $1 / $2 }' | median
}

# --- idle ---

# Nanoseconds of all threads; an idle agent makes none and ends none.
thread_ns() { # PID...
	local pid
	for pid; do cat "/proc/$pid/task/"*/schedstat; done | awk '{ n += $1 } END { printf "%.0f", n }'
}

proportional() { # PID...: KiB
	local pid
	for pid; do cat "/proc/$pid/smaps_rollup"; done | awk '/^Pss:/ { n += $2 } END { print n }'
}

idle_line() { # TEXT
	local pid
	printf '  %-16s' "$1"
	for pid in "${PIDS[@]}"; do
		printf ' %s %s KiB (peak %s)' "$(cat "/proc/$pid/comm")" "$(memory VmRSS "$pid")" \
			"$(memory VmHWM "$pid")"
	done
	printf '; shared pages counted once: %s KiB\n' "$(proportional "${PIDS[@]}")"
}

part_idle() {
	local before percent rss many
	audit_take
	reader_start ours
	sleep 2
	before=$(thread_ns "${PIDS[@]}")
	sleep "$IDLE_S"
	percent=$(calc "($(thread_ns "${PIDS[@]}") - $before) / 1e7 / $IDLE_S" 3f)
	rss=$(calc "$(memory VmRSS "${PIDS[@]}") / 1024" 1f)
	echo "idle: $IDLE_S s without a session; then 1,000 open sessions that ran a program each"
	idle_line "no session"
	coproc HOLD { exec "$T/load" -u "$LOAD_UID" hold 1000 "$T/tiny" 9>&-; }
	read -r -t 60 -u "${HOLD[0]}" many
	[ "$many" = ready ] || { echo "no 1,000 sessions"; exit 1; }
	sleep 15 # their first segments are sealed after 10 s
	settle
	idle_line "1,000 sessions"
	many=$(calc "$(memory VmHWM "${PIDS[@]}") / 1024" 1f)
	before=$(thread_ns "${PIDS[@]}")
	sleep 10
	printf '  %-16s CPU %s %% of a core\n' "1,000 sessions" \
		"$(calc "($(thread_ns "${PIDS[@]}") - $before) / 1e7 / 10" 3f)"
	eval "exec ${HOLD[1]}>&-"
	target "CPU without a session, % of a core" "$percent" less 0.1
	target "memory of the whole agent" "$rss" less 16 MiB
	target "... at most, with 1,000 open sessions" "$many" less 32 MiB
	audit_give
}

# --- here we go ---

e2e_init
[ "$(id -u)" = 0 ] || skip_all "not root"
command -v auditctl >/dev/null || skip_all "no auditctl"
found=()
for reader in "${READERS[@]}"; do
	case $reader in
	auditd | laurel) installed $reader || { echo "$reader: not installed" && continue; } ;;
	esac
	found+=("$reader")
done
READERS=("${found[@]}")
build_helpers || exit 1
for p in load bareread; do
	${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -o "$T/$p" "$BENCH/$p.c" -laudit || exit 1
done
${CC:-cc} -O2 -nostdlib -static -o "$T/tiny" "$BENCH/tiny.c" || exit 1
${CC:-cc} -std=gnu11 -O2 -o "$T/pamlogin" "$E2E_DIR/pamlogin.c" -lpam || exit 1
mkdir "$T/watch"
for i in $(seq 0 63); do echo >"$T/watch/f$i"; done

exec 8>"$BENCH_LOCK"
flock -n 8 || skip_all "another live.sh runs"
user_remove $AGENT_USER # of a run that was killed
user_remove $SHIP_USER
rm -f /etc/pam.d/sa-bench-*
audit_lock
why=$(audit_unusable)
[ -z "$why" ] || skip_all "$why"
exec 9>&-
agent_prepare || exit 1
agent_conf
at_exit audit_give
PAM_SERVICE=sa-bench-$$
at_exit "rm -f /etc/pam.d/$PAM_SERVICE"
printf 'session required %s\n' pam_loginuid.so "$MODULE config=$T/sessaudit.conf" \
	>"/etc/pam.d/$PAM_SERVICE"
grant bench $USER_NAME REQ-BENCH

printf 'live: %s, %s CPUs, load %s\n' "$(uname -sr)" "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
for part in "${PARTS[@]}"; do
	part_"$part"
done
[ -z "$CHECK" ] || [ $MISSED = 0 ]
