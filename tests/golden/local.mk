# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# A recorded audit log in, the exact transcript out.
golden_tests = tests/golden/golden.sh
TESTS += $(golden_tests)
EXTRA_DIST += $(golden_tests) tests/golden/README.md tests/golden/expected tests/golden/facts \
	tests/golden/raw
