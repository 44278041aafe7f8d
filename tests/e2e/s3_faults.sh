#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# The shipper against a real S3 server on bad days of network, server, clock and disk.
# Real segments of a recorded log lie in the spool; after each fault every object is in
# the store once (no second version, no conflict copy), byte for byte what the spool
# held, and nothing is left behind or in quarantine. The bucket has Object Lock, and
# the shipper is a user who may put and nothing else. Needs no kernel audit.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
SA_BUILD=${SA_BUILD:-$TOP/build}
. "$TOP/tests/s3/lib.sh"

SHIPPER=$SA_BUILD/agent/shipper/sessaudit-shipper
COLLECTOR=$SA_BUILD/agent/collector/sessaudit-collector

# Some sessions of several segments each, as the collector makes them, in $T/made/ready.
make_segments() {
	printf '[segment]\nmax_bytes = 4096\n' >"$T/collector.conf"
	sh "$TOP/tests/integration/multiply.sh" "$TOP/tests/golden/raw/debian12-session.audit" 3 \
		>"$T/audit.log"
	mkdir "$T/made"
	"$COLLECTOR" --config "$T/collector.conf" --replay "$T/audit.log" --spool "$T/made" \
		--host faults --machine-id 1 --boot-id 2 2>"$T/collector.log"
	keys "$T/made/ready" >"$T/keys"
	[ "$(wc -l <"$T/keys")" -gt 80 ]
}

keys() { (cd "$1" && find . -type f) | sed 's|^\./||' | LC_ALL=C sort; }

# --- the shipper ---

begin() { # NAME: a full spool, and a place of its own in the bucket
	NAME=$1
	PLACE=${1//[^a-z0-9]/-}
	rm -rf "$T/spool" "$T/run"
	mkdir -p "$T/spool" "$T/run"
	cp -r "$T/made/ready" "$T/spool"
	: >"$T/proxy.log"
	: >"$T/shipper.log"
	s3_faults
}

config() {
	cat >"$T/conf" <<-END
		[spool]
		dir = $T/spool
		[store]
		type = s3
		s3_url = s3://audit/$PLACE
		s3_endpoint = $S3_PROXY
		s3_region = us-east-1
		retry_min = 20ms
		retry_max = 300ms
		connect_timeout = 2s
		stall_timeout = 1s
		quarantine_retry = 1s
		[agent]
		run_dir = $T/run
	END
}

start() {
	config
	AWS_ACCESS_KEY_ID=$USER_AK AWS_SECRET_ACCESS_KEY=$USER_SK \
		"$SHIPPER" --keep-user --config "$T/conf" 2>>"$T/shipper.log" &
	PID=$!
}

stop() {
	[ -n "$PID" ] || return 0
	stop_pid $PID
	PID=
}

spool_empty() { [ -z "$(find "$T/spool/ready" "$T/spool/quarantine" -type f)" ]; }
logged() { grep -q "$1" "$T/shipper.log"; }
waiting() { [ "$(keys "$T/spool/ready" | wc -l)" = "$(wc -l <"$T/keys")" ]; }

# --- what must be true after all of it ---

arrives() { # everything leaves the spool
	check "$NAME: everything leaves the spool" wait_for 60 spool_empty
	spool_empty || tail -n 5 "$T/shipper.log" | sed 's/^/# /'
}

whole() {
	same "$NAME: each object is stored once, and no other" "$(s3_versions audit "$PLACE" |
		diff - "$T/keys")" ""
	rm -rf "$T/got"
	s3_aws s3 cp --only-show-errors --recursive "s3://audit/$PLACE" "$T/got" --exclude 'probe/*'
	check "$NAME: byte for byte what the spool held" diff -r "$T/made/ready" "$T/got"
	check "$NAME: no alarm" not logged 'event=\(conflict\|quarantined\)'
}

not() { ! "$@"; }

met() { # FAULT: it did happen
	check "$NAME: $1: $(s3_met "$1") times" test "$(s3_met "$1")" -gt 0
}

