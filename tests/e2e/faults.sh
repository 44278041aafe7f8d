#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# What goes wrong in practice, on the real kernel with a real sshd: the collector
# killed during a session, the agent restarted, a store that cannot be written,
# bad grants, no grants, no audit. Logins always work; nothing that was recorded is
# lost or told twice; what was not recorded is said.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

marks() { # in the order of the transcript
	ran "$(talk_dir)" | sed -n 's|^/bin/echo.mark-||p' | tr '\n' ' '
}

# A command that ran while nobody listened is recorded all the same, or a gap covers its time.
told_or_in_gap() { # WORD TIME
	grep -qw "$1" <<<"$(marks)" || entries "$(talk_dir)" | jq -es --arg t "$2" 'any(.[];
		.type == "gap" and .event.start <= $t and $t <= .event.end)'
}

gaps() { # cause, and how long in seconds
	entries "$(talk_dir)" | jq -r 'select(.event.action == "gap") |
		"\(.reason) \((.event.duration // 0) / 1000000000 | floor)"'
}

whole_transcript() {
	check "$1: entries numbered without hole, none twice" seqs_are_whole "$(talk_dir)"
	check "$1: the chain of hashes holds" chain_holds "$(talk_dir)"
	same "$1: no object was made twice" "$(find "$T/store" -name '*.conflict-*' | not_strangers)" ""
	same "$1: one transcript" \
		"$(for d in $(session_dirs); do segment_header "$d" | jq .ses; done |
			grep -cx "$TALK_SES")" 1
}

header_status() { segment_header "$(talk_dir)" | jq -r .access.status; }

# --- the faults ---

collector_killed() {
	local name="collector killed" old at
	grant a sa-e2e-ann REQ-3001
	talk_open sa-e2e-ann
	run_mark before
	sleep 1
	old=$(agent_role collector)
	kill -9 "$old"
	at=$(now)
	check "$name: the session goes on" run_mark while
	check "$name: the supervisor starts another" wait_for 15 new_collector "$old"
	run_mark after
	check "$name: the transcript is completed" talk_close
	same "$name: what ran before and after is there, once" \
		"$(marks | sed 's/while //')" "before after "
	check "$name: a gap entry says how long" grep -Eq '^.+ [0-9]+$' <<<"$(gaps)"
	check "$name: what ran meanwhile is told, or lies in the gap" told_or_in_gap while "$at"
	whole_transcript "$name"
}

collector_killed_busy() {
	local name="collector killed three times while much is run" i pid
	talk_open sa-e2e-ann
	echo 'for i in {1000..1999}; do /bin/echo mark-$i; done; /bin/echo done' >&"${TALK[1]}"
	for i in 1 2 3; do
		sleep 1
		pid=$(agent_role collector) && kill -9 "$pid"
	done
	until [ "$TALK_ANSWER" = done ]; do
		read -rt 30 TALK_ANSWER <&"${TALK[0]}" || break
	done
	check "$name: the supervisor starts another" wait_for 15 new_collector "$pid"
	run_mark after
	check "$name: the transcript is completed" talk_close
	marks | tr ' ' '\n' | grep . >"$T/marks"
	check "$name: each command once, in its order" sort -cu "$T/marks"
	note "$(wc -l <"$T/marks") of 1001 commands recorded, gaps: $(gaps | tr '\n' ',')"
	check "$name: the last one too" grep -qx after "$T/marks"
	check "$name: gaps are told" grep -q . <<<"$(gaps)"
	whole_transcript "$name"
}

# The end of a session is found out also when nobody listened to it.
collector_misses_logout() {
	local name="logout while the collector is dead"
	talk_open sa-e2e-ann
	run_mark only
	sleep 1
	kill -9 "$(agent_role collector)"
	check "$name: the transcript is completed" talk_close
	same "$name: its last entry" "$(entries "$(talk_dir)" | tail -n 1 | jq -r .type)" session_end
	same "$name: what ran is there, once" "$(marks)" "only "
	whole_transcript "$name"
}

supervisor_killed() {
	local name="agent killed" pid
	talk_open sa-e2e-ann
	run_mark before
	sleep 1
	pid=$(agent_role collector)
	kill -9 "$AGENT_PID"
	wait "$AGENT_PID" 2>/dev/null
	check "$name: its roles end with it" wait_for 15 gone "$pid"
	check "$name: it starts again" agent_start
	run_mark after
	check "$name: the transcript is completed" talk_close
	same "$name: what ran before and after is there, once" "$(marks)" "before after "
	check "$name: a gap entry says how long" grep -Eq '^.+ [0-9]+$' <<<"$(gaps)"
	whole_transcript "$name"
}

agent_restarted() {
	local name="agent stopped and started" at
	talk_open sa-e2e-ann
	run_mark before
	agent_stop
	check "$name: our rules are gone, the slot is free" \
		grep -q ' pid=0 .* rules=0' <<<"$("$T/auditstate" get)"
	at=$(now)
	check "$name: the session goes on" run_mark while
	sleep 3
	agent_start
	run_mark after
	check "$name: the transcript is completed" talk_close
	same "$name: what ran before and after is there, once" "$(marks)" "before after "
	check "$name: what ran meanwhile lies in the gap" told_or_in_gap while "$at"
	check "$name: a gap of about three seconds" grep -Eq ' [3-9]$' <<<"$(gaps)"
	whole_transcript "$name"
}

store_waits() { # the spool holds it, the store does not
	[ -z "$(talk_dir)" ] &&
		[ -n "$(find "$T/spool/ready" -name 'manifest.json')" ]
}

spool_empty() { [ -z "$(find "$T/spool/ready" "$T/spool/open" -type f | not_strangers)" ]; }

