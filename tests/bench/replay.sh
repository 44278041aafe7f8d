#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/replay.sh [RECORDS [SESSIONS...]]
#
# A recorded log from records to sealed, hashed, compressed segments on disk: records per CPU
# second and peak memory of the collector, for logs of 1, 51 and 1,000 sessions at a time, beside
# what others take for the log of 51 in the same run: reading its lines (wc -l) and, where they are
# installed, laurel, libauparse over all fields, and with PEERS=all ausearch. RUNS (3) rounds; the
# best of each counts least what else the machine does. Not part of `make check`.
#
# Making files is a part of it, and on ext4 that costs what the disk's last minutes make it cost: inodes
# that were freed within the last six are kept clear of, and with thousands of them each new file takes up
# to a millisecond. So root gets a new ext4 for the spools, in a file of its own; else wait that long
# after `make check` or another run of this. The spools stay until all is measured.
set -eu
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
COLLECTOR=${COLLECTOR:-$SA_BUILD/agent/collector/sessaudit-collector}
RUNS=${RUNS:-3} PEERS=${PEERS:-some}
RECORDS=${1:-951346}
shift || true
[ $# -gt 0 ] || set -- 1 51 1000
# A mount of our own goes with us.
if [ "$(id -u)" = 0 ] && [ -z "${REPLAY_ALONE:-}" ] && unshare -m true 2>/dev/null; then
	REPLAY_ALONE=1 exec unshare -m --propagation private bash "$0" "$RECORDS" "$@"
fi
T=$(mktemp -d)
trap '! mountpoint -q "$T/disk" || umount "$T/disk"; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

new_disk() {
	[ -n "${REPLAY_ALONE:-}" ] && command -v mkfs.ext4 >/dev/null && truncate -s 4G "$T/image" &&
		mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$T/image" 2>/dev/null &&
		mount -o loop "$T/image" "$T/disk" 2>/dev/null
}
mkdir "$T/disk"
if new_disk; then
	echo "spools: a new ext4"
else
	echo "spools: $T ($(stat -f -c %T "$T"))"
fi

${CC:-cc} -O2 -o "$T/measure" "$SA_SRC/tests/bench/measure.c"
measure() { # NAME LOG COMMAND...
	local name=$1 log=$2
	shift 2
	"$T/measure" "$name" "$(wc -l <"$log")" "$@" <"$log" 2>/dev/null
}

printf '[redact]\nkey_file = %s\n' "$T/key" >"$T/conf"
for n; do
	python3 "$SA_SRC/tests/bench/mklog.py" "$RECORDS" "$n" >"$T/log$n"
	echo "$n sessions: $(wc -l <"$T/log$n") records, $(($(wc -c <"$T/log$n") >> 20)) MiB"
done
for run in $(seq "$RUNS"); do
	for n; do
		mkdir "$T/disk/$n.$run"
		measure "collector, $n" "$T/log$n" "$COLLECTOR" --config "$T/conf" --replay - \
			--spool "$T/disk/$n.$run" --host bench
	done
done

LOG=$T/log51
[ -e "$LOG" ] || LOG=$T/log$1
measure "wc -l" "$LOG" wc -l
if command -v laurel >/dev/null; then
	mkdir "$T/laurel"
	printf 'directory = "%s/laurel"\n[auditlog]\nfile = "out.log"\n' "$T" >"$T/laurel.toml"
	measure "laurel" "$LOG" laurel --config "$T/laurel.toml"
else
	echo "laurel: not installed"
fi
if ${CC:-cc} -O2 -o "$T/auparse" "$SA_SRC/tests/bench/auparse_feed.c" -lauparse 2>/dev/null; then
	measure "libauparse (fields)" "$LOG" "$T/auparse"
else
	echo "libauparse: no headers here"
fi
if [ "$PEERS" = all ] && command -v ausearch >/dev/null; then
	measure "ausearch, raw" "$LOG" ausearch -if "$LOG" --format raw
fi
