/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/pam_check.h"
#include "agent/replay.h"
#include "agent/role.h"
#include "agent/supervisor.h"
#include "agent/validate.h"
#include "common/cleanup.h"

enum main_mode { MODE_RUN, MODE_CHECK, MODE_PRINT };

struct main_args {
	enum main_mode mode;
	struct supervisor_options run;
	struct replay replay;
};

static void usage(FILE *f)
{
	fprintf(f, "usage: sessauditd [-f] [-c FILE] [--source SOURCE]\n"
		   "       sessauditd -t | -T [-c FILE]\n"
		   "       sessauditd --replay FILE --store WHERE [--host NAME] [--machine-id ID]\n"
		   "                  [--boot-id ID] [-c FILE]\n"
		   "       sessauditd --version | --help\n"
		   "\n"
		   "  -c, --config FILE  read FILE instead of " SETTINGS_DEFAULT_PATH "\n"
		   "  -f, --foreground   stay in the foreground (the only mode there is)\n"
		   "      --source SOURCE  auto, unicast, multicast or stdin, instead of\n"
		   "                     capture.source; stdin: as a plugin of auditd\n"
		   "  -t                 check the configuration and exit\n"
		   "  -T                 print the configuration in force and exit\n"
		   "      --replay FILE  make transcripts from a recorded audit log\n"
		   "      --store WHERE  a directory, or s3://bucket/prefix\n"
		   "      --libexec DIR  where the programs of the roles are\n");
}

static bool is_source(const char *name)
{
	return !name || strcmp(name, "auto") == 0 || strcmp(name, "unicast") == 0 ||
	       strcmp(name, "multicast") == 0 || strcmp(name, "stdin") == 0;
}

/* 0: go on; else exit with *status. */
static int parse(int argc, char **argv, struct main_args *a, int *status)
{
	enum {
		OPT_VERSION = 256,
		OPT_HELP,
		OPT_REPLAY,
		OPT_STORE,
		OPT_HOST,
		OPT_MACHINE_ID,
		OPT_BOOT_ID,
		OPT_LIBEXEC,
		OPT_SOURCE
	};
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'f'},
		{"version", no_argument, NULL, OPT_VERSION},
		{"help", no_argument, NULL, OPT_HELP},
		{"replay", required_argument, NULL, OPT_REPLAY},
		{"store", required_argument, NULL, OPT_STORE},
		{"host", required_argument, NULL, OPT_HOST},
		{"machine-id", required_argument, NULL, OPT_MACHINE_ID},
		{"boot-id", required_argument, NULL, OPT_BOOT_ID},
		{"libexec", required_argument, NULL, OPT_LIBEXEC},
		{"source", required_argument, NULL, OPT_SOURCE},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:ftT", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->run.config = optarg;
			break;
		case 'f':
			break;
		case 't':
			a->mode = MODE_CHECK;
			break;
		case 'T':
			a->mode = MODE_PRINT;
			break;
		case OPT_REPLAY:
			a->replay.file = optarg;
			break;
		case OPT_STORE:
			a->replay.store = optarg;
			break;
		case OPT_HOST:
			a->replay.host = optarg;
			break;
		case OPT_MACHINE_ID:
			a->replay.machine_id = optarg;
			break;
		case OPT_BOOT_ID:
			a->replay.boot_id = optarg;
			break;
		case OPT_LIBEXEC:
			a->run.libexec = optarg;
			break;
		case OPT_SOURCE:
			a->run.source = optarg;
			break;
		case OPT_VERSION:
			printf("sessauditd %s\n", PACKAGE_VERSION);
			return -1;
		case OPT_HELP:
			usage(stdout);
			return -1;
		default:
			usage(stderr);
			*status = EXIT_FAILURE;
			return -1;
		}
	}
	if (optind == argc && !a->replay.file == !a->replay.store && is_source(a->run.source))
		return 0;
	fprintf(stderr, "sessauditd: %s\n",
		optind < argc ? "unexpected argument"
		: is_source(a->run.source)
			? "--replay and --store go together"
			: "--source: auto, unicast, multicast or stdin is expected");
	usage(stderr);
	*status = EXIT_FAILURE;
	return -1;
}

static int check(const struct main_args *a, struct sa_err *err)
{
	struct settings s = {0};
	int rc = validate_load(a->run.config, &s, err);

	if (rc == 0 && a->mode == MODE_CHECK)
		pam_check_log(PAM_SERVICES_DIR, &s);
	if (rc == 0 && a->mode == MODE_PRINT) {
		_cleanup_buf_ struct buf out = {0};

		buf_init(&out, 1024 * 1024);
		settings_print(&s, &out);
		fwrite(out.data, 1, out.len, stdout);
		if (out.failed || fflush(stdout) != 0)
			rc = sa_fail(err, SA_ERR_IO, "cannot print the configuration");
	}
	settings_free(&s);
	return rc;
}

static int replay(struct main_args *a, struct sa_err *err)
{
	a->replay.libexec = a->run.libexec;
	a->replay.config = a->run.config;
	return replay_run(&a->replay, err);
}

int main(int argc, char **argv)
{
	struct main_args a = {.run.libexec = SESSAUDIT_LIBEXECDIR};
	struct sa_err err = {0};
	int status = EXIT_SUCCESS;

	log_init("sessauditd", LOG_LEVEL_INFO);
	if (parse(argc, argv, &a, &status) != 0)
		return status;
	if (a.mode != MODE_RUN ? check(&a, &err)
	    : a.replay.file    ? replay(&a, &err)
			       : supervisor_run(&a.run, &err)) {
		log_err("%s", err.msg);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
