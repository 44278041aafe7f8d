#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Which request a login belongs to: real certificates of each profile and type, plain keys,
# and grants that name users, groups, addresses, keys and certificates. Each login's
# transcript must say it.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

U=sa-e2e # users: ann has certificates, ben nothing, the others what their grants say
ANN=$U-ann BEN=$U-ben KEY=$U-key SRC=$U-src GRP=$U-grp CRT=$U-crt PRE=$U-pre TIE=$U-tie TWO=$U-two
GROUP=sa-e2e-dbas

make_keys() {
	key_make ed -t ed25519
	key_make rsa -t rsa -b 2048
	key_make ecdsa -t ecdsa -b 384
	ca_make ca_ed ed25519 ''
	ca_make ca_rsa rsa profile=sessaudit
	ca_make ca_ecdsa ecdsa profile=sessaudit
	ca_make ca_teleport ed25519 profile=teleport
	ca_make ca_vault ed25519 profile=vault
	ca_make ca_bless rsa profile=bless
	ca_make ca_regex ed25519 'regex="^(?<request>(REQ|ID)-[A-Z0-9-]+)/(?<requester>[a-z@.]+)/"'
	ca_make ca_other ed25519 # sshd trusts it, we do not
}

req() { ext "request-id@sessaudit=$1"; }
teleport() { ext "teleport-active-requests={\"access_requests\":[$1]}"; }
vault_id="vault-oidc-alice@example.com-$(printf '%064d' 7)"
bless_id() { # REQUEST
	echo "request[$1] for[alice] from[127.0.0.1] command[] ssh_key[RSA] ca[x] valid_to[2099/01/01]"
}

# One certificate of each profile, naming the request that its name says: $1-ED and so on.
make_certs() { # PREFIX of files, PREFIX of requests
	cert "$1-ed" ca_ed ed $ANN "any id" "$(req "$2-ED")"
	cert "$1-rsa" ca_rsa rsa $ANN "any id" "$(req "$2-RSA")"
	cert "$1-ecdsa" ca_ecdsa ecdsa $ANN "any id" "$(req "$2-ECDSA")"
	cert "$1-teleport" ca_teleport ed $ANN alice@example.com "$(teleport "\"$2-TELEPORT\"")"
	cert "$1-vault" ca_vault ed $ANN "$vault_id" "$(req "$2-VAULT")"
	cert "$1-bless" ca_bless ed $ANN "$(bless_id "$2-BLESS")"
	cert "$1-regex" ca_regex ed $ANN "$2-REGEX/alice@example.com/laptop"
}
KINDS="ed rsa ecdsa teleport vault bless regex"

enter_certs() { # PREFIX
	local k
	for k in $KINDS; do
		enter_bg "$1-$k" $ANN $(with_cert "$1-$k")
	done
	enter_wait
}

log_in_by_certificate() {
	local k
	make_certs ok REQ
	make_certs id ID
	cert full ca_ed ed $ANN "carol's laptop" -z 42 "$(req REQ-FULL)" \
		"$(ext approver@sessaudit=dave@example.com,erin@example.com)" \
		"$(ext requester@sessaudit=carol@example.com)" "$(ext flow@sessaudit=emergency)" \
		"$(ext 'justification@sessaudit=INC-9: "down"')" "$(ext ticket@sessaudit=INC-9)"
	cert many ca_teleport ed $ANN alice@example.com "$(teleport '"REQ-ED","REQ-RSA"')"
	for k in $KINDS; do
		make_grant "$k" $ANN "REQ-${k^^}"
	done
	enter_certs ok
	enter_certs id
	enter_bg full $ANN $(with_cert full)
	enter_bg many $ANN $(with_cert many)
	enter_wait
}