under() { # NAME RULE...: all is shipped while the rules hold
	local rule
	begin "$1"
	shift
	s3_faults "$@"
	start
	arrives
	stop
	for rule in "$@"; do
		case $rule in
		*\ p=*) note "$NAME: ${rule%% *} $(s3_met "${rule%% *}")" ;;
		*) met "${rule%% *}" ;;
		esac
	done
	s3_faults
	whole
}

# --- faults of network and server ---

no_fault() { under "no fault"; }
reset_before() { under "reset before the body" "reset-before method=PUT every=3"; }
reset_after() { under "reset after the body" "reset-after method=PUT every=3"; }

# Who may not look takes what is there for the object; who may sees that it is.
lost_answer() {
	under "answer lost" "drop-answer method=PUT every=3"
	check "$NAME: it may not look" grep -q '^pass HEAD .* 403$' "$T/proxy.log"
}
lost_answer_reader() {
	USER_AK=$S3_AK USER_SK=$S3_SK
	under "answer lost, user may read" "drop-answer method=PUT every=3"
	check "$NAME: it looked" grep -q '^pass HEAD .* 200$' "$T/proxy.log"
	USER_AK=$S3_AK2 USER_SK=$S3_SK2
}

errors_5xx() {
	under "500 and 503" "answer status=500 code=InternalError method=PUT every=5" \
		"answer status=503 code=SlowDown method=PUT every=7"
}

skew() {
	under "clock skew" "answer status=403 code=RequestTimeTooSkewed date=600 method=PUT every=4"
}

expired() { under "expired token" "answer status=400 code=ExpiredToken method=PUT every=4"; }

region() {
	under "other region" \
		"answer status=301 code=PermanentRedirect header=x-amz-bucket-region:eu-west-1 method=PUT first=3"
}

# The server would have stored it; the client has gone before.
hang() { under "hang" "hang ms=3000 method=PUT first=4"; }
drip() { under "slow drip" "drip bytes=100 method=PUT every=9"; }
truncated() {
	under "truncated answer" "truncate bytes=7 method=PUT every=5" \
		"truncate bytes=90 method=PUT every=7"
}
garbage() {
	under "garbage" "garbage status=200 method=PUT every=5" "garbage status=503 method=PUT every=7"
}
everything() {
	under "everything at once" "reset-before p=0.02" "reset-after p=0.02" "drop-answer p=0.08" \
		"answer status=500 p=0.02" "answer status=503 code=SlowDown p=0.04" \
		"truncate bytes=40 p=0.03" "garbage status=200 p=0.03" "garbage status=500 p=0.02" \
		"drip bytes=500 p=0.02" "hang ms=2000 p=0.01"
}

refused() {
	begin "connection refused"
	s3_faults refuse
	start
	check "$NAME: it says so, once" wait_for 10 logged 'efused'
	sleep 2
	check "$NAME: all waits in the spool" waiting
	s3_faults
	arrives
	stop
	met refuse
	whole
}

# The server is away while objects go on to arrive.
outage() {
	local key
	begin "server down"
	mv "$T/spool/ready" "$T/later"
	mkdir "$T/spool/ready"
	s3_down
	start
	while read -r key; do
		mkdir -p "$T/spool/ready/$(dirname "$key")"
		mv "$T/later/$key" "$T/spool/ready/$key"
		sleep 0.02
	done <"$T/keys"
	sleep 3
	check "$NAME: all waits in the spool" waiting
	note "requests meanwhile: $(s3_met away)"
	check "$NAME: it is not hammered" test "$(s3_met away)" -le 200
	s3_up
	arrives
	stop
	whole
	rm -rf "$T/later"
}

# Access taken away and given back: nothing is the object's fault.
forbidden() {
	begin "access denied"
	s3_faults "answer status=403 code=AccessDenied method=PUT"
	start
	check "$NAME: it says so" wait_for 10 logged 'AccessDenied\|access'
	sleep 3
	check "$NAME: all waits in the spool" waiting
	s3_faults
	arrives
	stop
	met answer
	whole
}

