#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   multiply.sh RECORDING COPIES >LOG
#
# Makes a long audit log of a short recorded one: the same sessions again and again,
# with session and process ids, serials and times of their own, two seconds apart, so
# that sessions of several copies run at the same time.
set -eu
awk -v copies="$2" '
	function shift_field(line, name, by,   at, value) {
		at = match(line, " " name "=[0-9]+")
		if (!at) return line
		value = substr(line, at + length(name) + 2, RLENGTH - length(name) - 2)
		if (value == "4294967295") return line
		return substr(line, 1, at + length(name) + 1) (value + by) substr(line, at + RLENGTH)
	}
	{ lines[NR] = $0 }
	END {
		for (copy = 0; copy < copies; copy++)
			for (n = 1; n <= NR; n++) {
				line = lines[n]
				match(line, /audit\([0-9]+\.[0-9]+:[0-9]+\)/)
				stamp = substr(line, RSTART + 6, RLENGTH - 7)
				rest = substr(line, RSTART + RLENGTH)
				head = substr(line, 1, RSTART + 5)
				split(stamp, part, /[.:]/)
				rest = shift_field(rest, "ses", copy * 1000)
				rest = shift_field(rest, "pid", copy * 100000)
				rest = shift_field(rest, "ppid", copy * 100000)
				printf "%d.%s:%08d\t%s%d.%s:%d)%s\n", part[1] + copy * 2, part[2],
					1000000 + copy * 10000 + part[3], head,
					part[1] + copy * 2, part[2], 1000000 + copy * 10000 + part[3], rest
			}
	}' "$1" | LC_ALL=C sort -s -k1,1 | cut -f2-
