/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The sessions that are being recorded, found by the kernel's session number.
 * transcript.c decides what a session's entries are, writer.c keeps the part
 * `w` and brings the entries to the spool.
 */
#ifndef SA_SESSION_H
#define SA_SESSION_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/collector/channels.h"
#include "agent/collector/validity.h"
#include "common/access/access.h"
#include "common/transcript/chain.h"
#include "common/transcript/layout.h"
#include "common/transcript/segment.h"

#define SESSION_MAX 10000        /* open at once */
#define SESSION_MAX_RETIRED 1024 /* closed ones kept to know them again; the oldest goes first */
#define SESSION_NESTED 8         /* sudo, su that said who they serve, but not yet how it went */

enum session_phase {
	SESSION_PENDING, /* seen, but who and why is not yet known */
	SESSION_OPEN,
	SESSION_ENDING, /* logged out, late events still come */
	SESSION_CLOSED, /* its manifest is made; kept to know it again */
};

struct session_nested {
	int64_t pid; /* 0: none */
	bool ok;     /* the transcript says that it succeeded */
};

struct session_counts { /* of the session's entries so far */
	uint64_t entries, execs, inputs, gaps, lost, redactions;
	int64_t expired_ms, revoked_ms; /* times of the last such entry; 0: none */
};

struct session_segment {
	uint32_t number;
	uint64_t first_seq, entries;
	off_t size; /* bytes of its file */
	bool again; /* it may have been made ready before, with the same bytes */
	/* as it was when the segment was cut: */
	off_t text_end;             /* bytes of the text file */
	char head[DIGEST_HEX_SIZE]; /* of the chain, after its footer */
	struct session_counts counts;
};

struct session_writing {
	uint64_t next_seq;
	struct chain chain;
	char prev_head[DIGEST_HEX_SIZE];  /* of the chain, before the open segment */
	struct session_segment open;      /* first_seq 0: none is open */
	struct session_segment *unsealed; /* cut, in order */
	size_t n_unsealed;
	struct session_segment sealed; /* the last one that was sealed */
	uint32_t n_sealed;
	off_t text_size, segs_size;
	struct buf pending, text; /* lines and page text not yet in their files */
	int64_t opened_ms, synced_ms;
	bool dirty, unsynced, sync_now;
	bool known, listed; /* its checkpoint, its index start object were made */
	/* The index start object was tried, and whether it has an access context: it is made again
	 * with the same bytes. */
	bool list_tried, list_tagged;
	bool pointed;    /* the pointers of its requests were, since it is tagged */
	bool identified; /* its rows say who it is, since it is tagged */
	bool cut_unsynced;
	bool again;      /* so may the other objects that are made next */
	bool last_words; /* the entry in hand is the session's end */
	uint64_t dropped;
	int64_t dropped_from_ms, dropped_to_ms;
	bool finishing;    /* session_end is written, the objects of the end are not all made */
	unsigned finished; /* how many of them are: manifest, page, index */
	bool manifest_out; /* the first of them can be seen already */
	struct session_counts counts;
};

struct session_loss {      /* noted before the session's first entry */
	const char *cause; /* static; NULL: none */
	int64_t start_ms, end_ms;
	uint64_t count;
};

struct session {
	uint32_t ses, auid;
	char sid[LAYOUT_SID_SIZE];
	char *user, *origin, *service, *terminal; /* owned; NULL while not known */
	char *boot_id;                            /* of the boot it belongs to */
	char *request; /* known when its folder was chosen; NULL: none. Does not change */
	char *folder;  /* the folder above its own, see layout_prefix. Does not change */
	int64_t start_ms, end_ms;
	int64_t ending_ms;  /* age clock when end_ms was set */
	int64_t leader_pid; /* that opened it; 0: not known */
	const char *end_cause;
	unsigned part; /* 1; one more each time it goes on after its end */
	enum session_phase phase;
	bool tagged;                  /* access is settled; it is empty before */
	char linked[LAYOUT_SID_SIZE]; /* the session that it came from; "": none */
	uint32_t linked_ses;          /* its number */
	char left[LAYOUT_SID_SIZE];   /* the last one that came from this; "": none */
	bool logged_in;               /* its LOGIN record came from outside of all sessions */
	struct session_loss loss;
	unsigned missed; /* looks in a row at which it had no process */
	bool taken_up;   /* from an earlier run, its gap is not written yet */
	bool past;       /* of an earlier boot: its number may be another session's now */
	struct access access;
	struct validity validity;
	struct channels channels;
	struct session_nested nested[SESSION_NESTED];
	unsigned next_nested;  /* of nested, to be overwritten */
	struct typing *typing; /* of its terminals, see typing.h; NULL: nothing yet */
	struct session_writing w;
	bool retired; /* closed, and all of it in the spool */
	struct session *hash_next, *prev, *next;
};

struct session_table;

struct session_table *session_table_new(void);
void session_table_free(struct session_table *t);
/* NULL when there is none of this boot. */
struct session *session_find(struct session_table *t, uint32_t ses);
/* A zeroed one with ses and sid set; NULL when out of memory or when SESSION_MAX sessions are open.
 * Of the pending ones the oldest makes room: nothing of it is written, and it is known again when
 * it does anything. */
struct session *session_add(struct session_table *t, uint32_t ses, const char *sid);
void session_remove(struct session_table *t, struct session *s);
/* s is closed and done with: session_each passes it over from now on. What its joins and buffers
 * hold is freed. The oldest retired one may be removed. */
void session_retire(struct session_table *t, struct session *s);
/* s goes on after its end. */
void session_revive(struct session_table *t, struct session *s);
/* Walks all that are not retired, oldest first; the callback may retire or remove the one it is
 * given. */
void session_each(struct session_table *t, void (*fn)(void *ctx, struct session *s), void *ctx);
size_t session_count(const struct session_table *t); /* without the retired */
/* A context of its own may still come: it has none, or that of the session that it came from. */
bool session_takes_access(const struct session *s);
/* The one copy of a cause that end_cause may point to; "unknown" for one nobody knows. */
const char *session_end_cause(struct slice text);
/* Replaces an owned string by a copy of text (kept when absent or out of memory). Bytes that are no
 * UTF-8 become \xNN: these strings stand in checkpoints. */
void session_set(char **field, struct slice text);

#endif
