/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/collector/writer.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "tests/unit/fault.h"
#include "tests/unit/spool_check.h"
#include "tests/unit/tap.h"

/*
 * One story of two sessions, told by processes that die: each goes on where the one before
 * stopped, with what is in the spool. What was flushed must come out, once, in order.
 */

enum what { ENTRY, ACCESS, BIG, EXPIRE, FLUSH, TICK, END };

static const struct step {
	enum what what;
	int who; /* session; for TICK: tenths of a second */
} story[] = {
	{ENTRY, 0}, {FLUSH, 0},  {TICK, 3},  {ENTRY, 0}, {ACCESS, 0}, {ENTRY, 1}, {FLUSH, 0},
	{TICK, 10}, {ENTRY, 0},  {ENTRY, 1}, {FLUSH, 0}, {TICK, 100}, {ENTRY, 0}, {ACCESS, 1},
	{FLUSH, 0}, {EXPIRE, 0}, {BIG, 0},   {ENTRY, 0}, {EXPIRE, 0}, {BIG, 0},   {FLUSH, 0},
	{TICK, 3},  {EXPIRE, 0}, {ENTRY, 0}, {TICK, 60}, {EXPIRE, 0}, {FLUSH, 0}, {ENTRY, 0},
	{END, 0},   {FLUSH, 0},  {ENTRY, 1}, {ENTRY, 0}, {FLUSH, 0},  {TICK, 10}, {ENTRY, 0},
	{FLUSH, 0}, {TICK, 100}, {ENTRY, 0}, {FLUSH, 0}, {END, 0},    {ENTRY, 1}, {FLUSH, 0},
	{TICK, 10}, {ENTRY, 0},  {FLUSH, 0}, {ENTRY, 1}, {END, 1},    {END, 0},
};
#define STEPS ARRAY_LEN(story)
#define SESSIONS 2
static const char *const sids[SESSIONS] = {"00000000000000000000000000000aaa",
					   "00000000000000000000000000000bbb"};

static struct tale { /* shared by the processes */
	size_t next;
	int64_t now_ms;
	bool flushed[STEPS + 1]; /* by id, which is the step's number + 1 */
	unsigned runs;           /* processes so far */
	bool told;
} * tale;

struct teller {
	struct spool *spool;
	struct session_table *sessions;
	struct writer *writer;
	struct check *ship;                /* after each step; NULL: not */
	uint64_t waiting[SESSIONS][STEPS]; /* ids not yet flushed */
	size_t n_waiting[SESSIONS];
};

/* Each process has another one; a session stays where it is. */
static const char *const prefixes[] = {NULL, "hosts/{host}/{year}/{user}", "{request_id}"};

static const struct writer_facts facts = {
	.host = "h1",
	.machine_id = "m1",
	.boot_id = "b1",
	.capture = "replay",
	.segment_max_age_ms = 5000,
	.segment_max_bytes = 4096,
	.sync_ms = 1000,
};

static int who(const struct session *s)
{
	return (int)s->ses - 7;
}

static struct entry entry_of(enum entry_type type, uint64_t id)
{
	return (struct entry){
		.type = type,
		.outcome = ENTRY_SUCCESS,
		.time_ms = tale->now_ms,
		.user = SLICE_LIT("alice"),
		.origin = SLICE_LIT("10.0.0.9"),
		.object = SLICE_LIT("thing"),
		.audit_serial = id,
		.uid = ENTRY_ID_UNSET,
		.euid = ENTRY_ID_UNSET,
		.auid = 1001,
	};
}

static void begin(struct teller *t, struct session *s)
{
	s->phase = SESSION_OPEN;
	s->auid = 1001;
	session_set(&s->boot_id, SLICE_LIT("b1"));
	session_set(&s->user, SLICE_LIT("alice"));
	session_set(&s->request, who(s) == 0 ? SLICE_LIT("REQ-1") : SLICE_NONE);
	s->start_ms = T0;
	writer_start(t->writer, s);
}

