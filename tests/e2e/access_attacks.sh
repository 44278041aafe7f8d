#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Who has no request tries to come by another's: through the environment, through
# certificates of his own or broken ones, through what stands in certificates and grants.
# ann has REQ-ANN, by her key, also for mal's account, which several people share; mal has nothing.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

ANN=sa-e2e-ann MAL=sa-e2e-mal

# A certificate of mal's that names a request; any bytes, the last may be a newline.
names() { # NAME REQUEST
	cert "$1" ca mine $MAL any "-Oextension:request-id@sessaudit=$2"
}
auth_info() { echo "publickey $(cut -d' ' -f1,2 "$T/certs/$1-cert.pub")"; }

# A login that must come out unapproved, whatever it carries.
innocent() { # NAME WHAT
	is "$1" "unapproved none -" "$2"
	same "$2: and nothing of ann's" "$(picked_from "$1" \
		'select(.access.request.id? == "REQ-ANN" or .access.certificate?) | .seq')" ""
}

prepare() {
	key_make ed -t ed25519
	key_make own -t ed25519
	key_make mine -t ed25519 # no account's plain key
	key_make own_ca -t ed25519
	ca_make ca ed25519 ''
	ca_make ca_regex ed25519 'regex="^(?<request>REQ-[A-Z]+)(/|$)"'
	openssl genpkey -algorithm ed25519 -out "$T/keys/lax.pem" 2>/dev/null
	"$T/certforge" "$T/keys/lax.pem" pub >"$T/keys/lax.pub"
	cat "$T/keys/lax.pub" >>"$T/trusted_cas"
	cp "$T/keys/lax.pub" "$T/ca.d/lax.pub"
	cert ann ca ed $ANN any -Oextension:request-id@sessaudit=REQ-ANN
	cat "$T/keys/own.pub" >>/home/$MAL/.ssh/authorized_keys
	make_grant ann $ANN REQ-ANN \
		".match.users += [\"$MAL\"] | .match.key_fp = [\"$(fp "$T/keys/ed.pub")\"]"
	enter ann $ANN $(with_cert ann)
}

# --- the environment ---

# Debian's stack runs pam_env with user_readenv=1, which sets variables for later modules.
log_in_with_pam_environment() {
	echo "SSH_AUTH_INFO_0 DEFAULT=\"$(auth_info ann)\"" >/home/$MAL/.pam_environment
	write_pam_service "$OUR_LINE" "session required pam_env.so user_readenv=1"
	doctor well
	enter replay-after $MAL
	write_pam_service "session required pam_env.so user_readenv=1" "$OUR_LINE"
	doctor misplaced
	agent_stop
	: >"$T/agent.log"
	agent_start
	cp "$T/agent.log" "$T/agent.misplaced"
	enter replay-before $MAL
	write_pam_service "$OUR_LINE"
	agent_stop
	: >"$T/agent.log"
	agent_start
	rm /home/$MAL/.pam_environment
}

doctor() { # NAME of its output
	sa --config "$T/sessaudit.conf" doctor >"$T/doctor.$1" 2>&1 || :
}

check_pam_environment() {
	local place="pam_env|user_readenv"
	innocent replay-after "~/.pam_environment with another's certificate, our line first"
	check "doctor: nothing to say about that stack" \
		bash -c "! grep -E '^(fail|warn).*($place)' '$T/doctor.well'"
	check "doctor: our line after pam_env" \
		grep -E "^(fail|warn).*($place)" "$T/doctor.misplaced"
	check "the agent says so when it starts" grep -E "$place" "$T/agent.misplaced"
	same "the agent does not say so of a good stack" "$(grep -cE "$place" "$T/agent.log")" 0
	# Proves that the attack is one: what the advice is for.
	is replay-before "approved cert REQ-ANN" "and there the replay would have worked"
}

