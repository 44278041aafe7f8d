/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/redact_internal.h"
#include "common/cleanup.h"

static const struct {
	const char *prefix;
	unsigned least; /* bytes that follow */
} prefixes[] = {
	{"ghp_", 20},        {"gho_", 20},     {"ghu_", 20},     {"ghs_", 20},  {"ghr_", 20},
	{"github_pat_", 20}, {"sk_live_", 16}, {"rk_live_", 16}, {"npm_", 30},  {"dop_v1_", 40},
	{"glpat-", 16},      {"gldt-", 16},    {"glrt-", 16},    {"xoxb-", 10}, {"xoxp-", 10},
	{"xoxa-", 10},       {"xoxr-", 10},    {"xoxs-", 10},    {"xapp-", 10}, {"pypi-", 40},
	{"sk-", 32},         {"hvs.", 20},     {"hvb.", 20},     {"SG.", 40},   {"ya29.", 20},
};

/* Where the run of a token's bytes that goes on at i ends. */
static size_t run_end(struct slice s, size_t i)
{
	while (i < s.len && redact_is_name(s.ptr[i]))
		i++;
	return i;
}

/* A token whose prefix ends at i. */
static size_t prefixed(struct slice s, size_t i, size_t *from)
{
	if (i < 2 || !redact_is_alnum(s.ptr[i - 1]))
		return 0;
	for (size_t k = 0; k < ARRAY_LEN(prefixes); k++) {
		size_t n = strlen(prefixes[k].prefix), end;

		*from = i + 1 - n;
		if (prefixes[k].prefix[n - 1] != s.ptr[i] || n > i + 1 ||
		    memcmp(s.ptr + *from, prefixes[k].prefix, n) != 0 ||
		    (*from > 0 && redact_is_alnum(s.ptr[*from - 1])))
			continue;
		end = run_end(s, i + 1);
		if (end - i > prefixes[k].least)
			return end;
	}
	return 0;
}

/* eyJ... . ... . ...: header and claims of a JSON web token are base64 of what begins with {" */
static size_t jwt(struct slice s, size_t i, size_t *from)
{
	size_t at = i, next = i + 1;

	while (at > 0 && i - at < 1024 && s.ptr[at - 1] != '.' && redact_is_name(s.ptr[at - 1]))
		at--;
	if (i - at < 10 || !slice_starts((struct slice){s.ptr + at, i - at}, "eyJ") ||
	    !slice_starts((struct slice){s.ptr + next, s.len - next}, "eyJ"))
		return 0;
	*from = at;
	return run_end(s, next);
}

static size_t private_key(struct slice s, size_t i, size_t *from)
{
	static const char end_mark[] = "-----END ", key[] = "PRIVATE KEY-----";
	struct slice head = {s.ptr + i, s.len - i < 60 ? s.len - i : 60};
	const char *k, *end;

	if (!slice_starts(head, "-----BEGIN "))
		return 0;
	k = memmem(head.ptr, head.len, key, sizeof(key) - 1);
	if (!k)
		return 0;
	*from = (size_t)(k - s.ptr) + sizeof(key) - 1;
	end = memmem(s.ptr + *from, s.len - *from, end_mark, sizeof(end_mark) - 1);
	return end ? (size_t)(end - s.ptr) : s.len;
}

size_t redact_token_at(struct slice s, size_t i, size_t *from)
{
	size_t end = 0;

	if (s.ptr[i] == '-')
		end = private_key(s, i, from);
	else if (s.ptr[i] == '.')
		end = jwt(s, i, from);
	return end > 0 ? end : prefixed(s, i, from);
}
