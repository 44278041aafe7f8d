/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/store.h"
#include "common/transcript/entry.h"
#include "common/transcript/index.h"

/*
 * mkstore WHERE [NUMBER]: lays out a store (a directory, or s3://bucket at
 * AWS_ENDPOINT_URL) for the tests of the command line, with the project's own
 * writers. Each session stands for one thing that `list` and `show` must get right;
 * their names are their ses numbers below. Prints "name sid dir" for each. NUMBER:
 * so many more index objects of other sessions.
 */

#define MAX_LINES 64

#define MAX_ARGS 8

struct lines { /* of one segment */
	struct entry e[MAX_LINES];
	struct slice argv[MAX_LINES][MAX_ARGS];
	size_t n;
};

struct session {
	struct segment_session facts;
	struct chain chain;
	struct lines now;
	uint64_t seq, entries;
	uint32_t segment;
	struct manifest_segment segments[MAX_LINES];
	struct session_totals totals;
	char head[DIGEST_HEX_SIZE];
};

static struct store *store;
static struct digest *digest;

static void die(const char *what)
{
	fprintf(stderr, "mkstore: %s\n", what);
	exit(1);
}

static void put(const char *key, struct slice text)
{
	char path[] = "/tmp/mkstore.XXXXXX";
	int fd = mkstemp(path);
	struct sa_err err;

	if (fd < 0 || unlink(path) != 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len)
		die("temporary file");
	if (store_put_once(store, key, fd, text.len, &err) != 0)
		die(err.msg);
	close(fd);
}

static void put_named(struct session *s, void (*name)(struct buf *, uint32_t), uint32_t n,
		      struct slice text)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, STORE_MAX_KEY);
	segment_session_dir(&key, &s->facts);
	name(&key, n);
	put(buf_cstr(&key), text);
}

static void manifest_name(struct buf *out, uint32_t part)
{
	layout_manifest_name(out, part);
}

static int64_t at(const char *time)
{
	char text[64];
	int64_t ms;

	snprintf(text, sizeof(text), "2026-11-21T%sZ", time);
	if (clock_parse_utc(slice_of(text), &ms) != 0)
		die(time);
	return ms;
}

static void start(struct session *s, uint32_t ses, const char *time, const char *user,
		  const char *from, const struct access *access)
{
	memset(s, 0, sizeof(*s));
	s->facts = (struct segment_session){
		.host = SLICE_LIT("prod-db-1"),
		.machine_id = SLICE_LIT("0123456789abcdef0123456789abcdef"),
		.boot_id = SLICE_LIT("11111111-2222-3333-4444-555555555555"),
		.ses = ses,
		.auid = 1001,
		.user = slice_of(user),
		.origin = slice_of(from),
		.service = SLICE_LIT("sshd"),
		.terminal = SLICE_LIT("ssh"),
		.start_ms = at(time),
		.access = access,
		.capture = SLICE_LIT("replay"),
	};
	layout_session_id(s->facts.machine_id, s->facts.boot_id, ses, s->facts.sid);
}

static struct entry *add(struct session *s, enum entry_type type, const char *time)
{
	struct entry *e = &s->now.e[s->now.n++];

	if (s->now.n > MAX_LINES)
		die("too many lines");
	*e = (struct entry){
		.seq = ++s->seq,
		.time_ms = at(time),
		.type = type,
		.outcome = ENTRY_SUCCESS,
		.user = s->facts.user,
		.origin = s->facts.origin,
		.uid = 1001,
		.euid = 1001,
		.auid = 1001,
		.tty = SLICE_LIT("pts/0"),
	};
	s->totals.execs += type == ENTRY_EXEC;
	s->totals.inputs += type == ENTRY_INPUT;
	s->totals.gaps += type == ENTRY_GAP;
	return e;
}

/* argv by blanks. */
static struct entry *run(struct session *s, const char *time, int64_t pid, const char *exe,
			 const char *command)
{
	struct entry *e = add(s, ENTRY_EXEC, time);
	struct slice *argv = s->now.argv[s->now.n - 1];
	size_t n = 0;

	for (const char *p = command; *p && n < MAX_ARGS; p += *p == ' ') {
		argv[n] = (struct slice){p, strcspn(p, " ")};
		p += argv[n++].len;
	}
	e->pid = pid;
	e->ppid = 100;
	e->exe = slice_of(exe);
	e->object = e->exe;
	e->argv = argv;
	e->argc = e->argc_total = n;
	e->cwd = SLICE_LIT("/home/dba");
	return e;
}

