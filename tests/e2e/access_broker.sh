#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Grants from a broker: pulled over TLS by the agent's own process, believed by the module in
# a real login for their signature alone, gone when the broker takes them back. What someone who
# broke into that process writes is not believed.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

ANN=sa-e2e-ann MAL=sa-e2e-mal GRANT_USER=sa-e2e-grant
TOOLS=$SA_BUILD/tests/integration
HOST=$(uname -n)
HOST=${HOST%%.*}

# A grant as a broker makes one: for this host, with the time it was issued.
broker_grant() { # FILE USER REQUEST ISSUED [FILTER]
	make_grant "$1" "$2" "$3" ".hosts = [\"$HOST\"] | .issued_at = \"$4\" | ${5:-.}"
	mv "$T/grants/$1.json" "$T/offers/$1.json"
}

# Key 1 is the broker's, key 2 somebody's.
serve() { # ETAG NUMBER:FILE...
	local etag=$1
	shift
	(cd "$T/offers" && "$TOOLS/mkanswer" answer "$@") >"$T/broker/answer.new"
	echo "\"$etag\"" >"$T/broker/etag"
	mv "$T/broker/answer.new" "$T/broker/answer"
	echo serve >"$T/broker/mode"
}

broker_start() {
	mkdir -p "$T/broker" "$T/offers"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=broker \
		-addext subjectAltName=DNS:localhost -keyout "$T/tls.key" -out "$T/tls.crt" 2>/dev/null
	"$TOOLS/mkanswer" public 1 >"$T/broker.pem"
	serve none
	"$TOOLS/broker" "$T/broker" "$T/tls.crt" "$T/tls.key" >"$T/broker.log" 2>&1 9>&- &
	BROKER_PID=$!
	at_exit "stop_pid $BROKER_PID"
	wait_for 5 test -s "$T/broker/port"
}

use_broker() {
	! id $GRANT_USER >/dev/null 2>&1 || { echo "user $GRANT_USER exists already" >&2; exit 1; }
	at_exit "user_remove $GRANT_USER"
	useradd -r -M -U -d /nonexistent -s /usr/sbin/nologin $GRANT_USER
	SHELF=$T/run/grants.d
	ACCESS_LINES=("[pam]" "grants_dir = $SHELF" "[agent]" "grant_user = $GRANT_USER" "[broker]"
		"url = https://localhost:$(cat "$T/broker/port")/v1/grants" "keys = $T/broker.pem"
		"ca_file = $T/tls.crt" "interval = 1s" "timeout = 2s")
	agent_stop
	configure
	check "the agent runs with a broker" agent_start
}

on_shelf() { # NAME...: just these
	[ "$(ls "$SHELF" | xargs)" = "$*" ]
}

log_in_by_broker() {
	local ago
	ago=$(utc '-10 min')
	broker_grant a $ANN REQ-A "$ago"
	broker_grant b $ANN REQ-B "$(utc '-9 min')" '.match.services = ["nothing"]'
	serve v1 1:a.json 1:b.json
	check "what the broker has arrives" wait_for 10 on_shelf g-a.signed.json g-b.signed.json
	enter signed $ANN
	enter others $MAL
	# Signed by someone else; signed by the broker, but other bytes; for another host; a version
	# from before.
	broker_grant evil $MAL REQ-EVIL "$ago"
	broker_grant elsewhere $MAL REQ-ELSEWHERE "$ago" '.hosts = ["elsewhere"]'
	broker_grant c $ANN REQ-C "$(utc '-8 min')" '.revoked = true | .match.services = ["nothing"]'
	serve v2 1:a.json 2:evil.json 1:a.json:evil.json 1:elsewhere.json
	check "and what it has no more goes" wait_for 10 on_shelf g-a.signed.json
	enter refused $MAL
}

as_grantd() { setpriv --reuid $GRANT_USER --regid $GRANT_USER --init-groups "$@"; }

