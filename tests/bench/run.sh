#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/run.sh [--quick] [--check] [--pam]
#
# All figures in one run, beside those of other tools where they are installed: replay.sh (a recorded
# log), live.sh (the kernel's stream), with --pam also pam.sh (logins). --quick takes a quarter of the
# time. --check exits 1 when a target is missed. Needs root for all but the first. Best on a quiet
# machine. Not part of `make check`.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
export SA_SRC SA_BUILD=${SA_BUILD:-$SA_SRC}
BENCH=$SA_SRC/tests/bench
QUICK='' CHECK='' PAM='' failed=0
for arg in "$@"; do
	case $arg in
	--quick) QUICK=--quick ;;
	--check) CHECK=--check ;;
	--pam) PAM=1 ;;
	*) echo "usage: run.sh [--quick] [--check] [--pam]" >&2 && exit 2 ;;
	esac
done

part() { # SCRIPT [ARG]...
	local rc=0
	echo "=== $1"
	"$BENCH/$1" "${@:2}" || rc=$?
	[ $rc = 0 ] || [ $rc = 77 ] || { echo "$1: exit status $rc" && failed=1; }
}

# replay.sh's lines "collector, SESSIONS  N /s  N /CPU s ... N MiB", the best round of each; status 1
# when a target is missed.
replay_targets() {
	awk '
		function target(name, value, op, want, unit,    ok) {
			ok = op == ">=" ? value >= want : value <= want
			missed += !ok
			printf "  %-52s %10s   target %s %s %s  %s\n", name, value, op, want, unit,
				ok ? "ok" : "MISSED"
		}
		{ print }
		/^collector, / {
			rate[$2] = $5 > rate[$2] ? $5 : rate[$2]
			for (i = 3; i < NF; i++)
				if ($(i + 1) == "MiB" && $i > peak)
					peak = $i
		}
		END {
			target("records per CPU second, 51 sessions", rate[51] + 0, ">=", 500000, "")
			target("51 sessions to one", sprintf("%.2f", rate[51] / (rate[1] + 1)) + 0, ">=", 0.8, "x")
			target("1,000 sessions to 51", sprintf("%.2f", rate[1000] / (rate[51] + 1)) + 0, ">=", 0.8, "x")
			target("peak memory", peak + 0, "<=", 32, "MiB")
			exit missed > 0
		}'
}

date -u +%Y-%m-%dT%H:%M:%SZ
echo "=== replay.sh"
RUNS=${QUICK:+1} "$BENCH/replay.sh" ${QUICK:+400000} | replay_targets || [ -z "$CHECK" ] || failed=1
part live.sh $QUICK $CHECK
[ -z "$PAM" ] || part pam.sh $CHECK
exit $failed
