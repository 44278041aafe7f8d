#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# What happens to a login without an approved request: recorded, denied, exempt, or let in
# for a reason typed at a prompt. In sshd, sudo, su, login and a service like cron, each by
# its own PAM service.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

ANN=sa-e2e-ann BEN=sa-e2e-ben MAL=sa-e2e-mal KBD=sa-e2e-kbd KBN=sa-e2e-kbn
GROUP=sa-e2e-dbas
HOST=$(hostname)

deny() { configure "[policy]" "on_none = deny" "$@"; }

missing() { # USER: the message that names what is missing
	echo "no approved access request for $1 on ${HOST%%.*}"
}

policy_of() { access_of "$1" '.policy // "-"'; }

is_denied() { # NAME USER WHAT
	same "$3: nothing was run" "$(grep -ac '^[0-9]' "$T/out/$1")" 0
	check "$3: the client reads why" grep -aqF "$(missing "$2")" "$T/out/$1" "$T/out/$1.err"
	same "$3: the transcript says denied" "$(policy_of "$1")" denied
	check "$3: the page says DENIED" page_says "$1" DENIED
}

page_says() { # NAME TEXT
	sa show "${DIR_OF[${SES[$1]}]##*session=}" | grep -F -- "$2"
}

# --- sshd ---

log_in_by_ssh() {
	deny
	check "on_none=deny: sshd turns the user away" turned_away deny $BEN
	REMOTE=-N check "denied: no forwarding either" no_forwarding $BEN
	check "denied: no sftp" bash -c "! sftp -q -b <(echo pwd) -P $SSHD_PORT -i $T/key -F /dev/null \
		-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		$BEN@127.0.0.1"
	make_grant ann $ANN REQ-ANN
	check "denied is only who has no request" enter deny-approved $ANN
	deny "exempt = $BEN/sshd"
	check "exempt: let in" enter exempt $BEN
	deny "exempt = @$GROUP" "deny = $BEN"
	check "exempt by group goes before deny" enter exempt-group $BEN
	deny "record = $BEN"
	check "record goes before on_none" enter record $BEN
	configure "[policy]" "deny = $BEN"
	check "deny for a user" turned_away deny-user $BEN
	check "and not for another" enter deny-user-other $MAL
	configure "[policy]" "deny = @$GROUP/ssh*"
	check "deny for a group and a service" turned_away deny-group $BEN
	check "and not for who is not in it" enter deny-group-other $MAL
	configure "[policy]" "deny = $BEN/sudo"
	check "deny for another service" enter deny-service $BEN
	write_pam_service "$OUR_LINE on_none=deny"
	configure
	check "on_none=deny on the PAM line" turned_away deny-line $BEN
	deny
	write_pam_service "$OUR_LINE on_none=record"
	check "on_none=record on the PAM line" enter record-line $BEN
	write_pam_service "$OUR_LINE"
}

# A forwarding that would reach the sshd itself: its banner must not come back.
no_forwarding() { # USER
	local out
	out=$(timeout 5 ssh "${SSH_BASE[@]}" -i "$T/key" -W "127.0.0.1:$SSHD_PORT" "$1@127.0.0.1" \
		</dev/null 2>&1 9>&-)
	echo "$out"
	[[ $out != *SSH-2.0* ]]
}

