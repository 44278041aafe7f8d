#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit list and show against a store that mkstore laid out, whole and then broken.

: "${SA_BUILD:=.}"
sessaudit=$SA_BUILD/cli/sessaudit
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
store=$tmp/store
n=0 failed=0

ok() { # NAME: of the last command's status
	rc=$?
	n=$((n + 1))
	[ $rc -eq 0 ] || { failed=1; printf 'not '; }
	printf 'ok %d - %s\n' $n "$1"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/out" "$tmp/err"
}

# run WANT_STATUS ARGS...: stdout and stderr go to files.
run() {
	want=$1
	shift
	NO_COLOR='' TZ=UTC "$sessaudit" --store "$store" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	[ $rc -eq "$want" ] || { echo "# exit status $rc, not $want: $*"; return 1; }
}
out_has() { grep -qF -- "$1" "$tmp/out"; }
err_has() { grep -qF -- "$1" "$tmp/err"; }
sid_of() { awk -v n="$1" '$1 == n { print $2 }' "$tmp/names"; }
dir_of() { awk -v n="$1" -v s="$store" '$1 == n { print s "/" $3 }' "$tmp/names"; }
fresh_store() {
	rm -rf "$store"
	"$SA_BUILD/tests/integration/mkstore" "$store" >"$tmp/names"
}
# rewrite DIR SEGMENT SED: changes a shipped segment.
rewrite() {
	chmod u+w "$1" "$1/$2"
	gzip -dc "$1/$2" | sed "$3" >"$tmp/plain" && gzip -nc "$tmp/plain" >"$1/$2"
}

fresh_store
ok 'a store'

run 0 list && [ "$(wc -l <"$tmp/out")" -eq 11 ] && out_has 'START (UTC)'
ok 'list: one line for each session'
run 0 list && sed -n 2,11p "$tmp/out" | sort -c && sed -n 2p "$tmp/out" | grep -q \
	"^2026-11-21 01:02:03  .* dba  *prod-db-1  10.0.0.9  *REQ-1042  *APPROVED  *16  *2ab9a4634728$"
ok 'list: columns, sorted by start'
run 0 list --request REQ-1043 && [ "$(wc -l <"$tmp/out")" -eq 4 ]
ok 'list --request'
run 0 list --request REQ-8 --json && [ "$(wc -l <"$tmp/out")" -eq 2 ]
ok 'list --request: one of several that a session may have'
run 0 list --request REQ/50 --json && [ "$(wc -l <"$tmp/out")" -eq 2 ] && out_has '"key":"hosts/'
ok 'list --request: by pointers, to a folder under another template and to one of no request'
run 0 list --request REQ/50 --status approved && [ "$(wc -l <"$tmp/out")" -eq 2 ]
ok 'list --request: with another filter'
run 0 list --status unapproved --json && [ "$(grep -c '"status":"unapproved"' "$tmp/out")" -eq 3 ]
ok 'list --status --json'
run 0 list --since '2026-11-21 03:25' --until '2026-11-21 03:30' &&
	[ "$(wc -l <"$tmp/out")" -eq 2 ] && out_has ' open '
ok 'list --since: the open session'
run 0 list --until 2026-11-20 && [ ! -s "$tmp/out" ] && err_has 'no such sessions'
ok 'list --until: nothing'
run 0 list --user dba --host prod-db-1 --until 2026-11-21 && [ "$(wc -l <"$tmp/out")" -eq 2 ]
ok 'list --user --host --until: a date includes its day'
NO_COLOR='' TZ=CET-1 "$sessaudit" --store "$store" list --local --since '2026-11-21 04:25' \
	--until '2026-11-21 04:30' >"$tmp/out" 2>"$tmp/err" && out_has '2026-11-21 04:25:00' && [ "$(wc -l <"$tmp/out")" -eq 2 ]
ok 'list --local: also what --since means'

