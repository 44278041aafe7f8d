# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

noinst_LTLIBRARIES += common/aws/libaws.la
common_aws_libaws_la_SOURCES = \
	common/aws/cred_answer.c \
	common/aws/cred_container.c \
	common/aws/cred_file.c \
	common/aws/cred_imds.c \
	common/aws/cred_profile.c common/aws/cred_profile.h \
	common/aws/cred_shared.c \
	common/aws/cred_sts.c \
	common/aws/credentials.c common/aws/credentials.h common/aws/credentials_internal.h \
	common/aws/sigv4.c common/aws/sigv4.h \
	common/aws/sigv4_canonical.c common/aws/sigv4_canonical.h
common_aws_libaws_la_LIBADD = $(CRYPTO_LIBS)
