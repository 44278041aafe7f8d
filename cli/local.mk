# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# What the unit tests link too.
noinst_LTLIBRARIES += cli/libreader.la
cli_libreader_la_SOURCES = \
	cli/keys.c cli/keys.h \
	cli/reader.c cli/reader.h cli/reader_internal.h \
	cli/reader_index.c \
	cli/reader_load.c \
	cli/reader_request.c \
	cli/reader_sort.c

bin_PROGRAMS += cli/sessaudit
cli_sessaudit_SOURCES = \
	cli/doctor.h \
	cli/doctor_local.c \
	cli/doctor_policy.c \
	cli/doctor_s3.c \
	cli/main.c \
	cli/output.c \
	cli/policy.c cli/policy.h \
	cli/policy_bucket.c \
	cli/policy_internal.h \
	cli/policy_part.c \
	cli/policy_roles.c \
	cli/policy_setup.c \
	cli/verb_bucket_policy.c \
	cli/verb_doctor.c \
	cli/verb_list.c \
	cli/verb_show.c \
	cli/verb.h
cli_sessaudit_LDADD = cli/libreader.la common/transcript/libtranscript.la \
	$(store_libs) common/access/libaccess.la common/libcommon.la

dist_man_MANS += cli/sessaudit.1
