/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/privdrop.h"
#include "agent/shipper/live.h"

struct shipper_args {
	const char *config, *spool, *store;
	bool once, keep_user;
	int beat_fd;
};

static void usage(FILE *f)
{
	fprintf(f,
		"usage: sessaudit-shipper [--config FILE] [--spool DIR] [--store WHERE] [--once]\n"
		"                         [--keep-user] [--beat-fd N]\n"
		"Brings finished objects from the spool into the store; started by sessauditd(8).\n");
}

static int shipper_arguments(struct shipper_args *a, int argc, char **argv, struct sa_err *err)
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
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == CONFIG)
			a->config = optarg;
		else if (c == ONCE)
			a->once = true;
		else if (c == SPOOL)
			a->spool = optarg;
		else if (c == STORE)
			a->store = optarg;
		else if (c == KEEP_USER)
			a->keep_user = true;
		else if (c != BEAT_FD || (a->beat_fd = role_fd(optarg)) < 0)
			return sa_fail(err, SA_ERR_INVALID, "bad arguments");
	}
	return optind < argc ? sa_fail(err, SA_ERR_INVALID, "unexpected argument %s", argv[optind])
			     : 0;
}

/* The file, then the arguments that override it. */
static int shipper_settings(const struct shipper_args *a, struct settings *s, struct sa_err *err)
{
	int rc = settings_load(a->config, s, err);

	if (rc == 0 && a->spool) {
		free(s->spool_dir);
		s->spool_dir = strdup(a->spool);
		if (!s->spool_dir)
			rc = sa_fail(err, SA_ERR_NOMEM, "out of memory");
	}
	return rc == 0 && a->store ? settings_set_store(s, a->store, err) : rc;
}

/* A store that is not there yet is waited for; one that is configured wrongly is not. */
static int shipper_store(struct live *l, struct sa_err *err)
{
	return live_open_store(l, err) == SA_ERR_INVALID ? SA_ERR_INVALID : 0;
}

/* S3 is opened as root: only root may read the credentials that systemd hands over, and only they
 * are read. A directory is opened as its user, and nothing of the spool is touched before: others
 * can write there. */
static int shipper_start(struct live *l, const struct shipper_args *a, struct sa_err *err)
{
	const struct settings *set = &l->role->settings;
	bool s3 = strcmp(set->store_type, "s3") == 0;
	int rc;

	if ((rc = role_start(l->role, err)) != 0 || (rc = role_no_core(err)) != 0 ||
	    (s3 && (rc = shipper_store(l, err)) != 0))
		return rc;
	/* No capability is kept: it reads and unlinks through the group of the spool, and owns a
	 * store that is a directory. */
	if (!a->keep_user && ((rc = privdrop(set->agent_ship_user, NULL, 0, err)) != 0 ||
			      (rc = role_no_core(err)) != 0))
		return rc;
	return s3 ? 0 : shipper_store(l, err);
}

static int shipper_run(const struct shipper_args *a, struct role *role, struct sa_err *err)
{
	struct live live;
	int status = ROLE_EXIT_CONFIG;

	live_init(&live, role);
	if (shipper_start(&live, a, err) == 0)
		status = a->once ? live_once(&live) : live_run(&live);
	else
		log_err("%s", err->msg);
	live_end(&live);
	return status;
}

int main(int argc, char **argv)
{
	struct role role = {.name = "sessaudit-shipper", .signal_fd = -1, .beat_fd = -1};
	struct shipper_args a = {.beat_fd = -1};
	struct sa_err err = {0};
	int status = ROLE_EXIT_CONFIG;

	log_init(role.name, LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (shipper_arguments(&a, argc, argv, &err) == 0 &&
	    shipper_settings(&a, &role.settings, &err) == 0) {
		role.beat_fd = a.beat_fd;
		status = shipper_run(&a, &role, &err);
	} else {
		log_err("%s", err.msg);
	}
	settings_free(&role.settings);
	role_end(&role);
	return status;
}
