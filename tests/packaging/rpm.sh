#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# rpmbuild from the tarball gives the packages. On Debian the names of what it needs differ
# (--nodeps); the macros that its rpm lacks have defaults in the spec.
set -u
. "$(dirname "$0")/lib.sh"

need rpmbuild rpm
[ -e /usr/share/selinux/devel/Makefile ] ||
	skip_all "the policy headers (selinux-policy-dev) are not installed"
must "make dist" tarball

top=$PKG_TMP/rpm
mkdir -p "$top/SOURCES"
cp "$PKG_TARBALL" "$top/SOURCES"
must "rpmbuild -ba" env HOME="$PKG_TMP" rpmbuild --nodeps -ba --define "_topdir $top" \
	"$PKG_TOP/rpm/sessaudit.spec"
mv "$PKG_TMP/out" "$PKG_TMP/rpmbuild.log"
check "rpmbuild warns of nothing" \
	bash -c "! grep -i -E '^warning:|not packaged' '$PKG_TMP/rpmbuild.log'"

query() { rpm -qp --nosignature "$@" 2>/dev/null; }
package() { echo "$top"/RPMS/*/"$1-$PKG_VERSION"-*.rpm; }
# Where rpm compresses pages and adds .build-id depends on the distribution.
contents() { # PACKAGE: its files and modes, without its documents
	query --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$(package "$1")" |
		grep -v -E ' /usr/(share/(doc|licenses)|lib/\.build-id)(/|$)' |
		sed 's/\.gz$//' | LC_ALL=C sort -k2
}
libdir=$(rpm --eval '%{_libdir}')

same "pam_sessaudit" "$(contents pam_sessaudit)" \
	"$(LC_ALL=C sort -k2 <<-END
	-rwxr-xr-x $libdir/security/pam_sessaudit.so
	-rw-r--r-- /usr/share/man/man8/pam_sessaudit.8
	END
	)"
same "sessaudit" "$(contents sessaudit)" \
	"$(LC_ALL=C sort -k2 <<-END
	drwxr-xr-x /etc/sessaudit
	drwxr-xr-x /etc/sessaudit/ca.d
	drwxr-xr-x /etc/sessaudit/grants.d
	-rw-r--r-- /etc/audit/plugins.d/sessaudit.conf
	-rw-r--r-- /etc/sessaudit/sessaudit.conf
	-rwxr-xr-x /usr/bin/sessaudit
	-rw-r--r-- /usr/lib/systemd/system/sessaudit.service
	-rw-r--r-- /usr/lib/sysusers.d/sessaudit.conf
	-rw-r--r-- /usr/lib/tmpfiles.d/sessaudit.conf
	drwxr-xr-x /usr/libexec/sessaudit
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-collector
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-grantd
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-shipper
	-rwxr-xr-x /usr/libexec/sessaudit/sessaudit-warden
	-rwxr-xr-x /usr/sbin/sessauditd
	-rw-r--r-- /usr/share/man/man1/sessaudit.1
	-rw-r--r-- /usr/share/man/man5/sessauditd.conf.5
	-rw-r--r-- /usr/share/man/man8/sessauditd.8
	drwxr-xr-x /var/lib/sessaudit
	END
	)"
same "sessaudit-selinux" "$(contents sessaudit-selinux)" \
	"$(LC_ALL=C sort -k2 <<-END
	-rw-r--r-- /usr/share/selinux/devel/include/contrib/sessaudit.if
	-rw-r--r-- /usr/share/selinux/packages/sessaudit.pp
	END
	)"
same "everything belongs to root" \
	"$(query --qf '[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]' "$top"/RPMS/*/*.rpm | sort -u)" root:root
same "the configuration is kept on upgrades" "$(query --configfiles "$(package sessaudit)" | xargs)" \
	"/etc/audit/plugins.d/sessaudit.conf /etc/sessaudit/sessaudit.conf"
check "the module needs PAM" bash -c \
	"rpm -qp --nosignature --requires '$(package pam_sessaudit)' | grep -q '^libpam\.so'"
check "a source package" test -s "$top"/SRPMS/sessaudit-"$PKG_VERSION"-*.src.rpm
finish
