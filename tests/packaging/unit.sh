#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# What systemd is given: the unit, users and directories, installed from a build.
set -u
. "$(dirname "$0")/lib.sh"

need systemd-analyze systemd-sysusers systemd-tmpfiles
inst=$PKG_TMP/inst
build() {
	tree "$PKG_TMP/src" && mkdir "$PKG_TMP/build" && cd "$PKG_TMP/build" &&
		../src/configure --quiet --prefix="$inst" && make -s -j"$(nproc)" && make -s install
}
must "installs from a build" build
unit=$inst/lib/systemd/system/sessaudit.service

check "no value is left to fill in" bash -c "! grep -n '@[A-Za-z]*@' '$unit'"
# The programs named in it are looked for, too.
quiet() { # a warning is a failure
	local said
	local rc=0
	said=$("$@" 2>&1) || rc=$?
	printf '%s\n' "$said"
	[ $rc = 0 ] && [ -z "$said" ]
}
check "systemd-analyze verify has nothing to say" quiet systemd-analyze verify --man=no "$unit"
# A root service with capabilities cannot score far below this.
check "exposure is at most 3.5" \
	systemd-analyze security --offline=yes --threshold=35 --no-pager "$unit"
for line in Type=notify WatchdogSec=60 Restart=always NoNewPrivileges=yes ProtectSystem=strict \
	RuntimeDirectoryPreserve=yes; do
	check "unit says $line" grep -q -x -F "$line" "$unit"
done
# The kernel serves audit in its first namespaces only.
check "no namespace that takes audit away" \
	bash -c "! grep -n -E '^Private(Network|Users|PIDs)=(yes|true|on|1)' '$unit'"

root=$PKG_TMP/root
mkdir -p "$root/etc" "$root/run" "$root/var/lib"
check "sysusers makes the users" systemd-sysusers --root="$root" \
	"$inst/lib/sysusers.d/sessaudit.conf"
for user in sessaudit sessaudit-ship sessaudit-grant; do
	check "$user cannot log in" grep -q "^$user:.*nologin$" "$root/etc/passwd"
	check "$user has its group" grep -q "^$user:" "$root/etc/group"
done
gid() { sed -n "s/^$1:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group"; }

if [ "$(id -u)" = 0 ]; then
	check "tmpfiles makes the directories" systemd-tmpfiles --root="$root" --create \
		"$inst/lib/tmpfiles.d/sessaudit.conf"
	while read -r dir mode group; do
		same "/$dir is $mode, group $group" "$(stat -c '%a %u %g' "$root/$dir")" \
			"$mode 0 $group"
	done <<-END
		etc/sessaudit 755 0
		etc/sessaudit/grants.d 755 0
		etc/sessaudit/ca.d 755 0
		run/sessaudit 755 0
		run/sessaudit/grants.d 755 0
		run/sessaudit/ses 2770 $(gid sessaudit)
		var/lib/sessaudit 755 0
	END
else
	PKG_COUNT=$((PKG_COUNT + 1))
	echo "ok $PKG_COUNT - tmpfiles makes the directories # SKIP not root"
fi

check "the sample configuration is valid" \
	"$inst/sbin/sessauditd" -t --config "$inst/etc/sessaudit/sessaudit.conf"
echo '# mine' >>"$inst/etc/sessaudit/sessaudit.conf"
check "a second install succeeds" make -s -C "$PKG_TMP/build" install
check "... and leaves a changed configuration alone" \
	grep -q -x '# mine' "$inst/etc/sessaudit/sessaudit.conf"
finish
