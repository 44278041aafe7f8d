#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Audit logs in, the exact objects out: for each raw/NAME.audit everything that a replay puts into the
# store, and the collector's summary, is compared with expected/NAME.txt. debian12-* were recorded on a
# real machine, the others are written by hand, each for the cases its name says. Sizes and hashes of
# compressed objects are left out, they depend on the zlib in use.
#
#   SA_UPDATE=1 make check TESTS=tests/golden/golden.sh    writes expected/ anew: read the difference
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
[ -x "$SA_BUILD/agent/sessauditd" ] || { echo "1..0 # SKIP not built in $SA_BUILD"; exit 0; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
mkdir "$T/libexec"
ln -s "$SA_BUILD/agent/collector/sessaudit-collector" "$SA_BUILD/agent/shipper/sessaudit-shipper" \
	"$T/libexec"
: >"$T/conf"

replay() { # RECORDING STORE
	"$SA_BUILD/agent/sessauditd" --config "$T/conf" --libexec "$T/libexec" --replay "$1" \
		--store "$2" --host golden --machine-id 00000000000000000000000000000001 >"$T/log" 2>&1 ||
		echo "replay failed"
	sed "s|$SA_SRC/||; s|^sessaudit-collector: ||" "$T/log"
}

objects() { # STORE: all, in the order of their keys, as text
	local key
	(cd "$1" && find . -type f | LC_ALL=C sort) | while read -r key; do
		echo "=== ${key#./}"
		case $key in
		*.gz) gzip -dc "$1/$key" ;;
		*) sed 's/"bytes":[0-9]*,"sha256":"[0-9a-f]*"/"bytes":0,"sha256":""/g' "$1/$key" ;;
		esac
	done
}

n=0 failed=0
for raw in "$SA_SRC"/tests/golden/raw/*.audit; do
	name=$(basename "$raw" .audit)
	expected=$SA_SRC/tests/golden/expected/$name.txt
	replay "$raw" "$T/$name" >"$T/$name.txt"
	objects "$T/$name" >>"$T/$name.txt"
	[ -z "${SA_UPDATE:-}" ] || cp "$T/$name.txt" "$expected"
	n=$((n + 1))
	if cmp -s "$T/$name.txt" "$expected"; then
		echo "ok $n - $name"
	else
		failed=1
		echo "not ok $n - $name"
		diff -u "$expected" "$T/$name.txt" | head -n 60 | cut -c1-600 | sed 's/^/# /'
	fi
done
echo "1..$n"
[ $failed = 0 ]
