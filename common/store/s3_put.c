/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One object on its way: hashed, sent, repaired, confirmed; and when the key is
 * taken, looked at.
 */
#include "config.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/store/s3_confirm.h"
#include "common/store/s3_internal.h"

struct s3_put {
	struct store_s3 *s3;
	struct store_put *p;
	struct s3_body body;
	struct s3_sum sha256, md5; /* md5: only with content_md5 */
	struct s3_signed sent;
	unsigned repaired;
	bool changed; /* the bytes were not the same when they were read again */
	bool looking; /* the key is taken: is it by the same bytes? */
};

static void s3_put_free(struct s3_put *t)
{
	s3_signed_free(&t->sent);
	s3_body_free(&t->body);
	free(t);
}

/* Every way of a put ends here. What an earlier attempt left open stays open when this one fails
 * too: only a key that surely holds something else settles it. */
static void s3_put_end(struct store_s3 *s3, struct store_put *p, int rc, bool lost)
{
	s3->n_ended++;
	p->rc = p->err.code = rc;
	if (rc == 0)
		p->err.msg[0] = '\0'; /* of an attempt that was repaired */
	p->lost = rc != 0 && rc != SA_ERR_EXISTS && (lost || p->again);
	p->done(p);
}

static void s3_put_finish(struct s3_put *t, int rc, bool lost)
{
	struct store_s3 *s3 = t->s3;
	struct store_put *p = t->p;

	s3->n_sent--;
	s3_put_free(t);
	s3_put_end(s3, p, rc, lost);
}

static void s3_put_done(void *ctx, int rc, struct http_answer *a, const struct sa_err *why);

static struct s3_request s3_put_request(const struct s3_put *t, struct headers *add)
{
	const struct store_s3 *s3 = t->s3;
	struct s3_request r = {.method = "PUT",
			       .key = t->p->key,
			       .add = add,
			       .sum = &t->sha256,
			       .action = s3->put_action,
			       .body = {t->body.bytes, (size_t)t->p->size},
			       .body_fd = t->body.bytes ? -1 : t->p->fd,
			       .body_size = t->p->size};

	s3_put_headers(s3, t->p->key, &t->sha256, s3->content_md5 ? &t->md5 : NULL, add);
	return r;
}

static struct s3_request s3_look_request(const struct s3_put *t, struct headers *add)
{
	headers_add(add, "x-amz-checksum-mode", SLICE_LIT("ENABLED"));
	return (struct s3_request){.method = "HEAD",
				   .key = t->p->key,
				   .add = add,
				   .action = "s3:GetObject",
				   .body_fd = -1};
}

/* What comes next: the put, or the look at what holds the key. */
static void s3_put_send(struct s3_put *t)
{
	_cleanup_headers_ struct headers add = {0};
	struct s3_request r = t->looking ? s3_look_request(t, &add) : s3_put_request(t, &add);
	int rc = s3_sign(t->s3, &r, &t->sent, &t->p->err);

	if (rc == 0) {
		struct http_request h = s3_http_request(t->s3, &r, &t->sent, S3_MAX_ERROR);

		rc = http_start(t->s3->http, &h, s3_put_done, t, &t->p->err);
	}
	if (rc != 0)
		s3_put_finish(t, rc == SA_ERR_PERM ? rc : SA_ERR_AGAIN, false);
}

static int s3_put_hash(struct s3_put *t, struct sa_err *err)
{
	int rc = s3_body_read(&t->body, err);

	if (rc == 0)
		rc = s3_body_sha256(&t->body, &t->sha256, err);
	if (rc == 0 && t->s3->content_md5)
		rc = s3_body_md5(&t->body, &t->md5, err);
	if (rc == 0)
		return 0;
	(void)sa_wrap(err, rc, "%.150s", t->s3->base.name);
	return rc == SA_ERR_UNSUPPORTED ? SA_ERR_PERM : rc == SA_ERR_NOMEM ? SA_ERR_AGAIN : rc;
}