session_meanwhile() { # NAME REQUEST
	grant a sa-e2e-ann "$2"
	talk_open sa-e2e-ann
	run_mark one
	local pid=$TALK_PID fd=${TALK[1]}
	exec {fd}>&-
	wait "$pid"
	check "$1: everything stays in the spool" wait_for 20 store_waits
}

session_arrives() { # NAME
	check "$1: then all of it arrives" wait_for 20 session_ended "$TALK_SES"
	check "$1: and the spool is empty" wait_for 10 spool_empty
	same "$1: the command is there" "$(marks)" "one "
	whole_transcript "$1"
}

store_unwritable() {
	chmod 000 "$T/store"
	session_meanwhile "store unwritable" REQ-3002
	chmod 750 "$T/store"
	session_arrives "store unwritable"
}

store_full() {
	mkdir "$T/kept"
	mv "$T/store"/* "$T/kept/"
	if ! mount -t tmpfs -o size=256k,mode=750 sessaudit-e2e "$T/store"; then
		note "no tmpfs here: a full store is not tested"
		mv "$T/kept"/* "$T/store/"
		return
	fi
	at_exit "umount '$T/store' 2>/dev/null"
	chown $SHIP_USER: "$T/store"
	head -c 400k /dev/zero >"$T/store/filler" 2>/dev/null
	session_meanwhile "store full" REQ-3003
	rm "$T/store/filler"
	session_arrives "store full"
	agent_stop
	umount "$T/store"
	mv "$T/kept"/* "$T/store/"
	agent_start
}

# Nothing may be deleted and no memory filled: what cannot be written is a gap.
spool_full() {
	local name="spool full" at
	agent_stop
	if ! mount -t tmpfs -o size=512k,mode=750 sessaudit-e2e "$T/spool"; then
		agent_start
		return
	fi
	at_exit "agent_stop; umount '$T/spool' 2>/dev/null"
	agent_start
	talk_open sa-e2e-ann
	run_mark before
	sleep 2
	head -c 1m /dev/zero >"$T/spool/filler" 2>/dev/null
	at=$(now)
	talk 'for i in {1..200}; do /bin/echo mark-while; done | tail -n 1'
	sleep 2
	check "$name: the session goes on" run_mark while
	rm "$T/spool/filler"
	sleep 2
	run_mark after
	check "$name: the transcript is completed" talk_close
	same "$name: what ran before and after is there, once" \
		"$(marks | sed 's/while //g')" "before after "
	check "$name: what ran meanwhile is told, or lies in a gap" told_or_in_gap while "$at"
	note "told: $(marks | tr ' ' '\n' | sort | uniq -c | xargs), gaps: $(gaps | xargs)"
	whole_transcript "$name"
	agent_stop
	umount "$T/spool"
	agent_start
}

no_grants() {
	rm -f "$T/grants"/*
	talk_open sa-e2e-ben
	run_mark free
	check "no grants: the transcript is completed" talk_close
	same "no grants: it says unapproved" "$(header_status)" unapproved
	same "no grants: where an auditor looks" "$(basename "$(dirname "$(talk_dir)")")" \
		request=unapproved
	same "no grants: the command is there" "$(marks)" "free "
}

bad_grants() {
	local g=$T/grants name
	grant good sa-e2e-ben REQ-3005
	mv "$g/good.json" "$T/good.json"
	echo '{ "schema": "sessaudit.grant/1", ' >"$g/broken.json"
	{ cat "$T/good.json"; head -c 70000 /dev/zero | tr '\0' ' '; } >"$g/oversized.json"
	cp "$T/good.json" "$g/world-writable.json"
	chmod 666 "$g/world-writable.json"
	ln -s "$T/good.json" "$g/symlink.json"
	sed 's/INC-77: disk full/\xff\xfe/' "$T/good.json" >"$g/not-utf8.json"
	sed 's/"broker": "e2e",/"broker": "e2e", "broker": "two",/' "$T/good.json" \
		>"$g/duplicate-key.json"
	mkfifo "$g/fifo.json"
	: >"$T/syslog"
	talk_open sa-e2e-ben
	check "bad grants: the login goes on" run_mark bad
	check "bad grants: the transcript is completed" talk_close
	same "bad grants: unapproved" "$(header_status)" unapproved
	for name in broken oversized world-writable symlink not-utf8 duplicate-key fifo; do
		check "bad grants: $name.json is named in the log, with a reason" \
			grep -E "$name\.json.{4,}" "$T/syslog"
	done
	rm -f "$g"/*
}

# The login works and one line says what is not recorded.
login_without_audit() { # NAME
	: >"$T/syslog"
	same "$1: the login works" "$(ssh_as sa-e2e-ben echo in </dev/null 2>&1)" in
	same "$1: one log line says what is not recorded" \
		"$(grep -c 'sessaudit.*not recorded' "$T/syslog")" 1
	grep -q 'sessaudit.*not recorded' "$T/syslog" || sed 's/^/# syslog: /' "$T/syslog"
}

no_audit() {
	agent_stop
	"$T/auditstate" set enabled=0
	login_without_audit "audit disabled"
	sshd_stop
	syslog_private -p -f --mount-proc --kill-child
	sshd_start "session required $MODULE config=$T/sessaudit.conf"
	login_without_audit "a container (own pid namespace)"
}

trap '' PIPE
product_begin sa-e2e-ann sa-e2e-ben
faults=(collector_killed collector_killed_busy collector_misses_logout supervisor_killed
	agent_restarted store_unwritable store_full spool_full no_grants bad_grants no_audit)
[ $# = 0 ] || faults=("$@")
for fault in "${faults[@]}"; do
	$fault
done
tap_done
