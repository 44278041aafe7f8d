#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessauditd with stubs for its roles: starting, restarting, telling systemd,
# reloading, stopping. Needs no audit and no root; root sees more.

. "$SA_SRC/tests/integration/tap.sh"
DAEMON=$SA_BUILD/agent/sessauditd
TOOLS=$SA_BUILD/tests/integration

# An instance has a directory of its own: conf, libexec, log, events, notify.
instance() { # NAME: sets D
	D=$T/$1
	mkdir -p "$D/libexec"
	for role in collector shipper grantd warden; do
		cp "$TOOLS/stubrole" "$D/libexec/sessaudit-$role"
	done
	: >"$D/events"
	cat >"$D/conf" <<-END
		[spool]
		dir = $D/var/spool
		[store]
		dir = $D/var/store
		[redact]
		key_file = $D/redact.key
		[agent]
		run_dir = $D/run
		user = nobody
		ship_user = daemon
		grant_user = games
	END
}

# The settings that ask for grantd and warden.
with_broker() {
	printf '[broker]\nurl = https://broker.example.com/g\nkeys = %s/key.pem\n' "$D" >>"$D/conf"
}
with_warden() { printf '[policy]\non_expiry = terminate\n' >>"$D/conf"; }

mode() { # ROLE MODE...: for the next start
	role=$1
	shift
	echo "$*" >"$D/$role.mode"
}

start() { # sets pid
	"$TOOLS/notifysink" "$D/socket" >"$D/notify" &
	tap_pids="$tap_pids $!"
	wait_for 5 test -S "$D/socket"
	SA_STUB_DIR=$D NOTIFY_SOCKET=$D/socket WATCHDOG_USEC=400000 \
		"$DAEMON" --config "$D/conf" --libexec "$D/libexec" -f >>"$D/log" 2>&1 &
	pid=$!
	tap_pids="$tap_pids $pid"
}

stop() { # ends it, sets status
	kill "$pid"
	wait "$pid"
	status=$?
}

ready_again() { [ "$(count READY=1 notify)" -gt "$1" ]; }
reload() { # and waits until it is done
	ready=$(count READY=1 notify)
	kill -HUP "$pid"
	wait_for 10 ready_again "$ready"
}
told() { grep -q "$1" "$D/notify"; }
status_is() { [ "$(grep ^STATUS= "$D/notify" | tail -n 1)" = "STATUS=$1" ]; }
count() { grep -c "$1" "$D/$2"; }
role_pid() { awk -v r="$1" '$1 == r && $2 ~ /^start/ {p = $3} END {print p}' "$D/events"; }
restarted() { [ "$(role_pid "$1")" != "$2" ] && [ -n "$(role_pid "$1")" ]; }
order() { awk '{print $1, $2}' "$D/events" | tail -n "$1" | tr '\n' ','; }
none_left() {
	for p in $(awk '{print $3}' "$D/events" | sort -u); do
		gone "$p" || return 1
	done
}

# These two take long, so they run beside the others and are looked at in the end.
start_slow() {
	instance silent
	start
	silent_pid=$pid
	wait_for 10 told READY=1
	silent_shipper=$(role_pid shipper)
	kill -STOP "$silent_shipper"
	instance deaf
	mode collector deaf
	start
	deaf_pid=$pid
	wait_for 10 told READY=1
	kill "$deaf_pid"
}

test_ready() {
	instance ready
	mode shipper mute
	start
	check "a role that is ready" wait_for 10 told "STATUS=collector runs, shipper starts"
	same "is not enough" "$(count READY=1 notify)" 0
	same "nor is there a watchdog ping" "$(count WATCHDOG=1 notify)" 0
	rm "$D/shipper.mode"
	kill -9 "$(role_pid shipper)"
	check "both are" wait_for 10 told READY=1
	check "as the status says" told "STATUS=collector runs, shipper runs"
	sleep 1.1
	n=$(count WATCHDOG=1 notify)
	check "the watchdog gets a ping each 200 ms (got $n in 1.1 s)" test "$n" -ge 3 -a "$n" -le 8
	same "roles cannot speak to systemd" "$(count start-with-notify events)" 0
}

