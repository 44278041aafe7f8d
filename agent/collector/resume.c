/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/resume.h"

#include "common/clock.h"
#include "common/log.h"

struct resume {
	struct pipeline *p;
	const struct numbers *numbers;
	int64_t down_since_ms, now_ms, sync_ms;
	unsigned resumed, ended, adopted;
};

/* What an earlier run left is in the table before the first record is read: a session must not
 * begin twice. */
static void take_up(void *ctx, struct session *s)
{
	struct pipeline *p = ctx;

	s->taken_up = !s->w.finishing;
	if (s->taken_up) {
		transcript_take_up(p->transcript, s);
		return;
	}
	s->phase = SESSION_CLOSED;
	writer_end(p->writer, s);
}

int resume_take_up(struct pipeline *p, struct sa_err *err)
{
	return writer_recover(p->writer, take_up, p, err);
}

/* From when on nobody may have listened: what the run before had not read yet when it was killed is
 * lost, and of another boot what had not reached the disk. */
static int64_t gap_start(const struct resume *r, const struct session *s)
{
	int64_t from = r->down_since_ms - RESUME_IN_FLIGHT_MS;

	if (s->past)
		from -= r->sync_ms;
	if (from < s->start_ms)
		from = s->start_ms;
	return from < r->now_ms ? from : r->now_ms; /* the clock may have been set back */
}

/* A session of an earlier run goes on with a gap that says how long nobody listened, or ends. */
static void resume_session(void *ctx, struct session *s)
{
	struct resume *r = ctx;
	struct pipeline *p = r->p;
	/* Of what goes on after a session's end nobody says when it is over: that part ends here.
	 */
	bool left_behind = !s->past && s->part > 1;
	bool lives = !s->past && !left_behind && numbers_may_have(r->numbers, s->ses);
	const char *cause = s->past ? "reboot" : left_behind ? "left_behind" : "ended_unseen";

	if (!s->taken_up)
		return;
	s->taken_up = false;
	writer_gap(p->writer, s, "agent_restart", gap_start(r, s), r->now_ms, 0, p->now_ms);
	if (lives || (s->phase == SESSION_ENDING && s->part == 1)) {
		r->resumed++;
		return;
	}
	transcript_end(p->transcript, s, cause, r->now_ms, p->now_ms);
	r->ended++;
}

/* Who was logged in before anybody listened may do nothing for hours: it has a transcript from now
 * on, and not only once it does something. */
static void adopt_running(struct resume *r)
{
	struct pipeline *p = r->p;

	for (size_t i = 0; i < r->numbers->n; i++) {
		uint32_t ses = r->numbers->items[i].ses, auid;
		int64_t since_ms;

		if (ses == UINT32_MAX || session_find(p->sessions, ses) ||
		    !numbers_login(r->numbers, ses, &auid, &since_ms))
			continue;
		transcript_adopt(p->transcript, ses, auid, since_ms, r->now_ms, p->now_ms);
		r->adopted++;
	}
}

/* The kernel's records come from now on, by all rules, so this is where the gap ends. */
void resume_with(struct pipeline *p, const struct numbers *numbers, int64_t down_since_ms,
		 int64_t sync_ms)
{
	struct resume r = {
		.p = p,
		.numbers = numbers,
		.down_since_ms = down_since_ms,
		.now_ms = clock_real_ms(),
		.sync_ms = sync_ms,
	};

	session_each(p->sessions, resume_session, &r);
	adopt_running(&r);
	writer_flush(p->writer);
	if (r.resumed || r.ended || r.adopted)
		log_info("event=resumed sessions=%u ended_meanwhile=%u adopted=%u", r.resumed,
			 r.ended, r.adopted);
}

void resume_all(struct pipeline *p, int64_t down_since_ms, int64_t sync_ms)
{
	struct numbers numbers;

	numbers_read(&numbers);
	resume_with(p, &numbers, down_since_ms, sync_ms);
	numbers_free(&numbers);
}
