/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/shipper/upload_internal.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/fault.h"
#include "tests/unit/ship_check.h"
#include "tests/unit/tap.h"

#define A "sessions/request=R/session=a/"
#define B "sessions/request=R/session=b/"
#define C "sessions/request=R/session=c/"
#define INDEX "index/date=2026-11-21/host=h/"
#define HOUR 3600000

/* What the store answers to keys that begin with prefix; others get `other`. */
struct script {
	const char *prefix;
	enum fake_answer to_prefix, other;
	unsigned times; /* to_prefix so often, then FAKE_OK */
};

static struct script script;

static enum fake_answer scripted(void *ctx, const char *key)
{
	struct script *sc = ctx;

	if (!sc->prefix || strncmp(key, sc->prefix, strlen(sc->prefix)) != 0)
		return sc->other;
	if (sc->times == 0)
		return FAKE_OK;
	sc->times--;
	return sc->to_prefix;
}

static void open_with(struct ship *s, const char *prefix, enum fake_answer to_prefix)
{
	ship_open(s);
	script = (struct script){prefix, to_prefix, FAKE_OK, UINT_MAX};
	s->store.answer = scripted;
	s->store.ctx = &script;
}

static void begin(struct ship *s, const char *prefix, enum fake_answer to_prefix)
{
	open_with(s, prefix, to_prefix);
	ship_start(s, SHIP_BOOT);
}

static bool stored_is(const struct ship *s, const char *key, const char *text)
{
	const struct fake_object *o = fake_store_find(&s->store, key);

	return o && o->size == strlen(text) && memcmp(o->bytes, text, o->size) == 0;
}

static const char *order(struct ship *s)
{
	return buf_cstr(&s->store.order);
}

/* The place of key among the puts that were started, from 0. */
static int place(struct ship *s, const char *key)
{
	const char *at = order(s), *found = strstr(at, key);
	int n = 0;

	if (!found)
		return -1;
	for (; at < found; at++)
		n += *at == ' ';
	return n;
}

static void test_order(void)
{
	struct ship s;
	unsigned most = 0;

	begin(&s, NULL, FAKE_OK);
	ship_make_many(&s, A, 20);
	ship_make(&s, A "manifest.json", "m");
	while (!ship_is_empty(&s)) {
		ship_turn(&s);
		most = s.store.most_flying > most ? (unsigned)s.store.most_flying : most;
	}
	tap_int(most, 1, "a session: one at a time");
	tap_int((long long)s.store.n_objects, 21, "all are stored");
	for (int i = 0, ordered = 0; i < 20; i++) {
		char key[64];

		snprintf(key, sizeof(key), A "%06d", i);
		ordered += place(&s, key) == i;
		if (i == 19)
			tap_int(ordered, 20, "in byte order");
	}
	tap_int(place(&s, A "manifest.json"), 20, "the manifest last");
	tap_ok(stored_is(&s, A "000007", A "000007"), "its bytes");
	tap_int((long long)s.status.stored, 21, "counted");
	tap_int((long long)s.status.bytes, 20 * (long long)strlen(A "000007") + 1, "bytes too");
	ship_for(&s, 61000);
	tap_ok(!ship_there(&s, "ready/sessions"), "the next walk removes the empty directories");
	ship_close(&s);
}

static void test_parallel(void)
{
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	ship_make_many(&s, INDEX, 100);
	ship_for(&s, 1000);
	tap_int((long long)s.store.most_flying, 8, "other directories: eight at a time");
	tap_int((long long)s.store.n_objects, 100, "all are stored");
	tap_ok(ship_is_empty(&s), "and gone");
	ship_close(&s);
}

static void test_fairness(void)
{
	struct ship s;
	char key[64];

	open_with(&s, NULL, FAKE_OK);
	s.options.parallel = 1;
	ship_start(&s, SHIP_BOOT);
	ship_make_many(&s, A, 100);
	for (int i = 0; i < 3; i++)
		ship_turn(&s);
	for (int i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "sessions/request=R/session=small%d/", i);
		ship_make_many(&s, key, 1);
		snprintf(key, sizeof(key), "sessions/request=R/session=small%d/000000", i);
		upload_news(s.upload, key);
	}
	ship_for(&s, 1000);
	tap_ok(place(&s, "small4") <= 3 + 5 + 2, "five small sessions do not wait for a big one");
	tap_int((long long)s.store.n_objects, 105, "which arrives too");
	ship_close(&s);

	open_with(&s, NULL, FAKE_OK);
	s.options.parallel = 1;
	ship_start(&s, SHIP_BOOT);
	ship_make_many(&s, A, 30);
	ship_make_many(&s, B, 30);
	ship_for(&s, 1000);
	tap_int(abs(place(&s, A "000000") - place(&s, B "000000")), 8,
		"eight of one, then the other");
	tap_int(abs(place(&s, A "000008") - place(&s, B "000008")), 8, "and again");
	ship_close(&s);
}