test_restart() { # goes on with the same instance
	old=$(role_pid collector)
	kill -9 "$old"
	check "a killed role comes back" wait_for 5 restarted collector "$old"
	check "with one line that says why" grep -q "role=collector pid=$old event=died cause=\"signal 9 (Killed)\" restart_in_ms=100" "$D/log"
	check "systemd is told" told 'STATUS=collector waits to be restarted (signal 9 (Killed)), shipper runs'
	mode collector exit 3
	kill -9 "$(role_pid collector)"
	check "one that dies at once" wait_for 10 grep -q "exit status 3.*restart_in_ms=1600" "$D/log"
	same "waits twice as long each time" \
		"$(sed -n 's/.*exit status 3.*restart_in_ms=//p' "$D/log" | head -n 3 | tr '\n' ' ')" "400 800 1600 "
	n=$(count WATCHDOG=1 notify)
	sleep 0.6
	same "no watchdog ping meanwhile" "$(count WATCHDOG=1 notify)" "$n"
	same "the other role was left alone" "$(count 'shipper start' events)" 2
	rm "$D/collector.mode"
	check "it recovers" wait_for 10 status_is "collector runs, shipper runs"
}

test_reload() { # goes on
	c=$(role_pid collector) s=$(role_pid shipper)
	cp "$D/conf" "$D/conf.good"
	echo "nonsense = 1" >>"$D/conf"
	kill -HUP "$pid"
	check "a bad configuration" wait_for 5 grep -q 'event=reload-failed action=keep-old reason=".*conf:[0-9]*: ' "$D/log"
	sleep 0.3
	same "changes nothing" "$(role_pid collector) $(role_pid shipper)" "$c $s"
	cp "$D/conf.good" "$D/conf"
	printf 'ok\n(a\n' >"$D/rules"
	printf '[redact]\nrules_file = %s\n' "$D/rules" >>"$D/conf"
	kill -HUP "$pid"
	check "a rule of redact that is broken" wait_for 5 grep -q 'redact.rules_file: .*/rules:2: ' "$D/log"
	cp "$D/conf.good" "$D/conf"
	: >"$D/events"
	kill -HUP "$pid"
	check "a good one" wait_for 10 restarted shipper "$s"
	same "restarts the roles, the collector first" "$(order 6)" \
		"collector term,collector end,collector start,shipper term,shipper end,shipper start,"
	check "systemd is told" wait_for 5 sh -c "grep -A20 '^RELOADING=1' '$D/notify' | grep -q READY=1"
}

test_stop() { # goes on
	c=$(role_pid collector)
	stop
	same "SIGTERM: a good end" $status 0
	same "the collector ends before the shipper" "$(order 4)" "collector term,collector end,shipper term,shipper end,"
	check "systemd is told" wait_for 2 told STOPPING=1
	check "no process is left" none_left
	same "no pause or error in the log of a stop" "$(count "pid=$c event=died" log)" 0
}