run 0 show REQ-1042 && [ "$(head -n 1 "$tmp/out")" = 'hash chain: intact, 16 entries in 4 segments' ]
ok 'show: by request, all parts of the session'
sed -n '/What happened/,$p' "$tmp/out" | awk '$1 ~ /^#[0-9]+$/ { printf "%s ", $1 }' >"$tmp/order"
[ "$(cat "$tmp/order")" = '#1 #2 #3 #12 #4 #5 #13 #14 #6 #7 #8 #9 #10 #11 #15 #16 ' ]
ok 'show: typed lines stand before what they ran'
out_has 'typed in bash:  ls -l | wc -l  (ran #4, #5)' && out_has '> ls -l' &&
	out_has 'no program started' && out_has 'typed into cat:  hello' &&
	out_has 'ROOT  started   > sudo systemctl stop postgresql' && out_has '(no such file)' &&
	out_has '!! RECORDING GAP !! 12 s' && out_has '[AFTER THE END] sleep 600' &&
	out_has 'Approved by     bob@example.com    2026-11-21 01:00:00 UTC'
ok 'show: what a reader must find'
[ "$(awk '{ if (length > m) m = length } END { print m }' "$tmp/out")" -le 100 ]
ok 'show: at most 100 columns'
cp "$tmp/out" "$tmp/page"
run 0 show "$(sid_of full)" && cmp -s "$tmp/out" "$tmp/page"
ok 'show: by session id'
run 0 show 2AB9 && cmp -s "$tmp/out" "$tmp/page"
ok 'show: by the first four digits'
run 1 show 2ab && err_has 'neither an access request nor a session'
ok 'show: three digits are too few'
run 1 show nonesuch && [ ! -s "$tmp/out" ]
ok 'show: not found'
run 0 show "$(sid_of open)" && out_has 'still open'
ok 'show: a session still open'
run 0 show REQ-1043 && [ "$(grep -c '^hash chain: intact' "$tmp/out")" -eq 3 ]
ok 'show: all sessions of a request'
run 0 show REQ/50 && [ "$(grep -c '^hash chain: intact' "$tmp/out")" -eq 2 ]
ok 'show: by pointers'
run 0 show "$(sid_of elsewhere)" && out_has 'hash chain: intact'
ok 'show: a session under another template'

for s in 'id_only APPROVAL NOT CONFIRMED' 'ambiguous AMBIGUOUS ACCESS' \
	'conflict CONFLICTING ACCESS' 'breakglass EMERGENCY ACCESS' 'unapproved LOGIN REFUSED'; do
	run 0 show "$(sid_of "${s%% *}")" && sed -n 4p "$tmp/out" | grep -q "^!!  ${s#* }"
	ok "show: alarm for ${s%% *}"
done
run 0 show "$(sid_of unapproved)" && out_has 'Status   UNAPPROVED' &&
	out_has "  Host's policy   DENIED: the login was refused" &&
	out_has '  Reason          request REQ-9: expired'
ok 'show: a refused login, and why'
run 0 show "$(sid_of conflict)" && out_has "  Host's policy   EXEMPT: let in although"
ok 'show: an exempt login'
run 0 show "$(sid_of breakglass)" &&
	out_has '  Justification   database is down  (SELF-ASSERTED: typed by the user)' &&
	out_has '  Ticket          INC-9  (SELF-ASSERTED: typed by the user)'
ok 'show: emergency reason and ticket are the word of the user'
run 0 show "$(sid_of id_only)" && out_has '  Key             SHA256:AAAAuser' &&
	out_has "  Certificate     key id $'REQ-1043/\\e[1m', serial 1042, profile sessaudit" &&
	out_has '  Signed by CA    SHA256:AAAAca' && out_has '  Reason          no grant on this host'
ok 'show: key and certificate'
run 0 show "$(sid_of open)" && out_has 'became root by sudo (was oper)' &&
	out_has 'DENIED: oper may not become root by su' &&
	out_has '!! APPROVAL WITHDRAWN (REQ-1043, at 2026-11-21' && out_has 'grant was removed' &&
	out_has '!! APPROVAL EXPIRED (REQ-1043, at 2026-11-21 03:28:00' &&
	out_has '!! new channel opened after the approval had expired' &&
	out_has 'this login goes on as session'
