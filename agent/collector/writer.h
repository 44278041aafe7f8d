/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * From entries to the spool: numbers them, chains them, cuts and seals segments,
 * and makes the other objects of a session (index, manifest, transcript.txt).
 * What it has written survives kill -9 at any step: writer_recover goes on with
 * exactly the lines that are in the files.
 *
 *   open/<sid>.<n>.jsonl  segment n, until it is sealed
 *   open/<sid>.txt        the page so far
 *   open/<sid>.segs       who the session is, then for each sealed segment "number first_seq
 *                         entries bytes sha256 head text_end part execs inputs gaps lost
 *                         expired_ms revoked_ms redactions"
 *   state/<sid>           who the session is, and where its first unsealed segment begins
 */
#ifndef SA_WRITER_H
#define SA_WRITER_H

#include "agent/collector/session.h"
#include "agent/spool.h"
#include "common/transcript/entry.h"

struct writer_facts { /* the same for all sessions; borrowed for the writer's life */
	const char *host, *machine_id, *boot_id, *capture;
	int64_t segment_max_age_ms, segment_max_bytes, sync_ms;
	bool scratch;               /* nobody recovers the spool: a replay's */
	const char *session_prefix; /* template of new sessions' folders, layout.h; NULL: default */
};

struct writer_stats {
	uint64_t entries, segments, bytes, dropped, spool_errors, redactions;
};

struct writer;

int writer_new(struct spool *spool, const struct writer_facts *facts,
	       struct session_table *sessions, struct writer **out, struct sa_err *err);
void writer_free(struct writer *w);
const struct writer_stats *writer_stats(const struct writer *w);

/* The session is known now: its folder is settled, checkpoint, index start object and pointers are
 * made. Once, before its first entry. A tag that comes later makes its pointers with the next
 * segment. */
void writer_start(struct writer *w, struct session *s);
/* A closed session goes on after its end, as its next part. */
void writer_reopen(struct writer *w, struct session *s);
/* Numbers e (fills seq) and writes it. When the spool takes nothing any more, e is dropped, counted
 * (seq 0), and a gap entry follows as soon as there is room. now_ms: age clock of segments. */
void writer_entry(struct writer *w, struct session *s, struct entry *e, int64_t now_ms);
/* A gap entry: what was lost, between when and when (count 0: not known how much). */
void writer_gap(struct writer *w, struct session *s, const char *cause, int64_t start_ms,
		int64_t end_ms, uint64_t count, int64_t now_ms);
/* After the session_end entry: last segment, manifest, transcript.txt, index end object. */
void writer_end(struct writer *w, struct session *s);
/* After each batch of events: brings the lines of sessions with an entry that does not wait to
 * their files. The others wait for the tick, or until there are some MiB of them. */
void writer_batch(struct writer *w);
/* Brings all lines to the files. What came until then survives kill -9: before each spool_alive. */
void writer_flush(struct writer *w);
/* Flush, fdatasync, cuts segments that are old enough, tries again what failed. Call it some times
 * a second, and when writer_due_ms has come. */
void writer_tick(struct writer *w, int64_t now_ms);
/* Age clock when the next segment is old enough; INT64_MAX: none is open. */
int64_t writer_due_ms(const struct writer *w);
/* Seals all that is open (end of a replay, shutdown of the host). */
void writer_seal_all(struct writer *w);

/* Brings back the sessions of an earlier run into the table, also those whose checkpoint is lost or
 * whose files are damaged, as far as these go: those of this boot as they were, closed ones by
 * writer_recall only. Sessions of another boot come back too (phase OPEN, `past`)
 * and are the caller's to end. Calls fn with each. */
int writer_recover(struct writer *w, void (*fn)(void *ctx, struct session *s), void *ctx,
		   struct sa_err *err);
/* Forgets the checkpoints of sessions that were closed a day ago or earlier. */
void writer_prune(struct writer *w);
/* Looks for a closed session in the checkpoints, so that what comes after its end goes on with its
 * numbers. NULL when there is none. */
struct session *writer_recall(struct writer *w, uint32_t ses, const char *sid);

/* What stands in headers and index objects; slices point into s and facts. */
void writer_describe(const struct writer *w, const struct session *s, struct segment_session *out);

#endif
