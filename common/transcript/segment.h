/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A segment: a run of entries shipped as one object, gzip of JSON Lines: a
 * header, the entries, a footer. Writing builds lines; reading checks them.
 */
#ifndef SA_SEGMENT_H
#define SA_SEGMENT_H

#include "common/access/access.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/transcript/chain.h"
#include "common/transcript/layout.h"
#include "common/transcript/press.h"

#define SEGMENT_SCHEMA "sessaudit.segment/1"
#define SEGMENT_MAX_BYTES (64 * 1024 * 1024) /* unpacked; a reader refuses more */

/* What every header says of its session. */
struct segment_session {
	char sid[LAYOUT_SID_SIZE];
	struct slice host, machine_id, boot_id;
	uint32_t ses, auid;
	struct slice user, origin, service, terminal;
	int64_t start_ms;
	const struct access *access;
	struct slice capture; /* "netlink" or "replay" */
	/* Whose folder it is stored in, empty: unapproved. Absent: the one that access names. A
	 * folder does not change when a tag comes late. */
	struct slice request;
	const char *prefix; /* template of the folder above its own, see layout.h; NULL: default */
};

struct segment_mark { /* where a segment begins */
	uint32_t number;
	uint64_t first_seq;
	const char *prev_head; /* "" for the first */
};

/* Where the session's objects lie: layout_session_dir of s->request; when that is absent of the
 * request id of s->access, of the first of several (ambiguous), none: unapproved. */
void segment_session_dir(struct buf *out, const struct segment_session *s);

void segment_write_header(struct json_writer *w, const struct segment_session *s,
			  const struct segment_mark *m);
/* entries: in this segment; head: the chain after its last entry. */
void segment_write_footer(struct json_writer *w, const struct segment_mark *m, uint64_t entries,
			  uint64_t last_seq, const char *head);

/* The session as a parsed header tells it; slices point into header, out->access to *access (the
 * caller's, access_free) or is NULL. SA_ERR_INVALID when a field is missing or wrong. */
int segment_session_read(const struct json *header, struct segment_session *out,
			 struct access *access, struct sa_err *err);

/* One gzip member, the same bytes for the same plain text (with the same zlib). */
int segment_press(struct press *p, struct slice plain, struct buf *out, struct sa_err *err);
/* The same for a single one. */
int segment_compress(struct slice plain, struct buf *out, struct sa_err *err);
/* SA_ERR_TOOBIG past SEGMENT_MAX_BYTES. */
int segment_uncompress(struct slice gz, struct buf *out, struct sa_err *err);

/* Called with each entry line (no LF) in order. Non-zero stops and is returned. */
typedef int (*segment_entry_fn)(void *ctx, struct slice line);

struct segment_info { /* of a whole segment that was read */
	uint32_t number;
	uint64_t first_seq, last_seq, entries;
	char sid[LAYOUT_SID_SIZE];
	bool chain_ok;     /* prev_head, footer head, counts and numbering agree */
	char problem[160]; /* why not */
};

/* Reads one unpacked segment, going on with the chain in *c (fresh for segment 0); *header gets the
 * parsed header line (caller frees) when header is not NULL. SA_ERR_INVALID when it is not a
 * segment (SA_ERR_UNSUPPORTED: of another version); a chain that does not fit is not an error but
 * info->chain_ok false. A line that is no entry is not handed to fn. After a header whose prev_head
 * does not fit, the chain goes on from prev_head. Numbers of segments in a row (number, first_seq)
 * are the caller's to compare. Fuzzed. */
int segment_read(struct slice plain, struct chain *c, segment_entry_fn fn, void *ctx,
		 struct json **header, struct segment_info *info, struct sa_err *err);

#endif
