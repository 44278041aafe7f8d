#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# pam_sessaudit.so through the real libpam, against the kernel's own audit. Needs root; takes the
# lock of all tests that change the audit state, and puts that back.
set -u
MODULE=$SA_BUILD/pam_sessaudit/.libs/pam_sessaudit.so
SESSION=$SA_BUILD/tests/integration/pam_session
LOCK=/run/lock/sessaudit-audit-test.lock
LOGIN_UID=54321

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

[ "$(id -u)" = 0 ] || skip "needs root"
[ -e "$MODULE" ] || skip "the module is not built"
[ "$(cat /proc/self/loginuid 2>/dev/null)" ] || skip "no audit in this kernel"
command -v flock >/dev/null || skip "needs flock"
AUDITSTATE=$SA_BUILD/tests/e2e/auditstate
audit_enabled() { "$AUDITSTATE" get 2>/dev/null | tr ' ' '\n' | sed -n 's/^enabled=//p'; }
audit_set() { "$AUDITSTATE" set "enabled=$1"; }
enabled=$(audit_enabled)
[ "$enabled" ] || skip "the kernel's audit is out of reach"
[ "$enabled" != 2 ] || skip "the audit configuration is locked"

exec 9>"$LOCK"
flock -w 300 9 || skip "another test holds $LOCK"
enabled=$(audit_enabled)
T=$(mktemp -d)
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
	audit_set "$enabled"
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

n=0 failed=0
ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		sed 's/^/#   /' "$T/out"
	fi
}
has() { # NAME LINE: the output has exactly this line
	grep -qxF -- "$2" "$T/out"
	ok $? "$1"
}
like() { # NAME REGEX
	grep -qE -- "$2" "$T/out"
	ok $? "$1"
}
lacks() { # NAME REGEX
	! grep -qE -- "$2" "$T/out"
	ok $? "$1"
}
count() { # NAME WANT REGEX
	[ "$(grep -cE -- "$3" "$T/out")" = "$2" ]
	ok $? "$1"
}

# Every session opens and closes well, whatever the module finds.
session() { # ARGUMENTS: of pam_session, whose output goes to $T/out
	"$@" >"$T/out" 2>&1
	rc=$?
	[ $rc != 77 ] || skip "this libpam has no pam_start_confdir"
	[ $rc = 0 ] || ok 1 "session: $*"
	! grep -qE '^(open|close) [^0]|^failed' "$T/out" || ok 1 "session: $*"
	[ "$(grep -cE '^open 0' "$T/out")" = "$(grep -cE '^close 0' "$T/out")" ] ||
		ok 1 "session: $*"
}
login() { session "$SESSION" -l $LOGIN_UID "$@"; }

service() { # NAME OPTIONS...: one line of the module for each argument after the name
	name=$1
	shift
	for options; do
		echo "session required $MODULE config=$T/conf $options"
	done >"$T/pam/$name"
}
grant() { # FILE REQUEST [MORE]
	printf '{"schema":"sessaudit.grant/1","grant_id":"g-%s","request":{"id":"%s"%s},%s}\n' \
		"$2" "$2" "${3:-}" \
		'"expires_at":"2099-01-01T00:00:00Z","match":{"users":["root"]}' >"$T/grants/$1"
}
fresh() {
	rm -rf "$T/grants" "$T/run"
	mkdir "$T/grants"
}

mkdir "$T/pam"
printf '[pam]\ngrants_dir = %s/grants\n[agent]\nrun_dir = %s/run\n' "$T" "$T" >"$T/conf"
tag_file() { echo "$T/run/ses/$(sed -n 's/^ses //p' "$T/out").json"; }
audit_set 1

# --- only the two entry points are seen, and nothing is linked that reaches a network ---
nm -D --defined-only "$MODULE" | awk '{ print $NF }' | sort >"$T/out"
[ "$(tr '\n' ' ' <"$T/out")" = "pam_sm_close_session pam_sm_open_session " ]
ok $? "exported symbols"
nm -D --undefined-only "$MODULE" | awk '{ print $NF }' >"$T/out"
# A sanitizer keeps what the linker would leave out.
grep -q '^__[au]b\?san_' "$T/out" || lacks "no calls that a module must not make" \
	'^(getenv|secure_getenv|exit|_exit|abort|signal|sigaction|pthread_create|fork|connect|getaddrinfo|gethostbyname)(@|$)'

