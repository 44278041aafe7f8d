#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# The collector leaks nothing over 1,000 sessions: a recorded log, multiplied,
# replayed under valgrind.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
command -v valgrind >/dev/null || { echo "1..0 # SKIP no valgrind"; exit 77; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

recording=$SA_SRC/tests/golden/raw/debian12-session.audit
copies=$((1000 / $(grep -c ' old-ses=' "$recording")))
"$SA_SRC/tests/integration/multiply.sh" "$recording" $copies >"$T/log"
mkdir "$T/spool"
valgrind --quiet --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
	--error-exitcode=99 --log-file="$T/valgrind" \
	"$SA_BUILD/agent/collector/sessaudit-collector" --replay "$T/log" --spool "$T/spool" \
	--host many >"$T/out" 2>&1
rc=$?
echo 1..2
[ $rc = 0 ] && echo "ok 1 - no leak, no error" || {
	echo "not ok 1 - no leak, no error: status $rc"
	tail -n 20 "$T/out" | sed 's/^/# /'
	head -n 60 "$T/valgrind" | sed 's/^/# /'
}
n=$(find "$T/spool/ready" -name manifest.json | wc -l)
[ "$n" = 1000 ] && echo "ok 2 - 1000 sessions" || echo "not ok 2 - 1000 sessions: $n"