# One object that the store will not take stops neither its session nor others.
one_refused() {
	local bad
	bad=$(grep -m 1 '/000001\.jsonl' "$T/keys")
	begin "one object refused"
	s3_faults "answer status=400 code=InvalidRequest method=PUT path=${bad##*session=}"
	start
	check "$NAME: it goes to quarantine" wait_for 30 test -f "$T/spool/quarantine/$bad"
	check "$NAME: with the reason" grep -q InvalidRequest "$T/spool/quarantine/$bad.reason"
	check "$NAME: it is an alarm" logged 'error: event=quarantined'
	same "$NAME: the others are stored" "$(wait_for 30 ready_empty
		s3_versions audit "$PLACE" | diff - "$T/keys" | grep '^[<>]')" "> $bad"
	s3_faults
	arrives
	stop
	met answer
	same "$NAME: nothing of it is left" "$(find "$T/spool/quarantine" -type f)" ""
	sed -i /event=quarantined/d "$T/shipper.log"
	whole
}

ready_empty() { [ -z "$(keys "$T/spool/ready")" ]; }

# --- faults of the disk under the spool ---

# A tmpfs as the spool, filled as begin does. Fails where there is none.
spool_on_tmpfs() { # SIZE
	begin "$NAME"
	[ "$(id -u)" = 0 ] && mount -t tmpfs -o "size=$1,mode=755" sessaudit-e2e "$T/spool" || {
		note "$NAME: not root, or no tmpfs: not tested"
		return 1
	}
	at_exit "umount '$T/spool' 2>/dev/null"
	cp -r "$T/made/ready" "$T/spool"
}

# Shipping is what makes room again: it must not need any.
disk_full() {
	NAME="disk full"
	spool_on_tmpfs 8m || return
	start # makes what it needs
	wait_for 20 ready_empty
	stop
	rm -rf "$T/spool/ready"
	PLACE=$PLACE-2
	cp -r "$T/made/ready" "$T/spool"
	head -c 8m /dev/zero >"$T/spool/filler" 2>/dev/null
	same "$NAME: no room" "$(df --output=avail "$T/spool" | tail -n 1 | tr -d ' ')" 0
	s3_faults "drop-answer method=PUT every=5"
	start
	arrives
	stop
	met drop-answer
	whole
	umount "$T/spool"
}

# Read-only from the start: nothing is put that could not be remembered. It says so, and goes on by
# itself.
disk_read_only() {
	NAME="disk read-only"
	spool_on_tmpfs 8m || return
	mount -o remount,ro "$T/spool"
	start
	check "$NAME: it says so" wait_for 10 logged 'Read-only'
	check "$NAME: nothing is put" test "$(s3_met pass PUT "/audit/$PLACE/sessions")" = 0
	mount -o remount,rw "$T/spool"
	arrives
	stop
	whole
	umount "$T/spool"
}

# Stored, but the local copy cannot go: no second version is made of it.
local_copy_stays() {
	local dirs
	begin "local copies cannot go"
	mapfile -t dirs < <(find "$T/spool/ready" -mindepth 1 -type d)
	[ "$(id -u)" = 0 ] && chattr +i "${dirs[@]}" 2>/dev/null || {
		note "$NAME: not root, or no immutable directories: not tested"
		return
	}
	at_exit "chattr -R -i '$T/spool/ready' 2>/dev/null"
	start
	check "$NAME: it says so" wait_for 10 logged 'not permitted'
	sleep 3
	note "$(s3_met pass PUT) puts for $(wc -l <"$T/keys") objects until then"
	check "$NAME: it lives" kill -0 $PID
	chattr -i "${dirs[@]}"
	arrives
	stop
	whole
}

e2e_init
[ -x "$SHIPPER" ] || skip_all "sessaudit is not built in $SA_BUILD"
s3_need 20
s3_proxy_start 42
s3_bucket audit || exit 1
USER_AK=$S3_AK2 USER_SK=$S3_SK2
make_segments || exit 1
PID=
at_exit stop
faults=(no_fault reset_before reset_after lost_answer lost_answer_reader errors_5xx skew expired
	region hang drip truncated garbage everything refused outage forbidden one_refused disk_full
	disk_read_only local_copy_stays)
[ $# = 0 ] || faults=("$@")
for fault in "${faults[@]}"; do
	$fault
done
tap_done
