#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Secrets typed at real prompts (sudo, read -s, mysql -p, psql -W, getpass, an inner ssh) and given as
# arguments, in variables and URLs: none of them is anywhere below the test's directory afterwards,
# nor was while the session ran, whether plain, as the hex of audit records or as base64. The
# transcript has marks in their places, and the manifest counts them.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

USER1=sa-e2e-ann USER2=sa-e2e-ben
declare -A S # the secrets, by what they are for

# What must not be found lies elsewhere.
secrets_make() {
	local name
	W=$(mktemp -d) || exit 1
	at_exit 'rm -rf "$W"'
	for name in sudo read mysql psql getpass argv opt env awskey url header json shc export \
		fixed erased readn sudoarg ssh inner innerread relay; do
		S[$name]=Zq$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
	done
	S[blank]="Zq7 $(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')"
	mkdir "$W/one"
	for name in "${!S[@]}"; do
		forms_of "${S[$name]}" >"$W/one/$name"
	done
	cat "$W"/one/* >"$W/patterns"
}

forms_of() { # SECRET: plain, as the hex of audit records, as base64
	printf '%s\n' "$1"
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
	echo
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F
	echo
	base64_of "$1"
}

# As it looks inside of longer base64, in each of the three places that it can begin at.
base64_of() { # TEXT
	printf %s "$1" | base64 -w0 | cut -c1-16
	printf 'x%s' "$1" | base64 -w0 | cut -c3-18
	printf 'xx%s' "$1" | base64 -w0 | cut -c4-19
}

plain() { # FILE
	if [ "${1%.gz}" != "$1" ]; then
		gzip -dc "$1" 2>/dev/null
	else
		cat "$1" 2>/dev/null
	fi
}

# Files below $T that have a secret, and which. sshd's and sudo's own log messages are none of ours.
leaks() {
	local f name
	find "$T" -type f ! -name syslog ! -name sshd.log ! -name check.out 2>/dev/null |
		while read -r f; do
			plain "$f" | grep -qaF -f "$W/patterns" || continue
			for name in "${!S[@]}"; do
				plain "$f" | grep -qaF -f "$W/one/$name" && echo "${f#"$T"/}: $name"
			done
		done
}

watch_leaks() { # while the session runs: open segments, state, page, status
	while :; do
		leaks
		sleep 0.3
	done >"$W/leaks" 2>/dev/null 9>&-
}

prompt() { # WHAT THE TERMINAL SHOWS, SECRET
	printf 'expect %s\npause 200\ntype %s\\r\n' "$1" "$2"
}

line() { # TYPED AT THE SHELL'S PROMPT
	printf 'expect e2e> \ntype %s\\r\n' "$1"
}

# Servers are not needed: clients ask before they connect.
script_write() {
	local my="mysql -h 127.0.0.1 -P 1 -u root" inner
	inner="ssh -F /dev/null -p $SSHD_PORT -o StrictHostKeyChecking=no -o LogLevel=ERROR"
	inner+=" -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no $USER2@127.0.0.1"
	{
		line "sudo id"
		prompt "assword" "${S[sudo]}"
		line "read -s -p Say: X"
		prompt "Say:" "${S[read]}"
		line "$my -p"
		prompt "assword" "${S[mysql]}"
		command -v psql >/dev/null && {
			line "psql -W -h 127.0.0.1 -p 1 db"
			prompt "assword" "${S[psql]}"
		}
		line "python3 -c 'import getpass; getpass.getpass()'"
		prompt "assword" "${S[getpass]}"
		line "$my -p${S[argv]}"
		line "/bin/true --password=${S[opt]} --password '${S[blank]}'"
		line "PGPASSWORD=${S[env]} /bin/true one"
		line "env AWS_SECRET_ACCESS_KEY=${S[awskey]} /bin/true two"
		line "/bin/true https://bob:${S[url]}@example.com/x"
		line "curl -s -H \"Authorization: Bearer ${S[header]}\" http://127.0.0.1:1/"
		line "curl -s -d '{\"password\":\"${S[json]}\"}' http://127.0.0.1:1/"
		line "sh -c 'PGPASSWORD=${S[shc]} /bin/true three'"
		line "export DB_PASSWORD=${S[export]}"
		line "/bin/true --tokenn\\b ${S[fixed]}x\\b four"
		line "/bin/true --password=${S[erased]}\\x15/bin/true five"
		line "read -s -n 20 -p Raw: X"
		printf 'expect Raw:\npause 200\ntype %s\n' "${S[readn]}"
		line "/bin/true six"
		line "sudo /bin/true --password=${S[sudoarg]}"
		line "sudo $my -p"
		prompt "assword" "${S[relay]}"
		line "$inner"
		prompt "assword" "${S[ssh]}"
		line "$my -p"
		prompt "assword" "${S[inner]}"
		line "read -s -p Say: X"
		prompt "Say:" "${S[innerread]}"
		line "/bin/true inner"
		line "exit"
		line "/bin/true last"
		line "exit"
		echo end
	} >"$W/tty"
}

# The arguments of a program that was run with this word among them.
args_with() { # WORD
	picked "select(.type == \"exec\" and (.process.args // [] | index(\"$1\"))) |
		.process.args | join(\" \")" | tail -n 1
}

masked() { # TEXT: what the marks stand for is left out
	sed 's/\[redacted:[0-9a-f]\{8\}:[0-9]*\]/[R]/g' <<<"$1"
}

check_argv() {
	same "mysql -pSECRET" "$(masked "$(picked 'select(.type == "exec" and
		(.process.args // [] | join(" ") | test("^mysql .* -p."))) |
		.process.args | join(" ")' | head -n 1)")" "mysql -h 127.0.0.1 -P 1 -u root -p[R]"
	same "--password=SECRET, --password 'A B'" "$(masked "$(picked 'select(.type == "exec" and
		(.process.args[1]? // "" | startswith("--password="))) | .process.args | join(" ")' |
		head -n 1)")" "/bin/true --password=[R] --password [R]"
	same "env NAME=SECRET" "$(masked "$(picked 'select(.type == "exec" and
		.process.args[0]? == "env") | .process.args | join(" ")')")" \
		"env AWS_SECRET_ACCESS_KEY=[R] /bin/true two"
	same "a URL" "$(masked "$(picked 'select(.type == "exec" and
		(.process.args[1]? // "" | startswith("https:"))) | .process.args[1]')")" \
		"https://bob:[R]@example.com/x"
	same "a header" "$(masked "$(picked 'select(.type == "exec" and .process.args[2]? == "-H") |
		.process.args[3]')")" "Authorization: Bearer [R]"
	same "JSON" "$(masked "$(picked 'select(.type == "exec" and .process.args[2]? == "-d") |
		.process.args[3]')")" '{"password":"[R]"}'
	same "sh -c" "$(masked "$(picked 'select(.type == "exec" and .process.args[0]? == "sh") |
		.process.args[2]')")" "PGPASSWORD=[R] /bin/true three"
	same "sudo" "$(masked "$(picked 'select(.type == "exec" and .process.args[0]? == "sudo" and
		.process.args[1]? == "/bin/true") | .process.args | join(" ")')")" \
		"sudo /bin/true --password=[R]"
}

typed() { # PREFIX: the last line typed that begins so, without its secrets
	masked "$(picked ".input.text // empty | select(startswith(\"$1\"))" | tail -n 1)"
}

check_typed() {
	same "typed: mysql -pSECRET" "$(picked '.input.text // empty' | grep -c -- \
		'^mysql -h 127.0.0.1 -P 1 -u root -p\[redacted:')" 1
	same "typed: an assignment" "$(typed PGPASSWORD)" "PGPASSWORD=[R] /bin/true one"
	same "typed: quotes stay" "$(typed '/bin/true --password')" \
		"/bin/true --password=[R] --password '[R]'"
	same "typed: export" "$(typed export)" "export DB_PASSWORD=[R]"
	same "typed: with corrections" "$(typed '/bin/true --token')" "/bin/true --token [R] four"
	same "typed: sh -c" "$(typed 'sh -c')" "sh -c 'PGPASSWORD=[R] /bin/true three'"
	same "typed: plain lines stay" "$(typed '/bin/true last')" "/bin/true last"
	same "one secret, one mark: as typed and as run" \
		"$(picked '.input.text // empty | select(startswith("sh -c"))' |
			grep -o '\[redacted:[0-9a-f]\{8\}:20\]')" \
		"$(picked 'select(.type == "exec" and .process.args[0]? == "sh") | .process.args[2]' |
			grep -o '\[redacted:[0-9a-f]\{8\}:20\]')"
	same "typed: erased again" "$(picked '.input.text // empty' | grep -c '^/bin/true five$')" 1
	same "typed: a line behind read -s -n" "$(masked "$(picked '.input.text // empty' |
		grep -A1 '^read -s -n 20' | tail -n 1)")" "[R]"
	same "which ran all the same" "$(args_with six)" "/bin/true six"
	same "the keystrokes of such lines are gone too" "$(picked 'select(.input.text? // "" |
		contains("[redacted:")) | .input.raw_b64 // "" | @base64d |
		select((startswith("[redacted:") | not) and . != "")')" ""
}

check_counts() {
	local sum
	sum=$(picked '.redacted // 0' | jq -s add)
	check "redactions were made: $sum" test "$sum" -ge 20
	same "the manifest counts them" "$(jq .redactions "$D/manifest.json")" "$sum"
	same "the index too" "$(jq .redactions "$T"/store/index/date=*/host=*/"$(
		jq -r .session "$D/manifest.json")".end.json)" "$sum"
	check "transcript.txt has the marks" grep -q '\[redacted:[0-9a-f]\{8\}:' "$D/transcript.txt"
	check "the chain holds" chain_holds "$D"
}

