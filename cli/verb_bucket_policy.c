/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/policy.h"
#include "cli/verb.h"
#include "common/cleanup.h"
#include "common/fdio.h"

#define OUT_MAX (1024 * 1024)

struct request {
	struct policy_words words;
	const char *output;
	bool json;
};

enum document { AGENT, BUCKET, READER, SETUP, DOCUMENTS };

static const struct {
	const char *file, *key, *title;
	mode_t mode;
} documents[DOCUMENTS] = {
	{"agent-role.json", "agent_role", "IAM policy for the role of the agent", 0644},
	{"bucket-policy.json", "bucket_policy", "policy of the bucket", 0644},
	{"reader-role.json", "reader_role", "IAM policy for the role of those who read", 0644},
	{"setup.sh", "setup", "AWS commands that set the bucket up, its policy included", 0755},
};

/* JSON with a line for each value; json is valid. */
static void put_pretty(struct buf *out, struct slice json)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		quoted ^= c == '"' && (i == 0 || json.ptr[i - 1] != '\\');
		if (!quoted && (c == '}' || c == ']'))
			buf_printf(out, "\n%*s", 2 * --depth, "");
		buf_putc(out, c);
		if (quoted || c == '"')
			continue;
		depth += c == '{' || c == '[';
		if (c == '{' || c == '[' || c == ',')
			buf_printf(out, "\n%*s", 2 * depth, "");
		else if (c == ':')
			buf_putc(out, ' ');
	}
}

static int make_json(void (*write)(struct json_writer *w, const struct policy *p),
		     const struct policy *p, struct buf *out)
{
	_cleanup_json_writer_ struct json_writer *w = NULL;
	_cleanup_buf_ struct buf compact = {0};

	buf_init(&compact, OUT_MAX);
	w = json_writer_new(&compact);
	if (!w)
		return SA_ERR_NOMEM;
	write(w, p);
	if (json_writer_end(w) != 0)
		return SA_ERR_TOOBIG;
	put_pretty(out, buf_slice(&compact));
	return out->failed ? SA_ERR_NOMEM : 0;
}

static int make_all(const struct policy *p, struct buf texts[DOCUMENTS], struct sa_err *err)
{
	for (size_t i = 0; i < DOCUMENTS; i++)
		buf_init(&texts[i], OUT_MAX);
	if (make_json(policy_write_agent, p, &texts[AGENT]) != 0 ||
	    make_json(policy_write_bucket, p, &texts[BUCKET]) != 0 ||
	    make_json(policy_write_reader, p, &texts[READER]) != 0)
		return sa_fail(err, SA_ERR_TOOBIG, "a policy cannot be made: names are too long");
	if (texts[BUCKET].len > POLICY_MAX_BYTES)
		return sa_fail(err, SA_ERR_TOOBIG,
			       "the bucket policy would be over the %d bytes that AWS takes: use "
			       "fewer or shorter tags",
			       POLICY_MAX_BYTES);
	policy_write_setup(&texts[SETUP], p, buf_slice(&texts[BUCKET]));
	return texts[SETUP].failed ? sa_fail(err, SA_ERR_NOMEM, "out of memory") : 0;
}

static void put_why(void *ctx, const char *sid, const char *why)
{
	buf_printf(ctx, "# %s: %s\n", sid, why);
}

/* Sections for people, each to be pasted as it is. */
static void put_text(struct buf *out, const struct policy *p, const struct buf texts[DOCUMENTS])
{
	for (size_t i = 0; i < DOCUMENTS; i++) {
		buf_printf(out, "%s######## %s: %s\n", i > 0 ? "\n" : "", documents[i].file,
			   documents[i].title);
		if (i == BUCKET)
			policy_explain(p, put_why, out);
		buf_putc(out, '\n');
		buf_put(out, buf_slice(&texts[i]));
		if (i != SETUP)
			buf_putc(out, '\n');
	}
}

static int put_json(struct buf *out, const struct policy *p, const struct buf texts[DOCUMENTS])
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);

	if (!w)
		return SA_ERR_NOMEM;
	json_write_open(w);
	json_write_key(w, documents[AGENT].key);
	policy_write_agent(w, p);
	json_write_key(w, documents[BUCKET].key);
	policy_write_bucket(w, p);
	json_write_key(w, documents[READER].key);
	policy_write_reader(w, p);
	json_write_kstr(w, documents[SETUP].key, buf_slice(&texts[SETUP]));
	json_write_close(w);
	buf_putc(out, '\n');
	return json_writer_end(w);
}