/* News all the time, for ever new sessions. */
static void test_news_first(void)
{
	struct ship s;
	char key[64];
	int news = 0, walked = 0;
	const char *at;

	open_with(&s, NULL, FAKE_OK);
	s.options.parallel = 1;
	ship_start(&s, SHIP_BOOT);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "sessions/request=R/session=old%02d/", i);
		ship_make_many(&s, key, 1);
	}
	ship_turn(&s);
	for (int i = 0; i < 60; i++) {
		snprintf(key, sizeof(key), "sessions/request=R/session=new%02d/", i);
		ship_make_many(&s, key, 1);
		strcat(key, "000000");
		upload_news(s.upload, key);
		ship_turn(&s);
	}
	for (at = order(&s); *at && news + walked < 41; at = strchr(at, ' ') + 1) {
		news += strncmp(at, "sessions/request=R/session=new", 30) == 0;
		walked += strncmp(at, "sessions/request=R/session=old", 30) == 0;
	}
	tap_ok(news >= 29 && news <= 31, "news goes first: %d of 41", news);
	tap_ok(walked >= 10 && walked <= 12, "but every fourth is from the walk: %d of 41", walked);
	ship_for(&s, 1000);
	tap_int((long long)s.store.n_objects, 100, "all arrive");
	ship_close(&s);
}

static void test_news_only(void)
{
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	ship_for(&s, 500);
	ship_make(&s, A "000000", "x");
	upload_news(s.upload, A "000000");
	ship_turn(&s);
	tap_int((long long)s.store.n_objects, 1, "news is shipped at once");
	upload_news(s.upload, A "000001");
	upload_news(s.upload, "no/such/directory");
	upload_news(s.upload, "top");
	ship_for(&s, 500);
	tap_int((long long)s.store.n_objects, 1, "news of what is not there does no harm");
	ship_make(&s, A "000001", "y");
	ship_for(&s, 500);
	tap_int((long long)s.store.n_objects, 1, "without news it waits");
	ship_for(&s, 60000);
	tap_int((long long)s.store.n_objects, 2, "for the next walk");
	ship_close(&s);
}

/* The directory is removed and made anew while its stream is known. */
static void test_made_anew(void)
{
	struct ship s;

	open_with(&s, A, FAKE_SLOW);
	s.options.parallel = 2;
	ship_start(&s, SHIP_BOOT);
	ship_make(&s, A "000000", "x");
	ship_turn(&s);
	unlinkat(s.ready_fd, A "000000", 0);
	unlinkat(s.ready_fd, A, AT_REMOVEDIR);
	ship_make(&s, A "000001", "y");
	upload_news(s.upload, A "000001");
	script.times = 0;
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 2, "both are stored");
	tap_ok(ship_is_empty(&s), "and gone");
	ship_close(&s);
}

static void test_circuit(void)
{
	struct ship s;
	size_t before;

	begin(&s, "", FAKE_AGAIN);
	ship_make_many(&s, A, 3);
	ship_make_many(&s, B, 3);
	ship_make_many(&s, C, 3);
	ship_make_many(&s, "sessions/request=R/session=d/", 3);
	ship_turn(&s);
	tap_int((long long)s.store.started, 4, "four sessions try");
	tap_ok(s.upload->circuit.open, "three failures open the circuit");
	tap_int((long long)s.status.away, 1, "the store counts as away");
	tap_int((long long)s.status.away_since, clock_real_ms() / 1000, "since now");
	tap_str(s.status.reason, "away", "with the reason");
	before = s.store.started;
	ship_turn(&s);
	tap_int((long long)(s.store.started - before), 0, "then nothing starts");
	ship_for(&s, 10 * 60000);
	/* 0.5 + 1 + 2 + 4 and then one in 8 s */
	tap_int((long long)(s.store.started - before), 4 + (600 - 8) / 8, "but one in a pause");
	tap_int((long long)s.status.quarantined, 0, "nobody goes to quarantine for it");
	s.store.most_flying = 0;
	ship_make_many(&s, INDEX, 8);
	upload_news(s.upload, INDEX "000000");
	ship_for(&s, 30000); /* so that it has its tries */
	script.times = 0;
	ship_for(&s, 8001);
	tap_int((long long)s.store.n_objects, 20, "all goes out when the store is back");
	tap_ok(s.store.most_flying > 1, "in parallel");
	tap_ok(!s.upload->circuit.open && s.status.away == 0 && s.status.away_since == 0 &&
		       !s.status.reason,
	       "and it is not away any more");
	ship_close(&s);
}