pid_gone_with_core() { # PID
	! kill -0 "$1" 2>/dev/null
}

# A core would hold what was typed. The pattern is the host's: put back whatever happens.
check_core() {
	local collector pattern
	collector=$(agent_role collector)
	same "the collector may not be dumped" "$(stat -c %u "/proc/$collector/mem")" 0
	same "nor has it a core limit" \
		"$(awk '/Max core file size/ { print $5 $6 }' "/proc/$collector/limits")" 00
	mkdir -m 1777 "$T/cores"
	pattern=$(cat /proc/sys/kernel/core_pattern)
	at_exit "printf '%s\n' '$pattern' >/proc/sys/kernel/core_pattern"
	if echo "$T/cores/%p" >/proc/sys/kernel/core_pattern 2>/dev/null; then
		(sh -c 'ulimit -c unlimited; kill -SEGV $$'; :) 2>/dev/null
		check "others are dumped here" test -n "$(ls "$T/cores")"
		rm -f "$T"/cores/*
	else
		note "core_pattern cannot be set here: where cores go is not known"
	fi
	kill -SEGV "$collector"
	check "a collector that crashes is gone" wait_for 5 pid_gone_with_core "$collector"
	sleep 0.5
	same "and leaves no core" "$(find "$T" / -xdev -maxdepth 2 -newer "$W/tty" \
		\( -name 'core*' -o -path "$T/cores/*" \) -type f 2>/dev/null)" ""
	check "the next one records" wait_for 15 agent_listens
}

done_sessions() { [ "$(ls "$T"/store/sessions/request=*/*/manifest.json 2>/dev/null | not_strangers | wc -l)" -ge 2 ]; }