# Two more roles, where the settings ask for them.
test_four() {
	instance four
	cp "$D/conf" "$D/conf.two"
	start
	check "without a broker: two roles" wait_for 10 told READY=1
	same "and no more" "$(awk '{print $1}' "$D/events" | sort -u | tr '\n' ' ')" "collector shipper "
	check "nor a word about others" status_is "collector runs, shipper runs"
	with_broker
	with_warden
	cp "$D/conf" "$D/conf.four"
	: >"$D/events"
	check "a reload starts the others" reload
	same "one after the other" "$(order 8)" \
		"warden start,grantd start,collector term,collector end,collector start,shipper term,shipper end,shipper start,"
	check "the status names all" status_is "warden runs, grantd runs, collector runs, shipper runs"
	old=$(role_pid grantd)
	mode grantd halt
	kill -9 "$old"
	check "grantd may not ask for a halt" wait_for 5 grep -q "role=grantd.*event=protocol-error byte=0x48" "$D/log"
	check "and is not healthy so" status_is "warden runs, grantd starts, collector runs, shipper runs"
	rm "$D/grantd.mode"
	kill -9 "$(role_pid grantd)"
	check "it comes back" wait_for 10 status_is "warden runs, grantd runs, collector runs, shipper runs"
	cp "$D/conf.two" "$D/conf"
	with_warden
	w=$(role_pid warden)
	: >"$D/events"
	check "a reload without the broker" reload
	same "ends grantd, restarts the others" "$(order 11)" \
		"warden term,warden end,warden start,grantd term,grantd end,collector term,collector end,collector start,shipper term,shipper end,shipper start,"
	check "which is not mentioned any more" status_is "warden runs, collector runs, shipper runs"
	check "the warden is a new one" restarted warden "$w"
	cp "$D/conf.four" "$D/conf"
	reload
	rm "$D/libexec/sessaudit-warden"
	kill -HUP "$pid"
	check "a role that is wanted and not there" wait_for 5 grep -q \
		"event=reload-failed action=keep-old reason=\"cannot run $D/libexec/sessaudit-warden: No such file" "$D/log"
	: >"$D/events"
	stop
	same "SIGTERM: a good end" $status 0
	same "in order" "$(order 8)" \
		"warden term,warden end,grantd term,grantd end,collector term,collector end,shipper term,shipper end,"
	check "no process is left" none_left
}

# What each role gets of the environment of the service.
test_environment() {
	instance environment
	with_broker
	with_warden
	export AWS_ACCESS_KEY_ID=AKIDTEST CREDENTIALS_DIRECTORY="$D/credentials" https_proxy=http://p:1
	export NO_PROXY=localhost LD_SECRET=x MALLOC_PERTURB_=7 SA_OF_A_TEST="two words"
	start
	wait_for 10 told READY=1
	stop
	unset AWS_ACCESS_KEY_ID CREDENTIALS_DIRECTORY https_proxy NO_PROXY LD_SECRET MALLOC_PERTURB_
	for var in AWS_ACCESS_KEY_ID=AKIDTEST "CREDENTIALS_DIRECTORY=$D/credentials" \
		https_proxy=http://p:1 NO_PROXY=localhost; do
		same "the shipper gets ${var%%=*}" "$(grep -cxF "$var" "$D/shipper.env")" 1
		same "and the collector not" "$(grep -c "^${var%%=*}=" "$D/collector.env")" 0
		same "nor the warden" "$(grep -c "^${var%%=*}=" "$D/warden.env")" 0
	done
	for var in "CREDENTIALS_DIRECTORY=$D/credentials" https_proxy=http://p:1 NO_PROXY=localhost; do
		same "grantd gets ${var%%=*}" "$(grep -cxF "$var" "$D/grantd.env")" 1
	done
	same "but nothing of a store" "$(grep -c "^AWS_" "$D/grantd.env")" 0
	for role in collector shipper grantd warden; do
		same "$role: variables that it needs" \
			"$(grep -E '^(PATH|SA_OF_A_TEST)=' "$D/$role.env" | sort)" \
			"PATH=$PATH
SA_OF_A_TEST=two words"
		same "$role: none of the others" \
			"$(grep -E '^(LD_|MALLOC_|NOTIFY_|WATCHDOG_|PWD=)' "$D/$role.env")" ""
	done
	unset SA_OF_A_TEST
}

# PID 1 of a process namespace, which says when it is told to halt. Never outside of one.
host_script() {
	cat >"$T/host" <<-'END'
		#!/bin/bash
		[ $$ = 1 ] || exit 9
		halted=0
		trap 'halted=$((halted + 1)); echo "told to halt" >>"$SA_STUB_DIR/halts"' RTMIN+3
		"$@" &
		until [ -e "$SA_STUB_DIR/enough" ]; do sleep 0.05; done
		kill $!
		while kill -0 $! 2>/dev/null; do wait $!; done
		echo "$halted" >"$SA_STUB_DIR/halted"
	END
	chmod +x "$T/host"
	alone="unshare --pid --fork --kill-child --mount-proc"
	[ "$(id -u)" = 0 ] || alone="$alone --user --map-current-user"
	$alone true 2>/dev/null
}