static struct session *find(struct teller *t, int n)
{
	struct session *s = session_find(t->sessions, 7 + (uint32_t)n);

	if (!s)
		s = writer_recall(t->writer, 7 + (uint32_t)n, sids[n]);
	if (!s) {
		s = session_add(t->sessions, 7 + (uint32_t)n, sids[n]);
		begin(t, s);
	}
	if (s->phase == SESSION_CLOSED)
		writer_reopen(t->writer, s);
	return s;
}

static void put(struct teller *t, struct session *s, enum entry_type type, uint64_t id, size_t size)
{
	static char filler[2000];
	/* The folder of the one is named after its first request, the other has none yet. */
	struct access tags[SESSIONS] = {
		{.status = ACCESS_AMBIGUOUS,
		 .candidates = (char *[]){(char[]){"REQ-1"}, (char[]){"REQ-2"}},
		 .n_candidates = 2},
		{.status = ACCESS_APPROVED, .request_id = (char[]){"REQ-3"}},
	};
	struct entry e = entry_of(type, id);
	char mark[32];
	struct slice argv[] = {SLICE_LIT("cmd"), {mark, 0}, {filler, size}};

	memset(filler, 'x', sizeof(filler));
	argv[1].len = (size_t)snprintf(mark, sizeof(mark), "id-%llu.", (unsigned long long)id);
	if (type == ENTRY_EXEC) {
		e.argv = argv;
		e.argc = e.argc_total = 3;
	}
	if (type == ENTRY_ACCESS) {
		e.access = &tags[who(s)];
		if (!s->tagged)
			access_copy(&s->access, e.access);
		s->tagged = true;
	}
	e.cause = type == ENTRY_SESSION_END ? SLICE_LIT("logout") : SLICE_NONE;
	writer_entry(t->writer, s, &e, tale->now_ms);
	if (id && e.seq)
		t->waiting[who(s)][t->n_waiting[who(s)]++] = id;
}

static void end(struct teller *t, struct session *s)
{
	s->end_ms = tale->now_ms;
	s->end_cause = session_end_cause(SLICE_LIT("logout"));
	put(t, s, ENTRY_SESSION_END, 0, 0);
	s->phase = SESSION_CLOSED;
	writer_end(t->writer, s);
}

static void flushed(void *ctx, struct session *s)
{
	struct teller *t = ctx;

	if (s->w.pending.len)
		return;
	for (size_t i = 0; i < t->n_waiting[who(s)]; i++)
		tale->flushed[t->waiting[who(s)][i]] = true;
	t->n_waiting[who(s)] = 0;
}

static void act(struct teller *t, size_t i)
{
	const struct step *st = &story[i];
	struct session *s;

	switch (st->what) {
	case ENTRY:
		put(t, find(t, st->who), ENTRY_EXEC, i + 1, 10);
		break;
	case BIG:
		put(t, find(t, st->who), ENTRY_EXEC, i + 1, 2000);
		break;
	case ACCESS:
		put(t, find(t, st->who), ENTRY_ACCESS, i + 1, 0);
		break;
	case EXPIRE: /* as lapse.c does: once */
		s = find(t, st->who);
		if (!s->w.counts.expired_ms)
			put(t, s, ENTRY_EXPIRED, i + 1, 0);
		break;
	case FLUSH:
		writer_flush(t->writer);
		session_each(t->sessions, flushed, t);
		break;
	case TICK:
		tale->now_ms += st->who * 100;
		writer_tick(t->writer, tale->now_ms);
		break;
	case END:
		end(t, find(t, st->who));
		break;
	}
}

/* As the agent does at its start. */
static void resume(void *ctx, struct session *s)
{
	struct teller *t = ctx;

	tap_ok(!s->past, "the session is of this boot");
	if (s->w.finishing) {
		s->phase = SESSION_CLOSED;
		writer_end(t->writer, s);
		return;
	}
	writer_gap(t->writer, s, "agent_restart", tale->now_ms, tale->now_ms, 0, tale->now_ms);
}

