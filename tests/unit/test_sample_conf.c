/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * The sample configuration that is installed holds every option of settings.h,
 * with its help and default, nothing else, and works when it is uncommented.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fdio.h"
#include "common/settings.h"
#include "tests/unit/tap.h"

#define MAX_SAMPLE 65536

static const struct {
	const char *section, *name, *def, *help;
} options[] = {
#define ROW(section, name, type, ctype, def, min, max, help) {#section, #name, def, help},
	SETTINGS_OPTIONS(ROW)
#undef ROW
};

/* Where the text of the section begins, NULL when it is not there. */
static const char *sample_section(const char *sample, const char *name)
{
	char head[64];
	const char *at;

	snprintf(head, sizeof(head), "\n[%s]\n", name);
	at = strstr(sample, head);
	return at ? at + strlen(head) - 1 : NULL;
}

static void test_option(const char *sample, size_t i)
{
	const char *section = sample_section(sample, options[i].section), *end, *at;
	char want[512];

	/* Without a default the line shows an example, which test_works reads. */
	snprintf(want, sizeof(want), "\n# %s\n#%s = %s%s", options[i].help, options[i].name,
		 options[i].def ? options[i].def : "", options[i].def ? "\n" : "");
	at = section ? strstr(section, want) : NULL;
	end = section ? strstr(section, "\n[") : NULL;
	tap_ok(at && (!end || at < end), "[%s] %s is in the sample", options[i].section,
	       options[i].name);
}

/* Takes the '#' from the lines that are options ("#name"), keeps comments ("# text"). */
static size_t uncomment(struct slice sample, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sample.len; i++) {
		bool first = i == 0 || sample.ptr[i - 1] == '\n';

		if (first && sample.ptr[i] == '#' && i + 1 < sample.len && sample.ptr[i + 1] != ' ')
			n++;
		else
			buf_putc(out, sample.ptr[i]);
	}
	return n;
}

static void test_works(struct slice sample)
{
	_cleanup_buf_ struct buf text = {0};
	struct settings s = {0};
	struct sa_err err = {0};
	int rc;

	buf_init(&text, MAX_SAMPLE);
	tap_int((long long)uncomment(sample, &text),
		(long long)(sizeof(options) / sizeof(options[0])), "one line per option, no other");
	rc = settings_parse("sample", buf_slice(&text), &s, &err);
	tap_int(rc, 0, "the sample parses when it is uncommented: %s", err.msg);
	settings_free(&s);
}

int main(void)
{
	const char *srcdir = getenv("SA_SRC");
	_cleanup_buf_ struct buf sample = {0};
	char path[4096];

	buf_init(&sample, MAX_SAMPLE);
	snprintf(path, sizeof(path), "%s/agent/sessaudit.conf", srcdir ? srcdir : ".");
	if (fdio_read_file(AT_FDCWD, path, MAX_SAMPLE, &sample, NULL) != 0) {
		tap_ok(false, "%s can be read", path);
		return tap_done();
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		test_option(buf_cstr(&sample), i);
	test_works(buf_slice(&sample));
	return tap_done();
}
