#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# The shipper against a directory store: all there once and whole, whatever
# happens in between.

. "$SA_SRC/tests/integration/tap.sh"
SHIPPER=$SA_BUILD/agent/shipper/sessaudit-shipper
SPOOL=$T/spool
STORE=$T/store
READY=$SPOOL/ready
DIR=sessions/request=REQ-1/session=0123

cat >"$T/conf" <<END
[spool]
dir = $SPOOL
[store]
dir = $STORE
retry_min = 100ms
retry_max = 200ms
[agent]
run_dir = $T/run
END

fresh() {
	chmod -R u+rwX "$SPOOL" "$STORE" 2>/dev/null
	rm -rf "$SPOOL" "$STORE" "$T/log" "$T/run"
	mkdir -p "$READY" "$T/run"
}

# An object appears as the collector does it: whole, by rename.
object() { # KEY TEXT
	printf '%s' "$2" >"$SPOOL/.new"
	until mkdir -p "$READY/$(dirname "$1")" && mv "$SPOOL/.new" "$READY/$1" 2>/dev/null; do
		: # the shipper removed the directory, as it may
	done
}

once() { # prints the exit status
	"$SHIPPER" --keep-user --config "$T/conf" --once >>"$T/log" 2>&1
	echo $?
}

start() { # [OPTION...]: a shipper that stays; sets pid
	"$SHIPPER" --keep-user --config "$T/conf" "$@" >>"$T/log" 2>&1 &
	pid=$!
	tap_pids="$tap_pids $pid"
}

stop() { # ends it, sets status
	kill "$pid"
	wait "$pid"
	status=$?
}

tree() { (cd "$1" && find . -type f -o -type l | LC_ALL=C sort); }
empty() { [ -z "$(ls -A "$READY")" ]; }
logged() { grep -c "$1" "$T/log"; }

test_once() {
	fresh
	same "nothing to ship" "$(once)" 0
	object $DIR/000000.jsonl.gz zero
	object $DIR/manifest.json "{}"
	object index/date=2026-11-21/host=h/0123.end.json "end"
	same "--once ships" "$(once)" 0
	same "each object has its key" "$(tree "$STORE" | tr '\n' ' ')" \
		"./index/date=2026-11-21/host=h/0123.end.json ./$DIR/000000.jsonl.gz ./$DIR/manifest.json "
	same "and its bytes" "$(cat "$STORE/$DIR/000000.jsonl.gz")" zero
	check "the spool is empty" empty
	object $DIR/000000.jsonl.gz zero
	same "the same object again" "$(once)" 0
	check "is taken as stored" empty
	same "and is no conflict" "$(logged event=conflict)" 0
}

test_override() {
	fresh
	mkdir -p "$T/spool2/ready"
	echo x >"$T/spool2/ready/a"
	check "--spool and --store" "$SHIPPER" --keep-user --config "$T/conf" --once \
		--spool "$T/spool2" --store "$T/store2"
	same "override the settings" "$(cat "$T/store2/a")" x
	rm -rf "$T/spool2" "$T/store2"
}

test_conflict() {
	fresh
	object $DIR/000001.jsonl.gz first
	once >/dev/null
	object $DIR/000001.jsonl.gz second
	object $DIR/000002.jsonl.gz next
	same "a conflict does not stop" "$(once)" 0
	same "the stored object stays" "$(cat "$STORE/$DIR/000001.jsonl.gz")" first
	hash=$(printf second | sha256sum | cut -c1-8)
	same "the other one is beside it" "$(cat "$STORE/$DIR/000001.jsonl.gz.conflict-$hash")" second
	same "the next one is there" "$(cat "$STORE/$DIR/000002.jsonl.gz")" next
	check "the spool is empty" empty
	same "it is an alarm in the log" "$(logged 'error: event=conflict')" 1
	object $DIR/000001.jsonl.gz second
	same "the same conflict again" "$(once)" 0
	same "adds no object" "$(tree "$STORE" | wc -l)" 3
}

