/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include <yajl/yajl_parse.h>

#include "common/cleanup.h"
#include "common/escape.h"
#include "common/json.h"
#include "common/json_pool.h"

/*
 * A document owns a list of chunks, which hold the copy of the text, the members
 * of arrays and objects and the strings that were written with escapes.
 */
#define JSON_CHUNK 4096
#define JSON_MAX_TEXT (256 << 20)
#define JSON_ALIGN(n) (((n) + 15) & ~(size_t)15)

struct json {
	enum json_type type;
	unsigned offset;  /* just behind the member's key in the text */
	struct slice key; /* member of an object */
	union {
		bool boolean;
		struct slice text; /* string, number */
		struct {
			struct json *items;
			const struct json **sorted; /* of an object: by key */
			size_t len;
		};
	};
};

struct json_chunk {
	struct json_chunk *next;
	size_t used, size;
	char bytes[] __attribute__((aligned(16)));
};

struct json_doc {
	struct json root; /* first: json_free gets its address */
	struct json_chunk *chunks;
};

struct json_parser {
	struct json_doc *doc;
	struct slice text;
	yajl_handle yajl;
	struct sa_err *err;
	int code; /* set when we, not yajl, stopped */
	/* Finished nodes whose parent is still open, innermost last. */
	struct json *stack;
	size_t len, cap;
	struct {
		size_t start; /* of its members on the stack */
		struct json node;
	} open[JSON_MAX_DEPTH];
	unsigned depth;
	struct slice key;
	unsigned key_offset;
};

static void *json_alloc(struct json_doc *doc, size_t n)
{
	struct json_chunk *chunk = doc->chunks;
	void *p;

	n = JSON_ALIGN(n);
	if (!chunk || n > chunk->size - chunk->used) {
		size_t size = n > JSON_CHUNK ? n : JSON_CHUNK;

		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		*chunk = (struct json_chunk){.next = doc->chunks, .size = size};
		doc->chunks = chunk;
	}
	p = chunk->bytes + chunk->used;
	chunk->used += n;
	return p;
}

void json_free(struct json *root)
{
	struct json_doc *doc = (struct json_doc *)root;

	if (!doc)
		return;
	while (doc->chunks) {
		struct json_chunk *chunk = doc->chunks;

		doc->chunks = chunk->next;
		explicit_bzero(chunk->bytes, chunk->used); /* may be credentials */
		free(chunk);
	}
	free(doc);
}

void json_freep(struct json **root)
{
	json_free(*root);
}

/* All callbacks return 1 to go on; this is the 0. */
static int json_stop(struct json_parser *p, int code)
{
	p->code = code;
	return 0;
}

static int json_stop_nomem(struct json_parser *p)
{
	return json_stop(p, sa_fail(p->err, SA_ERR_NOMEM, "out of memory"));
}

static unsigned json_line(const struct json_parser *p, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < p->text.len; i++)
		line += p->text.ptr[i] == '\n';
	return line;
}

static int json_push(struct json_parser *p, const struct json *node)
{
	if (p->len == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 32;
		struct json *stack = realloc(p->stack, cap * sizeof(*stack));

		if (!stack)
			return json_stop_nomem(p);
		p->stack = stack;
		p->cap = cap;
	}
	p->stack[p->len++] = *node;
	return 1;
}

/* A fresh node that takes over the key that was just read. */
static struct json json_node(struct json_parser *p, enum json_type type)
{
	struct json node = {.type = type, .key = p->key, .offset = p->key_offset};

	p->key = SLICE_NONE;
	return node;
}

/* yajl gives a piece of our text, or of its own memory when it had to decode it. */
static bool json_keep(struct json_parser *p, const void *bytes, size_t n, struct slice *out)
{
	uintptr_t at = (uintptr_t)bytes, text = (uintptr_t)p->text.ptr;
	char *copy;

	if (at >= text && at - text <= p->text.len) {
		*out = (struct slice){bytes, n};
		return true;
	}
	copy = json_alloc(p->doc, n + 1);
	if (!copy)
		return false;
	memcpy(copy, bytes, n);
	*out = (struct slice){copy, n};
	return true;
}

static int json_on_text(struct json_parser *p, enum json_type type, const void *bytes, size_t n)
{
	struct json node = json_node(p, type);

	if (!json_keep(p, bytes, n, &node.text))
		return json_stop_nomem(p);
	return json_push(p, &node);
}

static int json_on_null(void *ctx)
{
	struct json node = json_node(ctx, JSON_NULL);

	return json_push(ctx, &node);
}

static int json_on_bool(void *ctx, int value)
{
	struct json node = json_node(ctx, JSON_BOOL);

	node.boolean = value != 0;
	return json_push(ctx, &node);
}

static int json_on_number(void *ctx, const char *text, size_t n)
{
	return json_on_text(ctx, JSON_NUMBER, text, n);
}

static int json_on_string(void *ctx, const unsigned char *text, size_t n)
{
	return json_on_text(ctx, JSON_STRING, text, n);
}