log_in_with_variables() {
	local line
	enter setenv $MAL -i "$T/key" -o "SetEnv=SSH_AUTH_INFO_0=\"$(auth_info ann)\""
	line=$(cat "$T/keys/own.pub")
	echo "environment=\"SSH_AUTH_INFO_0=$(auth_info ann)\" $line" >/home/$MAL/.ssh/authorized_keys
	enter environment $MAL -i "$T/keys/own"
	cat "$T/key.pub" "$T/keys/own.pub" >/home/$MAL/.ssh/authorized_keys
	add_our_line "$OUR_LINE" sudo sudo-i
	REMOTE="$SAY_SES; export SSH_AUTH_INFO_0='$(auth_info ann)'; export SUDO_USER=$ANN \
		SUDO_UID=$(id -u $ANN) LOGNAME=$ANN USER=$ANN PAM_USER=$ANN; sudo -n -E true;
		sudo -n SSH_AUTH_INFO_0=\"\$SSH_AUTH_INFO_0\" SUDO_USER=$ANN true" enter variables $MAL
}

# A session that our line never saw: no tag file. sudo, inside it, has our line.
log_in_unseen() {
	write_pam_service
	REMOTE="$SAY_SES; SSH_AUTH_INFO_0='$(auth_info ann)' SUDO_USER=$ANN sudo -n -E true" \
		enter unseen-sudo $MAL
	REMOTE="$SAY_SES; sudo -n -u $ANN true" enter unseen-other $MAL
	# An sshd that was restarted from ann's session and gives its logins no session of their own.
	write_pam_service "$OUR_LINE"
	REMOTE="$SAY_SES; sudo -n sed -i /loginuid/d $PAM_DIR/sshd
		sudo -n $T/pamlogin -u $MAL -r 127.0.0.1 -t ssh sshd" enter stranger $ANN $(with_cert ann)
	write_pam_service "$OUR_LINE"
	STRANGER=$(grep -acE "pamlogin: .*user=$MAL .*status=approved" "$T/syslog")
}

check_variables() {
	check "sshd took the variable: the attack was one" grep -q '^acceptenv' <(sshd_says)
	innocent setenv "AcceptEnv and SetEnv"
	innocent environment "environment= in authorized_keys"
	is variables "unapproved none -" "SSH_AUTH_INFO_0 and SUDO_USER in sudo's environment"
	same "who became root is the kernel's word, not SUDO_USER" "$(picked_from variables \
		'select(.event.action == "privilege") | .user.name' | sort -u)" $MAL
	same "sudo in a session without a tag: not ann's request" \
		"$(picked_from unseen-sudo 'select(.access.request.id? == "REQ-ANN") | .seq')" ""
	same "who becomes ann by sudo does not come by her request" \
		"$(picked_from unseen-other 'select(.access.request.id? == "REQ-ANN") | .seq')" ""
}

check_stranger() {
	check "a login within a stranger's session goes on" grep -q '^open 0' "$T/out/stranger"
	same "and not by the stranger's request" "$STRANGER" 0
}

sshd_says() { "$SSHD" -T -f "$T/sshd_config" -C "user=$MAL,host=x,addr=127.0.0.1"; }

# --- certificates ---

log_in_with_own_ca() {
	echo "cert-authority $(cat "$T/keys/own_ca.pub")" >>/home/$MAL/.ssh/authorized_keys
	cert own own_ca mine $MAL any -Oextension:request-id@sessaudit=REQ-ANN
	enter own-ca $MAL $(with_cert own)
	# Of a listed CA, but for another principal: sshd's own affair.
	cert stolen ca mine $ANN any -Oextension:request-id@sessaudit=REQ-ANN
	check "a certificate for ann does not let mal in" bash -c \
		"! ssh ${SSH_BASE[*]} $(with_cert stolen) -o CertificateFile=$T/certs/stolen-cert.pub \
			-o PreferredAuthentications=publickey $ANN-x@127.0.0.1 true </dev/null 2>/dev/null"
}

