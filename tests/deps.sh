# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# Packages that building, the demo and the tests need, by distribution family.
# Installs only what is missing; without anything missing it needs no network.
# Sourced by demo.sh and check.sh.

deps_packages() { # build|run|check|s3...
	local what
	for what in "$@"; do
		case $DEPS_FAMILY-$what in
		debian-build) echo gcc make autoconf automake libtool pkg-config libc6-dev libaudit-dev \
			libpam0g-dev libyajl-dev libpcre2-dev zlib1g-dev libssl-dev libcap-ng-dev \
			libcurl4-openssl-dev libexpat1-dev ;;
		debian-run) echo openssh-server openssh-client passwd procps util-linux mount ;;
		debian-check) echo openssl clang libclang-rt-dev valgrind mandoc jq xz-utils gzip file bsdextrautils \
			build-essential dpkg-dev debhelper fakeroot lintian rpm \
			selinux-policy-dev shellcheck sudo cron systemd \
			auditd bc curl default-mysql-client postgresql-client python3-minimal sqlite3 tmux vim-tiny zsh ;;
		debian-s3) echo ceph-mon ceph-osd radosgw ceph-common awscli python3 curl openssl e2fsprogs ;;
		rhel-build) echo gcc make autoconf automake libtool pkgconf-pkg-config \
			audit-libs-devel pam-devel yajl-devel pcre2-devel zlib-devel openssl-devel \
			libcap-ng-devel libcurl-devel expat-devel ;;
		rhel-run) echo openssh-server openssh-clients shadow-utils procps-ng util-linux ;;
		rhel-check) echo openssl clang compiler-rt libasan libubsan valgrind mandoc jq xz gzip file \
			rpm-build selinux-policy-devel ShellCheck sudo cronie \
			audit bc curl mysql postgresql python3 sqlite tmux vim-minimal zsh ;;
		esac
	done
}

deps_family() {
	if command -v apt-get >/dev/null; then
		echo debian
	elif command -v dnf >/dev/null; then
		echo rhel
	fi
}
DEPS_FAMILY=$(deps_family)

deps_have() { # PACKAGE
	case $DEPS_FAMILY in
	debian) [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	rhel) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
	esac
}

deps_missing() { # build|run|check...
	local p
	for p in $(deps_packages "$@"); do
		deps_have "$p" || echo "$p"
	done
}

deps_fetch() { # PACKAGE...
	case $DEPS_FAMILY in
	debian)
		apt-get -qq update
		DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
			install "$@" </dev/null
		;;
	rhel) # yajl-devel and others are in the builders' repository
		dnf -q -y install "$@" </dev/null ||
			dnf -q -y --enablerepo=crb install "$@" </dev/null
		;;
	esac
}

# Fails when something is still missing; says what.
deps_install() { # build|run|check...
	local missing
	[ -n "$DEPS_FAMILY" ] || return 0 # an unknown system: configure will say what it lacks
	missing=$(deps_missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "not root, cannot install: $missing" >&2
		return 1
	fi
	echo "installing $missing"
	# shellcheck disable=SC2086 # a list
	deps_fetch $missing >/dev/null
}
