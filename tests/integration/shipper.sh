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
	rm -rf "$SPOOL" "$STORE" "$T/log"
	mkdir -p "$READY"
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
	object $DIR/empty ''
	same "--once ships" "$(once)" 0
	same "each object has its key" "$(tree "$STORE" | tr '\n' ' ')" \
		"./index/date=2026-11-21/host=h/0123.end.json ./$DIR/000000.jsonl.gz ./$DIR/empty ./$DIR/manifest.json "
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
			head -c $((i * 31)) /dev/urandom >"$T/want/$key"
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
test_kills
test_user
test_arguments
tap_done
