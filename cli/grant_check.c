/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/grant.h"
#include "cli/grant_explain.h"
#include "cli/keys.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"

#define MAX_LIST 64 /* --grants, --group */
#define MAX_GROUPS 65536
#define OUT_MAX (64 * 1024 * 1024)

struct request {
	struct settings settings; /* owned */
	const char *cert, *key, *at;
	const char *dirs[MAX_LIST + 1], *groups[MAX_LIST];
	const char **usual_dirs; /* owned; NULL: dirs */
	size_t n_dirs, n_groups;
	bool json;
	char host[HOST_NAME_MAX + 1];
	struct auth_key auth_key; /* owned */
	struct buf auth_info;     /* owned */
	struct cas cas;           /* owned */
	struct explain e;         /* owned */
	bool no_memory;
};

static void request_free(struct request *q)
{
	explain_free(&q->e);
	auth_key_free(&q->auth_key);
	buf_free(&q->auth_info);
	cas_free(&q->cas);
	free(q->usual_dirs);
	settings_free(&q->settings);
}

static int add(const struct verb *v, const char *option, const char **list, size_t *n, char *value)
{
	if (!value[0] || *n == MAX_LIST)
		return cli_usage(v, "--%s: 1 to %d, and none empty", option, MAX_LIST);
	list[(*n)++] = value;
	return CLI_OK;
}

static int take_option(const struct verb *v, int c, char **argv, struct request *q)
{
	switch (c) {
	case 'u':
		q->e.user = optarg;
		return CLI_OK;
	case 's':
		q->e.service = optarg;
		return CLI_OK;
	case 'f':
		q->e.source = optarg;
		return CLI_OK;
	case 'h':
		q->e.host = optarg;
		return CLI_OK;
	case 'c':
		q->cert = optarg;
		return CLI_OK;
	case 'k':
		q->key = optarg;
		return CLI_OK;
	case 'g':
		return add(v, "group", q->groups, &q->n_groups, optarg);
	case 'a':
		q->at = optarg;
		return CLI_OK;
	case 'd':
		return add(v, "grants", q->dirs, &q->n_dirs, optarg);
	case 'C':
		q->e.ca_dir = optarg;
		return CLI_OK;
	case 'j':
		q->json = true;
		return CLI_OK;
	default:
		return cli_bad_option(v, argv);
	}
}

static int parse_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option options[] = {
		{"user", required_argument, NULL, 'u'},   {"service", required_argument, NULL, 's'},
		{"from", required_argument, NULL, 'f'},   {"host", required_argument, NULL, 'h'},
		{"cert", required_argument, NULL, 'c'},   {"key", required_argument, NULL, 'k'},
		{"group", required_argument, NULL, 'g'},  {"at", required_argument, NULL, 'a'},
		{"grants", required_argument, NULL, 'd'}, {"ca-dir", required_argument, NULL, 'C'},
		{"json", no_argument, NULL, 'j'},         {NULL, 0, NULL, 0},
	};
	int c, rc = CLI_OK;

	while (rc == CLI_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(v, c, argv, q);
	if (rc == CLI_OK && optind < argc)
		return cli_usage(v, "%s: grant check takes options only", argv[optind]);
	return rc;
}

static int check_values(const struct verb *v, struct request *q)
{
	unsigned char address[sizeof(struct in6_addr)];
	const char *from = q->e.source;

	if (!q->e.user || !q->e.user[0])
		return cli_usage(v, "grant check needs --user");
	if (q->cert && q->key)
		return cli_usage(v, "--cert and --key exclude each other");
	if (from && inet_pton(AF_INET, from, address) != 1 &&
	    inet_pton(AF_INET6, from, address) != 1)
		return cli_usage(v, "--from %s: not a numeric address", from);
	q->e.at_ms = clock_real_ms();
	if (q->at && clock_parse_utc(slice_of(q->at), &q->e.at_ms) != 0)
		return cli_usage(v, "--at %s: not an RFC 3339 time", q->at);
	return CLI_OK;
}

