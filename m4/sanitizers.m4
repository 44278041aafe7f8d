# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# --enable-sanitizers: everything with address and undefined behaviour checks.
# --enable-fuzzing: that, and the fuzz targets linked with libFuzzer (clang).
AC_DEFUN([SA_SANITIZERS],
	[AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers], [build with -fsanitize=address,undefined])])
	AC_ARG_ENABLE([fuzzing],
		[AS_HELP_STRING([--enable-fuzzing], [fuzz targets with libFuzzer (needs clang)])])
	SANITIZE_CFLAGS= SANITIZE_LDFLAGS= FUZZ_LDFLAGS=
	AS_IF([test "x$enable_fuzzing" = xyes],
		[enable_sanitizers=yes
		FUZZ_LDFLAGS=-fsanitize=fuzzer
		sa_fuzz_cflag=" -fsanitize=fuzzer-no-link"], [sa_fuzz_cflag=])
	AS_IF([test "x$enable_sanitizers" = xyes],
		[SANITIZE_CFLAGS="-fsanitize=address,undefined$sa_fuzz_cflag -fno-sanitize-recover=all"
		SANITIZE_CFLAGS="$SANITIZE_CFLAGS -fno-omit-frame-pointer"
		SANITIZE_LDFLAGS="-fsanitize=address,undefined"
		sa_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
		AC_MSG_CHECKING([whether $CC can link with $SANITIZE_CFLAGS])
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			AC_MSG_ERROR([$CC cannot build with these sanitizers (fuzzing needs CC=clang)])])
		CFLAGS=$sa_save_CFLAGS])
	AC_SUBST([SANITIZE_CFLAGS])
	AC_SUBST([SANITIZE_LDFLAGS])
	AC_SUBST([FUZZ_LDFLAGS])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])])
