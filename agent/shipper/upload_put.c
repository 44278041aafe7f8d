/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/upload_internal.h"

#include "common/clock.h"
#include "common/log.h"

/* What a put's outcome is to the object and the store. */
static enum failing_cause upload_cause(int rc)
{
	switch (rc) {
	case SA_ERR_INVALID:
	case SA_ERR_IO:
	case SA_ERR_EXISTS: /* of the other key too */
		return FAILING_OBJECT;
	case SA_ERR_NOMEM:
	case SA_ERR_TOOBIG: /* of upload_begin */
		return FAILING_LOCAL;
	default:
		return FAILING_STORE;
	}
}

static const char *upload_put_key(const struct upload_slot *slot)
{
	return slot->beside ? slot->other : slot->key;
}

static void upload_done(struct store_put *p);

/* From now on the object may reach the store, whatever becomes of us. */
static int upload_begin(struct upload_slot *slot, struct sa_err *err)
{
	struct upload *u = slot->u;
	const char *key = upload_put_key(slot);
	bool again = attempts_before(u->o.attempts, key, slot->object.made_ms);

	if (!attempts_begin(u->o.attempts, key))
		return sa_fail(err, SA_ERR_TOOBIG,
			       "spool: ship/attempts is full or cannot be written");
	slot->put = (struct store_put){
		.key = key,
		.fd = slot->object.fd,
		.size = slot->object.size,
		.again = again,
		.done = upload_done,
		.ctx = slot,
	};
	store_put_start(u->o.store, &slot->put);
	return 0;
}

static void upload_release(struct upload_slot *slot)
{
	struct stream *s = slot->s;

	object_close(&slot->object);
	slot->s = NULL;
	upload_landed(slot->u, s);
}

/* Nobody but this host writes this key, so other content under it is worth an alarm: a forged
 * object, a cloned machine, or our own fault. Both are kept. False: not started. */
static bool upload_beside(struct upload_slot *slot)
{
	struct upload *u = slot->u;
	struct sa_err err = {0};
	int rc;

	attempts_end(u->o.attempts, slot->key);
	upload_store_worked(u);
	slot->trial = false;
	rc = object_conflict_key(&slot->object, slot->key, slot->other, &err);
	if (rc == 0) {
		slot->beside = true;
		rc = upload_begin(slot, &err);
	}
	if (rc == 0)
		return true;
	slot->put.rc = rc;
	slot->put.err = err;
	return false;
}

static void upload_count_stored(const struct upload_slot *slot)
{
	struct status *status = slot->u->o.status;
	uint64_t *left = slot->s->root == STREAM_READY ? &status->waiting : &status->quarantined;

	status->stored++;
	status->bytes += slot->object.size;
	status->assumed += slot->put.assumed;
	status->last_stored = (uint64_t)clock_real_ms() / 1000;
	*left -= *left > 0;
	if (status->waiting == 0)
		status->oldest = 0;
	if (!slot->beside)
		return;
	status->conflicts++;
	log_err("event=conflict key=%s stored_as=%s reason=\"the key holds other content\"",
		slot->key, slot->other);
}

/* The local copy goes before the attempt is forgotten: should we be killed between the two, the
 * object that is still there must count as one that may be stored. */
static void upload_stored(struct upload_slot *slot)
{
	struct upload *u = slot->u;

	if (object_stored(&u->o.dirs, slot->s, slot->name, slot->key, &u->reason) != 0) {
		upload_object_failed(u, slot->s, slot->name, slot->key, FAILING_LOCAL);
		return;
	}
	attempts_end(u->o.attempts, upload_put_key(slot));
	upload_count_stored(slot);
	upload_object_worked(u, slot->s, slot->key);
	if (slot->s->ordered)
		stream_step_over(slot->s);
}

static void upload_not_stored(struct upload_slot *slot)
{
	struct upload *u = slot->u;
	enum failing_cause cause = upload_cause(slot->put.rc);

	u->reason = slot->put.err;
	u->o.status->failures++;
	if (!slot->put.lost)
		attempts_end(u->o.attempts, upload_put_key(slot));
	if (cause == FAILING_STORE)
		upload_store_failed(u, slot->s, slot->trial);
	else if (slot->put.rc != SA_ERR_IO)
		upload_store_worked(u);
	else if (slot->trial)
		circuit_not_tried(&u->circuit);
	upload_object_failed(u, slot->s, slot->name, slot->key, cause);
}

/* Nothing could be started. */
static void upload_not_begun(struct upload_slot *slot, struct stream *s, enum failing_cause cause)
{
	object_close(&slot->object);
	if (!s->ordered)
		stream_step_over(s);
	upload_object_failed(slot->u, s, slot->name, slot->key, cause);
}

/* The collector makes no empty object: a file without bytes lost them in a crash. */
static bool upload_open(struct upload_slot *slot, struct stream *s)
{
	struct sa_err *err = &slot->u->reason;
	enum failing_cause cause = FAILING_OBJECT;
	int rc = object_open(s->fd, slot->name, &slot->object, err);

	if (rc == 0 && slot->object.size > 0)
		return true;
	if (rc == SA_ERR_NOTFOUND) { /* somebody else took it away */
		failing_forget(&slot->u->failing, failing_key(slot->key));
		stream_step_over(s);
		return false;
	}
	if (rc == 0) {
		sa_fail(err, SA_ERR_IO, "empty: the file system lost its bytes");
		cause = FAILING_LOST;
	} else if (rc == SA_ERR_AGAIN || rc == SA_ERR_NOMEM) {
		cause = FAILING_LOCAL;
	}
	upload_not_begun(slot, s, cause);
	return false;
}

bool upload_put(struct upload_slot *slot, struct stream *s)
{
	struct upload *u = slot->u;

	slot->beside = false;
	if (!upload_open(slot, s))
		return false;
	if (upload_begin(slot, &u->reason) != 0) {
		upload_not_begun(slot, s, FAILING_LOCAL);
		return false;
	}
	/* circuit_next said so; nothing was started since. */
	slot->trial = u->circuit.open && circuit_allows(&u->circuit, clock_mono_ms());
	slot->s = s;
	s->flying++;
	s->given++;
	u->flying++;
	if (!s->ordered)
		stream_step_over(s);
	return true;
}

static void upload_done(struct store_put *p)
{
	struct upload_slot *slot = p->ctx;
	struct upload *u = slot->u;

	if (u->closing) {
		upload_release(slot);
		return;
	}
	if (p->rc == SA_ERR_EXISTS && !slot->beside && upload_beside(slot))
		return;
	if (p->rc == 0) {
		upload_store_worked(u);
		upload_stored(slot);
	} else {
		upload_not_stored(slot);
	}
	upload_release(slot);
}
