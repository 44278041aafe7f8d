/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/collector/intake.h"
#include "agent/collector/ring.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* --- the ring --- */

static char pattern[RING_MIN_BYTES];

/* Messages carry their own number in each byte. */
static bool put_n(struct ring *r, unsigned n, size_t len)
{
	memset(pattern, (int)(n & 0xff), len);
	return ring_put(r, n, (struct slice){pattern, len});
}

/* Takes at most max messages; the next number expected, or UINT_MAX when one is wrong. */
static unsigned take_n(struct ring *r, unsigned next, unsigned max)
{
	while (max > 0) {
		struct slice run = ring_front(r), data;
		const char *start = run.ptr;
		unsigned type;

		if (run.len == 0)
			return next;
		while (max > 0 && ring_next(&run, &type, &data)) {
			if (type != next || data.ptr[0] != (char)(next & 0xff) ||
			    data.ptr[data.len - 1] != (char)(next & 0xff))
				return UINT32_MAX;
			next++;
			max--;
		}
		ring_drop(r, (size_t)(run.ptr - start));
	}
	return next;
}

static void test_ring(void)
{
	struct ring r;
	unsigned in = 0, out = 0;
	bool in_order = true;

	tap_int(ring_init(&r, 1, NULL), 0, "ring");
	tap_int((long long)r.size, RING_MIN_BYTES, "ring: at least the minimum");
	while (put_n(&r, in, 1000))
		in++;
	tap_int(in, RING_MIN_BYTES / 1008, "ring: filled to the last message that fits");
	tap_int((long long)r.used, (long long)in * 1008, "ring: all of it waits");
	out = take_n(&r, out, 100);
	tap_int(out, 100, "ring: a hundred taken");
	while (put_n(&r, in, 1000))
		in++;
	tap_ok(r.wrapped, "ring: wrapped");
	tap_int(in - out, RING_MIN_BYTES / 1008, "ring: the room is used again, all of it");
	out = take_n(&r, out, UINT32_MAX);
	tap_int(out, in, "ring: all came out, in order, over the wrap");
	tap_ok(r.head == 0 && r.tail == 0 && !r.wrapped, "ring: empty, it starts at the front");
	/* sizes that leave another rest at the end each time */
	for (unsigned i = 0; i < 20000 && in_order; i++) {
		if (put_n(&r, in, 1 + (i * 7919) % 9000))
			in++;
		if (i % 3 == 0 && in - out > 40)
			out = take_n(&r, out, 7);
		in_order = out <= in;
	}
	tap_int(take_n(&r, out, UINT32_MAX), in, "ring: 20,000 messages of all sizes, in order");
	tap_ok(!ring_put(&r, 1, (struct slice){pattern, RING_MIN_BYTES - 7}),
	       "ring: what is longer than it does not fit");
	tap_ok(ring_put(&r, 1, (struct slice){pattern, RING_MIN_BYTES - 8}),
	       "ring: what is as long does");
	ring_free(&r);
}

/* Resident pages of the ring. */
static size_t resident(const struct ring *r)
{
	char line[512];
	_cleanup_fclose_ FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, rss = 0;
	bool here = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%*x ", &start) == 1 && strchr(line, '-') < strchr(line, ' '))
			here = start == (unsigned long)r->base;
		else if (here && sscanf(line, "Rss: %lu kB", &rss) == 1)
			return rss * 1024;
	}
	return SIZE_MAX;
}

static void test_ring_memory(void)
{
	struct ring r;
	unsigned n = 0;

	if (ring_init(&r, 64 * 1024 * 1024, NULL))
		return;
	for (unsigned i = 0; i < 100000; i++) {
		put_n(&r, n++, 300);
		take_n(&r, n - 1, 1);
	}
	tap_ok(resident(&r) <= 16384, "30 MB one after the other touch one page, not %zu",
	       resident(&r));
	for (unsigned i = 0; i < 100000; i++)
		put_n(&r, n + i, 300);
	tap_ok(resident(&r) > 30000000, "a storm takes what it needs");
	ring_rest(&r);
	tap_ok(resident(&r) > 30000000, "which is not given back while it is used");
	take_n(&r, n, UINT32_MAX);
	ring_rest(&r);
	tap_ok(resident(&r) <= RING_KEEP_BYTES, "and is after it: %zu left", resident(&r));
	tap_int((long long)r.used_max, 100000LL * 312, "the most that waited is known");
	ring_free(&r);
}

/* --- what a datagram is --- */

