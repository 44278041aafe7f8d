/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/escape.h"
#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(struct json_writer *w, const struct json *j);

/* A key that holds a NUL cannot be asked for or written: it is left out. */
static void write_member(struct json_writer *w, const struct json *object, size_t i)
{
	struct slice key = json_key_at(object, i);
	char *copy = slice_dup(key);

	if (!copy)
		abort();
	if (strlen(copy) == key.len) {
		if (json_get(object, copy) != json_at(object, i))
			abort();
		json_write_key(w, copy);
		write_again(w, json_at(object, i));
	}
	free(copy);
}

static void write_again(struct json_writer *w, const struct json *j)
{
	int64_t n;

	switch (json_type(j)) {
	case JSON_NULL:
		json_write_null(w);
		break;
	case JSON_BOOL:
		json_write_bool(w, json_bool(j));
		break;
	case JSON_NUMBER:
		json_write_int(w, json_int(j, &n) == 0 ? n : 0);
		break;
	case JSON_STRING:
		if (!json_str(j).ptr)
			abort();
		json_write_str(w, json_str(j));
		break;
	case JSON_ARRAY:
		json_write_array_open(w);
		for (size_t i = 0; i < json_len(j); i++)
			write_again(w, json_at(j, i));
		json_write_array_close(w);
		break;
	case JSON_OBJECT:
		json_write_open(w);
		for (size_t i = 0; i < json_len(j); i++)
			write_member(w, j, i);
		json_write_close(w);
		break;
	}
}

/* Parses and writes what is left of it; false when it does not parse. */
static bool rewrite(struct slice text, struct buf *out)
{
	_cleanup_json_ struct json *j = NULL;
	_cleanup_json_writer_ struct json_writer *w = NULL;
	_cleanup_buf_ struct buf shown = {0};
	struct sa_err err;

	buf_init(&shown, sizeof(err.msg) * 10);
	if (json_parse(text.ptr, text.len, &j, &err) < 0) {
		escape_terminal(&shown, slice_of(err.msg));
		if (j || !slice_eq(buf_slice(&shown), slice_of(err.msg)))
			abort();
		return false;
	}
	w = json_writer_new(out);
	if (!w)
		abort();
	write_again(w, j);
	if (json_writer_end(w) < 0)
		abort();
	return true;
}

/* What was parsed can be written, and what was written parses to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf one = {0}, two = {0};

	buf_init(&one, 64 << 20);
	buf_init(&two, 64 << 20);
	if (!rewrite((struct slice){(const char *)data, size}, &one))
		return 0;
	if (!rewrite(buf_slice(&one), &two) || !slice_eq(buf_slice(&one), buf_slice(&two)))
		abort();
	return 0;
}