# Key ids and request ids with bytes that break lines, JSON, terminals and paths.
log_in_with_bytes() {
	cert bytes ca mine $MAL $'\e]0;owned\a\e[2J"\\\'\t\x01\x7f\xff\n\r{"seq":1}' \
		-Oextension:request-id@sessaudit=REQ-MAL
	cert long ca mine $MAL "$(printf 'A%.0s' $(seq 6000))" -Oextension:request-id@sessaudit=REQ-MAL
	cert newline ca_regex mine $MAL $'REQ-MAL\nREQ-ANN'
	cert newline2 ca_regex mine $MAL $'x\nREQ-ANN'
	cert newline3 ca_regex mine $MAL $'REQ-ANN\n'
	names id-newline $'REQ-ANN\n'
	names id-space ' REQ-ANN'
	names id-control $'REQ\e[2JANN'
	names id-bytes $'REQ-\xff\xfe'
	names id-long "$(printf 'R%.0s' $(seq 3000))"
	names id-empty ''
	names id-path ../../../../escaped
	names id-dots ..
	names id-word unapproved
	names id-tag 'X" sa_req="REQ-ANN'
	BYTES="bytes long newline newline2 newline3 id-newline id-space id-control id-bytes id-long
		id-empty id-path id-dots id-word id-tag"
	for c in $BYTES; do
		enter_bg $c $MAL $(with_cert $c)
	done
	enter_wait
}

check_bytes() {
	local c f bad=
	innocent own-ca "the user's own cert-authority line"
	for c in $BYTES; do
		same "$c: not ann's request" \
			"$(picked_from $c 'select(.access.request.id? == "REQ-ANN") | .seq')" ""
		jq -e . "$T/entries/$c" >/dev/null 2>&1 || bad+=" $c"
	done
	same "every entry of all of them is JSON" "$bad" ""
	is bytes "id_only cert REQ-MAL" "a key id of control bytes does not hide the request"
	matches bytes .certificate.key_id 'owned' "and is kept, escaped"
	is long "id_only cert REQ-MAL" "nor does one of 6,000 bytes"
	matches long '.certificate.key_id | length' '^[0-9]{3,4}$' "of which a part is kept"
	for c in id-newline id-control id-bytes id-long; do
		same "$c: no request id" "$(access_of $c '.request.id // "-"')" -
	done
	same "a request id of dots stays in the store" "$(ls "$T/store" "$T/store/sessions" |
		grep -c escaped)" "$(ls "$T/store/sessions" | grep -c escaped)"
	is id-word "unapproved none -" "a request that is called unapproved is none"
	for c in bytes id-control id-tag; do
		sa show "$(sid $c)" >"$T/page" 2>&1
		for f in "$T/page" "${DIR_OF[${SES[$c]}]}/transcript.txt"; do
			same "$c: no control byte reaches the terminal: ${f##*/}" \
				"$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <"$f" | od -An -c)" ""
		done
	done
	sa show --json "$(sid bytes)" >"$T/json" 2>&1
	check "show --json of them is JSON" jq -e . "$T/json"
	sa list >"$T/list" 2>&1
	same "list: no control byte" "$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <"$T/list" | od -An -c)" ""
}

sid() { echo "${DIR_OF[${SES[$1]}]##*session=}"; }

# Certificates that no proper CA makes. sshd refuses some itself: those are handed to the module as
# sshd would, through libpam.
FORGED="dup second inner outer bare many host trail cut long"
log_in_with_forged() {
	local w rc
	cert proper ca mine $MAL any -Oextension:request-id@sessaudit=REQ-MAL
	make_grant mal $MAL REQ-MAL '.match.services = ["sshd"] | .match.source = ["203.0.113.9"]'
	forge same
	enter forged-same $MAL $(with_cert forged-same)
	for w in $FORGED; do
		forge $w
		REMOTE=true enter_bg "sshd-$w" $MAL $(with_cert "forged-$w")
		unset "SES[sshd-$w]"
		hand_on "$w" "$(auth_info "forged-$w")"
	done
	hand_on proper "$(auth_info proper)"
	hand_on empty ""
	hand_on words "publickey"
	hand_on nothex "publickey ssh-ed25519-cert-v01@openssh.com !!!!"
	hand_on other "publickey ssh-rsa $(cut -d' ' -f2 "$T/certs/proper-cert.pub")"
	hand_on huge "publickey ssh-ed25519 $(head -c 90000 /dev/zero | base64 -w 0)"
	hand_on lines "$(yes "$(auth_info proper)" | head -n 150)"
	for PID in "${PIDS[@]}"; do
		wait "${PID%%:*}"
	done
	PIDS=()
}

forge() { # WHAT
	cp "$T/keys/mine" "$T/certs/forged-$1"
	cp "$T/keys/mine.pub" "$T/certs/forged-$1.pub"
	"$T/certforge" "$T/keys/lax.pem" "$1" "$T/certs/proper-cert.pub" >"$T/certs/forged-$1-cert.pub"
}