static int json_on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct json_parser *p = ctx;

	p->key_offset = (unsigned)yajl_get_bytes_consumed(p->yajl);
	return json_keep(p, text, n, &p->key) ? 1 : json_stop_nomem(p);
}

static int json_on_open(struct json_parser *p, enum json_type type)
{
	if (p->depth == JSON_MAX_DEPTH)
		return json_stop(
			p, sa_fail(p->err, SA_ERR_INVALID, "line %u: nested deeper than %d levels",
				   json_line(p, yajl_get_bytes_consumed(p->yajl)), JSON_MAX_DEPTH));
	p->open[p->depth].start = p->len;
	p->open[p->depth].node = json_node(p, type);
	p->depth++;
	return 1;
}

static int json_on_map_open(void *ctx)
{
	return json_on_open(ctx, JSON_OBJECT);
}

static int json_on_array_open(void *ctx)
{
	return json_on_open(ctx, JSON_ARRAY);
}

static int json_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int json_by_key(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;

	return json_compare((*x)->key, (*y)->key);
}

static int json_duplicate(struct json_parser *p, const struct json *a, const struct json *b)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, 512);
	escape_terminal(&key, (struct slice){a->key.ptr, escape_utf8_cut(a->key, 64)});
	return json_stop(p, sa_fail(p->err, SA_ERR_INVALID, "line %u: key \"%s\" stands twice",
				    json_line(p, a->offset > b->offset ? a->offset : b->offset),
				    buf_cstr(&key)));
}

static int json_index(struct json_parser *p, struct json *object)
{
	object->sorted = json_alloc(p->doc, object->len * sizeof(const struct json *));
	if (!object->sorted)
		return json_stop_nomem(p);
	for (size_t i = 0; i < object->len; i++)
		object->sorted[i] = &object->items[i];
	qsort(object->sorted, object->len, sizeof(const struct json *), json_by_key);
	for (size_t i = 1; i < object->len; i++) {
		if (slice_eq(object->sorted[i - 1]->key, object->sorted[i]->key))
			return json_duplicate(p, object->sorted[i - 1], object->sorted[i]);
	}
	return 1;
}

/* Moves the members from the stack to where they stay. */
static int json_on_close(void *ctx)
{
	struct json_parser *p = ctx;
	struct json node = p->open[--p->depth].node;
	size_t start = p->open[p->depth].start;

	node.len = p->len - start;
	if (node.len > 0) {
		node.items = json_alloc(p->doc, node.len * sizeof(*node.items));
		if (!node.items)
			return json_stop_nomem(p);
		memcpy(node.items, p->stack + start, node.len * sizeof(*node.items));
		p->len = start;
		if (node.type == JSON_OBJECT && !json_index(p, &node))
			return 0;
	}
	return json_push(p, &node);
}

static int json_hex4(const char *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *at = s[i] ? strchr(digits, s[i]) : NULL;

		if (!at)
			return -1;
		value = value << 4 | (int)((at - digits) & 15);
	}
	return value;
}

/* yajl accepts half a surrogate pair and makes '?' or invalid UTF-8 of it, and versions without
 * the fix of CVE-2017-16516 read past the end. A backslash means something only inside a string,
 * and anywhere else the text is malformed anyway; so this need not know where strings are.
 * Returns the offset of the first bad escape, or len. */
static size_t json_find_half_pair(struct slice text)
{
	const char *s = text.ptr;
	bool high = false; /* the escape just before was the first half of a pair */

	for (size_t i = 0; i < text.len;) {
		bool escape = s[i] == '\\' && i + 1 < text.len;
		int unit =
			escape && s[i + 1] == 'u' && text.len - i >= 6 ? json_hex4(s + i + 2) : 0;
		bool low = unit >= 0xdc00 && unit <= 0xdfff;

		if (high != low)
			return i;
		high = unit >= 0xd800 && unit <= 0xdbff;
		i += high || low ? 6 : escape ? 2 : 1;
	}
	return high ? text.len - 1 : text.len;
}

static int json_check_text(struct json_parser *p)
{
	size_t bad;

	if (!escape_utf8_valid(p->text)) {
		size_t low = 0;

		/* the first line that is not valid */
		while (low < p->text.len) {
			const char *at = p->text.ptr + low;
			const char *end = memchr(at, '\n', p->text.len - low);
			size_t n = end ? (size_t)(end - at) : p->text.len - low;

			if (!escape_utf8_valid((struct slice){at, n}))
				break;
			low += n + 1;
		}
		return sa_fail(p->err, SA_ERR_INVALID, "line %u: not valid UTF-8",
			       json_line(p, low));
	}
	bad = json_find_half_pair(p->text);
	if (bad < p->text.len)
		return sa_fail(p->err, SA_ERR_INVALID,
			       "line %u: a \\u escape holds half of a surrogate pair",
			       json_line(p, bad));
	return 0;
}

