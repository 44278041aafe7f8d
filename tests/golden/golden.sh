#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Audit logs in, the exact objects out: for each raw/NAME.audit everything that a replay puts into the
# store, and the collector's summary, is compared with expected/NAME.txt, and with what facts says of it.
# debian12-* were recorded on a real machine, debian11-* and debian13-* in guests (README.md), the others
# are written by hand, each for the cases its name says. A raw log may be packed (NAME.audit.gz). Sizes and hashes of
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
printf %s 0123456789abcdef0123456789abcdef >"$T/redact.key"
printf '[redact]\nkey_file = %s\n' "$T/redact.key" >"$T/conf"

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

# NAME: lines of facts that its output does not fit.
facts_missed() {
	local names count regex n
	while read -r names count regex; do
		case $names in
		'' | '#') continue ;;
		esac
		# shellcheck disable=SC2053 # a pattern
		[[ $1 == $names ]] || continue
		n=$(grep -cE -- "$regex" "$T/$1.txt")
		[ "$n" = "$count" ] || echo "$n lines, not $count: $regex"
	done <"$SA_SRC/tests/golden/facts"
}

shopt -s extglob
n=0 failed=0
for raw in "$SA_SRC"/tests/golden/raw/*.audit*; do
	name=$(basename "${raw%.gz}" .audit)
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
	missed=$(facts_missed "$name")
	[ -z "$missed" ] || {
		n=$((n + 1)) failed=1
		echo "not ok $n - $name: facts"
		sed 's/^/# /' <<<"$missed"
	}
done
echo "1..$n"
[ $failed = 0 ]