ok 'show: who became whom, and the end of the approval'
[ "$(grep -c '^!!  APPROVAL ' "$tmp/out")" -eq 2 ] &&
	out_has '!!  APPROVAL WITHDRAWN DURING THE SESSION' &&
	out_has '!!  APPROVAL EXPIRED DURING THE SESSION' &&
	[ "$(awk '{ if (length > m) m = length } END { print m }' "$tmp/out")" -le 100 ]
ok 'show: alarms above the page for an approval that ended'
run 0 show "$(sid_of full)" && ! out_has 'APPROVAL'
ok 'show: none for one that held'
run 0 list && out_has '  UNAPPROVED (denied)' && out_has '  CONFLICT (exempt)' &&
	out_has '  ID ONLY' && out_has '  BREAK-GLASS' && out_has '  AMBIGUOUS'
ok 'list: each status, and what the policy made of it'

run 0 show "$(sid_of hostile)" && ! LC_ALL=C grep -q "[^ -~]" "$tmp/out" && out_has 'more bytes]' &&
	[ "$(wc -c <"$tmp/out")" -lt 5000 ]
ok 'show: nothing of a hostile transcript reaches the terminal'
run 0 show "$(sid_of hostile)" --full && ! LC_ALL=C grep -q "[^ -~]" "$tmp/out" &&
	[ "$(tr -cd x <"$tmp/out" | wc -c)" -ge 102400 ]
ok 'show --full: the long argument is whole'

run 0 show "$(sid_of full)" --json && [ "$(wc -l <"$tmp/out")" -eq 17 ] &&
	head -n 1 "$tmp/out" | grep -q '"type":"session".*"intact":true.*"header":{.*"manifest":{'