static struct entry *type(struct session *s, const char *time, int64_t pid, const char *comm,
			  const char *text, const char *from, const char *to)
{
	struct entry *e = add(s, ENTRY_INPUT, time);

	e->pid = pid;
	e->comm = slice_of(comm);
	e->text = slice_of(text);
	e->start_ms = at(from);
	e->end_ms = at(to);
	return e;
}

static void write_lines(struct session *s, struct buf *text)
{
	_cleanup_buf_ struct buf line = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;
	char prev[DIGEST_HEX_SIZE];
	struct segment_mark m = {s->segment, s->now.e[0].seq, prev};

	memcpy(prev, s->chain.head, sizeof(prev));
	buf_init(&line, SEGMENT_MAX_BYTES);
	w = json_writer_new(&line);
	for (size_t i = 0; w && i < s->now.n + 2; i++) {
		buf_clear(&line);
		json_writer_reset(w);
		if (i == 0)
			segment_write_header(w, &s->facts, &m);
		else if (i <= s->now.n)
			entry_write(w, &s->now.e[i - 1]);
		else
			segment_write_footer(w, &m, s->now.n, s->seq, s->chain.head);
		if (json_writer_end(w) != 0)
			die("entry");
		chain_add(&s->chain, digest, buf_slice(&line));
		buf_put(text, buf_slice(&line));
		buf_putc(text, '\n');
	}
}

static void cut(struct session *s)
{
	_cleanup_buf_ struct buf text = {0}, packed = {0};
	struct manifest_segment *m = &s->segments[s->segment];

	buf_init(&text, SEGMENT_MAX_BYTES);
	buf_init(&packed, SEGMENT_MAX_BYTES);
	write_lines(s, &text);
	if (segment_compress(buf_slice(&text), &packed, NULL) != 0)
		die("gzip");
	put_named(s, layout_segment_name, s->segment, buf_slice(&packed));
	*m = (struct manifest_segment){s->segment, s->now.e[0].seq, s->now.n, packed.len, ""};
	digest_hex(buf_slice(&packed), m->sha256);
	s->segment++;
	s->now.n = 0;
}

static void put_json(const char *key, struct session *s,
		     void (*write_it)(struct json_writer *, const struct segment_session *,
				      const struct session_totals *))
{
	_cleanup_buf_ struct buf text = {0}, name = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&text, SEGMENT_MAX_BYTES);
	buf_init(&name, STORE_MAX_KEY);
	w = json_writer_new(&text);
	if (write_it)
		write_it(w, &s->facts, &s->totals);
	else
		index_write_start(w, &s->facts);
	if (json_writer_end(w) != 0)
		die("object");
	if (key)
		put(key, buf_slice(&text));
	else
		put_named(s, manifest_name, s->totals.part, buf_slice(&text));
}

static void begin(struct session *s, const char *name)
{
	_cleanup_buf_ struct buf key = {0};

	buf_init(&key, STORE_MAX_KEY);
	layout_index_start(&key, s->facts.start_ms, s->facts.host, s->facts.sid);
	put_json(buf_cstr(&key), s, NULL);
	buf_clear(&key);
	segment_session_dir(&key, &s->facts);
	printf("%s %s %s\n", name, s->facts.sid, buf_cstr(&key));
}

static void finish(struct session *s, const char *time, unsigned part)
{
	_cleanup_buf_ struct buf key = {0};

	cut(s);
	s->totals.end_ms = at(time);
	s->totals.end_cause = SLICE_LIT("logout");
	s->totals.part = part;
	s->totals.entries = s->seq;
	s->totals.head = s->chain.head;
	s->totals.segments = s->segments;
	s->totals.n_segments = s->segment;
	put_json(NULL, s, manifest_write);
	buf_init(&key, STORE_MAX_KEY);
	layout_index_end(&key, s->facts.start_ms, s->facts.host, s->facts.sid, part);
	put_json(buf_cstr(&key), s, index_write_end);
}

