#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# One approved user at work, on the real kernel with a real sshd: an interactive
# session, one command, two kinds of scp. Everything is asserted in its place, in the
# stored entries, on the page that `sessaudit show` prints, and in --json.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

USER1=sa-e2e-ann USER2=sa-e2e-ben

in_order() { # FILE FRAGMENT...: each on a line after the one before
	local file=$1 at=0 next want
	shift
	for want in "$@"; do
		next=$(tail -n +$((at + 1)) "$file" | grep -nF -m 1 -- "$want" | cut -d: -f1)
		if [ -z "$next" ]; then
			echo "not found after line $at: $want"
			cat "$file"
			return 1
		fi
		at=$((at + next))
	done
}

check_context() {
	picked 'select(.type == "access") | .access' >"$T/access"
	same "access: approved" "$(jq -r .status "$T/access")" approved
	same "access: by whom asked for" "$(jq -r .request.requester.email "$T/access")" \
		$USER1@example.com
	same "access: both approvers" "$(jq -r '.request.approvals[].by' "$T/access" | xargs)" \
		"bob@example.com carol@example.com"
	same "access: when they approved" \
		"$(jq -r '.request.approvals[].at | sub("\\.000Z"; "Z")' "$T/access")" \
		"$(jq -r '.request.approvals[].at' "$T/grants/a.json")"
	same "access: flow" "$(jq -r .request.flow.name "$T/access")" prod-ssh
	same "access: justification" "$(jq -r .request.justification "$T/access")" \
		"INC-77: disk full"
	same "first entry" "$(picked .type | head -n 1)" session_start
	same "last entry" "$(picked .type | tail -n 1)" session_end
	same "where from" "$(picked .origin | sort -u)" 127.0.0.1
	same "who" "$(picked 'select(.user.name != "root") | .user.name' | sort -u)" $USER1
	same "who, also as root" "$(picked '.user.audit.id // empty' | sort -u)" "$(id -u $USER1)"
}

# Programs that the login shell's start files ran are this machine's affair: from whoami on.
check_execs() {
	same "programs run, in order" "$(ran "$D" | tr '\037' '|' | sed -n '/^whoami$/,$p')" "$(
		cat <<-END
			whoami
			ls|-l|/etc/passwd
			wc|-c
			cat
			ls|/nonexistent
			/nonexistent/program
			/bin/sh|/home/$USER1/script.sh|first|second argument
			uname|-s
			date|+%Y
			sudo|-n|id
			id
			sleep|100
		END
	)"
	same "a program that is not there" "$(picked 'select(.type == "exec" and
		.event.outcome == "failure") | "\(.object) \(.error.code)"')" \
		"/nonexistent/program ENOENT"
	same "what sudo ran, ran as root" "$(picked 'select(.type == "exec" and .process.args == ["id"])
		| "\(.user.id) \(.user.effective.id) \(.user.audit.id)"')" "0 0 $(id -u $USER1)"
	same "where the script ran" "$(picked 'select(.process.args[2]? == "first")
		| .process.working_directory')" /tmp
}

# The two processes of a pipeline may start in any order: sorted here.
ran() { # SESSION-DIR
	entries "$1" | jq -r 'select(.type == "exec") |
		(.process.args | select(length > 0)) // [.object] | join("\u001f")' |
		awk '/^wc\037-c$/ { held = $0; next }
			held && /^ls\037-l/ { print; print held; held = ""; next }
			held { print held; held = "" }
			{ print }
			END { if (held) print held }'
}

check_typed() {
	same "typed into cat, as it stood when entered" \
		"$(picked 'select(.type == "input" and .process.name == "cat") | .input.text')" "$(
		cat <<-'END'
			the disk is full
			this line is right
			delete one line
			umlaut ü and euro €
		END
	)"
	same "typed into the shell, corrections applied" \
		"$(picked 'select(.type == "input" and .process.name == "bash") | .input.text')" "$(
		cat <<-'END'
			whoami
			echo 'typed with corrections'
			ls -l /etc/passwd | wc -c
			cat > notes.txt
			cd /tmp
			export MARK=one
			ls /nonexistent
			/nonexistent/program
			~/script.sh first "second argument"
			printf '%s\n' "it's; a $HOME"
			sudo -n id
			sleep 100
			exit
		END
	)"
	same "the raw keystrokes are kept" "$(picked 'select(.input.text? ==
		"echo '"'typed with corrections'"'") | .input.raw_b64' | base64 -d | od -An -c | tr -d ' \n')" \
		"ecoh177177177cho'typedwithcorrections'\\r"
	same "a typed line names what it ran" "$(entries "$D" | jq -sr '. as $all | .[] |
		select(.input.text? == "ls -l /etc/passwd | wc -c") | [.input.ran[] as $n |
		$all[] | select(.seq == $n) | .process.args[0]] | sort | join(" ")')" "ls wc"
	same "a builtin ran nothing" \
		"$(picked 'select(.input.text? == "cd /tmp") | .input.ran // [] | length')" 0
}

