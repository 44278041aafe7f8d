/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The index objects (one at a session's start, one at its end) and the manifest:
 * what `list` reads, and what says that a transcript is whole.
 */
#ifndef SA_INDEX_H
#define SA_INDEX_H

#include "common/transcript/segment.h"

#define INDEX_SCHEMA "sessaudit.index/1"
#define POINTER_SCHEMA "sessaudit.pointer/1"
#define MANIFEST_SCHEMA "sessaudit.manifest/1"

/* One shipped segment, as the manifest lists it. */
struct manifest_segment {
	uint32_t number;
	uint64_t first_seq, entries;
	uint64_t bytes; /* of the object */
	char sha256[DIGEST_HEX_SIZE];
};

struct session_totals {
	int64_t end_ms;
	struct slice end_cause; /* "logout", "lost", "end_of_recording" ... */
	unsigned part;          /* 1, or more for what came after the end */
	uint64_t entries, execs, inputs, gaps, lost, redactions;
	const char *head; /* of the chain, the last footer line included */
	const struct manifest_segment *segments;
	size_t n_segments;
};

/* {"schema","type":"start","session","ses","host","user","service","source","start","capture",
 *  "access":{...},"key":"sessions/.../"} */
void index_write_start(struct json_writer *w, const struct segment_session *s);
/* The same with "type":"end" and end, end_cause, duration_ms, part, entries, execs, inputs, gaps,
 * lost, redactions (0 where an older agent wrote none), segments (count), head. */
void index_write_end(struct json_writer *w, const struct segment_session *s,
		     const struct session_totals *t);
/* The same facts, schema sessaudit.manifest/1, with the segments one by one
 * {"number","key","first_seq","entries","bytes","sha256"} and "no_known_loss". */
void manifest_write(struct json_writer *w, const struct segment_session *s,
		    const struct session_totals *t);

/* {"schema","type":"pointer","session","request":{"id"},"key":"<session folder>"}: request_id is
 * one that the session has besides the one its folder is named after. */
void index_write_pointer(struct json_writer *w, const char *sid, struct slice request_id,
			 struct slice key);
/* The folder that a pointer names, and checks that it is a valid key and of session sid. Appends to
 * key. SA_ERR_INVALID. */
int index_parse_pointer(struct slice text, const char *sid, struct buf *key, struct sa_err *err);

/* What `list` needs of an index or manifest object. Slices point into json. */
struct index_read {
	struct json *json;
	bool is_end;
	struct slice sid, host, user, service, source, key, end_cause, head;
	int64_t start_ms, end_ms, duration_ms;
	int64_t ses;
	uint64_t entries, execs, inputs, gaps, lost, redactions, segments;
	unsigned part;
	struct access access;
};
int index_parse(struct slice text, struct index_read *out, struct sa_err *err);
void index_read_free(struct index_read *r);

#endif