/* Stragglers that fail after the circuit opened do not lengthen its pause. */
static void test_stragglers(void)
{
	struct ship s;
	char dir[64];

	begin(&s, "", FAKE_PERM);
	for (int i = 0; i < 8; i++) {
		snprintf(dir, sizeof(dir), "sessions/request=R/session=%d/", i);
		ship_make_many(&s, dir, 1);
	}
	ship_turn(&s);
	tap_int((long long)s.store.started, 8, "eight are under way");
	tap_int(s.upload->circuit.retry.failures, 1, "the circuit counts one pause");
	script.times = 0;
	ship_for(&s, 600);
	tap_int((long long)s.store.n_objects, 8, "which is over soon");
	ship_close(&s);
}

/* One session whose first object fails, whatever the reason. */
static void test_one_fails(void)
{
	struct ship s;

	begin(&s, A, FAKE_AGAIN);
	ship_make_many(&s, A, 3);
	ship_for(&s, 1000);
	tap_int((long long)s.store.n_objects, 0, "one directory alone fails");
	ship_for(&s, 29000);
	tap_ok(!s.upload->circuit.open, "which opens no circuit");
	tap_int((long long)s.status.away, 1, "but the store counts as away: nothing works");
	ship_make_many(&s, B, 3);
	upload_news(s.upload, B "000000");
	ship_turn(&s);
	ship_turn(&s);
	ship_turn(&s);
	tap_int((long long)s.store.n_objects, 3, "another directory is shipped at once");
	tap_int((long long)s.status.away, 0, "and it is not away");
	script.times = 0;
	ship_for(&s, 8000);
	tap_int((long long)s.store.n_objects, 6, "the first one when its pause is over");
	ship_close(&s);
}

/* Tries of one failing object, counted over time. */
static void test_backoff(void)
{
	static const struct {
		int64_t at; /* ms after the start, just before and just after */
		unsigned tries;
	} cases[] = {{499, 1},  {501, 2},  {1499, 2},  {1502, 3},  {3499, 3},  {3504, 4},
		     {7499, 4}, {7506, 5}, {15499, 5}, {15510, 6}, {23515, 7}, {31520, 8}};
	struct ship s;
	int64_t begun;

	begin(&s, A, FAKE_AGAIN);
	ship_make_many(&s, A, 1);
	begun = clock_mono_ms();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ship_for(&s, begun + cases[i].at - clock_mono_ms());
		tap_int((long long)s.store.started, cases[i].tries, "full pauses: after %d ms",
			(int)cases[i].at);
	}
	ship_close(&s);
	begin(&s, A, FAKE_AGAIN);
	s.random = 0;
	ship_make_many(&s, A, 1);
	ship_turn(&s);
	for (int i = 0; i < 5; i++)
		ship_turn(&s);
	tap_int((long long)s.store.started, 6, "the least pause is none");
	ship_close(&s);
}