# Runs an instance as on a host of its own until the log has a line with TEXT, and a second longer.
on_host() { # TEXT: sets halts
	SA_STUB_DIR=$D $alone "$T/host" "$DAEMON" --config "$D/conf" --libexec "$D/libexec" -f >"$D/log" 2>&1 &
	host=$!
	tap_pids="$tap_pids $host"
	wait_for 10 grep -q "$1" "$D/log"
	sleep 1
	: >"$D/enough"
	wait "$host"
	halts=$(cat "$D/halted")
}

test_halt() {
	if ! host_script; then
		skip "halting the host" "user namespaces are not allowed here"
		return
	fi
	instance halt
	echo "[spool]
on_full = halt" >>"$D/conf"
	mode collector halt
	on_host event=halt
	same "a collector that asks for it: the host is halted, once" "$halts" 1
	same "which is logged" "$(grep -o 'error: event=halt.*' "$D/log")" \
		'error: event=halt reason="the spool is full and spool.on_full is halt"'
	check "it counts as running meanwhile" grep -q event=ready "$D/log"
	instance nohalt
	mode collector halt
	on_host "role=collector.*event=protocol-error"
	same "not where the settings do not say so" "$halts" 0
	same "which is logged" "$(count 'protocol-error reason="asks to halt the host, but spool.on_full is suspend"' log)" 1
	instance haltship
	echo "[spool]
on_full = halt" >>"$D/conf"
	mode shipper halt
	on_host "role=shipper.*event=protocol-error byte=0x48"
	same "not for the shipper" "$halts" 0
	same "which is not even well" "$(count event=ready log)" 0
}

test_config_exit() {
	instance config
	mode collector exit 78
	start
	check "a role that cannot use its configuration" wait_for 5 grep -q 'exit status 78.*restart_in_ms=5000' "$D/log"
	sleep 1
	same "is not tried again soon" "$(count 'exit status 78' log)" 1
	stop
	same "and does not hinder the stop" $status 0
}

test_supervisor_killed() {
	instance orphans
	start
	wait_for 10 told READY=1
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	check "roles die with the supervisor" wait_for 3 none_left
}

test_slow() {
	D=$T/deaf
	wait "$deaf_pid"
	same "a role that ignores SIGTERM: a good end all the same" $? 0
	check "it was killed" grep -q 'role=collector.*event=does-not-stop seconds=10 action=kill' "$D/log"
	same "and the shipper ended in order after it" "$(order 2)" "shipper term,shipper end,"
	D=$T/silent
	check "a role that hangs for 30 s is killed" wait_for 40 grep -q "role=shipper pid=$silent_shipper event=silent seconds=30 action=kill" "$D/log"
	check "and started again" wait_for 5 restarted shipper "$silent_shipper"
	kill "$silent_pid"
	wait "$silent_pid"
	same "then all ends well" $? 0
	check "without a process left" none_left
}

# As a plugin of auditd: the input's end is the agent's.
test_stdin() {
	instance stdin
	mode collector read
	{ sleep 0.3 && echo records; } | SA_STUB_DIR=$D timeout 20 "$DAEMON" --config "$D/conf" \
		--libexec "$D/libexec" --source stdin >"$D/log" 2>&1
	same "its input ends, and so does it: success" $? 0
	same "the collector read it, once" "$(grep -c '^collector read-8-stdin ' "$D/events") $(count '^collector' events)" "1 1"
	check "the shipper ends after it" grep -q '^shipper end' "$D/events"
	same "no error in the log" "$(count 'error:' log)" 0
	mode shipper read
	{ echo records && sleep 1; } | SA_STUB_DIR=$D timeout 20 "$DAEMON" --config "$D/conf" \
		--libexec "$D/libexec" --source stdin >"$D/log" 2>&1
	check "another role finds nothing there" grep -q '^shipper read-0-none ' "$D/events"
	printf '[capture]\nsource = stdin\n' >>"$D/conf"
	echo records | SA_STUB_DIR=$D timeout 20 "$DAEMON" --config "$D/conf" --libexec "$D/libexec" >"$D/log" 2>&1
	same "the same by the configuration" $? 0
	"$DAEMON" --source tape -c "$D/conf" 2>"$D/error"
	same "an unknown source" $? 1
	check "says which there are" grep -q -- "--source: auto, unicast, multicast or stdin" "$D/error"
}