static struct access_approval approvals[] = {
	{(char[]){"bob@example.com"}, (char[]){"user"}, (char[]){"approved"},
	 (char[]){"2026-11-21T01:00:00Z"}},
	{(char[]){"carol@example.com"}, (char[]){"user"}, (char[]){"approved"},
	 (char[]){"2026-11-21T01:00:30Z"}},
};
static const struct access approved = {
	.status = ACCESS_APPROVED,
	.source = ACCESS_SOURCE_USER,
	.request_id = (char[]){"REQ-1042"},
	.requester = (char[]){"alice@example.com"},
	.flow = (char[]){"prod-ssh"},
	.justification = (char[]){"INC-77: disk full"},
	.ticket = (char[]){"INC-77"},
	.not_before = (char[]){"2026-11-21T01:00:00Z"},
	.expires_at = (char[]){"2026-11-21T05:00:00Z"},
	.approvals = approvals,
	.n_approvals = 2,
};

/* A whole session in three segments: typed lines with what they ran, root, a failure, a gap, a
 * program that reads lines, something after the end. */
static void make_full(void)
{
	static struct session s;
	struct entry *e;

	start(&s, 7, "01:02:03", "dba", "10.0.0.9", &approved);
	begin(&s, "full");
	e = add(&s, ENTRY_SESSION_START, "01:02:03.100");
	e->service = SLICE_LIT("sshd");
	e = add(&s, ENTRY_ACCESS, "01:02:03.150");
	e->access = &approved;
	run(&s, "01:02:03.500", 4000, "/usr/bin/bash", "-bash");
	run(&s, "01:02:20", 4001, "/usr/bin/ls", "ls -l");
	run(&s, "01:02:20.010", 4002, "/usr/bin/wc", "wc -l");
	cut(&s);
	e = run(&s, "01:03:10", 4003, "/usr/bin/sudo", "sudo systemctl stop postgresql");
	e->euid = 0;
	e->cwd = SLICE_LIT("/var/lib/postgresql");
	e = run(&s, "01:03:11", 4004, "/usr/bin/systemctl", "systemctl stop postgresql");
	e->euid = e->uid = 0;
	e->cwd = SLICE_LIT("/var/lib/postgresql");
	e = run(&s, "01:04:00", 4005, "/usr/bin/bash", "./cleanup --force");
	e->outcome = ENTRY_FAILURE;
	e->error = SLICE_LIT("ENOENT");
	e->cwd = SLICE_LIT("/var/lib/postgresql");
	e = run(&s, "01:05:00", 4006, "/usr/bin/cat", "cat");
	e->cwd = SLICE_LIT("/var/lib/postgresql");
	type(&s, "01:05:04", 4006, "cat", "hello", "01:05:01", "01:05:04");
	e = add(&s, ENTRY_GAP, "01:06:12");
	e->start_ms = at("01:06:00");
	e->end_ms = at("01:06:12");
	e->count = 40;
	e->cause = SLICE_LIT("agent_restart");
	s.totals.lost = 40;
	cut(&s);
	e = type(&s, "01:12:44", 4000, "bash", "ls -l | wc -l", "01:02:04", "01:12:43");
	e->ran[0] = 4;
	e->ran[1] = 5;
	e->n_ran = 2;
	type(&s, "01:12:44", 4000, "bash", "cd /var/lib/postgresql", "01:02:04", "01:12:43");
	e = type(&s, "01:12:44", 4000, "bash", "sudo systemctl stop postgresql", "01:02:04",
		 "01:12:43");
	e->ran[0] = 6;
	e->n_ran = 1;
	e = add(&s, ENTRY_SESSION_END, "01:12:44");
	e->cause = SLICE_LIT("logout");
	finish(&s, "01:12:44", 1);
	e = run(&s, "01:20:00", 4100, "/usr/bin/sleep", "sleep 600");
	e->after_logout = true;
	finish(&s, "01:21:00", 2);
}