static void test_quarantine_bad(enum fake_answer why, const char *reason)
{
	struct ship s;
	char line[128] = "";
	int fd;

	begin(&s, A "000001", why);
	ship_make_many(&s, A, 4);
	ship_for(&s, 1499);
	tap_int((long long)s.store.n_objects, 1, "%s: what is behind it waits", reason);
	ship_for(&s, 10);
	tap_int((long long)s.store.n_objects, 3, "%s: not after three tries", reason);
	tap_int((long long)s.status.quarantined, 1, "%s: quarantined", reason);
	tap_ok(ship_there(&s, "quarantine/" A "000001"), "%s: there it is", reason);
	fd = openat(s.quarantine_fd, A "000001.reason", O_RDONLY | O_CLOEXEC);
	tap_ok(fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && strstr(line, reason) != NULL,
	       "%s: with the reason", reason);
	close(fd);
	tap_ok(ship_is_empty(&s), "%s: out of the way", reason);
	tap_ok(!s.upload->circuit.open && s.status.away == 0, "%s: the store is not away", reason);
	ship_for(&s, 600000);
	tap_int((long long)s.store.started, 1 + 3 + 2 + 1, "%s: tried once again ten minutes later",
		reason);
	tap_int((long long)s.status.quarantined, 1, "%s: in vain", reason);
	script.times = 0;
	ship_for(&s, 600001);
	tap_ok(stored_is(&s, A "000001", A "000001"), "%s: and stored at last", reason);
	tap_int((long long)s.status.quarantined, 0, "%s: none is left", reason);
	tap_ok(!ship_there(&s, "quarantine/sessions"), "%s: nor its reason", reason);
	ship_close(&s);
}

/* What another failure means depends on whether the store takes others meanwhile. */
static void test_quarantine_any(void)
{
	struct ship s;
	char key[64];
	int i;

	begin(&s, A, FAKE_AGAIN);
	ship_make_many(&s, A, 2);
	ship_for(&s, HOUR);
	tap_ok(s.store.started > 100, "very many failures");
	tap_int((long long)s.status.quarantined, 0, "no quarantine while nothing is stored at all");
	ship_close(&s);

	begin(&s, A "000000", FAKE_PERM);
	ship_make_many(&s, A, 2);
	for (i = 0; i < 1000 && s.status.quarantined == 0; i++) {
		snprintf(key, sizeof(key), B "%06d", i);
		ship_make(&s, key, "other");
		upload_news(s.upload, key);
		ship_for(&s, 100);
	}
	tap_int((long long)s.status.quarantined, 1, "quarantine while others are stored");
	tap_int((long long)s.status.failures, 8, "after eight failures");
	tap_ok(stored_is(&s, A "000001", A "000001"), "the next one is stored");
	ship_close(&s);
}

/* At start what lies in quarantine is tried. Many that fail there say nothing about the store. */
static void test_quarantine_start(void)
{
	struct ship s;
	char key[64];

	begin(&s, "", FAKE_INVALID);
	for (int i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "sessions/request=R/session=%d/000000", i);
		ship_make(&s, key, key);
	}
	ship_for(&s, 2000);
	tap_int((long long)s.status.quarantined, 5, "five in quarantine");
	ship_kill(&s, NULL, NULL);
	script.to_prefix = FAKE_PERM;
	memset(&s.status, 0, sizeof(s.status));
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_int((long long)s.status.quarantined, 5, "counted by the next process");
	tap_int((long long)s.status.failures, 5, "which tries each");
	tap_ok(!s.upload->circuit.open && s.status.away == 0, "that opens no circuit");
	ship_kill(&s, NULL, NULL);
	script.times = 0;
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 5, "stored by the next");
	tap_int((long long)s.status.quarantined, 0, "none is left");
	ship_close(&s);
}

static void test_conflict(bool looks)
{
	const char *beside = A "000001.conflict-a7c61af9"; /* sha256 of A "000001" */
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	s.store.looks = looks;
	fake_store_plant(&s.store, A "000001", "forged");
	ship_make_many(&s, A, 3);
	ship_for(&s, 100);
	tap_ok(stored_is(&s, A "000001", "forged"), "conflict: what was there stays");
	tap_ok(stored_is(&s, beside, A "000001"), "the other is beside it");
	tap_int((long long)s.store.n_objects, 4, "nothing else is");
	tap_int((long long)s.status.conflicts, 1, "it is counted");
	tap_int((long long)s.status.stored, 3, "as stored");
	tap_ok(ship_is_empty(&s), "nothing is left");
	ship_close(&s);
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Killed when the store has the object but the file is still there. */
static void test_kill(bool looks)
{
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	s.store.looks = looks;
	ship_make_many(&s, A, 2);
	upload_turn(s.upload);
	ship_kill(&s, always, NULL);
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 2, "killed before the answer: no object twice");
	tap_int((long long)s.status.assumed, looks ? 0 : 1, "taken for stored");
	tap_int((long long)s.status.conflicts, 0, "no conflict");

	fake_store_plant(&s.store, B "000000", "forged");
	ship_make_many(&s, B, 1);
	upload_news(s.upload, B "000000");
	upload_turn(s.upload);
	fake_store_end_one(&s.store, 0); /* now the one beside it is under way */
	ship_kill(&s, always, NULL);
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 4, "killed at the conflict: no object twice");
	tap_int((long long)s.status.conflicts, 1, "one conflict");
	tap_ok(ship_is_empty(&s), "nothing is left");

	ship_make_many(&s, C, 1);
	upload_news(s.upload, C "000000");
	upload_turn(s.upload);
	ship_kill(&s, never, NULL);
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_ok(stored_is(&s, C "000000", C "000000"), "killed before it was stored: it is now");
	ship_close(&s);
}

