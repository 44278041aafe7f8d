#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit grant: check explains each way a grant can fail to fit, with real certificates; import makes
# grants of what brokers say. Grants are believed only when root owns them: without root, in a user
# namespace.
set -u
if [ "$(id -u)" != 0 ]; then
	if unshare -Ur true 2>/dev/null; then
		exec unshare -Ur sh "$0"
	fi
	echo '1..0 # SKIP user namespaces are not allowed here'
	exit 0
fi
. "$SA_SRC/tests/integration/tap.sh"
sessaudit=$SA_BUILD/cli/sessaudit
import=$SA_SRC/tests/integration/import
at=2026-11-21T02:00:00Z
mkdir -m 755 "$T/grants" "$T/ca" "$T/none"
printf '[pam]\nca_dir = %s\n' "$T/ca" >"$T/conf"

# run WANT_STATUS ARGS...: a check of dba on prod-db-1 at $at; stdout and stderr go to files.
run() {
	want=$1
	shift
	"$sessaudit" --config "$T/conf" grant check --user dba --host prod-db-1 --at $at \
		--grants "$T/grants" "$@" >"$T/out" 2>"$T/err"
	rc=$?
	[ $rc -eq "$want" ] || { echo "# exit status $rc, not $want: $*"; return 1; }
}
# Lines may be wrapped anywhere.
has() { cat "$T/out" "$T/err" | tr -s ' \n' ' ' | grep -qF -- "$(printf '%s' "$1" | tr -s ' ')"; }
# says NAME TEXT...: each stands in what the last run said.
says() {
	ok_rc=$?
	name=$1
	shift
	for text in "$@"; do
		has "$text" || { ok_rc=1; echo "# missing: $text"; }
	done
	ok $ok_rc "$name"
	[ $ok_rc -eq 0 ] || sed 's/^/# /' "$T/out" "$T/err"
}
# grant NAME REQUEST MATCH [MORE]
grant() {
	printf '{"schema":"sessaudit.grant/1","grant_id":"g-%s","request":{"id":"%s"},
"expires_at":"2026-11-21T05:00:00Z"%s,"match":{%s}}\n' "$1" "$2" "${4-}" "$3" >"$T/grants/$1.json"
}
no_grants() { rm -rf "$T/grants" && mkdir -m 755 "$T/grants"; }

# --- check: grants

run 1
says 'no grants: unapproved' 'Status   UNAPPROVED' 'Decision        let in, and recorded as UNAPPROVED' \
	'Grants looked at: 0' 'dba by sshd'

grant a REQ-1 '"users":["dba"]'
run 0
says 'a grant that fits' 'REQ-1' 'Status   APPROVED' "Grant file      $T/grants/a.json" \
	'Decision        let in: policy.accept has approved' 'Grants looked at: 1' \
	"REQ-1: fits; until 2026-11-21 05:00:00 UTC;"

no_grants
grant user REQ-U '"users":["ops"]'
grant group REQ-G '"groups":["dbas"]'
grant host REQ-H '"users":["dba"]' ',"hosts":["other"]'
grant service REQ-S '"users":["dba"],"services":["login"]'
grant source REQ-A '"users":["dba"],"source":["192.0.2.0/24"]'
grant key REQ-K '"users":["dba"],"key_fp":["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]'
grant revoked REQ-R '"users":["dba"]' ',"revoked":true'
grant later REQ-L '"users":["dba"]' ',"not_before":"2026-11-21T03:00:00Z"'
grant over REQ-X '"users":["dba"]'
sed -i 's/T05:00/T01:00/' "$T/grants/over.json"
run 1 --from 10.0.0.9 --group staff
says 'each reason why a grant does not fit' 'Grants looked at: 9' 'REQ-U: is for other users' \
	'REQ-G: is for other users' 'REQ-H: is for other hosts' 'REQ-S: is for other services' \
	'REQ-A: is for other source addresses' 'REQ-K: is for other keys' 'REQ-R: revoked' \
	'REQ-L: not valid yet' 'REQ-X: expired' 'Status   UNAPPROVED' 'Reason          request REQ-X: expired'
