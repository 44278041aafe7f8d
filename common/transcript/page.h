/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The page a person reads: who, which request, who approved it, then the
 * timeline. Used by the collector for transcript.txt and by `sessaudit show`.
 * Everything that comes from outside passes escape_terminal.
 */
#ifndef SA_PAGE_H
#define SA_PAGE_H

#include "common/transcript/entry.h"
#include "common/transcript/index.h"

/* What the lines before have said, so that only changes need saying. Zeroed at the start. */
struct page_place {
	char day[20];                /* with the zone: it changes with daylight saving time */
	char where[DIGEST_HEX_SIZE]; /* of directory and terminal */
	uint64_t typed;              /* seq of the typed line above, 0 for none */
};

struct page_style {
	bool local; /* times in TZ instead of UTC */
	bool color; /* ANSI colours (never in transcript.txt) */
	int width;  /* columns to wrap at; 0: do not wrap */
	bool full;  /* long arguments and texts whole, not cut with a count of the rest */
	/* NULL (transcript.txt): each line stands alone, with date, directory and terminal. Else
	 * date and place are said when they change. */
	struct page_place *place;
};

/* The block at the top: session, host, user, source, service, and the access context. */
void page_head(struct buf *out, const struct page_style *st, const struct segment_session *s);
/* The same for a session whose entries are all at hand: with its end (end_ms 0: still open), counts
 * and losses. Nothing of t->segments, head, part is used. */
void page_head_whole(struct buf *out, const struct page_style *st, const struct segment_session *s,
		     const struct session_totals *t);
/* The part of it that says which request the login belongs to. */
void page_access(struct buf *out, const struct page_style *st, const struct access *a);
/* One entry's line(s) of the timeline. Nothing for a program that ended well: that is what one
 * expects. */
void page_entry(struct buf *out, const struct page_style *st, const struct entry *e);
/* What other entries say of an exec. */
struct page_more {
	uint64_t typed; /* seq of the typed line that led to it; 0: none */
	bool untyped;   /* an interactive shell ran it, and no typed line led to it */
	bool ended, has_exit_code;
	uint32_t exit_code, exit_signal;
};
/* The same for an entry of which more is known, and for any that ended well too. */
void page_entry_of(struct buf *out, const struct page_style *st, const struct entry *e,
		   const struct page_more *more);
/* The block at the end: end, duration, counts, losses, chain head. */
void page_tail(struct buf *out, const struct page_style *st, const struct segment_session *s,
	       const struct session_totals *t);

/* What must not be overlooked: a headline between bars, and what it means. Both are escaped. */
void page_alarm(struct buf *out, const struct page_style *st, const char *headline,
		const char *meaning);
/* "APPROVED", "NOT APPROVED" ... */
const char *page_status(enum access_status status);
void page_duration(struct buf *out, int64_t ms); /* "10 min 41 s" */

#endif
