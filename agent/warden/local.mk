# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Ends sessions whose approval has ended. No network. All but main, so that tests link it.
noinst_LTLIBRARIES += agent/warden/libwarden.la
agent_warden_libwarden_la_SOURCES = \
	agent/warden/approval.c agent/warden/approval.h \
	agent/warden/live.c agent/warden/live.h \
	agent/warden/processes.c agent/warden/processes.h \
	agent/warden/wards.c agent/warden/wards.h
warden_libs = agent/warden/libwarden.la agent/libagent.la common/access/libaccess.la

pkglibexec_PROGRAMS += agent/warden/sessaudit-warden
agent_warden_sessaudit_warden_SOURCES = agent/warden/main.c
agent_warden_sessaudit_warden_LDADD = $(warden_libs) common/libcommon.la
