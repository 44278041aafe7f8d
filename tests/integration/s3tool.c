/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The S3 store by hand, for store_s3.sh: each command prints one line that says how
 * it went, "rc=0 ..." or "rc=-7 ... MESSAGE", and ends with 0 when rc is 0.
 *
 *   s3tool --config FILE [--clock SECONDS] COMMAND
 *     put KEY FILE | again KEY FILE   one object, as a first or a repeated attempt
 *     fill PREFIX COUNT FILE          COUNT objects PREFIX000000 ..., 16 at a time
 *     get KEY                         the bytes, and nothing else
 *     list PREFIX                     "SIZE KEY" lines, then the line
 *     probe HOST
 *     ask METHOD QUERY [KEY]          the status and code, then the body
 *     raw METHOD KEY FILE [CHANGE]    as the store signs it, then changed; no repair; "-": no file
 *       HEADER=VALUE    behind the signer's back
 *       +HEADER=VALUE   before it is signed
 *       payload=HASH    the payload hash that is signed
 * --clock: as if this host's clock were off by so much.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/s3_internal.h"

#define GET_MAX (64 << 20)
#define PARALLEL 16

static struct sa_err err;

static int say(int rc)
{
	printf("rc=%d%s%s\n", rc, rc ? " " : "", rc ? err.msg : "");
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int file_of(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(99);
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static void put_done(struct store_put *p)
{
	*(bool *)p->ctx = true;
}

static int do_put(struct store *s, const char *key, const char *path, bool again)
{
	bool done = false;
	struct store_put p = {.key = key, .again = again, .done = put_done, .ctx = &done};
	_cleanup_close_ int fd = file_of(path, &p.size);

	p.fd = fd;
	store_put_start(s, &p);
	while (!done)
		store_run(s, 1000, NULL, 0);
	printf("rc=%d lost=%d assumed=%d etag=%s version=%s %s\n", p.rc, p.lost, p.assumed, p.etag,
	       p.version, p.rc ? p.err.msg : "");
	return p.rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct fill {
	struct store *store;
	const char *prefix;
	unsigned next, count, failed;
	struct fill_put {
		struct store_put put;
		struct fill *fill;
		char key[128];
	} puts[PARALLEL];
};

static void fill_next(struct fill_put *f)
{
	if (f->fill->next == f->fill->count)
		return;
	snprintf(f->key, sizeof(f->key), "%s%06u", f->fill->prefix, f->fill->next++);
	store_put_start(f->fill->store, &f->put);
}

static void fill_done(struct store_put *p)
{
	struct fill_put *f = p->ctx;

	if (p->rc != 0 && f->fill->failed++ == 0)
		err = p->err;
	fill_next(f);
}

static int do_fill(struct store *s, const char *prefix, const char *count, const char *path)
{
	struct fill f = {.store = s, .prefix = prefix, .count = (unsigned)atoi(count)};
	uint64_t size;
	_cleanup_close_ int fd = file_of(path, &size);

	for (size_t i = 0; i < PARALLEL; i++) {
		f.puts[i].fill = &f;
		f.puts[i].put = (struct store_put){.key = f.puts[i].key,
						   .fd = fd,
						   .size = size,
						   .done = fill_done,
						   .ctx = &f.puts[i]};
		fill_next(&f.puts[i]);
	}
	while (store_in_flight(s) > 0)
		store_run(s, 1000, NULL, 0);
	printf("stored=%u failed=%u %s\n", f.count - f.failed, f.failed, f.failed ? err.msg : "");
	return f.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int do_get(struct store *s, const char *key)
{
	_cleanup_buf_ struct buf b = {0};
	int rc;

	buf_init(&b, GET_MAX);
	rc = store_get(s, key, &b, &err);
	if (rc != 0)
		return say(rc);
	return fwrite(b.data, 1, b.len, stdout) == b.len ? EXIT_SUCCESS : 99;
}

static int list_one(void *ctx, const char *key, uint64_t size)
{
	(void)ctx;
	printf("%llu %s\n", (unsigned long long)size, key);
	return 0;
}

static int do_probe(struct store *s, const char *host)
{
	enum store_append_only a = STORE_UNKNOWN;
	int rc = store_probe(s, host, &a, &err);

	printf("%s ", store_append_only_name(a));
	return say(rc);
}

static int do_ask(struct store *s, const char *method, const char *query, const char *key)
{
	_cleanup_s3_reply_ struct s3_reply reply = {0};
	int rc = store_s3_ask(s, method, key, query, &reply, &err);

	if (rc != 0)
		return say(rc);
	printf("%d %s\n%.*s\n", reply.status, reply.code, (int)reply.body.len,
	       buf_slice(&reply.body).ptr);
	return EXIT_SUCCESS;
}

struct change {
	const char *name, *value;
	bool before; /* it is signed */
};

static struct change change_of(char *text)
{
	char *value = text ? strchr(text, '=') : NULL;

	if (!value)
		return (struct change){0};
	*value = '\0';
	return (struct change){text + (*text == '+'), value + 1, *text == '+'};
}

static int raw_body(struct store_s3 *s3, const char *path, const struct change *c,
		    struct s3_sum *sum, struct headers *add, struct s3_request *r)
{
	int rc;

	r->body_fd = file_of(path, &r->body_size);
	r->sum = sum;
	rc = s3_body_sha256(&(struct s3_body){.fd = r->body_fd, .size = r->body_size}, sum, &err);
	s3_put_headers(s3, r->key, sum, NULL, add);
	if (c->name && strcmp(c->name, "payload") == 0)
		snprintf(sum->hex, sizeof(sum->hex), "%s", c->value);
	return rc;
}

static int do_raw(struct store *s, const char *method, const char *key, const char *path,
		  char *text)
{
	struct store_s3 *s3 = (struct store_s3 *)s;
	const struct change c = change_of(text);
	_cleanup_s3_signed_ struct s3_signed sent = {0};
	_cleanup_answer_ struct http_answer raw = {0};
	_cleanup_headers_ struct headers add = {0};
	struct s3_request r = {.method = method, .key = key, .add = &add, .body_fd = -1};
	struct s3_sum sum;
	struct s3_answer answer;
	struct http_request h;
	int rc = strcmp(path, "-") == 0 ? 0 : raw_body(s3, path, &c, &sum, &add, &r);

	if (c.before)
		headers_set(&add, c.name, slice_of(c.value));
	if (rc != 0 || (rc = s3_sign(s3, &r, &sent, &err)) != 0)
		return say(rc);
	if (c.name && !c.before && strcmp(c.name, "payload") != 0)
		headers_set(&sent.headers, c.name, slice_of(c.value));
	h = s3_http_request(s3, &r, &sent, S3_MAX_ERROR);
	rc = http_perform(s3->http, &h, &raw, &err);
	if (rc != 0)
		return say(rc);
	s3_answer_read(&raw, s3_now(s3), sent.region, &answer);
	printf("%d %s\n", answer.status, answer.code);
	return answer.rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(struct store *s, int n, char **a)
{
	if (n == 3 && strcmp(a[0], "put") == 0)
		return do_put(s, a[1], a[2], false);
	if (n == 3 && strcmp(a[0], "again") == 0)
		return do_put(s, a[1], a[2], true);
	if (n == 4 && strcmp(a[0], "fill") == 0)
		return do_fill(s, a[1], a[2], a[3]);
	if (n == 2 && strcmp(a[0], "get") == 0)
		return do_get(s, a[1]);
	if (n == 2 && strcmp(a[0], "list") == 0)
		return say(store_list(s, a[1], list_one, NULL, &err));
	if (n == 2 && strcmp(a[0], "probe") == 0)
		return do_probe(s, a[1]);
	if ((n == 3 || n == 4) && strcmp(a[0], "ask") == 0)
		return do_ask(s, a[1], a[2], n == 4 ? a[3] : NULL);
	if ((n == 4 || n == 5) && strcmp(a[0], "raw") == 0)
		return do_raw(s, a[1], a[2], a[3], n == 5 ? a[4] : NULL);
	fprintf(stderr, "s3tool: not such a command\n");
	return 99;
}

int main(int argc, char **argv)
{
	_cleanup_store_ struct store *s = NULL;
	struct settings set;
	int at = 3, rc;

	if (argc < 4 || strcmp(argv[1], "--config") != 0)
		return 99;
	rc = settings_load(argv[2], &set, &err);
	if (argc > 5 && strcmp(argv[3], "--clock") == 0) {
		clock_fake(clock_real_ms() + 1000 * atoll(argv[4]), clock_mono_ms());
		at = 5;
	}
	if (rc == 0)
		rc = store_open(&set, false, NULL, NULL, &s, &err);
	settings_free(&set);
	return rc ? say(rc) : run(s, argc - at, argv + at);
}