# --- TTY audit is set and put back ---
fresh
service plain ''
login "$T/pam" plain
has "before: off" "tty before 0 0"
has "nothing said: everyone is recorded" "tty open 1 0"
has "after: off again" "tty closed 0 0"
service both 'enable=*' 'disable=*'
login "$T/pam" both
has "enable, then disable by a second instance: off" "tty open 0 0"
has "enable, then disable: put back" "tty closed 0 0"
service both 'disable=*' 'enable=*'
login -e "$T/pam" both
has "disable, then enable: on, without passwords" "tty open 1 0"
has "disable, then enable: put back, with passwords" "tty closed 1 1"
service off 'disable=*'
login -e "$T/pam" off
has "disable: off" "tty open 0 0"
has "disable: put back" "tty closed 1 1"
service other 'enable=nobody'
login -e "$T/pam" other
has "no pattern fits: unchanged" "tty open 1 1"
service once 'open_only log_passwd'
login "$T/pam" once
has "open_only log_passwd: on, with passwords" "tty open 1 1"
has "open_only: stays" "tty closed 1 1"
service uids 'disable=* enable=:0'
login "$T/pam" uids
has "uid range" "tty open 1 0"
service groups "disable=* group=nosuchgroup,$(id -gn root)"
login "$T/pam" groups
has "group" "tty open 1 0"
service groups "disable=* group=nosuchgroup"
login "$T/pam" groups
has "not in the group" "tty open 0 0"

# --- the tag, as the kernel sends it ---
fresh
grant a.json REQ-1042 ',"justification":"INC-77: disk'\''s full","approvals":[{"by":"bob"}]'
login -m -r 10.1.2.3 -t ssh "$T/pam" plain
has "approved by user: the tag decodes" "tag approved REQ-1042 root 10.1.2.3"
ses=$(sed -n 's/^ses //p' "$T/out")
like "the kernel says who and where" "^record .* uid=0 auid=$LOGIN_UID ses=$ses "
like "the tail is libaudit's" \
	'^record .* exe="[^"]*/pam_session" hostname=10.1.2.3 addr=10.1.2.3 terminal=ssh res=success.$'
count "one tag" 1 '^tag '
like "one line about the login" \
	"^log 6 .*user=root auid=$LOGIN_UID ses=$ses status=approved request=REQ-1042 grant=g-REQ-1042 keystrokes=on\$"
count "nothing else is said" 1 '^log '
file=$(tag_file)
[ "$(stat -c '%a %u' "$file" 2>&1)" = "640 0" ]
ok $? "the tag file is root's"
grep -q "\"auid\":$LOGIN_UID,.*\"source\":\"10.1.2.3\".*\"justification\":\"INC-77: disk's full\"" "$file"
ok $? "the tag file has it all"
[ "$(stat -c %a "$T/run") $(stat -c %a "$T/run/ses")" = "755 750" ]
ok $? "the directories are made"
login -m -r host.example.com "$T/pam" plain
has "a host name is no address, and not looked up" "tag approved REQ-1042 root -"
like "a host name does not go into the record" "hostname=\? addr=\? terminal=\?"
service quiet 'quiet'
login "$T/pam" quiet
count "quiet" 0 '^log '

login -m -u nobody "$T/pam" plain
has "unapproved: the tag" "tag unapproved - nobody -"
like "unapproved: the line" "status=unapproved request=- keystrokes=on\$"
grant b.json REQ-7
login -m "$T/pam" plain
has "ambiguous: the tag" "tag ambiguous - root -"
like "ambiguous: all ids" "status=ambiguous request=REQ-1042,REQ-7 "

