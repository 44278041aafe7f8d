/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/arguments.h"

/* Each line of the input is an EXECVE record. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The line alone, so that no byte behind it is its own. */
static struct slice copy(struct slice line)
{
	char *p = malloc(line.len ? line.len : 1);

	if (!p)
		abort();
	if (line.len > 0)
		memcpy(p, line.ptr, line.len);
	return (struct slice){p, line.len};
}

static void look_at(const struct arguments *a, size_t bytes)
{
	size_t n = 0;
	unsigned sum = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (!a->argv[i].ptr)
			abort();
		n += a->argv[i].len;
		for (size_t k = 0; k < a->argv[i].len; k++)
			sum += (unsigned char)a->argv[i].ptr[k];
	}
	if (n > bytes || a->n > a->total || a->missing > a->total || sum > n * 255 ||
	    a->missing + a->n > a->total + 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_record records[EVENT_MAX_RECORDS];
	static struct arguments a;
	struct slice left = {(const char *)data, size};
	struct event ev = {.records = records};

	if (!a.text.max)
		arguments_init(&a);
	for (; left.len > 0 && ev.n < EVENT_MAX_RECORDS; ev.n++)
		records[ev.n] = (struct event_record){.type = RECORD_EXECVE,
						      .body = copy(slice_cut(&left, '\n'))};
	arguments_collect(&a, &ev);
	look_at(&a, size);
	for (size_t i = 0; i < ev.n; i++)
		free((char *)records[i].body.ptr);
	arguments_trim(&a);
	return 0;
}
