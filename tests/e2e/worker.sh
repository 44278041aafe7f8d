#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# What a session of ten_sessions.sh does: waits at the barrier, then runs marked
# commands, and writes every program it runs to a file of its own, as the truth
# that the transcript is compared with. All else here is builtin.
#   worker.sh NUMBER DIRECTORY HOW
number=$1 dir=$2
exec {nothing}<> <(:)
long=$(printf 'x%.0s' {1..9000})
ran=$dir/ran/$(</proc/self/sessionid)

log() {
	local IFS=$'\x1f'
	printf '%s\n' "$*" >>"$ran"
}

run() { # a program, no builtin
	log "$@"
	"$@" >/dev/null
}

log bash -c "$0 $*"
log /bin/bash "$0" "$@"
: >"$dir/started/$number"
until [ -e "$dir/go" ]; do
	read -rt 0.1 -u "$nothing"
done
for i in {1..20}; do
	run /bin/true "mark-$number-$i"
	run expr "$i" : "mark $number"
	run /bin/echo "mark-$number-$i" 'a "quoted" \ word' "" "größer, $i €" --key=value
done
run /bin/echo "mark-$number" "$long"
run env -- "mark-$number=1" /bin/true "mark-$number"
log /bin/true "mark-$number" # what env became
