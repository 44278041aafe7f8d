#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# What happens inside a session that has its request: who becomes someone else, who leaves
# the session, the channels of one connection, and an approval that ends meanwhile.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

ANN=sa-e2e-ann BEN=sa-e2e-ben MAL=sa-e2e-mal

sid() { echo "${DIR_OF[${SES[$1]}]##*session=}"; }

# --- becoming someone else ---

# Each of these is one step or two; what it must show stands beside it.
NESTED="$SAY_SES
sudo -n true
sudo -n -i true
sudo -n -u $BEN true
su $BEN -c true
su - $BEN -c true
sudo -n su $BEN -c true
sudo -n runuser $BEN -c true
sudo -n runuser -l $BEN -c true
sudo -n sh -c 'su $BEN -c \"sudo -n true\"'"
NESTED_STEPS="sudo $ANN root
sudo-i $ANN root
sudo $ANN $BEN
su $ANN $BEN
su-l $ANN $BEN
sudo $ANN root
su root $BEN
sudo $ANN root
runuser root $BEN
sudo $ANN root
runuser-l root $BEN
sudo $ANN root
su root $BEN
sudo $BEN root"

log_in_nested() {
	local s
	make_grant ann $ANN REQ-ANN
	for s in su su-l; do
		printf '%s\n' "auth sufficient pam_permit.so" "account sufficient pam_permit.so" \
			"session required pam_unix.so" >"$PAM_DIR/$s"
	done
	REMOTE=$NESTED enter without $ANN
	add_our_line "$OUR_LINE" sudo sudo-i su su-l runuser runuser-l
	REMOTE=$NESTED enter with $ANN
	REMOTE="$SAY_SES; sudo -n -u nobody-here true; sudo -n false; sudo -n -u $BEN id -un" \
		enter odd $ANN
}

# "service from to" of each privilege entry, in order.
steps() { # NAME
	picked_from "$1" 'select(.event.action == "privilege") | "\(.service.name) \(.user.name) \(.user.target.name)"'
}

check_nested() {
	local n
	for n in without with; do
		is $n "approved user REQ-ANN" "$n our line in sudo and su: the session's request"
		same "$n our line: one access entry" "$(picked_from $n 'select(.type == "access") | .seq' | wc -l)" 1
		same "$n our line: no conflict" "$(picked_from $n 'select(.type == "conflict")')" ""
		check "$n our line: numbered without hole" seqs_are_whole "${DIR_OF[${SES[$n]}]}"
	done
	same "with our line: who became whom, each step once" "$(steps with)" "$NESTED_STEPS"
	# Without it they go by what the kernel says: programs, and uids of who is not the login's user.
	same "without our line: who became whom, each step once" "$(steps without)" \
		"$(sed "s/^sudo-i/sudo/; s/^su-l/su/; s/^runuser-l/runuser/; s/^sudo $BEN/sudo $(id -u $BEN)/" \
			<<<"$NESTED_STEPS")"
	same "all of them succeeded" "$(picked_from with 'select(.event.action == "privilege") |
		.event.outcome' | sort -u)" success
	sa show "$(sid with)" >"$T/page" 2>&1
	check "show: names both" grep -E "$ANN.*$BEN" "$T/page"
	same "a command that fails is no failure of sudo's" "$(steps odd | tail -n 2)" \
		"sudo $ANN root
sudo $ANN $BEN"
}

# --- leaving the session ---

log_in_and_leave() {
	REMOTE="$SAY_SES; sudo -n sh -c 'echo $(id -u $BEN) >/proc/self/loginuid;
		cat /proc/self/sessionid; echo; id -u; echo left' " enter left $ANN
	REMOTE="$SAY_SES; sudo -n sh -c 'echo 4294967295 >/proc/self/loginuid; id -g'; id -G" \
		enter vanished $ANN
	REMOTE="$SAY_SES; echo $(id -u $BEN) >/proc/self/loginuid; cat /proc/self/loginuid" \
		enter refused $ANN
	SES[went-on]=$(sed -n 2p "$T/out/left")
	# Twice: out of the session, and out of the one that this made.
	REMOTE="$SAY_SES; sudo -n sh -c 'echo 0 >/proc/self/loginuid; cat /proc/self/sessionid; echo;
		echo 1 >/proc/self/loginuid; cat /proc/self/sessionid; echo; id -u'" enter hop $ANN
	SES[hop1]=$(sed -n 2p "$T/out/hop")
	SES[hop2]=$(sed -n 3p "$T/out/hop")
}