/* Killed when the answer is there, before the local copy goes. */
static void test_kill_between(void)
{
	struct ship s;
	int status = 0;
	pid_t pid;

	open_with(&s, NULL, FAKE_OK);
	ship_make_many(&s, A, 1);
	pid = fork();
	if (pid == 0) {
		ship_start(&s, SHIP_BOOT);
		upload_turn(s.upload);
		fault_kill_at(1);
		fake_store_end_one(&s.store, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	tap_int(WEXITSTATUS(status), FAULT_STATUS, "killed between put and unlink");
	tap_ok(ship_there(&s, "ready/" A "000000"), "the file is still there");
	fake_store_plant(&s.store, A "000000", A "000000");
	ship_start(&s, SHIP_BOOT);
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 1, "no object twice");
	tap_int((long long)s.status.assumed, 1, "taken for stored");
	tap_ok(ship_is_empty(&s), "and gone");
	ship_close(&s);
}

/* The stored object cannot be removed. */
static void test_unlink_fails(void)
{
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	ship_make_many(&s, A, 3);
	upload_turn(s.upload);
	fault_fail_at(1, 1, EIO);
	ship_turn(&s);
	fault_off();
	tap_int((long long)s.status.stored, 0, "not removed: not done");
	ship_for(&s, 499);
	tap_int((long long)s.store.started, 1, "its session waits");
	ship_for(&s, 100);
	tap_int((long long)s.status.stored, 3, "then it is put again, and all is well");
	tap_int((long long)s.store.n_objects, 3, "no object twice");
	tap_int((long long)s.status.quarantined, 0, "none in quarantine");
	ship_close(&s);
}

/* The answer is lost, by the same process or before a reboot. */
static void test_lost(void)
{
	struct ship s;

	begin(&s, A, FAKE_LOST);
	script.times = 1;
	ship_make_many(&s, A, 2);
	ship_for(&s, 600);
	tap_int((long long)s.store.n_objects, 2, "a lost answer: no object twice");
	tap_int((long long)s.status.assumed, 1, "taken for stored");
	script.times = 1;
	ship_make_many(&s, B, 1);
	script.prefix = B;
	upload_news(s.upload, B "000000");
	ship_turn(&s);
	ship_kill(&s, never, NULL);
	clock_fake_advance(120000); /* or the file would be newer than the shipper's start */
	ship_start(&s, "6a3b7c1e-0000-4000-8000-000000000002");
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 3, "a reboot: no object twice");
	tap_int((long long)s.status.assumed, 2, "taken for stored");
	tap_int((long long)s.status.conflicts, 0, "no conflict");
	ship_close(&s);
}

/* More lost answers than attempts can be remembered: then nothing is started blindly. */
static void test_many_lost(void)
{
	struct ship s;

	begin(&s, "", FAKE_LOST_BEFORE);
	ship_make_many(&s, INDEX, ATTEMPTS_MAX + 200);
	s.random = 0; /* no pauses */
	script.times = ATTEMPTS_MAX;
	ship_for(&s, 1000);
	ship_for(&s, 20000);
	tap_int((long long)s.store.n_objects, ATTEMPTS_MAX + 200, "all arrive");
	tap_int((long long)s.status.conflicts, 0, "without a conflict");
	ship_close(&s);
}

