/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/grantd/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/grantd/shelf.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define TURN_MS 1000 /* longest wait: the supervisor is told so often */
#define RETRY_MIN_MS                                                                               \
	5000               /* bounds of the pauses after failures, unless the interval is shorter  \
			    */
#define RETRY_MAX_MS 60000 /* ... or longer */

static bool live_turn(void *ctx)
{
	struct live *l = ctx;

	role_signals(l->role);
	role_beat(l->role);
	return !l->role->stop;
}

int live_init(struct live *l, struct role *role, struct sa_err *err)
{
	*l = (struct live){.role = role, .key_owner = geteuid(), .own_fd = -1};
	l->keeper = (struct keeper){.signers = &l->signers,
				    .host = l->host,
				    .shelf_fd = -1,
				    .turn = live_turn,
				    .turn_ctx = l};
	return fetch_init(&l->fetch, &role->settings, err);
}

/* ---- name, keys and directories ---- */

/* A machine may get its name after this was started: then all is judged anew. */
static int live_name(struct live *l, struct sa_err *err)
{
	char host[sizeof(l->host)] = "";

	if (gethostname(host, sizeof(host) - 1) != 0 || !*host)
		return sa_fail(err, SA_ERR_AGAIN, "this machine has no name yet");
	if (strcmp(host, l->host) == 0)
		return 0;
	memcpy(l->host, host, sizeof(host));
	fetch_taken(&l->fetch, NULL);
	l->ready = false;
	return 0;
}

/* The supervisor makes <run_dir>/grantd; without it, it is the caller's. */
static int live_open_own(struct live *l, struct sa_err *err)
{
	const char *run_dir = l->role->settings.agent_run_dir;
	_cleanup_close_ int run = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (run < 0)
		return sa_fail_errno(err, "open %s", run_dir);
	(void)mkdirat(run, "grantd", 0755);
	l->own_fd = openat(run, "grantd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return l->own_fd < 0 ? sa_fail_errno(err, "open %s/grantd", run_dir) : 0;
}

/* What was known before a broken file still holds; what only it knew is lost, and said so. */
static void live_load_seen(struct live *l)
{
	struct sa_err err = {0};

	if (seen_load(&l->keeper.seen, l->own_fd, clock_real_ms(), &err) != 0)
		log_err("event=seen-lost reason=\"%s\" consequence=\"grants that were revoked "
			"before could come back if the broker sent them again\"",
			err.msg);
}

static int live_open(struct live *l, struct sa_err *err)
{
	const struct conf_list *keys = &l->role->settings.broker_keys;
	int rc;

	if (l->own_fd < 0) {
		if ((rc = live_open_own(l, err)) != 0)
			return rc;
		live_load_seen(l);
	}
	if (l->keeper.shelf_fd < 0 &&
	    (rc = shelf_open(l->role->settings.agent_run_dir, &l->keeper.shelf_fd, err)) != 0)
		return rc;
	/* Without the keys nothing there can be judged, and nothing is touched. */
	if (l->signers.len == 0 && (rc = signers_load((const char *const *)keys->items, keys->len,
						      l->key_owner, &l->signers, err)) != 0)
		return sa_wrap(err, rc, "broker.keys");
	rc = keeper_recover(&l->keeper, clock_real_ms(), err);
	l->ready = rc == 0;
	return rc;
}

/* ---- one question ---- */

static uint32_t live_random(void)
{
	uint32_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != (ssize_t)sizeof(v))
		v = (uint32_t)clock_real_ms() * 2654435761u;
	return v;
}

static int live_apply(struct live *l, const struct http_answer *http, struct sa_err *err)
{
	_cleanup_broker_answer_ struct answer a = {0};
	struct keeper_counts counts;
	int rc = answer_parse(buf_slice(&http->body), &a, err);

	if (rc != 0)
		return sa_wrap(err, rc, "the broker's answer");
	rc = keeper_apply(&l->keeper, &a, clock_real_ms(), &counts, err);
	memcpy(l->report.verdicts, counts.verdicts, sizeof(counts.verdicts));
	l->report.received = a.len;
	if (rc != 0)
		return rc;
	/* A grant issued in the future is right later: the same answer must come again. */
	fetch_taken(&l->fetch, counts.verdicts[VERDICT_FUTURE] == 0 ? http : NULL);
	return 0;
}

