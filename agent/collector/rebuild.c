/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * A session whose checkpoint is gone (a file system that came back from a power cut with an
 * empty file, say) is put together from what lies in open/: the rows of what is sealed say it
 * exactly; else the header of the first segment that is not sealed says who it is.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/cleanup.h"

#define NAMES_MAX_BYTES (64 * 1024 * 1024)
#define SID_LEN (LAYOUT_SID_SIZE - 1)

static int collect(void *ctx, const char *name)
{
	struct rebuild_files *f = ctx;

	buf_append(&f->text, name, strlen(name) + 1);
	f->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int rebuild_files_read(struct writer *w, struct rebuild_files *out, struct sa_err *err)
{
	struct rebuild_files *f = out;
	int rc;

	*f = (struct rebuild_files){.n = 0};
	buf_init(&f->text, NAMES_MAX_BYTES);
	rc = spool_each(w->spool, collect, f, err);
	if (rc == 0)
		f->names = calloc(f->n + 1, sizeof(*f->names));
	if (rc == 0 && (!f->names || f->text.failed))
		rc = sa_fail(err, SA_ERR_NOMEM, "writer: too many files in open/");
	for (size_t i = 0, at = 0; rc == 0 && i < f->n; at += strlen(f->names[i++]) + 1)
		f->names[i] = f->text.data + at;
	if (rc == 0)
		qsort(f->names, f->n, sizeof(*f->names), by_name);
	else
		rebuild_files_free(f);
	return rc;
}

void rebuild_files_free(struct rebuild_files *f)
{
	free(f->names);
	buf_free(&f->text);
	*f = (struct rebuild_files){.n = 0};
}

/* The first name that is not before key. */
static size_t lower_bound(const struct rebuild_files *f, const char *key)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(f->names[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* "<sid>.<number>.jsonl" */
static bool parse_name(const char *name, uint32_t *number)
{
	const char *digits = name + SID_LEN + 1;
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return false;
	n = strtoull(digits, &end, 10);
	*number = (uint32_t)n;
	return n < UINT32_MAX && strcmp(end, ".jsonl") == 0;
}

bool rebuild_next(const struct rebuild_files *f, const char *sid, uint32_t from, uint32_t *number)
{
	bool found = false;
	uint32_t n;

	for (size_t i = lower_bound(f, sid); i < f->n && !strncmp(f->names[i], sid, SID_LEN); i++)
		if (f->names[i][SID_LEN] == '.' && parse_name(f->names[i], &n) && n >= from &&
		    (!found || n < *number)) {
			*number = n;
			found = true;
		}
	return found;
}

int64_t rebuild_adopt(struct session *s, const struct json *header)
{
	struct slice head = json_get_str(header, "prev_head");
	int64_t first = 0, missing;

	json_int(json_get(header, "first_seq"), &first);
	missing = first - (int64_t)s->w.next_seq;
	if (first < 1 || head.len >= sizeof(s->w.prev_head) || !head.ptr ||
	    (missing == 0 && slice_is(head, s->w.prev_head)))
		return 0;
	s->w.next_seq = (uint64_t)first;
	s->w.counts.entries = (uint64_t)first - 1;
	memcpy(s->w.prev_head, head.ptr, head.len);
	s->w.prev_head[head.len] = '\0';
	memcpy(s->w.chain.head, s->w.prev_head, sizeof(s->w.chain.head));
	if (s->w.n_unsealed == 0) { /* as the next checkpoint will say it */
		s->w.sealed = (struct session_segment){
			.first_seq = s->w.next_seq,
			.text_end = s->w.sealed.text_end,
			.counts = s->w.counts,
		};
		memcpy(s->w.sealed.head, s->w.prev_head, sizeof(s->w.sealed.head));
	}
	return missing > 0 ? missing : -1;
}

/* Says the header's session, as far as headers say it. */
static int take_header(struct writer *w, const struct json *header, const char *sid,
		       struct session **out, struct sa_err *err)
{
	_cleanup_access_ struct access access = {0};
	struct segment_session facts;
	struct session *s;
	int rc = segment_session_read(header, &facts, &access, err);

	if (rc == 0 && strcmp(facts.sid, sid) != 0)
		rc = sa_fail(err, SA_ERR_INVALID, "a header of session %s", facts.sid);
	if (rc)
		return rc;
	s = session_add(w->sessions, facts.ses, sid);
	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "too many sessions");
	s->auid = facts.auid;
	session_set(&s->user, facts.user);
	session_set(&s->origin, facts.origin);
	session_set(&s->service, facts.service);
	session_set(&s->terminal, facts.terminal);
	session_set(&s->boot_id, facts.boot_id);
	s->start_ms = facts.start_ms;
	if (access.request_id || access.n_candidates)
		session_set(&s->request,
			    slice_of(access.request_id ? access.request_id : access.candidates[0]));
	s->tagged = access.status != ACCESS_UNAPPROVED;
	access_copy(&s->access, &access);
	s->past = !slice_eq(slice_of(s->boot_id), slice_of(w->facts.boot_id));
	writer_choose_folder(w, s);
	*out = s;
	return 0;
}

static int from_header(struct writer *w, const struct rebuild_files *f, const char *sid,
		       struct session **out, struct sa_err *err)
{
	char name[WRITER_NAME_SIZE];
	uint32_t number = 0;

	for (; rebuild_next(f, sid, number, &number); number++) {
		_cleanup_json_ struct json *header = NULL;
		const char *eol;

		snprintf(name, sizeof(name), "%s.%06u.jsonl", sid, number);
		buf_clear(&w->object);
		if (spool_read(w->spool, name, &w->object, NULL) || w->object.len == 0)
			continue;
		eol = memchr(w->object.data, '\n', w->object.len);
		if (!eol ||
		    json_parse(w->object.data, (size_t)(eol - w->object.data), &header, NULL) ||
		    take_header(w, header, sid, out, err))
			continue;
		(*out)->w.n_sealed = number;
		(*out)->part = number > 0 ? 2 : 1; /* rows are gone once a part has ended */
		rebuild_adopt(*out, header);
		return 0;
	}
	return sa_fail(err, SA_ERR_NOTFOUND, "nothing is left that says who session %s is", sid);
}

/* What is sealed, as the checkpoint would say it. */
static void take_row(struct session *s, const struct row *r)
{
	struct session_segment *last = &s->w.sealed;

	s->part = r->part;
	s->w.n_sealed = r->seg.number + 1;
	s->w.next_seq = r->seg.first_seq + r->seg.entries;
	*last = (struct session_segment){
		.number = r->seg.number,
		.first_seq = r->seg.first_seq,
		.entries = r->seg.entries,
		.text_end = (off_t)r->text_end,
		.counts = r->counts,
	};
	last->counts.entries = s->w.next_seq - 1;
	memcpy(last->head, r->head, sizeof(last->head));
	memcpy(s->w.prev_head, r->head, sizeof(r->head));
	memcpy(s->w.chain.head, r->head, sizeof(r->head));
	s->w.counts = last->counts;
}

int rebuild_session(struct writer *w, const struct rebuild_files *f, const char *sid,
		    struct session **out, struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;
	struct slice identity;
	struct row last;
	bool rows = rows_last(w, sid, &identity, &last);
	int rc = SA_ERR_NOTFOUND;

	if (identity.ptr && json_parse(identity.ptr, identity.len, &j, err) == 0)
		rc = checkpoint_take(w, sid, j, out, err);
	if (rc)
		rc = from_header(w, f, sid, out, err);
	if (rc)
		return rc;
	if (rows)
		take_row(*out, &last);
	(*out)->phase = SESSION_OPEN;
	(*out)->w.listed = (*out)->w.n_sealed > 0;
	return 0;
}
