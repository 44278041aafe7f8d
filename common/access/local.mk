# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

noinst_LTLIBRARIES += common/access/libaccess.la
common_access_libaccess_la_SOURCES = \
	common/access/access.c common/access/access.h \
	common/access/access_json.c \
	common/access/grant.c common/access/grant.h \
	common/access/grants.c common/access/grants.h \
	common/access/match.c common/access/match.h \
	common/access/tag.c common/access/tag.h \
	common/access/tagfile.c common/access/tagfile.h
