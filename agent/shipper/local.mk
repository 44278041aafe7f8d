# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# All but main, so that tests link it. Never libaudit.
noinst_LTLIBRARIES += agent/shipper/libshipper.la
agent_shipper_libshipper_la_SOURCES = \
	agent/shipper/pick.c agent/shipper/pick.h \
	agent/shipper/retry.c agent/shipper/retry.h \
	agent/shipper/upload.c agent/shipper/upload.h

pkglibexec_PROGRAMS += agent/shipper/sessaudit-shipper
agent_shipper_sessaudit_shipper_SOURCES = agent/shipper/main.c
agent_shipper_sessaudit_shipper_LDADD = \
	agent/shipper/libshipper.la agent/libagent.la common/store/libstore.la \
	common/libcommon.la
