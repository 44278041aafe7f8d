# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Users list $(store_libs).
noinst_LTLIBRARIES += common/store/libstore.la
common_store_libstore_la_SOURCES = \
	common/store/s3_answer.c common/store/s3_answer.h \
	common/store/s3_body.c common/store/s3_body.h \
	common/store/s3_call.c common/store/s3_internal.h \
	common/store/s3_confirm.c common/store/s3_confirm.h \
	common/store/s3_endpoint.c common/store/s3_endpoint.h \
	common/store/s3_list.c common/store/s3_list.h \
	common/store/s3_location.c common/store/s3_location.h \
	common/store/s3_probe.c \
	common/store/s3_put.c \
	common/store/s3_read.c \
	common/store/s3_repair.c \
	common/store/s3_request.c common/store/s3_words.h \
	common/store/store.c common/store/store.h \
	common/store/store_dir.c \
	common/store/store_open.c \
	common/store/store_s3.c common/store/store_s3.h

store_libs = common/store/libstore.la common/aws/libaws.la common/http/libhttp.la