static void quiet(void *ctx, struct session *s)
{
	if (s->phase != SESSION_CLOSED)
		end(ctx, s);
}

static bool teller_open(struct teller *t, const char *dir)
{
	struct writer_facts f = facts;

	f.session_prefix = prefixes[tale->runs++ % ARRAY_LEN(prefixes)];
	*t = (struct teller){.sessions = session_table_new()};
	return spool_open(dir, NULL, &t->spool, NULL) == 0 &&
	       writer_new(t->spool, &f, t->sessions, &t->writer, NULL) == 0;
}

static void teller_close(struct teller *t)
{
	writer_free(t->writer);
	session_table_free(t->sessions);
	spool_close(t->spool);
}

static void tell(struct teller *t)
{
	writer_recover(t->writer, resume, t, NULL);
	while (tale->next < STEPS) {
		act(t, tale->next++);
		if (t->ship)
			check_ship(t->ship);
	}
	session_each(t->sessions, quiet, t);
	writer_tick(t->writer, tale->now_ms);
	tale->told = true;
}

static void begin_tale(void)
{
	*tale = (struct tale){.now_ms = T0};
}

/* A process that dies at its nth call; 0: that does not. Returns whether it lived. A shipper is at
 * work at the same time, or not until it has ended. */
static bool run(const struct check *c, unsigned long n)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct check shipped = *c;
		struct teller t;

		/* its checks are not ours */
		if (!freopen("/dev/null", "w", stdout) || !teller_open(&t, c->spool))
			_exit(1);
		t.ship = tale->runs % 3 ? &shipped : NULL;
		if (n)
			fault_kill_at(n);
		tell(&t);
		fault_off();
		teller_close(&t);
		_exit(shipped.why[0] ? 2 : 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == FAULT_STATUS)
		return false;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		tap_ok(false, "call %lu: a process broke, status %x", n, (unsigned)status);
	return true;
}

static bool check_all(struct check *c)
{
	bool ok = check_store(c);
	unsigned tags = 0, expired = 0;

	for (uint64_t id = 1; id <= STEPS; id++)
		expired += story[id - 1].what == EXPIRE ? c->seen[id] : 0;
	if (ok && expired != 1)
		return check_fail(c, "the approval expired %u times", expired);
	for (uint64_t id = 1; id <= STEPS; id++)
		tags += story[id - 1].what == ACCESS && tale->flushed[id];
	if (ok && (c->sessions != SESSIONS || c->pointers < tags))
		return check_fail(c, "%u folders of sessions, %u pointers of %u tags", c->sessions,
				  c->pointers, tags);
	for (uint64_t id = 1; ok && id <= STEPS; id++) {
		if (c->seen[id] > 1 || (tale->flushed[id] && c->seen[id] != 1))
			ok = check_fail(c, "entry %llu is there %u times%s", (unsigned long long)id,
					c->seen[id], tale->flushed[id] ? ", it was flushed" : "");
		else if (story[id - 1].what != ACCESS && story[id - 1].what != EXPIRE &&
			 c->seen[id] != c->shown[id])
			ok = check_fail(c, "entry %llu is in %u pages", (unsigned long long)id,
					c->shown[id]);
	}
	return ok;
}

/* Dies at every single call, and once more in the process after it. */
static void test_crashes(void)
{
	bool ok = true, lived = false;
	unsigned long n, died = 0, again = 0;

	for (n = 1; !lived && n < 5000; n++) {
		struct check c;

		check_open(&c);
		begin_tale();
		lived = run(&c, n);
		died += !lived;
		if (n % 2)
			check_ship(&c);
		if (!lived && !run(&c, 1 + n * 7 % 90) && n % 3)
			check_ship(&c);
		run(&c, 0);
		check_ship(&c);
		if (!check_all(&c)) {
			ok = false;
			tap_ok(false, "killed at call %lu: %s", n, c.why);
		}
		again += c.again;
		check_close(&c);
	}
	tap_ok(ok, "killed at each call: all that was flushed is there, once");
	tap_ok(died > 100 && lived, "there were %lu calls to die at", died);
	tap_ok(again > 10, "%lu objects were shipped a second time", again);
}

