/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include <yajl/yajl_gen.h>

#include "common/escape.h"
#include "common/json.h"
#include "common/json_pool.h"

/*
 * The writer keeps its own account of what may come next: yajl_gen does not
 * notice a '}' that closes an array or a key without a value, and runs off its
 * state array when more is closed than was opened.
 */
struct json_writer {
	yajl_gen gen;
	struct buf *out;
	struct json_pool pool;
	char open[JSON_MAX_DEPTH]; /* '{' or '[' */
	unsigned depth;
	bool keyed; /* a key waits for its value */
	bool whole; /* one value is complete */
	bool failed;
};

static void json_writer_print(void *ctx, const char *p, size_t n)
{
	struct json_writer *w = ctx;

	buf_append(w->out, p, n);
}

struct json_writer *json_writer_new(struct buf *out)
{
	struct json_writer *w = calloc(1, sizeof(*w));
	yajl_alloc_funcs funcs;

	if (!w)
		return NULL;
	w->out = out;
	funcs = json_pool_funcs(&w->pool);
	if (json_pool_init(&w->pool, JSON_POOL_FIXED))
		w->gen = yajl_gen_alloc(&funcs);
	if (!w->gen) {
		json_writer_free(w);
		return NULL;
	}
	yajl_gen_config(w->gen, yajl_gen_print_callback, json_writer_print, w);
	return w;
}

void json_writer_free(struct json_writer *w)
{
	if (!w)
		return;
	if (w->gen)
		yajl_gen_free(w->gen);
	json_pool_release(&w->pool);
	free(w);
}

void json_writer_freep(struct json_writer **w)
{
	json_writer_free(*w);
}

void json_writer_reset(struct json_writer *w)
{
	yajl_gen_reset(w->gen, NULL);
	w->depth = 0;
	w->keyed = w->whole = w->failed = false;
}

int json_writer_end(struct json_writer *w)
{
	if (w->out->failed)
		return SA_ERR_TOOBIG;
	return w->whole && !w->failed ? 0 : SA_ERR_INVALID;
}

static bool json_in_object(const struct json_writer *w)
{
	return w->depth > 0 && w->open[w->depth - 1] == '{';
}

/* Whether a value may stand here; if not, the writer fails. */
static bool json_value_due(struct json_writer *w)
{
	if (w->whole || (json_in_object(w) && !w->keyed))
		w->failed = true;
	return !w->failed;
}

static void json_wrote(struct json_writer *w, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok)
		w->failed = true;
	w->keyed = false;
	w->whole = w->depth == 0;
}

static void json_write_opening(struct json_writer *w, char kind)
{
	if (!json_value_due(w))
		return;
	if (w->depth == JSON_MAX_DEPTH) {
		w->failed = true;
		return;
	}
	w->open[w->depth++] = kind;
	json_wrote(w, kind == '{' ? yajl_gen_map_open(w->gen) : yajl_gen_array_open(w->gen));
}

static void json_write_closing(struct json_writer *w, char kind)
{
	if (w->depth == 0 || w->open[w->depth - 1] != kind || w->keyed)
		w->failed = true;
	if (w->failed)
		return;
	w->depth--;
	json_wrote(w, kind == '{' ? yajl_gen_map_close(w->gen) : yajl_gen_array_close(w->gen));
}

void json_write_open(struct json_writer *w)
{
	json_write_opening(w, '{');
}

void json_write_close(struct json_writer *w)
{
	json_write_closing(w, '{');
}

void json_write_array_open(struct json_writer *w)
{
	json_write_opening(w, '[');
}

void json_write_array_close(struct json_writer *w)
{
	json_write_closing(w, '[');
}

static yajl_gen_status json_put_string(struct json_writer *w, struct slice s)
{
	if (!escape_utf8_valid(s))
		return yajl_gen_invalid_string;
	return yajl_gen_string(w->gen, (const unsigned char *)s.ptr, s.len);
}

void json_write_key(struct json_writer *w, const char *key)
{
	if (!json_in_object(w) || w->keyed)
		w->failed = true;
	if (w->failed)
		return;
	json_wrote(w, json_put_string(w, slice_of(key)));
	w->keyed = true;
}

void json_write_str(struct json_writer *w, struct slice s)
{
	if (json_value_due(w))
		json_wrote(w, s.ptr ? json_put_string(w, s) : yajl_gen_null(w->gen));
}

void json_write_int(struct json_writer *w, int64_t v)
{
	if (json_value_due(w))
		json_wrote(w, yajl_gen_integer(w->gen, v));
}

void json_write_bool(struct json_writer *w, bool v)
{
	if (json_value_due(w))
		json_wrote(w, yajl_gen_bool(w->gen, v));
}

void json_write_null(struct json_writer *w)
{
	json_write_str(w, SLICE_NONE);
}

void json_write_kstr(struct json_writer *w, const char *key, struct slice s)
{
	json_write_key(w, key);
	json_write_str(w, s);
}

void json_write_kstr_opt(struct json_writer *w, const char *key, struct slice s)
{
	if (s.ptr)
		json_write_kstr(w, key, s);
}

void json_write_kint(struct json_writer *w, const char *key, int64_t v)
{
	json_write_key(w, key);
	json_write_int(w, v);
}

void json_write_kbool(struct json_writer *w, const char *key, bool v)
{
	json_write_key(w, key);
	json_write_bool(w, v);
}

void json_write_kopen(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_open(w);
}

void json_write_karray(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_array_open(w);
}