static int json_fail_yajl(struct json_parser *p, size_t at)
{
	const unsigned char *text = (const unsigned char *)p->text.ptr;
	unsigned char *msg = yajl_get_error(p->yajl, 0, text, p->text.len);
	const char *why = msg ? (const char *)msg : "malformed";

	return sa_fail(p->err, SA_ERR_INVALID, "line %u: %.*s", json_line(p, at),
		       (int)strcspn(why, "\n"), why);
}

static int json_run(struct json_parser *p)
{
	const unsigned char *text = (const unsigned char *)p->text.ptr;
	yajl_status status = yajl_parse(p->yajl, text, p->text.len);
	size_t at = yajl_get_bytes_consumed(p->yajl);

	if (status == yajl_status_ok)
		status = yajl_complete_parse(p->yajl); /* counts from 0 again */
	if (p->code < 0)
		return p->code;
	if (status != yajl_status_ok)
		return json_fail_yajl(p, at);
	if (p->len != 1)
		return sa_fail(p->err, SA_ERR_INVALID, "line 1: no value");
	p->doc->root = p->stack[0];
	return 0;
}

static int json_build(struct json_parser *p, struct json_pool *pool)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = json_on_null,
		.yajl_boolean = json_on_bool,
		.yajl_number = json_on_number,
		.yajl_string = json_on_string,
		.yajl_start_map = json_on_map_open,
		.yajl_map_key = json_on_key,
		.yajl_end_map = json_on_close,
		.yajl_start_array = json_on_array_open,
		.yajl_end_array = json_on_close,
	};
	yajl_alloc_funcs funcs = json_pool_funcs(pool);
	int rc = json_check_text(p);

	if (rc < 0)
		return rc;
	p->yajl = yajl_alloc(&callbacks, &funcs, p);
	if (!p->yajl)
		return sa_fail(p->err, SA_ERR_NOMEM, "out of memory");
	rc = json_run(p);
	yajl_free(p->yajl);
	return rc;
}

int json_parse(const char *text, size_t n, struct json **out, struct sa_err *err)
{
	struct json_parser p = {.err = err, .doc = calloc(1, sizeof(struct json_doc))};
	struct json_pool pool = {0};
	char *copy = NULL;
	int rc;

	if (n > JSON_MAX_TEXT) {
		rc = sa_fail(err, SA_ERR_TOOBIG, "more than %d bytes of JSON", JSON_MAX_TEXT);
		goto out;
	}
	/* yajl's two buffers double as they grow, and hold disjoint pieces of the text. */
	if (!p.doc || !(copy = json_alloc(p.doc, n + 1)) ||
	    !json_pool_init(&pool, 4 * n + JSON_POOL_FIXED)) {
		rc = sa_fail(err, SA_ERR_NOMEM, "out of memory");
		goto out;
	}
	if (n > 0)
		memcpy(copy, text, n);
	p.text = (struct slice){copy, n};
	rc = json_build(&p, &pool);
	if (rc == 0)
		*out = &TAKE_PTR(p.doc)->root;
out:
	if (p.doc)
		json_free(&p.doc->root);
	free(p.stack);
	json_pool_release(&pool);
	return rc;
}

enum json_type json_type(const struct json *j)
{
	return j ? j->type : JSON_NULL;
}

bool json_is(const struct json *j, enum json_type t)
{
	return j && j->type == t;
}

const struct json *json_get(const struct json *object, const char *key)
{
	size_t low = 0, high = json_is(object, JSON_OBJECT) ? object->len : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = json_compare(slice_of(key), object->sorted[mid]->key);

		if (order == 0)
			return object->sorted[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

size_t json_len(const struct json *j)
{
	return json_is(j, JSON_ARRAY) || json_is(j, JSON_OBJECT) ? j->len : 0;
}

const struct json *json_at(const struct json *j, size_t i)
{
	return i < json_len(j) ? &j->items[i] : NULL;
}

struct slice json_key_at(const struct json *object, size_t i)
{
	return json_is(object, JSON_OBJECT) && i < object->len ? object->items[i].key : SLICE_NONE;
}

struct slice json_str(const struct json *string)
{
	return json_is(string, JSON_STRING) ? string->text : SLICE_NONE;
}

bool json_bool(const struct json *b)
{
	return json_is(b, JSON_BOOL) && b->boolean;
}

/* The syntax was checked: an optional '-', digits, perhaps a fraction or exponent. */
struct slice json_number(const struct json *number)
{
	return json_is(number, JSON_NUMBER) ? number->text : SLICE_NONE;
}

int json_int(const struct json *number, int64_t *out)
{
	bool negative;
	int64_t value = 0;
	struct slice s;

	if (!json_is(number, JSON_NUMBER))
		return SA_ERR_INVALID;
	s = number->text;
	negative = s.ptr[0] == '-';
	for (size_t i = negative; i < s.len; i++) {
		int digit = s.ptr[i] - '0';

		/* downwards, since there is one more negative number than positive ones */
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return SA_ERR_INVALID;
	}
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return SA_ERR_INVALID;
	*out = value;
	return 0;
}

struct slice json_get_str(const struct json *object, const char *key)
{
	return json_str(json_get(object, key));
}