test_links() {
	fresh
	mkdir "$T/outside" "$READY/d"
	echo secret >"$T/outside/secret"
	ln -s "$T/outside/secret" "$READY/d/link"
	ln -s "$T/outside" "$READY/linked"
	mkfifo "$READY/d/fifo"
	object d/good good
	same "links in the spool: not all could be shipped" "$(once)" 1
	check "the reason is said" grep -q 'event=incomplete left=3 reason="not a regular file"' "$T/log"
	same "only the object was" "$(tree "$STORE")" ./d/good
	check "no link was removed" test -L "$READY/d/link" -a -L "$READY/linked" -a -p "$READY/d/fifo"

	fresh
	mkdir "$STORE"
	ln -s "$T/outside" "$STORE/d"
	object d/planted planted
	object e/good good
	same "a link in the store: not all could be shipped" "$(once)" 1
	check "the reason is said" grep -q 'event=incomplete left=1 reason=.*symbolic link' "$T/log"
	same "nothing went through it" "$(ls "$T/outside")" secret
	same "the object waits" "$(tree "$READY")" ./d/planted
	same "others do not" "$(cat "$STORE/e/good")" good
	rm "$STORE/d"
	same "without the link" "$(once)" 0
	check "it arrives" test -f "$STORE/d/planted"
	rm -rf "$T/outside"
}

# The order in which a session's objects came into the store.
arrival() { (cd "$STORE/$DIR" && find . -name '0*' -printf '%T@ %f\n' | LC_ALL=C sort -n | cut -d' ' -f2); }

unwritable_and_back() { # MAKE_WRITABLE...
	i=0
	while [ $i -lt 20 ]; do
		object $DIR/$(printf %06d $i) "$(head -c 16384 /dev/zero | tr '\0' x)$i"
		i=$((i + 1))
	done
	start
	check "the failure is logged" wait_for 10 grep -q 'event=put-failed' "$T/log"
	sleep 1 # some retries
	same "once" "$(logged event=put-failed)" 1
	check "and something waits" test -n "$(ls "$READY/$DIR")"
	"$@"
	check "all arrives when the store is back" wait_for 20 empty
	same "in order" "$(arrival)" "$(arrival | LC_ALL=C sort)"
	same "all of it" "$(arrival | wc -l)" 20
	same "whole" "$(tail -c 2 "$STORE/$DIR/000019")" 19
	same "the recovery is logged once" "$(logged event=put-recovered)" 1
	stop
	same "no temporary file is left" "$(find "$STORE" -name '.*' -not -path "$STORE" | wc -l)" 0
	same "SIGTERM is a good end" $status 0
}

# In a mount namespace of its own, by this script calling itself; TAP goes on from COUNT.
test_full_disk() {
	if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
		skip "a full disk" "needs root and a mount namespace"
		return
	fi
	SA_FULL_DISK=$tap_count unshare -m "$SA_SHELL" "$0"
	tap_failed=$((tap_failed + $?))
	tap_count=$((tap_count + 10))
}

full_disk_inside() {
	tap_count=$SA_FULL_DISK
	fresh
	mkdir "$STORE"
	mount -t tmpfs -o size=1m tmpfs "$STORE" || exit 1
	head -c 900000 /dev/zero >"$STORE/filler"
	unwritable_and_back rm "$STORE/filler"
	umount "$STORE"
	exit $tap_failed
}

test_forbidden() {
	if [ "$(id -u)" = 0 ]; then
		skip "a store without write permission" "root may write anywhere"
		return
	fi
	fresh
	mkdir "$STORE"
	chmod 555 "$STORE"
	unwritable_and_back chmod 755 "$STORE"
}

test_away() {
	fresh
	object a/b x
	mkdir "$STORE"
	start
	wait_for 10 test -f "$STORE/a/b"
	mv "$STORE" "$STORE.away"
	object a/c y
	check "a store that is gone is noticed" wait_for 10 grep -q 'put-failed.*No such file' "$T/log"
	check "and not made anew" test ! -e "$STORE"
	mv "$STORE.away" "$STORE"
	check "what waited arrives" wait_for 10 test -f "$STORE/a/c"
	stop
}