check_page() {
	local page=$T/page
	sa show "$(jq -r .session "$D/manifest.json")" >"$page" 2>&1
	check "show: who, request, approvers, flow, reason" in_order "$page" REQ-1042
	for want in $USER1@example.com bob@example.com carol@example.com prod-ssh \
		"INC-77: disk full" 127.0.0.1; do
		check "show: $want" grep -qF -- "$want" "$page"
	done
	check "show: the timeline, each thing in its place" in_order "$page" \
		whoami "echo 'typed with corrections'" "ls -l /etc/passwd" "cat > notes.txt" \
		"the disk is full" "this line is right" "cd /tmp" "export MARK=one" \
		"ls /nonexistent" "/nonexistent/program" "script.sh first" "uname -s" \
		"sudo -n id" "sleep 100"
	check "transcript.txt: the timeline" in_order "$D/transcript.txt" \
		"the disk is full" "uname -s" "sudo -n id"
}

check_request() {
	local page=$T/request
	sa show REQ-1042 >"$page" 2>&1
	check "show REQ-1042: all sessions in the order of their start" in_order "$page" \
		"whoami" "uptime" "sftp-server" "scp -t upload2.txt"
	sa show --json REQ-1042 >"$T/json" 2>"$T/json.err"
	check "show --json: every line is JSON" jq -e . "$T/json"
	same "show --json: every program run" \
		"$(jq -c 'select(.type == "exec") | .audit.serial' "$T/json" | sort -n)" \
		"$(for d in "$T"/store/sessions/request=REQ-1042/session=*; do
			entries "$d" | jq -c 'select(.type == "exec") | .audit.serial'
		done | sort -n)"
	sa list >"$T/list" 2>&1
	same "list: four sessions under REQ-1042" "$(grep -c REQ-1042 "$T/list")" 4
	check "list: the one without a request is seen" grep -iE "$USER2.*unapproved|unapproved.*$USER2|not approved" \
		"$T/list"
	same "list --json: one object for each session" \
		"$(sa list --json | not_strangers | jq -s length)" 5
}

check_hostile() {
	D=$(find_session owned)
	sa show "$(jq -r .session "$D/manifest.json")" >"$T/hostile" 2>&1
	check "hostile argv is shown" grep -q owned "$T/hostile"
	for f in "$T/hostile" "$D/transcript.txt"; do
		same "no control byte reaches the terminal: ${f##*/}" \
			"$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <"$f" | od -An -c)" ""
	done
	same "and the exact bytes are kept" \
		"$(ran "$D" | grep -c $'\e]0;owned\a')" 1
}

product_begin $USER1 $USER2
sudo_allow $USER1 || skip_all "no sudo"
printf '#!/bin/sh\nuname -s\ndate +%%Y\n' >/home/$USER1/script.sh
chmod 755 /home/$USER1/script.sh
grant a $USER1 REQ-1042

check "interactive session" test "$(ssh_tty $USER1 "$E2E_DIR/session.tty" "$T/tty.log" >&2; echo $?)" = 130
check "one command" ssh_as $USER1 'uptime; id -un' </dev/null
echo payload >"$T/payload"
check "scp" scp_as $USER1 "$T/payload" upload.txt
check "scp, old protocol" scp_as $USER1 "$T/payload" upload2.txt -O
check "an unapproved user" ssh_as $USER2 "/bin/echo \$'\\e]0;owned\\a\\e[2J' done" </dev/null
check "all transcripts arrive complete" wait_for 30 all_complete 5

D=$(find_session whoami)
check_context
check_execs
check_typed
check "chain of hashes holds" chain_holds "$D"
check "entries numbered without hole" seqs_are_whole "$D"
check_page
check_request
check_hostile
agent_stop
tap_done