/* What was not said comes from where the module has it. */
static int fill(const struct cli *cli, struct request *q, struct sa_err *err)
{
	int rc = settings_load(cli->config, &q->settings, err);

	if (rc < 0)
		return rc;
	if (!q->e.service)
		q->e.service = "sshd";
	if (!q->e.ca_dir)
		q->e.ca_dir = q->settings.pam_ca_dir;
	if (!q->e.host && gethostname(q->host, sizeof(q->host) - 1) < 0)
		return sa_fail_errno(err, "the name of this host");
	if (!q->e.host)
		q->e.host = q->host;
	q->usual_dirs = q->n_dirs == 0 ? settings_grant_dirs(&q->settings) : NULL;
	if (q->n_dirs == 0 && !q->usual_dirs)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return 0;
}

static bool is_ssh_service(const struct request *q)
{
	const struct conf_list *l = &q->settings.pam_ssh_services;

	if (l->len == 0)
		return strcmp(q->e.service, "sshd") == 0;
	for (size_t i = 0; i < l->len; i++)
		if (strcmp(l->items[i], q->e.service) == 0)
			return true;
	return false;
}

/* The first line of the file that is not empty. */
static struct slice first_line(struct slice text)
{
	while (text.len > 0 && memchr("\r\n\t ", text.ptr[0], 4))
		text = (struct slice){text.ptr + 1, text.len - 1};
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\n' || text.ptr[i] == '\r')
			return (struct slice){text.ptr, i};
	return text;
}

/* The key as sshd would hand it on. */
static int read_key(struct request *q, const char *path, struct sa_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, AUTH_INFO_MAX_BYTES + 1);
	buf_init(&q->auth_info, AUTH_INFO_MAX_BYTES);
	if (fd < 0)
		return sa_fail_errno(err, "open %s", path);
	if ((rc = fdio_read_all(fd, AUTH_INFO_MAX_BYTES, &text, err)) < 0 ||
	    (rc = auth_key_line(first_line(buf_slice(&text)), &q->auth_key, NULL, err)) < 0)
		return sa_wrap(err, rc, "%s", path);
	q->e.key = &q->auth_key.key;
	if (q->cert && !q->e.key->cert)
		return sa_fail(err, SA_ERR_INVALID, "%s: holds no certificate", path);
	q->e.key_counts = is_ssh_service(q);
	buf_puts(&q->auth_info, "publickey ");
	buf_put(&q->auth_info, q->e.key->type);
	buf_putc(&q->auth_info, ' ');
	escape_base64(&q->auth_info, buf_slice(&q->auth_key.blob));
	return q->auth_info.failed ? sa_fail(err, SA_ERR_NOMEM, "out of memory") : 0;
}

/* What resolve_login will make of the certificate, for the explanation alone; it reports on its own
 * what it skips in ca_dir. */
static int look_at_certificate(struct request *q, struct sa_err *err)
{
	struct sa_err why = {0};
	int rc;

	if (!q->e.key || !q->e.key->cert)
		return 0;
	if ((rc = cas_load(q->e.ca_dir, 0, &q->cas, NULL, NULL)) < 0)
		return sa_fail(err, rc, "out of memory");
	q->e.ca = cas_find(&q->cas, q->e.key->ca_fp);
	if (!q->e.ca)
		return 0;
	rc = profile_read(q->e.ca, q->e.key, &q->e.says, &why);
	if (rc < 0)
		snprintf(q->e.says_not, sizeof(q->e.says_not), "%s", why.msg);
	return 0;
}

static void keep_skipped(void *ctx, const char *message)
{
	struct request *q = ctx;
	struct explain *e = &q->e;
	char **grown = keys_grow(e->skipped, e->n_skipped, &e->cap_skipped, sizeof(*e->skipped));

	q->no_memory = q->no_memory || !grown;
	if (!grown)
		return;
	e->skipped = grown;
	grown[e->n_skipped] = strdup(message);
	if (grown[e->n_skipped])
		e->n_skipped++;
	else
		q->no_memory = true;
}

