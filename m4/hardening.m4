# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Compiler and linker flags that are ours, each one kept only when a program
# compiles and links with it. The user's CFLAGS and LDFLAGS are never changed.

# SA_TRY_FLAGS(COMPILE FLAGS, LINK FLAGS, IF IT WORKS, IF NOT, PROLOGUE)
AC_DEFUN([SA_TRY_FLAGS],
	[sa_flags="$1 $2"
	AS_VAR_PUSHDEF([sa_cache], [sa_cv_flags_$1_$2])
	AC_CACHE_CHECK([whether $1 $2 works], [sa_cache],
		[sa_save_CFLAGS=$CFLAGS sa_save_LDFLAGS=$LDFLAGS
		CFLAGS="-Werror $SANITIZE_CFLAGS $1 $CFLAGS"
		LDFLAGS="$SANITIZE_LDFLAGS $2 $LDFLAGS"
		AC_LINK_IFELSE(
			[AC_LANG_PROGRAM([[#include <stdio.h>]
$5
[static int first(const char *s) { char b[64]; snprintf(b, sizeof(b), "%s", s); return b[0]; }]],
				[[return first("x") == 'y';]])],
			[AS_VAR_SET([sa_cache], [yes])], [AS_VAR_SET([sa_cache], [no])])
		CFLAGS=$sa_save_CFLAGS LDFLAGS=$sa_save_LDFLAGS])
	AS_VAR_IF([sa_cache], [yes], [$3], [$4])
	AS_VAR_POPDEF([sa_cache])])

AC_DEFUN([SA_TRY_CFLAG], [SA_TRY_FLAGS([$1], [], [AS_VAR_APPEND([$2], [" $1"])])])
AC_DEFUN([SA_TRY_LDFLAG], [SA_TRY_FLAGS([], [$1], [AS_VAR_APPEND([$2], [" $1"])])])

# _FORTIFY_SOURCE wants an optimising compiler and a libc that knows the level;
# a distribution that sets it already (in CFLAGS or in the compiler) is left alone.
AC_DEFUN([SA_FORTIFY],
	[SA_TRY_FLAGS([-D_FORTIFY_SOURCE=3], [], [HARDEN_CPPFLAGS="-D_FORTIFY_SOURCE=3"],
		[SA_TRY_FLAGS([-D_FORTIFY_SOURCE=2], [], [HARDEN_CPPFLAGS="-D_FORTIFY_SOURCE=2"], [],
			[SA_FORTIFY_PROLOGUE(2)])],
		[SA_FORTIFY_PROLOGUE(3)])])
AC_DEFUN([SA_FORTIFY_PROLOGUE],
[[#if !defined(__OPTIMIZE__) || !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < $1
#error not in force
#endif]])

AC_DEFUN([SA_HARDENING],
	[AC_ARG_ENABLE([hardening],
		[AS_HELP_STRING([--disable-hardening], [do not probe for hardening flags])])
	HARDEN_CPPFLAGS= HARDEN_CFLAGS= HARDEN_LDFLAGS= PIE_CFLAGS= PIE_LDFLAGS=
	AS_IF([test "x$enable_hardening" != xno],
		[AS_IF([test -z "$SANITIZE_CFLAGS"],
			[AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifdef _FORTIFY_SOURCE
#error set already
#endif
int unused;]])], [SA_FORTIFY])])
		SA_TRY_CFLAG([-fstack-protector-strong], [HARDEN_CFLAGS])
		SA_TRY_CFLAG([-fstack-clash-protection], [HARDEN_CFLAGS])
		SA_TRY_CFLAG([-fcf-protection], [HARDEN_CFLAGS])
		SA_TRY_CFLAG([-mbranch-protection=standard], [HARDEN_CFLAGS])
		SA_TRY_LDFLAG([-Wl,-z,relro], [HARDEN_LDFLAGS])
		SA_TRY_LDFLAG([-Wl,-z,now], [HARDEN_LDFLAGS])
		SA_TRY_LDFLAG([-Wl,-z,noexecstack], [HARDEN_LDFLAGS])
		SA_TRY_LDFLAG([-Wl,--as-needed], [HARDEN_LDFLAGS])
		SA_TRY_FLAGS([-fPIE], [-pie], [PIE_CFLAGS=-fPIE PIE_LDFLAGS=-pie])])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
	AC_SUBST([PIE_CFLAGS])
	AC_SUBST([PIE_LDFLAGS])])