test_last_pass() {
	fresh
	mkdir "$STORE"
	ln -s nowhere "$STORE/d"
	object d/late late
	sed 's/^retry_.*//' "$T/conf" >"$T/conf.slow"
	printf '[store]\nretry_min = 60s\nretry_max = 60s\n' >>"$T/conf.slow"
	start --config "$T/conf.slow"
	wait_for 10 grep -q put-failed "$T/log"
	rm "$STORE/d"
	stop
	same "SIGTERM: one last pass that waits for no pause" "$(cat "$STORE/d/late")" late
	same "and a good end" $status 0
}

# 50 lives, each cut short somewhere, while objects keep coming.
test_kills() {
	fresh
	mkdir "$T/want"
	(
		i=0
		while [ $i -lt 1200 ]; do
			key=s=$((i % 3))/$(printf %06d $i)
			mkdir -p "$T/want/$(dirname "$key")"
			head -c $((i * 31 + 1)) /dev/urandom >"$T/want/$key"
			cp "$T/want/$key" "$SPOOL/.new"
			until mkdir -p "$READY/$(dirname "$key")" && mv "$SPOOL/.new" "$READY/$key" 2>/dev/null; do
				:
			done
			i=$((i + 1))
		done
	) &
	feeder=$!
	lives=0
	while [ $lives -lt 50 ]; do
		start
		sleep 0.$(printf %03d $(($(od -An -N2 -tu2 /dev/urandom) % 120)))
		kill -9 "$pid"
		wait "$pid" 2>/dev/null
		lives=$((lives + 1))
	done
	wait $feeder
	before=$(tree "$STORE" | wc -l)
	same "after 50 kills: the rest ships" "$(once)" 0
	check "every object is there, whole, and nothing else" diff -r "$T/want" "$STORE"
	check "the spool is empty" empty
	same "no conflict was seen" "$(logged event=conflict)" 0
	same "none was cut before it began" "$(test "$before" -gt 0 && echo yes)" yes
	echo "# $before of 1200 were stored by lives that were killed"
	rm -rf "$T/want"
}

# What the log, the status and the kernel say about a shipper at work.
test_at_work() {
	fresh
	start
	object $DIR/000000 zero
	check "an object appears: it is shipped without news" wait_for 10 test -f "$STORE/$DIR/000000"
	check "the status is written" wait_for 10 grep -q '"stored":1[,}]' "$T/run/ship/status.json"
	check "for Prometheus too" grep -q '^sessaudit_shipper_objects_stored_total 1$' \
		"$T/run/ship/sessaudit_shipper.prom"
	same "that a directory is not proven append-only" \
		"$(grep '^sessaudit_shipper_append_only.* 1$' "$T/run/ship/sessaudit_shipper.prom")" \
		'sessaudit_shipper_append_only{state="unproven"} 1'
	same "no core file" "$(grep -c 'Max core file size *0 *0 ' "/proc/$pid/limits")" 1
	same "a second shipper" "$(once)" 1
	check "is told why" grep -q "another shipper has the spool $SPOOL" "$T/log"
	stop
	same "the first has a good end" $status 0
	rm -rf "$T/run/ship"
	same "--once" "$(once)" 0
	check "leaves the status alone" test ! -e "$T/run/ship"
}

# Sleeps until news comes.
test_news() {
	fresh
	mkfifo "$SPOOL/news"
	start
	exec 3>"$SPOOL/news" # as the collector has it
	wait_for 10 test -e "$T/run/ship/status.json"
	sleep 1.2 # the walk at its start is over
	object $DIR/000000 zero
	sleep 1.5
	check "no walk comes by" test ! -e "$STORE/$DIR/000000"
	echo $DIR/000000 >&3
	check "news ships at once" wait_for 1 test -f "$STORE/$DIR/000000"
	exec 3>&-
	exec 3>"$SPOOL/news"
	object $DIR/000001 one
	printf 'no/such/object\n../etc\n%s\n' $DIR/000001 >&3
	check "also from another collector" wait_for 1 test -f "$STORE/$DIR/000001"
	object $DIR/000002 two
	stop
	check "and without news at the end" test -f "$STORE/$DIR/000002"
	exec 3>&-
}

