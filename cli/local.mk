# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# What the unit tests link too.
noinst_LTLIBRARIES += cli/libreader.la
cli_libreader_la_SOURCES = \
	cli/keys.c cli/keys.h \
	cli/reader.c cli/reader.h cli/reader_internal.h \
	cli/reader_load.c \
	cli/reader_sort.c
cli_libreader_la_LIBADD = common/transcript/libtranscript.la common/store/libstore.la \
	common/access/libaccess.la common/libcommon.la

bin_PROGRAMS += cli/sessaudit
cli_sessaudit_SOURCES = \
	cli/main.c \
	cli/output.c \
	cli/verb_list.c \
	cli/verb_show.c \
	cli/verb.h
cli_sessaudit_LDADD = cli/libreader.la common/transcript/libtranscript.la \
	common/store/libstore.la common/access/libaccess.la common/libcommon.la

dist_man_MANS += cli/sessaudit.1
