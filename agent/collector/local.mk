# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# All but main, so that tests link it. Never libcurl.
noinst_LTLIBRARIES += agent/collector/libcollector.la
agent_collector_libcollector_la_SOURCES = \
	agent/collector/binding.c \
	agent/collector/channels.c agent/collector/channels.h \
	agent/collector/checkpoint.c \
	agent/collector/control.c agent/collector/control.h \
	agent/collector/event.c agent/collector/event.h \
	agent/collector/exec.c \
	agent/collector/input.c \
	agent/collector/join.c agent/collector/join.h \
	agent/collector/lapse.c \
	agent/collector/link.c \
	agent/collector/live.c agent/collector/live.h \
	agent/collector/nested.c \
	agent/collector/numbers.c agent/collector/numbers.h \
	agent/collector/pipeline.c agent/collector/pipeline.h \
	agent/collector/record.c agent/collector/record.h \
	agent/collector/recording.c agent/collector/recording.h \
	agent/collector/rebuild.c \
	agent/collector/recover.c \
	agent/collector/recover_segments.c \
	agent/collector/resume.c agent/collector/resume.h \
	agent/collector/rows.c \
	agent/collector/rules.c agent/collector/rules.h \
	agent/collector/sealer.c \
	agent/collector/session.c agent/collector/session.h \
	agent/collector/source_file.c agent/collector/source_file.h \
	agent/collector/source_netlink.c agent/collector/source_netlink.h \
	agent/collector/transcript.c agent/collector/transcript.h \
	agent/collector/transcript_end.c agent/collector/transcript_internal.h \
	agent/collector/typed.c agent/collector/typed.h \
	agent/collector/validity.c agent/collector/validity.h \
	agent/collector/writer.c agent/collector/writer.h \
	agent/collector/writer_internal.h agent/collector/writer_tick.c
agent_collector_libcollector_la_LIBADD = $(AUDIT_LIBS)

pkglibexec_PROGRAMS += agent/collector/sessaudit-collector
agent_collector_sessaudit_collector_SOURCES = agent/collector/main.c
agent_collector_sessaudit_collector_LDADD = \
	agent/collector/libcollector.la agent/libagent.la common/transcript/libtranscript.la \
	common/access/libaccess.la common/libcommon.la