check_left() {
	local old new
	old=$(sid left) new=$(sid went-on)
	same "leaving is an entry, which names the session that goes on" "$(picked_from left 'select(.type ==
		"privilege" and .reason == "left") | .linked_session')" "$new"
	same "which names the one it came from" "$(picked_from went-on 'select(.type == "session_start") |
		.linked_session')" "$old"
	is went-on "id_only session REQ-ANN" "and has its request, not its approval"
	same "in the same folder" "$(dirname "${DIR_OF[${SES[went-on]}]}")" \
		"$(dirname "${DIR_OF[${SES[left]}]}")"
	same "what was done there is there" "$(ran "${DIR_OF[${SES[went-on]}]}" | grep -c '^id')" 1
	check "a session that gave its number up says so" test -n "$(picked_from vanished \
		'select(.type == "privilege" and .reason == "left") | .seq')"
	same "a user cannot leave" "$(sed -n 2p "$T/out/refused")" "$(id -u $ANN)"
	same "two hops: each names the next" "$(picked_from hop 'select(.reason? == "left") |
		.linked_session') $(picked_from hop1 'select(.reason? == "left") | .linked_session')" \
		"$(sid hop1) $(sid hop2)"
	is hop2 "id_only session REQ-ANN" "two hops: the request is still known"
	sa show REQ-ANN >"$T/page" 2>&1
	check "show REQ-ANN: what was done after leaving" grep -q "$new\|id -u" "$T/page"
}

# --- the channels of one connection ---

log_in_by_channels() {
	local mux=$T/mux
	make_grant chan $BEN REQ-CHAN
	ssh "${SSH_BASE[@]}" -i "$T/key" -M -S "$mux" -N -f "$BEN@127.0.0.1" 9>&- >/dev/null 2>&1
	channel() { ssh -S "$mux" "${SSH_BASE[@]}" "$@" </dev/null 9>&- 2>/dev/null | tr -d '\r'; }
	channel -tt "$BEN@127.0.0.1" 'tty; sleep 1; true one' >"$T/out/chan1" &
	local one=$!
	sleep 0.3
	channel -tt "$BEN@127.0.0.1" 'tty; true two; uname' >"$T/out/chan2"
	channel "$BEN@127.0.0.1" "$SAY_SES; uname -m" >"$T/out/chan"
	wait $one
	SES[chan]=$(head -n 1 "$T/out/chan")
	channel -O exit "$BEN@127.0.0.1"
}

check_channels() {
	is chan "approved user REQ-CHAN" "three channels, one session"
	same "one access entry" "$(picked_from chan 'select(.type == "access") | .seq' | wc -l)" 1
	tty_of() { picked_from chan "select(.type == \"exec\" and $1) | .process.tty.name // \"-\"" | sort -u; }
	same "the first channel's terminal" "$(tty_of '.process.args == ["sleep", "1"]')" \
		"$(head -n 1 "$T/out/chan1" | sed 's|/dev/||; s|/||')"
	same "the second channel's terminal" "$(tty_of '.process.args == ["uname"]')" \
		"$(head -n 1 "$T/out/chan2" | sed 's|/dev/||; s|/||')"
	same "the third had none" "$(tty_of '.process.args == ["uname", "-m"]')" "-"
}

# --- an approval that ends ---

soon() { date -u -d "+$1 sec" +%Y-%m-%dT%H:%M:%SZ; }

ms_of() { date -d "$1" +%s%3N; }