/* Bytes that would do something to a terminal, and a very long argument. */
static void make_hostile(void)
{
	static const struct access none;
	static char big[100 * 1024];
	static struct session s;
	static const struct slice argv[] = {
		SLICE_LIT("printf"),
		SLICE_LIT("\033[2J\033]0;owned\007"),
		SLICE_LIT("\xc2\x9b"
			  "31m"),
		SLICE_LIT("\xe2\x80\xae"
			  "gpj.exe"),
		SLICE_LIT("two\nlines"),
		SLICE_LIT("\xff\xfe"),
		SLICE_LIT("it's"),
		{big, sizeof(big)},
	};
	struct entry *e;

	memset(big, 'x', sizeof(big));
	start(&s, 8, "02:00:00", "ev\033[31mil", "192.0.2.1", &none);
	begin(&s, "hostile");
	e = run(&s, "02:00:01", 5000, "/usr/bin/printf", "");
	e->argv = argv;
	e->argc = e->argc_total = sizeof(argv) / sizeof(argv[0]);
	e->cwd = SLICE_LIT("/tmp/\033[1m\n\xe2\x80\xae");
	type(&s, "02:00:09", 5000, "\033c", "\033[A\x7f rm -rf /\r\n", "02:00:02", "02:00:09");
	e = add(&s, ENTRY_GAP, "02:00:10");
	e->cause = SLICE_LIT("\033[8mhidden");
	e = add(&s, ENTRY_CONFLICT, "02:00:11");
	e->cause = SLICE_LIT("second_tag\033[8m");
	e->access = &approved;
	finish(&s, "02:01:00", 1);
}

/* Tells request id where the session is. */
static void point(const struct session *s, const char *id)
{
	_cleanup_buf_ struct buf key = {0}, dir = {0}, text = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&key, STORE_MAX_KEY);
	buf_init(&dir, STORE_MAX_KEY);
	buf_init(&text, STORE_MAX_KEY * 2);
	layout_pointer(&key, slice_of(id), s->facts.sid);
	segment_session_dir(&dir, &s->facts);
	w = json_writer_new(&text);
	index_write_pointer(w, s->facts.sid, slice_of(id), buf_slice(&dir));
	if (json_writer_end(w) != 0)
		die("pointer");
	put(buf_cstr(&key), buf_slice(&text));
}

/* A session whose folder is named after something else than its request. */
static void make_elsewhere(void)
{
	static char id[] = "REQ/50";
	static const struct access a = {.status = ACCESS_APPROVED, .request_id = id}, none;
	static struct session s;

	start(&s, 40, "03:40:00", "oper", "10.0.0.10", &a);
	s.facts.prefix = "hosts/{host}/{year}";
	begin(&s, "elsewhere");
	point(&s, id);
	run(&s, "03:40:01", 6000, "/usr/bin/id", "id");
	finish(&s, "04:00:00", 1);
	/* the tag came late: the folder has no request's name, the index neither */
	start(&s, 41, "03:41:00", "oper", "10.0.0.10", &none);
	begin(&s, "late");
	point(&s, id);
	run(&s, "03:41:01", 6000, "/usr/bin/id", "id");
	cut(&s);
}

/* Index objects of sessions that nobody asks for. */
static void make_many(unsigned n)
{
	static const struct access a = {.status = ACCESS_UNAPPROVED};
	static struct session s;

	for (unsigned i = 0; i < n; i++) {
		_cleanup_buf_ struct buf key = {0};

		start(&s, 1000 + i, "05:00:00", "crowd", "10.0.0.11", &a);
		s.facts.start_ms -= (int64_t)(i % 60 + 1) * 86400000;
		buf_init(&key, STORE_MAX_KEY);
		layout_index_start(&key, s.facts.start_ms, s.facts.host, s.facts.sid);
		put_json(buf_cstr(&key), &s, NULL);
	}
}

/* What else is known of a login with that status. */
static void fill(struct access *a)
{
	static char fp[] = "SHA256:AAAAuser", ca[] = "SHA256:AAAAca", key_id[] = "REQ-1043/\033[1m",
		    serial[] = "1042", profile[] = "sessaudit", none[] = "no grant on this host",
		    expired[] = "request REQ-9: expired", why[] = "database is down",
		    no[] = "INC-9";

	if (a->status == ACCESS_ID_ONLY) {
		a->source = ACCESS_SOURCE_CERT;
		a->key_fp = fp;
		a->ca_fp = ca;
		a->cert_key_id = key_id;
		a->cert_serial = serial;
		a->cert_profile = profile;
		a->reason = none;
	} else if (a->status == ACCESS_BREAKGLASS) {
		a->source = ACCESS_SOURCE_PROMPT;
		a->justification = why;
		a->ticket = no;
	} else if (a->status == ACCESS_UNAPPROVED) {
		a->policy = ACCESS_POLICY_DENIED;
		a->reason = expired;
	} else if (a->status == ACCESS_CONFLICT) {
		a->policy = ACCESS_POLICY_EXEMPT;
	}
}