static void test_keep_local(void)
{
	struct ship s;
	struct stat st;

	open_with(&s, NULL, FAKE_OK);
	s.options.dirs.sent_fd = s.sent_fd;
	ship_start(&s, SHIP_BOOT);
	ship_make_many(&s, A, 2);
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 2, "keep_local: stored");
	tap_ok(ship_is_empty(&s), "no longer ready");
	tap_ok(fstatat(s.sent_fd, A "000001", &st, 0) == 0 && st.st_size == sizeof(A "000001") - 1,
	       "and kept whole");
	ship_for(&s, 120000);
	tap_int((long long)s.store.started, 2, "not shipped again");
	ship_close(&s);
}

static void test_gone(void)
{
	struct ship s;

	open_with(&s, NULL, FAKE_OK);
	s.options.parallel = 1;
	ship_start(&s, SHIP_BOOT);
	ship_make_many(&s, A, 5);
	ship_turn(&s); /* the names are known now */
	unlinkat(s.ready_fd, A "000001", 0);
	unlinkat(s.ready_fd, A "000002", 0);
	if (symlinkat("000004", s.ready_fd, A "000002") != 0)
		tap_ok(false, "cannot make a link");
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 3, "what somebody took away is no error");
	tap_int((long long)s.status.failures, 0, "nothing failed");
	tap_ok(!fake_store_find(&s.store, A "000002"), "no link is followed");
	ship_close(&s);
}

/* One object of an unordered directory that is never taken. */
static void test_unordered_failure(void)
{
	struct ship s;

	begin(&s, INDEX "000003", FAKE_AGAIN);
	ship_make_many(&s, INDEX, 50);
	ship_for(&s, 1500);
	tap_int((long long)s.store.n_objects, 49, "the others do not wait for it");
	tap_int((long long)s.status.quarantined, 0, "which stays");
	script.times = 0;
	ship_for(&s, 8000);
	tap_int((long long)s.store.n_objects, 50, "until it is taken");
	ship_close(&s);

	begin(&s, INDEX, FAKE_PERM);
	ship_make_many(&s, INDEX, 500);
	ship_make_many(&s, A, 3);
	ship_for(&s, 60000);
	tap_int((long long)s.store.n_objects, 3, "a whole directory is refused");
	tap_ok(s.store.started < 3 + 40, "it is not hammered: %zu tries", s.store.started);
	ship_close(&s);
}

/* Far more directories than are known at a time. */
static void test_many(void)
{
	struct ship s;
	char dir[64];
	size_t most = 0;

	begin(&s, NULL, FAKE_OK);
	for (int i = 0; i < 1500; i++) {
		snprintf(dir, sizeof(dir), "sessions/request=R%d/session=%d/", i % 7, i);
		ship_make_many(&s, dir, 1);
	}
	for (int i = 0; i < 1500 && s.store.n_objects < 1500; i++) {
		ship_turn(&s);
		most = s.upload->schedule.n > most ? s.upload->schedule.n : most;
	}
	tap_int((long long)s.store.n_objects, 1500, "fifteen hundred directories");
	tap_ok(most <= SCHEDULE_WALK_MAX, "of which %zu are known at a time", most);
	ship_close(&s);
}

/* More directories fail than can be known, while the store takes others. */
static void test_many_fail(void)
{
	struct ship s;
	char dir[64];

	open_with(&s, "sessions/", FAKE_PERM);
	s.options.policy.max_ms = 1000;
	ship_start(&s, SHIP_BOOT);
	for (int i = 0; i < 900; i++) {
		snprintf(dir, sizeof(dir), "sessions/request=R/session=%d/", i);
		ship_make_many(&s, dir, 1);
		if (i % 3 == 2) {
			snprintf(dir, sizeof(dir), "index/%d/", i);
			ship_make_many(&s, dir, 1);
		}
	}
	ship_for(&s, 20 * 60000);
	tap_int((long long)s.store.n_objects, 300, "what can be stored is, however long it takes");
	script.times = 0;
	ship_for(&s, 3 * 60000);
	tap_int((long long)s.store.n_objects, 1200, "the others when they can");
	ship_close(&s);
}