ok 'show --json: facts and entries'
for f in "$(dir_of full)"/*.jsonl.gz; do gzip -dc "$f"; done |
	grep -v '"type":"segment_' >"$tmp/entries"
sed 1d "$tmp/out" | cmp -s - "$tmp/entries"
ok 'show --json: the entries as they are stored, byte for byte'
if command -v script >/dev/null; then
	script -qec "$sessaudit --store $store show $(sid_of hostile) --json" /dev/null \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	grep -q u202e "$tmp/out" && ! LC_ALL=C tr -d '\r' <"$tmp/out" | LC_ALL=C grep -q '[^ -~]'
	ok 'show --json on a terminal: only ASCII'
	NO_COLOR='' TERM=xterm script -qec "$sessaudit --store $store show $(sid_of full)" /dev/null \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	grep -q "$(printf '\033')\[1;31mROOT" "$tmp/out"
	ok 'show on a terminal: colours'
	NO_COLOR=1 TERM=xterm script -qec "$sessaudit --store $store show $(sid_of full)" /dev/null \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	out_has ROOT && ! grep -q "$(printf '\033')" "$tmp/out"
	ok 'NO_COLOR'
fi

rewrite "$(dir_of full)" 000001.jsonl.gz 's/systemctl/systemd-x/g'
run 3 show REQ-1042 && sed -n 2p "$tmp/out" | grep -q 'hash chain: BROKEN at segment 1: head in the' &&
	out_has systemd-x && out_has 'session ended'
ok 'a changed entry: said at the top, the rest is shown'
run 3 show REQ-1042 --json && head -n 1 "$tmp/out" | grep -q '"intact":false,"problem":"at segment 1'
ok 'a changed entry: in --json'
fresh_store
rm -f "$(dir_of full)/000001.jsonl.gz"
run 3 show REQ-1042 && out_has 'hash chain: BROKEN at segment 1: it is missing' &&
	out_has 'session ended' && ! out_has 'RECORDING GAP !!'
ok 'a missing segment'
fresh_store
rm -f "$(dir_of full)/000003.jsonl.gz"
run 3 show REQ-1042 && out_has 'BROKEN at segment 3: it is missing, the manifest lists 4'
ok 'a missing last segment'
fresh_store
chmod u+w "$(dir_of full)"/*
echo junk >"$(dir_of full)/000000.jsonl.gz"
run 3 show REQ-1042 && err_has 'session=2ab9a4634728340a26a28f66673fe485/000000.jsonl.gz: ' &&
	out_has 'BROKEN at segment 0: it cannot be read' && out_has 'session ended'
ok 'a broken segment: its key is named, the rest is shown'
fresh_store
chmod u+w "$(dir_of full)"/*
echo '{}' >"$(dir_of full)/manifest-2.json"
run 3 show REQ-1042 && err_has 'manifest-2.json: ' && out_has 'hash chain: intact'
ok 'a broken manifest'
fresh_store
cp "$(dir_of full)/000001.jsonl.gz" "$(dir_of full)/000001.jsonl.gz.conflict-01234567"
run 3 show REQ-1042 && err_has '.conflict-01234567: two objects'
ok 'two objects for one key'
fresh_store
cp -r "$(dir_of full)" "$store/sessions/request=REQ-1042/session=2ab90000000000000000000000000000"
run 3 show REQ-1042 && err_has 'the index has nothing on this session' &&
	out_has 'BROKEN at segment 0: it belongs to session 2ab9a463'
ok 'a session that is not in the index, and a copy of another'
chmod u+w "$store/sessions/request=REQ%2F50/session=$(sid_of elsewhere)/pointer.json"
echo '{}' >"$store/sessions/request=REQ%2F50/session=$(sid_of elsewhere)/pointer.json"
run 3 show REQ/50 && err_has 'pointer.json: ' && [ "$(grep -c '^hash chain: intact' "$tmp/out")" -eq 2 ]
ok 'a broken pointer: told, and the index knows the folder'
rm -f "$store/index/date=2026-11-21/host=prod-db-1/$(sid_of late)"*
run 3 list --request REQ/50 && err_has 'the index has nothing' && out_has "$(sid_of late | cut -c1-12)"
ok 'list --request: a session that the index lacks'
run 3 list --request REQ/50 --json && out_has "{\"session\":\"$(sid_of late)\",\"key\":\"sessions/"
ok 'list --request --json: what is known of it'
sed 's/2ab9a4634728340a26a28f66673fe485/2ab90000000000000000000000000000/g' \
	"$store/index/date=2026-11-21/host=prod-db-1/$(sid_of full).start.json" \
	>"$store/index/date=2026-11-21/host=prod-db-1/2ab90000000000000000000000000000.start.json"
run 2 show 2ab9 && err_has '2 sessions begin with 2ab9' && err_has 2ab900000000 && err_has 2ab9a4634728
ok 'show: ambiguous, the candidates are listed'
chmod u+w "$store"/index/date=2026-11-21/host=prod-db-1/*
echo '[' >"$store/index/date=2026-11-21/host=prod-db-1/$(sid_of unapproved).end.json"
run 3 list && err_has "$(sid_of unapproved).end.json: " && out_has "$(sid_of unapproved | cut -c1-12)"
ok 'list: a broken index object'

run 2 && err_has 'usage: sessaudit'
ok 'no verb'
run 2 frobnicate && err_has 'no such verb'
ok 'unknown verb'
run 2 list --status wrong && err_has 'approved, id_only, ambiguous'
ok 'a wrong value: what is allowed'
run 2 list --since yesterday && err_has 2026-11-21
ok 'a wrong time'
run 2 list extra
ok 'list takes no argument'
run 2 show && err_has 'show ID [options]'
ok 'show without an id'
run 2 show a b
ok 'show takes one id'
run 2 show --nonsense x && err_has '--nonsense: unknown option'
ok 'unknown option'
run 0 help && out_has 'list [options]' && out_has 'show ID'
ok 'help'
run 0 --version && out_has 'sessaudit '
ok '--version'
"$sessaudit" --store "$tmp/none" list >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] && err_has "$tmp/none"
ok 'no store'
"$sessaudit" --store "s3://UPPER/" list >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] && err_has 'UPPER'
ok 'no bucket by that name'
fresh_store
printf '[store]\ndir = %s\n' "$store" >"$tmp/conf"
"$sessaudit" --config "$tmp/conf" list --user dba >"$tmp/out" 2>"$tmp/err" && out_has REQ-1042
ok 'the store that the settings name'
if [ -w /dev/full ]; then
	"$sessaudit" --store "$store" show "$(sid_of open)" >/dev/full 2>"$tmp/err"
	[ $? -eq 1 ] && err_has 'cannot write'
	ok 'a full disk is no success'
fi

echo "1..$n"
exit $failed
