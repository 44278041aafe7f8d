#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/replay.sh [RECORDS [SESSIONS]]
#
# Records per CPU second and peak memory of the collector over a generated log, beside
# reading its lines (wc -l) and, where they are installed, what libauparse and laurel take
# for the same log in the same run. Not part of `make check`.
set -eu
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
COLLECTOR=${COLLECTOR:-$SA_BUILD/agent/collector/sessaudit-collector}
RECORDS=${1:-1000000} SESSIONS=${2:-100}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

python3 "$SA_SRC/tests/bench/mklog.py" "$RECORDS" "$SESSIONS" >"$T/log"
RECORDS=$(wc -l <"$T/log")
: >"$T/conf"

${CC:-cc} -O2 -o "$T/measure" "$SA_SRC/tests/bench/measure.c"
measure() { # NAME COMMAND...
	local name=$1
	shift
	"$T/measure" "$name" "$RECORDS" "$@" <"$T/log" 2>/dev/null
}

echo "$RECORDS records, $(($(wc -c <"$T/log") >> 20)) MiB, $SESSIONS sessions at a time"
measure "wc -l" wc -l
mkdir "$T/spool"
measure "sessaudit-collector" "$COLLECTOR" --config "$T/conf" --replay - --spool "$T/spool" --host bench
if ${CC:-cc} -O2 -o "$T/auparse" "$SA_SRC/tests/bench/auparse_feed.c" -lauparse 2>/dev/null; then
	measure "libauparse (fields)" "$T/auparse"
else
	echo "libauparse: no headers here"
fi
if command -v laurel >/dev/null; then
	printf 'directory = "%s/laurel"\n[auditlog]\nfile = "out.log"\n' "$T" >"$T/laurel.toml"
	measure "laurel" laurel --config "$T/laurel.toml"
else
	echo "laurel: not installed"
fi
