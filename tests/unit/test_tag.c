/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "common/access/tag.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

static struct access_approval two_approvals[] = {
	{"bob@example.com", "user", "approved", "2026-11-21T01:00:00.000Z"},
	{"a|b,c%d", NULL, "approved", NULL},
};

static char *two_candidates[] = {"REQ-1", "REQ,2%"};

static const struct tag full = {
	.access = {.status = ACCESS_APPROVED,
		   .source = ACCESS_SOURCE_USER,
		   .request_id = "REQ-1042",
		   .grant_id = "g-7f3a",
		   .broker = "apono",
		   .requester_id = "u1",
		   .requester = "alice@example.com",
		   .flow_id = "f1",
		   .flow = "prod ssh",
		   .justification = "INC-77: disk's full",
		   .resource = "ssh/prod-db-1",
		   .ticket = "INC-77",
		   .not_before = "2026-11-21T01:00:00.000Z",
		   .expires_at = "2026-11-21T05:00:00.000Z",
		   .grant_sha256 =
			   "21e7f322f66aaed9aa35d1a7ecd6eb7e7d07daccc9c74d5e91a69d824fd4c518",
		   .key_fp = "SHA256:cRbNDN+w7EH20RAYc80ay7EdaOv8ux7u/wozCqTuyak",
		   .ca_fp = "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
		   .cert_key_id = "REQ-1042/alice",
		   .cert_serial = "18446744073709551615",
		   .cert_profile = "sessaudit",
		   .approvals = two_approvals,
		   .n_approvals = 1},
	.user = "dba",
	.service = "sshd",
	.source = "10.1.2.3",
	.terminal = "ssh",
};

#define FULL_TEXT                                                                                  \
	"op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"REQ-1042\" "                 \
	"sa_grant=\"g-7f3a\" sa_broker=\"apono\" sa_rqid=\"u1\" sa_rq=\"alice@example.com\" "      \
	"sa_flowid=\"f1\" sa_flow=70726F6420737368 "                                               \
	"sa_just=494E432D37373A206469736B27732066756C6C sa_res=\"ssh/prod-db-1\" "                 \
	"sa_ticket=\"INC-77\" sa_nbf=\"2026-11-21T01:00:00.000Z\" "                                \
	"sa_exp=\"2026-11-21T05:00:00.000Z\" "                                                     \
	"sa_sha=\"21e7f322f66aaed9aa35d1a7ecd6eb7e7d07daccc9c74d5e91a69d824fd4c518\" "             \
	"sa_kfp=\"SHA256:cRbNDN+w7EH20RAYc80ay7EdaOv8ux7u/wozCqTuyak\" "                           \
	"sa_cafp=\"SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG\" "                          \
	"sa_keyid=\"REQ-1042/alice\" sa_serial=\"18446744073709551615\" "                          \
	"sa_prof=\"sessaudit\" "                                                                   \
	"sa_user=\"dba\" sa_svc=\"sshd\" sa_addr=\"10.1.2.3\" sa_term=\"ssh\" "                    \
	"sa_appr=626F62406578616D706C652E636F6D7C757365727C617070726F7665647C323032362D31312D"     \
	"32315430313A30303A30302E3030305A"

#define TAIL " exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success"
#define HEAD "pid=1 uid=0 auid=1000 ses=3 subj=system_u:system_r:sshd_t:s0-s0:c0.c1023 "

/* Both as JSON and by the members that JSON does not hold. */
static void same(const struct tag *got, const struct tag *want, const char *name)
{
	_cleanup_buf_ struct buf a = {0}, b = {0};
	_cleanup_json_writer_ struct json_writer *wa = NULL, *wb = NULL;

	buf_init(&a, 65536);
	buf_init(&b, 65536);
	wa = json_writer_new(&a);
	wb = json_writer_new(&b);
	access_write(wa, &got->access);
	access_write(wb, &want->access);
	tap_int(json_writer_end(wa) | json_writer_end(wb), 0, "%s: both are JSON", name);
	tap_str(buf_cstr(&a), buf_cstr(&b), "%s: access", name);
	tap_str(got->user, want->user, "%s: user", name);
	tap_int(got->kind, want->kind, "%s: kind", name);
	tap_str(got->from, want->from, "%s: from", name);
	tap_str(got->service, want->service, "%s: service", name);
	tap_str(got->source, want->source, "%s: source", name);
	tap_str(got->terminal, want->terminal, "%s: terminal", name);
	tap_int(got->truncated, want->truncated, "%s: truncated", name);
}

static void check_round(const char *name, const struct tag *t)
{
	_cleanup_buf_ struct buf b = {0};
	struct tag back = {0};

	buf_init(&b, 65536);
	tap_int(tag_encode(t, &b), 0, "%s: encoded", name);
	tap_int(tag_decode(buf_slice(&b), &back), 0, "%s: decoded", name);
	same(&back, t, name);
	tag_free(&back);
}

