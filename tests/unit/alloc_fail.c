/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stddef.h>

#include "tests/unit/alloc_fail.h"

/* names given by ld(1) --wrap */
void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static unsigned long alloc_left;
static bool alloc_did_fail;

void alloc_fail_at(unsigned long n)
{
	alloc_left = n;
	alloc_did_fail = false;
}

bool alloc_failed(void)
{
	return alloc_did_fail;
}

static bool alloc_refuse(void)
{
	if (alloc_left == 0 || --alloc_left > 0)
		return false;
	alloc_did_fail = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return alloc_refuse() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
	return alloc_refuse() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return alloc_refuse() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return alloc_refuse() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return alloc_refuse() ? NULL : __real_strndup(s, n);
}