log_in_by_status() {
	key_make ed -t ed25519
	ca_make ca ed25519 ''
	cert id ca ed $MAL any "$(ext request-id@sessaudit=REQ-UNKNOWN)"
	make_grant tie1 $MAL REQ-TIE-1
	make_grant tie2 $MAL REQ-TIE-2
	deny
	check "accept: requests that tie are by default" enter accept-tie $MAL
	check "accept: an id alone is not" turned_away only-id $MAL $(with_cert id)
	deny "accept = approved,id_only"
	check "accept = approved,id_only: an id alone is" enter accept-id $MAL $(with_cert id)
	check "accept = approved,id_only: requests that tie are not" turned_away only-tie $MAL
	make_grant other somebody-else REQ-UNKNOWN
	deny
	check "a conflict is not accepted" turned_away deny-conflict $MAL $(with_cert id)
	make_grant expired $BEN REQ-OLD ".expires_at = \"$(utc '-1 min')\""
	check "an expired request is not" turned_away deny-expired $BEN
	rm "$T"/grants/{tie1,tie2,other,expired}.json
	# A configuration that cannot be read must not open the door that it closed.
	deny
	echo "nonsense" >>"$T/sessaudit.conf"
	enter broken-conf $BEN || SES[broken-conf]=$(newest_ses)
	configure
}

check_ssh() {
	local n
	is_denied deny $BEN "on_none=deny"
	same "and how to go on" "$(cat "$T/out/deny" "$T/out/deny.err" | grep -ac 'log in again')" 1
	is deny-approved "approved user REQ-ANN" "with a request"
	for n in exempt exempt-group; do
		same "$n: the transcript says so" "$(policy_of $n)" exempt
		is $n "unapproved none -" "$n: and that nothing approved it"
	done
	check "exempt is logged" logged "exempt"
	for n in record deny-user-other deny-group-other deny-service record-line; do
		same "$n: recorded" "$(access_of $n '"\(.status) \(.policy // "-")"')" "unapproved -"
	done
	for n in deny-user deny-group deny-line; do
		is_denied $n $BEN $n
	done
	is accept-id "id_only cert REQ-UNKNOWN" "accepted: id_only"
	same "accepted: ambiguous" "$(access_of accept-tie .status)" ambiguous
	same "not accepted: id_only" "$(access_of only-id '"\(.status) \(.policy)"')" "id_only denied"
	same "not accepted: ambiguous" "$(access_of only-tie '"\(.status) \(.policy)"')" \
		"ambiguous denied"
	same "not accepted: conflict" "$(access_of deny-conflict '"\(.status) \(.policy)"')" \
		"conflict denied"
	check "the message names the expired request" grep -aq "REQ-OLD.*expired" "$T/out/deny-expired"
	check "a broken configuration is said" logged "nonsense|sessaudit.conf:[0-9]+"
}

# --- sudo and su, inside a session that was let in ---

log_in_by_sudo() {
	add_our_line "$OUR_LINE" sudo sudo-i
	cat >"$PAM_DIR/su" <<-END
		auth sufficient pam_permit.so
		account sufficient pam_permit.so
		$OUR_LINE
		session required pam_permit.so
	END
	cp "$PAM_DIR/su" "$PAM_DIR/su-l"
	configure "[policy]" "deny = */sudo" "deny = */su" "deny = */su-l" "deny = */sudo-i"
	REMOTE="$SAY_SES; sudo -n echo IN sudo; sudo -n -i echo IN sudo-i; su $BEN -c 'echo IN su'
		su - $BEN -c 'echo IN su-l'; echo OUT" enter nested-denied $MAL
	rm "$T/grants/ann.json"
	make_grant ann $ANN REQ-ANN
	REMOTE="$SAY_SES; sudo -n echo IN sudo; su $BEN -c 'echo IN su'" enter nested-approved $ANN
	deny
	write_pam_service "$OUR_LINE on_none=record"
	REMOTE="$SAY_SES; sudo -n echo IN sudo; su $BEN -c 'echo IN su'" enter nested-none $MAL
	write_pam_service "$OUR_LINE"
	configure
}

check_sudo() {
	same "sudo, sudo -i, su, su -: denied, the session goes on" \
		"$(grep -aE '^(IN|OUT)' "$T/out/nested-denied" | xargs)" OUT
	same "each says why" "$(cat "$T"/out/nested-denied{,.err} | grep -acF \
		"no approved access request")" 4
	same "each is an entry of the transcript" "$(picked_from nested-denied 'select(.type == "privilege" and
		.event.outcome == "failure") | "\(.service.name) \(.reason)"' | sort | xargs)" \
		"su denied su-l denied sudo denied sudo-i denied"
	is nested-denied "unapproved none -" "the session itself was let in"
	same "in an approved session they work" "$(grep -a '^IN' "$T/out/nested-approved" | xargs)" \
		"IN sudo IN su"
	same "on_none=deny holds for them too" "$(grep -a '^IN' "$T/out/nested-none")" ""
}