# Sessions that see their approval end, all at once: each by its own user's grant would need more
# users, so the grants tell them by service address.
log_in_and_expire() {
	local mux=$T/mux2
	grants_clear
	EXPIRES=$(soon 4)
	make_grant exp $ANN REQ-EXP ".expires_at = \"$EXPIRES\""
	make_grant rev $BEN REQ-REV
	make_grant rem $MAL REQ-REM
	ssh "${SSH_BASE[@]}" -i "$T/key" -M -S "$mux" -N -f "$ANN@127.0.0.1" 9>&- >/dev/null 2>&1
	channel() { ssh -S "$mux" "${SSH_BASE[@]}" "$ANN@127.0.0.1" "$@" </dev/null 9>&-; }
	channel "$SAY_SES" >"$T/out/exp"
	SES[exp]=$(head -n 1 "$T/out/exp")
	REMOTE="$SAY_SES; sleep 8; sudo -n echo IN" enter_bg rev $BEN
	REMOTE="$SAY_SES; sleep 8" enter_bg rem $MAL
	wait_for 5 test -s "$T/out/rem"
	wait_for 5 test -s "$T/out/rev"
	make_grant rev $BEN REQ-REV '.revoked = true'
	REVOKED=$(now_ms)
	rm "$T/grants/rem.json"
	check "revoked: written down while the session runs" wait_for 6 recorded rev revoked
	check "removed: written down while the session runs" wait_for 6 recorded rem revoked
	check "expired: written down while the session runs" wait_for 8 recorded exp expired
	channel "date +%Y" >/dev/null
	channel "date +%m" >/dev/null
	ssh -S "$mux" "${SSH_BASE[@]}" -O exit "$ANN@127.0.0.1" 2>/dev/null
	enter_wait
}

