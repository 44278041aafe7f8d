#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Beside auditd, which keeps the kernel's one slot: the agent listens by multicast, and is one of
# auditd's plugins. Real auditd, sshd and kernel; sessions are recorded whole either way. And a
# program that a signal ended, which only the process connector tells.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

USER1=sa-e2e-ann
AUDITD=$(PATH=$PATH:/usr/sbin:/sbin command -v auditd) || skip_all "no auditd"

# auditd with a configuration of its own; plugins are those in $T/auditd/plugins.d.
auditd_prepare() {
	mkdir -p "$T/auditd/plugins.d" "$T/auditd/log"
	chmod 750 "$T/auditd" "$T/auditd/plugins.d"
	cat >"$T/auditd/auditd.conf" <<-END
		local_events = yes
		write_logs = yes
		log_file = $T/auditd/log/audit.log
		log_format = ENRICHED
		flush = NONE
		max_log_file = 100
		max_log_file_action = IGNORE
		name_format = NONE
		space_left = 2
		space_left_action = IGNORE
		admin_space_left = 1
		admin_space_left_action = IGNORE
		disk_full_action = IGNORE
		disk_error_action = IGNORE
		q_depth = 2000
		overflow_action = SYSLOG
		plugin_dir = $T/auditd/plugins.d
	END
	chmod 640 "$T/auditd/auditd.conf"
}

auditd_has_slot() { "$T/auditstate" get | grep -q " pid=$AUDITD_PID "; }

auditd_start() {
	"$AUDITD" -n -s nochange -c "$T/auditd" >>"$T/auditd.log" 2>&1 9>&- &
	AUDITD_PID=$!
	wait_for 10 auditd_has_slot && return
	sed 's/^/# auditd: /' "$T/auditd.log"
	return 1
}

auditd_stop() {
	[ -n "${AUDITD_PID:-}" ] || return 0
	stop_pid "$AUDITD_PID"
	AUDITD_PID=
}

started_as() { grep -q "event=started source=$1 " "$T/agent.log"; }

started_twice() { [ "$(grep -c "event=started source=stdin " "$T/agent.log")" = 2 ]; }
no_agent() { ! pgrep -f -- "--config $T/sessaudit.conf" >/dev/null; }

plugin_write() { # auditd wants absolute paths, root's, that nobody else may write; at most two arguments
	cat >"$T/plugin" <<-END
		#!/bin/sh
		exec "$SA_BUILD/agent/sessauditd" --config "$T/sessaudit.conf" --libexec "$T/libexec" "\$@" \
			2>>"$T/agent.log"
	END
	chmod 750 "$T/plugin"
	sed -e 's/^active = no$/active = yes/' -e "s|^path = .*|path = $T/plugin|" \
		"$TOP/agent/plugins.d/sessaudit.conf" >"$T/auditd/plugins.d/sessaudit.conf"
	chmod 640 "$T/auditd/plugins.d/sessaudit.conf"
}

of_capture() { zcat "$1/000000.jsonl.gz" | head -n 1 | jq -r .capture; }

log_in() { # MARKER: something that fails, something that is killed, and a pipeline
	ssh_as $USER1 "/bin/echo $1 | /usr/bin/wc -c; /bin/ls /nonexistent
		/bin/sleep 77 & p=\$!; /bin/sleep 0.3; kill -KILL \$p; wait; exit 3" </dev/null
}

check_session() { # MARKER CAPTURE
	local d
	d=$(find_session "$1")
	check "$2: one session" test "$(wc -w <<<"$d")" = 1
	same "$2: the header names the source" "$(of_capture "$d")" "$2"
	same "$2: who" "$(entries "$d" | jq -r 'select(.user.name != "root") | .user.name' | sort -u)" $USER1
	same "$2: who approved it" "$(entries "$d" |
		jq -r 'select(.type == "access") | .access.request.id')" REQ-9
	same "$2: every program" "$(ran "$d" | tr '\037' ' ' |
		grep -E '^/(bin|usr/bin)/(echo|wc|ls|sleep)' | sort)" "$(
		cat <<-END
			/bin/echo $1
			/bin/ls /nonexistent
			/bin/sleep 0.3
			/bin/sleep 77
			/usr/bin/wc -c
		END
	)"
	check "$2: numbered without hole" seqs_are_whole "$d"
	check "$2: chain of hashes holds" chain_holds "$d"
	same "$2: nothing was lost" "$(jq -c '[.gaps, .lost]' "$d/manifest.json")" "[0,0]"
	same "$2: how it ended" "$(jq -r .end_cause "$d/manifest.json")" logout
}

killed_by() { # MARKER: the signals that ended programs of the session
	entries "$(find_session "$1")" | jq -r 'select(.type == "exit") | .. | .exit_signal? // empty'
}

status_is() { # FIELD VALUE
	[ "$(jq -r ".$1" "$T/run/collect/status.json")" = "$2" ]
}

e2e_init
audit_begin
agent_prepare || exit 1
user_add $USER1 || exit 1
grant a $USER1 REQ-9
auditd_prepare
at_exit auditd_stop
at_exit agent_stop

# --- beside auditd ---

auditd_start || exit 1
"$SA_BUILD/agent/sessauditd" --config "$T/sessaudit.conf" --libexec "$T/libexec" 2>>"$T/agent.log" 9>&- &
AGENT_PID=$!
check "source = auto takes multicast where auditd has the slot" wait_for 15 started_as multicast
check "ready" wait_for 10 grep -q event=ready "$T/agent.log"
check "auditd keeps the slot" auditd_has_slot
syslog_private
sshd_start "session required $MODULE config=$T/sessaudit.conf" || exit 1
log_in marker-one >"$T/ssh.out" 2>&1
same "the exit code of the session" $? 3
check "the transcript arrives" wait_for 20 all_complete 1
check_session marker-one multicast
same "multicast: a death by a signal is told" "$(killed_by marker-one)" SIGKILL
check "status.json names the source" wait_for 15 status_is source multicast
check "auditd has written the same session" grep -q "a1=\"marker-one\"" "$T/auditd/log/audit.log"
agent_stop
check "auditd keeps the slot when the agent stops" auditd_has_slot
auditd_stop

# --- as its plugin ---

: >"$T/agent.log"
plugin_write
auditd_start || exit 1
check "auditd starts it" wait_for 15 started_as stdin
check "ready" wait_for 10 grep -q event=ready "$T/agent.log"
log_in marker-two >"$T/ssh.out" 2>&1
check "the transcript arrives" wait_for 20 all_complete 2
check_session marker-two stdin
same "stdin: a death by a signal is told" "$(killed_by marker-two)" SIGKILL

# a reload hands over from one collector to the next
kill -HUP "$AUDITD_PID"
check "SIGHUP of auditd reloads it" wait_for 15 grep -q event=reload "$T/agent.log"
check "ready again" wait_for 15 started_twice
log_in marker-three >"$T/ssh.out" 2>&1
check "the transcript arrives" wait_for 20 all_complete 3
check_session marker-three stdin

auditd_stop
check "it ends with auditd" wait_for 15 no_agent
check "without an error" grep -q "role=collector .*event=stopped" "$T/agent.log"
same "no error at all" "$(grep -c 'error:' "$T/agent.log")" 0
[ "$TAP_FAILED" = 0 ] || sed 's/^/# agent: /' "$T/agent.log"

# --- by hand: the end of its input is its end ---

: | "$SA_BUILD/agent/sessauditd" --config "$T/sessaudit.conf" --libexec "$T/libexec" --source stdin \
	2>"$T/agent.log" 9>&-
same "an input that ends is success" $? 0
tap_done
