#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/s3/mkroot.sh ROOT [SUITE]
#
# Unpacks Ceph RGW 20 from Debian's SUITE (forky) into ROOT, where server.sh runs it
# from: the release that honours If-None-Match in buckets with Object Lock. The
# host's packages are not touched: apt gets a state of its own, packages are unpacked
# and not installed, no maintainer script runs. Downloads about 160 MB; needs apt-get
# and dpkg-deb, not root. Several callers may ask for the same ROOT at a time: one
# makes it, the others wait. ROOT appears when it is complete, by rename.
set -euo pipefail
ROOT=$1 SUITE=${2:-forky}
NEW=$ROOT.new
KEYRING=/usr/share/keyrings/debian-archive-keyring

give_up() {
	echo "mkroot.sh: $*" >&2
	exit 1
}

# The mirror that this machine uses itself, before any other.
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Component: main' | grep -v security | head -n 1) || :
	[ -n "$uri" ] || uri=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list \
		/etc/apt/sources.list.d 2>/dev/null | head -n 1) || :
	echo "${uri:-http://deb.debian.org/debian}"
}

# Options of apt-get that keep it away from the host's state; its proxy settings still count.
apt_options() {
	local key
	for key in "$KEYRING.gpg" "$KEYRING.pgp"; do
		[ ! -e "$key" ] || break
	done
	mkdir -p "$NEW/apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial} \
		"$NEW/apt/cache/archives/partial"
	: >"$NEW/apt/status"
	echo "deb [signed-by=$key] $(mirror) $SUITE main" >"$NEW/apt/etc/sources.list"
	APT=(-q -o Dir::Etc="$NEW/apt/etc" -o Dir::Etc::sourcelist="$NEW/apt/etc/sources.list"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::State="$NEW/apt/state"
		-o Dir::State::status="$NEW/apt/status" -o Dir::Cache="$NEW/apt/cache"
		-o APT::Install-Recommends=false -o APT::Install-Suggests=false
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3)
}

download() {
	timeout 200 apt-get "${APT[@]}" update >"$NEW/apt/log" 2>&1 &&
		timeout 800 apt-get "${APT[@]}" install -y -d ceph-mon ceph-osd radosgw \
			>>"$NEW/apt/log" 2>&1 && return
	tail -n 5 "$NEW/apt/log" >&2
	give_up "cannot download from $(mirror) $SUITE"
}

unpack() {
	local deb dir
	mkdir -p "$NEW/root"/usr/{bin,sbin,lib,lib64}
	for dir in bin sbin lib lib64; do # merged /usr, before anything lies there
		ln -s "usr/$dir" "$NEW/root/$dir"
	done
	for deb in "$NEW"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$NEW/root" --keep-directory-symlink --no-same-owner
	done
	rm -rf "$NEW/root"/usr/share/{doc,man,locale,info,zoneinfo}
}

[ ! -x "$ROOT/usr/bin/radosgw" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "no apt-get here"
mkdir -p "$(dirname "$ROOT")"
exec 8>"$ROOT.lock"
flock -w 1200 8 || give_up "another one has been unpacking $ROOT for 20 minutes"
[ ! -x "$ROOT/usr/bin/radosgw" ] || exit 0
rm -rf "$NEW" "$ROOT"
trap 'rm -rf "$NEW"' EXIT
trap 'exit 130' INT TERM
apt_options
download
unpack
mv "$NEW/root" "$ROOT"