/* The last pass: everything once, no pause is waited for. */
static void test_pass(void)
{
	struct ship s;
	char dir[64];
	int64_t begun;

	begin(&s, "", FAKE_AGAIN);
	for (int i = 0; i < 100; i++) {
		snprintf(dir, sizeof(dir), "sessions/request=R/session=%d/", i);
		ship_make_many(&s, dir, 2);
	}
	ship_for(&s, HOUR);
	begun = clock_mono_ms();
	ship_pass(&s);
	tap_ok(clock_mono_ms() - begun <= 0.5 * 1000 + 1000 + 2000 + 4000 + 100,
	       "a pass over a store that is away ends soon: %d ms", (int)(clock_mono_ms() - begun));
	tap_int((long long)upload_left(s.upload), 200, "all is left");
	tap_str(upload_reason(s.upload), "away", "for this reason");
	script.times = 0;
	begun = clock_mono_ms();
	ship_pass(&s);
	tap_int((long long)s.store.n_objects, 200, "one over a store that is back ships all");
	tap_int(clock_mono_ms() - begun, 0, "without waiting");
	tap_int((long long)upload_left(s.upload), 0, "none is left");
	tap_ok(!ship_there(&s, "ready/sessions"), "not even a directory");
	ship_close(&s);

	begin(&s, A, FAKE_PERM);
	ship_make_many(&s, A, 3);
	ship_make_many(&s, B, 3);
	ship_pass(&s);
	tap_int((long long)s.store.started, 4, "what fails is tried once, nothing behind it");
	tap_int((long long)upload_left(s.upload), 3, "and left");
	ship_close(&s);
}

/* A crash can leave a file without bytes; what is behind it does not wait. */
static void test_empty(void)
{
	struct ship s;

	begin(&s, NULL, FAKE_OK);
	ship_make(&s, A "000000", "");
	ship_make(&s, A "000001", "x");
	ship_make(&s, INDEX "0", "");
	ship_for(&s, 100);
	tap_int((long long)s.store.n_objects, 1, "an empty object is none");
	tap_int((long long)s.status.quarantined, 2, "it is out of the way at once");
	tap_ok(ship_there(&s, "quarantine/" A "000000.reason"), "with the reason");
	ship_for(&s, 700000);
	tap_int((long long)s.store.started, 1, "and never put");
	ship_make(&s, A "000000", "found again");
	upload_news(s.upload, A "000000");
	ship_for(&s, 100);
	tap_ok(stored_is(&s, A "000000", "found again"), "but for one with bytes");
	ship_close(&s);
}

/* The store is closed with puts under way. */
static void test_close(void)
{
	struct ship s;

	begin(&s, "", FAKE_AGAIN);
	ship_make_many(&s, A, 2);
	ship_make_many(&s, INDEX, 10);
	upload_turn(s.upload);
	upload_close(s.upload);
	store_run(&s.store.base, 0, NULL, 0);
	tap_int((long long)s.store.n_flying, 0, "closed: all have ended");
	tap_int((long long)s.status.failures, 0, "and nothing failed by it");
	ship_close(&s);
}

static void test_numbers(void)
{
	struct ship s;

	begin(&s, A, FAKE_AGAIN);
	ship_make_many(&s, A, 5);
	ship_make_many(&s, B, 5);
	ship_for(&s, 121000);
	tap_int((long long)s.status.waiting, 5, "waiting objects are counted");
	tap_ok(s.status.oldest > 0 && s.status.oldest < 200, "and how old the oldest is: %llu s",
	       (unsigned long long)s.status.oldest);
	script.times = 0;
	ship_for(&s, 70000);
	tap_int((long long)s.status.waiting, 0, "none waits");
	tap_int((long long)s.status.oldest, 0, "so none is old");
	tap_ok(upload_is_idle(s.upload), "idle");
	tap_ok(upload_wait_ms(s.upload, 1000) == 1000, "for as long as one likes");
	ship_close(&s);
}

int main(void)
{
	log_init("test_upload", LOG_LEVEL_ERR);
	test_order();
	test_parallel();
	test_fairness();
	test_news_first();
	test_news_only();
	test_made_anew();
	test_circuit();
	test_stragglers();
	test_one_fails();
	test_backoff();
	test_quarantine_bad(FAKE_INVALID, "bad object");
	test_quarantine_bad(FAKE_IO, "cannot be read");
	test_quarantine_any();
	test_quarantine_start();
	test_conflict(true);
	test_conflict(false);
	test_kill(true);
	test_kill(false);
	test_kill_between();
	test_unlink_fails();
	test_lost();
	test_many_lost();
	test_keep_local();
	test_gone();
	test_unordered_failure();
	test_many();
	test_many_fail();
	test_pass();
	test_empty();
	test_close();
	test_numbers();
	return tap_done();
}
