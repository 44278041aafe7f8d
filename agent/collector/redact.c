/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "agent/collector/redact_internal.h"
#include "agent/redact_key.h"
#include "common/log.h"

#define MARK_START "[redacted:"
#define MARK_SIZE 48
#define HASH_BYTES 4
#define KNOWN_SECRETS 16
#define KNOWN_BYTES 256
#define KEPT_BYTES (64 * 1024) /* of hits, from call to call */

struct redact_chunk {
	struct redact_chunk *next;
	size_t size;
	max_align_t data[];
};

struct redact {
	unsigned char key[REDACT_KEY_SIZE];
	struct redact_rules *rules; /* NULL: none */
	struct redact_hits hits;
	struct redact_chunk *scratch; /* for one call */
	struct redact_chunk *out;     /* until redact_begin */
	/* Secrets of arguments with blanks in them: sudo's audit message has the same arguments
	 * with nothing to tell where one ends. */
	struct {
		char text[KNOWN_BYTES];
		size_t len;
	} known[KNOWN_SECRETS];
	size_t next_known;
	struct log_limit too_slow, too_much;
};

void *redact_alloc(struct redact_chunk **list, size_t size)
{
	struct redact_chunk *c = malloc(sizeof(*c) + size);

	if (!c)
		return NULL;
	c->next = *list;
	c->size = size;
	*list = c;
	return c->data;
}

void redact_wipe(struct redact_chunk **list)
{
	struct redact_chunk *next;

	for (struct redact_chunk *c = *list; c; c = next) {
		next = c->next;
		OPENSSL_cleanse(c->data, c->size);
		free(c);
	}
	*list = NULL;
}

/* "[redacted:1f3a09bc:8]", all of s. */
static bool is_mark(struct slice s)
{
	size_t i = sizeof(MARK_START) - 1, hash = i;

	if (!slice_starts(s, MARK_START) || s.ptr[s.len - 1] != ']')
		return false;
	while (i < s.len &&
	       ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
		i++;
	if (i != hash + 2 * HASH_BYTES || s.ptr[i] != ':' || i + 2 >= s.len)
		return false;
	while (++i < s.len - 1)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

void redact_hit(struct redact_hits *h, size_t word, size_t from, size_t to, struct slice secret)
{
	if (to <= from || slice_is(secret, "-") || is_mark(secret))
		return;
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct redact_hit *v =
			cap > REDACT_MAX_HITS ? NULL : realloc(h->v, cap * sizeof(*v));

		if (!v) {
			h->failed = true;
			return;
		}
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = (struct redact_hit){word, from, to, secret};
}

/* Without a key (no memory, OpenSSL failed) the mark has zeros. */
static struct slice mark(struct redact *r, struct slice secret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE] = {0};
	char hash[2 * HASH_BYTES + 1] = {0};
	char *text = redact_alloc(&r->out, MARK_SIZE);
	unsigned md_len = 0;
	int n;

	if (!text)
		return SLICE_LIT(MARK_START "00000000:0]");
	HMAC(EVP_sha256(), r->key, sizeof(r->key),
	     (const unsigned char *)(secret.ptr ? secret.ptr : ""), secret.len, md, &md_len);
	for (size_t i = 0; i < HASH_BYTES; i++) {
		hash[2 * i] = digits[md[i] >> 4];
		hash[2 * i + 1] = digits[md[i] & 15];
	}
	n = snprintf(text, MARK_SIZE, MARK_START "%s:%zu]", hash, secret.len);
	return (struct slice){text, (size_t)n};
}

void redact_all(struct redact *r, struct slice *text)
{
	if (r && text->ptr && text->len > 0 && !is_mark(*text))
		*text = mark(r, *text);
}

/* By place; of two that begin together the longer first, of equal ones the one whose secret is
 * without quotes. */
static int compare_hits(const void *a, const void *b)
{
	const struct redact_hit *x = a, *y = b;

	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to > y->to ? -1 : 1;
	return (x->secret.len > y->secret.len) - (x->secret.len < y->secret.len);
}

/* Makes of the sorted hits ones that do not overlap. */
static void merge_hits(struct redact_hits *h, const struct slice *words)
{
	size_t n = 0;

	for (size_t i = 1; i < h->n; i++) {
		struct redact_hit *last = &h->v[n], *next = &h->v[i];

		if (next->word != last->word || next->from >= last->to) {
			h->v[++n] = *next;
		} else if (next->to > last->to) {
			last->to = next->to;
			last->secret = (struct slice){words[last->word].ptr + last->from,
						      last->to - last->from};
		}
	}
	h->n = h->n ? n + 1 : 0;
}

static struct slice replace(struct redact *r, struct slice s, const struct redact_hit *hits,
			    size_t n)
{
	char *text = redact_alloc(&r->out, s.len + n * MARK_SIZE);
	size_t at = 0, len = 0;

	if (!text)
		return mark(r, s);
	for (size_t i = 0; i < n; i++) {
		struct slice m = mark(r, hits[i].secret);

		memcpy(text + len, s.ptr + at, hits[i].from - at);
		len += hits[i].from - at;
		memcpy(text + len, m.ptr, m.len);
		len += m.len;
		at = hits[i].to;
	}
	memcpy(text + len, s.ptr + at, s.len - at);
	return (struct slice){text, len + s.len - at};
}

static size_t replace_all(struct redact *r, struct slice *words, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct slice before = words[i];

		redact_all(r, &words[i]);
		count += words[i].ptr != before.ptr;
	}
	return count;
}

struct rule_hits {
	struct redact_hits *hits;
	struct slice text;
	size_t word;
};

