#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# A session does one of everything, on the real kernel with a real sshd: scripts, pipes into a shell,
# an interpreter, the network, failures, signals, typed text, SQL, an editor, tmux, programs left
# behind, sudo -i, scp, sftp, a forwarded port, several channels of one connection. The transcript
# holds each, with outcome and exit code.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

USER1=sa-e2e-ann

# How programs with these arguments ended, one a line: an exit code or a signal's name.
ended() { # ARG|ARG|...
	entries "$D" | jq -rs --arg args "$1" '
		(map(select(.type == "exit" and .exec_seq) | { key: "\(.exec_seq)", value: .process }) |
			from_entries) as $ends |
		.[] | select(.type == "exec" and (.process.args // [] | join("|")) == $args) |
		$ends["\(.seq)"] | if . == null then "never" else .exit_signal // .exit_code end'
}

check_programs() {
	same "a script" "$(ended '/bin/sh|./nested.sh|one')" 0
	same "what the script ran in a shell of its own" \
		"$(ended 'sh|-c|ls / | wc -l; exit 7')" 7
	same "and the programs in that" "$(ended 'ls|/') $(ended 'wc|-l')" "0 0"
	same "the inner script and its program" \
		"$(ended '/bin/sh|./inner.sh') $(ended 'expr|6|*|7')" "3 0"
	same "what was piped into sh" "$(ended 'base64|-d') $(ended 'sh') $(ended 'id|-G')" "0 0 0"
	same "what python ran" "$(ended 'uname|-r')" 0
	same "python itself" "$(picked 'select(.type == "exec" and .process.args[1]? == "-c" and
		(.process.args[0] | endswith("python3"))) | .event.outcome')" success
	same "a program that failed" "$(ended 'grep|nothing-like-this|/etc/hostname')" 1
	same "an exit code" "$(ended 'sh|-c|exit 42')" 42
	same "a signal with a core" "$(ended "sh|-c|kill -SEGV \$\$")" SIGSEGV
	same "a signal without" "$(ended "sh|-c|kill -KILL \$\$")" SIGKILL
	same "how long a program ran" "$(picked 'select(.type == "exit" and .exec_seq) |
		select(.event.duration == null) | .seq')" ""
	same "tmux" "$(ended 'date|+%Y-in-tmux')" 0
	same "the editor" "$(ended 'vi|notes.txt')" 0
}

check_network() {
	same "curl's connection" "$(picked 'select(.type == "network" and .process.name == "curl" and
		.destination.port == '"$SSHD_PORT"') |
		"\(.event.action) \(.destination.ip) \(.network.type)"' | sort -u)" \
		"connect 127.0.0.1 ipv4"
	same "curl's exit code is what the shell saw" \
		"$(ended "curl|-s|--http0.9|-m|3|-o|/dev/null|http://127.0.0.1:$SSHD_PORT/hello")" \
		"$(cat "/home/$USER1/curl.rc")"
}

typed_into() { # PROGRAM [TYPE]
	picked "select(.type == \"${2:-input}\" and .process.name == \"$1\") | .input.text"
}

check_typed() {
	same "typed into cat" "$(typed_into cat | head -n 1)" "the disk is full"
	same "statements" "$(typed_into sqlite3 statement)" "$(
		cat <<-'END'
			create table t(a);
			insert into t
			values('x;y');
			select count(*) from t;
		END
	)"
	same "a command to the client is a line" "$(typed_into sqlite3)" ".quit"
	check "typed into the editor" grep -q "hello from vi" <(typed_into vi)
	check "typed in tmux" grep -q "date +%Y-in-tmux" <(picked \
		'select(.type == "input") | .input.text')
	check "typed as root" grep -q "touch /etc/sa-e2e-everything" <(picked \
		'select(.type == "input" and .user.name == "root") | .input.text')
	same "a corrected line and what it ran" "$(entries "$D" | jq -sr '. as $all | .[] |
		select(.type == "input" and .input.text == "whoami") | .input.ran[] as $n | $all[] |
		select(.seq == $n) | .process.args[0]')" whoami
	same "history: shown as such, and what it was" "$(picked 'select(.type == "input" and
		(.input.text // "" | test("^<(Up|\\^P)><(Up|\\^P)>$"))) | .input.resolved // "none"' |
		sed 's/^sudo.*/sudo/')" sudo
}