/* Calls n to n + count - 1 fail, then all is well again. */
static bool run_failing(struct check *c, unsigned long n, unsigned long count, int errnum)
{
	struct teller t;
	unsigned long calls;

	begin_tale();
	if (!teller_open(&t, c->spool))
		return check_fail(c, "cannot be opened");
	t.ship = n % 2 ? c : NULL;
	fault_fail_at(n, count, errnum);
	tell(&t);
	calls = fault_off();
	for (int i = 0; i < 5; i++)
		writer_tick(t.writer, tale->now_ms += 20000);
	for (uint64_t i = 0; i < STEPS; i++)
		tale->flushed[i + 1] = story[i].what <= BIG;
	teller_close(&t);
	check_ship(c);
	run(c, 0); /* what could not be removed goes now */
	check_ship(c);
	if (calls < n)
		c->over = true;
	return check_all(c);
}

static void test_errors(int errnum, unsigned long count, unsigned long step, const char *name)
{
	bool ok = true, over = false;
	unsigned long n;

	for (n = 1; !over && n < 5000; n += step) {
		struct check c;

		check_open(&c);
		if (!run_failing(&c, n, count, errnum)) {
			ok = false;
			tap_ok(false, "%s at call %lu: %s", name, n, c.why);
		}
		over = c.over;
		check_close(&c);
	}
	tap_ok(ok, "%s at each call: nothing is lost", name);
	tap_ok(n > 100 && over, "%s: there were %lu calls to fail at", name, n);
}

/* The rest: what a story of faults does not reach. */

static struct session *add(struct teller *t, int n)
{
	struct session *s = session_add(t->sessions, 7 + (uint32_t)n, sids[n]);

	begin(t, s);
	return s;
}

/* A disk that takes nothing for so long that entries must go, the end among them. */
static void test_full(void)
{
	enum { LINES = 60 };
	_cleanup_free_ char *big = malloc(1 << 20);
	struct slice argv[] = {{big, 1 << 20}};
	struct session *s;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	memset(big, 'x', 1 << 20);
	fault_fail_at(1, 1000000, ENOSPC);
	for (int i = 0; i < LINES; i++) {
		struct entry e = entry_of(ENTRY_EXEC, 200);

		e.argv = argv;
		e.argc = e.argc_total = 1;
		writer_entry(t.writer, s, &e, tale->now_ms);
	}
	tap_ok(writer_stats(t.writer)->dropped > 0, "a full disk: some entries are dropped");
	end(&t, s);
	fault_off();
	writer_tick(t.writer, tale->now_ms);
	tap_ok(s->phase == SESSION_CLOSED && !s->w.finishing,
	       "then there is room: the session is closed");
	check_ship(&c);
	tap_ok(check_store(&c), "its store is whole: %s", c.why);
	tap_int(c.seen[200] + c.lost, LINES, "each entry is there or said to be lost");
	tap_int(c.gaps, 1, "by one gap");
	tap_int(c.lost, (long long)writer_stats(t.writer)->dropped, "that counts them");
	tap_int(c.seen[0], 2, "and the end is there too");
	teller_close(&t);
	check_close(&c);
}

