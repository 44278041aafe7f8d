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

# What an access broker says, made into a grant. The fuzzer links it too.
noinst_LTLIBRARIES += cli/libimport.la
cli_libimport_la_SOURCES = \
	cli/grant_write.c cli/grant_write.h \
	cli/import.c cli/import.h \
	cli/import_apono.c \
	cli/import_teleport.c

bin_PROGRAMS += cli/sessaudit
cli_sessaudit_SOURCES = \
	cli/doctor.h \
	cli/doctor_broker.c \
	cli/doctor_local.c \
	cli/doctor_pam.c \
	cli/doctor_policy.c \
	cli/doctor_s3.c \
	cli/grant.h \
	cli/grant_check.c \
	cli/grant_explain.c cli/grant_explain.h \
	cli/grant_explain_json.c \
	cli/grant_import.c \
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
	cli/verb_grant.c \
	cli/verb_list.c \
	cli/verb_show.c \
	cli/verb.h
cli_sessaudit_LDADD = cli/libreader.la cli/libimport.la common/transcript/libtranscript.la \
	$(store_libs) common/access/libaccess.la common/libcommon.la

dist_man_MANS += cli/sessaudit.1
