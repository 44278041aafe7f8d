#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit-grantd against a broker that does what brokers do and what they must not. No root
# needed; as root it runs as the unprivileged user it has in production.

. "$SA_SRC/tests/integration/tap.sh"
GRANTD=$SA_BUILD/agent/grantd/sessaudit-grantd
TOOLS=$SA_BUILD/tests/integration
HOST=$(uname -n)
HOST=${HOST%%.*}
RUN=$T/run
SHELF=$RUN/grants.d
if [ "$(id -u)" = 0 ]; then USER_NAME=nobody; else USER_NAME=$(id -un); fi
OWNER=$(id -u)
unset https_proxy HTTPS_PROXY all_proxy ALL_PROXY CREDENTIALS_DIRECTORY

at() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
HOUR=$(at "+1 hour")
AGO=$(at "-10 minutes")

# --- grants and answers ---

grant() { # FILE ID ISSUED EXPIRES [MORE] [HOSTS]
	cat >"$T/$1" <<-END
		{"schema":"sessaudit.grant/1","grant_id":"$2","request":{"id":"REQ-$2"},
		"hosts":[${6:-\"$HOST\"}],"issued_at":"$3","expires_at":"$4",${5:-}
		"match":{"users":["dba"]}}
	END
}
serve() { # ETAG ITEM...: the broker's answer from now on
	echo "\"$1\"" >"$B/etag.new"
	shift
	(cd "$T" && "$TOOLS/mkanswer" answer "$@") >"$B/answer.new"
	mv "$B/answer.new" "$B/answer"
	mv "$B/etag.new" "$B/etag"
	mode serve
}
mode() { # what the broker does
	echo "$*" >"$B/mode.new"
	mv "$B/mode.new" "$B/mode"
}

# --- the two processes ---

certificate() { # NAME SUBJECT-ALT-NAME
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=$2" \
		-keyout "$T/$1.key" -out "$T/$1.crt" 2>/dev/null
}

start_broker() { # [CERT KEY]
	B=$T/broker
	mkdir -p "$B"
	rm -f "$B/port"
	"$TOOLS/broker" "$B" "$@" >>"$T/broker.log" 2>&1 &
	broker=$!
	tap_pids="$tap_pids $broker"
	wait_for 5 test -s "$B/port"
	PORT=$(cat "$B/port")
}
stop_broker() {
	kill "$broker"
	wait "$broker" 2>/dev/null
}

configure() { # EXTRA-BROKER-LINE...
	cat >"$T/conf" <<-END
		[agent]
		run_dir = $RUN
		grant_user = $USER_NAME
		[broker]
		url = https://localhost:$PORT/v1/grants
		keys = $T/broker.pem
		ca_file = $T/good.crt
		interval = 1s
		timeout = 2s
	END
	printf '%s\n' "$@" >>"$T/conf"
}

# As the supervisor makes them.
make_dirs() {
	mkdir -p "$SHELF" "$RUN/grantd"
	if [ "$OWNER" = 0 ]; then
		chgrp "$(id -g "$USER_NAME")" "$SHELF"
		chmod 1775 "$SHELF"
		chown "$USER_NAME" "$RUN/grantd"
	fi
}

start() {
	: >"$T/log"
	"$GRANTD" --config "$T/conf" >>"$T/log" 2>&1 &
	pid=$!
	tap_pids="$tap_pids $pid"
}
stop() {
	kill "$pid"
	wait "$pid"
	status=$?
}
restart() {
	stop
	start
}

names() { (cd "$SHELF" && ls); }
names_are() { [ "$(names | tr '\n' ' ')" = "$1" ]; }
log_has() { grep -qE -- "$1" "$T/log"; }
requests() { wc -l <"$B/requests"; }
asked_again() { [ "$(requests)" -gt "$1" ]; }
next_request() {
	n=$(requests)
	wait_for 15 asked_again "$n"
}
number() { jq -r ".$1" "$RUN/grantd/status.json" 2>/dev/null; }
number_is() { [ "$(number "$1")" = "$2" ]; }
loads() { "$TOOLS/mkanswer" load "$SHELF" "$OWNER" "$T/broker.pem"; }

# What fails is said, changes nothing, and passes.
fails() { # NAME REGEX
	check "$1: it is said" wait_for 20 log_has "event=fetch-failed .*$2"
	check "$1: what lies there stays" names_are "a.signed.json "
	check "$1: the status says so" wait_for 3 number_is away 1
	mode serve
	check "$1: it passes" wait_for 20 number_is away 0
	: >"$T/log"
	restart # the log is limited to a few lines a minute
	wait_for 5 number_is away 0
}

test_good() {
	grant a.json a "$AGO" "$HOUR"
	grant b.json b "$AGO" "$HOUR"
	serve v1 1:a.json 1:b.json
	start
	check "what the broker has lies there" wait_for 10 names_are "a.signed.json b.signed.json "
	same "as it would have been imported" "$(cat "$SHELF/a.signed.json")" \
		"$(cd "$T" && "$TOOLS/mkanswer" envelope 1:a.json)"
	same "the module believes it" "$(loads)" "grant a REQ-a
grant b REQ-b"
	same "for all to read, nobody else to write" "$(stat -c '%a %U' "$SHELF/a.signed.json")" \
		"644 $USER_NAME"
	check "with a line for each" log_has 'event=grant-stored grant="a" request="REQ-a" expires='
	same "the first question" "$(head -n 1 "$B/requests")" "/v1/grants auth= inm= -> 200"
	check "then only for news" wait_for 5 grep -qxF '/v1/grants auth= inm="v1" -> 304' "$B/requests"
	check "the status" wait_for 3 number_is on_shelf 2
	same "says what was received" "$(number received) $(number verdicts.kept)" "2 2"
	check "for Prometheus too" grep -qx 'sessaudit_grantd_grants{verdict="kept"} 2' \
		"$RUN/grantd/sessaudit_grantd.prom"
	serve v2 1:a.json
	check "what is gone from the answer goes" wait_for 5 names_are "a.signed.json "
	check "which is said" log_has 'event=grant-removed grant="b" why=absent'
}

test_rights() {
	[ "$OWNER" = 0 ] || {
		skip "rights" "needs root"
		return
	}
	same "its user" "$(awk '/^Uid:/ {print $2, $3, $4}' "/proc/$pid/status")" \
		"$(id -u nobody) $(id -u nobody) $(id -u nobody)"
	same "its capabilities" "$(awk '/^Cap/ {print $2}' "/proc/$pid/status" | sort -u)" 0000000000000000
	same "no core" "$(awk '/core file/ {print $5, $6}' "/proc/$pid/limits")" "0 0"
	as_user() { setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups "$@"; }
	cannot() { ! as_user "$@" 2>/dev/null; }
	grant plain.json plain "$AGO" "$HOUR"
	grant root.json root "$AGO" "$HOUR"
	cp "$T/root.json" "$SHELF/root.json"
	as_user cp "$T/plain.json" "$SHELF/plain.json"
	check "broken into, it could leave a plain grant" test -s "$SHELF/plain.json"
	same "that is not believed" "$(loads | grep -c '^grant plain')" 0
	check "and why" sh -c "'$TOOLS/mkanswer' load '$SHELF' 0 '$T/broker.pem' | grep -q '^skip .*plain.json: '"
	same "while root's is" "$(loads | grep -c '^grant root')" 1
	check "root's it cannot remove" cannot rm -f "$SHELF/root.json"
	check "nor replace" cannot mv -f "$SHELF/plain.json" "$SHELF/root.json"
	next_request
	restart
	next_request
	check "and does not touch" cmp "$T/root.json" "$SHELF/root.json"
	rm "$SHELF/root.json" "$SHELF/plain.json"
}

test_refused() {
	grant forged.json forged "$AGO" "$HOUR"
	grant other.json other "$AGO" "$HOUR" "" '"elsewhere"'
	grant star.json star "$AGO" "$HOUR" "" '"*"'
	grant old.json old "$AGO" "$(at "-1 minute")"
	grant long.json long "$AGO" "$(at "+401 days")"
	grant future.json future "$(at "+10 minutes")" "$HOUR"
	sed 's/"issued_at":"[^"]*",//' "$T/forged.json" >"$T/undated.json"
	echo '{"schema":"sessaudit.grant/1"}' >"$T/broken.json"
	serve v3 1:a.json 2:forged.json 1:a.json:forged.json 1:other.json 1:star.json 1:old.json \
		1:long.json 1:undated.json 1:broken.json
	check "of nine grants" wait_for 10 number_is received 9
	check "one is left" names_are "a.signed.json "
	for want in "unsigned 2" "other_host 1" "expired 1" "too_long 1" "broken 3"; do
		same "refused: ${want% *}" "$(number "verdicts.${want% *}")" "${want#* }"
	done
	check "which is logged" log_has 'event=grant-refused why=unsigned grant="-" reason="grants\[1\]: signature'
	check "with the grant, once it is known to be one" log_has \
		'event=grant-refused why=other_host grant="other" reason="grants\[3\]: its hosts do not name this one'
	serve v4 1:a.json 1:future.json
	check "one of the future" wait_for 10 number_is verdicts.future 1
	next_request
	same "the whole answer is asked for again" "$(tail -n 1 "$B/requests")" "/v1/grants auth= inm= -> 200"
}

test_revoked() {
	grant r1.json r "$AGO" "$HOUR"
	grant r2.json r "$(at "-5 minutes")" "$HOUR" '"revoked":true,'
	grant r3.json r "$(at "-4 minutes")" "$HOUR"
	serve v5 1:a.json 1:r1.json
	check "a grant" wait_for 10 names_are "a.signed.json r.signed.json "
	serve v6 1:a.json 1:r2.json
	check "is revoked" wait_for 10 names_are "a.signed.json "
	check "which is said" log_has 'event=grant-removed grant="r" why=revoked'
	serve v7 1:a.json 1:r1.json
	check "what was signed before" wait_for 10 number_is verdicts.older 1
	check "does not come back" names_are "a.signed.json "
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	(cd "$T" && "$TOOLS/mkanswer" envelope 1:r1.json) >"$SHELF/r.signed.json"
	[ "$OWNER" != 0 ] || chown "$USER_NAME" "$SHELF/r.signed.json"
	start
	check "nor after kill -9 and with the file put back" wait_for 10 names_are "a.signed.json "
	next_request
	check "nor by the next answer" names_are "a.signed.json "
	serve v8 1:a.json 1:r3.json
	check "issued anew it counts" wait_for 10 names_are "a.signed.json r.signed.json "
	serve v9 1:a.json
	check "and goes again" wait_for 10 names_are "a.signed.json "
	restart
	wait_for 5 number_is away 0
}

test_failures() {
	mode status 500
	fails "500" "the broker answers 500"
	mode status 302
	fails "a redirect" "answers 302, a redirect, which is not followed: name the final URL in broker.url"
	same "it is not followed" "$(grep -c elsewhere "$B/requests")" 0
	mode status 403
	fails "403" "answers 403: it may want a token, see broker.token_file"
	mode silent
	fails "a broker that never answers" "broker.timeout"
	mode drip
	fails "a byte a second" "broker.timeout"
	mode cut
	fails "half an answer" "see broker.url"
	rss=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status")
	old=$pid
	mode huge
	wait_for 20 log_has event=fetch-failed
	now=$(awk '/^VmHWM/ {print $2}' "/proc/$old/status")
	check "a gibibyte is not taken into memory ($rss, then $now KiB)" test "$((now - rss))" -lt 32768
	fails "a gibibyte" "longer than 4194304 bytes"
	cp "$B/answer" "$T/answer.good"
	head -c 5000 /dev/urandom >"$B/answer"
	rm -f "$B/etag"
	check "garbage: it is said" wait_for 20 log_has "event=fetch-failed .*the broker's answer: "
	echo '{"schema":"sessaudit.grants/1","grants":[],"more":1}' >"$B/answer"
	restart
	check "a key that is not known: it is said" wait_for 20 log_has \
		"event=fetch-failed .*must have schema and grants, nothing else"
	check "what lies there stays" names_are "a.signed.json "
	mv "$T/answer.good" "$B/answer"
	echo '"v10"' >"$B/etag"
	check "it passes" wait_for 20 number_is away 0
	stop_broker
	check "no broker" wait_for 20 number_is away 1
	check "what lies there stays" names_are "a.signed.json "
	stop
	same "SIGTERM: a good end" $status 0
}

test_tls() {
	start_broker "$T/bad.crt" "$T/bad.key"
	configure
	: >"$B/requests"
	start
	check "a certificate that nobody vouches for" wait_for 10 log_has "event=fetch-failed .*see broker.ca_file"
	stop
	stop_broker
	start_broker "$T/name.crt" "$T/name.key"
	configure "ca_file = $T/name.crt"
	start
	check "one of another host" wait_for 10 log_has "event=fetch-failed .*see broker.ca_file"
	stop
	stop_broker
	start_broker
	configure
	start
	check "no TLS at all" wait_for 10 log_has "event=fetch-failed"
	stop
	same "none of them saw a question" "$(requests)" 0
	stop_broker
	check "what lies there stays" names_are "a.signed.json "
	sed -i 's/https:/http:/' "$T/conf"
	"$GRANTD" --config "$T/conf" >"$T/log" 2>&1
	same "http is no setting" $? 78
	check "and why" log_has "broker.url: not an https:// URL"
}

test_token() {
	start_broker "$T/good.crt" "$T/good.key"
	echo secret-2 >"$B/token"
	echo secret-1 >"$T/token"
	[ "$OWNER" != 0 ] || chown "$USER_NAME" "$T/token"
	chmod 400 "$T/token"
	configure "token_file = $T/token"
	mode serve
	start
	check "a token that is wrong" wait_for 10 log_has "answers 401: it does not take the token of $T/token; put a valid one there\""
	echo secret-2 >"$T/token.new"
	[ "$OWNER" != 0 ] || chown "$USER_NAME" "$T/token.new"
	mv "$T/token.new" "$T/token"
	check "is read anew" wait_for 20 number_is away 0
	same "it is not logged" "$(grep -c secret "$T/log")" 0
	same "nor in the status" "$(grep -rc secret "$RUN/grantd/status.json")" 0
	stop
	echo secret-2 >"$T/credential"
	chmod 400 "$T/credential" # of root, as systemd has it
	configure "token_file = credential"
	: >"$B/requests"
	CREDENTIALS_DIRECTORY=$T start
	check "a credential of the service" wait_for 10 number_is away 0
	next_request
	next_request
	check "is kept, though only root may read it" grep -qx '/v1/grants auth=Bearer secret-2 inm="v10" -> 304' "$B/requests"
	rm "$T/credential"
	next_request
	next_request
	check "also when it is gone" number_is away 0
	stop
	"$GRANTD" --config "$T/conf" >"$T/log" 2>&1
	same "no credentials" $? 78
	check "and what to do" log_has "the service has no credentials: name the whole path, or add LoadCredential="
	rm "$B/token"
}

test_not_ready() {
	mv "$T/broker.pem" "$T/broker.away"
	configure
	start
	check "no key: it waits" wait_for 10 log_has "event=fetch-failed .*broker.keys: $T/broker.pem"
	check "and touches nothing" names_are "a.signed.json "
	mv "$T/broker.away" "$T/broker.pem"
	check "until it is there" wait_for 20 number_is away 0
	stop
	rm -rf "$SHELF"
	start
	check "no directory: it waits" wait_for 10 log_has "event=fetch-failed .*sessauditd makes it at its start"
	make_dirs
	check "until it is there" wait_for 20 names_are "a.signed.json "
	stop
	"$TOOLS/mkanswer" public 2 >"$T/broker.pem"
	start
	check "another key: what the old one signed goes" wait_for 10 names_are ""
	stop
	"$TOOLS/mkanswer" public 1 >"$T/broker.pem"
}

# A file system of its own that is full.
test_disk_full() {
	if [ "$OWNER" != 0 ] || ! unshare -m true 2>/dev/null; then
		skip "a full disk" "needs root"
		return
	fi
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=64k,mode=1775,gid=$2 none "$1/run/grants.d" || exit 9
		head -c 70000 /dev/zero >"$1/run/grants.d/filler" 2>/dev/null
		"$3" --config "$1/conf" >"$1/log" 2>&1 &
		for i in 1 2 3 4 5 6 7 8 9 10; do
			sleep 0.5
			grep -q event=fetch-failed "$1/log" && break
		done
		rm "$1/run/grants.d/filler"
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			sleep 0.5
			[ -s "$1/run/grants.d/a.signed.json" ] && break
		done
		ls "$1/run/grants.d" >"$1/full"
		kill $!
		wait $!' - "$T" "$(id -g "$USER_NAME")" "$GRANTD"
	check "a full disk: it is said" log_has "event=fetch-failed .*No space left"
	same "and tried again" "$(cat "$T/full")" "a.signed.json"
}

command -v jq >/dev/null || {
	echo "1..0 # SKIP needs jq"
	exit 0
}
# Else the sanitizers keep 256 MiB of what was freed, and memory cannot be measured.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8"
certificate good DNS:localhost
certificate bad DNS:localhost
certificate name DNS:elsewhere
"$TOOLS/mkanswer" public 1 >"$T/broker.pem"
make_dirs
start_broker "$T/good.crt" "$T/good.key"
configure
test_good
test_rights
test_refused
test_revoked
test_failures
test_tls
test_token
test_not_ready
test_disk_full
tap_done