/* A spool over its quota until the shipper has made room. */
static void test_quota(void)
{
	static const struct spool_limits limits = {.max_bytes = 16384};
	struct spool_usage u;
	struct session *s;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	spool_close(t.spool);
	spool_open(c.spool, &limits, &t.spool, NULL);
	writer_free(t.writer);
	writer_new(t.spool, &facts, t.sessions, &t.writer, NULL);
	spool_usage(t.spool, 0, &u);
	s = add(&t, 0);
	for (int i = 0; i < 40; i++) {
		put(&t, s, ENTRY_EXEC, 2, 2000);
		writer_tick(t.writer, tale->now_ms += 1000);
	}
	spool_usage(t.spool, 0, &u);
	tap_int(u.level, SPOOL_FULL, "the spool is full");
	tap_ok(u.bytes < 16384 + 8192, "and not much more: %llu bytes",
	       (unsigned long long)u.bytes);
	tap_ok(s->w.pending.len > 0, "lines wait");
	end(&t, s);
	tap_ok(s->w.finishing, "and the end");
	check_ship(&c);
	spool_usage(t.spool, 5000, &u);
	tap_int(u.level, SPOOL_OK, "all is shipped: there is room");
	for (int i = 0; i < 20; i++) {
		writer_tick(t.writer, tale->now_ms += 1000);
		check_ship(&c);
		spool_usage(t.spool, 10000 + i * 5000, &u);
	}
	tap_ok(s->phase == SESSION_CLOSED && !s->w.finishing, "and it all goes out");
	tap_ok(check_store(&c), "its store is whole: %s", c.why);
	tap_int(c.seen[2], 40, "with each entry");
	teller_close(&t);
	check_close(&c);
}

/* The age of segments, to the millisecond. */
static void test_due(void)
{
	struct teller t;
	struct session *s;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	tap_int(writer_due_ms(t.writer), INT64_MAX, "nothing is due without an entry");
	s = add(&t, 0);
	put(&t, s, ENTRY_EXEC, 1, 10);
	tap_int(writer_due_ms(t.writer), T0 + 5000, "a segment's age is its first entry's");
	tale->now_ms += 1000;
	put(&t, s, ENTRY_EXEC, 2, 10);
	put(&t, add(&t, 1), ENTRY_EXEC, 3, 10);
	writer_tick(t.writer, T0 + 4999);
	tap_int(writer_due_ms(t.writer), T0 + 5000, "the oldest counts");
	tap_ok(s->w.open.entries == 2, "and is open until then");
	writer_tick(t.writer, T0 + 5000);
	tap_ok(s->w.open.entries == 0 && s->w.n_sealed == 1, "then it is sealed");
	tap_int(writer_due_ms(t.writer), T0 + 6000, "then the next is due");
	session_each(t.sessions, quiet, &t);
	writer_tick(t.writer, T0 + 7000);
	tap_int(writer_due_ms(t.writer), INT64_MAX, "and after that none");
	teller_close(&t);
	check_close(&c);
}

static off_t size_of(struct teller *t, const struct session *s, const char *ext)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", s->sid, ext);
	return spool_size(t->spool, name);
}

/* What waits in memory, and for how long. */
static void test_waiting(void)
{
	struct teller t;
	struct session *s, *other;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	other = add(&t, 1);
	put(&t, s, ENTRY_EXEC, 1, 10);
	put(&t, other, ENTRY_EXEC, 2, 10);
	writer_batch(t.writer);
	tap_ok(s->w.pending.len > 0 && size_of(&t, s, "000000.jsonl") < 0,
	       "after a batch an exec waits in memory");
	put(&t, s, ENTRY_ACCESS, 3, 0);
	writer_batch(t.writer);
	tap_ok(s->w.pending.len == 0 && size_of(&t, s, "000000.jsonl") > 0,
	       "with an entry that does not wait it is in its file");
	tap_ok(other->w.pending.len > 0, "but not another session's");
	writer_flush(t.writer);
	tap_ok(other->w.pending.len == 0 && size_of(&t, other, "000000.jsonl") > 0,
	       "a flush takes all");
	tap_ok(size_of(&t, s, "txt") < 0, "less the pages");
	put(&t, other, ENTRY_EXEC, 4, 10);
	writer_tick(t.writer, T0 + 250);
	tap_int((long long)other->w.pending.len, 0, "and so does a tick");
	writer_tick(t.writer, T0 + 6000);
	tap_ok(s->w.n_sealed == 1 && size_of(&t, s, "txt") > 0, "the page goes with its segment");
	session_each(t.sessions, quiet, &t);
	check_ship(&c);
	tap_ok(check_store(&c), "the store is whole: %s", c.why);
	teller_close(&t);
	check_close(&c);
}

