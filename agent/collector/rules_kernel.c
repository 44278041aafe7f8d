/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The rules that the kernel has: listed, compared, added, removed. */
#include <errno.h>
#include <libaudit.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector/rules.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

#define REPLY_TIMEOUT_MS 2000

static size_t size_of(const struct audit_rule_data *d)
{
	return sizeof(*d) + d->buflen;
}

/* Fields and strings come back in the order they were given in (kernel/auditfilter.c,
 * audit_krule_to_data). */
static bool is_same(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	return size_of(a) == size_of(b) && memcmp(a, b, size_of(a)) == 0;
}

/* Its place in the list; l->n: it is not there. */
static size_t place_of(const struct rules_list *l, const struct rule *r)
{
	size_t i = 0;

	while (i < l->n && !is_same(l->items[i], r->data))
		i++;
	return i;
}

bool rules_has(const struct rules_list *l, const struct rule *r)
{
	return place_of(l, r) < l->n;
}

void rules_list_free(struct rules_list *l)
{
	for (size_t i = 0; l && i < l->n; i++)
		free(l->items[i]);
	if (l)
		free(l->items);
	free(l);
}

static void free_list(struct rules_list **l)
{
	rules_list_free(*l);
}

static int take(struct rules_list *l, const struct audit_reply *reply, struct sa_err *err)
{
	struct audit_rule_data *copy;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct audit_rule_data **items = reallocarray(l->items, cap, sizeof(*items));

		if (!items)
			return sa_fail(err, SA_ERR_NOMEM, "rules: out of memory");
		l->items = items;
		l->cap = cap;
	}
	copy = malloc(size_of(reply->ruledata));
	if (!copy)
		return sa_fail(err, SA_ERR_NOMEM, "rules: out of memory");
	memcpy(copy, reply->ruledata, size_of(reply->ruledata));
	l->items[l->n++] = copy;
	return 0;
}

int rules_list(int fd, struct rules_list **out, struct sa_err *err)
{
	_cleanup_(free_list) struct rules_list *l = calloc(1, sizeof(*l));
	int64_t deadline = clock_mono_ms() + REPLY_TIMEOUT_MS;
	int rc = 0, seq;

	if (!l)
		return sa_fail(err, SA_ERR_NOMEM, "rules: out of memory");
	seq = audit_request_rules_list_data(fd);
	if (seq <= 0)
		return sa_fail_errno(err, "kernel audit: list the rules");
	while (rc == 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		struct audit_reply reply = {0};

		if (left <= 0)
			return sa_fail(err, SA_ERR_IO, "kernel audit does not list its rules");
		if (poll(&p, 1, (int)left) <= 0 ||
		    audit_get_reply(fd, &reply, GET_REPLY_NONBLOCKING, 0) <= 0 ||
		    reply.msg.nlh.nlmsg_seq != (uint32_t)seq)
			continue; /* also what an earlier question was answered too late */
		if (reply.type == NLMSG_DONE)
			break;
		if (reply.type == AUDIT_LIST_RULES)
			rc = take(l, &reply, err);
	}
	if (rc == 0)
		*out = TAKE_PTR(l);
	return rc;
}

int rules_install(int fd, struct rules *r, const struct rules_list *have, struct sa_err *err)
{
	size_t refused = 0, tried = 0;
	int last = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct rule *rule = &r->items[i];
		bool known = rule->refused; /* and said */
		int rc;

		rule->refused = false;
		if (rules_has(have, rule))
			continue;
		tried++;
		rc = audit_add_rule_data(
			fd, rule->data,
			AUDIT_FILTER_EXIT | (rule->first ? AUDIT_FILTER_PREPEND : 0), AUDIT_ALWAYS);
		rule->data->flags = AUDIT_FILTER_EXIT; /* libaudit noted the other there */
		rule->refused = rc <= 0 && rc != -EEXIST;
		rule->added |= rc > 0;
		if (!rule->refused)
			continue;
		last = rc < 0 ? -rc : errno;
		refused++;
		if (!known)
			log_warn("event=rule_refused reason=\"%s\" rule=\"%s\"", strerror(last),
				 rule->text);
	}
	if (tried && refused == tried && tried == r->n)
		return sa_fail(err, SA_ERR_PERM, "rules: the kernel takes none: %s",
			       strerror(last));
	return 0;
}

static bool is_ours(const struct audit_rule_data *d)
{
	size_t at = 0;

	for (unsigned i = 0; i < d->field_count && i < AUDIT_MAX_FIELDS; i++) {
		unsigned f = d->fields[i];

		if (f == AUDIT_FILTERKEY) {
			struct slice key = {d->buf + at, d->values[i]};

			return at + key.len <= d->buflen &&
			       (slice_is(key, RULES_KEY) || slice_is(key, RULES_SELF_KEY));
		}
		if (f == AUDIT_WATCH || f == AUDIT_DIR || f == AUDIT_EXE ||
		    (f >= AUDIT_SUBJ_USER && f <= AUDIT_OBJ_LEV_HIGH && f != AUDIT_PPID))
			at += d->values[i];
	}
	return false;
}

