/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/escape.h"
#include "common/transcript/entry.h"

/* Numbers may be missing, which leaves out as it is, but not wrong. */
static int read_int(const struct json *o, const char *key, int64_t *out)
{
	const struct json *v = json_get(o, key);
	int64_t n;

	if (!v)
		return 0;
	if (json_int(v, &n) != 0 || n < 0)
		return SA_ERR_INVALID;
	*out = n;
	return 0;
}

static int read_count(const struct json *o, const char *key, uint64_t *out)
{
	int64_t n = (int64_t)*out;

	if (read_int(o, key, &n) != 0)
		return SA_ERR_INVALID;
	*out = (uint64_t)n;
	return 0;
}

static int read_time(const struct json *o, const char *key, int64_t *out)
{
	const struct json *v = json_get(o, key);

	return v ? clock_parse_utc(json_str(v), out) : 0;
}

int entry_read_id(const struct json *o, uint32_t *out)
{
	const struct json *v = json_get(o, "id");
	struct slice s = json_str(v);
	uint64_t n = 0;

	if (!v)
		return 0;
	if (s.len == 0 || s.len > 10)
		return SA_ERR_INVALID;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return SA_ERR_INVALID;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	if (n > UINT32_MAX)
		return SA_ERR_INVALID;
	*out = (uint32_t)n;
	return 0;
}

static int read_outcome(struct slice name, enum entry_outcome *out)
{
	for (enum entry_outcome o = ENTRY_UNKNOWN; o <= ENTRY_FAILURE; o++) {
		if (slice_is(name, entry_outcome_name(o))) {
			*out = o;
			return 0;
		}
	}
	return SA_ERR_INVALID;
}

static int read_common(const struct json *j, struct entry *e)
{
	const struct json *event = json_get(j, "event"), *user = json_get(j, "user");

	if (!json_get(j, "@timestamp") || read_time(j, "@timestamp", &e->time_ms) ||
	    read_count(j, "seq", &e->seq) || e->seq == 0 ||
	    read_outcome(json_get_str(event, "outcome"), &e->outcome) ||
	    read_time(event, "start", &e->start_ms) || read_time(event, "end", &e->end_ms) ||
	    entry_read_id(user, &e->uid) || entry_read_id(json_get(user, "effective"), &e->euid) ||
	    entry_read_id(json_get(user, "audit"), &e->auid) || read_count(j, "count", &e->count) ||
	    read_count(json_get(j, "audit"), "serial", &e->audit_serial))
		return SA_ERR_INVALID;
	e->user = json_get_str(user, "name");
	e->target = json_get_str(json_get(user, "target"), "name");
	e->origin = json_get_str(j, "origin");
	e->object = json_get_str(j, "object");
	e->error = json_get_str(json_get(j, "error"), "code");
	e->service = json_get_str(json_get(j, "service"), "name");
	e->linked = json_get_str(j, "linked_session");
	e->cause = json_get_str(j, "reason");
	e->after_end = json_bool(json_get(j, "after_end"));
	return 0;
}

static int read_args(const struct json *args, struct entry_read *r)
{
	size_t n = json_len(args);

	if (!json_is(args, JSON_ARRAY))
		return args ? SA_ERR_INVALID : 0;
	r->argv = calloc(n + 1, sizeof(*r->argv));
	if (!r->argv)
		return SA_ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		r->argv[i] = json_str(json_at(args, i));
		if (!r->argv[i].ptr)
			return SA_ERR_INVALID;
	}
	r->e.argv = r->argv;
	r->e.argc = n;
	return 0;
}

static int read_process(const struct json *p, struct entry_read *r)
{
	struct entry *e = &r->e;

	if (read_int(p, "pid", &e->pid) || read_int(json_get(p, "parent"), "pid", &e->ppid) ||
	    read_count(p, "args_count", &e->argc_total))
		return SA_ERR_INVALID;
	e->exe = json_get_str(p, "executable");
	e->comm = json_get_str(p, "name");
	e->cwd = json_get_str(p, "working_directory");
	e->tty = json_get_str(json_get(p, "tty"), "name");
	return read_args(json_get(p, "args"), r);
}

static int read_input(const struct json *in, struct entry_read *r)
{
	const struct json *ran = json_get(in, "ran");
	struct slice b64 = json_get_str(in, "raw_b64");
	struct entry *e = &r->e;

	e->text = json_get_str(in, "text");
	e->incomplete = json_bool(json_get(in, "incomplete"));
	if (b64.ptr) {
		if (escape_unbase64(&r->raw, b64) != 0 || r->raw.failed)
			return r->raw.failed ? SA_ERR_NOMEM : SA_ERR_INVALID;
		e->raw = buf_slice(&r->raw);
	}
	if (json_len(ran) > ENTRY_MAX_RAN)
		return SA_ERR_INVALID;
	for (; e->n_ran < json_len(ran); e->n_ran++) {
		int64_t seq;

		if (json_int(json_at(ran, e->n_ran), &seq) != 0 || seq < 1)
			return SA_ERR_INVALID;
		e->ran[e->n_ran] = (uint64_t)seq;
	}
	return 0;
}

static int read_entry(struct entry_read *r, struct sa_err *err)
{
	const struct json *j = r->json, *access = json_get(j, "access");
	struct slice type = json_get_str(j, "type");
	int rc;

	if (!type.ptr)
		return sa_fail(err, SA_ERR_INVALID, "not an entry: no type");
	while (r->e.type < ENTRY_TYPES && !slice_is(type, entry_type_name(r->e.type)))
		r->e.type++;
	if (r->e.type == ENTRY_TYPES)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "unknown entry type");
	if ((rc = read_common(j, &r->e)) != 0)
		return sa_fail(err, rc, "broken entry");
	if ((rc = read_process(json_get(j, "process"), r)) != 0)
		return sa_fail(err, rc, "entry %llu: broken process", (unsigned long long)r->e.seq);
	if ((rc = read_input(json_get(j, "input"), r)) != 0)
		return sa_fail(err, rc, "entry %llu: broken input", (unsigned long long)r->e.seq);
	if (!access)
		return 0;
	r->e.access = &r->access;
	return access_read(access, &r->access, err);
}

int entry_parse(struct slice line, struct entry_read *out, struct sa_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	buf_init(&out->raw, line.len);
	out->e.uid = out->e.euid = out->e.auid = ENTRY_ID_UNSET;
	rc = json_parse(line.ptr, line.len, &out->json, err);
	if (rc == 0)
		rc = read_entry(out, err);
	if (rc != 0)
		entry_read_free(out);
	return rc;
}

void entry_read_free(struct entry_read *r)
{
	json_free(r->json);
	free(r->argv);
	access_free(&r->access);
	buf_free(&r->raw);
	memset(r, 0, sizeof(*r));
}