static struct entry *become(struct session *s, const char *time, const char *cause)
{
	struct entry *e = add(s, ENTRY_PRIVILEGE, time);

	e->target = SLICE_LIT("root");
	e->service = SLICE_LIT("sudo");
	e->cause = slice_of(cause);
	return e;
}

static void lapse(struct session *s, enum entry_type type, const char *time, const char *cause)
{
	struct entry *e = add(s, type, time);

	e->object = SLICE_LIT("REQ-1043");
	e->outcome = ENTRY_FAILURE;
	e->cause = slice_of(cause);
}

/* An approval that ends while the session runs, root, and another session that goes on. */
static void run_on(struct session *s)
{
	struct entry *e;

	become(s, "03:26:00", "nested");
	e = become(s, "03:26:10", "denied");
	e->service = SLICE_LIT("su");
	e->outcome = ENTRY_FAILURE;
	lapse(s, ENTRY_REVOKED, "03:27:00", "grant_removed");
	lapse(s, ENTRY_EXPIRED, "03:28:00", "expires_at");
	lapse(s, ENTRY_EXPIRED, "03:29:00", "new_channel");
	e = become(s, "03:30:00", "left");
	e->linked = SLICE_LIT("0123456789abcdef0123456789abcdef");
}

/* Logins of every other status, each with one command; `open` has no end. */
static void make_other(uint32_t ses, const char *name, enum access_status status, bool open)
{
	static char id[] = "REQ-1043", one[] = "REQ-7", two[] = "REQ-8", *fits[] = {one, two};
	static struct session s;
	struct access a = {.status = status};
	char time[16];

	if (status == ACCESS_AMBIGUOUS || status == ACCESS_CONFLICT) {
		a.candidates = fits;
		a.n_candidates = 2;
	} else if (status != ACCESS_UNAPPROVED) {
		a.request_id = id;
	}
	fill(&a);
	snprintf(time, sizeof(time), "03:%02u:00", ses);
	start(&s, ses, time, "oper", "10.0.0.10", &a);
	begin(&s, name);
	if (a.n_candidates > 0)
		point(&s, two);
	run(&s, time, 6000, "/usr/bin/id", "id");
	if (open) {
		run_on(&s);
		cut(&s);
	} else {
		finish(&s, "04:00:00", 1);
	}
}

static void open_store(const char *where)
{
	const char *endpoint = getenv("AWS_ENDPOINT_URL");
	struct settings settings;
	struct sa_err err;

	if (settings_parse("mkstore", SLICE_LIT(""), &settings, &err) != 0 ||
	    settings_set_store(&settings, where, &err) != 0)
		die(err.msg);
	settings.store_s3_endpoint = endpoint ? strdup(endpoint) : NULL;
	if (store_open(&settings, true, NULL, NULL, &store, &err) != 0)
		die(err.msg);
	settings_free(&settings);
}

int main(int argc, char **argv)
{
	digest = digest_new();
	if (argc < 2 || argc > 3 || !digest)
		die("usage: mkstore WHERE [NUMBER]");
	open_store(argv[1]);
	make_full();
	make_hostile();
	make_other(20, "id_only", ACCESS_ID_ONLY, false);
	make_other(21, "ambiguous", ACCESS_AMBIGUOUS, false);
	make_other(22, "conflict", ACCESS_CONFLICT, false);
	make_other(23, "breakglass", ACCESS_BREAKGLASS, false);
	make_other(24, "unapproved", ACCESS_UNAPPROVED, false);
	make_other(25, "open", ACCESS_APPROVED, true);
	make_elsewhere();
	make_many(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
	store_close(store);
	digest_free(digest);
	return 0;
}
