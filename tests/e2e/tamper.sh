#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Somebody turns the recording off while a session runs, on the real kernel: auditctl -D,
# auditctl -e 0, one rule removed, a smaller backlog, signals to the agent, its files. The
# transcript says who and when and from when to when nothing was recorded; rules and audit
# come back by themselves, and what is run after that is recorded again.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

ANN=sa-e2e-ann BEN=sa-e2e-ben

# --- what the transcript says ---

picked_of_all() { # JQ-FILTER over all entries, as an array
	entries "$(talk_dir)" | jq -s "$1"
}

is_marked() { # WORD
	ran "$(talk_dir)" | grep -q "mark-$1\$"
}

config_by() { # AUID JQ-CONDITION: the times of such config entries
	picked_of_all "[.[] | select(.type == \"config\" and .user.audit.id == \"$1\" and ($2)) |
		.\"@timestamp\"] | .[]" | tr -d '"'
}

gaps() { # REASON: start, end, seconds
	picked_of_all ".[] | select(.type == \"gap\" and .reason == \"$1\") |
		\"\\(.event.start) \\(.event.end) \\((.event.duration // 0) / 1e9 | floor)\"" |
		tr -d '"'
}

gap_has() { # REASON TIME
	local start end
	while read -r start end _; do
		[[ ! $2 < $start && ! $2 > $end ]] && return
	done < <(gaps "$1")
	gaps "$1"
	return 1
}

# --- the state of the kernel ---

enabled() { "$T/auditstate" get | grep -q '^enabled=1 '; }

rules() { "$T/auditstate" get | sed 's/.* rules=//'; }

has_rules() { [ "$(rules)" = "$RULES" ]; }

# --- the cases ---

rules_deleted() { # NAME COMMAND: that runs its argument as root, and sets WHO
	local name="all rules deleted $1" at
	shift
	talk_open $ANN
	run_mark before
	at=$(now)
	"$@" 'auditctl -D >/dev/null; echo done'
	check "$name: they come back within five seconds" wait_for 5 has_rules
	sleep 1
	check "$name: the session goes on" run_mark after
	check "$name: its transcript is completed" talk_close
	check "$name: it says who" test -n "$(config_by "$WHO" '.reason | startswith("remove_rule")')"
	check "$name: and when" \
		test "$(config_by "$WHO" '.reason | startswith("remove_rule")' | head -n 1)" '>' "$at"
	check "$name: a gap says from when to when" gap_has rules_removed \
		"$(config_by "$WHO" '.reason | startswith("remove_rule")' | head -n 1)"
	check "$name: not for long" test "$(gaps rules_removed | awk '{n += $3} END {print n}')" -le 5
	check "$name: what came before is recorded" is_marked before
	check "$name: and what came after" is_marked after
	same "$name: known loss" "$(jq .no_known_loss "$(talk_dir)/manifest.json")" false
}

audit_disabled() { # NAME COMMAND
	local name="audit disabled $1" at
	shift
	talk_open $ANN
	run_mark before
	"$@" 'auditctl -e 0 >/dev/null; echo done'
	at=$(now)
	check "$name: it is on again within five seconds" wait_for 5 enabled
	same "$name: with all rules" "$(rules)" "$RULES"
	sleep 1
	check "$name: the session goes on" run_mark after
	check "$name: its transcript is completed" talk_close
	check "$name: it says who" test -n "$(config_by "$WHO" '.object == "audit_enabled" and
		.change.new == "0"')"
	check "$name: a gap says from when to when" gap_has audit_disabled \
		"$(config_by "$WHO" '.object == "audit_enabled" and .change.new == "0"' | head -n 1)"
	check "$name: what came before is recorded" is_marked before
	check "$name: and what came after" is_marked after
	same "$name: known loss" "$(jq .no_known_loss "$(talk_dir)/manifest.json")" false
}

by_sudo() { WHO=$(id -u $ANN) && talk "sudo -n sh -c '$1'"; }

by_ben() { WHO=$(id -u $BEN) && ssh_as $BEN "sudo -n sh -c '$1'" </dev/null >/dev/null; }