test_options() {
	instance options
	check "-t: a good configuration" "$DAEMON" -t -c "$D/conf"
	same "-t says nothing then" "$("$DAEMON" -t -c "$D/conf" 2>&1)" ""
	check "-T prints what is in force" sh -c "'$DAEMON' -T -c '$D/conf' | grep -q '^dir = $D/var/spool'"
	"$DAEMON" -T -c "$D/conf" >"$D/printed"
	same "which is a configuration" "$("$DAEMON" -T -c "$D/printed")" "$(cat "$D/printed")"
	check "--version" sh -c "'$DAEMON' --version | grep -q '^sessauditd [0-9]'"
	printf '[spool]\ndir = relative\n' >"$D/bad"
	"$DAEMON" -t -c "$D/bad" 2>"$D/error"
	same "-t: a bad configuration" $? 1
	check "says where and why" grep -q "bad:2: spool.dir: " "$D/error"
	"$DAEMON" -t -c "$D/missing" 2>"$D/error"
	same "-t: a missing file" $? 1
	"$DAEMON" --replay x 2>"$D/error"
	same "--replay needs --store" $? 1
	"$DAEMON" --libexec "$D/nowhere" -c "$D/conf" 2>"$D/error"
	same "no roles to run" $? 1
	check "says which" grep -q "cannot run $D/nowhere/sessaudit-collector: No such file" "$D/error"
}

test_root() {
	if [ "$(id -u)" != 0 ]; then
		skip "owners and modes" "needs root"
		return
	fi
	instance root
	mkdir -p "$D/run/ses" "$D/out"
	echo '{}' >"$D/run/ses/7.json"
	chmod 640 "$D/run/ses/7.json"
	echo '{}' >"$D/run/ses/linked"
	ln "$D/run/ses/linked" "$D/out/linked"
	ln -s "$D/conf" "$D/run/ses/link"
	start
	wait_for 10 told READY=1
	user=$(id -gn nobody) ship=$(id -gn daemon)
	modes() { (cd "$D" && stat -c '%n %a %U:%G' "$@"); }
	same "run_dir" "$(modes run)" "run 755 root:root"
	same "run_dir/ses" "$(modes run/ses)" "run/ses 2770 root:$user"
	same "a tag file that was there" "$(modes run/ses/7.json)" "run/ses/7.json 640 root:$user"
	same "not one with a second name" "$(modes run/ses/linked)" "run/ses/linked 644 root:root"
	same "no link is followed" "$(stat -c %G "$D/conf")" root
	same "the spool" "$(modes var/spool)" "var/spool 750 nobody:$ship"
	for sub in open tmp; do
		same "spool/$sub" "$(modes var/spool/$sub)" "var/spool/$sub 2700 nobody:$ship"
	done
	same "spool/state" "$(modes var/spool/state)" "var/spool/state 700 nobody:$user"
	for sub in ready quarantine sent; do
		same "spool/$sub" "$(modes var/spool/$sub)" "var/spool/$sub 2770 nobody:$ship"
	done
	same "spool/ship" "$(modes var/spool/ship)" "var/spool/ship 700 daemon:$ship"
	same "spool/news" "$(stat -c '%F %a %U:%G' "$D/var/spool/news")" "fifo 640 nobody:$ship"
	same "run_dir/ship" "$(modes run/ship)" "run/ship 755 daemon:$ship"
	same "run_dir/collect" "$(modes run/collect)" "run/collect 755 nobody:$user"
	same "run_dir/grants.d" "$(modes run/grants.d)" "run/grants.d 755 root:root"
	check "nothing for a broker that there is not" test ! -e "$D/run/grantd"
	same "the store" "$(modes var/store)" "var/store 750 daemon:$ship"
	with_broker
	reload
	same "run_dir/grants.d with a broker" "$(modes run/grants.d)" "run/grants.d 1775 root:$(id -gn games)"
	same "run_dir/grantd" "$(modes run/grantd)" "run/grantd 755 games:$(id -gn games)"
	stop
	rmdir "$D/var/spool/ready"
	ln -s "$D/out" "$D/var/spool/ready"
	"$DAEMON" --libexec "$D/libexec" -c "$D/conf" 2>"$D/error"
	same "a planted link in the spool is refused" $? 1
	same "and its target untouched" "$(modes out)" "out 755 root:root"
	printf '[agent]\nuser = no-such-user\n' >>"$D/conf"
	"$DAEMON" --libexec "$D/libexec" -c "$D/conf" 2>"$D/error"
	same "a missing user" $? 1
	check "says what to do" grep -q "no-such-user does not exist: run systemd-sysusers" "$D/error"
}

