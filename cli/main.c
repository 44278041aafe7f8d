/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/verb.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/log.h"

static const struct verb *const verbs[] = {&verb_list, &verb_show, &verb_grant, &verb_doctor,
					   &verb_bucket_policy};

static void print_verb(FILE *f, const struct verb *v)
{
	fprintf(f, "  sessaudit %s %s\n      %s\n%s", v->name, v->arguments, v->summary,
		v->options);
}

static void print_usage(FILE *f)
{
	fprintf(f, "usage: sessaudit [--store WHERE] [--config FILE] VERB ...\n"
		   "       sessaudit help | --help | --version\n\n"
		   "  --store WHERE  read transcripts from this directory, s3://bucket/prefix,\n"
		   "                 or bucket or access point ARN\n"
		   "  --config FILE  settings that name the store\n"
		   "                 [/etc/sessaudit/sessaudit.conf]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		print_verb(f, verbs[i]);
	fprintf(f, "\nexit status: 0 good, 1 not found or failed, 2 wrong arguments,\n"
		   "3 shown, but something is broken or the hash chain does not fit\n");
}

static int complain(const struct verb *v, const char *message)
{
	_cleanup_buf_ struct buf line = {0};

	buf_init(&line, 64 * 1024);
	escape_terminal(&line, slice_of(message));
	fprintf(stderr, "sessaudit: %s\n", buf_cstr(&line));
	if (!v)
		return CLI_USAGE;
	fprintf(stderr, "usage:\n");
	print_verb(stderr, v);
	return CLI_USAGE;
}

int cli_usage(const struct verb *v, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return complain(v, message);
}

int cli_fail(const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	complain(NULL, message);
	return CLI_FAILED;
}

int cli_bad_option(const struct verb *v, char **argv)
{
	return cli_usage(v, "%s: unknown option, or its value is missing", argv[optind - 1]);
}

static int run_verb(const struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "help") == 0) {
		print_usage(stdout);
		return CLI_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[0], verbs[i]->name) != 0)
			continue;
		optind = 0; /* getopt(3): start anew, GNU state too */
		return verbs[i]->run(verbs[i], cli, argc, argv);
	}
	return cli_usage(
		NULL, "%s: no such verb; there are list, show, grant, doctor, bucket-policy, help",
		argv[0]);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"store", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct cli cli = {0};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 's':
			cli.store = optarg;
			break;
		case 'c':
			cli.config = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return CLI_OK;
		case 'V':
			printf("sessaudit %s\n", PACKAGE_VERSION);
			return CLI_OK;
		default:
			cli_bad_option(NULL, argv);
			print_usage(stderr);
			return CLI_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	return run_verb(&cli, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	int rc;

	log_init("sessaudit", LOG_LEVEL_WARN);
	rc = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail("cannot write the output");
	return rc;
}
