/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/auth_info.h"
#include "common/escape.h"

#define METHOD "publickey "
#define BLANKS " \t\r"

/* Takes the word in front of a line that is trimmed, and the blanks behind it. */
static struct slice take_word(struct slice *line)
{
	size_t n = 0;
	struct slice word;

	while (n < line->len && !memchr(BLANKS, line->ptr[n], strlen(BLANKS)))
		n++;
	word = (struct slice){line->ptr, n};
	*line = slice_trim((struct slice){line->ptr + n, line->len - n}, BLANKS);
	return word;
}

int auth_key_line(struct slice line, struct auth_key *out, struct slice *comment,
		  struct sa_err *err)
{
	struct slice left = slice_trim(line, BLANKS), type = take_word(&left),
		     base64 = take_word(&left);
	_cleanup_buf_ struct buf blob = {0};
	struct ssh_key key;
	int rc;

	buf_init(&blob, SSH_KEY_MAX_BYTES + 2);
	if (base64.len == 0)
		return sa_fail(err, SA_ERR_INVALID, "not a key: \"<type> <base64>\" is wanted");
	if (base64.len > (SSH_KEY_MAX_BYTES + 2) / 3 * 4)
		return sa_fail(err, SA_ERR_INVALID, "key: longer than %d bytes", SSH_KEY_MAX_BYTES);
	if (escape_unbase64(&blob, base64) < 0)
		return sa_fail(err, SA_ERR_INVALID, "not base64");
	if (blob.failed)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	if ((rc = ssh_key_parse(buf_slice(&blob), &key, err)) < 0)
		return rc;
	if (!slice_eq(type, key.type))
		return sa_fail(err, SA_ERR_INVALID, "the key is not of the type before it");
	*out = (struct auth_key){blob, key};
	blob = (struct buf){0};
	if (comment)
		*comment = left.len > 0 ? left : SLICE_NONE;
	return 0;
}

void auth_key_free(struct auth_key *k)
{
	buf_free(&k->blob);
	*k = (struct auth_key){0};
}

static int add_key(struct auth_info *a, struct slice line, struct sa_err *err)
{
	struct auth_key *grown;
	int rc;

	if (a->n_keys == AUTH_INFO_MAX_KEYS)
		return sa_fail(err, SA_ERR_TOOBIG, "more than %d keys", AUTH_INFO_MAX_KEYS);
	grown = realloc(a->keys, (a->n_keys + 1) * sizeof(*grown));
	if (!grown)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	a->keys = grown;
	if ((rc = auth_key_line(line, &grown[a->n_keys], NULL, err)) == 0)
		a->n_keys++;
	return rc;
}

/* SA_ERR_NOMEM only: a broken line is counted. */
static int take_line(struct auth_info *a, struct slice line)
{
	struct sa_err err = {0};
	int rc;

	if (!slice_starts(line, METHOD))
		return 0;
	line.ptr += strlen(METHOD);
	line.len -= strlen(METHOD);
	rc = add_key(a, line, &err);
	if (rc < 0 && rc != SA_ERR_NOMEM) {
		if (a->broken++ == 0)
			a->why = err;
		rc = 0;
	}
	return rc;
}

int auth_info_parse(struct slice text, struct auth_info *out)
{
	struct auth_info a = {0};
	int rc = text.len > AUTH_INFO_MAX_BYTES ? SA_ERR_TOOBIG : 0;

	while (rc == 0 && text.len > 0)
		rc = take_line(&a, slice_cut(&text, '\n'));
	if (rc < 0)
		auth_info_free(&a);
	*out = a;
	return rc;
}

void auth_info_free(struct auth_info *a)
{
	for (size_t i = 0; i < a->n_keys; i++)
		auth_key_free(&a->keys[i]);
	free(a->keys);
	*a = (struct auth_info){0};
}
