/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <expat.h>
#include <limits.h>

#include "common/cleanup.h"
#include "common/xml.h"

struct reader {
	XML_Parser parser;
	const struct xml_handler *h;
	void *ctx;
	int rc;          /* what stopped it: the handler's, or ours */
	const char *why; /* ours; NULL: the library's */

	char path[XML_MAX_PATH + 1];
	size_t path_len, depth;
	struct {
		size_t path_len; /* of the parent */
		bool has_children;
	} open[XML_MAX_DEPTH];
	struct buf text; /* since the last tag */
};

/* The library may call a few more handlers after this: each looks at rc first. */
static void stop(struct reader *r, int rc, const char *why)
{
	r->rc = rc;
	r->why = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(ctx, SA_ERR_INVALID, "a document type declaration, which is not allowed");
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = ctx;
	const char *colon = strrchr(name, ':');
	struct slice local = slice_of(colon ? colon + 1 : name);

	(void)attributes;
	if (r->rc != 0)
		return;
	if (r->depth == XML_MAX_DEPTH || r->path_len + 1 + local.len > XML_MAX_PATH) {
		stop(r, SA_ERR_INVALID, "elements nested too deeply");
		return;
	}
	if (r->depth > 0)
		r->open[r->depth - 1].has_children = true;
	r->open[r->depth].path_len = r->path_len;
	r->open[r->depth++].has_children = false;
	if (r->path_len > 0)
		r->path[r->path_len++] = '/';
	memcpy(r->path + r->path_len, local.ptr, local.len + 1);
	r->path_len += local.len;
	buf_clear(&r->text);
}

static void on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	const struct xml_handler *h = r->h;
	int rc = 0;

	(void)name;
	if (r->rc != 0)
		return;
	r->depth--;
	if (r->open[r->depth].has_children)
		rc = h->end ? h->end(r->ctx, r->path) : 0;
	else
		rc = h->leaf ? h->leaf(r->ctx, r->path, buf_slice(&r->text)) : 0;
	if (rc != 0)
		stop(r, rc, NULL);
	r->path_len = r->open[r->depth].path_len;
	r->path[r->path_len] = '\0';
	buf_clear(&r->text);
}

static void on_text(void *ctx, const XML_Char *s, int len)
{
	struct reader *r = ctx;

	if (r->rc != 0)
		return;
	if ((size_t)len > XML_MAX_TEXT - r->text.len) {
		stop(r, SA_ERR_INVALID, "too much text in one element");
		return;
	}
	buf_append(&r->text, s, (size_t)len);
	if (r->text.failed)
		stop(r, SA_ERR_NOMEM, "out of memory");
}

static int parse(struct reader *r, struct slice text, struct sa_err *err)
{
	const char *why;

	XML_SetUserData(r->parser, r);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	if (XML_Parse(r->parser, text.ptr, (int)text.len, XML_TRUE) == XML_STATUS_OK)
		return r->rc;
	if (r->rc != 0 && !r->why)
		return r->rc;
	why = r->why ? r->why : XML_ErrorString(XML_GetErrorCode(r->parser));
	return sa_fail(err, r->rc != 0 ? r->rc : SA_ERR_INVALID, "line %lu: %s",
		       (unsigned long)XML_GetCurrentLineNumber(r->parser), why);
}

int xml_read(struct slice text, const struct xml_handler *h, void *ctx, struct sa_err *err)
{
	struct reader r = {.parser = XML_ParserCreate(NULL), .h = h, .ctx = ctx};
	int rc;

	if (!r.parser)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory for XML");
	buf_init(&r.text, XML_MAX_TEXT);
	if (text.len > INT_MAX)
		rc = sa_fail(err, SA_ERR_INVALID, "line 1: over %d bytes of XML", INT_MAX);
	else
		rc = parse(&r, text, err);
	buf_free(&r.text);
	XML_ParserFree(r.parser);
	return rc;
}

struct search {
	const char *path;
	struct buf *out;
	bool found;
};

static int compare_leaf(void *ctx, const char *path, struct slice text)
{
	struct search *s = ctx;

	s->found = strcmp(path, s->path) == 0;
	if (s->found)
		buf_put(s->out, text);
	return s->found;
}

int xml_find(struct slice text, const char *path, struct buf *out, struct sa_err *err)
{
	static const struct xml_handler h = {.leaf = compare_leaf};
	struct search s = {.path = path, .out = out};
	int rc = xml_read(text, &h, &s, err);

	if (rc < 0)
		return rc;
	if (!s.found)
		return sa_fail(err, SA_ERR_NOTFOUND, "no element %s", path);
	return out->failed ? sa_fail(err, SA_ERR_TOOBIG, "the text of %s is too long", path) : 0;
}