/* The store got other bytes than were hashed: from here, or spoilt on the way? */
static void s3_put_reread(struct s3_put *t)
{
	struct s3_sum before = t->sha256;
	int rc = s3_put_hash(t, &t->p->err);

	t->repaired |= 1u << S3_REPAIR_BODY;
	t->changed = strcmp(before.hex, t->sha256.hex) != 0;
	if (rc == 0)
		s3_put_send(t);
	else
		s3_put_finish(t, rc, false);
}

static void s3_put_fail(struct s3_put *t, const struct s3_answer *a)
{
	const struct s3_request r = {
		.method = "PUT", .key = t->p->key, .action = t->s3->put_action};
	int rc = s3_refused(t->s3, &r, a, &t->p->err);

	/* A bucket that cannot do what the settings ask for, as one without Object Lock, calls each
	 * object invalid: an admin's business, and not the object's. */
	if (rc == SA_ERR_NOTFOUND ||
	    (rc == SA_ERR_INVALID && t->s3->put_options && strcmp(a->code, "InvalidRequest") == 0))
		rc = SA_ERR_PERM;
	if (a->repair == S3_REPAIR_BODY && t->changed)
		rc = SA_ERR_IO;
	s3_put_finish(t, rc, a->lost);
}

static void s3_take_text(char *out, size_t size, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	for (size_t i = 0; i < n; i++)
		if (value[i] <= ' ' || value[i] > '~')
			n = 0;
	if (n > 0 && n < size)
		memcpy(out, value, n + 1);
}

static void s3_put_stored(struct s3_put *t, const struct headers *h)
{
	s3_take_text(t->p->etag, sizeof(t->p->etag), headers_get(h, "ETag"));
	s3_take_text(t->p->version, sizeof(t->p->version), headers_get(h, "x-amz-version-id"));
	s3_put_finish(t, 0, false);
}

static void s3_put_answered(struct s3_put *t, const struct http_answer *raw,
			    const struct s3_answer *a)
{
	const char *doubt;

	if (a->rc == SA_ERR_EXISTS) {
		t->looking = true;
		s3_put_send(t);
	} else if (a->rc != 0) {
		s3_put_fail(t, a);
	} else if ((doubt = s3_doubt(raw, &t->sha256, t->s3->content_md5 ? &t->md5 : NULL)) !=
		   NULL) {
		sa_fail(&t->p->err, SA_ERR_AGAIN, "%.150s: %d for PUT, but %s", t->s3->base.name,
			a->status, doubt);
		s3_put_finish(t, SA_ERR_AGAIN, true);
	} else {
		s3_put_stored(t, &raw->headers);
	}
}

/* The key is taken, and what holds it cannot be seen: a write-only agent. */
static void s3_put_unseen(struct s3_put *t)
{
	t->p->assumed = t->p->again;
	if (!t->p->again)
		sa_fail(&t->p->err, SA_ERR_EXISTS,
			"%.150s: the key is taken, and what holds it cannot be compared",
			t->s3->base.name);
	s3_put_finish(t, t->p->again ? 0 : SA_ERR_EXISTS, false);
}

static void s3_put_looked(struct s3_put *t, const struct http_answer *raw,
			  const struct s3_answer *a)
{
	enum s3_same same =
		a->rc == 0 ? s3_compare(&raw->headers, &t->body, &t->sha256) : S3_CANNOT_TELL;
	bool etag = headers_get(&raw->headers, "ETag") != NULL;

	if (a->rc == SA_ERR_AGAIN || a->rc == SA_ERR_NOTFOUND || (a->rc == 0 && !etag)) {
		/* Busy, gone again meanwhile, or not S3's answer. */
		sa_fail(&t->p->err, SA_ERR_AGAIN, "%.150s: the key is taken, but %d for HEAD",
			t->s3->base.name, a->status);
		s3_put_finish(t, SA_ERR_AGAIN, false);
	} else if (same == S3_SAME) {
		s3_put_stored(t, &raw->headers);
	} else if (same == S3_OTHER) {
		sa_fail(&t->p->err, SA_ERR_EXISTS, "%.150s: the key holds other bytes",
			t->s3->base.name);
		s3_put_finish(t, SA_ERR_EXISTS, false);
	} else {
		s3_put_unseen(t);
	}
}