static void test_judge(void)
{
	static const struct {
		const char *name;
		unsigned type;
		size_t len;
		uint32_t from;
		bool cut;
		enum intake_verdict want;
	} cases[] = {
		{"a record of a system call", 1300, 100, 0, false, INTAKE_RECORD},
		{"LOGIN", 1006, 100, 0, false, INTAKE_RECORD},
		{"a message of old, which has a serial too", 1005, 100, 0, false, INTAKE_RECORD},
		{"the first user message", 1100, 100, 0, false, INTAKE_RECORD},
		{"the last type there is", 65535, 100, 0, false, INTAKE_RECORD},
		{"an answer", NLMSG_ERROR, 36, 0, false, INTAKE_OTHER},
		{"a status", AUDIT_GET, 60, 0, false, INTAKE_OTHER},
		{"a rule listed", AUDIT_LIST_RULES, 60, 0, false, INTAKE_OTHER},
		{"the question whether we live", 1329, 20, 0, false, INTAKE_OTHER},
		{"from another process", 1300, 100, 4711, false, INTAKE_FOREIGN},
		{"from another process, cut", 1300, 100, 1, true, INTAKE_FOREIGN},
		{"cut", 1300, 9216, 0, true, INTAKE_OVERSIZED},
		{"an answer, cut", NLMSG_ERROR, 9216, 0, true, INTAKE_OTHER},
		{"nothing but the header", 1320, 16, 0, false, INTAKE_RECORD},
		{"less than the header", 1300, 15, 0, false, INTAKE_OTHER},
		{"nothing", 0, 0, 0, false, INTAKE_OTHER},
	};
	static char data[9216];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nlmsghdr h = {.nlmsg_type = (uint16_t)cases[i].type};

		memcpy(data, &h, sizeof(h));
		tap_int(intake_judge(cases[i].from, (struct slice){data, cases[i].len},
				     cases[i].cut),
			cases[i].want, "%s", cases[i].name);
	}
}

/* --- the thread --- */

struct seen {
	uint64_t n, next; /* next: serial expected */
	bool in_order;
	unsigned type;
	struct buf bodies;
};

static void on_record(void *ctx, const struct record *r)
{
	struct seen *s = ctx;

	s->in_order = s->in_order && r->serial >= s->next;
	s->next = r->serial + 1;
	s->type = r->type;
	s->n++;
	buf_printf(&s->bodies, "%.*s|", (int)r->body.len, r->body.ptr);
}

static void seen_init(struct seen *s)
{
	*s = (struct seen){.in_order = true};
	buf_init(&s->bodies, 1 << 20);
}

/* A datagram with a record as long as len (0: short). with_header: as multicast counts. */
static ssize_t send_record(int fd, uint64_t serial, size_t len, bool with_header, int flags)
{
	static char data[20000];
	struct nlmsghdr h = {.nlmsg_type = 1300};
	int n = snprintf(data + NLMSG_HDRLEN, 200, "audit(1700000000.123:%llu): a=%llu",
			 (unsigned long long)serial, (unsigned long long)serial);
	size_t payload = (size_t)n;

	if (len > payload) {
		memset(data + NLMSG_HDRLEN + payload, 'x', len - payload);
		payload = len;
	}
	h.nlmsg_len = (uint32_t)(payload + (with_header ? NLMSG_HDRLEN : 0));
	memcpy(data, &h, sizeof(h));
	return send(fd, data, NLMSG_HDRLEN + payload, flags);
}

/* Takes until n have come, or two seconds have passed. */
static void take(struct intake *q, uint64_t n, struct seen *s, struct source_stats *stats)
{
	struct pollfd p = {.fd = intake_fd(q), .events = POLLIN};

	for (int i = 0; i < 200 && s->n < n; i++) {
		poll(&p, 1, 10);
		intake_take(q, SIZE_MAX, on_record, s, stats);
	}
}

struct pair {
	int ours, theirs;
	struct intake *q;
};

static void pair_open(struct pair *p, int type, enum intake_kind kind,
		      enum intake_overload overload)
{
	struct intake_facts facts = {.kind = kind, .overload = overload, .max_bytes = 1};
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds))
		abort();
	p->ours = facts.fd = fds[0];
	p->theirs = fds[1];
	if (intake_start(&facts, &p->q, NULL))
		abort();
}

static void pair_close(struct pair *p)
{
	intake_free(p->q);
	close(p->ours);
	if (p->theirs >= 0)
		close(p->theirs);
}

