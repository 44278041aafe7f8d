/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/live.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/store_s3.h"

#define TURN_MS 1000      /* longest wait: the supervisor is told so often */
#define WALK_MS 60000     /* between walks of ready/ */
#define BLIND_MS 1000     /* the same when there is no news */
#define CHECK_MS 10000    /* whether the spool still is where it was */
#define LAST_PASS_MS 8000 /* after SIGTERM; the supervisor kills after 10 s */
#define ONCE_TRIES 3

void live_init(struct live *l, struct role *role)
{
	*l = (struct live){.role = role, .dock = DOCK_CLOSED, .news = {.fd = -1}};
	chores_init(&l->chores, &role->settings);
}

/* Also while the store waits for an answer: tells the supervisor and hears it. */
static bool live_turn(void *ctx)
{
	struct live *l = ctx;

	role_signals(l->role);
	role_beat(l->role);
	if (l->role->stop && l->deadline_ms == 0)
		l->deadline_ms = clock_mono_ms() + LAST_PASS_MS;
	return !l->role->stop || clock_mono_ms() < l->deadline_ms;
}

int live_open_store(struct live *l, struct sa_err *err)
{
	if (l->store)
		return 0;
	return store_open(&l->role->settings, true, live_turn, l, &l->store, err);
}

static int live_open_upload(struct live *l, struct sa_err *err)
{
	const struct settings *set = &l->role->settings;
	struct upload_options o = {
		.store = l->store,
		.attempts = l->dock.attempts,
		.dirs = {{l->dock.ready_fd, l->dock.quarantine_fd},
			 set->store_keep_local > 0 ? l->dock.sent_fd : -1},
		.status = &l->chores.status,
		.policy = {set->store_retry_min, set->store_retry_max},
		.parallel = (unsigned)set->store_parallel,
		.quarantine_retry_ms = set->store_quarantine_retry,
	};

	return upload_new(&o, &l->upload, err);
}

static int live_open(struct live *l, struct sa_err *err)
{
	int rc;

	if ((rc = live_open_store(l, err)) != 0)
		return rc;
	l->chores.status.store = store_name(l->store);
	if (l->dock.spool_fd < 0 &&
	    (rc = dock_open(&l->dock, l->role->settings.spool_dir, err)) != 0)
		return rc;
	if ((rc = live_open_upload(l, err)) != 0)
		return rc;
	news_open(&l->news, l->dock.spool_fd);
	return 0;
}

static void live_away(struct live *l)
{
	struct retry_policy policy = {l->role->settings.store_retry_min,
				      l->role->settings.store_retry_max};
	struct status *status = &l->chores.status;
	uint32_t middle = UINT32_MAX / 2; /* one host's own disk: jitter has nothing to spread */

	if (l->opening.failures == 0) {
		log_err("event=away reason=\"%s\"", l->why.msg);
		status->away_since = (uint64_t)clock_real_ms() / 1000;
	}
	status->away = 1;
	status->reason = l->why.msg;
	retry_failed(&l->opening, &policy, clock_mono_ms(), middle);
}

/* True when store and spool are open; tries where that is due. */
static bool live_is_open(struct live *l)
{
	if (l->upload)
		return true;
	if (!retry_due(&l->opening, clock_mono_ms()))
		return false;
	if (live_open(l, &l->why) != 0) {
		live_away(l);
		return false;
	}
	if (l->opening.failures > 0)
		log_info("event=back failures=%u", l->opening.failures);
	l->opening = (struct retry){0};
	l->chores.status.away = l->chores.status.away_since = 0;
	l->chores.status.reason = NULL;
	return true;
}

static void live_tell(void *ctx, const char *key)
{
	upload_news(ctx, key);
}

static void live_news(struct live *l, bool readable)
{
	int64_t now = clock_mono_ms();

	if (!readable && (l->news.fd >= 0 || now - l->news_ms < BLIND_MS))
		return;
	l->news_ms = now;
	news_read(&l->news, l->dock.spool_fd, live_tell, l->upload);
}

