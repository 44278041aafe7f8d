# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Loaded into sshd, sudo and others: exports pam_sm_* alone and links nothing but what it uses.
# --gc-sections leaves out the files of libcommon that nothing here needs, such as log.c.
secure_LTLIBRARIES = pam_sessaudit/pam_sessaudit.la
pam_sessaudit_pam_sessaudit_la_SOURCES = pam_sessaudit/pam_sessaudit.c
pam_sessaudit_pam_sessaudit_la_LDFLAGS = \
	$(MODULE_LDFLAGS) -module -avoid-version -shared -Wl,--gc-sections \
	-Wl,--version-script=$(srcdir)/pam_sessaudit/pam_sessaudit.map
pam_sessaudit_pam_sessaudit_la_LIBADD = \
	pam_sessaudit/libparts.la common/access/libaccess.la common/libcommon.la $(PAM_LIBS)
EXTRA_pam_sessaudit_pam_sessaudit_la_DEPENDENCIES = pam_sessaudit/pam_sessaudit.map
EXTRA_DIST += pam_sessaudit/pam_sessaudit.map

# All but the entry points, for the tests too.
noinst_LTLIBRARIES += pam_sessaudit/libparts.la
pam_sessaudit_libparts_la_SOURCES = \
	pam_sessaudit/ask.c pam_sessaudit/ask.h \
	pam_sessaudit/bind.c pam_sessaudit/bind.h \
	pam_sessaudit/decide.c pam_sessaudit/decide.h \
	pam_sessaudit/enabled.c pam_sessaudit/enabled.h \
	pam_sessaudit/limits.c pam_sessaudit/limits.h \
	pam_sessaudit/login.c pam_sessaudit/login.h \
	pam_sessaudit/nest.c pam_sessaudit/nest.h \
	pam_sessaudit/netlink.c pam_sessaudit/netlink.h \
	pam_sessaudit/options.c pam_sessaudit/options.h \
	pam_sessaudit/report.c pam_sessaudit/report.h \
	pam_sessaudit/tty.c pam_sessaudit/tty.h

# PAM loads the .so; nothing needs the .la beside it.
install-data-hook: remove-module-la
.PHONY: remove-module-la
remove-module-la:
	rm -f $(DESTDIR)$(securedir)/pam_sessaudit.la
uninstall-hook:
	rm -f $(DESTDIR)$(securedir)/pam_sessaudit.so

dist_man_MANS += pam_sessaudit/pam_sessaudit.8
