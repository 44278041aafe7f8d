# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# A private sshd on 127.0.0.1 with a PAM service of its own, and users who may
# log in to it. Needs lib.sh. Everything is taken away at the end: users, PAM
# file, sudoers file, processes.

E2E_PROMPT='e2e> '
E2E_USERS=()  # who may log in
SSHD_LINES=() # of its configuration, after all others
PAM_DIR=${PAM_DIR:-/etc/pam.d} # a script with a mount namespace of its own has another

# A user with a key, a known prompt, and the right to use sudo where there is sudo.
user_add() { # NAME
	local home=/home/$1
	if id "$1" >/dev/null 2>&1 || [ -e "$home" ]; then
		echo "user $1 exists already" >&2
		return 1
	fi
	E2E_USERS+=("$1")
	at_exit "user_remove $1"
	useradd -m -k /dev/null -d "$home" -s /bin/bash -p '*' "$1" || return 1
	mkdir -p "$home/.ssh"
	[ -f "$T/key" ] || ssh-keygen -q -t ed25519 -N '' -C sessaudit-e2e -f "$T/key"
	cp "$T/key.pub" "$home/.ssh/authorized_keys"
	printf "PS1='%s'\nPS2='> '\nHISTFILE=\n" "$E2E_PROMPT" >"$home/.bash_profile"
	chown -R "$1": "$home"
	chmod 700 "$home/.ssh"
}

# The external server of scp and sftp, as distributions configure it: it shows as a program run.
sftp_server() {
	local p
	for p in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec; do
		[ ! -x "$p/sftp-server" ] || { echo "$p/sftp-server"; return; }
	done
	echo internal-sftp
}

sudo_allow() { # USER
	command -v sudo >/dev/null && [ -d /etc/sudoers.d ] || return 1
	SUDOERS=/etc/sudoers.d/sessaudit-e2e
	at_exit "rm -f $SUDOERS"
	echo "$1 ALL=(ALL) NOPASSWD: ALL" >>"$SUDOERS"
	chmod 0440 "$SUDOERS"
}

# From OpenSSH 9.8 the service's name is an option, before it is the program's name.
sshd_names_service() {
	local v
	v=$(ssh -V 2>&1 | sed -n 's/^OpenSSH_\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
	set -- $v
	[ "$1" -gt 9 ] || { [ "$1" = 9 ] && [ "$2" -ge 8 ]; }
}

write_pam_service() { # LINE...: our session lines, directly after pam_loginuid
	{
		echo "account required pam_permit.so"
		echo "session required pam_loginuid.so"
		printf '%s\n' "$@"
		echo "session required pam_unix.so"
	} >"$PAM_DIR/$PAM_SERVICE"
}

write_sshd_config() { # PORT
	cat >"$T/sshd_config" <<-END
		ListenAddress 127.0.0.1
		Port $1
		HostKey $T/host_key
		PidFile $T/sshd.pid
		UsePAM yes
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		AllowUsers ${E2E_USERS[*]}
		MaxStartups 100
		MaxSessions 50
		StrictModes no
		PrintMotd no
		Subsystem sftp $(sftp_server)
	END
	! sshd_names_service || echo "PAMServiceName $PAM_SERVICE" >>"$T/sshd_config"
	[ ${#SSHD_LINES[@]} = 0 ] || printf '%s\n' "${SSHD_LINES[@]}" >>"$T/sshd_config"
}

sshd_try_port() { # PORT
	write_sshd_config "$1"
	rm -f "$T/sshd.pid"
	"${SSHD_UNDER[@]}" "$SSHD" -D -e -f "$T/sshd_config" 2>>"$T/sshd.log" 9>&- &
	SSHD_PID=$!
	wait_for 5 test -s "$T/sshd.pid" && ! gone $SSHD_PID && return
	sshd_stop
	return 1
}

# PAM modules speak to /dev/log: gives sshd one of its own in its own mount namespace, read into
# $T/syslog. Sets SSHD_UNDER, the command that sshd is started by.
SSHD_UNDER=()
syslog_private() { # [UNSHARE-OPTION]...
	local log=/dev/log
	if [ -e /dev/log ]; then
		log=$(readlink -f /dev/log)
	else
		: >/dev/log
		at_exit 'rm -f /dev/log'
	fi
	if [ ! -S "$T/log.sock" ]; then
		"$T/logsink" "$T/log.sock" "$T/syslog" 9>&- &
		at_exit "stop_pid $!"
		wait_for 5 test -S "$T/log.sock"
	fi
	SSHD_UNDER=(unshare -m --propagation private "$@"
		sh -c "mount --bind '$T/log.sock' '$log' && exec \"\$@\"" sh)
}

# unshare, where it forked, passes no SIGTERM on.
sshd_stop() {
	local pid=${SSHD_PID:-}
	[ -n "$pid" ] || return 0
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != unshare ] || pid=$(pgrep -P "$pid")
	stop_pid "$pid"
	wait "$SSHD_PID" 2>/dev/null
	SSHD_PID=
}

# Starts after audit is enabled: what was forked before has no audit context.
sshd_start() { # PAM-LINE...
	local port real
	real=$(command -v sshd || echo /usr/sbin/sshd)
	[ -x "$real" ] || skip_all "no sshd"
	PAM_SERVICE=${PAM_SERVICE:-sshd-sae2e-$$}
	SSHD=$T/$PAM_SERVICE
	! sshd_names_service || SSHD=$real
	[ -x "$SSHD" ] || cp "$real" "$SSHD"
	at_exit "rm -f $PAM_DIR/$PAM_SERVICE"
	write_pam_service "$@"
	[ -d /run/sshd ] || { mkdir -m 755 /run/sshd && at_exit 'rmdir /run/sshd'; }
	[ -f "$T/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C host -f "$T/host_key"
	for port in $(shuf -n 10 -i 20000-32000); do
		sshd_try_port "$port" && { SSHD_PORT=$port; break; }
	done
	[ -n "$SSHD_PID" ] || { sed 's/^/# /' "$T/sshd.log"; return 1; }
	at_exit sshd_stop
	SSH_OPTS=(-F /dev/null -i "$T/key" -o IdentitiesOnly=yes -o BatchMode=yes
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
}

ssh_as() { # USER ARG...
	local user=$1
	shift
	ssh "${SSH_OPTS[@]}" -p "$SSHD_PORT" "$user@127.0.0.1" "$@" 9>&-
}

scp_as() { # USER LOCAL-FILE REMOTE-PATH [OPTION]
	scp -q ${4:-} "${SSH_OPTS[@]}" -P "$SSHD_PORT" "$2" "$1@127.0.0.1:$3" 9>&-
}

# An interactive session on a terminal, driven by a ttydrive script.
ssh_tty() { # USER SCRIPT LOG
	"$T/ttydrive" "$2" "$3" ssh -tt "${SSH_OPTS[@]}" -p "$SSHD_PORT" "$1@127.0.0.1" 9>&-
}
