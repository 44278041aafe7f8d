# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# What the tests of the access context share: a mount namespace of their own with its own
# /etc/pam.d and /dev/log, so that sshd, sudo, su and login go by their real service names
# without touching the machine's; certificates; grants; logins that are looked up in the store
# by their session number. Sources lib.sh, sshd.sh and agent.sh.

if [ "$(id -u)" = 0 ] && [ -z "${SA_E2E_NAMESPACE:-}" ]; then
	SA_E2E_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$E2E_DIR/sshd.sh"
. "$E2E_DIR/agent.sh"

ACCESS_LINES=() # of the configuration, in every state of it
declare -A SES=() # session number by the name of the login
declare -A DIR_OF=() # of the store, by session number
PIDS=() # logins that run in the background

build_access_tools() {
	local p
	for p in auditmsg certforge pamlogin; do
		${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -o "$T/$p" "$E2E_DIR/$p.c" -laudit -lpam \
			-lcrypto || return 1
	done
}

# The machine's services with ours in between, seen by nobody else. Without pam_systemd: it
# would talk to the machine's.
private_pam() {
	PAM_DIR=$T/pam.d
	PAM_SERVICE=sshd
	cp -a /etc/pam.d "$PAM_DIR" && sed -i '/pam_systemd/d' "$PAM_DIR"/* &&
		mount --bind "$PAM_DIR" /etc/pam.d
}

private_syslog() {
	: >"$T/syslog"
	"$T/logsink" "$T/log.sock" "$T/syslog" 9>&- &
	at_exit "stop_pid $!"
	wait_for 5 test -S "$T/log.sock" || return 1
	[ -e /dev/log ] || { : >/dev/log && at_exit 'umount /dev/log; rm -f /dev/log'; }
	mount --bind "$T/log.sock" "$(readlink -f /dev/log)"
}

# Audit, users, agent, and an sshd with our line.
access_begin() { # USER...
	local u
	e2e_init
	audit_begin
	build_access_tools || exit 1
	mkdir -p "$T/ca.d" "$T/keys" "$T/certs" "$T/out" "$T/entries"
	private_pam && private_syslog || exit 1
	agent_prepare "[pam]" "ca_dir = $T/ca.d" "${ACCESS_LINES[@]}" || exit 1
	for u in "$@"; do
		user_add "$u" || exit 1
	done
	at_exit agent_stop
	agent_start || exit 1
	# A broken configuration means the defaults, with the host's own run directory.
	[ -e /run/sessaudit ] || at_exit 'rm -rf /run/sessaudit'
	OUR_LINE="session required $MODULE config=$T/sessaudit.conf"
	: >"$T/trusted_cas"
	SSHD_LINES=("TrustedUserCAKeys $T/trusted_cas" "${SSHD_LINES[@]}")
	sshd_start "$OUR_LINE" || exit 1
	SSH_BASE=(-F /dev/null -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p "$SSHD_PORT")
}

# The configuration from the next login on.
configure() { # [CONFIG-LINE]...
	agent_config "[pam]" "ca_dir = $T/ca.d" "${ACCESS_LINES[@]}" "$@"
}

# Adds our line to services of the private /etc/pam.d, behind pam_loginuid or at the end.
add_our_line() { # "LINE" SERVICE...
	local line=$1 s
	shift
	for s in "$@"; do
		if grep -q 'pam_loginuid' "$PAM_DIR/$s"; then
			sed -i "/pam_loginuid/a $line" "$PAM_DIR/$s"
		else
			echo "$line" >>"$PAM_DIR/$s"
		fi
	done
}

# Runs parts of a test one after the other and notes how long each took.
steps_of() { # FUNCTION...
	local part from
	for part in "$@"; do
		from=$(now_ms)
		$part
		note "$part: $(($(now_ms) - from)) ms"
	done
}

now_ms() { date +%s%3N; }

# --- keys, CAs, certificates ---

key_make() { # NAME [SSH-KEYGEN-OPTION]...
	local name=$1
	shift
	ssh-keygen -q -N '' -C "$name" -f "$T/keys/$name" "${@:--ted25519}"
}

fp() { ssh-keygen -lf "$1" | cut -d' ' -f2; }

# A CA that sshd trusts; with a profile also one of ours, "" for the plain line of a default.
ca_make() { # NAME TYPE [PROFILE]
	key_make "$1" -t "$2"
	cat "$T/keys/$1.pub" >>"$T/trusted_cas"
	[ $# -lt 3 ] || echo "${3:+$3 }$(cat "$T/keys/$1.pub")" >>"$T/ca.d/$1.pub"
}

# NAME-cert.pub in $T/certs. The user key's file name is KEY of $T/keys.
cert() { # NAME CA KEY USER KEY-ID [SSH-KEYGEN-OPTION]...
	local name=$1 ca=$2 key=$3 user=$4 id=$5
	shift 5
	cp "$T/keys/$key" "$T/certs/$name"
	cp "$T/keys/$key.pub" "$T/certs/$name.pub"
	ssh-keygen -q -s "$T/keys/$ca" -I "$id" -n "$user" "$@" "$T/certs/$name.pub"
}

ext() { printf -- '-Oextension:%s' "$1"; } # NAME=VALUE

with_cert() { # NAME: the ssh options that log in by it
	printf -- '-i %s' "$T/certs/$1" # and NAME-cert.pub beside it
}

# --- grants ---

# Valid for an hour around now; FILTER (jq) changes what is not as usual. Appears at once.
make_grant() { # FILE USER REQUEST [FILTER]
	jq -n --arg user "$2" --arg req "$3" --arg g "g-$1" --arg from "$(utc '-10 min')" \
		--arg to "$(utc '+1 hour')" '{schema: "sessaudit.grant/1", grant_id: $g, broker: "e2e",
		request: {id: $req, flow: {id: "f1", name: "prod-ssh"},
			requester: {id: "u1", email: "alice@example.com"},
			approvals: [{by: "bob@example.com", type: "user", status: "approved", at: $from}],
			justification: "INC-77: disk full", resource: "ssh/prod-db-1", ticket: "INC-77"},
		not_before: $from, expires_at: $to, match: {users: [$user]}} |
		'"${4:-.}" >"$T/grants/.$1.new" && mv "$T/grants/.$1.new" "$T/grants/$1.json"
}

grants_clear() { rm -rf "$T/grants"; install -d -m 755 "$T/grants"; }

# --- logins ---

SAY_SES='cat /proc/self/sessionid; echo' # the remote command, unless REMOTE is set

# Without options: by the plain key of all users. ssh's own status is the function's.
enter() { # NAME USER [SSH-OPTION]...
	local name=$1 user=$2 rc=0
	shift 2
	[ $# -gt 0 ] || set -- -i "$T/key"
	ssh "${SSH_BASE[@]}" "$@" "$user@127.0.0.1" "${REMOTE-$SAY_SES}" \
		</dev/null >"$T/out/$name" 2>"$T/out/$name.err" 9>&- || rc=$?
	SES[$name]=$(sed -n '1s/^[0-9]*$/&/p' "$T/out/$name")
	return $rc
}

enter_bg() { # as enter; its session number is known after enter_wait
	enter "$@" &
	PIDS+=("$!:$1")
}

enter_wait() {
	local p name
	for p in "${PIDS[@]}"; do
		name=${p#*:}
		wait "${p%%:*}" || :
		SES[$name]=$(sed -n '1s/^[0-9]*$/&/p' "$T/out/$name")
	done
	PIDS=()
}

# The number of the newest session: for logins that are not let in, and so cannot say it.
newest_ses() { ls "$T/run/ses" | sed -n 's/^\([0-9]*\)\.json$/\1/p' | sort -n | tail -n 1; }

# A login that must be turned away, with the number of its session.
turned_away() { # NAME USER [SSH-OPTION]...
	local name=$1 before
	before=$(newest_ses)
	! enter "$@" || return 1
	SES[$name]=$(newest_ses)
	[ "${SES[$name]}" != "$before" ]
}

# --- what the store says of them ---

index_store() {
	local d ses
	for d in "$T"/store/sessions/*/session=*; do
		[ -z "${DIR_SEEN[$d]:-}" ] && [ -e "$d/000000.jsonl.gz" ] || continue
		ses=$(segment_header "$d" | jq -r .ses)
		DIR_OF[$ses]=$d
		DIR_SEEN[$d]=1
	done
}
declare -A DIR_SEEN=()

# Whether every login's transcript is complete; names those that are not.
all_settled() {
	local name rc=0
	index_store
	for name in "${!SES[@]}"; do
		[ -n "${SES[$name]}" ] && [ -e "${DIR_OF[${SES[$name]}]:-/none}/manifest.json" ] &&
			continue
		[ -z "${SES[$name]}" ] || rc=1
		[ -n "${SES[$name]}" ] || echo "no session: $name: $(cat "$T/out/$name.err")"
		[ -z "${SES[$name]}" ] || echo "not complete: $name (ses ${SES[$name]})"
	done
	return $rc
}

# Waits for the transcripts and writes their entries to $T/entries/NAME.
settle() {
	local name
	check "every transcript is complete" wait_for 40 all_settled
	all_settled | grep '^no session' | sed 's/^/# /'
	for name in "${!SES[@]}"; do
		entries "${DIR_OF[${SES[$name]:-none}]:-/none}" >"$T/entries/$name" 2>/dev/null
	done
}

picked_from() { # NAME FILTER: of that login's entries
	jq -r "$2" "$T/entries/$1"
}

access_of() { # NAME FILTER: of its access entry's context
	picked_from "$1" "select(.type == \"access\") | .access | $2"
}

context() { # NAME: status, source and request; or why there was no login
	local c
	c=$(access_of "$1" '"\(.status) \(.source) \(.request.id // "-")"')
	echo "${c:-no transcript: $(cat "$T/out/$1.err" 2>/dev/null)}"
}

is() { # NAME "STATUS SOURCE REQUEST" WHAT
	same "$3" "$(context "$1")" "$2"
}

says() { # NAME FILTER WANT WHAT: of the access context
	same "$4" "$(access_of "$1" "$2")" "$3"
}

matches() { # NAME FILTER REGEX WHAT: of the access context
	local got
	got=$(access_of "$1" "$2")
	[[ $got =~ $3 ]]
	ok $? "$4"
	[[ $got =~ $3 ]] || note "got: $got" "want: $3"
}

logged() { # REGEX: by a PAM module
	grep -aqE -- "$1" "$T/syslog"
}
