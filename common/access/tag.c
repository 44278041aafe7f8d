/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/access/tag.h"
#include "common/cleanup.h"
#include "common/escape.h"

#define TAG_OP "op=sessaudit-" /* and the kind */
#define TAG_VERSION "1"

/* Longest value of a field as sent: what is quoted takes two bytes more, hex twice as many. The
 * caps add up so that the whole message stays below TAG_MAX_BYTES with every one of them in hex. */
#define CAP_APPROVALS 512
#define CAP_CANDIDATES 320

static const char *const kinds[] = {[TAG_BIND] = "bind", [TAG_NEST] = "nest"};

/* One row per plain field: where it is and how much of it is sent. */
struct tag_field {
	const char *key;
	size_t offset, cap;
};

static const struct tag_field tag_fields[] = {
	{"sa_req", offsetof(struct tag, access.request_id), 256},
	{"sa_grant", offsetof(struct tag, access.grant_id), 256},
	{"sa_broker", offsetof(struct tag, access.broker), 64},
	{"sa_rqid", offsetof(struct tag, access.requester_id), 96},
	{"sa_rq", offsetof(struct tag, access.requester), 128},
	{"sa_flowid", offsetof(struct tag, access.flow_id), 96},
	{"sa_flow", offsetof(struct tag, access.flow), 96},
	{"sa_just", offsetof(struct tag, access.justification), 384},
	{"sa_res", offsetof(struct tag, access.resource), 128},
	{"sa_ticket", offsetof(struct tag, access.ticket), 96},
	{"sa_nbf", offsetof(struct tag, access.not_before), 40},
	{"sa_exp", offsetof(struct tag, access.expires_at), 40},
	{"sa_sha", offsetof(struct tag, access.grant_sha256), 64},
	{"sa_kfp", offsetof(struct tag, access.key_fp), 56},
	{"sa_cafp", offsetof(struct tag, access.ca_fp), 56},
	{"sa_keyid", offsetof(struct tag, access.cert_key_id), 128},
	{"sa_serial", offsetof(struct tag, access.cert_serial), 20},
	{"sa_prof", offsetof(struct tag, access.cert_profile), 16},
	{"sa_why", offsetof(struct tag, access.reason), 128},
	{"sa_user", offsetof(struct tag, user), 64},
	{"sa_from", offsetof(struct tag, from), 64},
	{"sa_svc", offsetof(struct tag, service), 64},
	{"sa_addr", offsetof(struct tag, source), 64},
	{"sa_term", offsetof(struct tag, terminal), 64},
};

static char **field_at(const struct tag *t, const struct tag_field *f)
{
	return (char **)((char *)t + f->offset);
}

static bool is_safe(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    (c == 0 || !strchr("._:@/+,=-", c)))
			return false;
	}
	return true;
}

void tag_put_value(struct buf *out, struct slice value)
{
	static const char digits[] = "0123456789ABCDEF";

	if (is_safe(value)) {
		buf_putc(out, '"');
		buf_put(out, value);
		buf_putc(out, '"');
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		buf_putc(out, digits[c >> 4]);
		buf_putc(out, digits[c & 15]);
	}
}

/* " key=value" with at most cap bytes of the value. */
static void put_field(struct buf *out, const char *key, struct slice value, size_t cap, bool *cut)
{
	if (value.len == 0)
		return;
	if (value.len > cap) {
		value.len = escape_utf8_cut(value, cap);
		*cut = true;
	}
	buf_printf(out, " %s=", key);
	tag_put_value(out, value);
}

/* A part of a list: the separators become %XX. */
static void put_part(struct buf *out, const char *part)
{
	for (; part && *part; part++) {
		if (strchr("%|,", *part))
			buf_printf(out, "%%%02X", (unsigned)*part);
		else
			buf_putc(out, *part);
	}
}

/* Appends an item to a list unless that makes the list longer than cap. */
static void add_item(struct buf *list, size_t cap, const struct buf *item, bool *cut)
{
	if (item->failed || list->len + item->len + 1 > cap) {
		*cut = true;
		return;
	}
	if (list->len > 0)
		buf_putc(list, ',');
	buf_put(list, buf_slice(item));
}

static void put_approvals(struct buf *out, const struct access *a, bool *cut)
{
	_cleanup_buf_ struct buf list = {0}, item = {0};

	buf_init(&list, CAP_APPROVALS);
	buf_init(&item, CAP_APPROVALS);
	for (size_t i = 0; i < a->n_approvals; i++) {
		const struct access_approval *p = &a->approvals[i];

		buf_clear(&item);
		put_part(&item, p->by);
		buf_putc(&item, '|');
		put_part(&item, p->type);
		buf_putc(&item, '|');
		put_part(&item, p->status);
		buf_putc(&item, '|');
		put_part(&item, p->at);
		add_item(&list, CAP_APPROVALS, &item, cut);
	}
	*cut |= list.failed;
	put_field(out, "sa_appr", buf_slice(&list), CAP_APPROVALS, cut);
}

