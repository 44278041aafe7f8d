/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/privdrop.h"
#include "agent/role.h"
#include "agent/shipper/upload.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define IDLE_MS 250       /* until the next look for new objects */
#define IDLE_MAX_MS 5000  /* the same when a look takes long */
#define IDLE_SHARE 4      /* pause at least this many times as long as the look took */
#define LAST_PASS_MS 8000 /* after SIGTERM; the supervisor kills after 10 s */
#define ONCE_TRIES 3

struct shipper {
	struct role role;
	bool once, keep_user;
	int64_t deadline_ms; /* of the last pass, 0 while none is due */
	struct store *store; /* NULL until it could be opened */
	bool away;           /* ready/ or the store as a whole is, and that was logged */
	struct retry away_retry;
	struct upload upload;
};

static void usage(FILE *f)
{
	fprintf(f,
		"usage: sessaudit-shipper [--config FILE] [--spool DIR] [--store DIR] [--once]\n"
		"                         [--keep-user] [--beat-fd N]\n"
		"Brings finished objects from the spool into the store; started by sessauditd(8).\n");
}

static int replace(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return SA_ERR_NOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int shipper_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *end || end == text || fd < 3 || fd > INT_MAX ? -1 : (int)fd;
}

/* Arguments, then settings, then the arguments that override them. */
static int shipper_args(struct shipper *s, int argc, char **argv, struct sa_err *err)
{
	enum { CONFIG = 'c', BEAT_FD = 256, ONCE, SPOOL, STORE, KEEP_USER };
	static const struct option options[] = {
		{"config", required_argument, NULL, CONFIG},
		{"beat-fd", required_argument, NULL, BEAT_FD},
		{"once", no_argument, NULL, ONCE},
		{"spool", required_argument, NULL, SPOOL},
		{"store", required_argument, NULL, STORE},
		{"keep-user", no_argument, NULL, KEEP_USER},
		{NULL, 0, NULL, 0},
	};
	const char *config = NULL, *spool = NULL, *store = NULL;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == CONFIG)
			config = optarg;
		else if (c == ONCE)
			s->once = true;
		else if (c == SPOOL)
			spool = optarg;
		else if (c == STORE)
			store = optarg;
		else if (c == KEEP_USER)
			s->keep_user = true;
		else if (c != BEAT_FD || (s->role.beat_fd = shipper_fd(optarg)) < 0)
			return sa_fail(err, SA_ERR_INVALID, "bad arguments");
	}
	if (optind < argc)
		return sa_fail(err, SA_ERR_INVALID, "unexpected argument %s", argv[optind]);
	if ((rc = settings_load(config, &s->role.settings, err)) != 0)
		return rc;
	if ((spool && replace(&s->role.settings.spool_dir, spool) != 0) ||
	    (store && replace(&s->role.settings.store_dir, store) != 0))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}

/* Between any two objects: tells the supervisor and hears it. */
static bool shipper_turn(void *ctx)
{
	struct shipper *s = ctx;

	role_signals(&s->role);
	role_beat(&s->role);
	if (s->role.stop && s->deadline_ms == 0)
		s->deadline_ms = clock_mono_ms() + LAST_PASS_MS;
	return !s->role.stop || clock_mono_ms() < s->deadline_ms;
}

static int shipper_open(struct shipper *s, int *ready, struct sa_err *err)
{
	_cleanup_close_ int spool = -1;
	int rc;

	if (!s->store) {
		rc = store_dir_open(s->role.settings.store_dir, true, &s->store, err);
		if (rc != 0)
			return rc;
		s->upload.store = s->store;
	}
	spool = open(s->role.settings.spool_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool < 0)
		return sa_fail_errno(err, "open spool %s", s->role.settings.spool_dir);
	*ready = openat(spool, "ready", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ready < 0)
		return sa_fail_errno(err, "open spool %s/ready", s->role.settings.spool_dir);
	return 0;
}

static int shipper_walk(struct shipper *s, struct sa_err *err)
{
	_cleanup_close_ int ready = -1;
	int rc = shipper_open(s, &ready, err);

	return rc ? rc : upload_pass(&s->upload, ready, err);
}

