/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/upload_internal.h"

#include <sys/random.h>

#include "agent/shipper/quarantine.h"
#include "common/clock.h"
#include "common/log.h"

static struct log_limit failed_limit = {.burst = 30};
static struct log_limit recovered_limit = {.burst = 30};
static struct log_limit quarantine_limit = {.burst = 3};

static uint32_t upload_random(struct upload *u)
{
	uint32_t v = 0;

	if (u->o.random)
		return u->o.random(u->o.random_ctx);
	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != (ssize_t)sizeof(v))
		v = (uint32_t)clock_real_ms() * 2654435761u;
	return v;
}

void upload_store_worked(struct upload *u)
{
	int64_t since = u->circuit.since_ms;

	u->row++;
	u->refusals = 0;
	if (circuit_worked(&u->circuit)) {
		log_info("event=back seconds=%lld", (long long)(clock_mono_ms() - since) / 1000);
		search_soon(&u->search[STREAM_READY]);
	}
	if (!u->o.status->away)
		return;
	u->o.status->away = u->o.status->away_since = 0;
	u->o.status->reason = NULL;
}

static void upload_is_away(struct upload *u)
{
	struct status *status = u->o.status;

	if (!status->away)
		status->away_since = (uint64_t)clock_real_ms() / 1000;
	u->away = u->reason;
	status->away = 1;
	status->reason = u->away.msg;
}

/* While the circuit is open, it is the store that waits, not the directories. */
static void upload_circuit_opened(struct upload *u)
{
	log_err("event=away reason=\"%s\"", u->reason.msg);
	upload_is_away(u);
	failing_wake(&u->failing);
	schedule_wake(&u->schedule, INT64_MAX);
}

/* Each directory counts once in a row; one of quarantine only when it was the one to try: that an
 * object there fails is nothing new. */
void upload_store_failed(struct upload *u, struct stream *s, bool trial)
{
	if (!trial && s->root == STREAM_QUARANTINE)
		return;
	if (++u->refusals >= CIRCUIT_FAILURES)
		upload_is_away(u);
	if (!trial && (u->circuit.open || s->failed_row == u->row))
		return;
	s->failed_row = u->row;
	if (circuit_failed(&u->circuit, clock_mono_ms(), upload_random(u)))
		upload_circuit_opened(u);
}

static void upload_pause(struct upload *u, struct stream *s, int64_t until_ms)
{
	if (u->pass)
		s->given_up = true;
	else
		schedule_pause(&u->schedule, s, until_ms);
	stream_rest(s);
}

/* When the object may be tried again, and the others of its directory. */
static void upload_back_off(struct upload *u, struct stream *s, struct failing_object *o)
{
	int64_t now = clock_mono_ms();

	retry_failed(&o->retry, &u->o.policy, now, upload_random(u));
	if (s->ordered) {
		upload_pause(u, s, o->retry.next_ms);
		return;
	}
	if (o->retry.next_ms < s->again_ms)
		s->again_ms = o->retry.next_ms;
	if (s->queue == STREAM_PAUSED) /* by another one that was under way too */
		return;
	retry_failed(&s->retry, &u->o.policy, now, upload_random(u));
	if (!u->pass || s->retry.failures >= CIRCUIT_FAILURES)
		upload_pause(u, s, s->retry.next_ms);
}

/* Moves the object out of the way; false: that failed. */
static bool upload_quarantine(struct upload *u, struct stream *s, const char *name, const char *key)
{
	struct sa_err err = {0};
	int rc = quarantine_put(s->fd, name, u->o.dirs.root_fd[STREAM_QUARANTINE], key,
				u->reason.msg, clock_real_ms(), &err);

	if (rc != 0) {
		log_limited(&quarantine_limit, LOG_LEVEL_ERR,
			    "event=quarantine-failed key=%s reason=\"%s\"", key, err.msg);
		return false;
	}
	log_err("event=quarantined key=%s reason=\"%s\"", key, u->reason.msg);
	u->o.status->quarantined++;
	u->refusals = 0;
	failing_forget(&u->failing, failing_key(key));
	return true;
}

/* The circuit pauses for all, so that nothing else needs to; the next one to try is of another
 * directory, be it one that has no room yet: the walk finds this one again. */
static void upload_object_waits(struct upload *u, struct stream *s)
{
	s->given = SCHEDULE_TURN;
	s->given_up = u->pass || u->search[STREAM_READY].held;
	s->look = s->look || !s->ordered;
}

void upload_object_failed(struct upload *u, struct stream *s, const char *name, const char *key,
			  enum failing_cause cause)
{
	struct failing_object *o;

	if (s->root == STREAM_QUARANTINE) { /* stays until the next walk there */
		s->given = SCHEDULE_TURN;
		return;
	}
	if (cause == FAILING_STORE && u->circuit.open) {
		upload_object_waits(u, s);
		return;
	}
	o = failing_note(&u->failing, failing_key(key), cause, u->o.status->stored);
	if (o->retry.failures == 0)
		log_limited(&failed_limit, LOG_LEVEL_WARN, "event=put-failed key=%s reason=\"%s\"",
			    key, u->reason.msg);
	if (!failing_is_enough(o) || !upload_quarantine(u, s, name, key))
		upload_back_off(u, s, o);
}

void upload_object_worked(struct upload *u, struct stream *s, const char *key)
{
	uint64_t hash = failing_key(key);
	struct failing_object *o = s->root == STREAM_READY ? failing_find(&u->failing, hash) : NULL;

	s->retry = (struct retry){0};
	if (!o)
		return;
	log_limited(&recovered_limit, LOG_LEVEL_INFO, "event=put-recovered key=%s failures=%u", key,
		    o->retry.failures);
	failing_forget(&u->failing, hash);
}