static void put_candidates(struct buf *out, const struct access *a, bool *cut)
{
	_cleanup_buf_ struct buf list = {0}, item = {0};

	buf_init(&list, CAP_CANDIDATES);
	buf_init(&item, CAP_CANDIDATES);
	for (size_t i = 0; i < a->n_candidates; i++) {
		buf_clear(&item);
		put_part(&item, a->candidates[i]);
		add_item(&list, CAP_CANDIDATES, &item, cut);
	}
	*cut |= list.failed;
	put_field(out, "sa_cand", buf_slice(&list), CAP_CANDIDATES, cut);
}

int tag_encode(const struct tag *t, struct buf *out)
{
	_cleanup_buf_ struct buf msg = {0};
	bool cut = t->truncated;

	buf_init(&msg, TAG_MAX_BYTES);
	buf_printf(&msg, TAG_OP "%s sa_v=" TAG_VERSION " sa_st=%s sa_src=%s", kinds[t->kind],
		   access_status_name(t->access.status), access_source_name(t->access.source));
	if (t->access.policy != ACCESS_POLICY_NONE)
		buf_printf(&msg, " sa_pol=%s", access_policy_name(t->access.policy));
	for (size_t i = 0; i < ARRAY_LEN(tag_fields); i++)
		put_field(&msg, tag_fields[i].key, slice_of(*field_at(t, &tag_fields[i])),
			  tag_fields[i].cap, &cut);
	put_approvals(&msg, &t->access, &cut);
	put_candidates(&msg, &t->access, &cut);
	if (cut)
		buf_puts(&msg, " sa_cut=1");
	buf_put(out, buf_slice(&msg));
	return msg.failed || out->failed ? SA_ERR_NOMEM : 0;
}

/* The text between msg=' and ', or all of it when there is no envelope. */
static int find_body(struct slice msg, struct slice *out)
{
	static const char open_quote[] = " msg='";
	const char *p, *end;

	/* What an enriched log appends. */
	if (msg.len > 0 && (p = memchr(msg.ptr, 0x1d, msg.len)))
		msg.len = (size_t)(p - msg.ptr);
	*out = msg;
	if (slice_starts(msg, TAG_OP))
		return 0;
	if (slice_starts(msg, open_quote + 1))
		p = msg.ptr + strlen(open_quote + 1);
	else if ((p = memmem(msg.ptr, msg.len, open_quote, strlen(open_quote))))
		p += strlen(open_quote);
	else
		return SA_ERR_INVALID;
	end = memchr(p, '\'', msg.len - (size_t)(p - msg.ptr));
	if (!end)
		return SA_ERR_INVALID;
	*out = (struct slice){p, (size_t)(end - p)};
	return 0;
}

/* The decoded value as a fresh string; never empty, valid UTF-8 without NUL. */
static int take_value(struct slice value, size_t max, char **out)
{
	_cleanup_buf_ struct buf b = {0};
	struct slice s;

	buf_init(&b, max);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
		s = (struct slice){value.ptr + 1, value.len - 2};
		if (!is_safe(s))
			return SA_ERR_INVALID;
		buf_put(&b, s);
	} else if (escape_unhex(&b, value) < 0) {
		return SA_ERR_INVALID;
	}
	s = buf_slice(&b);
	if (b.failed || s.len == 0 || memchr(s.ptr, 0, s.len) || !escape_utf8_valid(s))
		return SA_ERR_INVALID;
	*out = slice_dup(s);
	return *out ? 0 : SA_ERR_NOMEM;
}

/* A part of a list as a fresh string, NULL when empty. */
static int take_part(struct slice part, char **out)
{
	char *text = slice_dup(part), *to = text;

	if (!text)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < part.len; i++) {
		struct slice rest = {part.ptr + i, part.len - i};

		if (part.ptr[i] != '%') {
			*to++ = part.ptr[i];
			continue;
		}
		if (slice_starts(rest, "%25"))
			*to++ = '%';
		else if (slice_starts(rest, "%7C"))
			*to++ = '|';
		else if (slice_starts(rest, "%2C"))
			*to++ = ',';
		else {
			free(text);
			return SA_ERR_INVALID;
		}
		i += 2;
	}
	*to = 0;
	if (to == text) {
		free(text);
		text = NULL;
	}
	*out = text;
	return 0;
}

static int take_approval(struct slice item, struct access_approval *out)
{
	struct slice rest = item;
	size_t bars = 0;
	int rc;

	for (size_t i = 0; i < item.len; i++)
		bars += item.ptr[i] == '|';
	if (bars != 3)
		return SA_ERR_INVALID;
	if ((rc = take_part(slice_cut(&rest, '|'), &out->by)) < 0 ||
	    (rc = take_part(slice_cut(&rest, '|'), &out->type)) < 0 ||
	    (rc = take_part(slice_cut(&rest, '|'), &out->status)) < 0)
		return rc;
	return take_part(rest, &out->at);
}

