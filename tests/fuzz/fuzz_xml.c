/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/escape.h"
#include "common/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	char first[XML_MAX_PATH + 1]; /* the first leaf's path */
	struct buf text;              /* and text */
	size_t calls, leaves, stop_at;
};

static int count(struct seen *s, const char *path)
{
	size_t depth = 1;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	if (strlen(path) > XML_MAX_PATH || depth > XML_MAX_DEPTH)
		abort();
	return ++s->calls == s->stop_at ? 7 : 0;
}

static int see_leaf(void *ctx, const char *path, struct slice text)
{
	struct seen *s = ctx;

	if (!text.ptr || text.len > XML_MAX_TEXT || !escape_utf8_valid(text))
		abort();
	if (s->leaves++ == 0) {
		snprintf(s->first, sizeof(s->first), "%s", path);
		buf_put(&s->text, text);
	}
	return count(s, path);
}

static int see_end(void *ctx, const char *path)
{
	struct seen *s = ctx;

	if (s->leaves == 0) /* what has children has a leaf below it */
		abort();
	return count(s, path);
}

static const struct xml_handler handler = {see_leaf, see_end};

/* Each stop comes at once and is given back. */
static void check_stop(struct slice text, size_t at)
{
	struct seen s = {.stop_at = at};

	buf_init(&s.text, XML_MAX_TEXT);
	if (xml_read(text, &handler, &s, NULL) != 7 || s.calls != at)
		abort();
	buf_free(&s.text);
}

static void check_find(struct slice text, struct seen *s)
{
	_cleanup_buf_ struct buf found = {0};

	buf_init(&found, XML_MAX_TEXT);
	if (xml_find(text, s->first, &found, NULL) < 0 ||
	    !slice_eq(buf_slice(&found), buf_slice(&s->text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct seen s = {.stop_at = 0};
	_cleanup_buf_ struct buf shown = {0};
	struct sa_err err = {0};
	int rc;

	buf_init(&s.text, XML_MAX_TEXT);
	buf_init(&shown, sizeof(err.msg) * 10);
	rc = xml_read(text, &handler, &s, &err);
	if (rc > 0 || rc != err.code || (rc == 0 && s.leaves == 0))
		abort();
	escape_terminal(&shown, slice_of(err.msg));
	if (!slice_eq(buf_slice(&shown), slice_of(err.msg)))
		abort();
	if (s.leaves > 0)
		check_find(text, &s);
	if (s.calls > 0) {
		check_stop(text, 1);
		check_stop(text, s.calls);
	}
	buf_free(&s.text);
	return 0;
}