# Looks for the entry in the spool and the store of a session that has not ended.
recorded() { # NAME TYPE
	local ses
	ses=$(head -n 1 "$T/out/$1")
	{ cat "$T"/spool/open/* 2>/dev/null; find "$T/spool/ready" "$T/store" -name '*.jsonl.gz' \
		-exec zcat {} +; } | grep -a "\"type\":\"$2\"" >"$T/found" && [ -n "$ses" ]
}

check_expired() {
	local at
	is exp "approved user REQ-EXP" "at its start the session was approved"
	same "one entry when it expired" "$(picked_from exp 'select(.type == "expired" and
		.reason == "expires_at") | .object')" REQ-EXP
	at=$(ms_of "$(picked_from exp 'select(.type == "expired" and .reason == "expires_at") |
		."@timestamp"')")
	at=$((at - $(ms_of "$EXPIRES")))
	check "at that time: $at ms after" test "$at" -ge 0 -a "$at" -le 2000
	same "one more for each channel after it" "$(picked_from exp 'select(.type == "expired" and
		.reason == "new_channel") | .seq' | wc -l)" 2
	same "and each before what the channel ran" "$(picked_from exp 'select(.type == "expired" or
		(.process.args[0]? == "date")) | .type' | xargs)" "expired expired exec expired exec"
	same "revoked" "$(picked_from rev 'select(.type == "revoked") | "\(.object) \(.reason)"')" \
		"REQ-REV revoked"
	same "removed" "$(picked_from rem 'select(.type == "revoked") | "\(.object) \(.reason)"')" \
		"REQ-REM grant_removed"
	at=$(($(ms_of "$(picked_from rev 'select(.type == "revoked") | ."@timestamp"')") - REVOKED))
	check "within two seconds: $at ms" test "$at" -ge -1000 -a "$at" -le 2000
	for n in exp rev rem; do
		sa show "$(sid $n)" >"$T/page.$n" 2>&1
	done
	check "show: expired" grep -qi expired "$T/page.exp"
	check "show: revoked" grep -qi withdrawn "$T/page.rev"
	check "revoked: sudo under deny would not have gone on" test -s "$T/out/rev"
}

# A session that outlives its approval is no better than one without, where a policy denies.
log_in_and_be_denied() {
	grants_clear
	EXPIRES2=$(soon 2)
	make_grant short $ANN REQ-SHORT ".expires_at = \"$EXPIRES2\""
	make_grant gone $BEN REQ-GONE
	configure "[policy]" "on_none = deny"
	REMOTE="$SAY_SES; sudo -n echo EARLY; sleep 3; sudo -n echo LATE; TZ=Etc/GMT+12 su $BEN -c 'echo LATE'" \
		enter_bg short $ANN
	REMOTE="$SAY_SES; sudo -n echo EARLY; while [ ! -e $T/gone ]; do sleep 0.1; done; sudo -n echo LATE" \
		enter_bg gone $BEN
	wait_for 5 grep -q EARLY "$T/out/gone"
	make_grant gone $BEN REQ-GONE '.revoked = true'
	: >"$T/gone"
	enter_wait
	configure
}

check_be_denied() {
	for n in short gone; do
		same "$n: sudo works while it is approved, and not after" \
			"$(grep -aE 'EARLY|LATE' "$T/out/$n" | xargs)" EARLY
		same "$n: the denial is in the transcript" "$(picked_from $n 'select(.event.action == "privilege") |
			.event.outcome' | xargs | sed 's/failure failure/failure/')" "success failure"
	done
	check "expired: the message says so" grep -aq expired "$T/out/short.err"
	check "revoked: the message says so" grep -aq revoked "$T/out/gone.err"
}

# --- on_expiry = terminate ---

# A process that never is the same for long, ignores SIGTERM, and has left its terminal.
write_hopper() {
	cat >"$T/hopper" <<-END
		#!/bin/sh
		trap '' TERM HUP INT
		sleep 0.05
		[ -e $T/hop.stop ] || "\$0" &
	END
	chmod 755 "$T/hopper"
	at_exit ": >$T/hop.stop; sleep 0.3"
}

log_in_and_be_ended() {
	local start
	grants_clear
	agent_stop
	configure "[policy]" "on_expiry = terminate"
	agent_start || exit 1
	write_hopper
	make_grant end $ANN REQ-END ".expires_at = \"$(soon 4)\""
	make_grant stay $BEN REQ-STAY
	start=$SECONDS
	REMOTE="$SAY_SES; trap '' TERM; setsid sleep 301 & setsid $T/hopper >/dev/null 2>&1 </dev/null &
		sudo -n sleep 302 & (trap '' TERM; sleep 303) & sleep 304" enter_bg end $ANN
	REMOTE="$SAY_SES; sleep 305 & sleep 12; echo SURVIVED" enter_bg stay $BEN
	REMOTE="$SAY_SES; setsid sleep 306 >/dev/null 2>&1 </dev/null & " enter behind $ANN
	check "the session ends when its approval does" wait_for 16 session_gone end
	TERMINATED=$((SECONDS - start))
	for n in 301 302 303 304; do
		check "sleep $n was ended" bash -c "! pgrep -f 'sleep $n\$'"
	done
	check "a process that forks all the time, too" wait_for 5 bash -c "! pgrep -f $T/[h]opper"
	check "what an earlier session of it left behind, too" wait_for 5 bash -c "! pgrep -f 'sleep 306\$'"
	check "another session's processes live" pgrep -f 'sleep 305$'
	make_grant stay $BEN REQ-STAY '.revoked = true'
	check "a revoked one is ended too" wait_for 14 session_gone stay
	: >"$T/hop.stop"
	enter_wait
	agent_stop
	configure
	agent_start
}

session_gone() { # NAME: no process has that session's number
	local ses p
	ses=$(head -n 1 "$T/out/$1")
	[ -n "$ses" ] || return 1
	for p in /proc/[0-9]*/sessionid; do
		[ "$(cat "$p" 2>/dev/null)" != "$ses" ] || return 1
	done
}

check_be_ended() {
	check "in good time: $TERMINATED s after the login" test "$TERMINATED" -le 14
	same "the one that was ended says why" "$(picked_from end 'select(.type == "expired") | .reason' |
		head -n 1)" expires_at
	check "and is complete" test -e "${DIR_OF[${SES[end]}]}/manifest.json"
}

access_begin $ANN $BEN $MAL
for u in $ANN $BEN $MAL; do sudo_allow $u || skip_all "no sudo"; done
steps_of log_in_nested log_in_and_leave log_in_by_channels log_in_and_expire \
	log_in_and_be_denied log_in_and_be_ended
settle
check_nested
check_left
check_channels
check_expired
check_be_denied
check_be_ended
agent_stop
tap_done
