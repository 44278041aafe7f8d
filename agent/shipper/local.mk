# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# All but main, so that tests link it. Never libaudit.
noinst_LTLIBRARIES += agent/shipper/libshipper.la
agent_shipper_libshipper_la_SOURCES = \
	agent/shipper/attempts.c agent/shipper/attempts.h \
	agent/shipper/census.c agent/shipper/census.h \
	agent/shipper/chores.c agent/shipper/chores.h \
	agent/shipper/circuit.c agent/shipper/circuit.h \
	agent/shipper/dock.c agent/shipper/dock.h \
	agent/shipper/failing.c agent/shipper/failing.h \
	agent/shipper/live.c agent/shipper/live.h \
	agent/shipper/news.c agent/shipper/news.h \
	agent/shipper/object.c agent/shipper/object.h \
	agent/shipper/pick.c agent/shipper/pick.h \
	agent/shipper/quarantine.c agent/shipper/quarantine.h \
	agent/shipper/schedule.c agent/shipper/schedule.h \
	agent/shipper/search.c agent/shipper/search.h \
	agent/shipper/status.c agent/shipper/status.h \
	agent/shipper/stream.c agent/shipper/stream.h \
	agent/shipper/upload.c agent/shipper/upload.h agent/shipper/upload_internal.h \
	agent/shipper/upload_fail.c agent/shipper/upload_put.c \
	agent/shipper/walk.c agent/shipper/walk.h
agent_shipper_libshipper_la_LIBADD = $(CRYPTO_LIBS)

pkglibexec_PROGRAMS += agent/shipper/sessaudit-shipper
agent_shipper_sessaudit_shipper_SOURCES = agent/shipper/main.c
agent_shipper_sessaudit_shipper_LDADD = \
	agent/shipper/libshipper.la agent/libagent.la $(store_libs) \
	common/libcommon.la
