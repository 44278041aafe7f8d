/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/clock.h"
#include "common/cleanup.h"
#include "common/log.h"

#define KEEP_CLOSED_MS (24LL * 3600 * 1000) /* how long a closed session is known again */

struct recovery {
	struct writer *w;
	void (*fn)(void *ctx, struct session *s);
	void *ctx;
	struct rebuild_files files;
};

/* The text file may be longer than the checkpoint says (it is rendered again from there) or shorter
 * (somebody cut it). When all is sealed and it is not there, it is promoted already. */
static void recover_sizes(struct writer *w, struct session *s)
{
	char name[WRITER_NAME_SIZE];
	off_t size;

	writer_file(s, "txt", name);
	size = spool_size(w->spool, name);
	s->w.text_size = s->w.sealed.text_end;
	if (size < s->w.text_size && !(size < 0 && s->w.finishing))
		s->w.text_size = size < 0 ? 0 : size;
	s->w.segs_size = rows_size(w, s);
}

/* What was sealed when the run before ended, but not yet removed. */
static void remove_sealed(struct recovery *r, const struct session *s)
{
	char name[WRITER_NAME_SIZE];

	for (uint32_t n = 0; rebuild_next(&r->files, s->sid, n, &n) && n < s->w.n_sealed; n++) {
		writer_segment_file(s, n, name);
		spool_remove(r->w->spool, name);
	}
}

static void remove_rows(struct writer *w, const struct session *s)
{
	char name[WRITER_NAME_SIZE];

	writer_file(s, "segs", name);
	spool_remove(w->spool, name);
}

/* A closed session that went on after its end, and nothing of that is sealed yet, is open again. */
static bool is_over(struct recovery *r, struct session *s)
{
	uint32_t number;

	if (s->phase != SESSION_CLOSED)
		return false;
	remove_rows(r->w, s);
	if (rebuild_next(&r->files, s->sid, s->w.n_sealed, &number)) {
		writer_reopen(r->w, s);
		return false;
	}
	if (s->past || clock_real_ms() - s->end_ms > KEEP_CLOSED_MS)
		spool_state_remove(r->w->spool, s->sid);
	session_remove(r->w->sessions, s);
	return true;
}

static void recover_session(struct recovery *r, struct session *s)
{
	int64_t missing, now = clock_real_ms();
	struct sa_err err = {0};

	remove_sealed(r, s);
	if (is_over(r, s))
		return;
	recover_sizes(r->w, s);
	s->w.again = true;
	if (sealer_list(r->w, s, &err)) /* as it was at the start: no line is read yet */
		writer_spool_error(r->w, s, &err);
	missing = recover_segments(r->w, &r->files, s);
	if (missing && !s->w.finishing)
		writer_gap(r->w, s, "spool_damaged", s->start_ms < now ? s->start_ms : now, now,
			   missing > 0 ? (uint64_t)missing : 0, 0);
	r->fn(r->ctx, s);
}

static void recover_lost(struct recovery *r, const char *sid, const struct sa_err *why)
{
	struct sa_err err = {0};
	struct session *s;

	if (rebuild_session(r->w, &r->files, sid, &s, &err)) {
		log_err("event=checkpoint_lost session=%s reason=\"%s\" action=\"none: %s\"", sid,
			why->msg, err.msg);
		if (why->code == SA_ERR_NOTFOUND)
			spool_state_remove(r->w->spool, sid);
		return;
	}
	log_warn("event=checkpoint_lost session=%s reason=\"%s\" action=\"taken up by what lies in "
		 "open/\" sealed=%u",
		 sid, why->msg, s->w.n_sealed);
	recover_session(r, s);
}

static int recover_one(void *ctx, const char *sid)
{
	struct recovery *r = ctx;
	struct sa_err err = {0};
	struct session *s;

	if (!layout_is_session_id(slice_of(sid)))
		return 0;
	if (checkpoint_read(r->w, sid, &s, &err))
		recover_lost(r, sid, &err);
	else
		recover_session(r, s);
	return 0;
}

static bool has_lines(const struct recovery *r, const char *sid)
{
	char segs[WRITER_NAME_SIZE];
	uint32_t number;

	snprintf(segs, sizeof(segs), "%s.segs", sid);
	return rebuild_next(&r->files, sid, 0, &number) || spool_size(r->w->spool, segs) >= 0;
}

/* Sessions that have no checkpoint at all. */
static void recover_strays(struct recovery *r)
{
	char sid[LAYOUT_SID_SIZE], before[LAYOUT_SID_SIZE] = "";
	struct sa_err err = {0};

	sa_fail(&err, SA_ERR_NOTFOUND, "there is none");
	for (size_t i = 0; i < r->files.n; i++) {
		snprintf(sid, sizeof(sid), "%.*s", LAYOUT_SID_SIZE - 1, r->files.names[i]);
		if (strcmp(sid, before) == 0 || !layout_is_session_id(slice_of(sid)))
			continue;
		memcpy(before, sid, sizeof(before));
		if (spool_state_time_ms(r->w->spool, sid) == 0 && has_lines(r, sid))
			recover_lost(r, sid, &err);
	}
}

int writer_recover(struct writer *w, void (*fn)(void *ctx, struct session *s), void *ctx,
		   struct sa_err *err)
{
	struct recovery r = {.w = w, .fn = fn, .ctx = ctx};
	int rc = rebuild_files_read(w, &r.files, err);

	if (rc == 0)
		rc = spool_state_each(w->spool, recover_one, &r, err);
	if (rc == 0)
		recover_strays(&r);
	rebuild_files_free(&r.files);
	return rc;
}

struct session *writer_recall(struct writer *w, uint32_t ses, const char *sid)
{
	struct session *s;
	char name[WRITER_NAME_SIZE];

	if (checkpoint_read(w, sid, &s, NULL))
		return NULL;
	if (s->ses != ses || s->phase != SESSION_CLOSED) {
		session_remove(w->sessions, s);
		return NULL;
	}
	writer_file(s, "txt", name);
	spool_remove(w->spool, name);
	remove_rows(w, s);
	return s;
}

static int prune_one(void *ctx, const char *sid)
{
	struct writer *w = ctx;

	if (layout_is_session_id(slice_of(sid)) &&
	    clock_real_ms() - spool_state_time_ms(w->spool, sid) > KEEP_CLOSED_MS &&
	    checkpoint_closed(w, sid))
		spool_state_remove(w->spool, sid);
	return 0;
}

void writer_prune(struct writer *w)
{
	struct sa_err err = {0};

	if (spool_state_each(w->spool, prune_one, w, &err))
		log_warn("event=prune reason=\"%s\"", err.msg);
}