static void check_rounds(void)
{
	struct tag t = full;
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 65536);
	tap_int(tag_encode(&full, &b), 0, "every field: encoded");
	tap_str(buf_cstr(&b), FULL_TEXT, "every field: text");
	check_round("every field", &full);
	t.access.n_approvals = 2;
	check_round("separators in an approval", &t);
	t.access.justification = "h\xc3\xa9llo \xf0\x9f\x94\x91\n\t\"quoted\"";
	check_round("not ASCII", &t);
	check_round("nothing known", &(struct tag){0});
	t = (struct tag){.access = {.status = ACCESS_AMBIGUOUS,
				    .source = ACCESS_SOURCE_USER,
				    .candidates = two_candidates,
				    .n_candidates = 2},
			 .user = "o'brien"};
	check_round("ambiguous", &t);
	t = (struct tag){.kind = TAG_NEST,
			 .access = {.status = ACCESS_UNAPPROVED,
				    .policy = ACCESS_POLICY_DENIED,
				    .reason = "request REQ-7: expired"},
			 .user = "root",
			 .from = "o'brien",
			 .service = "sudo"};
	check_round("nested and denied", &t);
	buf_clear(&b);
	tap_int(tag_encode(&t, &b), 0, "nested and denied: encoded");
	tap_str(buf_cstr(&b),
		"op=sessaudit-nest sa_v=1 sa_st=unapproved sa_src=none sa_pol=denied "
		"sa_why=72657175657374205245512D373A2065787069726564 sa_user=\"root\" "
		"sa_from=6F27627269656E sa_svc=\"sudo\"",
		"nested and denied: text");
	t = (struct tag){.access = {.status = ACCESS_CONFLICT,
				    .source = ACCESS_SOURCE_CERT,
				    .policy = ACCESS_POLICY_EXEMPT,
				    .request_id = "REQ-1"}};
	check_round("a conflict, exempt", &t);
	t = (struct tag){.access = {.status = ACCESS_ID_ONLY, .source = ACCESS_SOURCE_SESSION}};
	check_round("of another session", &t);
	t = (struct tag){.access = {.status = ACCESS_BREAKGLASS,
				    .source = ACCESS_SOURCE_PROMPT,
				    .justification = "disk full",
				    .ticket = "INC-77"}};
	check_round("break-glass", &t);
}

struct good {
	const char *name, *text, *request, *user;
};

static const struct good goods[] = {
	{"message alone", "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\"", "R",
	 NULL},
	{"with the sender's tail",
	 "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\"" TAIL, "R", NULL},
	{"the kernel's record",
	 HEAD "msg='op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\" "
	      "sa_user=\"dba\"" TAIL "'",
	 "R", "dba"},
	{"a line of audit.log",
	 "type=TRUSTED_APP msg=audit(1795230000.123:77): " HEAD
	 "msg='op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\"" TAIL "'",
	 "R", NULL},
	{"enriched",
	 HEAD "msg='op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\"" TAIL
	      "'\x1dUID=\"root\" AUID=\"dba\"",
	 "R", NULL},
	{"hex in either case", "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=4a4B",
	 "JK", NULL},
	{"a field of a later version",
	 "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_new=1 sa_req=\"R\"", "R", NULL},
	{"ours end at the first other field",
	 "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req=\"R\" exe=\"x\" "
	 "sa_user=\"eve\"",
	 "R", NULL},
	{"nothing known", "op=sessaudit-bind sa_v=1 sa_st=unapproved sa_src=none", NULL, NULL},
};

static void check_good(const struct good *g)
{
	struct tag t = {0};

	tap_int(tag_decode(slice_of(g->text), &t), 0, "%s: decoded", g->name);
	tap_str(t.access.request_id, g->request, "%s: request", g->name);
	tap_str(t.user, g->user, "%s: user", g->name);
	tag_free(&t);
}

#define OK "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user "

