# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Against a real S3 server (lib.sh): `make check-s3`, not part of `make check`.
s3_tests = \
	tests/integration/bucket_policy_s3.sh \
	tests/integration/cli_s3.sh \
	tests/integration/doctor_s3.sh \
	tests/integration/faultproxy.sh \
	tests/integration/store_s3.sh \
	tests/e2e/s3_faults.sh
EXTRA_DIST += $(s3_tests) \
	tests/s3/lib.sh tests/s3/server.sh tests/s3/mkroot.sh tests/s3/fakevault.py

# Between a client and the server, for faults of networks and stores.
check_PROGRAMS += tests/integration/faultproxy
tests_integration_faultproxy_SOURCES = tests/integration/faultproxy.c \
	tests/integration/faultproxy_rules.c tests/integration/faultproxy_rules.h
tests_integration_faultproxy_LDADD = common/libcommon.la $(PTHREAD_LIBS)

# The store by hand, for store_s3.sh.
check_PROGRAMS += tests/integration/s3tool
tests_integration_s3tool_LDADD = $(store_libs) common/libcommon.la

.PHONY: check-s3
check-s3: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(s3_tests)'

.PHONY: list-s3-tests
list-s3-tests:
	@echo $(s3_tests)
