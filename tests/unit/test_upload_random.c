/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * Whatever goes wrong, in whatever order: in the end every object is in the store
 * exactly once, with its bytes, and at any moment what is there of a session is all
 * that came before. TEST_SEED=N repeats a run, TEST_STEPS=N makes it longer.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/log.h"
#include "tests/unit/ship_check.h"
#include "tests/unit/tap.h"

#define DIRS 8
#define ORDERED 6 /* the first of them */
#define OBJECTS 40000
#define HOUR 3600000

struct made {
	char key[80];
	unsigned dir, number;
	bool planted; /* the store holds something else under its key */
};

enum trouble { NONE, SOME, AWAY, REFUSED_DIR, REFUSED_OBJECTS, TROUBLES };

struct world {
	struct ship ship;
	uint64_t seed;
	struct made *made;
	unsigned n_made, n_planted, next[DIRS];
	enum trouble trouble;
	unsigned refused; /* a directory, or which objects */
	unsigned boots, kills, gaps;
};

static uint32_t any(struct world *w, uint32_t n)
{
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return (uint32_t)((w->seed * 0x2545f4914f6cdd1du) >> 33) % n;
}

static uint32_t chance(void *ctx)
{
	return any(ctx, UINT32_MAX);
}

static bool coin(void *ctx)
{
	return any(ctx, 2) == 0;
}

static void key_of(char *out, size_t size, unsigned dir, unsigned number)
{
	if (dir < ORDERED)
		snprintf(out, size, "sessions/request=R%u/session=%u/%06u", dir % 2, dir, number);
	else
		snprintf(out, size, "index/date=%u/%06u.json", dir, number);
}

static void text_of(const struct made *m, char out[200])
{
	snprintf(out, 200, "object %s %*s", m->key, (int)(m->number % 60), "end");
}

/* Where the object is, or is to be. */
static void place_of(const struct made *m, char out[128])
{
	char hex[DIGEST_HEX_SIZE], text[200];

	text_of(m, text);
	digest_hex(slice_of(text), hex);
	if (m->planted)
		snprintf(out, 128, "%s.conflict-%.8s", m->key, hex);
	else
		snprintf(out, 128, "%s", m->key);
}

static enum fake_answer some_trouble(struct world *w)
{
	static const enum fake_answer answers[] = {FAKE_AGAIN, FAKE_PERM, FAKE_INVALID,
						   FAKE_IO,    FAKE_LOST, FAKE_LOST_BEFORE,
						   FAKE_SLOW};

	return any(w, 4) == 0 ? answers[any(w, ARRAY_LEN(answers))] : FAKE_OK;
}

static enum fake_answer answer(void *ctx, const char *key)
{
	struct world *w = ctx;
	const char *slash = strrchr(key, '/');

	switch (w->trouble) {
	case SOME:
		return some_trouble(w);
	case AWAY:
		return any(w, 3) ? FAKE_AGAIN : any(w, 2) ? FAKE_LOST : FAKE_LOST_BEFORE;
	case REFUSED_DIR:
		return slash[-1] == (char)('0' + w->refused) ? FAKE_PERM : FAKE_OK;
	case REFUSED_OBJECTS:
		return slash[6] == (char)('0' + w->refused) ? FAKE_INVALID : FAKE_OK;
	default:
		return FAKE_OK;
	}
}