static void keep_seen(void *ctx, const struct grant *g, enum match_reason why)
{
	struct request *q = ctx;
	struct explain *e = &q->e;
	struct explain_grant *grown =
		keys_grow(e->grants, e->n_grants, &e->cap_grants, sizeof(*e->grants));

	q->no_memory = q->no_memory || !grown;
	if (!grown)
		return;
	e->grants = grown;
	grown[e->n_grants++] = (struct explain_grant){
		.request_id = slice_dup(slice_of(g->access.request_id)),
		.grant_id = slice_dup(slice_of(g->access.grant_id)),
		.file = slice_dup(slice_of(g->file)),
		.expires_at = slice_dup(slice_of(g->access.expires_at)),
		.why = why,
	};
}

static bool in_named_group(const struct request *q, const char *group)
{
	for (size_t i = 0; i < q->n_groups; i++)
		if (strcmp(q->groups[i], group) == 0)
			return true;
	return false;
}

static bool in_group(void *ctx, const char *user, const char *group)
{
	const struct request *q = ctx;
	const struct passwd *pw = q->n_groups == 0 ? getpwnam(user) : NULL;
	const struct group *gr = pw ? getgrnam(group) : NULL;
	_cleanup_free_ gid_t *gids = gr ? calloc(MAX_GROUPS, sizeof(*gids)) : NULL;
	int n = MAX_GROUPS;

	if (q->n_groups > 0)
		return in_named_group(q, group);
	if (!gids || getgrouplist(user, pw->pw_gid, gids, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (gids[i] == gr->gr_gid)
			return true;
	return false;
}

static void decide(struct request *q)
{
	struct policy_login login = {
		.user = q->e.user, .service = q->e.service, .in_group = in_group, .ctx = q};
	enum access_status status = q->e.found.access.status;
	_cleanup_buf_ struct buf message = {0};

	q->e.accepted = policy_accepts(&q->settings, status);
	q->e.policy = policy_decide(&q->settings, &login, status);
	q->e.breakglass = policy_breakglass(&q->settings, &login);
	if (q->e.policy != ACCESS_POLICY_DENIED)
		return;
	buf_init(&message, OUT_MAX);
	policy_message(&message, q->e.user, q->e.host, &q->e.found.access);
	q->e.refusal = slice_dup(buf_slice(&message));
}

static int run(struct request *q, struct sa_err *err)
{
	struct resolve r = {
		.login = {.user = q->e.user,
			  .service = q->e.service,
			  .host = q->e.host,
			  .source = q->e.source,
			  .now_ms = q->e.at_ms,
			  .in_group = in_group,
			  .group_ctx = q},
		.auth_info = q->e.key_counts ? buf_slice(&q->auth_info) : SLICE_NONE,
		.ca_dir = q->e.ca_dir,
		.grant_dirs = q->usual_dirs ? q->usual_dirs : q->dirs,
		.signer_files = (const char *const *)q->settings.broker_keys.items,
		.n_signer_files = q->settings.broker_keys.len,
		.report = keep_skipped,
		.seen = keep_seen,
		.ctx = q,
	};

	if (resolve_login(&r, &q->e.found) < 0 || q->no_memory)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	decide(q);
	return 0;
}

static bool print(const struct request *q)
{
	_cleanup_buf_ struct buf out = {0}, line = {0};
	struct page_style st = {0};

	buf_init(&out, OUT_MAX);
	buf_init(&line, OUT_MAX);
	if (q->json) {
		explain_json(&line, &q->e);
		cli_json_line(&out, buf_slice(&line));
		out.failed = out.failed || line.failed;
	} else {
		cli_style(&st, false);
		explain_text(&out, &st, &q->e);
	}
	return cli_flush(&out);
}

int grant_check(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	_cleanup_(request_free) struct request q = {0};
	struct sa_err err = {0};
	int rc;

	if ((rc = parse_options(v, argc, argv, &q)) != CLI_OK ||
	    (rc = check_values(v, &q)) != CLI_OK)
		return rc;
	if (fill(cli, &q, &err) < 0)
		return cli_fail("%s", err.msg);
	if ((q.cert || q.key) &&
	    (read_key(&q, q.cert ? q.cert : q.key, &err) < 0 || look_at_certificate(&q, &err) < 0))
		return cli_fail("%s", err.msg);
	if (run(&q, &err) < 0)
		return cli_fail("%s", err.msg);
	if (!print(&q))
		return cli_fail("cannot write the answer");
	return q.e.accepted ? CLI_OK : CLI_FAILED;
}
