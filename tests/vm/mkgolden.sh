#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/vm/mkgolden.sh SUITE OUT
#
# Records audit logs of another distribution's kernel and tools for tests/golden/raw: makes a guest of
# the Debian release SUITE (bullseye, bookworm, trixie), boots it under qemu without KVM, has a user log
# in over ssh and do what guest/all.sh and guest/typed.tty say, and copies to OUT:
#
#   command.audit   guest/all.sh by `ssh HOST all.sh`; /var/log/audit/audit.log with log_format = RAW,
#                   from the start of the guest
#   typed.audit     an scp, and guest/typed.tty in a shell; also RAW
#   ausearch.audit  as command.audit, but from `ausearch --raw`
#   enriched.audit  as typed.audit, but typed once more, with log_format = ENRICHED
#   versions        kernel and packages; *.whole: the logs as they were
#
# Needs root, mmdebstrap, qemu-system-x86, e2fsprogs, ssh, a C compiler; some minutes and 4 GiB. Only
# the forward of the guest's ssh on 127.0.0.1 is visible outside. Not part of `make check`.
set -eu
SRC=$(cd "$(dirname "$0")/../.." && pwd)
SUITE=${1:?usage: mkgolden.sh SUITE OUT} OUT=${2:?usage: mkgolden.sh SUITE OUT}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
PACKAGES=systemd-sysv,udev,linux-image-cloud-amd64,openssh-server,auditd,sudo,python3,dbus
PACKAGES=$PACKAGES,libpam-systemd,iproute2,procps,sqlite3,curl
PORT=${PORT:-$(shuf -n 1 -i 20000-32000)}
CONTROL=$((PORT + 1))
T=$(mktemp -d "${TMPDIR:-/var/tmp}/sessaudit-vm.XXXXXX")
QEMU=
cleanup() {
	[ -z "$QEMU" ] || kill "$QEMU" 2>/dev/null || :
	[ -n "${KEEP:-}" ] || rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
mkdir -p "$OUT" "$T/root"

# The rules of all classes, as the agent has them, and TTY audit by pam_tty_audit: so no tag. alice
# must type a password for sudo id and for nothing else. A second sshd, without PAM and so without a
# login uid, is for this script.
make_root() {
	local key=/usr/share/keyrings/debian-archive-$SUITE-stable.gpg
	mmdebstrap --variant=minbase --include="$PACKAGES" ${key:+--keyring="$key"} \
		"$SUITE" "$T/root" "$MIRROR" >"$T/mmdebstrap.log" 2>&1 || { tail "$T/mmdebstrap.log"; exit 1; }
	ssh-keygen -q -t ed25519 -N '' -C golden -f "$T/key"
	ssh-keygen -q -t ed25519 -N '' -C host -f "$T/host_key"
	chroot "$T/root" useradd -m -s /bin/bash alice
	echo 'alice:Typed-Secret-1' | chroot "$T/root" chpasswd
	install -m 755 "$SRC"/tests/vm/guest/{all.sh,nested.sh,net.py} "$T/root/home/alice"
	printf "PS1='golden> '\nPS2='> '\nHISTFILE=\n" >"$T/root/home/alice/.bash_profile"
	install -d -m 700 "$T/root/home/alice/.ssh" "$T/root/root/.ssh"
	tee "$T/root/home/alice/.ssh/authorized_keys" "$T/root/root/.ssh/authorized_keys" \
		<"$T/key.pub" >/dev/null
	chroot "$T/root" chown -R alice: /home/alice
	cp "$T/host_key" "$T/root/etc/ssh/ssh_host_ed25519_key"
	printf 'alice ALL=(ALL) NOPASSWD: ALL\nalice ALL=(ALL) PASSWD: /usr/bin/id\n' \
		>"$T/root/etc/sudoers.d/golden"
	chmod 440 "$T/root/etc/sudoers.d/golden"
	echo golden >"$T/root/etc/hostname"
	printf '127.0.0.1 localhost golden\n::1 localhost\n' >"$T/root/etc/hosts"
	printf '[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\n' \
		>"$T/root/etc/systemd/network/golden.network"
	sed -i 's/^log_format.*/log_format = RAW/' "$T/root/etc/audit/auditd.conf"
	cp "$SRC/tests/vm/guest/golden.rules" "$T/root/etc/audit/rules.d/audit.rules"
	echo 'session required pam_tty_audit.so enable=*' >>"$T/root/etc/pam.d/sshd"
	cat >"$T/root/etc/systemd/system/control.service" <<-END
		[Unit]
		After=network.target auditd.service
		[Service]
		ExecStartPre=/bin/mkdir -p /run/sshd
		ExecStart=/usr/sbin/sshd -D -p 2200 -o UsePAM=no -o PermitRootLogin=yes
		[Install]
		WantedBy=multi-user.target
	END
	chroot "$T/root" systemctl -q enable control systemd-networkd
}

boot() {
	cp "$T"/root/boot/vmlinuz-* "$T/kernel"
	cp "$T"/root/boot/initrd.img-* "$T/initrd"
	truncate -s 3G "$T/disk"
	mke2fs -q -F -t ext4 -d "$T/root" "$T/disk"
	qemu-system-x86_64 -accel tcg -cpu max,-cx16 -smp 1 -m 1024 -display none -monitor none \
		-serial "file:$T/console" -kernel "$T/kernel" -initrd "$T/initrd" \
		-append "root=/dev/vda rw console=ttyS0 net.ifnames=0" \
		-drive "file=$T/disk,if=virtio,format=raw" -device virtio-rng-pci \
		-netdev "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$PORT-:22,hostfwd=tcp:127.0.0.1:$CONTROL-:2200" \
		-device virtio-net-pci,netdev=n &
	QEMU=$!
	for _ in $(seq 100); do
		control true 2>/dev/null && return
		sleep 3
	done
	tail -n 20 "$T/console"
	exit 1
}

SSH=(-F /dev/null -i "$T/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o BatchMode=yes
	-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=30)
control() { ssh "${SSH[@]}" -p $CONTROL root@127.0.0.1 "$@"; }

sessions() {
	"${CC:-cc}" -O2 -o "$T/ttydrive" "$SRC/tests/e2e/ttydrive.c" -lutil
	ssh "${SSH[@]}" -p "$PORT" alice@127.0.0.1 ./all.sh >"$T/all.out" 2>&1 || :
	scp -q "${SSH[@]}" -P "$PORT" "$SRC/tests/vm/guest/nested.sh" alice@127.0.0.1:copied.sh
	"$T/ttydrive" "$SRC/tests/vm/guest/typed.tty" "$T/typed.log" \
		ssh -tt "${SSH[@]}" -p "$PORT" alice@127.0.0.1 || { cat "$T/typed.log"; exit 1; }
	sleep 15 # what was left behind ends, and the log is written
}

# LOG without these sessions; what belongs to none stays.
without() { # LOG SES...
	local log=$1
	shift
	awk -v drop=" $* " '
		match($0, /audit\([0-9.]+:[0-9]+\)/) { id = substr($0, RSTART, RLENGTH) }
		NR == FNR && match($0, / ses=[0-9]+/) { ses[id] = substr($0, RSTART + 5, RLENGTH - 5) }
		NR != FNR && !index(drop, " " ses[id] " ")' "$log" "$log"
}

make_root
boot
sleep 20 # the rest of the start
sessions
control 'cat /var/log/audit/audit.log' >"$OUT/raw.whole"
control 'ausearch --input-logs --raw' >"$OUT/ausearch.whole"
control 'uname -srvm; dpkg-query -W auditd openssh-server sudo bash systemd' >"$OUT/versions"
control 'sed -i "s/^log_format.*/log_format = ENRICHED/" /etc/audit/auditd.conf
	kill $(pidof auditd); sleep 3; mv /var/log/audit/audit.log /root/raw; systemctl start auditd
	rm -f /home/alice/notes.txt /home/alice/t.db; sleep 3'
sessions
control 'cat /var/log/audit/audit.log' >"$OUT/enriched.whole"
cp "$T/all.out" "$T/typed.log" "$OUT"
# Sessions in their order: all.sh, the user's systemd, scp, typed; then the same once more.
without "$OUT/raw.whole" 2 3 4 >"$OUT/command.audit"
without "$OUT/raw.whole" 1 2 >"$OUT/typed.audit"
without "$OUT/ausearch.whole" 2 3 4 >"$OUT/ausearch.audit"
without "$OUT/enriched.whole" 5 6 >"$OUT/enriched.audit"
ls -l "$OUT"