run 1 --from 10.0.0.9 --group staff --json
if command -v jq >/dev/null; then
	same '--json: the same' "$(jq -r '.grants[] | "\(.request) \(.fits) \(.why)"' "$T/out" | sort)" \
		'REQ-A false is for other source addresses
REQ-G false is for other users
REQ-H false is for other hosts
REQ-K false is for other keys or certificates
REQ-L false not valid yet
REQ-R false revoked
REQ-S false is for other services
REQ-U false is for other users
REQ-X false expired'
	same '--json: the login' "$(jq -c '[.login, .accepted, .policy, .access.status]' "$T/out")" \
		'[{"user":"dba","service":"sshd","source":"10.0.0.9","host":"prod-db-1","at":"2026-11-21T02:00:00.000Z"},false,"none","unapproved"]'
fi
run 0 --from 192.0.2.7
says 'the right address' 'REQ-A: fits' 'Status   APPROVED'
run 0 --service login
says 'the right service' 'REQ-S: fits' 'Status   APPROVED' 'dba by login'
run 0 --host other
says 'the right host' 'REQ-H: fits' 'Status   APPROVED'
run 0 --group dbas
says 'the right group' 'REQ-G: fits' 'Status   APPROVED'
run 0 --at 2026-11-21T04:00:00Z
says 'the right time' 'REQ-L: fits' 'Status   APPROVED'

# The real groups of a real user.
group=$(id -gn)
no_grants
grant group REQ-G "\"groups\":[\"$group\"]"
"$sessaudit" --config "$T/conf" grant check --user "$(id -un)" --at $at --grants "$T/grants" \
	>"$T/out" 2>"$T/err"
says "groups as the host has them" 'REQ-G: fits'

no_grants
grant a REQ-1 '"users":["dba"]'
grant b REQ-2 '"users":["dba"]'
run 0
says 'two requests' 'Status   AMBIGUOUS' 'Could be        REQ-1, REQ-2'

no_grants
echo '{' >"$T/grants/broken.json"
grant open REQ-1 '"users":["dba"]'
chmod 666 "$T/grants/open.json"
ln -s open.json "$T/grants/link.json"
run 1
says 'files that are not believed' 'Not read, or not believed: 3' 'broken.json: line 2: ' \
	'open.json: mode 0666: must not be' 'link.json: is a symbolic link'

# --- check: policy

no_grants
printf '[pam]\nca_dir = %s\n[policy]\non_none = deny\nexempt = ops\nbreakglass = dba\n' "$T/ca" >"$T/conf"
run 1
says 'denied, with the words the user gets' 'Decision        refused: no approved access request for dba on' \
	'Break-glass     a reason may be typed'
run 1 --user ops
says 'exempt' 'Decision        let in: exempt, would have been refused'
grant a REQ-1 '"users":["dba"]'
run 0
says 'approved, whatever on_none says' 'let in: policy.accept has approved'
printf '[pam]\nca_dir = %s\n[policy]\naccept = breakglass\non_none = deny\n' "$T/ca" >"$T/conf"
run 1
says 'a status that is not accepted' 'Status   APPROVED' 'Decision        refused: '
printf '[pam]\nca_dir = %s\n' "$T/ca" >"$T/conf"
no_grants

# --- check: keys and certificates, real ones