check_root() {
	same "sudo -i: who became whom" "$(picked 'select(.type == "privilege" and
		.reason == "nested") | "\(.user.name) \(.user.target.name)"' | sort -u)" "$USER1 root"
	same "sudo's own word" "$(picked 'select(.type == "auth" and .event.action == "user_cmd") |
		.process.command_line' | sort -u)" -bash
	same "files in /etc" "$(picked 'select(.type == "file" and
		.file.path == "/etc/sa-e2e-everything") |
		"\(.event.action) \(.user.name) \(.user.audit.id)"' | uniq)" "$(
		printf '%s root %s\n' create "$(id -u $USER1)" delete "$(id -u $USER1)"
	)"
}

left_behind() {
	picked 'select(.type == "exec" and .after_logout and (.process.args | join("|")) ==
		"/usr/bin/id|-gn") | .seq' | grep -q .
}

check_left_behind() {
	check "a program left behind goes on in the transcript" wait_for 30 left_behind
	check "with how it ended" wait_for 10 test "$(ended '/usr/bin/id|-gn')" = 0
}

check_others() {
	D=$(find_session "scp -t")
	same "scp" "$(ended 'scp|-t|upload2.txt')" 0
	D=$(find_session sftp-server)
	same "sftp" "$(picked 'select(.type == "exec" and (.process.executable |
		test("sftp-server"))) | .event.outcome')" success
	D=$(find_session channel-one)
	same "channels of one connection" \
		"$(ended '/bin/echo|channel-one') $(ended '/bin/echo|channel-two')" "0 0"
	same "a forwarded port" "$(picked 'select(.type == "network" and
		.event.action == "connect" and .destination.port == '"$SSHD_PORT"') |
		.destination.ip' | sort -u)" 127.0.0.1
}

make_files() {
	local home=/home/$USER1
	printf '#!/bin/sh\nsh -c "ls / | wc -l; exit 7"\n./inner.sh\nexit 0\n' >"$home/nested.sh"
	printf '#!/bin/sh\nexpr 6 "*" 7\nexit 3\n' >"$home/inner.sh"
	chmod 755 "$home"/*.sh
	sed "s/@PORT@/$SSHD_PORT/" "$E2E_DIR/everything.tty" >"$T/everything.tty"
}

# One connection: two commands and a forwarded port through which the server speaks to itself.
use_channels() {
	local opts=(-S "$T/control")
	ssh "${SSH_OPTS[@]}" -p "$SSHD_PORT" -M "${opts[@]}" -o ControlPersist=no -fN \
		-L "127.0.0.1:$((SSHD_PORT + 1)):127.0.0.1:$SSHD_PORT" $USER1@127.0.0.1 9>&- &&
		ssh "${SSH_OPTS[@]}" "${opts[@]}" $USER1@127.0.0.1 /bin/echo channel-one 9>&- &&
		ssh "${SSH_OPTS[@]}" "${opts[@]}" $USER1@127.0.0.1 /bin/echo channel-two 9>&- &&
		timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$((SSHD_PORT + 1)); head -n 1 <&3" &&
		ssh "${SSH_OPTS[@]}" "${opts[@]}" -O exit $USER1@127.0.0.1 9>&-
}

for tool in sqlite3 tmux vi curl base64 expr; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
product_begin $USER1
sudo_allow $USER1 || skip_all "no sudo"
at_exit 'rm -f /etc/sa-e2e-everything'
grant a $USER1 REQ-1042
make_files

check "interactive session" ssh_tty $USER1 "$T/everything.tty" "$T/tty.log"
echo payload >"$T/payload"
check "scp" scp_as $USER1 "$T/payload" upload2.txt -O
check "sftp" sftp -q "${SSH_OPTS[@]}" -P "$SSHD_PORT" -b - $USER1@127.0.0.1 <<<"put $T/payload up"
check "channels and a forwarded port" use_channels
check "all transcripts arrive complete" wait_for 30 all_complete 4

D=$(find_session nested.sh)
check_programs
check_network
check_typed
check_root
check_left_behind
check "chain of hashes holds" chain_holds "$D"
check "entries numbered without hole" seqs_are_whole "$D"
same "no known loss" "$(jq -r .no_known_loss "$D/manifest.json")" true
check_others
agent_stop
tap_done