static bool is_quarantined(struct world *w, const struct made *m)
{
	return faccessat(w->ship.quarantine_fd, m->key, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An object has appeared: of its session all before it must be there, or be out of the way. */
static void stored(void *ctx, const char *key)
{
	struct world *w = ctx;
	const struct made *m = NULL;
	char place[128];
	unsigned checked = 0;

	for (unsigned i = w->n_made; i-- > 0 && checked < 20;) {
		if (!m) {
			place_of(&w->made[i], place);
			if (strcmp(place, key) == 0 && w->made[i].dir < ORDERED)
				m = &w->made[i];
			continue;
		}
		if (w->made[i].dir != m->dir)
			continue;
		checked++;
		place_of(&w->made[i], place);
		w->gaps +=
			!fake_store_find(&w->ship.store, place) && !is_quarantined(w, &w->made[i]);
	}
}

static void make(struct world *w)
{
	struct made *m = &w->made[w->n_made];
	char text[200];

	if (w->n_made == OBJECTS)
		return;
	m->dir = any(w, DIRS);
	m->number = w->next[m->dir]++;
	key_of(m->key, sizeof(m->key), m->dir, m->number);
	m->planted = w->ship.store.looks && any(w, 30) == 0;
	if (m->planted)
		fake_store_plant(&w->ship.store, m->key, "forged");
	w->n_planted += m->planted;
	w->n_made++;
	text_of(m, text);
	ship_make(&w->ship, m->key, text);
	if (any(w, 3))
		upload_news(w->ship.upload, m->key);
}

static void start(struct world *w)
{
	char boot[64];

	snprintf(boot, sizeof(boot), "6a3b7c1e-0000-4000-8000-%012u", w->boots);
	ship_start(&w->ship, boot);
}

static void kill_it(struct world *w)
{
	w->kills++;
	ship_kill(&w->ship, coin, w);
	if (any(w, 5) == 0) {
		w->boots++;
		clock_fake_advance(120000); /* the files' times are real ones */
	}
	start(w);
}

static void change(struct world *w)
{
	w->trouble = any(w, TROUBLES);
	w->refused = any(w, 10);
}

static void step(struct world *w)
{
	struct fake_store *f = &w->ship.store;

	for (uint32_t n = any(w, 3); n > 0; n--)
		make(w);
	upload_turn(w->ship.upload);
	for (uint32_t n = any(w, 12); n > 0 && f->n_flying > 0; n--)
		(void)fake_store_end_one(f, any(w, (uint32_t)f->n_flying));
	if (any(w, 3) == 0)
		clock_fake_advance(any(w, 1000));
	if (any(w, 50) == 0)
		change(w);
	if (any(w, 100) == 0)
		kill_it(w);
	if (any(w, 1000) == 0)
		ship_for(&w->ship, any(w, 20 * 60000));
}

static void check_all(struct world *w)
{
	unsigned right = 0, planted = 0;
	char place[128], text[200];

	for (unsigned i = 0; i < w->n_made; i++) {
		const struct made *m = &w->made[i];
		const struct fake_object *o;

		place_of(m, place);
		text_of(m, text);
		o = fake_store_find(&w->ship.store, place);
		right += o && o->size == strlen(text) && memcmp(o->bytes, text, o->size) == 0;
		o = m->planted ? fake_store_find(&w->ship.store, m->key) : NULL;
		planted += o && o->size == 6 && memcmp(o->bytes, "forged", 6) == 0;
	}
	tap_int(right, w->n_made, "every object is stored with its bytes");
	tap_int(planted, w->n_planted, "what was there before is untouched");
	tap_int((long long)w->ship.store.n_objects, w->n_made + w->n_planted, "and nothing else");
	tap_int(w->gaps, 0, "no session ever had a hole");
	tap_ok(ship_is_empty(&w->ship), "nothing is left in ready/");
	tap_int((long long)upload_left(w->ship.upload), 0, "nor in quarantine/");
}

static void run(uint64_t seed, bool looks, unsigned steps)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.made = calloc(OBJECTS, sizeof(*w.made));
	if (!w.made)
		exit(99);
	ship_open(&w.ship);
	w.ship.store.looks = looks;
	w.ship.store.answer = answer;
	w.ship.store.stored = stored;
	w.ship.store.ctx = &w;
	w.ship.options.random = chance;
	w.ship.options.random_ctx = &w;
	w.ship.options.parallel = 1 + any(&w, 10);
	start(&w);
	for (unsigned i = 0; i < steps; i++)
		step(&w);
	w.trouble = NONE;
	ship_for(&w.ship, 2 * HOUR);
	printf("# seed %llu: %u objects, %u of them in conflict, %u kills, %u reboots, %zu puts\n",
	       (unsigned long long)seed, w.n_made, w.n_planted, w.kills, w.boots,
	       w.ship.store.started);
	check_all(&w);
	ship_close(&w.ship);
	free(w.made);
}

int main(void)
{
	const char *given = getenv("TEST_SEED"), *steps = getenv("TEST_STEPS");
	uint64_t seed = 0;
	unsigned n = steps ? (unsigned)strtoul(steps, NULL, 10) : 2500;

	log_init("test_upload_random", 0);
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return 99;
	if (given)
		seed = strtoull(given, NULL, 10);
	seed |= 1;
	printf("# TEST_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < 4; i++)
		run(seed + 2 * i, i % 2 == 0, n);
	return tap_done();
}
