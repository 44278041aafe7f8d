#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   sudo ./demo.sh
#
# Shows the main job on this machine: builds, starts a private sshd on 127.0.0.1
# whose PAM service has our one line, approves request REQ-1042 for a test user,
# runs real ssh sessions, and prints what the compliance team sees of them. Nothing
# of it stays: users, PAM service, audit rules, processes and files are taken away
# at the end, also after a failure or Ctrl-C.
#
# Without root or the kernel's audit system it shows the same pages from a session
# that was recorded earlier on a real machine.
#
#   SA_BUILD=DIR   use this build tree instead of building
#   SA_RECORD=FILE keep the audit records of the run in FILE
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
cd "$(dirname "$0")" || exit 1
. tests/deps.sh
. tests/e2e/lib.sh
SA_BUILD_GIVEN=${SA_BUILD:-}
. tests/e2e/sshd.sh
. tests/e2e/agent.sh

DEMO_USER=sa-demo-dba
PAM_SERVICE=sshd-demo
E2E_LOCK_WAIT=${E2E_LOCK_WAIT:-60}
RECORDING=$TOP/tests/golden/raw/debian12-demo.audit

say() { printf '\n=== %s\n' "$*"; }
did() { printf '    %s\n' "$*"; }
die() { printf 'demo.sh: %s\n' "$*" >&2; exit 1; }
skip_all() { die "$1"; } # of lib.sh, where a test would be skipped

shown() { # COMMAND...: as a reader would type it, and what it prints
	printf '\n$ sessaudit %s\n' "$*"
	sa "$@" || die "sessaudit $1 failed"
}

# The sources are copied, so that nothing is written into this tree.
build() {
	if [ -n "$SA_BUILD_GIVEN" ]; then
		did "using the build in $SA_BUILD_GIVEN"
		SA_BUILD=$SA_BUILD_GIVEN
		return
	fi
	SA_BUILD=$T/build
	mkdir "$T/src" "$SA_BUILD"
	tar --exclude=./.git --exclude='./build' --exclude='./build-*' --exclude=./config.status \
		-cf - . | tar --no-same-owner -xf - -C "$T/src"
	build_step "autogen" env -C "$T/src" ./autogen.sh
	build_step "configure" env -C "$SA_BUILD" "$T/src/configure"
	build_step "make" make -C "$SA_BUILD" -j "$(nproc)"
}

build_step() { # NAME COMMAND...
	local name=$1
	shift
	did "$name ..."
	"$@" >"$T/build.log" 2>&1 || { tail -n 40 "$T/build.log"; die "$name failed"; }
}

run_sessions() {
	did "an interactive session: commands, a pipeline, text typed into cat, builtins, sudo"
	cp "$E2E_DIR/demo.tty" "$T/demo.tty"
	command -v sudo >/dev/null || sed -i '/^type sudo/,+1d' "$T/demo.tty"
	ssh_tty $DEMO_USER "$T/demo.tty" "$T/tty.log" || { cat "$T/tty.log"; die "ssh failed"; }
	did "one command: ssh host 'uptime; id -un'"
	ssh_as $DEMO_USER 'uptime; id -un' </dev/null >/dev/null || die "ssh failed"
	did "one file: scp report.txt host:"
	echo "disk usage" >"$T/report.txt"
	scp_as $DEMO_USER "$T/report.txt" report.txt || die "scp failed"
}

transcripts_complete() { [ "$(ls "$T"/store/sessions/request=REQ-1042/*/manifest.json | wc -l)" = 3 ]; }

live() {
	say "Starting the agent and a private sshd on 127.0.0.1"
	audit_begin
	agent_prepare || exit 1
	user_add $DEMO_USER || exit 1
	sudo_allow $DEMO_USER || did "no sudo here, so the session does without"
	at_exit agent_stop
	agent_start || die "the agent did not start"
	syslog_private
	sshd_start "session required $MODULE config=$T/sessaudit.conf" || die "sshd did not start"
	did "agent $AGENT_PID reads the kernel's audit stream; sshd $SSHD_PID on port $SSHD_PORT"
	did "PAM line: session required pam_sessaudit.so"

	say "Approving request REQ-1042 for user $DEMO_USER"
	grant demo $DEMO_USER REQ-1042 alice
	did "requested by alice@example.com, approved by bob@example.com and carol@example.com"

	[ -z "${SA_RECORD:-}" ] || record_start "$SA_RECORD" || die "cannot record"
	say "Logging in"
	run_sessions
	did "waiting for the transcripts to arrive in the store"
	wait_for 30 transcripts_complete || { cat "$T/agent.log"; die "no transcripts"; }
	[ -z "${SA_RECORD:-}" ] || record_stop || die "the recording lost records"
}

replayed() { # REASON
	say "This machine cannot record: $1"
	did "So this shows a session that was recorded on a real Debian 12 machine, run through"
	did "the very same stages: sessauditd --replay ${RECORDING#"$TOP/"}"
	mkdir -p "$T/libexec"
	ln -sf "$SA_BUILD/agent/collector/sessaudit-collector" \
		"$SA_BUILD/agent/shipper/sessaudit-shipper" "$T/libexec/"
	"$SA_BUILD/agent/sessauditd" --libexec "$T/libexec" --replay "$RECORDING" \
		--store "$T/store" --host prod-db-1 || die "replay failed"
}

e2e_init
E2E_FAREWELL="
=== Cleaning up"
say "Checking what building needs"
deps_install build run || did "going on without"
say "Building"
build
build_helpers || die "cannot compile tests/e2e/*.c"
[ "$(id -u)" != 0 ] || audit_lock # a test that runs now has the audit stream: wait for its end
why=$(audit_unusable)
if [ "$(id -u)" != 0 ]; then
	replayed "not root (sudo ./demo.sh records a real session)"
elif [ -n "$why" ]; then
	replayed "$why"
else
	live
fi

say "What the compliance team sees"
shown list
shown show REQ-1042
