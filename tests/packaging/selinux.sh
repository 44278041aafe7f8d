#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# The SELinux module compiles, and keeps the boundary between the roles.
set -u
. "$(dirname "$0")/lib.sh"

makefile=/usr/share/selinux/devel/Makefile
need checkmodule semodule_package semodule_unpackage selabel_lookup
[ -e $makefile ] || skip_all "the policy headers (selinux-policy-dev) are not installed"
pp2cil=
for p in /usr/libexec/selinux/hll/pp /usr/lib/selinux/hll/pp; do
	[ ! -x $p ] || pp2cil=$p
done

mkdir "$PKG_TMP/selinux"
cp "$PKG_TOP"/selinux/{Makefile,sessaudit.te,sessaudit.fc,sessaudit.if} "$PKG_TMP/selinux"
must "the module compiles" make -C "$PKG_TMP/selinux"
check "nothing but the module is warned about" \
	bash -c "! make -s -C '$PKG_TMP/selinux' clean all 2>&1 | grep -i -e warning -e error"

[ -n "$pp2cil" ] || finish
$pp2cil "$PKG_TMP/selinux/sessaudit.pp" >"$PKG_TMP/cil"
allows() { grep -q -E "^ *\(allow $1 $2 \($3 \(.*\b$4\b" "$PKG_TMP/cil"; }
denies() { ! allows "$@"; }

check "collector reads the audit stream" allows sessaudit_collector_t self capability2 audit_read
check "collector installs rules" allows sessaudit_collector_t self netlink_audit_socket nlmsg_write
check "sshd writes the session's file" allows sshd_t sessaudit_ses_t file create
check "sshd reads grants" allows sshd_t sessaudit_grants_t file read
check "sshd does not write grants" denies sshd_t sessaudit_grants_t file write
check "shipper takes from the spool" allows sessaudit_shipper_t sessaudit_spool_t file unlink
check "shipper does not write the spool" denies sessaudit_shipper_t sessaudit_spool_t file write
check "shipper writes its own part of it" allows sessaudit_shipper_t sessaudit_ship_t file write
check "shipper reaches the store over the network" \
	allows sessaudit_shipper_t http_port_t tcp_socket name_connect
check "shipper has no audit socket" denies sessaudit_shipper_t self netlink_audit_socket create
check "collector has no inet socket" denies sessaudit_collector_t self '(tcp|udp)_socket' create
check "collector does not touch the store" denies sessaudit_collector_t sessaudit_store_t '\w+' '\w+'
check "grantd reaches the broker over the network" \
	allows sessaudit_grantd_t http_port_t tcp_socket name_connect
check "grantd writes the broker's grants" allows sessaudit_grantd_t sessaudit_broker_t file write
check "grantd does not write the admin's" denies sessaudit_grantd_t sessaudit_grants_t file write
check "grantd does not see sessions" denies sessaudit_grantd_t sessaudit_ses_t file read
check "warden ends processes" allows sessaudit_warden_t self capability kill
check "warden has no inet socket" denies sessaudit_warden_t self '(tcp|udp)_socket' create
check "warden does not write grants" denies sessaudit_warden_t sessaudit_broker_t file write
check "sshd keeps the index" allows sshd_t sessaudit_index_t file create
for role in collector shipper grantd warden; do
	check "$role starts in its own domain" grep -q \
		"(typetransition sessaudit_t sessaudit_${role}_exec_t process sessaudit_${role}_t)" "$PKG_TMP/cil"
	check "$role: under no_new_privs too" allows sessaudit_t sessaudit_${role}_t process2 nnp_transition
done

# Each path that the packages install or the unit makes has its type.
semodule_unpackage "$PKG_TMP/selinux/sessaudit.pp" "$PKG_TMP/mod" "$PKG_TMP/fc"
label() { # PATH
	selabel_lookup -b file -f "$PKG_TMP/fc" -k "$1" -t file | sed -n 's/.*:object_r:\(.*\):s0$/\1/p'
}
while read -r path type; do
	same "$path is $type" "$(label "$path")" "$type"
done <<'END'
/usr/sbin/sessauditd sessaudit_exec_t
/usr/libexec/sessaudit/sessaudit-collector sessaudit_collector_exec_t
/usr/libexec/sessaudit/sessaudit-shipper sessaudit_shipper_exec_t
/usr/lib/systemd/system/sessaudit.service sessaudit_unit_t
/etc/sessaudit/sessaudit.conf sessaudit_etc_t
/etc/sessaudit/grants.d/x.json sessaudit_grants_t
/etc/sessaudit/ca.d/x.pub sessaudit_etc_t
/run/sessaudit/grants.d/x.json sessaudit_broker_t
/run/sessaudit/grants.idx sessaudit_index_t
/run/sessaudit/grantd/seen.json sessaudit_pulled_t
/usr/libexec/sessaudit/sessaudit-grantd sessaudit_grantd_exec_t
/usr/libexec/sessaudit/sessaudit-warden sessaudit_warden_exec_t
/run/sessaudit/ses/1.json sessaudit_ses_t
/var/lib/sessaudit/spool/open/x sessaudit_spool_t
/var/lib/sessaudit/store/index/x sessaudit_store_t
END
finish