static int take_approvals(struct slice value, struct access *a)
{
	_cleanup_free_ char *list = NULL;
	struct slice rest;
	int rc;

	if (a->approvals)
		return SA_ERR_INVALID;
	if ((rc = take_value(value, CAP_APPROVALS, &list)) < 0)
		return rc;
	a->approvals = calloc(ACCESS_MAX_APPROVALS, sizeof(*a->approvals));
	if (!a->approvals)
		return SA_ERR_NOMEM;
	for (rest = slice_of(list); rest.len > 0 && rc == 0;) {
		if (a->n_approvals == ACCESS_MAX_APPROVALS)
			return SA_ERR_INVALID;
		rc = take_approval(slice_cut(&rest, ','), &a->approvals[a->n_approvals++]);
	}
	return rc;
}

static int take_candidates(struct slice value, struct access *a)
{
	_cleanup_free_ char *list = NULL;
	struct slice rest;
	int rc;

	if (a->candidates)
		return SA_ERR_INVALID;
	if ((rc = take_value(value, CAP_CANDIDATES, &list)) < 0)
		return rc;
	for (rest = slice_of(list); rest.len > 0 && rc == 0;) {
		_cleanup_free_ char *id = NULL;

		if ((rc = take_part(slice_cut(&rest, ','), &id)) < 0)
			return rc;
		rc = id ? access_add_candidate(a, slice_of(id)) : SA_ERR_INVALID;
	}
	return rc == SA_ERR_TOOBIG ? SA_ERR_INVALID : rc;
}

static int take_field(struct slice key, struct slice value, struct tag *t)
{
	if (slice_is(key, "sa_appr"))
		return take_approvals(value, &t->access);
	if (slice_is(key, "sa_cand"))
		return take_candidates(value, &t->access);
	if (slice_is(key, "sa_cut")) {
		t->truncated = slice_is(value, "1");
		return t->truncated ? 0 : SA_ERR_INVALID;
	}
	if (slice_is(key, "sa_pol"))
		return t->access.policy == ACCESS_POLICY_NONE
			       ? access_policy_parse(value, &t->access.policy)
			       : SA_ERR_INVALID;
	for (size_t i = 0; i < ARRAY_LEN(tag_fields); i++) {
		char **field = field_at(t, &tag_fields[i]);

		if (!slice_is(key, tag_fields[i].key))
			continue;
		return *field ? SA_ERR_INVALID : take_value(value, tag_fields[i].cap, field);
	}
	/* A later version may add fields, but what came first is not said twice. */
	return slice_is(key, "sa_v") || slice_is(key, "sa_st") || slice_is(key, "sa_src")
		       ? SA_ERR_INVALID
		       : 0;
}

static int take_kind(struct slice op, enum tag_kind *out)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (op.len == strlen(TAG_OP) + strlen(kinds[i]) && slice_starts(op, TAG_OP) &&
		    memcmp(op.ptr + strlen(TAG_OP), kinds[i], strlen(kinds[i])) == 0) {
			*out = (enum tag_kind)i;
			return 0;
		}
	}
	return SA_ERR_INVALID;
}

static int take_head(struct slice *rest, struct tag *t)
{
	struct slice st, src;

	if (take_kind(slice_cut(rest, ' '), &t->kind) < 0 ||
	    !slice_is(slice_cut(rest, ' '), "sa_v=" TAG_VERSION))
		return SA_ERR_INVALID;
	st = slice_cut(rest, ' ');
	src = slice_cut(rest, ' ');
	if (!slice_is(slice_cut(&st, '='), "sa_st") || !slice_is(slice_cut(&src, '='), "sa_src") ||
	    access_status_parse(st, &t->access.status) < 0)
		return SA_ERR_INVALID;
	return access_source_parse(src, &t->access.source);
}

int tag_decode(struct slice msg, struct tag *out)
{
	__attribute__((cleanup(tag_free))) struct tag t = {0};
	struct slice rest;
	int rc;

	if ((rc = find_body(msg, &rest)) < 0 || (rc = take_head(&rest, &t)) < 0)
		return rc;
	/* Ours ends where the sender's exe=, hostname= and so on begin. */
	while (slice_starts(rest, "sa_")) {
		struct slice value = slice_cut(&rest, ' ');
		struct slice key = slice_cut(&value, '=');

		if ((rc = take_field(key, value, &t)) < 0)
			return rc;
	}
	*out = t;
	t = (struct tag){0};
	return 0;
}

void tag_free(struct tag *t)
{
	access_free(&t->access);
	free(t->user);
	free(t->from);
	free(t->service);
	free(t->source);
	free(t->terminal);
	*t = (struct tag){0};
}