static int write_files(const char *dir, struct buf texts[DOCUMENTS], struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	int rc = fdio_mkdirs(AT_FDCWD, dir, 0755, err);

	if (rc != 0)
		return rc;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return sa_fail_errno(err, "open directory %s", dir);
	for (size_t i = 0; rc == 0 && i < DOCUMENTS; i++) {
		if (i != SETUP)
			buf_putc(&texts[i], '\n');
		rc = fdio_replace_file(fd, documents[i].file, texts[i].data, texts[i].len,
				       documents[i].mode, err);
		if (rc == 0)
			printf("%s/%s: %s\n", dir, documents[i].file, documents[i].title);
	}
	return rc;
}

static int output(struct request *q, const struct policy *p, struct buf texts[DOCUMENTS])
{
	_cleanup_buf_ struct buf out = {0};
	struct sa_err err;

	if (q->output)
		return write_files(q->output, texts, &err) == 0 ? CLI_OK : cli_fail("%s", err.msg);
	buf_init(&out, 4 * OUT_MAX);
	if (q->json && put_json(&out, p, texts) != 0)
		return cli_fail("out of memory");
	if (!q->json)
		put_text(&out, p, texts);
	return cli_flush(&out) ? CLI_OK : cli_fail("cannot write the output");
}

static int parse_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option options[] = {
		{"bucket", required_argument, NULL, 'b'},
		{"role", required_argument, NULL, 'r'},
		{"request-tag", required_argument, NULL, 't'},
		{"reader", required_argument, NULL, 'R'},
		{"admin", required_argument, NULL, 'A'},
		{"kms-key", required_argument, NULL, 'k'},
		{"account", required_argument, NULL, 'a'},
		{"org", required_argument, NULL, 'o'},
		{"region", required_argument, NULL, 'g'},
		{"retention", required_argument, NULL, 'd'},
		{"mode", required_argument, NULL, 'm'},
		{"output", required_argument, NULL, 'O'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct policy_words *w = &q->words;
	const char **values[128] = {
		['b'] = &w->bucket,  ['r'] = &w->role,      ['R'] = &w->reader, ['A'] = &w->admin,
		['k'] = &w->kms_key, ['a'] = &w->account,   ['o'] = &w->org,    ['g'] = &w->region,
		['m'] = &w->mode,    ['d'] = &w->retention, ['O'] = &q->output,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			q->json = true;
		else if (c == 't' && w->n_tags < POLICY_MAX_TAGS)
			w->tags[w->n_tags++] = optarg;
		else if (c == 't')
			return cli_usage(v, "--request-tag: at most %d of them", POLICY_MAX_TAGS);
		else if (c > 0 && c < 128 && values[c])
			*values[c] = optarg;
		else
			return cli_bad_option(v, argv);
	}
	if (optind < argc)
		return cli_usage(v, "%s: bucket-policy takes options only", argv[optind]);
	if (!w->bucket)
		return cli_usage(v, "which bucket? Name it with --bucket");
	return CLI_OK;
}

static int run(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	struct buf texts[DOCUMENTS] = {{0}};
	_cleanup_policy_ struct policy p = {0};
	struct request q = {0};
	struct sa_err err = {0};
	int rc = parse_options(v, argc, argv, &q);

	(void)cli;
	if (rc != CLI_OK)
		return rc;
	if (policy_make(&q.words, &p, &err) != 0)
		return cli_usage(v, "%s", err.msg);
	if (make_all(&p, texts, &err) != 0)
		rc = cli_fail("%s", err.msg);
	else
		rc = output(&q, &p, texts);
	for (size_t i = 0; i < DOCUMENTS; i++)
		buf_free(&texts[i]);
	return rc;
}

const struct verb verb_bucket_policy = {
	.name = "bucket-policy",
	.arguments = "--bucket WHERE --role ARN [options]",
	.summary = "policies and commands for a bucket that agents can only add to",
	.options =
		"      --bucket WHERE     bucket, s3://bucket/prefix or ARN\n"
		"      --role ARN         the agent's role\n"
		"      --request-tag K=V  or every role with this tag, all of them when repeated;\n"
		"                         needs --account or --org\n"
		"      --reader ARN       role that may read\n"
		"      --admin ARN        role that may still change and delete\n"
		"      --kms-key ARN      encrypt with this key\n"
		"      --account ID       of the bucket, and of the roles with the tag\n"
		"      --org ID           nobody outside this organisation\n"
		"      --region REGION    of the bucket\n"
		"      --retention DAYS   nothing is deleted before [365]\n"
		"      --mode MODE        COMPLIANCE [default] or GOVERNANCE\n"
		"      --output DIR       write files instead\n"
		"      --json             one JSON object\n",
	.run = run,
};
