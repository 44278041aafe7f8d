/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * JSON read into a small tree (json.c) and JSON written into a buf (json_write.c);
 * only json.c and json_pool.c know the library behind reading (yajl). The reader is strict: UTF-8,
 * no duplicate keys, no trailing bytes, bounded depth; the writer takes only
 * valid UTF-8 strings (see escape.h for how to get there).
 */
#ifndef SA_JSON_H
#define SA_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

#define JSON_MAX_DEPTH 16

struct json; /* a node; the root owns the whole tree and a copy of the text */

/* Parses exactly one value; json_free zeroes it. SA_ERR_INVALID with line and reason in err: bad
 * syntax, bad UTF-8, a duplicate key (named), deeper than JSON_MAX_DEPTH, bytes after the value. */
int json_parse(const char *p, size_t n, struct json **out, struct sa_err *err);
void json_free(struct json *root);
void json_freep(struct json **root);
#define _cleanup_json_ __attribute__((cleanup(json_freep)))

/* All accessors accept NULL and the wrong type and then give NULL, 0, false or SLICE_NONE. */
enum json_type json_type(const struct json *j);
bool json_is(const struct json *j, enum json_type t); /* false for NULL */
const struct json *json_get(const struct json *object, const char *key);
size_t json_len(const struct json *array_or_object);
const struct json *json_at(const struct json *array_or_object, size_t i);
struct slice json_key_at(const struct json *object, size_t i);
struct slice json_str(const struct json *string); /* may hold NUL bytes */
bool json_bool(const struct json *b);
int json_int(const struct json *number, int64_t *out); /* SA_ERR_INVALID unless a whole int64 */
/* As written: sign, digits, fraction, exponent. Absent for another type. */
struct slice json_number(const struct json *number);
/* json_str(json_get(o, key)). */
struct slice json_get_str(const struct json *object, const char *key);

struct json_writer;

/* Writes into out (borrowed). NULL when out of memory. Compact form, no newline. */
struct json_writer *json_writer_new(struct buf *out);
void json_writer_free(struct json_writer *w);
void json_writer_freep(struct json_writer **w);
#define _cleanup_json_writer_ __attribute__((cleanup(json_writer_freep)))
/* Forgets an unfinished value and gets ready for the next one. */
void json_writer_reset(struct json_writer *w);
/* 0 when everything since the last reset went in and is one whole value. */
int json_writer_end(struct json_writer *w);

void json_write_open(struct json_writer *w);  /* { */
void json_write_close(struct json_writer *w); /* } */
void json_write_array_open(struct json_writer *w);
void json_write_array_close(struct json_writer *w);
void json_write_name(struct json_writer *w, struct slice key);
void json_write_str(struct json_writer *w, struct slice s); /* absent writes null */
/* The same; what is no UTF-8 is not written and gives false instead of failing the text. */
bool json_write_str_valid(struct json_writer *w, struct slice s);
/* How many strings json_write_str_valid did not take since the last reset. */
unsigned json_writer_refused(const struct json_writer *w);
void json_write_int(struct json_writer *w, int64_t v);
void json_write_bool(struct json_writer *w, bool v);
void json_write_null(struct json_writer *w);

/* Inline: the length of a key is known when it is compiled. */
static inline void json_write_key(struct json_writer *w, const char *key)
{
	json_write_name(w, slice_of(key));
}
/* key and value; the _opt forms write nothing when the value is absent. */
static inline void json_write_kstr(struct json_writer *w, const char *key, struct slice s)
{
	json_write_key(w, key);
	json_write_str(w, s);
}
static inline void json_write_kstr_opt(struct json_writer *w, const char *key, struct slice s)
{
	if (s.ptr)
		json_write_kstr(w, key, s);
}
static inline void json_write_kint(struct json_writer *w, const char *key, int64_t v)
{
	json_write_key(w, key);
	json_write_int(w, v);
}
static inline void json_write_kbool(struct json_writer *w, const char *key, bool v)
{
	json_write_key(w, key);
	json_write_bool(w, v);
}
static inline void json_write_kopen(struct json_writer *w, const char *key) /* "key":{ */
{
	json_write_key(w, key);
	json_write_open(w);
}
static inline void json_write_karray(struct json_writer *w, const char *key) /* "key":[ */
{
	json_write_key(w, key);
	json_write_array_open(w);
}

#endif