# Whoever broke into the process that talks to the network has its user, and may write there.
log_in_by_forgeries() {
	make_grant plain $MAL REQ-PLAIN
	broker_grant evil2 $MAL REQ-EVIL "$(utc '-1 min')"
	(cd "$T/offers" && {
		"$TOOLS/mkanswer" envelope 2:evil2.json >evil2
		"$TOOLS/mkanswer" envelope 1:a.json:evil2.json >swapped
	})
	mv "$T/grants/plain.json" "$T/offers/plain"
	chmod -R a+rX "$T/offers"
	stop_pid "$BROKER_PID"
	for f in plain evil2 swapped; do
		as_grantd cp "$T/offers/$f" "$SHELF/$f.json"
	done
	as_grantd ln -s "$T/offers/plain" "$SHELF/link.json"
	check "the forged files lie there" test -s "$SHELF/plain.json"
	enter forged $MAL
	enter away $ANN # the broker is away; what it gave stays
	as_grantd rm -f "$SHELF"/{plain,evil2,swapped,link}.json
	make_grant root $MAL REQ-ROOT
	mv "$T/grants/root.json" "$SHELF/root.json"
	as_grantd rm -f "$SHELF/root.json" 2>/dev/null
	as_grantd mv -f "$T/offers/plain" "$SHELF/root.json" 2>/dev/null
	check "root's own grant there stays root's" test -s "$SHELF/root.json"
	enter roots $MAL
	rm "$SHELF/root.json"
}

# Taken back while a session runs; then the old version, still valid by its dates, comes again.
log_in_and_lose() {
	local old
	rm -f "$T/broker/port"
	"$TOOLS/broker" "$T/broker" "$T/tls.crt" "$T/tls.key" >>"$T/broker.log" 2>&1 9>&- &
	at_exit "stop_pid $!"
	wait_for 5 test -s "$T/broker/port"
	sed -i "s|localhost:[0-9]*|localhost:$(cat "$T/broker/port")|" "$T/sessaudit.conf"
	kill -HUP "$AGENT_PID"
	REMOTE="$SAY_SES; while [ ! -e $T/lost ]; do sleep 0.2; done" enter_bg lost $ANN
	wait_for 5 test -s "$T/out/lost"
	old=$T/offers/a.json
	jq ".revoked = true | .issued_at = \"$(utc '-1 min')\"" "$old" >"$T/offers/a2.json"
	serve v3 1:a2.json
	check "a revoked grant goes" wait_for 15 on_shelf
	sleep 2.5
	: >"$T/lost"
	enter_wait
	enter revoked $ANN
	serve v4 1:a.json
	sleep 3
	check "its older version does not come back" on_shelf
	enter rolled-back $ANN
	# A certificate that names the request goes on being valid; the broker's word goes before it.
	configure "[policy]" "on_none = deny"
	check "nor is who has a certificate for it let in" turned_away certified $ANN $(with_cert a)
	configure
}

check_broker() {
	is signed "approved user REQ-A" "a grant that the broker signed"
	says signed .grant.sha256 "$(sha256sum <"$T/offers/a.json" | cut -c1-64)" \
		"its hash is that of the exact bytes that were signed"
	is others "unapproved none -" "and nobody else's"
	is refused "unapproved none -" "signed by another key, other bytes, another host"
	is forged "unapproved none -" "forged files of grantd's user: plain, signed wrongly, swapped, linked"
	check "the log says so" logged 'plain\.json'
	is away "approved user REQ-A" "while the broker is away what it gave stays"
	is roots "approved user REQ-ROOT" "a plain grant of root's in the same place counts"
	same "revoked during a session: written down" "$(picked_from lost 'select(.type == "revoked") |
		.object')" REQ-A
	is revoked "unapproved none -" "and not for the next login"
	is rolled-back "unapproved none -" "nor by an older version that was signed"
	same "by certificate: denied" "$(access_of certified .policy)" denied
}

access_begin $ANN $MAL
[ -x "$TOOLS/broker" ] && [ -x "$TOOLS/mkanswer" ] || skip_all "tests/integration/broker is not built"
key_make ed -t ed25519
ca_make ca ed25519 ''
cert a ca ed $ANN any "$(ext request-id@sessaudit=REQ-A)"
steps_of broker_start use_broker log_in_by_broker log_in_by_forgeries log_in_and_lose
settle
check_broker
agent_stop
tap_done
