/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/token.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/log.h"

int token_init(struct token *t, const char *file, const char *credentials, struct sa_err *err)
{
	_cleanup_buf_ struct buf path = {0};

	*t = (struct token){0};
	buf_init(&t->text, TOKEN_MAX_BYTES + 1);
	if (!file || !*file)
		return 0;
	if (*file != '/' && (!credentials || *credentials != '/'))
		return sa_fail(err, SA_ERR_INVALID,
			       "broker.token_file: %s is not an absolute path, and the service has "
			       "no credentials: name the whole path, or add LoadCredential=%s:PATH "
			       "to the unit",
			       file, file);
	buf_init(&path, 2 * TOKEN_MAX_BYTES);
	if (*file != '/')
		buf_printf(&path, "%s/", credentials);
	buf_puts(&path, file);
	t->path = path.failed ? NULL : strdup(buf_cstr(&path));
	return t->path ? 0 : sa_fail(err, SA_ERR_NOMEM, "broker.token_file: no memory for it");
}

/* What editors put around it goes; inside it nothing can end the header field. */
static int token_clean(struct buf *text)
{
	struct slice bare = slice_trim(buf_slice(text), " \t\r\n");

	if (bare.len == 0)
		return SA_ERR_INVALID;
	text->len = (size_t)(bare.ptr + bare.len - text->data);
	buf_consume(text, (size_t)(bare.ptr - text->data));
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] <= ' ' || text->data[i] >= 0x7f)
			return SA_ERR_INVALID;
	return 0;
}

static void token_forget(struct buf *text)
{
	if (text->data)
		explicit_bzero(text->data, text->cap);
	buf_free(text);
}

static int token_load(const struct token *t, struct buf *out, struct sa_err *err)
{
	/* At most so much at once: a buffer that grows leaves copies behind. */
	int rc = buf_reserve(out, TOKEN_MAX_BYTES) ? 0 : SA_ERR_NOMEM;

	if (rc == 0)
		rc = fdio_read_file(AT_FDCWD, t->path, TOKEN_MAX_BYTES, out, err);
	if (rc == 0 && token_clean(out) != 0)
		rc = sa_fail(err, SA_ERR_INVALID, "%s: must hold one word of printable ASCII",
			     t->path);
	return rc;
}

int token_read(struct token *t, struct sa_err *err)
{
	static struct log_limit limit = {.burst = 1};
	struct sa_err why = {.msg = "out of memory"};
	struct buf fresh = {0};
	int rc = 0;

	if (!t->path)
		return 0;
	buf_init(&fresh, TOKEN_MAX_BYTES + 1);
	rc = token_load(t, &fresh, &why);
	t->stale = rc != 0;
	if (rc == 0) {
		token_forget(&t->text);
		t->text = fresh;
		return 0;
	}
	token_forget(&fresh);
	if (t->text.len == 0)
		return sa_fail(err, rc, "broker.token_file: %s", why.msg);
	log_limited(&limit, rc == SA_ERR_PERM ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		    "event=token-kept reason=\"%s\"", why.msg);
	return 0;
}

void token_free(struct token *t)
{
	token_forget(&t->text);
	free(t->path);
	*t = (struct token){0};
}