/* Waits for ms, a signal, news or the store; moves what is under way. */
static void live_wait(struct live *l, int64_t ms)
{
	/* The FIFO may be opened anew at any time. */
	struct pollfd fds[] = {{.fd = l->role->signal_fd, .events = POLLIN},
			       {.fd = l->news.fd, .events = POLLIN}};

	if (l->upload)
		store_run(l->store, (int)ms, fds, ARRAY_LEN(fds));
	else
		(void)poll(fds, 1, (int)ms);
	if (l->upload)
		live_news(l, fds[1].revents != 0);
}

static int64_t live_until_open(const struct live *l)
{
	int64_t ms = l->opening.next_ms - clock_mono_ms();

	return ms < 0 ? 0 : ms < TURN_MS ? ms : TURN_MS;
}

/* Between turns. False: the spool is another one. */
static bool live_chores(struct live *l)
{
	int64_t now = clock_mono_ms();

	if (strcmp(l->role->settings.store_type, "s3") == 0)
		l->chores.status.credentials = store_s3_credentials(l->store);
	chores_probe(&l->chores, l->store, upload_is_idle(l->upload), now);
	chores_prune(&l->chores, l->dock.sent_fd, now);
	if (now - l->check_ms < CHECK_MS)
		return true;
	l->check_ms = now;
	return !dock_is_elsewhere(&l->dock, l->role->settings.spool_dir);
}

/* Everything that is there is tried once more, until the deadline. */
static void live_pass(struct live *l)
{
	upload_pass(l->upload);
	while (!upload_pass_is_over(l->upload) && live_turn(l)) {
		upload_turn(l->upload);
		live_wait(l, upload_wait_ms(l->upload, TURN_MS));
	}
}

/* The collector has ended before us: what it left is shipped now, also after a failure. */
static void live_last_pass(struct live *l)
{
	uint64_t left;

	l->opening.next_ms = 0;
	if (!live_is_open(l))
		return;
	live_pass(l);
	left = upload_left(l->upload);
	if (left > 0)
		log_warn("event=stop left=%llu reason=\"%s\"", (unsigned long long)left,
			 upload_reason(l->upload));
}

int live_run(struct live *l)
{
	while (live_turn(l) && !l->role->stop) {
		chores_status(&l->chores, clock_mono_ms());
		if (!live_is_open(l)) {
			live_wait(l, live_until_open(l));
			continue;
		}
		if (!live_chores(l)) {
			log_err("event=spool-replaced action=restart");
			return EXIT_FAILURE;
		}
		upload_walk_every(l->upload, l->news.fd < 0 ? BLIND_MS : WALK_MS);
		upload_turn(l->upload);
		live_wait(l, upload_wait_ms(l->upload, TURN_MS));
	}
	live_last_pass(l);
	l->chores.written_ms = 0;
	chores_status(&l->chores, clock_mono_ms());
	return EXIT_SUCCESS;
}

/* One try of live_once; 0 when nothing is left. */
static int live_try(struct live *l, struct sa_err *err)
{
	uint64_t left;

	if (!l->upload && live_open(l, &l->why) != 0)
		return sa_fail(err, l->why.code, "reason=\"%s\"", l->why.msg);
	live_pass(l);
	if (l->role->stop)
		return sa_fail(err, SA_ERR_AGAIN, "reason=\"stopped by a signal\"");
	left = upload_left(l->upload);
	if (left == 0)
		return 0;
	return sa_fail(err, SA_ERR_AGAIN, "left=%llu reason=\"%s\"", (unsigned long long)left,
		       upload_reason(l->upload));
}

int live_once(struct live *l)
{
	struct sa_err err = {0};

	for (int i = 0; i < ONCE_TRIES && !l->role->stop; i++) {
		if (i > 0)
			live_wait(l, l->role->settings.store_retry_min);
		if (live_try(l, &err) == 0)
			return EXIT_SUCCESS;
	}
	log_err("event=incomplete %s", err.msg);
	return EXIT_FAILURE;
}

void live_end(struct live *l)
{
	if (l->upload)
		upload_close(l->upload);
	store_close(l->store);
	upload_free(l->upload);
	news_close(&l->news);
	dock_close(&l->dock);
	chores_end(&l->chores);
}
