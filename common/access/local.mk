# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

noinst_LTLIBRARIES += common/access/libaccess.la
common_access_libaccess_la_SOURCES = \
	common/access/access.c common/access/access.h \
	common/access/access_json.c \
	common/access/auth_info.c common/access/auth_info.h \
	common/access/cas.c common/access/cas.h \
	common/access/file_stamp.c common/access/file_stamp.h \
	common/access/grant.c common/access/grant.h \
	common/access/grant_file.c common/access/grant_file.h \
	common/access/grant_index.c common/access/grant_index.h \
	common/access/grant_index_file.c common/access/grant_index_internal.h \
	common/access/grant_index_image.c \
	common/access/grant_index_query.c \
	common/access/grant_index_sweep.c \
	common/access/grants.c common/access/grants.h \
	common/access/match.c common/access/match.h \
	common/access/pam_line.c common/access/pam_line.h \
	common/access/pam_services.c common/access/pam_services.h \
	common/access/pam_stack.c common/access/pam_stack.h \
	common/access/policy.c common/access/policy.h \
	common/access/profile.c common/access/profile.h common/access/profile_internal.h \
	common/access/profile_regex.c \
	common/access/resolve.c common/access/resolve.h \
	common/access/resolve_facts.c common/access/resolve_facts.h \
	common/access/signed.c common/access/signed.h \
	common/access/ssh_key.c common/access/ssh_key.h \
	common/access/tag.c common/access/tag.h \
	common/access/tagfile.c common/access/tagfile.h \
	common/access/trusted_file.c common/access/trusted_file.h
common_access_libaccess_la_LIBADD = $(PCRE2_LIBS)
