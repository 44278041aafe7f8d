# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# HTTP, and XML which its peers answer. Never in the collector or the PAM module.
noinst_LTLIBRARIES += common/http/libhttp.la
common_http_libhttp_la_SOURCES = \
	common/http/curl.c common/http/curl.h \
	common/http/headers.c common/http/headers.h \
	common/http/http.c common/http/http.h \
	common/http/http_date.c \
	common/http/transfer.c common/http/transfer.h \
	common/xml.c common/xml.h
common_http_libhttp_la_LIBADD = $(DL_LIBS) $(EXPAT_LIBS)