test_spool_away() {
	fresh
	mv "$SPOOL" "$SPOOL.away"
	start
	check "a missing spool is waited for" wait_for 10 grep -q "event=away.*No such file" "$T/log"
	sleep 1
	mv "$SPOOL.away" "$SPOOL"
	object a/b x
	check "until it is there" wait_for 10 test -f "$STORE/a/b"
	same "away is said once" "$(logged event=away)" 1
	same "and back" "$(logged event=back)" 1
	stop
	: >"$T/file"
	"$SHIPPER" --keep-user --config "$T/conf" --once --store "$T/file" >"$T/log" 2>&1
	same "a store that is a file is a matter of configuration" $? 78
}

test_keep_local() {
	fresh
	{
		cat "$T/conf"
		printf '[store]\nkeep_local = 1s\n'
	} >"$T/conf.keep"
	object $DIR/000000 zero
	start --config "$T/conf.keep"
	check "keep_local: shipped" wait_for 10 test -f "$STORE/$DIR/000000"
	check "and kept" wait_for 10 test -f "$SPOOL/sent/$DIR/000000"
	stop
	sleep 1
	start --config "$T/conf.keep"
	check "not for longer" wait_for 10 test ! -e "$SPOOL/sent/sessions"
	stop
}

# What an earlier life put there.
test_quarantine() {
	fresh
	mkdir -p "$SPOOL/quarantine/$DIR"
	echo bad >"$SPOOL/quarantine/$DIR/000003"
	echo "2026-11-21T00:00:00.000Z refused" >"$SPOOL/quarantine/$DIR/000003.reason"
	object $DIR/000004 four
	start
	check "quarantine is tried at start" wait_for 10 test -f "$STORE/$DIR/000003"
	check "and emptied" wait_for 10 test ! -e "$SPOOL/quarantine/sessions"
	stop
	same "its reason is no object" "$(tree "$STORE" | tr '\n' ' ')" "./$DIR/000003 ./$DIR/000004 "
	mkdir -p "$SPOOL/quarantine/d"
	ln -s nowhere "$STORE/d"
	echo bad >"$SPOOL/quarantine/d/e"
	same "what stays there is not shipped" "$(once)" 1
	check "and counts" grep -q 'event=incomplete left=1 ' "$T/log"
}

# An object that cannot be read is out of the way of the others. Not for root, who reads anything.
test_unreadable() {
	if [ "$(id -u)" = 0 ]; then
		skip "an object that cannot be read" "root may read anything"
		return
	fi
	fresh
	object $DIR/000000 zero
	object $DIR/000001 one
	chmod 000 "$READY/$DIR/000000"
	start
	check "it goes to quarantine" wait_for 10 test -f "$SPOOL/quarantine/$DIR/000000"
	check "with the reason" grep -q "Permission denied" "$SPOOL/quarantine/$DIR/000000.reason"
	check "the next one to the store" wait_for 10 test -f "$STORE/$DIR/000001"
	same "it is an alarm in the log" "$(logged 'error: event=quarantined')" 1
	stop
}

# SA_BACKLOG=100000 for the real thing.
test_backlog() {
	fresh
	n=${SA_BACKLOG:-4000}
	mkdir -p "$READY/$DIR" "$READY/index"
	(
		cd "$READY/index" || exit 1
		seq -f "session=%06g" 1 "$n" | xargs mkdir
		seq -f "../$DIR/%06g" 1 "$n" | while read -r name; do
			echo x >"$name"
		done
		for name in *; do
			echo y >"$name/000000"
		done
	)
	start
	check "a backlog drains" wait_for $((30 + n / 100)) grep -q "\"stored\":$((2 * n))[,}]" \
		"$T/run/ship/status.json"
	rss=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
	echo "# $((2 * n)) objects, at most $rss kB"
	# A sanitizer's own memory comes on top.
	grep -q __asan_ "$SHIPPER" || check "in little memory" test "$rss" -lt 32768
	stop
	same "all of it" "$(tree "$STORE" | wc -l)" $((2 * n))
	check "the spool is empty" empty
}

