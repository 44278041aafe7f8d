# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# The product under test, straight from the build tree SA_BUILD: module, agent and
# command line, with all their directories below $T. Needs lib.sh and sshd.sh.

SA_BUILD=${SA_BUILD:-$TOP/build}
AGENT_LINES=() # of the configuration, for product_begin
AGENT_USER=sa-e2e-agent
SHIP_USER=sa-e2e-ship

# Programs and the shared directories, as packages and tmpfiles.d would make them.
agent_prepare() { # [CONFIG-LINE]...: more lines, after a section of their own
	local u
	note_strangers
	[ -x "$SA_BUILD/agent/sessauditd" ] || skip_all "sessaudit is not built in $SA_BUILD"
	MODULE=$SA_BUILD/pam_sessaudit/.libs/pam_sessaudit.so
	for u in $AGENT_USER $SHIP_USER; do
		! id $u >/dev/null 2>&1 || { echo "user $u exists already" >&2; return 1; }
		at_exit "user_remove $u"
		useradd -r -M -U -d /nonexistent -s /usr/sbin/nologin $u || return 1
	done
	mkdir -p "$T/libexec" "$T/grants" "$T/run"
	ln -sf "$SA_BUILD"/agent/{collector/sessaudit-collector,shipper/sessaudit-shipper} \
		"$SA_BUILD"/agent/{grantd/sessaudit-grantd,warden/sessaudit-warden} "$T/libexec/"
	install -d -m 2770 -o root -g $AGENT_USER "$T/run/ses"
	install -d -m 0750 -o $AGENT_USER -g $SHIP_USER "$T/spool"
	install -d -m 0750 -o $SHIP_USER -g $SHIP_USER "$T/store"
	agent_config "$@"
}

agent_config() { # [CONFIG-LINE]...
	cat >"$T/sessaudit.conf" <<-END
		[pam]
		enable = *
		grants_dir = $T/grants
		[segment]
		max_age = 2s
		[spool]
		dir = $T/spool
		# spool_full of faults.sh has a file system of 512 KiB
		min_free = 0
		[store]
		dir = $T/store
		retry_min = 100ms
		retry_max = 1s
		[redact]
		key_file = $T/redact.key
		[agent]
		run_dir = $T/run
		user = $AGENT_USER
		ship_user = $SHIP_USER
	END
	printf '%s\n' "$@" >>"$T/sessaudit.conf"
}

# The kernel goes on naming a collector that was killed: ask for the one that runs now.
agent_listens() {
	local collector
	collector=$(agent_role collector) &&
		"$T/auditstate" get | grep -q " pid=$collector .* rules=[1-9]"
}

agent_start() {
	"$SA_BUILD/agent/sessauditd" --config "$T/sessaudit.conf" --libexec "$T/libexec" \
		2>>"$T/agent.log" 9>&- &
	AGENT_PID=$!
	wait_for 15 agent_listens && ! gone $AGENT_PID && return
	sed 's/^/# agent: /' "$T/agent.log"
	return 1
}

agent_stop() {
	[ -n "${AGENT_PID:-}" ] || return 0
	stop_pid "$AGENT_PID"
	AGENT_PID=
}

# A role that the supervisor runs now.
agent_role() { # collector|shipper
	pgrep -P "$AGENT_PID" -f "sessaudit-$1"
}

new_collector() { # OLD-PID
	[ "$(agent_role collector)" != "$1" ] && agent_listens
}

# Everything a login test needs: audit, users, private sshd with our line, agent. PRODUCT_STORE: a
# command that makes another store ready than the directory, and says so in AGENT_LINES.
product_begin() { # USER...
	local u
	e2e_init
	audit_begin
	${PRODUCT_STORE:-:}
	agent_prepare "${AGENT_LINES[@]}" || exit 1
	for u in "$@"; do
		user_add "$u" || exit 1
	done
	at_exit agent_stop
	agent_start || exit 1
	syslog_private
	sshd_start "session required $MODULE config=$T/sessaudit.conf" || exit 1
}

grant() { # FILE USER REQUEST [REQUESTER]: an approved request, for the next hour
	local requester=${4:-$2}
	cat >"$T/grants/.$1.new" <<-END
		{ "schema": "sessaudit.grant/1", "grant_id": "g-$1", "broker": "e2e",
		  "request": { "id": "$3", "flow": { "id": "f1", "name": "prod-ssh" },
		    "requester": { "id": "u-$requester", "email": "$requester@example.com" },
		    "approvals": [
		      { "by": "bob@example.com", "type": "user", "status": "approved",
		        "at": "$(utc '-20 min')" },
		      { "by": "carol@example.com", "type": "user", "status": "approved",
		        "at": "$(utc '-10 min')" } ],
		    "justification": "INC-77: disk full", "resource": "ssh/prod-db-1",
		    "ticket": "INC-77" },
		  "not_before": "$(utc '-10 min')", "expires_at": "$(utc '+1 hour')",
		  "match": { "users": [ "$2" ] } }
	END
	mv "$T/grants/.$1.new" "$T/grants/$1.json"
}

utc() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }

now() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; } # as the transcript has it

# --- a session that runs one command at a time, on demand ---

talk_open() { # USER: sets TALK_SES
	coproc TALK { ssh_as "$1" bash; }
	talk 'read -r s </proc/self/sessionid; echo $s'
	TALK_SES=$TALK_ANSWER
}

talk() { # COMMAND that prints one line
	echo "$1" >&"${TALK[1]}"
	read -rt 20 TALK_ANSWER <&"${TALK[0]}"
}

run_mark() { # WORD
	talk "/bin/echo mark-$1"
	[ "$TALK_ANSWER" = "mark-$1" ]
}

talk_close() { # and waits until its transcript is complete in the store
	local pid=$TALK_PID fd=${TALK[1]}
	exec {fd}>&-
	wait "$pid"
	wait_for 30 session_ended "$TALK_SES"
}

talk_dir() { session_dir "$TALK_SES"; }

# --- reading the store, without the product ---

# The ids of the sessions that run on this machine, before a test makes its own: the agent takes them
# up. Whoever runs a test over ssh is in one.
note_strangers() {
	local ses machine boot
	machine=$(cut -c1-32 /etc/machine-id 2>/dev/null)
	boot=$(cat /proc/sys/kernel/random/boot_id)
	for ses in $(cat /proc/[0-9]*/sessionid 2>/dev/null | sort -u); do
		printf 'sessaudit-session/1\0%s\0%s\0%s' "${machine:-host-$(hostname)}" "$boot" "$ses" |
			sha256sum | cut -c1-32
	done >"$T/strangers"
}

# Another test that runs meanwhile makes sessions too, but not for our users.
note_new_strangers() {
	local f
	for f in "$T"/store/index/*/*/*.start.json; do
		[ -e "$f" ] && ! grep -qF "$(basename "$f" .start.json)" "$T/strangers" || continue
		case $(getent passwd "$(jq -r .user "$f")") in
		sa-e2e-*) ;;
		*) basename "$f" .start.json >>"$T/strangers" ;;
		esac
	done
}

# Leaves out lines that name one of them.
not_strangers() {
	note_new_strangers
	grep -vFf "$T/strangers"
}

session_dirs() { # [STORE]: of our users, one a line
	local d
	for d in "${1:-$T/store}"/sessions/request=*/session=*; do
		[ ! -e "$d/000000.jsonl.gz" ] || echo "$d"
	done | not_strangers
}

segment_header() { # SESSION-DIR
	zcat "$1/000000.jsonl.gz" 2>/dev/null | head -n 1
}

entries() { # SESSION-DIR: all entry lines, headers and footers left out
	local f
	for f in "$1"/[0-9]*.jsonl.gz; do
		zcat "$f" | sed '1d;$d'
	done
}

# The directory of the session that the kernel numbers SES in this boot.
session_dir() { # SES
	local d
	for d in $(session_dirs); do
		segment_header "$d" | jq -e --argjson s "$1" '.ses == $s' >/dev/null || continue
		echo "$d"
		return
	done
	return 1
}

session_ended() { # SES
	local d
	d=$(session_dir "$1") && [ -e "$d/manifest.json" ]
}

# The sessions one of whose command lines has this fragment.
find_session() { # FRAGMENT
	local d
	for d in $(session_dirs); do
		ran "$d" | grep -qF -- "$1" && echo "$d"
	done
}

all_complete() { # COUNT of sessions
	[ "$(ls "$T"/store/sessions/request=*/*/manifest.json 2>/dev/null | not_strangers | wc -l)" = "$1" ]
}

picked() { # JQ-FILTER: from the entries of the session in $D
	entries "$D" | jq -r "$1"
}

# What was run, an argv a line, its parts separated by 0x1f.
ran() { # SESSION-DIR
	entries "$1" | jq -r 'select(.event.action == "exec") | .process.args | join("\u001f")'
}

seqs_are_whole() { # SESSION-DIR: 1, 2, 3 ... no entry twice, none left out
	entries "$1" | jq -es '[.[].seq] == [range(1; length + 1)]' >/dev/null
}

# Computes the chain anew with sha256sum alone and compares it with every footer and the manifest,
# which ends before what left-behind programs did.
chain_holds() { # SESSION-DIR
	local f line head= i n last ended=
	last=$(jq -r '.segments[-1].key' "$1/manifest.json")
	for f in "$1"/[0-9]*.jsonl.gz; do
		mapfile -t lines < <(zcat "$f")
		n=${#lines[@]}
		for ((i = 0; i < n; i++)); do
			line=${lines[i]}
			[ $i -lt $((n - 1)) ] || [ "$(jq -r .head <<<"$line")" = "$head" ] || return 1
			head=$(printf '%s%s\n' "$head" "$line" | sha256sum | cut -c1-64)
		done
		[ "${f##*/}" != "${last##*/}" ] || ended=$head
	done
	[ "$(jq -r .head "$1/manifest.json")" = "$ended" ]
}

# The command line, on the store of this test.
sa() { "$SA_BUILD/cli/sessaudit" --store "$T/store" "$@"; }
