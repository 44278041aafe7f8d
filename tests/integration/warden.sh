#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit-warden against real audit sessions of this kernel. Needs root. Takes the lock of all
# tests that touch the kernel's audit, since its sessions show up there.

. "$SA_SRC/tests/integration/tap.sh"
LOCK=/run/lock/sessaudit-audit-test.lock
LOGIN_UID=54321
RUN=$T/run

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ "$(id -u)" = 0 ] || skip_all "needs root"
[ "$(cat /proc/self/loginuid 2>/dev/null)" ] || skip_all "no audit in this kernel"
command -v flock >/dev/null || skip_all "needs flock"
exec 9>"$LOCK"
flock -w 300 9 || skip_all "another test holds $LOCK"

at() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
now_ms() { date +%s%3N; }
log_has() { grep -qE -- "$1" "$T/log"; }
logged() { grep -cE -- "$1" "$T/log"; }
ses() { cat "$T/$1.ses"; }
pid() { cat "$T/$1.pid"; }
running() { ! gone "$(pid "$1")"; }

# A login as the kernel sees one, of a user who is neither root nor the warden's.
login() { # NAME SHELL-COMMAND
	# shellcheck disable=SC2016 # expanded there
	sh -c 'echo '$LOGIN_UID' >/proc/self/loginuid || exit 9
		cat /proc/self/sessionid >"$1.ses"
		echo $$ >"$1.pid"
		exec setpriv --reuid 2 --regid 2 --clear-groups sh -c "$2"' - "$T/$1" "$2" 9>&- &
	tap_pids="$tap_pids $!"
	wait_for 5 test -s "$T/$1.pid"
}