# --- a service within the session inherits ---
fresh
grant a.json REQ-1
login -m "$T/pam" plain quiet
count "nested: one tag" 1 '^tag '
service inner ''
login "$T/pam" plain inner
like "nested: says so" "inner:session.*request=REQ-1 grant=g-REQ-1 inherited=yes"
# The next session number, to leave a file there before its login.
next() { echo $(($(sed -n 's/^ses //p' "$T/out") + 1)); }
stale() { # SED-PROGRAM: last login's tag file, changed, for the next one
	id=$(next)
	sed "s/\"ses\":[0-9]*/\"ses\":$id/; $1" "$(tag_file)" >"$T/run/ses/$id.json"
	chmod 640 "$T/run/ses/$id.json"
}
stale 's/REQ-1/REQ-OLD/'
login -m "$T/pam" plain
like "a tag file of this boot and user is inherited" "request=REQ-OLD .*inherited=yes"
stale 's/REQ-OLD/REQ-X/; s/"boot_id":"[^"]*"/"boot_id":"00000000-0000-0000-0000-000000000000"/'
login -m "$T/pam" plain
has "one of another boot is not" "tag approved REQ-1 root -"
stale 's/REQ-1/REQ-X/; s/"auid":[0-9]*/"auid":7/'
login -m "$T/pam" plain
has "one of another login uid is not" "tag approved REQ-1 root -"
stale 's/REQ-1/REQ-X/'
chown 1234 "$T/run/ses/$(next).json"
login -m "$T/pam" plain
has "one of another owner is not" "tag approved REQ-1 root -"
like "one of another owner is reported" "tag file not believed: .*owner 1234: must belong to 0"

# --- grants that are not fit to be believed ---
bad() { # NAME MESSAGE: $T/grants/x.json is to be skipped with this message
	login -m "$T/pam" plain
	count "$1: one message" 1 "^log 4 .*grant skipped: $T/grants/x.json: $2"
	has "$1: unapproved" "tag unapproved - root -"
	rm -rf "$T/grants/x.json"
}
fresh
echo '{"schema":"sessaudit.grant/1"' >"$T/grants/x.json"
bad "broken" ".*"
head -c 65537 /dev/zero | tr '\0' ' ' >"$T/grants/x.json"
bad "oversized" "larger than 65536 bytes"
grant x.json R && chmod 0646 "$T/grants/x.json"
bad "world-writable" "mode 0646: must not be writable by group or others"
grant x.json R && chmod 0664 "$T/grants/x.json"
bad "group-writable" "mode 0664: must not be writable by group or others"
grant x.json R && chown 1234 "$T/grants/x.json"
bad "wrong owner" "owner 1234: must belong to 0"
grant real R && ln -s real "$T/grants/x.json"
bad "symbolic link" "is a symbolic link"
grant real R && ln "$T/grants/real" "$T/grants/x.json"
bad "hard link" "2 links: must have no other name"
mkfifo "$T/grants/x.json"
bad "FIFO" "not a regular file"
mkdir "$T/grants/x.json"
bad "directory" "not a regular file"
grant x.json "$(printf 'R\377')"
bad "not UTF-8" ".*"
grant x.json R ',"id":"S"'
bad "duplicate key" ".*id"
grant x.json R && sed -i 's/"users"/"source":["10.0.0.0\/8"],"users"/' "$T/grants/x.json"
login -m "$T/pam" plain
count "a criterion of a later version is reported" 1 \
	"^log 5 .*grant $T/grants/x.json: names a source, key or certificate: not checked yet"
has "a criterion of a later version does not match" "tag unapproved - root -"
grant x.json R && sed -i 's/2099/2001/' "$T/grants/x.json"
login "$T/pam" plain
like "expired: the line says why" "status=unapproved request=- .*x.json: expired\)"
for i in $(seq 40); do echo x >"$T/grants/b$i.json"; done
login "$T/pam" plain
count "many broken files do not flood the log" 16 'grant skipped'
like "the rest is counted" "24 more lines about grants left out"

# --- options and configuration ---
fresh
grant a.json REQ-1
service unknown 'enabel=* debug'
login -m "$T/pam" unknown
like "unknown option" "^log 3 .*unknown:session.*unknown option \"enabel=\*\": passed over; known are enable= "
has "unknown option: the login goes on" "tag approved REQ-1 root -"
like "debug" "^log 7 .*a.json: fits"
printf '[pam]\nlog_passwd = yes\n[agent]\nrun_dri = x\n' >"$T/broken"
sed "s|$T/conf|$T/broken|" "$T/pam/plain" >"$T/pam/broken"
unshare -m sh -c 'mount -t tmpfs none /run && exec "$@"' - \
	"$SESSION" -l $LOGIN_UID "$T/pam" broken >"$T/out" 2>&1
