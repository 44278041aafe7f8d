/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* sessaudit-collector: a role of sessauditd, see there. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector/live.h"
#include "agent/collector/recording.h"
#include "common/log.h"

struct arguments {
	const char *config, *source;
	int beat_fd;
	struct recording rec;
};

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"beat-fd", required_argument, NULL, 'b'},
	{"replay", required_argument, NULL, 'r'},
	{"spool", required_argument, NULL, 's'},
	{"host", required_argument, NULL, 'H'},
	{"machine-id", required_argument, NULL, 'M'},
	{"boot-id", required_argument, NULL, 'B'},
	{"source", required_argument, NULL, 'S'},
	{NULL, 0, NULL, 0},
};

static int parse(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->config = optarg;
			break;
		case 'b':
			a->beat_fd = atoi(optarg);
			break;
		case 'r':
			a->rec.file = optarg;
			break;
		case 's':
			a->rec.spool_dir = optarg;
			break;
		case 'H':
			a->rec.host = optarg;
			break;
		case 'M':
			a->rec.machine_id = optarg;
			break;
		case 'S':
			a->source = optarg;
			break;
		case 'B':
			a->rec.boot_id = optarg;
			break;
		default:
			return -1;
		}
	}
	if (optind < argc || !a->rec.file != !a->rec.spool_dir) {
		fprintf(stderr, "usage: sessaudit-collector [--config FILE] [--beat-fd N] "
				"[--source SOURCE]\n"
				"       sessaudit-collector --replay FILE --spool DIR [--host H] "
				"[--machine-id M] [--boot-id B] [--config FILE]\n");
		return -1;
	}
	return 0;
}

static int run_live(struct role *role)
{
	struct sa_err err = {0};
	int rc = role_start(role, &err);

	if (rc) {
		log_err("event=start_failed reason=\"%s\"", err.msg);
		return EXIT_FAILURE;
	}
	rc = live_run(role);
	role_end(role);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments a = {.beat_fd = -1};
	struct role role = {.name = "sessaudit-collector"};
	struct sa_err err = {0};
	int rc;

	if (parse(argc, argv, &a))
		return ROLE_EXIT_CONFIG;
	log_init(role.name, LOG_LEVEL_INFO);
	if (settings_load(a.config, &role.settings, &err)) {
		log_err("event=config reason=\"%s\"", err.msg);
		settings_free(&role.settings);
		return ROLE_EXIT_CONFIG;
	}
	if (a.source) {
		free(role.settings.capture_source);
		role.settings.capture_source = strdup(a.source);
		if (!role.settings.capture_source)
			return EXIT_FAILURE;
	}
	role.beat_fd = a.beat_fd;
	a.rec.settings = &role.settings;
	rc = a.rec.file ? recording_run(&a.rec) : run_live(&role);
	settings_free(&role.settings);
	return rc;
}