static const char *const bads[][2] = {
	{"empty", ""},
	{"another message", "op=login acct=\"dba\" exe=\"/usr/sbin/sshd\""},
	{"another record", HEAD "msg='op=login acct=\"dba\"" TAIL "'"},
	{"ours inside another", HEAD "msg='op=login acct=\"op=sessaudit-bind sa_v=1 sa_st=approved"
				     " sa_src=user sa_req=\"R\"" TAIL "'"},
	{"a longer op", "op=sessaudit-binding sa_v=1 sa_st=approved sa_src=user"},
	{"no version", "op=sessaudit-bind sa_st=approved sa_src=user"},
	{"another version", "op=sessaudit-bind sa_v=2 sa_st=approved sa_src=user"},
	{"no status", "op=sessaudit-bind sa_v=1 sa_src=user"},
	{"unknown status", "op=sessaudit-bind sa_v=1 sa_st=fine sa_src=user"},
	{"unknown source", "op=sessaudit-bind sa_v=1 sa_st=approved sa_src=dns"},
	{"unknown policy", OK "sa_pol=perhaps"},
	{"policy twice", OK "sa_pol=denied sa_pol=exempt"},
	{"another kind", "op=sessaudit-nested sa_v=1 sa_st=approved sa_src=user"},
	{"no kind", "op=sessaudit- sa_v=1 sa_st=approved sa_src=user"},
	{"from twice", "op=sessaudit-nest sa_v=1 sa_st=approved sa_src=user sa_from=\"a\" "
		       "sa_from=\"b\""},
	{"key twice", OK "sa_kfp=\"a\" sa_kfp=\"b\""},
	{"serial too long", OK "sa_serial=\"184467440737095516150\""},
	{"status twice", OK "sa_st=approved"},
	{"request twice", OK "sa_req=\"R\" sa_req=\"S\""},
	{"approvals twice", OK "sa_appr=7C7C7C sa_appr=7C7C7C"},
	{"candidates twice", OK "sa_cand=\"R\" sa_cand=\"S\""},
	{"odd hex", OK "sa_req=414"},
	{"no hex", OK "sa_req=REQ"},
	{"empty value", OK "sa_req="},
	{"empty quotes", OK "sa_req=\"\""},
	{"no value", OK "sa_req"},
	{"open quote", OK "sa_req=\"R"},
	{"one quote", OK "sa_req=\""},
	{"unsafe byte in quotes", OK "sa_req=\"R;S\""},
	{"NUL in hex", OK "sa_req=410042"},
	{"not UTF-8 in hex", OK "sa_req=41FF"},
	{"three parts in an approval", OK "sa_appr=617C627C63"},
	{"five parts in an approval", OK "sa_appr=617C7C7C7C"},
	{"unknown escape in a candidate", OK "sa_cand=522541"},
	{"empty candidate", OK "sa_cand=\"R,,S\""},
	{"sa_cut is not 1", OK "sa_cut=2"},
	{"no end of the envelope", HEAD "msg='" OK "sa_req=\"R\""},
	{"too long", OK "sa_term=\"0123456789012345678901234567890123456789012345678901234567890123"
			"4\""},
};

static void check_bad(const char *const bad[2])
{
	struct tag t = {.truncated = true};

	tap_int(tag_decode(slice_of(bad[1]), &t), SA_ERR_INVALID, "%s: refused", bad[0]);
	tap_ok(t.truncated && !t.access.request_id, "%s: out untouched", bad[0]);
}

static char *filled(char *text, size_t size, const char *unit)
{
	size_t n = strlen(unit), at = 0;

	for (; at + n < size; at += n)
		memcpy(text + at, unit, n);
	text[at] = 0;
	return text;
}

/* All strings of a tag that are sent as fields of their own. */
static const size_t strings[] = {
	offsetof(struct tag, access.request_id),
	offsetof(struct tag, access.grant_id),
	offsetof(struct tag, access.broker),
	offsetof(struct tag, access.requester_id),
	offsetof(struct tag, access.requester),
	offsetof(struct tag, access.flow_id),
	offsetof(struct tag, access.flow),
	offsetof(struct tag, access.justification),
	offsetof(struct tag, access.resource),
	offsetof(struct tag, access.ticket),
	offsetof(struct tag, access.not_before),
	offsetof(struct tag, access.expires_at),
	offsetof(struct tag, access.grant_sha256),
	offsetof(struct tag, access.key_fp),
	offsetof(struct tag, access.ca_fp),
	offsetof(struct tag, access.cert_key_id),
	offsetof(struct tag, access.cert_serial),
	offsetof(struct tag, access.cert_profile),
	offsetof(struct tag, access.reason),
	offsetof(struct tag, user),
	offsetof(struct tag, from),
	offsetof(struct tag, service),
	offsetof(struct tag, source),
	offsetof(struct tag, terminal),
};

static char **string_of(struct tag *t, size_t i)
{
	return (char **)((char *)t + strings[i]);
}