# --- login, and a service like cron ---

log_in_by_login() {
	add_our_line "$OUR_LINE" login
	cat >"$T/login.tty" <<-'END'
		expect e2e>
		type cat /proc/self/sessionid; echo; exit\r
		end
	END
	sed 's/^expect.*/expect no approved/; /^type/d' "$T/login.tty" >"$T/denied.tty"
	deny "record = $MAL/login"
	check "login: let in and recorded" login_as $MAL login-record "$T/login.tty"
	check "login: denied, and the user reads why" login_as $BEN login-denied "$T/denied.tty"
	SES[login-denied]=$(newest_ses)
	cat >"$PAM_DIR/cron" <<-END
		account required pam_permit.so
		session required pam_loginuid.so
		$OUR_LINE
	END
	make_grant cron $BEN REQ-CRON '.match.services = ["cron"]'
	"$T/pamlogin" -u $BEN -t cron cron true >"$T/out/cron" 2>&1 9>&-
	"$T/pamlogin" -u $MAL -t cron cron echo IN >"$T/out/cron-denied" 2>&1 9>&-
	SES[cron]=$(sed -n 's/^ses //p' "$T/out/cron")
	SES[cron-denied]=$(sed -n 's/^ses //p' "$T/out/cron-denied")
	check "cron's grant is not sshd's" turned_away cron-ssh $BEN
	configure
}

login_as() { # USER NAME SCRIPT
	"$T/ttydrive" "$3" "$T/out/$2" login -f "$1" 9>&- || :
	SES[$2]=$(number_shown "$2")
	cat "$T/out/$2"
	[ "$2" = login-denied ] && grep -qF "$(missing "$1")" "$T/out/$2" || [ -n "${SES[$2]}" ]
}

# The session number that a terminal showed, among what a shell sends to it.
number_shown() { # NAME
	tr -d '\r' <"$T/out/$1" | sed -n 's/\x1b\[[?0-9]*[a-z]//g; s/^\([0-9]\{1,\}\)$/\1/p' | head -n 1
}

check_login() {
	is login-record "unapproved none -" "login: recorded"
	same "login: its service" "$(picked_from login-record 'select(.type == "session_start") |
		.service.name')" login
	same "login: denied" "$(policy_of login-denied)" denied
	is cron "approved user REQ-CRON" "cron: a look-up of its own"
	same "cron: denied" "$(policy_of cron-denied)" denied
	same "cron: nothing was run" "$(grep -c ^IN "$T/out/cron-denied")" 0
	same "sshd: cron's grant does not count" "$(policy_of cron-ssh)" denied
}

# The real cron, at its start (@reboot): it would otherwise take up to a minute.
log_in_by_cron() {
	CRON=$(command -v cron || command -v crond) || return 0
	[ ! -e /run/crond.reboot ] && [ -d /var/spool/cron ] || { CRON=; return 0; }
	at_exit 'rm -f /run/crond.reboot'
	[ -e /run/crond.pid ] || at_exit 'rm -f /run/crond.pid'
	mkdir -p "$T/spool-cron/crontabs"
	chmod 1730 "$T/spool-cron/crontabs"
	chown root:crontab "$T/spool-cron/crontabs"
	mount --bind "$T/spool-cron" /var/spool/cron
	for u in $BEN $MAL; do
		echo "@reboot ($SAY_SES) >/tmp/sa-e2e-cron.$u" >"$T/spool-cron/crontabs/$u"
		chown $u:crontab "$T/spool-cron/crontabs/$u"
		chmod 600 "$T/spool-cron/crontabs/$u"
		at_exit "rm -f /tmp/sa-e2e-cron.$u"
	done
	deny
	"$CRON" -f >"$T/out/crond" 2>&1 9>&- &
	wait_for 5 test -s "/tmp/sa-e2e-cron.$BEN"
	sleep 0.5
	stop_pid $!
	SES[real-cron]=$(head -n 1 "/tmp/sa-e2e-cron.$BEN")
	configure
}

