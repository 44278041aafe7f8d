/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* Reads back the segment files that are not sealed: their lines are chained, counted and rendered
 * once more, as if they had just been written. */
#include <stdlib.h>

#include "agent/collector/writer_internal.h"
#include "common/log.h"

struct replayed { /* what the lines of one segment file told */
	struct session_segment seg;
	bool footed;
	size_t good;     /* bytes up to the last whole line */
	int64_t missing; /* entries before it; -1: some, it is not known how many */
};

static bool is_footer(struct slice line)
{
	_cleanup_json_ struct json *j = NULL;

	return json_parse(line.ptr, line.len, &j, NULL) == 0 &&
	       slice_is(json_get_str(j, "type"), "segment_footer");
}

/* A header that does not go on where the file before ended: that one is damaged or gone. */
static bool take_header(struct session *s, struct slice line, struct replayed *r)
{
	_cleanup_json_ struct json *j = NULL;

	if (json_parse(line.ptr, line.len, &j, NULL) ||
	    !slice_is(json_get_str(j, "type"), "segment_header"))
		return false;
	r->missing = rebuild_adopt(s, j);
	r->seg.first_seq = s->w.next_seq;
	return true;
}

/* What was known of the session beside its entries. */
static void replay_facts(struct session *s, const struct entry *e)
{
	if (e->type == ENTRY_EXEC && e->outcome == ENTRY_SUCCESS)
		channels_note(&s->channels, e->pid, e->ppid, e->uid == s->auid);
	if (e->type == ENTRY_PRIVILEGE && layout_is_session_id(e->linked))
		memcpy(s->left, e->linked.ptr, e->linked.len);
}

/* One entry line that was written before: counted and rendered again. */
static void replay_entry(struct writer *w, struct session *s, struct slice line, struct replayed *r)
{
	struct entry_read read;

	r->seg.entries++;
	s->w.next_seq++;
	if (entry_parse(line, &read, NULL))
		return;
	writer_count(&s->w.counts, &read.e);
	writer_text(w, s, &read.e);
	if (read.e.type == ENTRY_SESSION_START && !s->leader_pid)
		s->leader_pid = read.e.pid;                           /* no checkpoint said it */
	if (read.e.type == ENTRY_ACCESS && session_takes_access(s)) { /* after the checkpoint */
		access_free(&s->access);
		access_copy(&s->access, read.e.access);
		s->w.pointed &= !s->tagged; /* it may be of another request */
		s->tagged = true;
	}
	replay_facts(s, &read.e);
	if (read.e.type == ENTRY_SESSION_END) {
		s->w.finishing = true;
		s->end_ms = read.e.time_ms;
		s->end_cause = session_end_cause(read.e.cause);
	}
	entry_read_free(&read);
}

static void replay_lines(struct writer *w, struct session *s, struct slice text, struct replayed *r)
{
	const char *p = text.ptr, *end = p + text.len, *eol;

	while (p < end && !r->footed && (eol = memchr(p, '\n', (size_t)(end - p)))) {
		struct slice line = {p, (size_t)(eol - p)};

		if (r->good == 0 && !take_header(s, line, r))
			return;
		if (r->good > 0 && is_footer(line))
			r->footed = true;
		else if (r->good > 0)
			replay_entry(w, s, line, r);
		chain_add(&s->w.chain, w->digest, line);
		p = eol + 1;
		r->good = (size_t)(p - text.ptr);
	}
}

static void keep_cut(struct session *s, struct replayed *r)
{
	struct session_segment *list =
		realloc(s->w.unsealed, (s->w.n_unsealed + 1) * sizeof(*list));

	if (!list)
		return;
	r->seg.text_end = s->w.text_size + (off_t)s->w.text.len;
	r->seg.counts = s->w.counts;
	r->seg.again = s->w.n_unsealed == 0; /* the others come after its checkpoint */
	memcpy(r->seg.head, s->w.chain.head, sizeof(r->seg.head));
	memcpy(s->w.prev_head, s->w.chain.head, sizeof(r->seg.head));
	s->w.unsealed = list;
	list[s->w.n_unsealed++] = r->seg;
}

/* Nothing of the file in w->object can be used. When there is no whole line in it and no file after
 * it, a power cut took its first bytes, and its number is used again. */
static void give_up(struct writer *w, const struct session *s, const char *name, bool last,
		    struct replayed *r, const char *why)
{
	size_t len = w->object.len;

	if (!why && last && !memchr(buf_cstr(&w->object), '\n', len)) {
		if (len)
			log_warn("event=torn_line session=%s file=%s bytes=%zu", s->sid, name, len);
		spool_remove(w->spool, name);
		return;
	}
	log_err("event=spool_damaged session=%s file=%s bytes=%zu reason=\"%s\" action=\"kept as "
		"%s.damaged; a gap entry says so\"",
		s->sid, name, len, why ? why : "no segment header in it", name);
	spool_set_aside(w->spool, name);
	if (last)
		r->missing = -1; /* else the header after it says how many */
}

/* Others follow, so it had a footer once: what is left of it is closed as it is. */
static void close_torn(struct writer *w, struct session *s, const char *name)
{
	if (writer_cut(w, s))
		return;
	s->w.open = (struct session_segment){0};
	spool_set_aside(w->spool, name);
}

/* A torn last line is cut off; it never was part of the chain that anyone saw. */
static int recover_segment(struct writer *w, struct session *s, bool last, struct replayed *r)
{
	char name[WRITER_NAME_SIZE];
	struct sa_err err = {0};
	int rc;

	writer_segment_file(s, r->seg.number, name);
	buf_clear(&w->object);
	rc = spool_read(w->spool, name, &w->object, &err);
	if (rc == 0)
		replay_lines(w, s, buf_slice(&w->object), r);
	if (r->good == 0) {
		give_up(w, s, name, last, r, rc ? err.msg : NULL);
		return 0;
	}
	if (r->good < w->object.len) {
		log_warn("event=torn_line session=%s file=%s bytes=%zu", s->sid, name,
			 w->object.len - r->good);
		if ((rc = spool_truncate(w->spool, name, (off_t)r->good, &err))) {
			log_err("event=recover session=%s reason=\"%s\"", s->sid, err.msg);
			return rc;
		}
	}
	r->seg.size = (off_t)r->good;
	if (r->footed) {
		keep_cut(s, r);
		return 0;
	}
	s->w.open = r->seg;
	if (!last)
		close_torn(w, s, name);
	return 0;
}

int64_t recover_segments(struct writer *w, const struct rebuild_files *f, struct session *s)
{
	uint32_t number = s->w.n_sealed, after;
	int64_t missing = 0;

	for (; rebuild_next(f, s->sid, number, &number); number++) {
		struct replayed r = {.seg = {.number = number, .first_seq = s->w.next_seq}};
		bool last = !rebuild_next(f, s->sid, number + 1, &after);

		if (recover_segment(w, s, last, &r))
			break;
		if (r.missing)
			missing = r.missing > 0 && missing >= 0 ? missing + r.missing : -1;
	}
	return missing;
}