static void on_rule(void *ctx, size_t from, size_t to)
{
	struct rule_hits *h = ctx;

	redact_hit(h->hits, h->word, from, to, (struct slice){h->text.ptr + from, to - from});
}

static void find_rules(struct redact *r, const struct slice *words, size_t n)
{
	unsigned line = 0;

	for (size_t i = 0; i < n && r->rules; i++) {
		struct rule_hits h = {&r->hits, words[i], i};

		if (redact_rules_find(r->rules, words[i], on_rule, &h, &line))
			continue;
		log_limited(&r->too_slow, LOG_LEVEL_WARN,
			    "event=redact_rule_slow line=%u action=\"text is replaced whole; write "
			    "the rule so that it has no repeated group in a repeated group\"",
			    line);
		redact_hit(&r->hits, i, 0, words[i].len, words[i]);
	}
}

/* Replaces what was found. Where that is too much or memory ran out, all of it. */
static size_t apply(struct redact *r, struct slice *words, size_t n)
{
	struct redact_hits *h = &r->hits;
	size_t count;

	if (h->failed) {
		log_limited(&r->too_much, LOG_LEVEL_WARN,
			    "event=redact_limit action=\"too many secrets at once or no memory; "
			    "the text is replaced whole\"");
		return replace_all(r, words, n);
	}
	qsort(h->v, h->n, sizeof(*h->v), compare_hits);
	merge_hits(h, words);
	count = h->n;
	for (size_t i = 0, k; i < h->n; i = k) {
		size_t word = h->v[i].word;

		for (k = i; k < h->n && h->v[k].word == word; k++)
			;
		words[word] = replace(r, words[word], &h->v[i], k - i);
	}
	return count;
}

static size_t finish(struct redact *r, struct slice *words, size_t n)
{
	size_t count;

	if (r->rules)
		find_rules(r, words, n);
	count = r->hits.n || r->hits.failed ? apply(r, words, n) : 0;
	r->hits.n = 0;
	r->hits.failed = false;
	if (r->hits.cap * sizeof(*r->hits.v) > KEPT_BYTES) {
		free(r->hits.v);
		r->hits = (struct redact_hits){0};
	}
	if (r->scratch)
		redact_wipe(&r->scratch);
	return count;
}

static void remember(struct redact *r)
{
	for (size_t i = 0; i < r->hits.n; i++) {
		struct slice s = r->hits.v[i].secret;

		if (s.len < 4 || s.len > KNOWN_BYTES || !memchr(s.ptr, ' ', s.len))
			continue;
		memcpy(r->known[r->next_known].text, s.ptr, s.len);
		r->known[r->next_known].len = s.len;
		r->next_known = (r->next_known + 1) % KNOWN_SECRETS;
	}
}

static void find_known(struct redact *r, struct slice s)
{
	for (size_t i = 0; i < KNOWN_SECRETS && r->known[i].len > 0; i++) {
		size_t n = r->known[i].len;
		const char *p = s.ptr;

		while ((p = memmem(p, s.len - (size_t)(p - s.ptr), r->known[i].text, n)) != NULL) {
			redact_hit(&r->hits, 0, (size_t)(p - s.ptr), (size_t)(p - s.ptr) + n,
				   (struct slice){p, n});
			p += n;
		}
	}
}

size_t redact_argv(struct redact *r, struct slice exe, struct slice *argv, size_t argc)
{
	struct redact_finder f;

	if (!r || argc == 0)
		return 0;
	f = (struct redact_finder){&r->hits, &r->scratch};
	redact_find_command(&f, exe, argv, argc, 0, 0);
	remember(r);
	return finish(r, argv, argc);
}

size_t redact_text(struct redact *r, struct slice *text)
{
	struct redact_finder f;

	if (!r || text->len == 0)
		return 0;
	f = (struct redact_finder){&r->hits, &r->scratch};
	redact_find_line(&f, *text, 0, 0);
	find_known(r, *text);
	return finish(r, text, 1);
}

void redact_begin(struct redact *r)
{
	if (r && r->out)
		redact_wipe(&r->out);
}

/* Recording goes on without the file: then marks of one secret differ from run to run. */
static int get_key(const struct settings *set, struct redact *r, struct sa_err *err)
{
	struct sa_err why = {0};
	int rc = redact_key_read(set->redact_key_file, r->key, &why);

	if (rc == SA_ERR_NOTFOUND && redact_key_make(set->redact_key_file, &why) == 0)
		rc = redact_key_read(set->redact_key_file, r->key, &why);
	if (rc == 0)
		return 0;
	if (getrandom(r->key, sizeof(r->key), 0) != (ssize_t)sizeof(r->key))
		return sa_fail_errno(err, "getrandom");
	log_msg(rc == SA_ERR_NOTFOUND ? LOG_LEVEL_WARN : LOG_LEVEL_ERR,
		"event=redact_key reason=\"%s\" action=\"a key of this run only is used; the marks "
		"of a secret will differ after a restart\"",
		why.msg);
	return 0;
}

int redact_open(const struct settings *set, struct redact **out, struct sa_err *err)
{
	const char *path = set->redact_rules_file;
	struct redact *r;
	int rc = 0;

	*out = NULL;
	if (!set->redact_enable)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	r->too_slow.burst = r->too_much.burst = 5;
	if (path && *path && (rc = redact_rules_read(path, &r->rules, err)) != 0)
		rc = sa_wrap(err, rc, "redact.rules_file");
	if (rc == 0)
		rc = get_key(set, r, err);
	if (rc != 0) {
		redact_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	redact_wipe(&r->scratch);
	redact_wipe(&r->out);
	redact_rules_free(r->rules);
	free(r->hits.v);
	OPENSSL_cleanse(r, sizeof(*r));
	free(r);
}
