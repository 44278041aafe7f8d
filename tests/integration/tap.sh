# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=sh
#
# TAP for shell tests, a scratch directory ($T, removed at the end), waiting.
# Sourced: . "$SA_SRC/tests/integration/tap.sh"

tap_count=0
tap_failed=0
tap_pids= # ended at exit
T=$(mktemp -d "${TMPDIR:-/tmp}/sessaudit-test.XXXXXX") || exit 99
chmod 755 "$T"

# A pid that was waited for may be somebody else's process by now.
tap_own() { # PID
	[ "$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status" 2>/dev/null)" = $$ ]
}

tap_clean() {
	for pid in $tap_pids; do
		tap_own "$pid" && kill -9 "$pid"
	done
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf "$T"
}
trap tap_clean EXIT
trap 'exit 99' INT TERM HUP

ok() { # STATUS NAME
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
}

same() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then
		ok 0 "$1"
	else
		ok 1 "$1"
		printf 'got:  %s\nwant: %s\n' "$2" "$3" | head -n 20 | sed 's/^/# /'
	fi
}

check() { # NAME COMMAND...: its output is shown when it fails
	name=$1
	shift
	out=$("$@" 2>&1)
	rc=$?
	ok $rc "$name"
	[ $rc = 0 ] || printf '$ %s (%s)\n%s\n' "$*" "$rc" "$out" | head -n 30 | sed 's/^/# /'
}

skip() { # NAME REASON
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

wait_for() { # SECONDS COMMAND...: tries twenty times a second
	tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

gone() { # PID: over, even if nobody has reaped it yet
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

tap_done() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}
