#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   sudo ./check.sh [--strict] [PART...]
#
# Everything that can be checked on this machine: builds with gcc and clang, unit,
# integration and golden tests, fuzz corpora, sanitizers, valgrind, packages, and the
# end-to-end tests on the real kernel with a real sshd. Installs what it needs where
# that is missing. Writes only into build-check/ (or SA_CHECK_DIR).
#
# Every part speaks TAP. Failing points are shown with their log; the last line is
# `N passed, N failed`. With --strict or CI=true a skipped test is a failure unless
# its reason stands in .ci/allowed-skips. Not root: runs what it can and says what
# it left out. Named parts only: see `parts` below.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
cd "$(dirname "$0")" || exit 1
TOP=$PWD
OUT=${SA_CHECK_DIR:-$TOP/build-check}
export AWS_EC2_METADATA_DISABLED=true # no test asks this machine for credentials
export SA_S3_ROOT=${SA_S3_ROOT:-$OUT/s3-root}
JOBS=$(nproc)
[ "$JOBS" -le 4 ] || JOBS=4
. tests/deps.sh

# A part is a function below, or a script in tests/e2e.
# Parts that need the gcc build run after it, in lanes beside each other. The e2e lane is one after
# the other: there is one kernel audit stream.
first=(sources gcc)
lanes=("clang fuzz" "sanitizers valgrind" "distcheck packages" "s3_server s3"
	"session ten_sessions faults everything tamper losses secrets beside_auditd access_certs access_policy access_nested access_files
		access_attacks access_broker demo s3_live s3_kills")

# --- TAP points made here ---

POINTS=0
point() { # STATUS NAME
	POINTS=$((POINTS + 1))
	[ "$1" = 0 ] && echo "ok $POINTS - $2" || echo "not ok $POINTS - $2"
}

skip() { # REASON NAME
	POINTS=$((POINTS + 1))
	echo "ok $POINTS - $2 # SKIP $1"
}

quietly() { # NAME COMMAND...: the end of the output is shown only when it fails
	local name=$1 log rc=0
	shift
	log=$(mktemp "$OUT/log/step.XXXXXX")
	"$@" >"$log" 2>&1 || rc=$?
	point $rc "$name"
	[ $rc = 0 ] || show_log "$log"
	return $rc
}

# The errors in it, and its end.
show_log() { # FILE
	{
		grep -aEv '^(PASS|ok)' "$1" |
			grep -anE -A 4 '(error|warning|undefined|[Cc]annot|Error|FAIL|ERROR|not ok)[: ]' |
			head -n 60
		echo ...
		tail -n 20 "$1"
	} | sed 's/^/# /'
}

end_points() { echo "1..$POINTS"; }

# --- building ---

configure_in() { # DIRECTORY CONFIGURE-ARG...
	local dir=$1
	shift
	mkdir -p "$dir" && cd "$dir" && "$OUT/src/configure" -q "$@"
}

# One point for every point of `make check`, read from the logs that automake's TAP driver writes.
make_check() { # NAME DIRECTORY
	local trs log result test
	find "$2" -name '*.trs' -delete
	(cd "$2" && make -j "$JOBS" -k check) >"$2/check.log" 2>&1
	while read -r trs; do
		log=${trs%.trs}.log
		while IFS=' ' read -r result test; do
			case $result in
			PASS: | XFAIL:) point 0 "$1: $test" ;;
			SKIP:) skip "${test##*# SKIP }" "$1: ${test%% # SKIP*}" ;;
			*) point 1 "$1: $test" ;;
			esac
		done < <(grep -aE '^(PASS|XFAIL|SKIP|FAIL|XPASS|ERROR): ' "$log")
		grep -qaE '^(FAIL|XPASS|ERROR): ' "$log" && show_log "$log"
	done < <(find "$2" -name '*.trs' | sort)
	grep -q '^# TOTAL' "$2/check.log"
	point $? "$1: make check ran to its end"
	grep -q '^# TOTAL' "$2/check.log" || show_log "$2/check.log"
}

