# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

noinst_LTLIBRARIES += common/transcript/libtranscript.la
common_transcript_libtranscript_la_SOURCES = \
	common/transcript/chain.c common/transcript/chain.h \
	common/transcript/entry.c common/transcript/entry.h \
	common/transcript/entry_read.c \
	common/transcript/index.c common/transcript/index.h \
	common/transcript/layout.c common/transcript/layout.h \
	common/transcript/layout_prefix.c \
	common/transcript/page.c common/transcript/page.h \
	common/transcript/page_access.c \
	common/transcript/page_class.c \
	common/transcript/page_entry.c \
	common/transcript/page_login.c \
	common/transcript/page_text.c common/transcript/page_text.h \
	common/transcript/press.c common/transcript/press.h \
	common/transcript/segment.c common/transcript/segment.h \
	common/transcript/segment_read.c
common_transcript_libtranscript_la_LIBADD = $(ZLIB_LIBS)
