# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# What every end-to-end script needs: TAP lines, a temporary directory, one
# cleanup that runs whatever happens, and the kernel's audit state put back.
# Sourced by tests/e2e/*.sh and demo.sh (bash).

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$E2E_DIR/../.." && pwd)
E2E_LOCK=/run/lock/sessaudit-audit-test.lock
BENCH_LOCK=/run/lock/sessaudit-bench.lock
E2E_CLEANUPS=() # run last first
TAP_COUNT=0
TAP_FAILED=0

# --- TAP ---

ok() { # STATUS NAME: a test point, passed when STATUS is 0
	TAP_COUNT=$((TAP_COUNT + 1))
	if [ "$1" = 0 ]; then
		echo "ok $TAP_COUNT - $2"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_COUNT - $2"
	fi
}

check() { # NAME COMMAND...: passed when the command succeeds; its output is shown when not
	local name=$1 rc=0
	shift
	"$@" >"$T/check.out" 2>&1 || rc=$? # no subshell: the command may keep state
	ok $rc "$name"
	[ $rc = 0 ] || { echo "$ $*"; head -n 60 "$T/check.out"; } | sed 's/^/# /'
}

same() { # NAME GOT WANT: passed when equal
	if [ "$2" = "$3" ]; then
		ok 0 "$1"
	else
		ok 1 "$1"
		printf 'got:  %s\nwant: %s\n' "$2" "$3" | head -n 40 | sed 's/^/# /'
	fi
}

note() { printf '%s\n' "$*" | sed 's/^/# /'; }

skip_all() { # REASON
	echo "1..0 # SKIP $1"
	exit 77
}

tap_done() {
	echo "1..$TAP_COUNT"
	[ "$TAP_FAILED" = 0 ]
}

# --- waiting and cleaning up ---

wait_for() { # SECONDS COMMAND...: tries ten times a second
	local left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}

at_exit() { E2E_CLEANUPS+=("$*"); }

gone() { ! kill -0 "$1" 2>/dev/null; }

stop_pid() { # PID: asks, then insists after 10 s
	kill "$1" 2>/dev/null || return 0
	wait_for 10 gone "$1" || kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null || :
}

e2e_cleanup() {
	local i
	trap '' INT TERM HUP
	set +e
	[ -z "${E2E_FAREWELL:-}" ] || echo "$E2E_FAREWELL"
	for ((i = ${#E2E_CLEANUPS[@]} - 1; i >= 0; i--)); do
		eval "${E2E_CLEANUPS[i]}"
	done
	E2E_CLEANUPS=()
}

e2e_exit() { # STATUS of the script
	local rc=$1
	e2e_cleanup
	trap - EXIT
	exit "$rc"
}

# Makes $T, arranges cleanup. Processes that an admin's login runs have a session of their own, which
# would be recorded too: leave it.
e2e_init() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/sessaudit-e2e.XXXXXX") || exit 1
	chmod 755 "$T"
	trap 'e2e_exit $?' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	at_exit '[ -n "${E2E_KEEP:-}" ] && echo "# kept: $T" || rm -rf "$T"'
	echo 4294967295 2>/dev/null >/proc/self/loginuid || :
}

# --- the kernel's audit state ---

# The kernel goes on naming a daemon that was killed, until it has something for it.
audit_daemon_runs() { # STATE, as auditstate says it
	local pid
	pid=$(sed -n 's/.* pid=\([0-9]*\) .*/\1/p' <<<"$1")
	[ "${pid:-0}" != 0 ] && [ -d "/proc/$pid" ]
}

# The reason why this machine cannot record, or nothing.
audit_unusable() {
	local state
	[ "$(id -u)" = 0 ] || { echo "not root"; return; }
	state=$("$T/auditstate" get 2>/dev/null) || { echo "no kernel audit here"; return; }
	case $state in
	enabled=2*) echo "audit rules are immutable" ;;
	*) ! audit_daemon_runs "$state" || echo "another audit daemon is running" ;;
	esac
}

