/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "cli/grant.h"
#include "cli/import.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/escape.h"
#include "common/fdio.h"

#define FILE_MODE 0644 /* a grant is no secret; who could write it is what counts */

struct request {
	const char *broker, *file, *to, *expires_at, *lasts;
	struct import_options options;
	char *users[GRANT_MAX_LIST], *hosts[GRANT_MAX_LIST], *services[GRANT_MAX_LIST];
};

/* The duration as the settings have it: 30m, 8h, 2d. */
static bool parse_duration(const char *text, int64_t *ms)
{
	struct duration {
		int64_t ms;
	} d = {0};
	static const struct conf_option options[] = {{.section = "x",
						      .name = "for",
						      .type = CONF_DURATION,
						      .offset = offsetof(struct duration, ms),
						      .def = "0"}};
	_cleanup_buf_ struct buf conf = {0};
	bool good;

	buf_init(&conf, 256);
	buf_printf(&conf, "[x]\nfor = %s\n", text);
	good = !conf.failed && !strchr(text, '\n') &&
	       conf_parse("", buf_slice(&conf), options, 1, &d, NULL) == 0 && d.ms > 0;
	*ms = d.ms;
	conf_free(options, 1, &d);
	return good;
}

static int add(const struct verb *v, const char *option, struct grant_list *l, char *value)
{
	if (!value[0] || l->len == GRANT_MAX_LIST)
		return cli_usage(v, "--%s: 1 to %d, and none empty", option, GRANT_MAX_LIST);
	l->items[l->len++] = value;
	return CLI_OK;
}

static int parse_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"user", required_argument, NULL, 'u'},
		{"host", required_argument, NULL, 'h'},
		{"service", required_argument, NULL, 's'},
		{"expires-at", required_argument, NULL, 'e'},
		{"for", required_argument, NULL, 'd'},
		{"to", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	struct import_options *o = &q->options;
	int c, rc = CLI_OK;

	while (rc == CLI_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			q->broker = optarg;
			break;
		case 'u':
			rc = add(v, "user", &o->users, optarg);
			break;
		case 'h':
			rc = add(v, "host", &o->hosts, optarg);
			break;
		case 's':
			rc = add(v, "service", &o->services, optarg);
			break;
		case 'e':
			q->expires_at = optarg;
			break;
		case 'd':
			q->lasts = optarg;
			break;
		case 't':
			q->to = optarg;
			break;
		default:
			rc = cli_bad_option(v, argv);
		}
	}
	if (rc == CLI_OK && optind + 1 != argc)
		return cli_usage(v, "grant import takes one file, or - for standard input");
	q->file = rc == CLI_OK ? argv[optind] : NULL;
	return rc;
}

static int check_values(const struct verb *v, struct request *q)
{
	struct import_options *o = &q->options;
	int64_t lasts_ms;

	if (!q->broker || !import_knows(q->broker))
		return cli_usage(v, "grant import needs --from apono or --from teleport");
	if (q->expires_at && q->lasts)
		return cli_usage(v, "--expires-at and --for exclude each other");
	if (q->expires_at &&
	    (clock_parse_utc(slice_of(q->expires_at), &o->expires_ms) != 0 || o->expires_ms <= 0))
		return cli_usage(v, "--expires-at %s: not an RFC 3339 time", q->expires_at);
	if (q->lasts) {
		if (!parse_duration(q->lasts, &lasts_ms) || lasts_ms > INT64_MAX / 2)
			return cli_usage(v, "--for %s: not a duration such as 30m, 8h or 2d",
					 q->lasts);
		o->expires_ms = o->now_ms + lasts_ms;
	}
	return CLI_OK;
}

static int read_payload(const char *file, struct buf *out, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;

	if (strcmp(file, "-") == 0)
		return fdio_read_all(STDIN_FILENO, IMPORT_MAX_BYTES, out, err);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return sa_fail_errno(err, "open");
	return fdio_read_all(fd, IMPORT_MAX_BYTES, out, err);
}

/* The grant of that name in the directory; NULL when there is none, or something else. One that
 * cannot be read may be a revoked one. */
static int read_there(int dir, const char *name, struct grant **out, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, GRANT_MAX_BYTES + 1);
	rc = fdio_read_file(dir, name, GRANT_MAX_BYTES, &text, err);
	if (rc == 0)
		rc = grant_parse(name, buf_slice(&text), out, err);
	return rc == SA_ERR_NOTFOUND || rc == SA_ERR_INVALID ? 0 : rc;
}

/* What goes into the file: the grant, or the one that is there, revoked. */
static int make(const struct request *q, const struct import *i, const struct grant *have,
		struct buf *out, struct sa_err *err)
{
	int rc = have ? import_check_newer(i, have, err) : 0;

	if (rc < 0)
		return rc;
	if (!i->ended)
		return import_grant(i, &q->options, out, err);
	if (!q->to)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: approved no longer; with --to DIR the grant that is there is "
			       "revoked",
			       i->state);
	if (!have)
		return sa_fail(err, SA_ERR_INVALID,
			       "%s: approved no longer, and no grant of it is in %s", i->state,
			       q->to);
	return import_revoke(i, have, out, err);
}

static int store(const struct request *q, const struct import *i, struct sa_err *err)
{
	_cleanup_close_ int dir = open(q->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_buf_ struct buf name = {0}, text = {0};
	struct grant *have = NULL;
	int rc;

	buf_init(&name, 512);
	buf_init(&text, GRANT_MAX_BYTES);
	if (dir < 0)
		return sa_fail_errno(err, "open directory %s", q->to);
	escape_key_part(&name, slice_of(i->grant.access.grant_id));
	buf_puts(&name, ".json");
	rc = read_there(dir, buf_cstr(&name), &have, err);
	if (rc == 0)
		rc = make(q, i, have, &text, err);
	grant_free(have);
	if (rc < 0)
		return rc;
	rc = fdio_replace_file(dir, buf_cstr(&name), text.data, text.len, FILE_MODE, err);
	if (rc == 0)
		printf("%s/%s\n", q->to, buf_cstr(&name));
	return rc;
}

static int print(const struct request *q, const struct import *i, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, GRANT_MAX_BYTES);
	rc = make(q, i, NULL, &text, err);
	if (rc < 0)
		return rc;
	return cli_flush(&text) ? 0 : sa_fail(err, SA_ERR_IO, "cannot write the grant");
}

int grant_import(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	_cleanup_import_ struct import i = {0};
	_cleanup_buf_ struct buf payload = {0};
	struct request q = {.options.now_ms = clock_real_ms()};
	struct sa_err err = {0};
	int rc;

	(void)cli;
	q.options.users.items = q.users;
	q.options.hosts.items = q.hosts;
	q.options.services.items = q.services;
	buf_init(&payload, IMPORT_MAX_BYTES + 1);
	if ((rc = parse_options(v, argc, argv, &q)) != CLI_OK ||
	    (rc = check_values(v, &q)) != CLI_OK)
		return rc;
	if (read_payload(q.file, &payload, &err) < 0 ||
	    import_read(q.broker, buf_slice(&payload), &i, &err) < 0 ||
	    (q.to ? store(&q, &i, &err) : print(&q, &i, &err)) < 0)
		return cli_fail("%s: %s", q.file, err.msg);
	return CLI_OK;
}
