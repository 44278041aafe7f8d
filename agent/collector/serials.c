/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/serials.h"

#include <stdlib.h>

#define MARK_MS 50 /* how fine the waiting and the intervals are */
#define MARKS 128
/* So many in a row far behind what was seen: the number far ahead was a wrong one. */
#define STRAYS_MAX 64

struct mark { /* how far the numbers were at a time */
	uint32_t end;
	int64_t now_ms, time_ms;
};

struct serials {
	bool any;
	uint32_t base, end; /* all before base is settled; end: one after the highest */
	uint64_t seen[SERIALS_WINDOW / 64];
	struct mark marks[MARKS]; /* a ring, oldest first */
	size_t first_mark, n_marks;
	int64_t base_ms; /* event time of what was settled last */
	int64_t time_ms; /* of the last record */
	unsigned strays;
	uint64_t missing;
	int64_t from_ms, to_ms; /* around those */
};

struct serials *serials_new(void)
{
	return calloc(1, sizeof(struct serials));
}

void serials_free(struct serials *s)
{
	free(s);
}

static bool take_bit(struct serials *s, uint32_t serial)
{
	uint64_t *word = &s->seen[serial % SERIALS_WINDOW / 64], bit = 1ULL << serial % 64;
	bool was = *word & bit;

	*word &= ~bit;
	return was;
}

static void set_bit(struct serials *s, uint32_t serial)
{
	s->seen[serial % SERIALS_WINDOW / 64] |= 1ULL << serial % 64;
}

/* What lies before end and has not come is missing. time_ms: when end was reached. */
static void settle(struct serials *s, uint32_t end, int64_t time_ms)
{
	uint64_t before = s->missing;

	for (; s->base != end; s->base++)
		/* The kernel leaves 0 out when it begins anew. */
		s->missing += !take_bit(s, s->base) && s->base != 0;
	if (s->missing > before) {
		if (before == 0)
			s->from_ms = s->base_ms;
		s->to_ms = time_ms;
	}
	s->base_ms = time_ms;
}

static void begin(struct serials *s, uint32_t serial, int64_t time_ms)
{
	for (size_t i = 0; i < SERIALS_WINDOW / 64; i++)
		s->seen[i] = 0;
	s->any = true;
	s->base = serial;
	s->end = serial + 1;
	s->base_ms = time_ms;
	s->n_marks = s->strays = 0;
	set_bit(s, serial);
}

/* More are open than there is room for. */
static void make_room(struct serials *s, uint32_t serial, int64_t time_ms)
{
	uint32_t base = serial - (SERIALS_WINDOW - 1);

	if ((int32_t)(s->end - base) < 0) { /* and the numbers in between were never seen */
		int64_t before_ms = s->base_ms;

		settle(s, s->end, time_ms);
		if (s->missing == 0)
			s->from_ms = before_ms;
		s->missing += base - s->end;
		s->to_ms = time_ms;
		s->base = s->end = base;
	} else {
		settle(s, base, time_ms);
	}
	while (s->n_marks && (int32_t)(s->marks[s->first_mark].end - s->base) <= 0) {
		s->first_mark = (s->first_mark + 1) % MARKS;
		s->n_marks--;
	}
}

static struct mark *last_mark(struct serials *s)
{
	return s->n_marks ? &s->marks[(s->first_mark + s->n_marks - 1) % MARKS] : NULL;
}

/* Within MARK_MS a mark goes on: its numbers wait that much less. */
static void mark(struct serials *s, int64_t now_ms)
{
	struct mark *last = last_mark(s);

	if (last && now_ms - last->now_ms < MARK_MS) {
		last->end = s->end;
		last->time_ms = s->time_ms;
	} else if (s->n_marks < MARKS) { /* or else with the next one that is settled */
		s->marks[(s->first_mark + s->n_marks++) % MARKS] =
			(struct mark){s->end, now_ms, s->time_ms};
	}
}

void serials_note(struct serials *s, uint64_t number, int64_t time_ms, int64_t now_ms)
{
	uint32_t serial = (uint32_t)number;
	int32_t ahead = (int32_t)(serial - s->base);

	if (!s->any) {
		begin(s, serial, time_ms);
	} else if (ahead < 0) { /* settled already: nothing more to learn from it */
		s->strays += ahead < -SERIALS_WINDOW;
		if (s->strays > STRAYS_MAX)
			begin(s, serial, time_ms);
		return;
	} else {
		if (ahead >= SERIALS_WINDOW)
			make_room(s, serial, time_ms);
		set_bit(s, serial);
		if ((int32_t)(serial - s->end) >= 0)
			s->end = serial + 1;
		s->strays = 0;
	}
	s->time_ms = time_ms;
	mark(s, now_ms);
}

uint64_t serials_missing(struct serials *s, int64_t wait_ms, int64_t now_ms, int64_t *start_ms,
			 int64_t *end_ms)
{
	uint64_t n;

	while (s->n_marks && now_ms - s->marks[s->first_mark].now_ms >= wait_ms) {
		settle(s, s->marks[s->first_mark].end, s->marks[s->first_mark].time_ms);
		s->first_mark = (s->first_mark + 1) % MARKS;
		s->n_marks--;
	}
	if (s->any)
		mark(s, now_ms);
	n = s->missing;
	if (n) {
		*start_ms = s->from_ms;
		*end_ms = s->to_ms;
	}
	s->missing = 0;
	return n;
}
