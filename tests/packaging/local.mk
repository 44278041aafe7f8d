# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Packages are built for real, from what `make dist` gives: `make check-packaging`, not part of
# `make check`, which runs inside of those builds. Run by hand they need no build tree.
packaging_tests = \
	tests/packaging/deb.sh \
	tests/packaging/rpm.sh \
	tests/packaging/selinux.sh \
	tests/packaging/unit.sh
# debian/ is not among them: it is laid over the tarball.
EXTRA_DIST += $(packaging_tests) tests/packaging/lib.sh \
	rpm/sessaudit.spec \
	selinux/Makefile selinux/sessaudit.fc selinux/sessaudit.if selinux/sessaudit.te

.PHONY: check-packaging
check-packaging:
	@failed=0; \
	for t in $(packaging_tests); do echo "# $$t"; bash $(srcdir)/$$t || [ $$? = 77 ] || failed=1; done; \
	exit $$failed
