# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

noinst_LTLIBRARIES += common/store/libstore.la
common_store_libstore_la_SOURCES = \
	common/store/store.c common/store/store.h \
	common/store/store_dir.c

# Users list $(store_libs).
store_libs = common/store/libstore.la