# A certificate whose request has a grant that does not fit.
log_in_by_misfits() {
	local name
	make_grant revoked $ANN REQ-REVOKED '.revoked = true'
	make_grant expired $ANN REQ-EXPIRED ".expires_at = \"$(utc '-1 min')\""
	make_grant early $ANN REQ-EARLY ".not_before = \"$(utc '+10 min')\""
	make_grant user somebody-else REQ-USER
	make_grant host $ANN REQ-HOST '.hosts = ["another-host"]'
	make_grant service $ANN REQ-SERVICE '.match.services = ["sudo"]'
	make_grant source $ANN REQ-SOURCE '.match.source = ["10.0.0.0/8"]'
	make_grant key $ANN REQ-KEY ".match.key_fp = [\"$(fp "$T/keys/rsa.pub")\"]"
	for name in revoked expired early user host service source key; do
		cert "bad-$name" ca_ed ed $ANN "any id" "$(req "REQ-${name^^}")"
		enter_bg "bad-$name" $ANN $(with_cert "bad-$name")
	done
	enter_wait
}

log_in_by_keys() {
	cert unlisted ca_other ecdsa $BEN "any id" "$(req REQ-ED)"
	cert unlisted-key ca_other ecdsa $KEY "any id" "$(req REQ-ED)"
	make_grant key_fp $KEY REQ-KEYFP ".match.key_fp = [\"$(fp "$T/keys/ecdsa.pub")\"]"
	enter_bg unlisted $BEN $(with_cert unlisted)
	enter_bg unlisted-key $KEY $(with_cert unlisted-key)
	enter_bg plain-other $KEY # a key that the grant does not name
	cat "$T/keys/ecdsa.pub" >>/home/$KEY/.ssh/authorized_keys
	enter_bg plain $KEY -i "$T/keys/ecdsa"
	enter_bg none $BEN
	make_grant source_ok $SRC REQ-SRC '.match.source = ["192.0.2.0/24", "127.0.0.0/8"]'
	make_grant source_not $BEN REQ-SRCNOT '.match.source = ["10.0.0.0/8", "::/0"]'
	enter_bg source $SRC
	make_grant group - REQ-GROUP ".match = {groups: [\"nobody-here\", \"$GROUP\"]}"
	enter_bg group $GRP
	make_grant both - REQ-BOTH ".match = {groups: [\"$GROUP\"], users: [\"$BEN\"]}"
	enter_wait
}

# Grants that name a certificate's id, serial or CA; the certificates name no request.
log_in_by_certificate_fields() {
	local ca
	ca=$(fp "$T/keys/ca_ed.pub")
	cert glob ca_ed ed $CRT deploy/2026/7
	cert glob-not ca_ed ed $CRT xdeploy/7
	cert serial ca_ed ed $CRT any -z 18446744073709551615
	cert serial-ca ca_rsa ed $CRT any -z 18446744073709551615
	make_grant glob $CRT REQ-GLOB '.match.cert_key_id = ["ops/*", "deploy/*"]'
	make_grant serial $CRT REQ-SERIAL \
		".match.cert_serial = [\"18446744073709551615\"] | .match.ca_fp = [\"$ca\"]"
	for c in glob glob-not serial serial-ca; do
		enter_bg $c $CRT $(with_cert $c)
	done
	enter_wait
}

log_in_by_precedence() {
	make_grant p1 $PRE REQ-P-USER
	enter p-user $PRE
	make_grant p2 $PRE REQ-P-SOURCE '.match.source = ["127.0.0.1"]'
	enter p-source $PRE
	make_grant p3 $PRE REQ-P-KEY ".match.key_fp = [\"$(fp "$T/key.pub")\"]"
	enter p-key $PRE
	make_grant p4 $PRE REQ-P-CERT
	cert p-cert ca_ed ed $PRE any "$(req REQ-P-CERT)"
	enter p-cert $PRE $(with_cert p-cert)
	make_grant tie1 $TIE REQ-TIE-B
	make_grant tie2 $TIE REQ-TIE-A
	enter tie $TIE
	make_grant same1 $TIE REQ-SAME ".match.key_fp = [\"$(fp "$T/keys/rsa.pub")\"]"
	make_grant same2 $TIE REQ-SAME ".match.key_fp = [\"$(fp "$T/keys/rsa.pub")\"] |
		.expires_at = \"$(utc '+30 min')\""
	cat "$T/keys/rsa.pub" >>/home/$TIE/.ssh/authorized_keys
	enter same $TIE -i "$T/keys/rsa"
}

