# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Pulls signed grants from a broker. Never libaudit. All but main, so that tests link it.
noinst_LTLIBRARIES += agent/grantd/libgrantd.la
agent_grantd_libgrantd_la_SOURCES = \
	agent/grantd/answer.c agent/grantd/answer.h \
	agent/grantd/fetch.c agent/grantd/fetch.h \
	agent/grantd/judge.c agent/grantd/judge.h \
	agent/grantd/keeper.c agent/grantd/keeper.h \
	agent/grantd/live.c agent/grantd/live.h \
	agent/grantd/report.c agent/grantd/report.h \
	agent/grantd/seen.c agent/grantd/seen.h \
	agent/grantd/shelf.c agent/grantd/shelf.h \
	agent/grantd/token.c agent/grantd/token.h
grantd_libs = agent/grantd/libgrantd.la agent/libagent.la common/http/libhttp.la \
	common/access/libaccess.la

pkglibexec_PROGRAMS += agent/grantd/sessaudit-grantd
agent_grantd_sessaudit_grantd_SOURCES = agent/grantd/main.c
agent_grantd_sessaudit_grantd_LDADD = $(grantd_libs) common/libcommon.la
