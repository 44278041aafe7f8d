/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/s3_internal.h"

static int s3_place(const struct store_s3 *s3, const char *region, struct s3_location *out)
{
	struct s3_where w = s3->where;

	w.region = region;
	return s3_location_make(&w, out, NULL);
}

static void s3_move(struct store_s3 *s3, struct s3_location *to)
{
	s3_location_free(&s3->at);
	s3->at = *to;
	*to = (struct s3_location){0};
}

/* The region was told by a server: it may move us to another host of the same partition, never to
 * any other. */
static bool s3_repair_region(struct store_s3 *s3, const struct s3_signed *s, const char *region)
{
	_cleanup_(s3_location_free) struct s3_location to = {0};

	if (!*region)
		return false;
	/* Another request has found out meanwhile. */
	if (strcmp(s->region, s3->at.region) != 0)
		return true;
	if (s3_place(s3, region, &to) != 0 || strcmp(to.partition, s3->at.partition) != 0 ||
	    strcmp(to.region, s3->at.region) == 0)
		return false;
	s3_move(s3, &to);
	log_limited(&s3->moved, LOG_LEVEL_WARN,
		    "event=region store=%s region=%s hint=\"set store.s3_region\"", s3->base.name,
		    s3->at.region);
	return true;
}

static bool s3_repair_clock(struct store_s3 *s3, int64_t date_ms)
{
	int64_t off = date_ms - clock_real_ms();

	if (date_ms <= 0)
		return false;
	log_limited(&s3->moved, LOG_LEVEL_WARN,
		    "event=clock_off store=%s seconds=%lld hint=\"set this host's clock\"",
		    s3->base.name, (long long)(off / 1000));
	s3->clock_off_ms = off;
	return true;
}

/* Many requests may be refused for the same credentials: the chain is told once. */
static bool s3_repair_credentials(struct store_s3 *s3, const struct s3_signed *s)
{
	if (s->refusals == s3->refusals) {
		aws_chain_refused(s3->chain);
		s3->refusals++;
	}
	return true;
}

bool s3_repair(struct store_s3 *s3, const struct s3_signed *s, const struct s3_answer *a,
	       unsigned *done)
{
	unsigned bit = 1u << a->repair;

	if (*done & bit)
		return false;
	*done |= bit;
	switch (a->repair) {
	case S3_REPAIR_CLOCK:
		return s3_repair_clock(s3, a->date_ms);
	case S3_REPAIR_REGION:
		return s3_repair_region(s3, s, a->region);
	case S3_REPAIR_CREDENTIALS:
		return s3_repair_credentials(s3, s);
	default:
		return false;
	}
}

/* Without a region anywhere the default of the stock clients is asked: it says where the bucket
 * is. */
void s3_find_region(struct store_s3 *s3)
{
	_cleanup_(s3_location_free) struct s3_location to = {0};
	_cleanup_buf_ struct buf region = {0};

	if (!s3->region_guessed)
		return;
	s3->region_guessed = false;
	buf_init(&region, S3_REGION_MAX);
	if (aws_region(s3->chain, &region, NULL) == 0 && s3_place(s3, buf_cstr(&region), &to) == 0)
		s3_move(s3, &to);
}