/* Every field as long and as bad as it can be: the kernel must not have to cut. */
static void check_cap(const char *name, const char *unit)
{
	static char text[ACCESS_MAX_FIELD + 1];
	struct access_approval approvals[ACCESS_MAX_APPROVALS];
	char *candidates[ACCESS_MAX_CANDIDATES], *x = filled(text, sizeof(text), unit);
	struct tag back = {0}, t = {.kind = TAG_BIND,
				    .access = {.status = ACCESS_UNAPPROVED,
					       .source = ACCESS_SOURCE_SESSION,
					       .policy = ACCESS_POLICY_EXEMPT,
					       .approvals = approvals,
					       .n_approvals = ACCESS_MAX_APPROVALS,
					       .candidates = candidates,
					       .n_candidates = ACCESS_MAX_CANDIDATES}};
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		*string_of(&t, i) = x;
	for (int i = 0; i < ACCESS_MAX_APPROVALS; i++)
		approvals[i] = (struct access_approval){"someone", "user", "approved", "2026"};
	for (int i = 0; i < ACCESS_MAX_CANDIDATES; i++)
		candidates[i] = i ? "a candidate of some length that is in no way short" : x;
	buf_init(&b, 65536);
	tap_int(tag_encode(&t, &b), 0, "%s: encoded", name);
	tap_ok(b.len <= TAG_MAX_BYTES, "%s: %zu bytes", name, b.len);
	tap_int(tag_decode(buf_slice(&b), &back), 0, "%s: decoded", name);
	tap_ok(back.truncated, "%s: says that it was cut", name);
	tap_ok(back.access.request_id && strncmp(back.access.request_id, x, 250) == 0,
	       "%s: the request id is there", name);
	tap_ok(back.access.n_candidates > 0, "%s: some candidates", name);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		const char *got = *string_of(&back, i);

		/* The beginning, whole characters only. */
		if (!got || strncmp(got, x, strlen(got)) != 0 || strlen(got) % strlen(unit) != 0)
			tap_ok(strlen(unit) == 3 && got, "%s: field %zu is \"%s\"", name, i, got);
	}
	tag_free(&back);
}

/* Lists at their longest too: approvals and candidates in hex to the last byte of their caps. */
static void check_lists(void)
{
	static char x[ACCESS_MAX_FIELD + 1];
	struct access_approval approvals[ACCESS_MAX_APPROVALS];
	char *candidates[ACCESS_MAX_CANDIDATES], *quote = "'";
	struct tag back = {0}, t = {.kind = TAG_NEST,
				    .access = {.status = ACCESS_UNAPPROVED,
					       .source = ACCESS_SOURCE_SESSION,
					       .policy = ACCESS_POLICY_DENIED,
					       .approvals = approvals,
					       .n_approvals = ACCESS_MAX_APPROVALS,
					       .candidates = candidates,
					       .n_candidates = ACCESS_MAX_CANDIDATES}};
	_cleanup_buf_ struct buf b = {0};

	memset(x, '\'', ACCESS_MAX_FIELD);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		*string_of(&t, i) = x;
	for (int i = 0; i < ACCESS_MAX_APPROVALS; i++)
		approvals[i] =
			(struct access_approval){x + ACCESS_MAX_FIELD - 28, NULL, NULL, NULL};
	for (int i = 0; i < ACCESS_MAX_CANDIDATES; i++)
		candidates[i] = i < ACCESS_MAX_CANDIDATES - 1 ? x + ACCESS_MAX_FIELD - 19 : quote;
	buf_init(&b, 65536);
	tap_int(tag_encode(&t, &b), 0, "full lists: encoded");
	tap_ok(b.len <= TAG_MAX_BYTES, "full lists: %zu bytes", b.len);
	tap_int(tag_decode(buf_slice(&b), &back), 0, "full lists: decoded");
	tap_ok(back.truncated, "full lists: says that it was cut");
	tap_int((long long)back.access.n_approvals, ACCESS_MAX_APPROVALS,
		"full lists: all approvals");
	tap_ok(back.access.n_candidates >= ACCESS_MAX_CANDIDATES - 1, "full lists: %zu candidates",
	       back.access.n_candidates);
	tag_free(&back);
}

static void check_no_memory(void)
{
	_cleanup_buf_ struct buf b = {0};
	struct tag t;
	unsigned long n = 0;
	int rc;

	buf_init(&b, 65536);
	do {
		t = (struct tag){0};
		alloc_fail_at(++n);
		rc = tag_decode(SLICE_LIT(FULL_TEXT " sa_cand=\"A,B\""), &t);
		if (rc == 0)
			rc = tag_encode(&t, &b);
		if (alloc_failed() && rc == 0 && !memmem(b.data, b.len, " sa_cut=1", 9))
			tap_ok(false, "allocation %lu fails: success", n);
		tag_free(&t);
		buf_free(&b);
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_ok(n > 20, "%lu allocations failed in turn", n - 1);
}

int main(void)
{
	check_rounds();
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++)
		check_good(&goods[i]);
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
		check_bad(bads[i]);
	check_cap("ASCII", "x");
	check_cap("hex", "'");
	check_cap("four bytes a character", "\xf0\x9f\x94\x91");
	check_cap("separators", "%|,");
	check_lists();
	check_no_memory();
	return tap_done();
}
