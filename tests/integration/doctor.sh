#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit doctor: what it says of this host and of a directory as store. A bucket
# is looked at in doctor_s3.sh.

. "$SA_SRC/tests/integration/tap.sh"
sessaudit=$SA_BUILD/cli/sessaudit

cat >"$T/conf" <<EOF
[spool]
dir = $T/spool
[store]
dir = $T/store
[agent]
run_dir = $T/run
EOF
doctor() { "$sessaudit" --config "$T/conf" "$@" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"; }
status() { # AGE FIELD=VALUE...
	"$SA_BUILD/tests/integration/mkstatus" "$T/run/ship" "$@"
}
line() { # CHECK: its status and what it says
	sed -n "s/^\([a-z]*\)  *$1  */\1 /p" "$T/out"
}
says() { # NAME CHECK "STATUS message's beginning"
	case $(line "$2") in
	"$3"*) ok 0 "$1" ;;
	*)
		ok 1 "$1"
		echo "# got:  $(line "$2")"
		echo "# want: $3"
		;;
	esac
}
whole() {
	chmod -R u+rwX "$T/spool" "$T/store" "$T/run" 2>/dev/null
	rm -rf "$T/spool" "$T/store" "$T/run" "$T/pam.d"
	mkdir -p "$T/spool/ready" "$T/store" "$T/run/ship" "$T/pam.d"
	chmod 0750 "$T/spool" "$T/store"
	status 5 stored=12
	service sshd pam_loginuid.so pam_sessaudit.so
}
service() { # NAME MODULE...: its session stack, all required
	name=$1
	shift
	printf 'session required %s\n' "$@" >"$T/pam.d/$name"
}

doctor
same 'nothing there: failed' $? 1
says 'no spool' spool "fail $T/spool: No such file"
says 'no store' store 'fail dir:'
[ "$(id -u)" != 0 ] || says 'no shipper' shipper 'fail it has left no status'

whole
doctor
same 'all is well: success' $? 0
says 'configuration' configuration "ok $T/conf"
says 'spool' spool "ok $T/spool"
says 'usage' spool-usage 'ok 0 bytes in 0 files, of 10.0 GiB; '
says 'shipper' shipper 'ok runs; 12 objects stored since it started, wrote '
says 'store is there' store-away 'ok the shipper can store'
says 'nothing waits' waiting 'ok 0 objects wait'
says 'no quarantine' quarantine 'ok the store takes every object'
says 'no conflicts' conflicts 'ok no key'
says 'the directory' store "ok $T/store: is there and can be read"
says 'the PAM line' pam "ok sshd: $T/pam.d/sshd:2 is well placed"
says 'who may write' store-writers "ok only $(id -un) and root may write"
grep -q 'audit=1' /proc/cmdline && want=ok || want=warn
says 'the kernel command line' audit-at-boot "$want"
[ "$(wc -l <"$T/out")" = "$(cut -c1-8 "$T/out" | grep -c '^\(ok\|warn\|fail\|unknown\) ')" ]
ok $? 'each line begins with its status'

# Each thing taken away is found, and is the only finding.
alone() { # STATUS: of the command; CHECK is the only one that is not ok
	[ "$(grep -v '^ok ' "$T/out" | grep -v audit-at-boot | grep -vc "^[a-z]*  *$1 ")" = 0 ]
	ok $? "$1: nothing else is said to be wrong"
}
status 300 stored=12
doctor
same 'an old status: failed' $? 1
says 'an old status' shipper 'fail has not written its status for 5 minutes'
alone shipper
status 5 away=1 away_since=1795305600 'reason=403 AccessDenied for PUT'
doctor
same 'a store that is away: failed' $? 1
says 'a store that is away' store-away \
	'fail the shipper cannot store since 2026-11-22T00:00:00.000Z: 403 AccessDenied for PUT'
