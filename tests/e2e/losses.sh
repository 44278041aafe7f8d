#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Records are really lost, on the real kernel: the collector is held while a session runs
# much, once with a socket buffer that is too small (multicast), once with a kernel queue that
# is. The transcript says so, and what it says is missing is what is missing.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

ANN=sa-e2e-ann
MANY=1500

# Only programs, so that each is one event.
SETTINGS=("[capture]" "exits = no" "network = no" "files = no" "privilege = no" "self = no"
	"receive_buffer = 64KiB" "backlog_limit = 64")

session() { # that waits until the collector is held
	ssh_as $ANN bash <<-END
		read -r s </proc/self/sessionid; echo \$s >ses
		until [ -e go ]; do sleep 0.1; done
		for i in {1..$MANY}; do /bin/echo \$i; done
		echo >done
		sleep 6
		/bin/echo end
	END
}

held_session() { # SETTING: sets D, its transcript's directory
	local home=/home/$ANN collector session
	agent_stop
	agent_config "${SETTINGS[@]}" "$1"
	agent_start >/dev/null # waits for the slot in vain where it is to be multicast
	rm -f $home/{go,done,ses}
	session >/dev/null &
	session=$!
	wait_for 10 test -s $home/ses
	collector=$(agent_role collector)
	sleep 1
	kill -STOP "$collector"
	touch $home/go
	wait_for 15 test -e $home/done
	kill -CONT "$collector"
	wait $session
	wait_for 30 session_ended "$(cat $home/ses)"
	D=$(session_dir "$(cat $home/ses)")
}

gap_count() { # REASON: the sum of its counts, "none" without such a gap
	entries "$D" | jq -s "[.[] | select(.type == \"gap\" and .reason == \"$1\")] |
		if length == 0 then \"none\" else (map(.count // 0) | add) end" | tr -d '"'
}

gaps() { entries "$D" | jq -c 'select(.type == "gap") | [.reason, .count]' | xargs; }

numbered() { ran "$D" | grep -c '^/bin/echo.[0-9]*$'; }

socket_too_small() {
	local name="socket buffer too small" told missing
	held_session "source = multicast"
	told=$(numbered)
	missing=$(gap_count events_missing)
	note "$told of $MANY told, gaps: $(gaps)"
	check "$name: some are lost" test "$told" -lt $MANY
	check "$name: the overflow is told" test "$(gap_count socket_overrun)" != none
	# and the sleep after them
	same "$name: what is missing is counted" "$missing" $((MANY - told + 1))
	check "$name: what comes after is recorded" grep -q end <<<"$(ran "$D")"
	same "$name: known loss" "$(jq .no_known_loss "$D/manifest.json")" false
}

queue_too_small() {
	local name="kernel queue too small" told
	"$T/auditstate" set backlog_limit=64 backlog_wait_time=0
	held_session "source = unicast"
	told=$(numbered)
	note "$told of $MANY told, gaps: $(gaps)"
	check "$name: some are lost" test "$told" -lt $MANY
	check "$name: the kernel's counter is told" test "$(gap_count kernel_lost)" != none
	check "$name: it counts records: at least as many as programs" \
		test "$(gap_count kernel_lost)" -ge $((MANY - told))
	same "$name: known loss" "$(jq .no_known_loss "$D/manifest.json")" false
}

nothing_lost() {
	local name="all of it read"
	"$T/auditstate" set backlog_limit=8192 backlog_wait_time=100
	SETTINGS=("[capture]" "exits = no" "network = no" "files = no" "privilege = no" "self = no")
	held_session "source = unicast"
	same "$name: each program is told" "$(numbered)" $MANY
	same "$name: no gap" "$(gaps)" ""
	same "$name: no known loss" "$(jq .no_known_loss "$D/manifest.json")" true
}

product_begin $ANN
cases=(socket_too_small queue_too_small nothing_lost)
[ $# = 0 ] || cases=("$@")
for c in "${cases[@]}"; do
	$c
done
tap_done