/* One pass; what fails here concerns the spool or the store as a whole. */
static int shipper_pass(struct shipper *s, struct sa_err *err)
{
	int64_t now = clock_mono_ms();
	uint32_t middle =
		UINT32_MAX / 2; /* one host, one store to open: jitter has nothing to spread */
	int rc;

	if (!s->upload.force && !retry_due(&s->away_retry, now))
		return SA_ERR_AGAIN;
	rc = shipper_walk(s, err);
	if (rc != 0) {
		if (!s->away)
			log_err("event=away reason=\"%s\"", err->msg);
		retry_failed(&s->away_retry, &s->upload.policy, now, middle);
	} else {
		if (s->away)
			log_info("event=back failures=%u", s->away_retry.failures);
		s->away_retry = (struct retry){0};
	}
	s->away = rc != 0;
	return rc;
}

/* Waits for ms or a signal. */
static void shipper_wait(struct shipper *s, int64_t ms)
{
	struct pollfd p = {.fd = s->role.signal_fd, .events = POLLIN};

	if (!s->role.stop)
		(void)poll(&p, 1, (int)ms);
}

static void shipper_loop(struct shipper *s)
{
	struct sa_err err = {0};
	int64_t begun, pause;

	while (shipper_turn(s) && !s->role.stop) {
		begun = clock_mono_ms();
		(void)shipper_pass(s, &err);
		pause = (clock_mono_ms() - begun) * IDLE_SHARE;
		pause = pause < IDLE_MS ? IDLE_MS : pause > IDLE_MAX_MS ? IDLE_MAX_MS : pause;
		shipper_wait(s, pause);
	}
	/* The collector has ended before us: what it left is shipped now, also after a failure. */
	s->upload.force = true;
	if (shipper_pass(s, &err) == 0 && s->upload.left > 0)
		log_warn("event=stop left=%zu reason=\"%s\"", s->upload.left, s->upload.reason.msg);
}

static int shipper_once(struct shipper *s)
{
	struct sa_err err = {0};
	int rc = 0;

	s->upload.force = true;
	for (int i = 0; i < ONCE_TRIES && !s->role.stop; i++) {
		if (i > 0)
			shipper_wait(s, s->upload.policy.min_ms);
		rc = shipper_pass(s, &err);
		if (rc == 0 && s->upload.left == 0 && !s->role.stop)
			return EXIT_SUCCESS;
	}
	if (s->role.stop)
		log_err("event=incomplete reason=\"stopped by a signal\"");
	else if (rc != 0)
		log_err("event=incomplete reason=\"%s\"", err.msg);
	else
		log_err("event=incomplete left=%zu reason=\"%s\"", s->upload.left,
			s->upload.reason.msg);
	return EXIT_FAILURE;
}

static int shipper_run(struct shipper *s, int argc, char **argv, struct sa_err *err)
{
	struct settings *set = &s->role.settings;
	int rc;

	if ((rc = shipper_args(s, argc, argv, err)) != 0 || (rc = role_start(&s->role, err)) != 0)
		return rc;
	/* Nothing is kept: it reads and unlinks through the group of the spool, and owns the store.
	 */
	if (!s->keep_user && (rc = privdrop(set->agent_ship_user, NULL, 0, err)) != 0)
		return rc;
	s->upload.policy = (struct retry_policy){set->store_retry_min, set->store_retry_max};
	s->upload.turn = shipper_turn;
	s->upload.turn_ctx = s;
	return 0;
}

int main(int argc, char **argv)
{
	static struct shipper s = {
		.role = {.name = "sessaudit-shipper", .signal_fd = -1, .beat_fd = -1}};
	struct sa_err err = {0};
	int status = EXIT_SUCCESS;

	log_init(s.role.name, LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (shipper_run(&s, argc, argv, &err) != 0) {
		log_err("%s", err.msg);
		status = ROLE_EXIT_CONFIG;
	} else if (s.once) {
		status = shipper_once(&s);
	} else {
		shipper_loop(&s);
	}
	store_close(s.store);
	settings_free(&s.role.settings);
	role_end(&s.role);
	return status;
}
