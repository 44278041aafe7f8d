# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# All tests speak TAP. Scripts find the trees through these variables and run in the build tree.
TEST_EXTENSIONS = .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
AM_LOG_DRIVER_FLAGS = --comments
AM_SH_LOG_DRIVER_FLAGS = --comments
# A test that hangs fails.
TEST_LIMIT = timeout -k 10 300
LOG_COMPILER = $(TEST_LIMIT)
SH_LOG_COMPILER = $(TEST_LIMIT) $(SHELL)
# No test may ask for credentials outside of itself.
AM_TESTS_ENVIRONMENT = \
	AWS_EC2_METADATA_DISABLED=true; export AWS_EC2_METADATA_DISABLED; \
	SA_SRC='$(abs_top_srcdir)' SA_BUILD='$(abs_top_builddir)' \
	SA_FUZZ_TARGETS='$(fuzz_targets)' SA_MAN_PAGES='$(dist_man_MANS)' SA_MANDOC='$(MANDOC)'; \
	export SA_SRC SA_BUILD SA_FUZZ_TARGETS SA_MAN_PAGES SA_MANDOC;

TESTS += tests/man_lint.sh
EXTRA_DIST += tests/man_lint.sh \
	tests/bench/auparse_feed.c tests/bench/measure.c tests/bench/mklog.py tests/bench/replay.sh \
	tests/bench/bareput.c tests/bench/grants.c tests/bench/mkspool.c tests/bench/s3.sh \
	tests/bench/pam.sh tests/bench/pambench.c
