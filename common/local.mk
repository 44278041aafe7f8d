# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# The base: knows nothing of audit, PAM or stores.
#
# A convenience library never lists another one in its LIBADD (libtool would copy the objects in,
# twice); programs and modules list all they need, libcommon last. Outside libraries do go into
# the LIBADD of who calls them.
noinst_LTLIBRARIES += common/libcommon.la
common_libcommon_la_SOURCES = \
	common/boot_id.c common/boot_id.h \
	common/buf.c common/buf.h \
	common/cleanup.h \
	common/clock.c common/clock.h \
	common/conf.c common/conf.h \
	common/digest.c common/digest.h \
	common/err.c common/err.h \
	common/escape.c common/escape.h \
	common/fdio.c common/fdio.h \
	common/json.c common/json.h \
	common/json_pool.c common/json_pool.h \
	common/json_write.c \
	common/log.c common/log.h \
	common/settings.c common/settings.h \
	common/shell.c common/shell.h \
	common/slice.h
common_libcommon_la_LIBADD = $(YAJL_LIBS) $(CRYPTO_LIBS)