if command -v ssh-keygen >/dev/null; then
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$T/key" && ssh-keygen -q -t ed25519 -N '' -C '' -f "$T/ca_key"
	ok $? 'a key and a CA'
	fp=$(ssh-keygen -lf "$T/key.pub" | cut -d' ' -f2)
	ca_fp=$(ssh-keygen -lf "$T/ca_key.pub" | cut -d' ' -f2)
	sign() { # PRINCIPALS VALIDITY OPTION...
		principals=$1 validity=$2
		shift 2
		TZ=UTC ssh-keygen -q -s "$T/ca_key" -I REQ-1042/alice -z 1042 -n "$principals" -V "$validity" \
			"$@" "$T/key.pub" 2>"$T/err"
	}
	day=20261121000000:20261122000000
	sign dba,root $day -O extension:request-id@sessaudit=REQ-1042 \
		-O extension:approver@sessaudit=bob@example.com
	ok $? 'a certificate'

	run 1 --key "$T/key.pub"
	says 'a key without a grant' "Key             $fp" 'Status   UNAPPROVED' 'ssh-ed25519'
	grant k REQ-K "\"users\":[\"dba\"],\"key_fp\":[\"$fp\"]"
	run 0 --key "$T/key.pub"
	says 'a grant for the key' 'REQ-K: fits' 'Recognised by   the key the user logged in with'
	run 0 --cert "$T/key-cert.pub"
	says 'the same key in a certificate of a CA that is not listed' 'REQ-K: fits' \
		"Signed by CA $ca_fp" "CA list not listed, so that only the key itself counts, in $T/ca" 'Names requests  not looked at'
	run 1 --key "$T/key.pub" --service login
	says 'a key where no sshd vouches for it' 'REQ-K: is for other keys' \
		'Key not used    pam.ssh_services does not have this service'
	no_grants

	cp "$T/ca_key.pub" "$T/ca/ours.pub"
	run 1 --cert "$T/key-cert.pub"
	says 'a certificate of a listed CA, no grant' 'Status   ID ONLY' 'REQ-1042' \
		"Key id          REQ-1042/alice, serial 1042" 'Principals      dba, root' \
		'Valid           2026-11-21 00:00:00 UTC until 2026-11-22 00:00:00 UTC' \
		"Signed by CA $ca_fp" "CA list listed, profile sessaudit, in $T/ca" 'Names requests  REQ-1042' \
		'Not checked     the signature: sshd does that' 'bob@example.com'
	! has 'REFUSED by sshd'
	says 'and valid at that time'
	cp "$T/conf" "$T/conf.kept"
	printf '[policy]\naccept = approved,id_only\n' >>"$T/conf"
	run 0 --cert "$T/key-cert.pub"
	says 'where that is accepted' 'Status   ID ONLY'
	mv "$T/conf.kept" "$T/conf"
	run 1 --cert "$T/key-cert.pub" --at 2026-11-20T23:59:59Z
	says 'a certificate that is not valid yet' 'REFUSED by sshd: not valid yet'
	run 1 --cert "$T/key-cert.pub" --at 2026-11-22T00:00:00Z
	says 'a certificate that has expired' 'REFUSED by sshd: expired'
	run 1 --cert "$T/key-cert.pub" --user eve
	says 'a user that is no principal' 'REFUSED by sshd: the user is no principal (unless'
	run 1 --cert "$T/key-cert.pub" --json
	if command -v jq >/dev/null; then
		same '--json: the certificate' "$(jq -c .certificate "$T/out")" \
			"{\"key_id\":\"REQ-1042/alice\",\"serial\":\"1042\",\"principals\":[\"dba\",\"root\"],\"from\":\"2026-11-21T00:00:00.000Z\",\"until\":\"2026-11-22T00:00:00.000Z\",\"ca\":\"$ca_fp\",\"ca_listed\":true,\"profile\":\"sessaudit\",\"requests\":[\"REQ-1042\"]}"
	fi
	grant c REQ-1042 "\"users\":[\"dba\"],\"ca_fp\":[\"$ca_fp\"],\"cert_serial\":[\"1042\"]"
	run 0 --cert "$T/key-cert.pub"
	says 'with its grant: approved' 'Status   APPROVED' 'REQ-1042: fits' "Grant file      $T/grants/c.json" \
		'Recognised by   the certificate the user logged in with'
	grant c REQ-1042 '"users":["dba"]' ',"revoked":true'
	run 1 --cert "$T/key-cert.pub"
	says 'with a grant that is revoked: conflict' 'Status   CONFLICT' 'Reason          grant g-c: revoked'
	no_grants
	echo 'not a key' >"$T/ca/broken.pub"
	run 1 --cert "$T/key-cert.pub"
	says 'a broken CA file is named once' 'Not read, or not believed: 1' 'broken.pub:1: '
	rm "$T/ca/broken.pub"

	sign dba $day -O extension:request-id@sessaudit=
	run 1 --cert "$T/key-cert.pub"
	says 'a certificate with an empty request id' 'Status   UNAPPROVED' 'Names requests  '
	sign dba always:forever
	run 1 --cert "$T/key-cert.pub"
	says 'a certificate that names none, for ever' 'Names requests  none' 'until for ever'
	sign dba $day -h
	run 1 --cert "$T/key-cert.pub"
	says 'a certificate of a host' 'REFUSED by sshd: a certificate for hosts'

	run 1 --cert "$T/key.pub"
	says 'a key is no certificate' 'holds no certificate'
	echo junk >"$T/junk.pub"
	run 1 --key "$T/junk.pub"
	says 'a file without a key' 'junk.pub: '
	run 1 --key "$T/nonesuch.pub"
	says 'no such file' "open $T/nonesuch.pub"
	run 1 --key "$T/key"
	says 'a private key is none either' "$T/key: "
	rm -f "$T/ca/ours.pub"
