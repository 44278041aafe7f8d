/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* What writer.c, writer_flush.c, writer_tick.c, sealer.c, rows.c, checkpoint.c, recover.c,
 * recover_segments.c and rebuild.c share; nobody else includes it. */
#ifndef SA_WRITER_INTERNAL_H
#define SA_WRITER_INTERNAL_H

#include "agent/collector/writer.h"
#include "common/json.h"
#include "common/transcript/index.h"

#define WRITER_NAME_SIZE 64 /* of a file in open/ */

struct writer {
	struct spool *spool;
	struct writer_facts facts;
	struct session_table *sessions;
	struct json_writer *json; /* writes into line */
	struct buf line, object;  /* scratch: one JSON text; one whole object */
	struct buf packed;
	struct digest *digest;
	struct press *press;
	const struct session *object_of; /* object is the segment that was cut last, of this */
	uint32_t object_number;
	struct session **dirty;
	size_t n_dirty;
	size_t pending_bytes; /* in the sessions' buffers, */
	size_t buffer_bytes;  /* and the memory of these */
	size_t spill_from;
	bool urgent;    /* a session has an entry that does not wait */
	int64_t due_ms; /* age clock: no open segment is old enough before; INT64_MAX: none is open
			 */
	struct writer_stats stats;
};

void writer_segment_file(const struct session *s, uint32_t number, char out[WRITER_NAME_SIZE]);
void writer_file(const struct session *s, const char *ext, char out[WRITER_NAME_SIZE]);
void writer_spool_error(struct writer *w, const struct session *s, const struct sa_err *err);
/* writer_tick.c: the session's open segment counts for writer_due_ms. */
void writer_note_due(struct writer *w, const struct session *s);
/* Appends the footer and makes the open segment one that waits to be sealed. All or nothing. */
bool writer_cut(struct writer *w, struct session *s);
/* Brings the session's pending lines to its files; false when something stays pending. */
bool writer_flush_session(struct writer *w, struct session *s);
/* writer_flush.c: the same for the lines alone, with their checkpoint before. */
bool writer_flush_lines(struct writer *w, struct session *s);
/* The session has a checkpoint; false when it cannot be written. */
bool writer_make_known(struct writer *w, struct session *s);
/* Empties one of a session's buffers. */
void writer_empty(struct writer *w, struct buf *b);
/* More is pending than shall wait: some of it goes to the files. */
void writer_spill(struct writer *w);
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
/* Makes the index object of the start, and the pointers, if they are not made yet. */
int sealer_list(struct writer *w, struct session *s, struct sa_err *err);

/* The number after the last segment that was cut. */
uint32_t writer_next_number(const struct session *s);
/* Settles which folder the session is stored in, if it is not settled yet. */
void writer_choose_folder(struct writer *w, struct session *s);

/* rows.c: open/<sid>.segs. */
struct row {
	struct manifest_segment seg;
	char head[DIGEST_HEX_SIZE];
	int64_t text_end;
	unsigned part;
	struct session_counts counts; /* without entries */
};
/* object: what was stored of seg. */
int rows_add(struct writer *w, struct session *s, const struct session_segment *seg,
	     struct slice object, struct sa_err *err);
/* *out is the caller's to free. */
int rows_read(struct writer *w, const struct session *s, struct manifest_segment **out, size_t *n,
	      struct sa_err *err);
/* Up to the last whole one. */
off_t rows_size(struct writer *w, const struct session *s);
/* False when there is no row. identity: the last such line, absent when there is none; it lies in
 * w->object. */
bool rows_last(struct writer *w, const char *sid, struct slice *identity, struct row *last);

/* rebuild.c: what of the session is in open/. */
struct rebuild_files {
	struct buf text;
	char **names; /* sorted; they lie in text */
	size_t n;
};
int rebuild_files_read(struct writer *w, struct rebuild_files *out, struct sa_err *err);
void rebuild_files_free(struct rebuild_files *f);
/* The least number of a segment file of the session's that is not below from. */
bool rebuild_next(const struct rebuild_files *f, const char *sid, uint32_t from, uint32_t *number);
/* Adds the session to the table without its checkpoint. SA_ERR_NOTFOUND: nothing says who it is. */
int rebuild_session(struct writer *w, const struct rebuild_files *f, const char *sid,
		    struct session **out, struct sa_err *err);
/* Its next segment begins as header (a parsed line) says; returns how many entries are missing
 * before it, -1 when that is not as it should be otherwise. */
int64_t rebuild_adopt(struct session *s, const struct json *header);

/* recover_segments.c: goes on with the segment files after the last sealed one: a whole one waits
 * to be sealed, the last is open. Returns how many entries are missing, -1: some, it is not known
 * how many. */
int64_t recover_segments(struct writer *w, const struct rebuild_files *f, struct session *s);

/* checkpoint.c: who the session is and what of it is sealed. */
int checkpoint_write(struct writer *w, struct session *s, struct sa_err *err);
/* Only who it is, as one line, into w->line. */
int checkpoint_identity(struct writer *w, const struct session *s, struct sa_err *err);
/* Adds a session to the table: who it is, by that line or a checkpoint. */
int checkpoint_take(struct writer *w, const char *sid, const struct json *j, struct session **out,
		    struct sa_err *err);
/* Adds the session that state/<sid> describes to the table, as it was when it was written. */
int checkpoint_read(struct writer *w, const char *sid, struct session **out, struct sa_err *err);
/* Does state/<sid> say that the session is closed? */
bool checkpoint_closed(struct writer *w, const char *sid);

#endif