build() { # NAME CONFIGURE-ARG...
	local name=$1
	shift
	quietly "$name: configure $*" configure_in "$OUT/$name" --enable-werror "$@" &&
		quietly "$name: make without a warning" make -C "$OUT/$name" -j "$JOBS" &&
		make_check "$name" "$OUT/$name"
}

# --- parts ---

# Runs on a copy, so that a checkout stays as it is and everyone may own it.
part_sources() {
	rm -rf "$OUT/src"
	mkdir -p "$OUT/src"
	tar --exclude=./.git --exclude='./build' --exclude='./build-*' --exclude=./config.status \
		-cf - . | tar --no-same-owner -xf - -C "$OUT/src"
	quietly "autogen.sh" "$OUT/src/autogen.sh"
	quietly "ARCHITECTURE names every file" architecture_is_complete
	quietly "shell scripts are clean" lint_scripts
}

tracked() {
	git -c safe.directory='*' ls-files 2>/dev/null
}

# Each source file is named, by its path or by its name without the suffix.
architecture_is_complete() {
	local f missing=0
	[ -f ARCHITECTURE.md ] || return 1
	for f in $(tracked | grep -E '^(agent|cli|common|pam_sessaudit)/.*\.[ch]$'); do
		grep -qE "(^|[^a-z_])$(basename "${f%.*}")([^a-z_]|$)" ARCHITECTURE.md && continue
		echo "not in ARCHITECTURE.md: $f"
		missing=1
	done
	return $missing
}

lint_scripts() {
	shellcheck -x -S error demo.sh check.sh tests/*.sh tests/*/*.sh
}

part_gcc() { build gcc CC=gcc; }
part_clang() { build clang CC=clang; }
part_sanitizers() { build sanitizers CC=gcc --enable-sanitizers; }

part_fuzz() {
	local target name
	quietly "fuzz: configure" configure_in "$OUT/fuzz" CC=clang --enable-fuzzing \
		--enable-sanitizers || return
	quietly "fuzz: make" make -C "$OUT/fuzz" -j "$JOBS" check TESTS= || return
	rm -rf "$OUT/fuzz/new"
	for target in "$OUT"/fuzz/tests/fuzz/fuzz_*; do
		[ -x "$target" ] && [ ! -d "$target" ] || continue
		name=${target##*/fuzz_}
		mkdir -p "$OUT/fuzz/new/$name"
		quietly "fuzz: $name, ten seconds beyond its corpus" "$target" -max_total_time=10 \
			-timeout=10 -artifact_prefix="$OUT/fuzz/new/" "$OUT/fuzz/new/$name" \
			"$TOP/tests/fuzz/corpus/$name"
	done
}

part_valgrind() { script tests/integration/valgrind_replay.sh; }

part_distcheck() {
	quietly "make distcheck" make -C "$OUT/gcc" -j "$JOBS" distcheck
}

part_packages() {
	local f rc=0
	for f in tests/packaging/*.sh; do
		[ "${f##*/}" = lib.sh ] || bash "$f" || rc=1
	done
	return $rc
}

# A private, newer S3 server; what needs it says so when it cannot be had.
part_s3_server() {
	quietly "an S3 server is unpacked" "$OUT/src/tests/s3/mkroot.sh" "$SA_S3_ROOT"
}

part_s3() {
	local test rc=0
	for test in $(make -s -C "$OUT/gcc" list-s3-tests); do
		script "$test" || [ $? = 77 ] || rc=1
	done
	return $rc
}

part_demo() {
	quietly "demo.sh" env SA_BUILD="$OUT/gcc" E2E_LOCK_WAIT=500 "$OUT/src/demo.sh"
}

script() { # a TAP script on the gcc build
	env SA_SRC="$OUT/src" SA_BUILD="$OUT/gcc" "$OUT/src/$1"
}

limit() { # PART: seconds it may take
	case $1 in
	valgrind | distcheck | packages | s3) echo 900 ;;
	*) echo 600 ;;
	esac
}

# --- running parts and adding up ---