/* All that waits is bounded: what has most goes to its file. */
static void test_spill(void)
{
	enum { BIG_ENTRY = 100000, BOUND = 16 * 1024 * 1024 };
	_cleanup_free_ char *big = malloc(BIG_ENTRY);
	struct slice argv[] = {{big, BIG_ENTRY}};
	struct writer_facts f = facts;
	struct teller t = {.sessions = session_table_new()};
	struct session *s, *small;
	struct check c;
	size_t most = 0;

	check_open(&c);
	begin_tale();
	f.segment_max_bytes = 64 * 1024 * 1024;
	spool_open(c.spool, NULL, &t.spool, NULL);
	writer_new(t.spool, &f, t.sessions, &t.writer, NULL);
	s = add(&t, 0);
	small = add(&t, 1);
	memset(big, 'x', BIG_ENTRY);
	put(&t, small, ENTRY_EXEC, 1, 10);
	for (int i = 0; i < 300; i++) {
		struct entry e = entry_of(ENTRY_EXEC, 2);

		e.argv = argv;
		e.argc = e.argc_total = 1;
		writer_entry(t.writer, s, &e, tale->now_ms);
		if (s->w.pending.len > most)
			most = s->w.pending.len;
	}
	tap_ok(most > BIG_ENTRY && most < BOUND, "30 MB: no more than %zu bytes wait", most);
	tap_ok(small->w.pending.len > 0, "the session with little goes on waiting");
	session_each(t.sessions, quiet, &t);
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[2] == 300, "and all is there: %s", c.why);
	teller_close(&t);
	check_close(&c);
}

/* A spool that nobody recovers: what fits into memory goes straight to its object. */
static void test_scratch(void)
{
	struct writer_facts f = facts;
	struct teller t = {.sessions = session_table_new()};
	struct session *s;
	struct check c;

	check_open(&c);
	begin_tale();
	f.scratch = true;
	spool_open_scratch(c.spool, &t.spool, NULL);
	writer_new(t.spool, &f, t.sessions, &t.writer, NULL);
	s = add(&t, 0);
	for (uint64_t i = 1; i <= 30; i++)
		put(&t, s, ENTRY_EXEC, i, 500);
	tap_ok(s->w.n_sealed > 1 && size_of(&t, s, "000000.jsonl") < 0, "segments are sealed");
	put(&t, s, ENTRY_EXEC, 31, 10);
	writer_flush(t.writer); /* a segment that is in its file already */
	put(&t, s, ENTRY_EXEC, 32, 10);
	session_each(t.sessions, quiet, &t);
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[1] == 1 && c.seen[31] == 1 && c.seen[32] == 1,
	       "its store is whole: %s", c.why);
	teller_close(&t);
	check_close(&c);
}

/* An argument list of 2 MiB, no byte of it printable, is one entry. */
static void test_long_line(void)
{
	_cleanup_free_ char *big = malloc(2 << 20);
	struct slice argv[] = {{big, 2 << 20}};
	struct entry e;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	memset(big, 0xff, 2 << 20);
	e = entry_of(ENTRY_EXEC, 1);
	e.argv = argv;
	e.argc = e.argc_total = 1;
	writer_entry(t.writer, add(&t, 0), &e, tale->now_ms);
	session_each(t.sessions, quiet, &t);
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[1] == 1, "an argument list of 2 MiB: %s", c.why);
	teller_close(&t);
	check_close(&c);
}

static unsigned n_recovered;

static void see_recovered(void *ctx, struct session *s)
{
	struct teller *t = ctx;

	n_recovered++;
	tap_ok(s->past, "a session of another boot comes back as such");
	tap_ok(!session_find(t->sessions, s->ses), "and is not found by its number");
	tap_ok(s->access.n_candidates == 2 && s->tagged,
	       "with the tag that came after its checkpoint");
	end(t, s);
}

