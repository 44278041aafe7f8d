# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Scripts, TAP, no root. SA_SRC and SA_BUILD name the trees.
integration_tests = \
	tests/integration/bucket_policy.sh \
	tests/integration/cli.sh \
	tests/integration/doctor.sh \
	tests/integration/format_shell.sh \
	tests/integration/grant.sh \
	tests/integration/grantd.sh \
	tests/integration/pam_module.sh \
	tests/integration/replay.sh \
	tests/integration/shipper.sh \
	tests/integration/ssh_key.sh \
	tests/integration/supervisor.sh \
	tests/integration/warden.sh
TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests) FORMAT.md tests/integration/import \
	tests/integration/multiply.sh tests/integration/tap.sh tests/integration/valgrind_replay.sh

# Lays out a store for cli.sh.
check_PROGRAMS += tests/integration/mkstore
tests_integration_mkstore_LDADD = $(store_libs) common/transcript/libtranscript.la \
	common/access/libaccess.la common/libcommon.la

# The shipper's status, for doctor.sh.
check_PROGRAMS += tests/integration/mkstatus
tests_integration_mkstatus_LDADD = agent/shipper/libshipper.la agent/libagent.la $(store_libs) \
	common/libcommon.la

# Makes the objects of one session, for format_shell.sh.
check_PROGRAMS += tests/integration/mksession
tests_integration_mksession_LDADD = common/transcript/libtranscript.la \
	common/access/libaccess.la common/libcommon.la

# A broker and its signatures, for grantd.sh.
check_PROGRAMS += tests/integration/broker tests/integration/mkanswer
tests_integration_broker_LDADD = common/libcommon.la -lssl $(CRYPTO_LIBS)
tests_integration_mkanswer_SOURCES = tests/integration/mkanswer.c $(broker_key_sources)
tests_integration_mkanswer_LDADD = common/access/libaccess.la common/libcommon.la $(CRYPTO_LIBS)

# A role and a systemd for supervisor.sh.
check_PROGRAMS += tests/integration/stubrole tests/integration/notifysink
tests_integration_stubrole_LDADD =
tests_integration_notifysink_LDADD =

# Shows a key or certificate for ssh_key.sh, and says what reading one costs.
check_PROGRAMS += tests/integration/sshkey
tests_integration_sshkey_LDADD = common/access/libaccess.la common/libcommon.la

# Our reading of PAM stacks beside libpam's; a test of its own.
check_PROGRAMS += tests/integration/pam_order
TESTS += tests/integration/pam_order
tests_integration_pam_order_LDADD = \
	tests/unit/libtap.la common/access/libaccess.la common/libcommon.la $(PAM_LIBS)

# A login service for pam_module.sh, and what puts the kernel's audit state back.
check_PROGRAMS += tests/integration/pam_session tests/e2e/auditstate
tests_e2e_auditstate_LDADD = $(AUDIT_LIBS)
tests_integration_pam_session_LDADD = \
	pam_sessaudit/libparts.la common/access/libaccess.la common/libcommon.la $(PAM_LIBS)