for p in sudo mysql python3 curl; do
	command -v $p >/dev/null || skip_all "no $p"
done
SSHD_LINES=("Match User $USER2" "PasswordAuthentication yes")
secrets_make
product_begin $USER1 $USER2
printf '%s:%s\n' $USER1 "${S[sudo]}" $USER2 "${S[ssh]}" | chpasswd -c SHA512
SUDOERS=/etc/sudoers.d/sessaudit-e2e
at_exit "rm -f $SUDOERS"
printf '%s ALL=(ALL) ALL\nDefaults:%s use_pty\n' $USER1 $USER1 >"$SUDOERS"
chmod 0440 "$SUDOERS"
grant a $USER1 REQ-1042
script_write

watch_leaks &
WATCH=$!
at_exit "kill $WATCH 2>/dev/null"
ssh_tty $USER1 "$W/tty" "$W/tty.log" >"$W/tty.out" 2>&1
same "the session ran to its end" $? 0
check "the sessions are stored" wait_for 30 done_sessions
kill $WATCH
wait $WATCH 2>/dev/null
same "no secret in any file while the session ran" "$(sort -u "$W/leaks")" ""
same "no secret in spool, store, log and state" "$(leaks)" ""
D=$(for d in $(session_dirs); do ran "$d" | grep -q '^sudo.id' && echo "$d"; done)
cp "$D/transcript.txt" "$W/page"
check_argv
check_typed
check_counts
check_core
agent_stop
same "no secret anywhere at the end" "$(leaks)" ""
tap_done
