/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/access/profile.h"
#include "common/access/profile_internal.h"
#include "common/cleanup.h"

/* A login waits for this. PCRE2 counts the steps anew for each place where a match may begin, so
 * the key id is bounded too: at most some 10 million steps, which take some 20 ms, and that only
 * with a pattern made for it. */
#define REGEX_MAX_STEPS 10000
#define REGEX_MAX_HEAP 1024 /* KiB */

/* Bytes, not characters: a key id need not be UTF-8. $ is the very end, not also before a newline
 * there, which a user could put in. */
#define REGEX_OPTIONS                                                                              \
	(PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY)

static int check_group(const pcre2_code *code, struct sa_err *err)
{
	int n = pcre2_substring_number_from_name(code, (PCRE2_SPTR) "request");

	if (n == PCRE2_ERROR_NOUNIQUESUBSTRING)
		return sa_fail(err, SA_ERR_INVALID, "regex: two groups are named request");
	if (n < 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "regex: no group is named request: (?<request>...)");
	return 0;
}

int profile_regex_compile(struct slice pattern, void **out, struct sa_err *err)
{
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at = 0;
	pcre2_code *code;
	int number = 0, rc;

	if (pattern.len > CAS_MAX_REGEX)
		return sa_fail(err, SA_ERR_INVALID, "regex: longer than %d bytes", CAS_MAX_REGEX);
	code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, REGEX_OPTIONS, &number, &at,
			     NULL);
	if (!code) {
		pcre2_get_error_message(number, why, sizeof(why));
		return sa_fail(err, SA_ERR_INVALID, "regex: at byte %zu: %s", (size_t)at + 1,
			       (const char *)why);
	}
	if ((rc = check_group(code, err)) < 0) {
		pcre2_code_free(code);
		return rc;
	}
	*out = code;
	return 0;
}

void profile_regex_free(void *regex)
{
	pcre2_code_free(regex);
}

static void free_match(pcre2_match_data **m)
{
	pcre2_match_data_free(*m);
}

static void free_limits(pcre2_match_context **c)
{
	pcre2_match_context_free(*c);
}

/* The text of a group; absent when it took no part in the match, or there is none of that name. */
static struct slice group_text(const pcre2_code *code, pcre2_match_data *m, const char *name,
			       struct slice subject)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(m);
	int n = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);

	/* With \K in a lookahead a group may end before it begins. */
	if (n < 0 || ends[2 * n] == PCRE2_UNSET || ends[2 * n] > ends[2 * n + 1])
		return SLICE_NONE;
	return (struct slice){subject.ptr + ends[2 * n], ends[2 * n + 1] - ends[2 * n]};
}

static int match_error(int rc, struct sa_err *err)
{
	if (rc == PCRE2_ERROR_NOMEMORY)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	return sa_fail(err, SA_ERR_INVALID,
		       "key id: the regex takes too many steps on it (PCRE2 error %d)", rc);
}

int profile_regex_match(const void *regex, struct slice key_id, struct regex_groups *out,
			struct sa_err *err)
{
	_cleanup_(free_match) pcre2_match_data *m =
		pcre2_match_data_create_from_pattern(regex, NULL);
	_cleanup_(free_limits) pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int rc;

	*out = (struct regex_groups){0};
	if (key_id.len > ACCESS_MAX_FIELD)
		return sa_fail(err, SA_ERR_INVALID, "key id: longer than %d bytes",
			       ACCESS_MAX_FIELD);
	if (!m || !limits)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	pcre2_set_match_limit(limits, REGEX_MAX_STEPS);
	pcre2_set_heap_limit(limits, REGEX_MAX_HEAP);
	rc = pcre2_match(regex, (PCRE2_SPTR)key_id.ptr, key_id.len, 0, PCRE2_NO_JIT, m, limits);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0)
		return match_error(rc, err);
	out->request = group_text(regex, m, "request", key_id);
	out->requester = group_text(regex, m, "requester", key_id);
	out->approver = group_text(regex, m, "approver", key_id);
	out->flow = group_text(regex, m, "flow", key_id);
	out->ticket = group_text(regex, m, "ticket", key_id);
	return 0;
}
