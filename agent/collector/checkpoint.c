/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/cleanup.h"

#define SCHEMA "sessaudit.checkpoint/1"

/* The parent, then the processes that channels began with. */
static void write_channels(struct json_writer *j, const struct channels *c)
{
	json_write_karray(j, "channels");
	json_write_int(j, c->parent);
	for (unsigned i = 0; i < CHANNELS_KNOWN && c->pids[i]; i++)
		json_write_int(j, c->pids[i]);
	json_write_array_close(j);
}

static void write_identity(const struct writer *w, const struct session *s)
{
	struct json_writer *j = w->json;

	json_write_kstr(j, "schema", SLICE_LIT(SCHEMA));
	json_write_kstr(j, "session", slice_of(s->sid));
	json_write_kstr(j, "boot_id", slice_of(s->boot_id));
	json_write_kint(j, "ses", s->ses);
	json_write_kint(j, "auid", s->auid);
	json_write_kstr_opt(j, "user", slice_of(s->user));
	json_write_kstr_opt(j, "origin", slice_of(s->origin));
	json_write_kstr_opt(j, "service", slice_of(s->service));
	json_write_kstr_opt(j, "terminal", slice_of(s->terminal));
	json_write_kstr_opt(j, "request", slice_of(s->request));
	json_write_kstr_opt(j, "folder", slice_of(s->folder));
	json_write_kint(j, "start_ms", s->start_ms);
	json_write_kint(j, "leader_pid", s->leader_pid);
	json_write_kbool(j, "tagged", s->tagged);
	if (s->left[0])
		json_write_kstr(j, "left", slice_of(s->left));
	if (s->channels.parent)
		write_channels(j, &s->channels);
	json_write_key(j, "access");
	access_write(j, &s->access);
}

static void write_progress(const struct writer *w, const struct session *s)
{
	const struct session_segment *last = &s->w.sealed;
	struct json_writer *j = w->json;

	json_write_kbool(j, "closed", s->phase == SESSION_CLOSED && !s->w.finishing);
	json_write_kbool(j, "finishing", s->w.finishing);
	json_write_kbool(j, "pointed", s->w.pointed);
	json_write_kint(j, "part", s->part);
	json_write_kint(j, "end_ms", s->end_ms);
	json_write_kstr_opt(j, "end_cause", slice_of(s->end_cause));
	json_write_kint(j, "sealed", s->w.n_sealed);
	json_write_kint(j, "next_seq",
			s->w.n_sealed ? (int64_t)(last->first_seq + last->entries) : 1);
	json_write_kstr(j, "head", slice_of(last->head));
	json_write_kint(j, "text_end", last->text_end);
	json_write_kint(j, "entries", (int64_t)last->counts.entries);
	json_write_kint(j, "execs", (int64_t)last->counts.execs);
	json_write_kint(j, "inputs", (int64_t)last->counts.inputs);
	json_write_kint(j, "gaps", (int64_t)last->counts.gaps);
	json_write_kint(j, "lost", (int64_t)last->counts.lost);
	json_write_kint(j, "redactions", (int64_t)last->counts.redactions);
	json_write_kint(j, "expired_ms", last->counts.expired_ms);
	json_write_kint(j, "revoked_ms", last->counts.revoked_ms);
}

static void start_text(struct writer *w, const struct session *s)
{
	buf_clear(&w->line);
	json_writer_reset(w->json);
	json_write_open(w->json);
	write_identity(w, s);
}

static int end_text(struct writer *w, struct sa_err *err)
{
	json_write_close(w->json);
	if (json_writer_end(w->json) == 0) {
		buf_putc(&w->line, '\n');
		if (!w->line.failed)
			return 0;
	}
	return sa_fail(err, SA_ERR_NOMEM, "writer: checkpoint cannot be written");
}

int checkpoint_write(struct writer *w, struct session *s, struct sa_err *err)
{
	int rc;

	s->w.known |= w->facts.scratch;
	if (w->facts.scratch && !w->facts.boot_id[0]) /* nor can it be recalled */
		return 0;
	start_text(w, s);
	write_progress(w, s);
	rc = end_text(w, err);
	if (rc == 0)
		rc = spool_state_write(w->spool, s->sid, buf_slice(&w->line), err);
	s->w.known |= rc == 0;
	return rc;
}

int checkpoint_identity(struct writer *w, const struct session *s, struct sa_err *err)
{
	start_text(w, s);
	return end_text(w, err);
}

static int64_t int_of(const struct json *j, const char *key)
{
	int64_t v = 0;

	json_int(json_get(j, key), &v);
	return v;
}

/* A folder that nobody can have made would be believed for as long as the session lasts. */
static bool read_folder(struct session *s, const struct json *j)
{
	struct slice folder = json_get_str(j, "folder");
	char key[LAYOUT_KEY_MAX];
	int n;

	if (!folder.ptr) /* of an agent that knew one folder only */
		return true;
	session_set(&s->folder, folder);
	n = snprintf(key, sizeof(key), "%.*s/session=%s/", (int)folder.len, folder.ptr, s->sid);
	return (size_t)n < sizeof(key) && layout_is_session_dir(slice_of(key), slice_of(s->sid));
}