one_rule_removed() {
	local name="one rule removed" rule
	talk_open $ANN
	WHO=$(id -u $ANN)
	rule=$(auditctl -l | grep -m 1 -- '-S execve')
	talk "sudo -n auditctl ${rule/-a always,exit/-d always,exit}; echo done"
	check "$name: it comes back" wait_for 5 has_rules
	sleep 1
	run_mark after
	check "$name: the transcript is completed" talk_close
	check "$name: it says who" test -n "$(config_by "$WHO" '.reason | startswith("remove_rule")')"
	check "$name: a gap" test -n "$(gaps rules_removed)"
	check "$name: what came after is recorded" is_marked after
}

# By a service, which no login is known of, and under the agent's own name.
forged_rule() {
	local name="a never rule with our key"
	talk_open $ANN
	auditctl -A never,exit -F arch=b64 -S execve -F auid!=unset -k sessaudit
	check "$name: it goes" wait_for 5 has_rules
	sleep 1
	run_mark after
	check "$name: the transcript is completed" talk_close
	check "$name: a gap" test -n "$(gaps rules_removed)"
	check "$name: what came after is recorded" is_marked after
	same "$name: known loss" "$(jq .no_known_loss "$(talk_dir)/manifest.json")" false
}

# A rule of nobody's name: it is the admin's to keep, and what it hides is said.
silenced() {
	local name="a never rule" rule=(never,exit -F arch=b64 -S execve -F auid!=unset) other
	talk_open $ANN
	talk "sudo -n auditctl -A ${rule[*]}; echo done"
	check "$name: a gap begins" wait_for 5 grep -q event=rules_silence "$T/agent.log"
	check "$name: the metrics say so" wait_for 12 grep -q '_rules_hide 1$' \
		"$T/run/collect/sessaudit_collector.prom"
	run_mark silent
	other=$(ssh_as $BEN 'read -r s </proc/self/sessionid; echo $s' </dev/null)
	check "$name: a session that begins meanwhile is completed" wait_for 30 session_ended "$other"
	same "$name: and says it, too" "$(entries "$(session_dir "$other")" |
		jq -r 'select(.type == "gap") | .reason')" rules_silence
	same "$name: known loss of it" "$(jq .no_known_loss "$(session_dir "$other")/manifest.json")" false
	talk "sudo -n auditctl -d ${rule[*]}; echo done"
	sleep 2
	run_mark after
	check "$name: the transcript is completed" talk_close
	check "$name: it says who" \
		test -n "$(config_by "$(id -u $ANN)" '.reason | startswith("add_rule")')"
	check "$name: it hides what it hides" eval '! is_marked silent'
	check "$name: what came after is recorded" is_marked after
	same "$name: one gap when it was found, one when it was gone" "$(gaps rules_silence | wc -l)" 2
	check "$name: from when" gap_has rules_silence \
		"$(config_by "$(id -u $ANN)" '.reason | startswith("add_rule")' | tail -n 1)"
	check "$name: to when" gap_has rules_silence \
		"$(config_by "$(id -u $ANN)" '.reason | startswith("remove_rule")' | tail -n 1)"
	same "$name: known loss" "$(jq .no_known_loss "$(talk_dir)/manifest.json")" false
}

backlog_shrunk() {
	local name="backlog limit made small"
	talk_open $ANN
	talk "sudo -n sh -c 'auditctl -b 64 >/dev/null; echo done'"
	check "$name: it is put back" wait_for 5 sh -c "'$T/auditstate' get | grep -q backlog_limit=8192"
	check "$name: the transcript is completed" talk_close
	check "$name: it says who" test -n "$(config_by "$(id -u $ANN)" \
		'.object == "audit_backlog_limit" and .change.new == "64"')"
}

# An unprivileged user can try; it fails, and changes nothing.
unprivileged() {
	local name="without privilege"
	talk_open $BEN
	talk "auditctl -D >/dev/null 2>&1; auditctl -e 0 >/dev/null 2>&1; echo done"
	talk "kill -9 $(agent_role collector) 2>/dev/null; echo done"
	same "$name: the rules stay" "$(rules)" "$RULES"
	check "$name: audit stays on" enabled
	check "$name: the collector stays" agent_listens
	run_mark after
	check "$name: the transcript is completed" talk_close
	check "$name: the signal is told, and that it failed" picked_one '.type == "self" and
		.event.outcome == "failure" and .reason == "SIGKILL" and .error.code == "EPERM"'
	same "$name: no gap" "$(picked_of_all '[.[] | select(.type == "gap")] | length')" 0
	same "$name: no known loss" "$(jq .no_known_loss "$(talk_dir)/manifest.json")" true
}