check_cron() {
	if [ -z "$CRON" ]; then
		TAP_COUNT=$((TAP_COUNT + 1))
		echo "ok $TAP_COUNT - the real cron # SKIP no cron here"
		return
	fi
	is real-cron "approved user REQ-CRON" "the real cron: by its grant"
	check "the real cron: nothing is run for who has none" test ! -e "/tmp/sa-e2e-cron.$MAL"
}

# --- break-glass ---

log_in_by_prompt() {
	deny "breakglass = $MAL" "breakglass = $KBD" "record = */sshd"
	cat >"$T/glass.tty" <<-'END'
		expect e2e>
		type cat /proc/self/sessionid; echo\r
		expect e2e>
		type sudo echo IN sudo\r
		expect eason
		type INC-9: "site down" ' \xc3\xbc\r
		expect icket
		type T-77\r
		expect e2e>
		type exit\r
		end
	END
	check "sudo: a reason and a ticket are asked for" tty_login glass-sudo $MAL "$T/glass.tty"
	sed 's/^type INC.*/type \\r/; s/^type T-77.*/type \\r/; s/^expect icket/pause 300/' \
		"$T/glass.tty" >"$T/noglass.tty"
	check "sudo: nothing typed" tty_login glass-empty $MAL "$T/noglass.tty"
	sed '/^expect eason/,/^type T-77/d' "$T/glass.tty" >"$T/notasked.tty"
	check "sudo: who may not is not asked" tty_login glass-not $BEN "$T/notasked.tty"
}

tty_login() { # NAME USER SCRIPT
	"$T/ttydrive" "$3" "$T/out/$1" ssh -tt "${SSH_BASE[@]}" -i "$T/key" "$2@127.0.0.1" \
		9>&- 2>&1
	local rc=$?
	SES[$1]=$(number_shown "$1")
	cat "$T/out/$1"
	[ $rc != 99 ] && [ -n "${SES[$1]}" ]
}

# Keyboard-interactive: our line in the auth stack asks, the session phase takes the answer over.
log_in_by_keyboard() {
	deny "breakglass = $KBD"
	sed -i "1i auth optional $MODULE config=$T/sessaudit.conf\nauth required pam_permit.so" \
		"$PAM_DIR/sshd"
	cat >"$T/askpass" <<-'END'
		#!/bin/sh
		case $1 in
		*eason*) echo "${REASON-INC-9: disk full}" ;;
		*icket*) echo "${TICKET-T-78}" ;;
		*) echo unknown prompt: "$1" >>/dev/stderr ;;
		esac
	END
	chmod 755 "$T/askpass"
	check "sshd: let in for a reason" keyboard kbd $KBD "$SAY_SES; env"
	REASON='' TICKET='' turned_away_kbd "sshd: an empty reason is none" kbd-empty $KBD
	turned_away_kbd "sshd: who may not give one is denied" kbd-not $KBN
	REASON=$(printf 'x\033[2J\302\251%0900d' 7) TICKET=' ' check "sshd: a long reason" \
		keyboard kbd-long $KBD "$SAY_SES"
	# The answer travels in the PAM environment: who sets it himself asserts it himself, if he may.
	sed -i "/^session.*pam_loginuid/a session required pam_env.so user_readenv=1" "$PAM_DIR/sshd"
	for u in $KBD $KBN; do
		echo "SESSAUDIT_BREAKGLASS DEFAULT=\"$(printf 'forged' | od -An -tx1 | tr -d ' \n'):\"" \
			>/home/$u/.pam_environment
	done
	turned_away_kbd "sshd: nor by an answer that he planted" kbd-planted $KBN
	write_pam_service "$OUR_LINE"
	configure
}