static void read_channels(struct channels *c, const struct json *list)
{
	size_t n = json_len(list);

	json_int(json_at(list, 0), &c->parent);
	for (size_t i = 1; i < n && i <= CHANNELS_KNOWN; i++)
		json_int(json_at(list, i), &c->pids[i - 1]);
	c->next = n > 1 ? (unsigned)((n - 1) % CHANNELS_KNOWN) : 0;
}

static void read_identity(struct session *s, const struct json *j)
{
	struct slice left = json_get_str(j, "left");

	s->auid = (uint32_t)int_of(j, "auid");
	session_set(&s->user, json_get_str(j, "user"));
	session_set(&s->origin, json_get_str(j, "origin"));
	session_set(&s->service, json_get_str(j, "service"));
	session_set(&s->terminal, json_get_str(j, "terminal"));
	session_set(&s->boot_id, json_get_str(j, "boot_id"));
	session_set(&s->request, json_get_str(j, "request"));
	s->start_ms = int_of(j, "start_ms");
	s->leader_pid = int_of(j, "leader_pid");
	s->tagged = json_bool(json_get(j, "tagged"));
	read_channels(&s->channels, json_get(j, "channels"));
	if (layout_is_session_id(left))
		memcpy(s->left, left.ptr, left.len);
}

static void read_progress(struct session *s, const struct json *j)
{
	struct slice head = json_get_str(j, "head");
	struct session_segment *last = &s->w.sealed;

	s->phase = json_bool(json_get(j, "closed")) ? SESSION_CLOSED : SESSION_OPEN;
	s->w.finishing = json_bool(json_get(j, "finishing"));
	s->part = (unsigned)int_of(j, "part");
	s->end_ms = int_of(j, "end_ms");
	s->end_cause = session_end_cause(json_get_str(j, "end_cause"));
	s->w.n_sealed = (uint32_t)int_of(j, "sealed");
	s->w.known = true;
	s->w.listed = s->w.n_sealed > 0;
	s->w.pointed = json_bool(json_get(j, "pointed"));
	s->w.next_seq = (uint64_t)int_of(j, "next_seq");
	last->first_seq = s->w.next_seq;
	if (head.len < sizeof(last->head))
		memcpy(last->head, head.ptr ? head.ptr : "", head.len);
	memcpy(s->w.prev_head, last->head, sizeof(last->head));
	memcpy(s->w.chain.head, last->head, sizeof(last->head));
	last->text_end = int_of(j, "text_end");
	last->counts = (struct session_counts){
		.entries = (uint64_t)int_of(j, "entries"),
		.execs = (uint64_t)int_of(j, "execs"),
		.inputs = (uint64_t)int_of(j, "inputs"),
		.gaps = (uint64_t)int_of(j, "gaps"),
		.lost = (uint64_t)int_of(j, "lost"),
		.redactions = (uint64_t)int_of(j, "redactions"),
		.expired_ms = int_of(j, "expired_ms"),
		.revoked_ms = int_of(j, "revoked_ms"),
	};
	s->w.counts = last->counts;
}

/* A file without a byte is one that the file system lost: as if there were none. */
static int checkpoint_parse(struct writer *w, const char *sid, struct json **out,
			    struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, SPOOL_STATE_MAX_BYTES);
	rc = spool_state_read(w->spool, sid, &text, err);
	if (rc == 0 && text.len == 0)
		rc = sa_fail(err, SA_ERR_NOTFOUND, "empty");
	if (rc == 0)
		rc = json_parse(text.data, text.len, out, err);
	return rc ? sa_wrap(err, rc, "checkpoint %s", sid) : 0;
}

bool checkpoint_closed(struct writer *w, const char *sid)
{
	_cleanup_json_ struct json *j = NULL;

	return checkpoint_parse(w, sid, &j, NULL) == 0 && json_bool(json_get(j, "closed"));
}

int checkpoint_take(struct writer *w, const char *sid, const struct json *j, struct session **out,
		    struct sa_err *err)
{
	struct session *s;
	int rc;

	if (!slice_is(json_get_str(j, "schema"), SCHEMA) ||
	    !slice_is(json_get_str(j, "session"), sid))
		return sa_fail(err, SA_ERR_INVALID, "checkpoint %s: not a %s of this session", sid,
			       SCHEMA);
	s = session_add(w->sessions, (uint32_t)int_of(j, "ses"), sid);
	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "checkpoint %s: too many sessions", sid);
	read_identity(s, j);
	rc = access_read(json_get(j, "access"), &s->access, err);
	if (rc == 0 && !read_folder(s, j))
		rc = sa_fail(err, SA_ERR_INVALID, "no such folder");
	if (rc) {
		session_remove(w->sessions, s);
		return sa_wrap(err, rc, "checkpoint %s", sid);
	}
	s->past = !slice_eq(slice_of(s->boot_id), slice_of(w->facts.boot_id));
	*out = s;
	return 0;
}

int checkpoint_read(struct writer *w, const char *sid, struct session **out, struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;
	int rc = checkpoint_parse(w, sid, &j, err);

	if (rc == 0)
		rc = checkpoint_take(w, sid, j, out, err);
	if (rc == 0)
		read_progress(*out, j);
	return rc;
}