picked_one() { # JQ-CONDITION
	entries "$(talk_dir)" | jq -es "any(.[]; $1)" || { entries "$(talk_dir)" | tail -n 20; return 1; }
}

# The kernel gives the record to whoever takes the slot next.
collector_signalled() { # SIGNAL
	local name="collector: kill -$1" old
	talk_open $ANN
	run_mark before
	sleep 1
	old=$(agent_role collector)
	talk "sudo -n sh -c 'kill -$1 $old; echo done'"
	check "$name: another takes over" wait_for 15 new_collector "$old"
	sleep 1
	run_mark after
	check "$name: the transcript is completed" talk_close
	check "$name: a self entry, or a gap that covers it" picked_one \
		"(.type == \"self\" and .reason == \"SIG$2\") or .reason == \"agent_restart\""
	check "$name: what came after is recorded" is_marked after
	note "$(picked_of_all '[.[] | select(.type == "self" or .type == "gap") | [.type, .object, .reason]]' |
		jq -c .)"
}

# Other roles too; the collector is there to tell.
shipper_signalled() {
	local name="shipper: kill -9" old
	talk_open $ANN
	old=$(agent_role shipper)
	talk "sudo -n sh -c 'kill -9 $old; echo done'"
	check "$name: the transcript is completed" talk_close
	check "$name: a self entry" picked_one '.type == "self" and .reason == "SIGKILL" and
		.event.outcome == "success"'
}

files_touched() {
	local name="our files"
	talk_open $ANN
	talk "sudo -n sh -c 'touch $T/spool/open/x; rm -f $T/spool/open/x; echo done'"
	check "$name: the transcript is completed" talk_close
	check "$name: made, told" picked_one '.type == "self" and (.event.action | test("open|create|file"))'
	note "$(picked_of_all '[.[] | select(.type == "self") | [.event.action, .object, .audit.syscall]]' |
		jq -c .)"
}

# What the agent does to itself is no tampering.
agent_reloaded() {
	local name="agent stopped and started"
	talk_open $ANN
	run_mark before
	agent_stop
	same "$name: no rule of ours stays" "$(rules)" 0
	agent_start
	check "$name: the rules are there again" has_rules
	run_mark after
	check "$name: the transcript is completed" talk_close
	same "$name: no config entry" "$(picked_of_all '[.[] | select(.type == "config")]' | jq -c .)" '[]'
	same "$name: no gap of tampering" "$(gaps rules_removed)$(gaps audit_disabled)" ""
}

has_session() { [ -n "$(talk_dir)" ]; }

# Who logged in before the agent ran and does nothing is recorded all the same.
idle_adopted() {
	local name="logged in before, idle"
	agent_stop
	grant a $BEN REQ-4001
	talk_open $BEN
	agent_start
	check "$name: has a transcript" wait_for 10 has_session
	same "$name: that says so" "$(picked_of_all '.[0].reason' | tr -d '"')" adopted
	same "$name: under its request" "$(basename "$(dirname "$(talk_dir)")")" request=REQ-4001
	check "$name: with a gap" test -n "$(gaps agent_not_running)"
	same "$name: which began with the login" "$(gaps agent_not_running | cut -c1-19)" \
		"$(date -u -d "@$(stat -c %Y "$T/run/ses/$TALK_SES.json")" +%Y-%m-%dT%H:%M:%S)"
	run_mark after
	check "$name: it goes on" talk_close
	check "$name: what it does then is recorded" is_marked after
	same "$name: one transcript" \
		"$(for d in $(session_dirs); do segment_header "$d" | jq .ses; done |
			grep -cx "$TALK_SES")" 1
	rm -f "$T/grants"/*
}

trap '' PIPE
command -v auditctl >/dev/null || skip_all "no auditctl"
product_begin $ANN $BEN
sudo_allow $ANN && sudo_allow $BEN || skip_all "no sudo"
RULES=$(rules)
note "$RULES rules"
cases=(unprivileged one_rule_removed forged_rule silenced backlog_shrunk files_touched shipper_signalled agent_reloaded
	idle_adopted)
if [ $# != 0 ]; then
	cases=("$@")
else
	rules_deleted "by sudo in the session" by_sudo
	rules_deleted "by another session" by_ben
	audit_disabled "by sudo in the session" by_sudo
fi
for c in "${cases[@]}"; do
	$c
done
if [ $# = 0 ]; then
	collector_signalled 9 KILL
	collector_signalled TERM TERM
fi
tap_done