# AuthenticationMethods publickey,publickey: two keys in one login, two lines of SSH_AUTH_INFO_0.
log_in_by_two_keys() {
	make_grant two $TWO REQ-TWO
	cert two ca_ed ed $TWO any "$(req REQ-TWO)"
	enter two $TWO -i "$T/key" $(with_cert two)
}

check_certificates() {
	local k id
	for k in $KINDS; do
		is "ok-$k" "approved cert REQ-${k^^}" "certificate, $k: approved by the grant of its request"
		says "ok-$k" .grant.id "g-$k" "certificate, $k: by that grant"
		is "id-$k" "id_only cert ID-${k^^}" "certificate, $k: no grant of its request"
	done
	says ok-ed .key.fingerprint "$(fp "$T/keys/ed.pub")" "the key's fingerprint, ed25519"
	says ok-rsa .key.fingerprint "$(fp "$T/keys/rsa.pub")" "the key's fingerprint, rsa"
	says ok-ecdsa .key.fingerprint "$(fp "$T/keys/ecdsa.pub")" "the key's fingerprint, ecdsa"
	for k in ed rsa ecdsa; do
		says ok-$k .certificate.ca "$(fp "$T/keys/ca_$k.pub")" "the CA's fingerprint, $k"
	done
	says ok-ed '"\(.certificate.key_id)/\(.certificate.serial)/\(.certificate.profile)"' \
		"any id/0/sessaudit" "key id, serial and profile"
	for k in teleport vault bless regex; do
		says ok-$k .certificate.profile $k "profile $k"
	done
	says ok-bless '.request.approvals[].by' bob@example.com "approvals come from the grant"
	for k in teleport regex; do
		says id-$k '.request.requester | .email // .name' alice@example.com \
			"requester of the certificate alone, $k"
	done
	says id-vault '.request.requester | .email // .name' oidc-alice@example.com \
		"requester of the certificate alone, vault"
	says id-bless '.request.requester | .email // .name' alice \
		"requester of the certificate alone, bless"
	is full "id_only cert REQ-FULL" "certificate that says everything"
	says full '[.request.approvals[] | "\(.by) \(.type)"] | join(",")' \
		"dave@example.com certificate,erin@example.com certificate" "its approvers"
	says full '[.request | .requester.email // .requester.name, .flow.name,
		.justification, .ticket] | join("|")' \
		'carol@example.com|emergency|INC-9: "down"|INC-9' "its requester, flow, reason, ticket"
	says full .certificate.serial 42 "its serial"
	is many "ambiguous cert -" "certificate that names two requests with a grant each"
	says many '.candidates | sort | join(" ")' "REQ-ED REQ-RSA" "both are candidates"
}

check_misfits() {
	local name
	for name in revoked expired early user host service source key; do
		same "request $name: conflict" \
			"$(access_of bad-$name '"\(.status) \(.source)"')" "conflict cert"
	done
	matches bad-revoked .reason revoked "the reason: revoked"
	matches bad-expired .reason expired "the reason: expired"
	matches bad-early .reason '[Nn]ot.*(yet|valid)' "the reason: not yet valid"
	matches bad-user .reason user "the reason: another user"
	matches bad-host .reason host "the reason: another host"
	matches bad-service .reason service "the reason: another service"
	matches bad-source .reason '(source|address|network)' "the reason: another address"
	matches bad-key .reason '(key|certificate)' "the reason: another key"
}

check_keys() {
	is unlisted "unapproved none -" "CA that is not listed: nothing it says counts"
	says unlisted .key.fingerprint "$(fp "$T/keys/ecdsa.pub")" "but the key is recorded"
	says unlisted .certificate null "and nothing of the certificate"
	is unlisted-key "approved key REQ-KEYFP" "CA that is not listed: a grant may name the key"
	is plain "approved key REQ-KEYFP" "plain key that a grant names"
	is plain-other "unapproved none -" "plain key that no grant names"
	says plain-other .key.fingerprint "$(fp "$T/key.pub")" "is recorded too"
	is none "unapproved none -" "no grant fits: source 10.0.0.0/8, group and user of different people"
	is source "approved user REQ-SRC" "grant for 127.0.0.0/8"
	is group "approved user REQ-GROUP" "grant for a group"
	is glob "approved key REQ-GLOB" "grant for a key id by pattern"
	same "another key id" "$(access_of glob-not .status)" unapproved
	is serial "approved key REQ-SERIAL" "grant for CA and serial (the highest)"
	same "that serial of another CA" "$(access_of serial-ca .status)" unapproved
}