static void s3_put_done(void *ctx, int rc, struct http_answer *raw, const struct sa_err *why)
{
	struct s3_put *t = ctx;
	struct s3_answer a;

	if (rc != 0) {
		rc = s3_unanswered(t->s3, t->looking ? "HEAD" : "PUT",
				   rc == SA_ERR_TOOBIG ? SA_ERR_AGAIN : rc, why, &t->p->err);
		s3_put_finish(t, rc, raw->sent && !t->looking);
		return;
	}
	s3_answer_read(raw, s3_now(t->s3), t->sent.region, &a);
	if (a.repair == S3_REPAIR_BODY && !(t->repaired & 1u << S3_REPAIR_BODY))
		s3_put_reread(t);
	else if (s3_repair(t->s3, &t->sent, &a, &t->repaired))
		s3_put_send(t);
	else if (t->looking)
		s3_put_looked(t, raw, &a);
	else
		s3_put_answered(t, raw, &a);
}

static int s3_put_check(const struct store_s3 *s3, const struct store_put *p, struct sa_err *err)
{
	if (!store_key_valid(p->key) || strlen(s3->at.prefix) + strlen(p->key) > STORE_MAX_KEY)
		return sa_fail(err, SA_ERR_INVALID, "%.150s: not a valid object key, or too long",
			       s3->base.name);
	if (p->size > S3_MAX_OBJECT)
		return sa_fail(err, SA_ERR_INVALID,
			       "%.150s: an object of more than 5 GiB cannot be put in one piece",
			       s3->base.name);
	return 0;
}

static void s3_put_launch(struct store_s3 *s3, struct store_put *p)
{
	int rc = s3_put_check(s3, p, &p->err);
	struct s3_put *t = rc == 0 ? calloc(1, sizeof(*t)) : NULL;

	if (rc == 0 && !t)
		rc = sa_fail(&p->err, SA_ERR_AGAIN, "%.150s: out of memory", s3->base.name);
	if (rc != 0) {
		s3_put_end(s3, p, rc, false);
		return;
	}
	t->s3 = s3;
	t->p = p;
	t->body = (struct s3_body){p->fd, p->size, NULL, s3->turn, s3->turn_ctx};
	s3->n_sent++;
	rc = s3_put_hash(t, &p->err);
	if (rc == 0)
		s3_put_send(t);
	else
		s3_put_finish(t, rc, false);
}

void s3_put_start(struct store *s, struct store_put *p)
{
	struct store_s3 *s3 = (struct store_s3 *)s;

	if (s3->first)
		s3->last->priv = p;
	else
		s3->first = p;
	s3->last = p;
	s3->n_queued++;
}

static struct store_put *s3_put_take(struct store_s3 *s3)
{
	struct store_put *p = s3->first;

	if (p) {
		s3->first = p->priv;
		p->priv = NULL;
		s3->n_queued--;
	}
	return p;
}

/* What done starts waits for the next run. */
void s3_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n)
{
	struct store_s3 *s3 = (struct store_s3 *)s;
	size_t ended = s3->n_ended;

	for (size_t i = s3->n_queued; i > 0; i--)
		s3_put_launch(s3, s3_put_take(s3));
	http_run(s3->http, s3->n_queued || s3->n_ended != ended ? 0 : timeout_ms, fds, n);
}

size_t s3_in_flight(const struct store *s)
{
	const struct store_s3 *s3 = (const struct store_s3 *)s;

	return s3->n_queued + s3->n_sent;
}

void s3_put_drop(struct store_s3 *s3)
{
	struct store_put *p;

	while ((p = s3_put_take(s3)) != NULL) {
		sa_fail(&p->err, SA_ERR_AGAIN, "%.150s: closed", s3->base.name);
		s3_put_end(s3, p, SA_ERR_AGAIN, false);
	}
}
