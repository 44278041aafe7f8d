#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/pam.sh [--check] [ROUNDS]
#
# What pam_sessaudit adds to opening and closing a session, beside pam_tty_audit in the
# same rounds, audit switched on, with 10, 1,000 and 4,096 grants: one of them fits the
# user; none does; one is signed; a certificate names it; and of a login that has to ask
# whether audit is on (the first in a second). Microseconds over pam_permit alone. With
# --check exits 1 when the median of ours at 1,000 grants is above that of pam_tty_audit.
# What a kernel thread's start costs decides about the latter: best on a quiet machine.
#
# PAM services and grants lie in directories of their own, no audit rule is made, and
# the audit state is put back. Needs root. Not part of `make check`.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
MODULE=$SA_BUILD/pam_sessaudit/.libs/pam_sessaudit.so
CHECK=''
[ "${1:-}" != --check ] || { CHECK=1 && shift; }
ROUNDS=${1:-2000}
USER_NAME=nobody
. "$SA_SRC/tests/e2e/lib.sh"
e2e_init
[ "$(id -u)" = 0 ] || skip_all "not root"
[ -e "$MODULE" ] || { echo "no module in $SA_BUILD: make first"; exit 1; }
# The run directory is on tmpfs, as in production.
RUN=/run
[ "$(stat -f -c %T $RUN)" = tmpfs ] || RUN=/dev/shm
RUN=$(mktemp -d "$RUN/sessaudit-bench.XXXXXX") || exit 1
at_exit 'rm -rf "$RUN"'
mkdir "$T/pam" "$T/ca.d" "$RUN/ses"

grant() { # REQUEST USER [MORE-MATCH]
	printf '{"schema":"sessaudit.grant/1","grant_id":"g-%s","request":{"id":"%s","justification":"%s"},' \
		"$1" "$1" "INC-77: the disk of the first database is full"
	printf '"issued_at":"2026-01-01T00:00:00Z","expires_at":"2099-01-01T00:00:00Z",'
	printf '"match":{"users":["%s"]%s},"hosts":["%s"]}\n' "$2" "${3:-}" "$(uname -n)"
}

# As sshd's.
service() { # NAME GRANTS-DIRECTORY [LINES-OF-CONFIGURATION]
	mkdir -p "$RUN/$1"
	ln -s ../ses "$RUN/$1/ses" # one directory for all, so that pambench can remove tag files
	printf '[agent]\nrun_dir = %s\n[pam]\nssh_services = %s\ngrants_dir = %s\n%b' \
		"$RUN/$1" "$1" "$T/$2" "${3:-}" >"$T/$1.conf"
	printf 'session required pam_permit.so\nsession required %s config=%s\n' \
		"$MODULE" "$T/$1.conf" >"$T/pam/$1"
}

fill() { # DIRECTORY COUNT: grants of others
	local i more
	mkdir -p "$T/$1"
	more=$(grant REQ-OTHER user-other)
	for ((i = 1; i <= $2; i++)); do
		printf '%s\n' "${more//other/$i}" >"$T/$1/$i.json"
	done
}

signed() { # GRANT-FILE: the envelope around it
	openssl pkeyutl -sign -rawin -inkey "$T/signer" -in "$1" -out "$T/signature"
	printf '{"schema":"sessaudit.signed-grant/1","grant":"%s","signature":"%s"}\n' \
		"$(base64 -w 0 "$1")" "$(base64 -w 0 "$T/signature")"
}

printf 'session required pam_permit.so\n' >"$T/pam/permit"
: >"$T/pam/other"
printf 'session required pam_permit.so\nsession required pam_tty_audit.so enable=*\n' >"$T/pam/tty_audit"
openssl genpkey -algorithm ed25519 -out "$T/signer" 2>/dev/null
openssl pkey -in "$T/signer" -pubout -out "$T/signer.pub"
for n in 10 1000 4096; do
	service "grants_$n" "grants.$n"
	fill "grants.$n" $((n - 1))
	grant REQ-1 $USER_NAME >"$T/grants.$n/root.json"
done
service asked_1000 grants.1000
mkdir "$RUN/asked_1000/audit.on" # where the answer would be remembered
service none_1000 grants.none
fill grants.none 1000
service signed_1000 grants.signed "[broker]\nkeys = $T/signer.pub\n"
fill grants.signed 999
grant REQ-1 $USER_NAME >"$T/plain"
signed "$T/plain" >"$T/grants.signed/root.json"
service cert_1000 grants.cert "ca_dir = $T/ca.d\n"
fill grants.cert 999
grant REQ-1 $USER_NAME >"$T/grants.cert/root.json"
ssh-keygen -q -t ed25519 -N '' -f "$T/ca" -C ''
ssh-keygen -q -t ed25519 -N '' -f "$T/key" -C ''
ssh-keygen -q -s "$T/ca" -I REQ-1/root -n root -O extension:request-id@sessaudit=REQ-1 "$T/key.pub"
cp "$T/ca.pub" "$T/ca.d/ca.pub"
sed 's/^/publickey /' "$T/key-cert.pub" | cut -d ' ' -f 1-3 >"$T/info"

${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -o "$T/pambench" "$SA_SRC/tests/bench/pambench.c" -lpam ||
	exit 1
audit_begin
"$T/pambench" "$T/pam" "$RUN/ses" "$ROUNDS" $USER_NAME permit tty_audit grants_10 grants_1000 \
	grants_4096 asked_1000 none_1000 signed_1000 "cert_1000@$T/info" >"$T/result" 9>&-
rc=$?
[ $rc != 77 ] || skip_all "this libpam has no pam_start_confdir"
[ $rc = 0 ] || exit 1
echo "$ROUNDS rounds, microseconds over pam_permit"
printf '%-20s %35s %35s\n' '' 'open: min p10 median p90' 'close: min p10 median p90'
cat "$T/result"
[ "$CHECK" ] || exit 0
awk '$1 == "tty_audit" { open = $4; close_ = $8 }
	$1 == "grants_1000" && ($4 > open || $8 > close_) { print "slower than pam_tty_audit"; bad = 1 }
	END { exit bad }' "$T/result"