run_part() { # NAME
	local start=$SECONDS rc=0
	timeout -k 60 "$(limit "$1")" "$TOP/check.sh" --part "$1" >"$OUT/log/$1.tap" 2>"$OUT/log/$1.err" \
		</dev/null || rc=$?
	echo "$rc $((SECONDS - start))" >"$OUT/log/$1.end"
	tell_part "$1"
}

# One line for each part as it ends, and the log of what failed.
tell_part() { # NAME
	local rc seconds p f s
	read -r rc seconds <"$OUT/log/$1.end"
	add_up "$1" "$rc" >"$OUT/log/$1.sum"
	{
		read -r p f s <"$OUT/log/$1.sum"
		printf '%-14s %s passed, %s failed, %s skipped (%s s)\n' "$1" "$p" "$f" "$s" "$seconds"
		tail -n +2 "$OUT/log/$1.sum"
	} | flock "$OUT/log/.tell" cat
}

# "passed failed skipped" and then, on further lines, each failing point with the comments after it.
add_up() { # NAME STATUS
	awk -v part="$1" -v status="$2" -v strict="$STRICT" -v allowed="$TOP/.ci/allowed-skips" '
		function fail(text) { failed++; report = report "    " part ": " text "\n"; bad = 1 }
		BEGIN { while ((getline line < allowed) > 0) if (line !~ /^#/) fine[line] = 1 }
		/^(ok|not ok|1\.\.0)/ { bad = 0 }
		/# SKIP/ {
			reason = $0; sub(/.*# SKIP */, "", reason)
			if (strict && !(reason in fine)) fail("skipped: " $0)
			else { skipped++; report = report "    " part ": skipped: " reason "\n" }
			next
		}
		/^ok/ { passed++; points++ }
		/^not ok/ { fail($0); points++ }
		/^#/ && bad { report = report "        " $0 "\n" }
		END {
			if (!failed && status != 0 && status != 77) fail("ended with status " status)
			if (!passed && !failed && !skipped) fail("no test point")
			printf "%d %d %d\n%s", passed, failed, skipped, report
		}' "$OUT/log/$1.tap"
	# the last words of a part that died
	[ "$2" = 0 ] || [ "$2" = 77 ] || tail -n 15 "$OUT/log/$1.err" | sed 's/^/        stderr: /'
}

run_lane() { # PART...
	local p
	for p in "$@"; do
		run_part "$p"
	done
}

total() {
	local passed=0 failed=0 skipped=0 p f s
	for sum in "$OUT"/log/*.sum; do
		read -r p f s <"$sum"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	[ "$skipped" = 0 ] && skipped= || skipped=", $skipped skipped"
	echo "$passed passed, $failed failed$skipped"
	[ "$failed" = 0 ]
}

# Ends the parts too: each is a process group of its own through timeout.
stop_all() {
	trap '' INT TERM
	local pid
	for pid in $(jobs -p); do
		pkill -TERM -P "$pid" timeout
	done
	wait
	exit 130
}

main() {
	local parts=("$@") lane
	mkdir -p "$OUT/log"
	rm -f "$OUT"/log/*
	deps_install build run check || echo "some checks will fail or be skipped"
	deps_install s3 || echo "tests against a real S3 server will be skipped"
	[ "$(id -u)" = 0 ] || echo "not root: the end-to-end tests are left out"
	trap stop_all INT TERM
	if [ ${#parts[@]} -gt 0 ]; then
		run_lane "${parts[@]}" & wait
	else
		run_lane "${first[@]}" & wait
		for lane in "${lanes[@]}"; do
			# shellcheck disable=SC2086 # a list
			run_lane $lane &
		done
		wait
	fi
	total
}

STRICT=
[ "${CI:-}" != true ] || STRICT=1
if [ "${1:-}" = --strict ]; then
	STRICT=1
	shift
fi
if [ "${1:-}" = --part ]; then
	if declare -F "part_$2" >/dev/null; then
		"part_$2"
	else
		script "tests/e2e/$2.sh"
	fi
	rc=$?
	[ $POINTS = 0 ] || end_points
	exit $rc
fi
main "$@"