# Answers the prompts through ssh's askpass program. ssh's own status.
keyboard() { # NAME USER COMMAND
	local rc=0
	SSH_ASKPASS=$T/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=:0 setsid -w ssh \
		-o BatchMode=no "${SSH_BASE[@]}" -i "$T/key" "$2@127.0.0.1" "$3" </dev/null \
		>"$T/out/$1" 2>"$T/out/$1.err" 9>&- || rc=$?
	SES[$1]=$(sed -n '1s/^[0-9]*$/&/p' "$T/out/$1")
	[ -n "${SES[$1]}" ] || SES[$1]=$(newest_ses)
	return $rc
}

turned_away_kbd() { # WHAT NAME USER
	! keyboard "$2" "$3" "echo IN" && ! grep -q '^IN' "$T/out/$2"
	ok $? "$1"
}

check_prompts() {
	check "sudo: it was let in" grep -aq '^IN sudo' "$T/out/glass-sudo"
	is glass-sudo "unapproved none -" "sudo: the login itself stays unapproved"
	same "sudo: reason and ticket are in the transcript" "$(picked_from glass-sudo \
		'select(.event.action == "privilege") | .access |
			"\(.status) \(.source) \(.request.justification) \(.request.ticket) \(.request.id)"')" \
		"breakglass prompt INC-9: \"site down\" ' ü T-77 null"
	check "sudo: nothing typed, denied" bash -c "! grep -aq '^IN sudo' '$T/out/glass-empty'"
	check "sudo: not asked, denied" bash -c "! grep -aqE '^IN sudo|eason' '$T/out/glass-not'"
	is kbd "breakglass prompt -" "sshd: self-asserted"
	says kbd '[.request.justification, .request.ticket] | join("|")' "INC-9: disk full|T-78" \
		"sshd: reason and ticket"
	same "sshd: nobody approved it" "$(access_of kbd '.request.approvals // [] | length')" 0
	check "sshd: the page says so" page_says kbd "INC-9: disk full"
	same "sshd: nothing of it is left in the environment" \
		"$(grep -ac SESSAUDIT "$T/out/kbd")" 0
	same "sshd: an empty reason" "$(access_of kbd-empty '"\(.status) \(.policy)"')" \
		"unapproved denied"
	same "sshd: who may not" "$(access_of kbd-not '"\(.status) \(.policy)"')" "unapproved denied"
	same "sshd: a planted answer" "$(access_of kbd-planted '"\(.status) \(.policy)"')" \
		"unapproved denied"
	is kbd-long "breakglass prompt -" "sshd: a long reason with control bytes"
	sa show "${DIR_OF[${SES[kbd-long]}]##*session=}" >"$T/page" 2>&1
	same "sshd: no control byte of it reaches the terminal" \
		"$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <"$T/page" | od -An -c)" ""
}

SSHD_LINES=("Match User $KBD,$KBN" "KbdInteractiveAuthentication yes"
	"AuthenticationMethods publickey,keyboard-interactive")
access_begin $ANN $BEN $MAL $KBD $KBN
getent group $GROUP >/dev/null && { echo "group $GROUP exists already" >&2; exit 1; }
at_exit "groupdel $GROUP"
groupadd $GROUP && usermod -aG $GROUP $BEN || exit 1
for u in $ANN $BEN $MAL; do sudo_allow $u || skip_all "no sudo"; done
steps_of log_in_by_ssh log_in_by_status log_in_by_sudo log_in_by_login log_in_by_cron \
	log_in_by_prompt log_in_by_keyboard
settle
check_ssh
check_sudo
check_login
check_cron
check_prompts
agent_stop
tap_done