else
	skip 'certificates' 'no ssh-keygen'
fi

# --- check: arguments

usage() { # NAME TEXT ARGS...
	name=$1 text=$2
	shift 2
	"$sessaudit" --config "$T/conf" grant "$@" >"$T/out" 2>"$T/err"
	[ $? -eq 2 ]
	says "$name" "$text" 'usage:'
}
usage 'no half' 'grant takes check or import'
usage 'another half' 'grant takes check or import' give
usage 'check without a user' 'grant check needs --user' check
usage 'check: not an address' '--from localhost: not a numeric address' check --user dba --from localhost
usage 'check: not a time' '--at now: not an RFC 3339 time' check --user dba --at now
usage 'check: key and certificate' 'exclude each other' check --user dba --key a --cert b
usage 'check: an argument' 'x: grant check takes options only' check --user dba x
usage 'check: an empty group' '--group: 1 to' check --user dba --group ''
usage 'check: an unknown option' '--nonsense: unknown option' check --nonsense
"$sessaudit" --config "$T/nonesuch" grant check --user dba >"$T/out" 2>"$T/err"
[ $? -eq 1 ]
says 'check: no such settings' nonesuch
if [ -w /dev/full ]; then
	"$sessaudit" --config "$T/conf" grant check --user dba --grants "$T/none" >/dev/full 2>"$T/err"
	[ $? -eq 1 ] && grep -q 'cannot write' "$T/err"
	ok $? 'check: a full disk is no success'
fi

# --- import

imp() { # WANT_STATUS ARGS...
	want=$1
	shift
	"$sessaudit" grant import "$@" >"$T/out" 2>"$T/err"
	rc=$?
	[ $rc -eq "$want" ] || { echo "# exit status $rc, not $want: $*"; return 1; }
}
imp 0 --from apono --user dba --host prod-db-1 "$import/apono-granted.json"
says 'apono: a grant on standard output' '"grant_id": "apono-7c1d3a52"' '"id": "AR-1042"' \
	'"users": ["dba"]' '"hosts": ["prod-db-1"]' '"by": "bob@example.com"'
cp "$T/out" "$T/grants/one.json"
run 0
says 'and check takes it' 'AR-1042: fits' 'Status   APPROVED' 'Requested by    alice@example.com' \
	'Justification   INC-77: disk full'
no_grants
imp 0 --from teleport - <"$import/teleport-approved.json"
says 'teleport: from standard input, for the login that was asked for' \
	'"id": "0193a1e0-2f6f-7b8e-9d51-3f2c6a1b7e44"' '"users": ["dba"]' '"broker": "teleport"'