# As another user it reads and removes through the group of ready/ and owns the store.
test_user() {
	if [ "$(id -u)" != 0 ]; then
		skip "the shipper's own user" "needs root"
		return
	fi
	fresh
	group=$(id -gn nobody)
	mkdir -m 700 "$STORE"
	chown nobody "$STORE"
	mkdir "$SPOOL/quarantine" "$SPOOL/sent" "$SPOOL/ship"
	chown nobody "$SPOOL/quarantine" "$SPOOL/sent" "$SPOOL/ship"
	chgrp "$group" "$SPOOL" "$READY"
	chmod 2750 "$SPOOL" # stands for tmp/, where objects get their group
	chmod 2770 "$READY"
	(umask 007 && object d/e/x hello)
	echo "ship_user = nobody" | cat "$T/conf" - >"$T/conf.nobody"
	check "ships as its user" "$SHIPPER" --config "$T/conf.nobody" --once
	same "to which the object belongs" "$(stat -c %U:%a "$STORE/d/e/x")" nobody:440
	check "the spool is empty" empty
	echo "ship_user = no-such-user" | cat "$T/conf" - >"$T/conf.nouser"
	"$SHIPPER" --config "$T/conf.nouser" --once 2>"$T/log"
	same "a missing user is a matter of configuration" $? 78
	check "that is explained" grep -q "no-such-user does not exist: run systemd-sysusers" "$T/log"
}

# Who has a store directory does not carry libcurl and all that comes with it; who has a bucket is
# told when it is not there.
test_libcurl() {
	fresh
	start
	object $DIR/000001.jsonl.gz first
	check "a store directory" wait_for 10 empty
	check "needs no libcurl" eval '! grep -q libcurl /proc/$pid/maps'
	stop
	lib=$(ldconfig -p | sed -n 's/.* => \(.*libcurl\.so\.4\)$/\1/p' | head -n 1)
	if ! unshare -m true 2>/dev/null || [ ! -e "$lib" ]; then
		skip "a bucket without libcurl" "needs root"
		return
	fi
	object $DIR/000002.jsonl.gz next
	cat >"$T/s3.conf" <<-END
		[spool]
		dir = $SPOOL
		[store]
		type = s3
		s3_url = s3://b/p
		s3_region = eu-central-1
		[agent]
		run_dir = $T/run
	END
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind /dev/null "$1" && "$2" --keep-user --config "$3" --once' - \
		"$(readlink -f "$lib")" "$SHIPPER" "$T/s3.conf" >"$T/log" 2>&1
	check "a bucket without libcurl: what to do" grep -q 'libcurl\.so\.4: .*; install libcurl' "$T/log"
	check "the object waits" test -f "$READY/$DIR/000002.jsonl.gz"
}

test_arguments() {
	fresh
	"$SHIPPER" --config "$T/none" --once 2>/dev/null
	same "no such configuration" $? 78
	"$SHIPPER" --config "$T/conf" --beat-fd x --once 2>/dev/null
	same "a bad descriptor" $? 78
	"$SHIPPER" --config "$T/conf" --once extra 2>/dev/null
	same "an extra argument" $? 78
	rm -r "$READY"
	same "no spool" "$(once)" 1
	check "says which" grep -q "$SPOOL/ready: No such file" "$T/log"
}

SA_SHELL=${SA_SHELL:-sh}
[ -z "$SA_FULL_DISK" ] || full_disk_inside
test_once
test_override
test_conflict
test_links
test_full_disk
test_forbidden
test_away
test_last_pass
test_at_work
test_news
test_spool_away
test_keep_local
test_quarantine
test_unreadable
test_backlog
test_kills
test_user
test_libcurl
test_arguments
tap_done