check_precedence() {
	is p-user "approved user REQ-P-USER" "user alone"
	is p-source "approved user REQ-P-SOURCE" "user and address go before user"
	is p-key "approved key REQ-P-KEY" "a key goes before both"
	is p-cert "approved cert REQ-P-CERT" "a certificate goes before all"
	is tie "ambiguous user -" "two grants that tie"
	says tie '.candidates | sort | join(" ")' "REQ-TIE-A REQ-TIE-B" "both are candidates"
	is same "approved key REQ-SAME" "two grants of one request do not tie"
	is two "approved cert REQ-TWO" "two keys in one login: the certificate counts"
	sa show REQ-TIE-A >"$T/tie-a" 2>&1
	sa show REQ-TIE-B >"$T/tie-b" 2>&1
	check "the session is found under the one request" grep -q "$TIE" "$T/tie-a"
	check "and under the other" grep -q "$TIE" "$T/tie-b"
}

check_reader() {
	local sid=${DIR_OF[${SES[full]}]##*session=}
	sa show --json "$sid" >"$T/json" 2>&1
	check "show --json: every line is JSON" jq -e . "$T/json"
	same "show --json: the context" \
		"$(jq -r 'select(.type == "access") | .access.request.id' "$T/json")" REQ-FULL
	sa show "$sid" >"$T/page" 2>&1
	for want in REQ-FULL dave@example.com erin@example.com carol@example.com emergency INC-9 \
		"$(fp "$T/keys/ed.pub")" "$(fp "$T/keys/ca_ed.pub")"; do
		check "show: $want" grep -qF -- "$want" "$T/page"
	done
	sa list --json >"$T/list" 2>&1
	same "list: how many are approved" \
		"$(jq -s '[.[] | select(.access.status == "approved")] | length' "$T/list")" \
		"$(cat "$T"/entries/* | jq -s '[.[] | select(.type == "access" and
			.access.status == "approved")] | length')"
}

# `grant check` says beforehand what happens.
check_explained() {
	local status
	explain() { sa --config "$T/sessaudit.conf" grant check "$@" >"$T/explain" 2>&1; }
	explain --user $ANN --service sshd --cert "$T/certs/ok-ed-cert.pub" --from 127.0.0.1
	check "grant check: approved, by which grant" grep -q REQ-ED "$T/explain"
	check "grant check: says approved" grep -qiw approved "$T/explain"
	explain --user $ANN --service sshd --cert "$T/certs/bad-expired-cert.pub" --from 127.0.0.1
	check "grant check: says conflict" grep -qiw conflict "$T/explain"
	check "grant check: and why" grep -q expired "$T/explain"
	explain --user $BEN --service sshd --from 127.0.0.1
	check "grant check: says unapproved" grep -qiw unapproved "$T/explain"
	check "grant check: why the grant of the other network does not fit" \
		grep -qE 'g-source_not.*(source|address|network)|REQ-SRCNOT.*(source|address|network)' \
		"$T/explain"
}

SSHD_LINES=("Match User $TWO" "AuthenticationMethods publickey,publickey")
access_begin $ANN $BEN $KEY $SRC $GRP $CRT $PRE $TIE $TWO
getent group $GROUP >/dev/null && { echo "group $GROUP exists already" >&2; exit 1; }
at_exit "groupdel $GROUP"
groupadd $GROUP && usermod -aG $GROUP $GRP || exit 1
make_keys

steps_of log_in_by_certificate log_in_by_misfits log_in_by_keys log_in_by_certificate_fields \
	log_in_by_precedence log_in_by_two_keys
settle
check_certificates
check_misfits
check_keys
check_precedence
check_reader
check_explained
agent_stop
tap_done
