/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/redact.h"
#include "common/buf.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "zzSECRETzz"
#define MAX_ARGS 64

static struct redact *the_redact(void)
{
	static struct redact *r;
	struct settings set = {.redact_enable = true, .redact_key_file = "/nonexistent/key"};

	if (!r && redact_open(&set, &r, NULL) != 0)
		abort();
	return r;
}

static void no_secret(struct slice s)
{
	if (s.len > 0 && memmem(s.ptr, s.len, SECRET, sizeof(SECRET) - 1))
		abort();
}

/* Whatever stands before it, an option's secret is found; without one nothing changes. */
static void check_text(struct redact *r, struct slice in)
{
	_cleanup_buf_ struct buf b = {0};
	struct slice text = in, with, before;

	redact_begin(r);
	if (redact_text(r, &text) == 0 && text.ptr != in.ptr)
		abort();
	before = text;
	redact_line_asks(in);
	buf_init(&b, in.len + 64);
	buf_put(&b, in);
	buf_puts(&b, "\n--password=" SECRET);
	with = buf_slice(&b);
	if (redact_text(r, &with) == 0)
		abort();
	no_secret(with);
	if (before.len > 0 && !before.ptr)
		abort();
}

static void check_argv(struct redact *r, struct slice in)
{
	struct slice argv[MAX_ARGS + 1], exe;
	size_t n = 0;

	while (n < MAX_ARGS && in.len > 0)
		argv[n++] = slice_cut(&in, '\0');
	exe = n > 0 ? argv[0] : SLICE_NONE;
	argv[n++] = SLICE_LIT("--password=" SECRET);
	redact_program_asks(exe, argv, n);
	redact_begin(r);
	if (redact_argv(r, exe, argv, n) == 0)
		abort();
	for (size_t i = 0; i < n; i++)
		no_secret(argv[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redact *r = the_redact();
	struct slice in = {(const char *)data, size};

	if (size > 0 && memmem(data, size, SECRET, sizeof(SECRET) - 1) == NULL) {
		check_text(r, in);
		check_argv(r, in);
	}
	return 0;
}
