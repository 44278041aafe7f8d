/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What writer.c, sealer.c and checkpoint.c share; nobody else includes it. */
#ifndef SA_WRITER_INTERNAL_H
#define SA_WRITER_INTERNAL_H

#include "agent/collector/writer.h"
#include "common/json.h"

#define WRITER_NAME_SIZE 64 /* of a file in open/ */

struct writer {
	struct spool *spool;
	struct writer_facts facts;
	struct session_table *sessions;
	struct json_writer *json; /* writes into line */
	struct buf line, object;  /* scratch: one JSON text; one whole object */
	struct buf packed;
	struct digest *digest;
	struct session **dirty;
	size_t n_dirty, pending_bytes;
	struct writer_stats stats;
};

void writer_segment_file(const struct session *s, uint32_t number, char out[WRITER_NAME_SIZE]);
void writer_file(const struct session *s, const char *ext, char out[WRITER_NAME_SIZE]);
void writer_spool_error(struct writer *w, const struct session *s, const struct sa_err *err);
/* Brings the session's pending lines to its files; false when something stays pending. */
bool writer_flush_session(struct writer *w, struct session *s);
/* The session has nothing pending any more and may be removed. */
void writer_forget(struct writer *w, struct session *s);
/* Counts an entry. */
void writer_count(struct session_counts *c, const struct entry *e);
/* Adds the entry's lines to the session's page. */
void writer_text(struct writer *w, struct session *s, const struct entry *e);

/* sealer.c: seals what is cut, in order; false when something is left for later. */
bool sealer_seal(struct writer *w, struct session *s);
/* Makes the objects of the session's end once all is sealed. */
void sealer_finish(struct writer *w, struct session *s);
/* Makes the index object of the start if it is not made yet. */
int sealer_list(struct writer *w, struct session *s, struct sa_err *err);

/* checkpoint.c: who the session is and what of it is sealed. */
int checkpoint_write(struct writer *w, struct session *s, struct sa_err *err);
/* Adds the session that state/<sid> describes to the table, as it was when it was written. */
int checkpoint_read(struct writer *w, const char *sid, struct session **out, struct sa_err *err);
/* Does state/<sid> say that the session is closed? */
bool checkpoint_closed(struct writer *w, const char *sid);

#endif