static const struct rule *find(const struct rules *r, const struct audit_rule_data *d)
{
	for (size_t i = 0; i < r->n; i++)
		if (is_same(d, r->items[i].data))
			return &r->items[i];
	return NULL;
}

static void delete_rule(int fd, struct audit_rule_data *d)
{
	audit_delete_rule_data(fd, d, (int)d->flags, (int)d->action);
}

void rules_remove(int fd, const struct rules *r)
{
	_cleanup_(free_list) struct rules_list *have = NULL;

	if (rules_list(fd, &have, NULL))
		return;
	for (size_t i = 0; i < have->n; i++) {
		const struct rule *rule = r ? find(r, have->items[i]) : NULL;

		if (r ? rule && rule->added : is_ours(have->items[i]))
			delete_rule(fd, have->items[i]);
	}
}

void rules_remove_stale(int fd, const struct rules *r, const struct rules_list *have)
{
	for (size_t i = 0; i < have->n; i++)
		if (is_ours(have->items[i]) && !find(r, have->items[i]))
			delete_rule(fd, have->items[i]);
}

unsigned rules_remove_forged(int fd, const struct rules_list *have)
{
	unsigned n = 0;

	for (size_t i = 0; i < have->n; i++) {
		if (have->items[i]->action == AUDIT_ALWAYS || !is_ours(have->items[i]))
			continue;
		delete_rule(fd, have->items[i]);
		n++;
	}
	return n;
}

/* -F field=value; false when the rule has no such field, or compares otherwise. */
static bool asks_for(const struct audit_rule_data *d, unsigned field, uint32_t *value)
{
	for (unsigned i = 0; i < d->field_count && i < AUDIT_MAX_FIELDS; i++)
		if (d->fields[i] == field && d->fieldflags[i] == AUDIT_EQUAL) {
			*value = d->values[i];
			return true;
		}
	return false;
}

/* The kernel lists auid=unset in one way or the other (audit_krule_to_data). */
static bool is_for_no_login(const struct audit_rule_data *d)
{
	uint32_t v;

	return (asks_for(d, AUDIT_LOGINUID, &v) && v == UINT32_MAX) ||
	       (asks_for(d, AUDIT_LOGINUID_SET, &v) && v == 0);
}

/* Of no use to the collector: what many leave out for the size of their logs. */
static bool is_superfluous(unsigned type)
{
	return type == AUDIT_PROCTITLE || type == AUDIT_EOE || type == AUDIT_SERVICE_START ||
	       type == AUDIT_SERVICE_STOP || type == AUDIT_NETFILTER_CFG || type == AUDIT_BPF ||
	       (type >= AUDIT_FIRST_SELINUX && type <= AUDIT_LAST_KERN_CRYPTO_MSG) ||
	       (type >= AUDIT_FIRST_CRYPTO_MSG && type <= AUDIT_LAST_CRYPTO_MSG);
}

static bool share_a_call(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (a->mask[i] & b->mask[i])
			return true;
	return false;
}

/* The first rule that fits decides. One of ours that is not there yet goes to the end, or to the
 * front. */
static bool is_before(const struct rules_list *have, size_t at, const struct rule *r)
{
	size_t place = place_of(have, r);

	return place < have->n ? at < place : !r->first;
}

static bool hides_a_call(const struct rules_list *have, size_t at, const struct rules *ours)
{
	for (size_t i = 0; i < ours->n; i++)
		if (share_a_call(have->items[at], ours->items[i].data) &&
		    is_before(have, at, &ours->items[i]))
			return true;
	return false;
}

static bool is_of_kernel_debugging(const struct audit_rule_data *d)
{
	uint32_t fs;

	return asks_for(d, AUDIT_FSTYPE, &fs) && (fs == TRACEFS_MAGIC || fs == DEBUGFS_MAGIC);
}

static bool silences(const struct rules_list *have, size_t at, const struct rules *ours)
{
	const struct audit_rule_data *d = have->items[at];
	uint32_t type;

	if (is_for_no_login(d))
		return false;
	switch (d->flags) {
	case AUDIT_FILTER_EXCLUDE:
		return !asks_for(d, AUDIT_MSGTYPE, &type) || !is_superfluous(type);
	case AUDIT_FILTER_EXIT:
		return d->action == AUDIT_NEVER && hides_a_call(have, at, ours);
	case AUDIT_FILTER_FS:
		return d->action == AUDIT_NEVER && !is_of_kernel_debugging(d);
	case AUDIT_FILTER_TASK:
	case AUDIT_FILTER_USER:
		return d->action == AUDIT_NEVER;
	default:
		return false;
	}
}

unsigned rules_silencing(const struct rules_list *have, const struct rules *ours)
{
	unsigned n = 0;

	for (size_t i = 0; i < have->n; i++)
		n += silences(have, i, ours);
	return n;
}