static int live_ask(struct live *l, struct sa_err *err)
{
	_cleanup_answer_ struct http_answer answer = {0};
	int rc;

	if ((rc = live_name(l, err)) != 0 || (!l->ready && (rc = live_open(l, err)) != 0) ||
	    (rc = fetch_get(&l->fetch, live_turn, l, &answer, err)) != 0)
		return rc;
	if (answer.status == 200 && (rc = live_apply(l, &answer, err)) != 0) {
		fetch_taken(&l->fetch, NULL);
		return rc;
	}
	return 0;
}

static void live_failed(struct live *l, const struct sa_err *err)
{
	static struct log_limit limit = {.burst = 2};
	int64_t interval = l->role->settings.broker_interval, now = clock_mono_ms();
	struct retry_policy policy = {
		.min_ms = interval < RETRY_MIN_MS ? interval : RETRY_MIN_MS,
		.max_ms = interval > RETRY_MAX_MS ? interval : RETRY_MAX_MS,
	};

	if (!l->report.away)
		l->report.away_since = (uint64_t)clock_real_ms() / 1000;
	l->report.away = 1;
	l->report.failures++;
	memcpy(l->report.reason, err->msg, sizeof(l->report.reason));
	retry_failed(&l->retry, &policy, now, live_random());
	l->next_ms = l->retry.next_ms;
	log_limited(&limit, LOG_LEVEL_ERR,
		    "event=fetch-failed failures=%u retry_in_ms=%lld kept=%llu reason=\"%s\"",
		    l->retry.failures, (long long)(l->next_ms - now),
		    (unsigned long long)keeper_on_shelf(&l->keeper), err->msg);
}

static void live_worked(struct live *l)
{
	int64_t interval = l->role->settings.broker_interval;

	if (l->retry.failures > 0)
		log_info("event=back failures=%u", l->retry.failures);
	l->retry = (struct retry){0};
	l->report.away = l->report.away_since = 0;
	l->report.reason[0] = '\0';
	l->report.fetches++;
	l->report.last_success = (uint64_t)clock_real_ms() / 1000;
	/* A fifth more or less, so that many hosts do not ask at the same moment. */
	l->next_ms = clock_mono_ms() + interval * 4 / 5 +
		     (interval * 2 / 5 * (int64_t)(live_random() >> 1) >> 31);
}

/* By the clock, whether a broker is there or not. */
static void live_tidy(struct live *l)
{
	static struct log_limit limit = {.burst = 2};
	struct sa_err err = {0};

	if ((l->ready && keeper_expire(&l->keeper, clock_real_ms(), &err) != 0) ||
	    (l->keeper.seen.changed && l->own_fd >= 0 &&
	     seen_save(&l->keeper.seen, l->own_fd, &err) != 0))
		log_limited(&limit, LOG_LEVEL_ERR, "event=not-tidied reason=\"%s\"", err.msg);
	l->report.on_shelf = keeper_on_shelf(&l->keeper);
	if (l->own_fd >= 0)
		report_write(l->own_fd, &l->report, clock_real_ms());
}

static void live_round(struct live *l)
{
	struct sa_err err = {0};
	int rc = live_ask(l, &err);

	if (l->role->stop)
		return;
	if (rc != 0)
		live_failed(l, &err);
	else
		live_worked(l);
	live_tidy(l);
}

static void live_wait(struct live *l)
{
	struct pollfd p = {.fd = l->role->signal_fd, .events = POLLIN};
	int64_t ms = l->next_ms - clock_mono_ms();

	(void)poll(&p, 1, ms < 0 ? 0 : ms > TURN_MS ? TURN_MS : (int)ms);
}

int live_run(struct live *l)
{
	l->next_ms = clock_mono_ms();
	while (live_turn(l)) {
		if (clock_mono_ms() >= l->next_ms)
			live_round(l);
		else
			live_wait(l);
	}
	live_tidy(l);
	return EXIT_SUCCESS;
}

void live_end(struct live *l)
{
	fetch_free(&l->fetch);
	keeper_free(&l->keeper);
	signers_free(&l->signers);
	if (l->keeper.shelf_fd >= 0)
		close(l->keeper.shelf_fd);
	if (l->own_fd >= 0)
		close(l->own_fd);
}