static void test_framings(void)
{
	struct source_stats stats = {0};
	struct seen s;
	struct pair p;

	pair_open(&p, SOCK_DGRAM, INTAKE_DATAGRAMS, INTAKE_WAIT);
	seen_init(&s);
	send_record(p.theirs, 1, 0, false, 0);
	send_record(p.theirs, 2, 0, true, 0);
	send(p.theirs, "short", 5, 0);
	send_record(p.theirs, 3, 12000, true, 0);
	send_record(p.theirs, 4, 9216 - 16, true, 0);
	send(p.theirs, "\0\0\0\0\x14\x05\0\0\0\0\0\0\0\0\0\0nonsense", 24, 0);
	send_record(p.theirs, 5, 0, false, 0);
	take(p.q, 4, &s, &stats);
	buf_append(&s.bodies, "", 1);
	tap_ok(strncmp(s.bodies.data, "a=1|a=2|a=4xxx", 14) == 0 &&
		       strcmp(s.bodies.data + s.bodies.len - 7, "x|a=5|") == 0,
	       "both framings, each to its last byte");
	tap_int(s.type, 1300, "with their type");
	tap_int((long long)stats.records, 4, "records");
	tap_int((long long)stats.malformed, 1, "malformed");
	{
		struct intake_stats in;

		intake_stats(p.q, &in);
		tap_int((long long)in.oversized, 1, "oversized");
		tap_int((long long)in.datagrams, 5, "messages through the queue");
		tap_int((long long)in.queued, 0, "nothing waits");
		tap_ok(in.queued_max > 0, "something did");
	}
	tap_int(poll(&(struct pollfd){.fd = intake_fd(p.q), .events = POLLIN}, 1, 0), 0,
		"nothing to be woken for");
	buf_free(&s.bodies);
	pair_close(&p);
}

/* Sends until the other side takes no more for a while: how many went. */
static uint64_t send_all(int fd, uint64_t max)
{
	uint64_t n = 0;
	int refused = 0;

	while (n < max && refused < 200) {
		if (send_record(fd, n + 1, 8000, true, MSG_DONTWAIT) > 0) {
			n++;
			refused = 0;
			continue;
		}
		refused++;
		poll(NULL, 0, 1);
	}
	return n;
}

static void test_full(void)
{
	struct source_stats stats = {0};
	struct intake_stats in;
	uint64_t sent;
	struct seen s;
	struct pair p;

	pair_open(&p, SOCK_DGRAM, INTAKE_DATAGRAMS, INTAKE_WAIT);
	seen_init(&s);
	sent = send_all(p.theirs, 2000);
	intake_stats(p.q, &in);
	tap_ok(sent > RING_MIN_BYTES / 8008 && sent < 2000, "wait: the sender is held up, after %d",
	       (int)sent);
	tap_int((long long)in.full, 1, "wait: the queue was full once");
	take(p.q, sent, &s, &stats);
	tap_int((long long)s.n, (long long)sent, "wait: none is lost");
	tap_ok(s.in_order && s.next == sent + 1, "wait: in order");
	buf_free(&s.bodies);
	pair_close(&p);

	pair_open(&p, SOCK_DGRAM, INTAKE_DATAGRAMS, INTAKE_DROP);
	seen_init(&s);
	sent = send_all(p.theirs, 2000);
	tap_int((long long)sent, 2000, "drop: the sender is not held up");
	do
		intake_stats(p.q, &in);
	while (in.datagrams + in.dropped < sent);
	take(p.q, in.datagrams, &s, &stats);
	intake_stats(p.q, &in);
	tap_int((long long)s.n, RING_MIN_BYTES / 8008, "drop: as many as fit come");
	tap_int((long long)(s.n + in.dropped), 2000, "drop: the others are counted");
	tap_ok(in.full >= 1 && s.in_order, "drop: in order");
	buf_free(&s.bodies);
	pair_close(&p);
}

/* What waits at the source when it is told to end is not lost. */
static void test_finish(void)
{
	struct source_stats stats = {0};
	uint64_t sent;
	struct seen s;
	struct pair p;

	pair_open(&p, SOCK_DGRAM, INTAKE_DATAGRAMS, INTAKE_WAIT);
	seen_init(&s);
	sent = send_all(p.theirs, 2000);
	intake_finish(p.q, on_record, &s, &stats);
	tap_int((long long)s.n, (long long)sent, "finish: all that waited, also in the socket");
	buf_free(&s.bodies);
	pair_close(&p);

	pair_open(&p, SOCK_DGRAM, INTAKE_DATAGRAMS, INTAKE_WAIT);
	send_all(p.theirs, 2000);
	pair_close(&p);
	tap_ok(true, "a thread that waits for room ends");
}

