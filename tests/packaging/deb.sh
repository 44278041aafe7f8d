#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# debian/ laid over the tarball: dpkg-buildpackage gives the two packages, and lintian has nothing against them.
set -u
. "$(dirname "$0")/lib.sh"

need dpkg-buildpackage dh lintian nm objdump
case $(dpkg --print-architecture 2>/dev/null) in
'') skip_all "not a Debian system" ;;
esac
[ -d "$PKG_TOP/debian" ] || skip_all "no debian/ here (a tarball has none)"
must "make dist" tarball

deb=$PKG_TMP/deb
src=$deb/sessaudit-$PKG_VERSION
mkdir "$deb"
cp "$PKG_TARBALL" "$deb/sessaudit_$PKG_VERSION.orig.tar.xz"
tar -x -C "$deb" -f "$PKG_TARBALL"
check "the tarball brings no debian/" [ ! -e "$src/debian" ]
(cd "$PKG_TOP" && tracked debian) | tar -c -C "$PKG_TOP" --null -T - -f - | tar -x -C "$src" -f -
# As on a build machine: no root, and a home that is not there.
if [ "$(id -u)" = 0 ]; then
	chown -R nobody "$deb"
	as_user() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
else
	as_user() { "$@"; }
fi
build() {
	cd "$src" && as_user env -u MAKEFLAGS HOME=/nonexistent LC_ALL=C.UTF-8 \
		dpkg-buildpackage -us -uc -d -j"$(nproc)"
}
must "dpkg-buildpackage (source, binaries, unit tests), not as root" build

version=$(dpkg-parsechangelog -l "$src/debian/changelog" -S Version)
arch=$(dpkg --print-architecture)
agent=$deb/sessaudit_${version}_$arch.deb
module=$deb/libpam-sessaudit_${version}_$arch.deb
contents() { # DEB: its files and modes
	dpkg-deb -c "$1" | awk '$1 !~ /^d/ { sub(/^\./, "", $6); print $1, $6 }' | LC_ALL=C sort -k2
}
unitdir=$(pkg-config --variable=systemdsystemunitdir systemd)
pamdir=$(case $unitdir in /usr/*) echo /usr ;; esac)/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/security

same "libpam-sessaudit holds the module, its page, its documents" "$(contents "$module")" \
	"$(LC_ALL=C sort -k2 <<-END
	-rw-r--r-- $pamdir/pam_sessaudit.so
	-rw-r--r-- /usr/share/doc/libpam-sessaudit/README.Debian
	-rw-r--r-- /usr/share/doc/libpam-sessaudit/changelog.Debian.gz
	-rw-r--r-- /usr/share/doc/libpam-sessaudit/copyright
	-rw-r--r-- /usr/share/lintian/overrides/libpam-sessaudit
	-rw-r--r-- /usr/share/man/man8/pam_sessaudit.8.gz
	END
	)"
same "sessaudit holds the agent and the command line" \
	"$(contents "$agent" | grep -v /usr/share/doc/)" \
	"$(LC_ALL=C sort -k2 <<-END
	-rw-r--r-- /etc/audit/plugins.d/sessaudit.conf
	-rw-r--r-- /etc/sessaudit/sessaudit.conf
	-rw-r--r-- $unitdir/sessaudit.service
	-rwxr-xr-x /usr/bin/sessaudit
	-rw-r--r-- /usr/lib/sysusers.d/sessaudit.conf
	-rw-r--r-- /usr/lib/tmpfiles.d/sessaudit.conf
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-collector
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-grantd
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-shipper
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-warden
	-rwxr-xr-x /usr/sbin/sessauditd
	-rw-r--r-- /usr/share/lintian/overrides/sessaudit
	-rw-r--r-- /usr/share/man/man1/sessaudit.1.gz
	-rw-r--r-- /usr/share/man/man5/sessauditd.conf.5.gz
	-rw-r--r-- /usr/share/man/man8/sessauditd.8.gz
	END
	)"

check "the configuration is a conffile" bash -c \
	"dpkg-deb -I '$agent' conffiles | grep -q -x /etc/sessaudit/sessaudit.conf"
check "users are made at installation" bash -c \
	"dpkg-deb -I '$agent' postinst | grep -q 'systemd-sysusers.*sessaudit.conf'"
check "directories are made at installation" bash -c \
	"dpkg-deb -I '$agent' postinst | grep -q 'systemd-tmpfiles.*sessaudit.conf'"
# debhelper's text for units that only an upgrade touches.
check "installing does not enable the unit" bash -c \
	"dpkg-deb -I '$agent' postinst | grep -q 'if deb-systemd-helper debian-installed'"
check "installing does not start the unit" bash -c \
	"dpkg-deb -I '$agent' postinst | grep deb-systemd-invoke | grep -v try-restart; [ \$? = 1 ]"
check "the module depends on PAM" bash -c "dpkg-deb -f '$module' Depends | grep -q libpam0g"
mkdir "$PKG_TMP/x"
dpkg-deb -x "$module" "$PKG_TMP/x"
same "the module exports the PAM entry points only" \
	"$(nm -D --defined-only "$PKG_TMP/x$pamdir/pam_sessaudit.so" | awk '$2 == "T" { print $3 }' |
		grep -v '^pam_sm_')" ""

# It runs inside sshd: nothing that could reach a network.
same "the module loads PAM, audit, crypto, JSON and regex libraries only" \
	"$(objdump -p "$PKG_TMP/x$pamdir/pam_sessaudit.so" | awk '$1 == "NEEDED" { print $2 }' |
		grep -v -E '^lib(c|pam|audit|crypto|yajl|pcre2-8)\.so\.')" ""

lint() { # no errors, and no warnings
	as_user lintian --no-cfg --display-info --fail-on error,warning \
		"$deb/sessaudit_${version}_$arch.changes"
}
check "lintian" lint
[ "$(id -u)" != 0 ] || chown -R root "$deb"
finish
