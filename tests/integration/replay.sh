#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessauditd --replay over a recorded log in all the forms that logs come in, and over
# what is left of a log after accidents: the sessions come out the same.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
RAW=$SA_SRC/tests/golden/raw/debian12-demo.audit
T=$(mktemp -d)
trap 'chmod -R u+w "$T"; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
mkdir "$T/libexec" "$T/tmp"
export TMPDIR=$T/tmp
ln -s "$SA_BUILD/agent/collector/sessaudit-collector" "$SA_BUILD/agent/shipper/sessaudit-shipper" \
	"$T/libexec"
: >"$T/conf"
COUNT=0 FAILED=0

check() { # NAME COMMAND...
	local name=$1 rc=0
	shift
	COUNT=$((COUNT + 1))
	"$@" >"$T/out" 2>&1 || rc=$?
	[ $rc = 0 ] && { echo "ok $COUNT - $name"; return; }
	FAILED=1
	echo "not ok $COUNT - $name"
	head -n 40 "$T/out" | sed 's/^/# /'
}

fails() { ! "$@"; }

replay() { # LOG STORE
	"$SA_BUILD/agent/sessauditd" --config "$T/conf" --libexec "$T/libexec" --replay "$1" \
		--store "$2" --host h --machine-id 1 --boot-id 2
}

sa() { "$SA_BUILD/cli/sessaudit" "$@"; }

said() { # WORD ARG...: the command line says WORD
	local word=$1
	shift
	sa --store "$T/plain" "$@" | grep -F -- "$word"
}

entries() { # STORE: of all sessions
	local f
	find "$1/sessions" -name '*.jsonl.gz' | LC_ALL=C sort | while read -r f; do
		echo "${f#"$1"}"
		gzip -dc "$f" | sed '1d;$d'
	done
}

comes_out_the_same() { # NAME LOG
	check "$1: replay" replay "$2" "$T/$1"
	entries "$T/$1" >"$T/$1.entries"
	check "$1: the same entries" diff "$T/plain.entries" "$T/$1.entries"
}

# --- as it was recorded ---
check "plain: replay" replay "$RAW" "$T/plain"
entries "$T/plain" >"$T/plain.entries"
check "plain: three sessions under REQ-1042" \
	test "$(ls -d "$T"/plain/sessions/request=REQ-1042/session=* | wc -l)" = 3
check "list" sa --store "$T/plain" list
check "list names the request" said REQ-1042 list
check "show" sa --store "$T/plain" show REQ-1042
check "show names the approver" said bob@example.com show REQ-1042
check "show --json" sa --store "$T/plain" show --json REQ-1042
find "$T/plain" -type f -exec sha256sum {} + | LC_ALL=C sort >"$T/before"
check "again into the same store: replay" replay "$RAW" "$T/plain"
find "$T/plain" -type f -exec sha256sum {} + | LC_ALL=C sort >"$T/after"
check "again into the same store: nothing changes" diff "$T/before" "$T/after"

# --- other forms of the same log ---
sed 's/^/node=prod-db-1 /' "$RAW" >"$T/log"
comes_out_the_same "node names" "$T/log"
sed 's/^type=LOGIN.*/----\n&/' "$RAW" >"$T/log"
comes_out_the_same "ausearch separators" "$T/log"
sed '/^type=SYSCALL/s/$/\x1dARCH=x86_64 SYSCALL=execve AUID="someone" UID="someone"/' "$RAW" >"$T/log"
check "enriched: replay" replay "$T/log" "$T/enriched"
check "enriched: as many entries" test "$(entries "$T/enriched" | wc -l)" = "$(wc -l <"$T/plain.entries")"
awk '{ print }
	/^type=PROCTITLE/ { match($0, /audit\([^)]*\)/)
		print "type=EOE msg=" substr($0, RSTART, RLENGTH) ": " }' "$RAW" >"$T/log"
comes_out_the_same "with EOE records" "$T/log"
sed 's/$/\r/' "$RAW" >"$T/log"
check "carriage returns: no crash" replay "$T/log" "$T/cr"

gzip -c "$RAW" >"$T/log.gz"
comes_out_the_same "packed" "$T/log.gz"
{
	head -n 100 "$RAW" | gzip
	tail -n +101 "$RAW" | gzip
} >"$T/log.gz"
comes_out_the_same "packed in two" "$T/log.gz"

# --- accidents ---
{
	cat "$RAW"
	head -c 100000 /dev/urandom
	echo
} >"$T/log"
comes_out_the_same "garbage at the end" "$T/log"
awk 'NR % 7 == 0 { print "type=SYSCALL msg=audit(17952419" } { print }
	NR % 11 == 0 { print "\001\377\376 nonsense =\"" } NR % 13 == 0 { print "" }' "$RAW" >"$T/log"
comes_out_the_same "garbage between" "$T/log"
{
	head -n 40 "$RAW"
	head -c 1000000 /dev/zero | tr '\0' x
	echo
	tail -n +41 "$RAW"
} >"$T/log"
comes_out_the_same "a line of a million bytes" "$T/log"
head -c $(($(wc -c <"$RAW") / 2)) "$RAW" >"$T/log"
check "cut in the middle: replay" replay "$T/log" "$T/cut"
check "cut in the middle: what is there is shown" sa --store "$T/cut" show REQ-1042
gzip -c "$RAW" >"$T/whole.gz"
head -c $(($(wc -c <"$T/whole.gz") / 2)) "$T/whole.gz" >"$T/log.gz"
replay "$T/log.gz" "$T/cutgz" >"$T/said" 2>&1
check "packed and cut: replay fails" test $? = 1
check "packed and cut: the file and the line are named" \
	grep -Eq 'log\.gz: after line [0-9]+: the packed data are cut off' "$T/said"
check "packed and cut: what is there is shown" sa --store "$T/cutgz" show REQ-1042
: >"$T/log"
check "an empty log is an error" fails replay "$T/log" "$T/empty"

# --- what cannot be done is said, with a status ---
check "a log that is not there" fails replay "$T/none" "$T/none-store"
if [ "$(id -u)" != 0 ]; then
	mkdir -m 500 "$T/closed"
	check "a store that cannot be written" fails timeout 60 "$SA_BUILD/agent/sessauditd" \
		--config "$T/conf" --libexec "$T/libexec" --replay "$RAW" --store "$T/closed/store"
fi
check "no scratch directory stays" test -z "$(ls -A "$T/tmp")"
echo "1..$COUNT"
[ $FAILED = 0 ]