alone store-away
status 5 waiting=7 oldest=299
doctor
says 'objects that just came' waiting 'ok 7 objects wait, the oldest for 4 minutes'
status 5 waiting=7 oldest=400
doctor
same 'objects wait for minutes: no failure' $? 0
says 'objects wait for minutes' waiting 'warn 7 objects wait, the oldest for 6 minutes: until'
alone waiting
status 5 waiting=7 oldest=90000
doctor
same 'objects wait for a day: failed' $? 1
says 'objects wait for a day' waiting 'fail 7 objects wait, the oldest for 25 hours: until'
status 5 quarantined=2
doctor
same 'quarantine: failed' $? 1
says 'quarantine' quarantine "fail the store does not take 2 objects: why is in $T/spool/quarantine"
alone quarantine
status 5 conflicts=1
doctor
same 'a conflict: no failure' $? 0
says 'a conflict' conflicts 'warn 1 keys held other content'
alone conflicts
printf '{"schema":"sessaudit.shipper/9"}' >"$T/run/ship/status.json"
doctor
says 'a status of another version' store-away 'unknown the shipper says nothing'
[ "$(id -u)" != 0 ] || says 'is no status' shipper 'fail its status cannot be understood'
status 5 'away=1' "reason=$(printf 'a\033[31mb')"
doctor
! LC_ALL=C grep -q '[^ -~]' "$T/out" && grep -q 'a\\e\[31mb' "$T/out"
ok $? 'nothing of a status reaches the terminal'

# A broker, where one is configured.
grantd() { # SECONDS-AGO FIELDS: what grantd last wrote
	mkdir -p "$T/run/grantd"
	printf '{"schema":"sessaudit.grantd/1","time":"%s",%s}' \
		"$(date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%S.000Z)" "$2" >"$T/run/grantd/status.json"
}
whole
doctor
same 'no broker: not a word' "$(line broker)" ''
cp "$T/conf" "$T/conf.kept"
printf '[broker]\nurl = https://b.example/g\nkeys = /etc/k.pem\n' >>"$T/conf"
doctor
says 'a broker, no grantd' broker 'fail grantd: it has left no status'
grantd 5 '"away":0,"last_success":1795305600,"received":3,"on_shelf":2'
doctor
says 'grants come' broker 'ok grants come from https://b.example/g; 3 in the last answer, 2 kept'
grantd 5 '"away":1,"last_success":1795305600,"reason":"status 401"'
doctor
same 'a broker that is away: failed' $? 1
says 'a broker that is away' broker \
	'fail the broker cannot be asked: status 401; the grants that came before count until they expire'
grantd 600 '"away":0'
doctor
says 'grantd is silent' broker 'fail grantd has not written its status for 10 minutes'
mv "$T/conf.kept" "$T/conf"

whole
dd if=/dev/zero of="$T/spool/ready/big" bs=1024 count=3000 2>/dev/null
mkdir -p "$T/spool/ready/a/b" && : >"$T/spool/ready/a/b/c"
sed 's/^\[spool\]/&\nmax_bytes = 3100000/' "$T/conf" >"$T/conf-quota"
"$sessaudit" --config "$T/conf-quota" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
says 'a spool over 80 %' spool-usage 'warn 2.9 MiB in 2 files, of 3.0 MiB; '
alone spool-usage
sed 's/^\[spool\]/&\nmax_bytes = 3000000/' "$T/conf" >"$T/conf-quota"
"$sessaudit" --config "$T/conf-quota" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
same 'a full spool: failed' $? 1
says 'a full spool' spool-usage 'fail full: 2.9 MiB in 2 files (2.9 MiB), '
sed 's/^\[spool\]/&\nmin_free = 1000000GiB/' "$T/conf" >"$T/conf-free"
"$sessaudit" --config "$T/conf-free" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
says 'a full disk' spool-usage 'fail full: '

whole
chmod 0755 "$T/spool"
doctor
same 'a spool for everyone: failed' $? 1
says 'a spool for everyone' spool "fail $T/spool is open to every user (mode 0755)"
chmod 0750 "$T/spool"
chmod 0757 "$T/store"
doctor
same 'a store for everyone: failed' $? 1
says 'a store for everyone' store-writers "fail every user may write to $T/store"
alone store-writers
chmod 0770 "$T/store"
doctor
says 'a store for a group' store-writers "warn group $(id -gn) may write to $T/store"
chmod 0750 "$T/store"
rm -rf "$T/spool"
: >"$T/spool"
doctor
says 'no directory' spool "fail $T/spool is not a directory"