hand_on() { # NAME AUTH-INFO: from an address where mal's grant would fit
	"$T/pamlogin" -u $MAL -r 203.0.113.9 -t ssh -e "SSH_AUTH_INFO_0=$2" sshd \
		>"$T/out/pam-$1" 2>&1 9>&- </dev/null
	echo "exit $?" >>"$T/out/pam-$1"
	SES[pam-$1]=$(sed -n 's/^ses //p' "$T/out/pam-$1")
}

# mal's grant fits there by user and source; what names no request falls back to it, and a
# certificate that is broken must neither be believed nor stop the login.
check_forged() {
	local w
	same "the tool's certificates are good as long as they are not broken" \
		"$(access_of forged-same '"\(.status) \(.request.id)"')" "conflict REQ-MAL"
	is pam-proper "approved cert REQ-MAL" "a good certificate, handed on through libpam"
	for w in $FORGED; do
		same "forged certificate ($w): the login goes on" \
			"$(grep -E '^(open|exit)' "$T/out/pam-$w" | xargs)" "open 0 exit 0"
		same "forged certificate ($w): nothing of it counts" "$(picked_from "pam-$w" \
			'select(.access.request.id? == "REQ-FORGED" or .access.source? == "cert" or
				.access.certificate.serial?) | .seq')" ""
	done
	for w in empty words nothex other huge lines; do
		same "no certificate at all ($w): the login goes on" \
			"$(grep -E '^(open|exit)' "$T/out/pam-$w" | xargs)" "open 0 exit 0"
	done
	same "what cannot be read is said in the log" \
		"$(grep -acE 'certificate|key|auth_info|SSH_AUTH_INFO' "$T/syslog" | grep -vc '^0$')" 1
}

# --- what stands in grants ---

log_in_with_loaded_grants() {
	local big
	big=$(printf 'x%.0s' $(seq 1000))
	make_grant loaded $MAL REQ-LOADED ".request.justification = \"a\\\" sa_req=\\\"REQ-ANN\\\" ' \\u001b[2J\" |
		.request.ticket = \"T-1 op=sessaudit-bind sa_v=1 sa_st=approved\" |
		.match.services = [\"sshd\"] | .match.source = [\"127.0.0.1\"]"
	enter loaded $MAL
	rm "$T/grants/loaded.json"
	make_grant big $MAL REQ-BIG "(\"\\u20ac\" * 333) as \$e | .request.justification = \$e |
		.request.resource = \"$big\" | .request.ticket = \$e | .request.flow.name = \$e |
		.request.requester.email = \$e | .request.approvals =
			[range(16) | {by: (tostring + \$e), type: \"user\", status: \"approved\"}] |
		.match.source = [\"127.0.0.1\"]"
	enter big $MAL
	rm "$T/grants/big.json"
}

check_loaded_grants() {
	is loaded "approved user REQ-LOADED" "a justification that looks like a tag"
	says loaded .request.justification "$(printf 'a" sa_req="REQ-ANN" '\'' \e[2J')" \
		"is text and nothing else"
	is big "approved user REQ-BIG" "a grant that is larger than a tag may be"
	says big '.request.approvals | length' 16 "all approvals, from the tag file"
	says big '.request.justification | length' 333 "the whole justification"
	says big '.request.approvals[15].by | length' 335 "the whole of the last approver"
	same "no conflict in either" "$(cat "$T"/entries/{loaded,big} |
		jq -c 'select(.type == "conflict")')" ""
}

SSHD_LINES=("PermitUserEnvironment yes" "AcceptEnv *")
access_begin $ANN $MAL
for u in $ANN $MAL; do sudo_allow $u || skip_all "no sudo"; done
steps_of prepare log_in_with_pam_environment log_in_with_variables log_in_unseen log_in_with_own_ca \
	log_in_with_bytes log_in_with_forged log_in_with_loaded_grants
settle
is ann "approved cert REQ-ANN" "ann herself is approved"
check_pam_environment
check_variables
check_stranger
check_bytes
check_forged
check_loaded_grants
agent_stop
tap_done
