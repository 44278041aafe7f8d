/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What the reader's files share; nobody else includes it. */
#ifndef SA_READER_INTERNAL_H
#define SA_READER_INTERNAL_H

#include "cli/keys.h"
#include "cli/reader.h"

/* Reads an index object or manifest of session sid; false, the user being told, when it is bad. */
bool reader_object_get(struct reader *r, const char *key, const char *sid, size_t max,
		       struct reader_object *out);
void reader_object_free(struct reader_object *o);

/* Lets the user know that something goes on, every ten seconds. all 0: nobody knows how much. */
void reader_progress(struct reader *r, const char *what, size_t done, size_t all);

/* Takes facts (which may be NULL) over. */
int reader_sessions_add(struct reader_sessions *to, const char *sid, struct slice dir,
			struct reader_object *facts, struct sa_err *err);
void reader_sessions_sort(struct reader_sessions *s); /* by start, then id */
bool reader_names_request(const struct access *a, const char *id);
/* All but the request and the id. */
bool reader_facts_pass(const struct reader_filter *f, const struct index_read *i);

/* "<...>/session=<sid>/": the length of that, 0 when key has no such beginning. */
size_t reader_parse_dir(const char *key, char sid[LAYOUT_SID_SIZE]);

/* The keys below prefix, which begins with "index/", of sessions whose id begins with sid_prefix.
 */
int reader_index_keys(struct reader *r, const char *prefix, const char *sid_prefix,
		      struct keys *out, struct sa_err *err);
/* The newest object of one session that can be read, of the keys from..to; NULL: none. */
struct reader_object *reader_newest(struct reader *r, const struct keys *k, size_t from, size_t to);

#endif