static void test_other_boot(void)
{
	struct writer_facts later = facts;
	struct session *s;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	put(&t, s, ENTRY_EXEC, 1, 10);
	put(&t, s, ENTRY_ACCESS, 2, 0);
	writer_flush(t.writer);
	teller_close(&t);
	teller_open(&t, c.spool);
	writer_free(t.writer);
	later.boot_id = "b2";
	writer_new(t.spool, &later, t.sessions, &t.writer, NULL);
	n_recovered = 0;
	writer_recover(t.writer, see_recovered, &t, NULL);
	tap_int(n_recovered, 1, "one session is recovered");
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[1] == 1 && c.seen[2] == 1, "and ended: %s", c.why);
	teller_close(&t);
	check_close(&c);
}

/* A last line that a power cut tore: cut off, and the rest goes on. */
static void test_torn_line(void)
{
	char path[200];
	struct session *s;
	struct teller t;
	struct check c;
	int fd;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	put(&t, s, ENTRY_EXEC, 1, 10);
	writer_flush(t.writer);
	teller_close(&t);
	snprintf(path, sizeof(path), "%s/open/%s.000000.jsonl", c.spool, sids[0]);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	tap_ok(write(fd, "{\"seq\":2,\"ty", 13) == 13, "a torn line is there");
	close(fd);
	run(&c, 0);
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[1] == 2, "is cut off: %s", c.why);
	check_close(&c);
}

/* A session that is removed after its end is not written to any more. */
static void test_removed(void)
{
	struct session *s;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	put(&t, s, ENTRY_EXEC, 1, 10);
	end(&t, s);
	session_remove(t.sessions, s);
	writer_flush(t.writer);
	put(&t, add(&t, 1), ENTRY_EXEC, 2, 10);
	writer_flush(t.writer);
	session_each(t.sessions, quiet, &t);
	check_ship(&c);
	tap_ok(check_store(&c) && c.seen[1] == 1 && c.seen[2] == 1, "removed after its end: %s",
	       c.why);
	teller_close(&t);
	check_close(&c);
}

/* Checkpoints of closed sessions do not pile up; those of open ones stay however old. */
static void test_pruned(void)
{
	struct session *s;
	struct teller t;
	struct check c;

	check_open(&c);
	begin_tale();
	teller_open(&t, c.spool);
	s = add(&t, 0);
	put(&t, s, ENTRY_EXEC, 1, 10);
	end(&t, s);
	put(&t, add(&t, 1), ENTRY_EXEC, 2, 10);
	writer_flush(t.writer);
	clock_fake(spool_state_time_ms(t.spool, sids[0]) + 23 * 3600000LL, 0);
	writer_prune(t.writer);
	tap_ok(spool_state_time_ms(t.spool, sids[0]) > 0, "closed less than a day ago: kept");
	clock_fake(spool_state_time_ms(t.spool, sids[1]) + 25 * 3600000LL, 0);
	writer_prune(t.writer);
	tap_ok(spool_state_time_ms(t.spool, sids[0]) == 0, "closed a day ago: forgotten");
	tap_ok(spool_state_time_ms(t.spool, sids[1]) > 0, "open: kept");
	clock_fake(T0, 0);
	teller_close(&t);
	check_close(&c);
}

int main(void)
{
	log_init("test_writer", LOG_LEVEL_ERR - 1);
	clock_fake(T0, 0);
	tale = mmap(NULL, sizeof(*tale), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test_crashes();
	test_errors(EIO, 1, 1, "EIO once");
	test_errors(ENOSPC, 25, 1, "ENOSPC for a while");
	test_errors(EROFS, 40, 10, "EROFS for a while");
	test_full();
	test_quota();
	test_due();
	test_waiting();
	test_spill();
	test_scratch();
	test_long_line();
	test_other_boot();
	test_torn_line();
	test_removed();
	test_pruned();
	return tap_done();
}