build_helpers() {
	local p
	for p in nlrecord auditstate ttydrive logsink; do
		${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -o "$T/$p" "$E2E_DIR/$p.c" -laudit -lutil ||
			return 1
	done
}

# Only one test at a time may change the audit state. Children must not hold the lock: start daemons
# with 9>&-.
audit_lock() {
	exec 9>"$E2E_LOCK"
	flock -n 9 && return
	echo "# waiting: another test uses the audit system" >&2
	flock -w "${E2E_LOCK_WAIT:-1500}" 9 || skip_all "another test holds $E2E_LOCK"
}

audit_value() { # NAME: from the saved state
	sed "s/.*\\b$1=\\([0-9]*\\).*/\\1/" "$T/audit.saved"
}

audit_restore() {
	"$T/auditstate" del-rules
	"$T/auditstate" set "backlog_limit=$(audit_value backlog_limit)" \
		"backlog_wait_time=$(audit_value backlog_wait_time)" \
		"enabled=$(audit_value enabled)"
	# pid and rules included; lost only grows
	if [ "$("$T/auditstate" get | sed 's/ lost=[0-9]*//')" != \
		"$(sed 's/ lost=[0-9]*//' "$T/audit.saved")" ]; then
		echo "# audit state not as found: was $(cat "$T/audit.saved")," \
			"is $("$T/auditstate" get)" >&2
	fi
	rm -f "$E2E_LOCK.state"
}

user_remove() { # NAME: ends what still runs as this user
	local uid pid
	uid=$(id -u "$1" 2>/dev/null) || return 0
	for pid in $(ps -o pid= -U "$uid"); do
		kill -9 "$pid" 2>/dev/null
	done
	wait_for 5 userdel "$1" || userdel -f "$1"
	rm -rf "/home/$1"
}

names_of() { getent "$1" | sed -En "s/^(sa-($2)-[^:]*):.*/\1/p"; } # passwd|group KIND[|KIND]...

# What a run that was killed could not take away. Whoever has the lock may: no other test lives, and
# these names are the tests' own. A benchmark lets go of the lock between two measurements and keeps
# its names.
leftovers_remove() {
	local name kinds='e2e demo'
	! flock -n "$BENCH_LOCK" true || kinds+=' bench'
	for name in $(names_of passwd "${kinds// /|}"); do
		echo "# of an earlier run: user $name" >&2
		user_remove "$name"
	done
	for name in $(names_of group "${kinds// /|}"); do
		groupdel "$name"
	done
	rm -f /etc/pam.d/sshd-sae2e-* /etc/pam.d/sshd-demo /etc/sudoers.d/sessaudit-e2e
	[[ $kinds != *bench* ]] || rm -f /etc/pam.d/sa-bench-*
	[ ! -s "$E2E_LOCK.state" ] || {
		echo "# of an earlier run: the kernel's audit state" >&2
		cp "$E2E_LOCK.state" "$T/audit.saved"
		audit_restore
	}
}

# Takes the lock, saves the state, makes sure that a test cannot stall the machine.
audit_begin() {
	local why
	[ "$(id -u)" = 0 ] || skip_all "not root"
	build_helpers || exit 1
	audit_lock
	why=$(audit_unusable)
	[ -z "$why" ] || skip_all "$why"
	leftovers_remove
	"$T/auditstate" get >"$T/audit.saved"
	cp "$T/audit.saved" "$E2E_LOCK.state"
	at_exit audit_restore
	"$T/auditstate" set backlog_limit=8192 backlog_wait_time=100 enabled=1
}

record_start() { # FILE: records the stream with nlrecord until record_stop
	"$T/nlrecord" "$1" >"$T/nlrecord.out" 2>"$T/nlrecord.err" 9>&- &
	RECORD_PID=$!
	at_exit '[ -z "$RECORD_PID" ] || kill $RECORD_PID'
	wait_for 5 grep -q ready "$T/nlrecord.out"
}

record_stop() { # fails when records were lost
	local rc=0
	kill "$RECORD_PID"
	wait "$RECORD_PID" || rc=$?
	RECORD_PID=
	return $rc
}