imp 1 --from apono "$import/apono-granted.json"
says 'no unix user' 'say whose login it is for with --user NAME'
imp 1 --from apono --user dba "$import/apono-rejected.json"
says 'apono: rejected' 'event_type: RequestRejected: not an approval'
imp 1 --from teleport --user dba "$import/teleport-pending.json"
says 'teleport: pending' 'spec.state: PENDING: not an approval'
imp 1 --from apono --user dba "$import/apono-expired.json"
says 'apono: expired, and nothing to revoke' 'approved no longer; with --to DIR'
imp 1 --from apono --user dba --to "$T/grants" "$import/apono-expired.json"
says 'apono: expired, no grant of it there' "no grant of it is in $T/grants"
[ -z "$(ls "$T/grants")" ]
says 'and none is made'

umask 077
imp 0 --from apono --user dba --to "$T/grants" "$import/apono-granted.json"
says 'into a directory: names the file' "$T/grants/apono-7c1d3a52.json"
umask 022
same 'it alone, readable for all' "$(ls "$T/grants") $(stat -c %a "$T/grants"/*)" \
	'apono-7c1d3a52.json 644'
run 0
says 'and check takes it' 'Status   APPROVED'
imp 0 --from apono --user dba --host other --to "$T/grants" "$import/apono-granted.json"
says 'again, for another host' apono-7c1d3a52.json
run 1
says 'the new one counts' 'AR-1042: is for other hosts'
imp 0 --from apono --to "$T/grants" "$import/apono-expired.json"
says 'expired: the grant is revoked' apono-7c1d3a52.json
grep -q '"revoked": true' "$T/grants/apono-7c1d3a52.json" && grep -q '"other"' "$T/grants/apono-7c1d3a52.json"
ok $? 'and is otherwise the same'
run 1 --host other
says 'check says so' 'AR-1042: revoked'
imp 1 --from apono --user dba --to "$T/grants" "$import/apono-granted.json"
says 'the older approval does not bring it back' 'the grant that is there is newer (of 2026-11-21T05:01:00.900Z, revoked)'
sed 's/7c1d3a52/..\/..\/x+y/' "$import/apono-granted.json" |
	"$sessaudit" grant import --from apono --user dba --to "$T/grants" - >"$T/out" 2>"$T/err"
says 'an id that is a path stays in the directory' "$T/grants/apono-..%2F..%2Fx%2By.json"
ln -sf /nonesuch "$T/grants/apono-7c1d3a52.json"
imp 1 --from apono --user dba --to "$T/grants" "$import/apono-granted.json"
says 'a grant that cannot be read is not written over' 'open apono-7c1d3a52.json'
echo '{' >"$T/plain" && mv "$T/plain" "$T/grants/apono-7c1d3a52.json"
imp 0 --from apono --user dba --to "$T/grants" "$import/apono-granted.json"
says 'a file that is no grant is' apono-7c1d3a52.json
imp 1 --from apono --user dba --to "$T/nonesuch" "$import/apono-granted.json"
says 'no such directory' "$T/nonesuch"
imp 1 --from apono --user dba "$T/nonesuch.json"
says 'no such payload' "$T/nonesuch.json: open"
head -c 1100000 /dev/zero | tr '\0' ' ' >"$T/big.json"
imp 1 --from apono --user dba "$T/big.json"
says 'too large a payload' 'big.json: '
printf '{"event_type":"\\u001b[2JX"}' >"$T/hostile.json"
imp 1 --from apono --user dba "$T/hostile.json"
says 'what a payload says reaches no terminal' '\e[2JX: not an approval'

usage 'import without a broker' 'needs --from apono or --from teleport' import "$T/big.json"
usage 'import: an unknown broker' 'needs --from apono or --from teleport' import --from acme "$T/big.json"
usage 'import without a file' 'takes one file' import --from apono
usage 'import: two files' 'takes one file' import --from apono a b
usage 'import: two ends' 'exclude each other' import --from apono --for 1h --expires-at $at a
usage 'import: no duration' '--for soon: not a duration' import --from apono --for soon a
usage 'import: no time' '--for 0: not a duration' import --from apono --for 0 a
usage 'import: no end' '--expires-at soon: not an RFC 3339 time' import --from apono --expires-at soon a
usage 'import: an empty user' '--user: 1 to' import --from apono --user '' a
tap_done
