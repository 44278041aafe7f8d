/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/unit/entry_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/transcript/entry.h"
#include "tests/unit/tap.h"

void feed_open(struct feed *f, const struct settings *set, struct self_facts *self)
{
	struct pipeline_facts facts = {.host = "h1",
				       .machine_id = "m",
				       .boot_id = "b",
				       .capture = "replay",
				       .settings = set,
				       .self = self};

	*f = (struct feed){.serial = 10};
	check_open(&f->c);
	facts.spool_dir = f->c.spool;
	if (pipeline_open(&f->p, &facts, NULL))
		abort();
}

void feed_close(struct feed *f)
{
	bool ok;

	transcript_end_all(f->p.transcript, "end_of_recording", T0);
	check_ship(&f->c);
	ok = check_store(&f->c);
	tap_ok(ok, "the store: %s", f->c.why);
	pipeline_close(&f->p);
	check_close(&f->c);
}

static void feed_at(struct feed *f, const char *line)
{
	const char *at = strchr(line, '@');
	struct record rec;
	char text[4096];

	if (!at)
		abort();
	snprintf(text, sizeof(text), "%.*saudit(1795222800.000:%d):%s", (int)(at - line), line,
		 f->serial, at + 1);
	if (record_parse_line(slice_of(text), &rec))
		tap_ok(false, "bad line: %s", text);
	else
		pipeline_record(&f->p, &rec);
}

void feed_line(struct feed *f, const char *line)
{
	feed_at(f, line);
	f->serial++;
}

void feed_login(struct feed *f, unsigned ses)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "type=LOGIN msg=@ pid=%u uid=0 old-auid=4294967295 auid=1001 tty=(none) "
		 "old-ses=4294967295 ses=%u res=1",
		 50 + ses, ses);
	feed_line(f, text);
	snprintf(text, sizeof(text),
		 "type=USER_START msg=@ pid=%u uid=0 auid=1001 ses=%u msg='op=PAM:session_open "
		 "acct=\"al\" exe=\"/usr/sbin/sshd\" hostname=10.0.0.9 addr=10.0.0.9 "
		 "terminal=ssh res=success'",
		 50 + ses, ses);
	feed_line(f, text);
}

void feed_call(struct feed *f, unsigned ses, const char *call, const char *const *more)
{
	const char *ids = strstr(call, " uid=");
	char text[4096];

	snprintf(text, sizeof(text),
		 "type=SYSCALL msg=@ arch=%s%s ppid=60 pid=70 auid=1001%s tty=pts0 ses=%u "
		 "comm=\"x\" exe=\"/bin/x\" %s",
		 strncmp(call, "arch=", 5) == 0 ? "" : "c000003e ",
		 strncmp(call, "arch=", 5) == 0 ? call + 5 : call,
		 ids ? "" : " uid=1001 gid=1001 euid=1001 suid=1001 egid=1001", ses,
		 strstr(call, " key=") ? "" : "key=\"k\"");
	feed_at(f, text);
	for (; more && *more; more++) {
		const char *end = strchr(*more, ' ');

		snprintf(text, sizeof(text), "type=%.*s msg=@%s", (int)(end - *more), *more, end);
		feed_at(f, text);
	}
	feed_at(f, "type=PROCTITLE msg=@ proctitle=\"x\"");
	f->serial++;
}

static void add(struct buf *out, const char *name, struct slice text)
{
	if (!text.ptr)
		return;
	buf_printf(out, " %s=", name);
	buf_put(out, text);
}

static void add_id(struct buf *out, const char *name, uint32_t id, uint32_t common)
{
	if (id == common)
		return;
	if (id == ENTRY_ID_UNSET)
		buf_printf(out, " %s=unset", name);
	else
		buf_printf(out, " %s=%" PRIu32, name, id);
}

/* What is as in any other entry is left out. */
static void describe(const struct entry *e, struct buf *out)
{
	buf_puts(out, entry_type_name(e->type));
	if (e->action.ptr) {
		buf_putc(out, ' ');
		buf_put(out, e->action);
	}
	buf_printf(out, " %s ", entry_outcome_name(e->outcome));
	if (e->object.ptr)
		buf_put(out, e->object);
	else
		buf_puts(out, "null");
	if (!e->path.ptr || !slice_eq(e->path, e->object))
		add(out, "path", e->path);
	if (e->type == ENTRY_FILE && !e->path.ptr)
		buf_puts(out, " nopath");
	add(out, "to", e->target_path);
	add(out, "flags", e->flags);
	add(out, "mode", e->mode);
	add(out, "error", e->error);
	if (!slice_is(e->user, "al"))
		add(out, "user", e->user.ptr ? e->user : SLICE_LIT("null"));
	add(out, "for", e->target);
	add(out, "service", e->service);
	add(out, "command", e->command);
	add(out, "old", e->old_value);
	add(out, "new", e->new_value);
	add(out, "cause", e->cause);
	add_id(out, "auid", e->auid, 1001);
	if (e->linked.ptr)
		buf_puts(out, " linked");
	if (e->redacted)
		buf_printf(out, " redacted=%" PRIu64, e->redacted);
}

/* Of the session's open segment: the entries from the one after *seen on, described. */
static void load(struct feed *f, unsigned ses, size_t *seen, struct buf *out)
{
	const struct session *s = session_find(f->p.sessions, ses);
	_cleanup_buf_ struct buf lines = {0};
	struct slice rest;
	char name[64];

	buf_init(&lines, 4 << 20);
	writer_flush(f->p.writer);
	snprintf(name, sizeof(name), "%s.000000.jsonl", s ? s->sid : "");
	if (spool_read(f->p.spool, name, &lines, NULL))
		tap_ok(false, "%s cannot be read", name);
	rest = buf_slice(&lines);
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');
		struct entry_read r;

		if (entry_parse(line, &r, NULL)) /* the header */
			continue;
		if (r.e.seq > *seen) {
			*seen = r.e.seq;
			describe(&r.e, out);
			buf_putc(out, '\n');
		}
		entry_read_free(&r);
	}
}

void feed_expect(struct feed *f, unsigned ses, size_t *seen, const char *const *want,
		 const char *name)
{
	_cleanup_buf_ struct buf got = {0};
	struct slice rest;

	buf_init(&got, 4 << 20);
	load(f, ses, seen, &got);
	rest = buf_slice(&got);
	for (; *want; want++)
		tap_bytes(slice_cut(&rest, '\n'), slice_of(*want), "%s", name);
	tap_bytes(rest, (struct slice){"", 0}, "%s: no more", name);
}
