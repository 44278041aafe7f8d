# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# What the supervisor and the roles share.
noinst_LTLIBRARIES += agent/libagent.la
agent_libagent_la_SOURCES = \
	agent/privdrop.c agent/privdrop.h \
	agent/redact_key.c agent/redact_key.h \
	agent/redact_rules.c agent/redact_rules.h \
	agent/retry.c agent/retry.h \
	agent/role.c agent/role.h \
	agent/spool.c agent/spool.h agent/spool_internal.h \
	agent/spool_scratch.c \
	agent/spool_usage.c \
	agent/status_file.c agent/status_file.h
agent_libagent_la_LIBADD = $(CAPNG_LIBS)

# The supervisor: all but main, so that tests link it.
noinst_LTLIBRARIES += agent/libsupervisor.la
agent_libsupervisor_la_SOURCES = \
	agent/child.c agent/child.h \
	agent/dirs.c agent/dirs.h \
	agent/notify.c agent/notify.h \
	agent/pam_check.c agent/pam_check.h \
	agent/replay.c agent/replay.h \
	agent/supervisor.c agent/supervisor.h \
	agent/validate.c agent/validate.h
sbin_PROGRAMS += agent/sessauditd
agent_sessauditd_SOURCES = agent/main.c
agent_sessauditd_LDADD = agent/libsupervisor.la agent/libagent.la common/store/libstore.la \
	common/transcript/libtranscript.la common/access/libaccess.la common/libcommon.la

dist_man_MANS += agent/sessauditd.8 agent/sessauditd.conf.5

# What a system needs to run it.
if WITH_SYSTEMDSYSTEMUNITDIR
nodist_systemdsystemunit_DATA = agent/sessaudit.service
endif
if WITH_SYSUSERSDIR
dist_sysusers_DATA = agent/sysusers.d/sessaudit.conf
endif
if WITH_TMPFILESDIR
dist_tmpfiles_DATA = agent/tmpfiles.d/sessaudit.conf
endif
# For auditd, which leaves it alone until an admin says active = yes.
auditpluginsdir = $(sysconfdir)/audit/plugins.d
dist_auditplugins_DATA = agent/plugins.d/sessaudit.conf
EXTRA_DIST += agent/sessaudit.conf agent/sessaudit.service.in
CLEANFILES += agent/sessaudit.service

agent/sessaudit.service: agent/sessaudit.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) agent && $(SUBST) $(srcdir)/agent/sessaudit.service.in > $@.tmp && mv $@.tmp $@

# The admin's own configuration is never written over, and removed only if it was not changed.
installed_conf = $(DESTDIR)$(sysconfdir)/sessaudit/sessaudit.conf
install-data-local: install-conf
uninstall-local: uninstall-conf
.PHONY: install-conf uninstall-conf
install-conf:
	$(MKDIR_P) $(DESTDIR)$(sysconfdir)/sessaudit
	test -e $(installed_conf) || $(INSTALL_DATA) $(srcdir)/agent/sessaudit.conf $(installed_conf)
uninstall-conf:
	if cmp -s $(srcdir)/agent/sessaudit.conf $(installed_conf); then rm -f $(installed_conf); fi