static void write_text(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

static void test_lines(void)
{
	static char noise[RECORD_MAX_BYTES / 4];
	struct source_stats stats = {0};
	struct intake_stats in;
	struct seen s;
	struct pair p;

	pair_open(&p, SOCK_STREAM, INTAKE_LINES, INTAKE_WAIT);
	seen_init(&s);
	write_text(p.theirs, "type=SYSCALL msg=audit(1700000000.000:1): a=1\ntype=TT");
	take(p.q, 1, &s, &stats);
	write_text(p.theirs, "Y msg=audit(1700000000.000:2): a=2\x1d"
			     "UID=\"root\"\nno record\n");
	write_text(p.theirs, "\nnode=h type=EOE msg=audit(1700000000.000:3): \n");
	take(p.q, 3, &s, &stats);
	memset(noise, 'y', sizeof(noise));
	for (int i = 0; i < 12; i++)
		if (write(p.theirs, noise, sizeof(noise)) != (ssize_t)sizeof(noise))
			abort();
	write_text(p.theirs, "\ntype=SYSCALL msg=audit(1700000000.000:4): a=4");
	tap_ok(!intake_ended(p.q), "lines: not at an end");
	close(p.theirs);
	p.theirs = -1;
	take(p.q, 4, &s, &stats);
	tap_bytes(buf_slice(&s.bodies), SLICE_LIT("a=1|a=2||a=4|"),
		  "lines: however they are cut, the last without LF");
	tap_int((long long)stats.malformed, 1, "lines: one is no record");
	intake_stats(p.q, &in);
	tap_int((long long)in.oversized, 1, "lines: one is too long, counted once");
	for (int i = 0; i < 200 && !intake_ended(p.q); i++)
		poll(NULL, 0, 10);
	tap_ok(intake_ended(p.q), "lines: the writer is gone, that is the end");
	buf_free(&s.bodies);
	pair_close(&p);
}

/* The rest of a line that was begun belongs to it, also at the end. */
static void test_half_line(void)
{
	struct source_stats stats = {0};
	struct seen s;
	struct pair p;

	pair_open(&p, SOCK_STREAM, INTAKE_LINES, INTAKE_WAIT);
	seen_init(&s);
	write_text(p.theirs, "type=SYSCALL msg=audit(1700000000.000:1): a");
	poll(NULL, 0, 20);
	if (fork() == 0) {
		poll(NULL, 0, 50);
		write_text(p.theirs, "=1\n");
		_exit(0);
	}
	intake_finish(p.q, on_record, &s, &stats);
	tap_bytes(buf_slice(&s.bodies), SLICE_LIT("a=1|"), "finish: waits for the rest of a line");
	buf_free(&s.bodies);
	pair_close(&p);
}

/* --- real netlink --- */

static int usersock(uint32_t groups, uint32_t *pid)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = groups};
	socklen_t len = sizeof(a);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*pid = a.nl_pid;
	return fd;
}

static void send_to(int fd, uint32_t pid, uint32_t groups)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = pid, .nl_groups = groups};
	struct {
		struct nlmsghdr h;
		char text[64];
	} m = {{.nlmsg_len = sizeof(m), .nlmsg_type = 1300}, "audit(1700000000.000:1): a=forged"};

	(void)!sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to));
}

static void test_foreign(void)
{
	struct intake_facts facts = {.kind = INTAKE_DATAGRAMS, .max_bytes = 1};
	struct source_stats stats = {0};
	struct intake_stats in = {0};
	struct intake *q = NULL;
	uint32_t pid = 0, other;
	struct seen s;
	int small = 1, fd = usersock(0, &pid), sender = usersock(0, &other);

	facts.fd = fd;
	if (fd < 0 || sender < 0 || intake_start(&facts, &q, NULL))
		abort();
	seen_init(&s);
	send_to(sender, pid, 0);
	for (int i = 0; i < 200 && in.foreign == 0; i++) {
		poll(NULL, 0, 10);
		intake_take(q, SIZE_MAX, on_record, &s, &stats);
		intake_stats(q, &in);
	}
	tap_int((long long)in.foreign, 1, "a forged record is seen for what it is");
	tap_int((long long)s.n, 0, "and goes nowhere");
	intake_free(q);
	close(fd);

	fd = usersock(1, &pid); /* groups are root's */
	if (fd < 0) {
		tap_skip("not root", "a socket that overflows is counted");
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		for (int i = 0; i < 1000; i++)
			send_to(sender, 0, 1);
		facts.fd = fd;
		if (intake_start(&facts, &q, NULL))
			abort();
		for (int i = 0; i < 200 && in.overruns == 0; i++) {
			poll(NULL, 0, 10);
			intake_stats(q, &in);
		}
		tap_int((long long)in.overruns, 1, "a socket that overflows is counted");
		intake_free(q);
		close(fd);
	}
	close(sender);
	buf_free(&s.bodies);
}

int main(void)
{
	test_ring();
	test_ring_memory();
	test_judge();
	test_framings();
	test_full();
	test_finish();
	test_lines();
	test_half_line();
	test_foreign();
	return tap_done();
}