tag() { # SES STATUS EXPIRES [GRANT-FILE] [BOOT-ID]
	cat >"$RUN/ses/.new" <<-END
		{"schema":"sessaudit.session/1","ses":$1,"auid":$LOGIN_UID,"pid":1,"boot_id":"${5:-$BOOT}",
		"time":"$(at now)","user":"dba","service":"sshd",${4:+\"grant_file\":\"$4\",}
		"access":{"status":"$2","source":"user","request":{"id":"REQ-$1"},
		"grant":{"id":"g-$1","expires_at":"$3"}}}
	END
	chmod 640 "$RUN/ses/.new"
	mv "$RUN/ses/.new" "$RUN/ses/$1.json"
}

grant() { # FILE SES EXPIRES REVOKED
	cat >"$1.new" <<-END
		{"schema":"sessaudit.grant/1","grant_id":"g-$2","request":{"id":"REQ-$2"},
		"expires_at":"$3","revoked":$4,"match":{"users":["dba"]}}
	END
	mv "$1.new" "$1"
}

setup() {
	BOOT=$(cat /proc/sys/kernel/random/boot_id)
	HOUR=$(at "+1 hour")
	mkdir -p "$RUN/ses" "$T/grants"
	chown "root:$(id -g nobody)" "$RUN/ses"
	chmod 2770 "$RUN/ses"
	chmod 700 "$T/grants" # the warden reads it all the same
	umask 022
	cat >"$T/conf" <<-END
		[policy]
		on_expiry = terminate
		[agent]
		run_dir = $RUN
		user = nobody
	END
}

# In a session of its own, which has expired: it must not end itself, nor what is beside it.
start_warden() {
	# shellcheck disable=SC2016
	sh -c 'echo '$LOGIN_UID' >/proc/self/loginuid || exit 9
		cat /proc/self/sessionid >"$1/warden.ses"
		sleep 600 & echo $! >"$1/beside.pid"
		echo $$ >"$1/warden.pid"
		exec "$2" --config "$1/conf"' - "$T" "$SA_BUILD/agent/warden/sessaudit-warden" \
		>"$T/log" 2>&1 9>&- &
	warden=$!
	tap_pids="$tap_pids $warden"
	wait_for 5 test -s "$T/warden.pid"
	tag "$(ses warden)" approved "$(at "-1 hour")"
}

test_rights() {
	wait_for 5 grep -q '^CapEff:.*0*24$' "/proc/$warden/status"
	same "its user" "$(awk '/^Uid:/ {print $2, $3, $4}' "/proc/$warden/status")" \
		"$(id -u nobody) $(id -u nobody) $(id -u nobody)"
	for set in CapPrm CapEff; do
		same "$set: CAP_DAC_READ_SEARCH and CAP_KILL" \
			"$(awk -v s="$set:" '$1 == s {print $2}' "/proc/$warden/status")" 0000000000000024
	done
	for set in CapInh CapBnd CapAmb; do
		same "$set: none" "$(awk -v s="$set:" '$1 == s {print $2}' "/proc/$warden/status")" \
			0000000000000000
	done
	same "no_new_privs" "$(awk '/^NoNewPrivs/ {print $2}' "/proc/$warden/status")" 1
}

test_expired() {
	login short 'sleep 600 & exec sleep 601'
	login stubborn 'trap "" TERM; while :; do sleep 1; done'
	login long 'exec sleep 600'
	login plain 'exec sleep 600'
	login id_only 'exec sleep 600'
	login other_boot 'exec sleep 600'
	login other_owner 'exec sleep 600'
	login untagged 'exec sleep 600'
	tag "$(ses long)" approved "$HOUR"
	tag "$(ses plain)" unapproved "$(at "-1 hour")"
	tag "$(ses id_only)" id_only "$(at "-1 hour")"
	tag "$(ses other_boot)" approved "$(at "-1 hour")" "" 0a1b2c3d-0000-4000-8000-00000000002a
	tag "$(ses other_owner)" approved "$(at "-1 hour")"
	chown nobody "$RUN/ses/$(ses other_owner).json"
	tag "$(ses short)" approved "$(at "+3 seconds")"
	tag "$(ses stubborn)" approved "$(at "+3 seconds")"
	sleep 1
	check "a session is left alone while it is approved" running short
	check "and ended when the approval has expired" wait_for 6 gone "$(pid short)"
	same "with all its processes" \
		"$(cat /proc/[0-9]*/sessionid 2>/dev/null | tr '\0' '\n' | grep -cx "$(ses short)")" 0
	check "which is logged" wait_for 3 log_has \
		"event=session-terminated ses=$(ses short) request=\"REQ-$(ses short)\" why=expired processes=2\$"
	sleep 2
	check "what ignores SIGTERM has some seconds" running stubborn
	check "and is killed then" wait_for 6 gone "$(pid stubborn)"
	sleep 2
	same "one line for a session" "$(logged "session-terminated ses=$(ses stubborn) ")" 1
	for name in long plain id_only other_boot other_owner untagged; do
		check "left alone: $name" running $name
	done
	same "no line for them" "$(logged event=session-terminated)" 2
	check "a tag file that is not root's is reported" log_has \
		"event=tag-file-skipped file=$RUN/ses/$(ses other_owner).json reason=\"owner .*: must belong to 0"
}

test_grant() {
	login revoked 'exec sleep 600'
	login withdrawn 'exec sleep 600'
	login prolonged 'exec sleep 600'
	for name in revoked withdrawn; do
		grant "$T/grants/$name.json" "$(ses $name)" "$HOUR" false
		tag "$(ses $name)" approved "$HOUR" "$T/grants/$name.json"
	done
	grant "$T/grants/prolonged.json" "$(ses prolonged)" "$HOUR" false
	tag "$(ses prolonged)" approved "$(at "+1 second")" "$T/grants/prolonged.json"
	sleep 2.5
	check "a session whose grant is valid" running revoked
	check "one whose grant was prolonged" running prolonged
	grant "$T/grants/revoked.json" "$(ses revoked)" "$HOUR" true
	rm "$T/grants/withdrawn.json"
	check "ended when the grant is revoked" wait_for 5 gone "$(pid revoked)"
	check "and says why" log_has "ses=$(ses revoked) .* why=revoked"
	check "and when its file is removed" wait_for 5 gone "$(pid withdrawn)"
	check "and says why" log_has "ses=$(ses withdrawn) .* why=revoked"
	check "not the one that was prolonged" running prolonged
	rm "$RUN/ses/$(ses prolonged).json" # as the collector could
	grant "$T/grants/prolonged.json" "$(ses prolonged)" "$(at now)" false
	check "removing the tag file saves nobody" wait_for 5 gone "$(pid prolonged)"
}

test_self() {
	same "the warden runs" "$(awk '/^Name:/ {print $2}' "/proc/$warden/status")" sessaudit-warde
	check "and what is beside it in its session" running beside
	kill "$(pid beside)"
	kill "$warden"
	wait "$warden"
	same "SIGTERM: a good end" $? 0
}

setup
start_warden
test_rights
test_expired
test_grant
test_self
tap_done