# Where the lines of the PAM module stand.
whole
advice() { # COUNT of findings, WORDS that one of them has
	same "pam: $1 findings" "$(grep -c '^[a-z]*  *pam ' "$T/out")" "$1"
	grep -q "^[a-z]*  *pam .*$2" "$T/out"
	ok $? "pam: $2"
}
rm "$T/pam.d/sshd"
doctor
same 'pam: no service: failed' $? 1
says 'pam: no service' pam "fail no service of $T/pam.d has the line: write session required"
service sshd pam_loginuid.so
service login pam_loginuid.so pam_sessaudit.so
doctor
same 'pam: not in sshd: no failure' $? 0
advice 2 'sshd: its session stack has no line'
advice 2 'login: .*/login:2 is well placed'
rm "$T/pam.d/login"
service sshd pam_loginuid.so 'pam_env.so user_readenv=1' pam_sessaudit.so
doctor
same 'pam: after pam_env: failed' $? 1
says 'pam: after pam_env' pam \
	"fail sshd: $T/pam.d/sshd:3, see $T/pam.d/sshd:2: pam_env with user_readenv=1 stands before it"
alone pam
service sshd pam_sessaudit.so pam_loginuid.so
doctor
says 'pam: before pam_loginuid' pam "fail sshd: $T/pam.d/sshd:1: pam_loginuid does not stand"
service login pam_sessaudit.so
service sshd pam_loginuid.so pam_sessaudit.so
doctor
same 'pam: another service: no failure' $? 0
advice 2 'login: .*/login:1: pam_loginuid does not stand'
rm "$T/pam.d/login"
sed -i 's/required pam_sessaudit/optional pam_sessaudit/' "$T/pam.d/sshd"
doctor
says 'pam: optional where nobody is denied' pam 'ok sshd: '
printf '[policy]\ndeny = dba\n' | cat - "$T/conf" >"$T/conf-deny"
"$sessaudit" --config "$T/conf-deny" doctor --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
same 'pam: optional where dba may be denied: failed' $? 1
says 'pam: optional where dba may be denied' pam "fail sshd: $T/pam.d/sshd:2: it is optional"
echo 'auth optional pam_sessaudit.so' >>"$T/pam.d/sshd"
doctor
says 'pam: the auth stack asks' pam \
	"ok sshd: $T/pam.d/sshd:2 is well placed; the auth stack asks for a reason"
rm -r "$T/pam.d"
doctor
says 'pam: no directory' pam "fail open $T/pam.d: No such file"
rm -rf "$T/spool"

# Elsewhere than on the host of an agent.
rm -f "$T/spool"
doctor --store "$T/store"
same 'an auditor: success' $? 0
same 'an auditor: nothing of a host' "$(wc -l <"$T/out")" 3
doctor --store "$T/nowhere"
same 'no such store: failed' $? 1
says 'no such store' store "fail dir:$T/nowhere"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	whole
	chmod 0700 "$T/spool" "$T/run/ship"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$sessaudit" --config "$T/conf" doctor \
		--pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
	same 'without rights: no failure' $? 0
	says 'without rights: the usage is not known' spool-usage "unknown $T/spool is not ours to read"
	says 'without rights: nor the store' store 'unknown dir:'
	says 'without rights: nor the shipper' shipper 'unknown its status is not ours to read'
fi

whole
status 5 quarantined=2
"$sessaudit" --config "$T/conf" doctor --json --pam-dir "$T/pam.d" >"$T/out" 2>"$T/err"
same 'as JSON: the same exit status' $? 1
if command -v jq >/dev/null; then
	same 'as JSON: what failed' "$(jq -r '.schema, .failed, (.checks[] | select(.status == "fail") |
		.check)' "$T/out" | tr '\n' ' ')" 'sessaudit.doctor/1 1 quarantine '
	same 'as JSON: all checks' "$(jq '.checks | length' "$T/out")" 12
fi
echo 'nonsense' >"$T/bad"
"$sessaudit" --config "$T/bad" doctor >"$T/out" 2>"$T/err"
same 'a broken configuration: failed' $? 1
says 'a broken configuration' configuration "fail $T/bad"
same 'a broken configuration: nothing else is asked' "$(wc -l <"$T/out")" 1
"$sessaudit" doctor extra >"$T/out" 2>"$T/err"
same 'doctor takes no argument' $? 2
if [ -w /dev/full ]; then
	"$sessaudit" --config "$T/conf" doctor >/dev/full 2>"$T/err"
	same 'a full disk is no success' $? 1
fi

tap_done