# With the real shipper, and a collector that just makes one object.
test_replay() {
	instance replay
	cp "$SA_BUILD/agent/shipper/sessaudit-shipper" "$D/libexec/"
	cat >"$D/libexec/sessaudit-collector" <<-'END'
		#!/bin/sh
		[ "$1" = --replay ] && [ "$3" = --spool ] || exit 5
		[ "$5 $6 $7 $8 $9" = "--host h --machine-id m --boot-id" ] || exit 6
		cat "$2" || exit 7
		mkdir -p "$4/ready/d" && cp "$2" "$4/ready/d/object"
	END
	mkdir "$D/tmp"
	export TMPDIR="$D/tmp"
	echo "the log" >"$D/log"
	set -- --libexec "$D/libexec" -c "$D/conf" --store "$D/out" --host h --machine-id m --boot-id b
	same "the collector's output is printed" "$("$DAEMON" --replay "$D/log" "$@" 2>&1)" "the log"
	same "what it made is shipped" "$(cat "$D/out/d/object")" "the log"
	same "the scratch spool is gone" "$(ls "$D/tmp")" ""
	"$DAEMON" --replay "$D/none" "$@" >"$D/error" 2>&1
	same "the collector fails" $? 1
	check "that is said" grep -q "sessaudit-collector failed: exit status 7" "$D/error"
	rm -rf "$D/out"
	: >"$D/out"
	"$DAEMON" --replay "$D/log" "$@" >"$D/error" 2>&1
	same "the shipper fails" $? 1
	check "that is said" grep -q "sessaudit-shipper failed: exit status 78" "$D/error"
	same "the scratch spool is gone" "$(ls "$D/tmp")" ""
	printf '#!/bin/sh\ntrap "exit 0" TERM\nmkdir -p "$4/ready"\nsleep 20 & wait\n' >"$D/libexec/sessaudit-collector"
	"$DAEMON" --replay "$D/log" "$@" >"$D/error" 2>&1 &
	pid=$!
	wait_for 5 sh -c "ls $D/tmp/*/ready"
	stop
	same "a signal ends it" "$status $(cat "$D/error")" "1 sessauditd: error: stopped by a signal"
	same "and the scratch spool is gone" "$(ls "$D/tmp")" ""
	# A bucket instead of a directory, with the caller's credentials.
	printf '#!/bin/sh\nmkdir -p "$4/ready"\nenv | grep ^AWS_ACCESS\nexit 0\n' >"$D/libexec/sessaudit-collector"
	printf '#!/bin/sh\necho "$1 $2 $3 $5 $6"\nenv | grep ^AWS_ACCESS\n' >"$D/libexec/sessaudit-shipper"
	same "a store of another kind, and credentials, for the shipper" \
		"$(AWS_ACCESS_KEY_ID=AKIDTEST "$DAEMON" --replay "$D/log" --libexec "$D/libexec" --store s3://bucket/p 2>&1)" \
		"--once --keep-user --spool --store s3://bucket/p
AWS_ACCESS_KEY_ID=AKIDTEST"
	unset TMPDIR
}

start_slow
test_ready
test_restart
test_reload
test_stop
test_four
test_environment
test_halt
test_config_exit
test_supervisor_killed
test_stdin
test_options
test_root
test_replay
test_slow
tap_done
