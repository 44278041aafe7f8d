/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/tap.h"

static unsigned tap_count, tap_failed;

/* A name is one line without '#', which would start a TAP directive. */
__attribute__((format(printf, 2, 0))) static void tap_vline(bool ok, const char *fmt, va_list ap)
{
	char name[512];

	vsnprintf(name, sizeof(name), fmt, ap);
	for (char *c = name; *c; c++) {
		if (*c == '#' || (unsigned char)*c < 0x20)
			*c = '?';
	}
	tap_count++;
	if (!ok)
		tap_failed++;
	printf("%s %u - %s\n", ok ? "ok" : "not ok", tap_count, name);
	fflush(stdout);
}

static void tap_show(const char *what, struct slice s)
{
	printf("#   %s: ", what);
	if (!s.ptr) {
		printf("(absent)\n");
		return;
	}
	putchar('"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf("\" (%zu bytes)\n", s.len);
}

bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vline(ok, fmt, ap);
	va_end(ap);
	return ok;
}

bool tap_int(long long got, long long want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vline(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#   got: %lld\n#   want: %lld\n", got, want);
	return got == want;
}

__attribute__((format(printf, 3, 0))) static bool tap_vbytes(struct slice got, struct slice want,
							     const char *fmt, va_list ap)
{
	bool ok = (got.ptr == NULL) == (want.ptr == NULL) && slice_eq(got, want);

	tap_vline(ok, fmt, ap);
	if (!ok) {
		tap_show("got", got);
		tap_show("want", want);
	}
	return ok;
}

bool tap_str(const char *got, const char *want, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = tap_vbytes(slice_of(got), slice_of(want), fmt, ap);
	va_end(ap);
	return ok;
}

bool tap_bytes(struct slice got, struct slice want, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = tap_vbytes(got, want, fmt, ap);
	va_end(ap);
	return ok;
}

void tap_skip(const char *why, const char *name)
{
	printf("ok %u - %s # SKIP %s\n", ++tap_count, name, why);
}

int tap_done(void)
{
	printf("1..%u\n", tap_count);
	return tap_count > 0 && tap_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