ok $? "broken configuration: the login goes on"
like "broken configuration: file and line" "^log 3 .*$T/broken:4: .*run_dri.*: defaults are used"
has "broken configuration: defaults" "tty open 1 0"
sed "s|$T/conf|$T/missing|" "$T/pam/plain" >"$T/pam/missing"
unshare -m sh -c 'mount -t tmpfs none /run && exec "$@"' - \
	"$SESSION" -l $LOGIN_UID "$T/pam" missing >"$T/out" 2>&1
like "missing configuration" "^log 3 .*$T/missing.*: defaults are used"

# --- what cannot be written or recorded ---
printf '[pam]\ngrants_dir = %s/grants\n[agent]\nrun_dir = /proc/none\n' "$T" >"$T/norun"
sed "s|$T/conf|$T/norun|" "$T/pam/plain" >"$T/pam/norun"
login -m "$T/pam" norun
like "no tag file: said" "^log 3 .*tag file not written: "
has "no tag file: the tag is sent all the same" "tag approved REQ-1 root -"
# Its output is a pipe, since a file is what it may not write.
"$SESSION" -l $LOGIN_UID -f 0 "$T/pam" plain 2>&1 | cat >"$T/out"
has "a file size limit of 0: the login goes on" "close 0"
[ -s "$(tag_file)" ]
ok $? "a file size limit of 0: the tag file is there"
"$SESSION" -l $LOGIN_UID -F 0 "$T/pam" plain 2>&1 | cat >"$T/out"
has "a hard file size limit of 0: the login goes on" "close 0"
[ -s "$(tag_file)" ] || grep -q '^log 3 .*tag file not written: file size limit' "$T/out"
ok $? "a hard file size limit of 0: the tag file is there, or said to be missing"
session "$SESSION" "$T/pam" plain
if [ "$(sed -n 's/^ses //p' "$T/out")" = 4294967295 ]; then
	count "no session id: one line" 1 \
		'^log 4 .*not recorded: access context .*"plain" pam_loginuid must stand before'
	has "no session id: keystrokes all the same" "tty open 1 0"
else
	echo "ok $((n += 1)) - no session id # SKIP the test itself runs in an audit session"
fi

audit_set 0
login "$T/pam" plain
count "audit off: one line" 1 '^log 4'
like "audit off: the line" \
	'^log 4 .*not recorded: commands, keystrokes and access context \(audit is off in the kernel: enabled 0\)$'
like "audit off: the request is found" "status=approved request=REQ-1"
has "audit off: TTY audit is set for when it is switched on" "tty open 1 0"
audit_set 1

inside() { # UNSHARE-OPTIONS: a login in namespaces of its own, with a session id
	session sh -c 'echo '$LOGIN_UID' >/proc/self/loginuid && exec "$@"' - \
		unshare "$@" "$SESSION" "$T/pam" plain
}
fresh
grant a.json REQ-1
if unshare --user --map-root-user true 2>/dev/null; then
	inside --user --map-root-user
	count "user namespace: one line" 1 '^log 4'
	like "user namespace: the line" \
		'not recorded: access context and keystrokes \(the kernel.s audit is out of reach, as in a container: Connection refused\)$'
else
	echo "ok $((n += 1)) - user namespace # SKIP user namespaces are not allowed here"
fi
inside --pid --fork --mount-proc
count "pid namespace: one line" 1 '^log 4'
like "pid namespace: the line" 'not recorded: .*\(the kernel.s audit is out of reach, as in a container: Operation not permitted\)$'
inside --net
lacks "network namespace: nothing is missing, or one line" '^log [0-3]'
[ "$(grep -c '^log 4' "$T/out")" -le 1 ]
ok $? "network namespace: at most one line"

echo "1..$n"
exit $failed
