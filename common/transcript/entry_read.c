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
	e->after_logout = json_bool(json_get(j, "after_logout"));
	e->action = json_get_str(event, "action");
	if (slice_is(e->action, entry_type_name(e->type)))
		e->action = SLICE_NONE;
	e->syscall = json_get_str(json_get(j, "audit"), "syscall");
	if (read_count(j, "exec_seq", &e->exec_seq) || read_count(j, "redacted", &e->redacted))
		return SA_ERR_INVALID;
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

static int read_u32(const struct json *o, const char *key, uint32_t *out)
{
	int64_t n = *out;

	if (read_int(o, key, &n) || n > UINT32_MAX)
		return SA_ERR_INVALID;
	*out = (uint32_t)n;
	return 0;
}

/* "SIGTERM", or "SIG34" where there is no name. */
static int read_signal(struct slice name, uint32_t *out)
{
	uint32_t n = 0;

	if (!name.ptr)
		return 0;
	for (uint32_t i = 1; i < 32; i++) {
		if (slice_is(name, entry_signal_name(i))) {
			*out = i;
			return 0;
		}
	}
	if (name.len < 4 || name.len > 7 || !slice_starts(name, "SIG"))
		return SA_ERR_INVALID;
	for (size_t i = 3; i < name.len; i++) {
		if (name.ptr[i] < '0' || name.ptr[i] > '9')
			return SA_ERR_INVALID;
		n = n * 10 + (uint32_t)(name.ptr[i] - '0');
	}
	*out = n;
	return 0;
}

static int read_exit(const struct json *p, struct entry *e)
{
	e->has_exit_code = json_get(p, "exit_code") != NULL;
	if (read_u32(p, "exit_code", &e->exit_code))
		return SA_ERR_INVALID;
	return read_signal(json_get_str(p, "exit_signal"), &e->exit_signal);
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
	e->command = json_get_str(p, "command_line");
	e->tty = json_get_str(json_get(p, "tty"), "name");
	if (read_exit(p, e))
		return SA_ERR_INVALID;
	return read_args(json_get(p, "args"), r);
}

static int read_network(const struct json *j, struct entry *e)
{
	for (enum entry_endpoint end = ENTRY_DESTINATION; end <= ENTRY_SERVER; end++) {
		const struct json *o = json_get(j, entry_endpoint_name(end));

		if (!o)
			continue;
		e->endpoint = end;
		e->address = json_get_str(o, "address");
		e->ip = json_get_str(o, "ip");
		if (read_u32(o, "port", &e->port))
			return SA_ERR_INVALID;
	}
	e->net_type = json_get_str(json_get(j, "network"), "type");
	return 0;
}

static void read_file(const struct json *j, struct entry *e)
{
	const struct json *file = json_get(j, "file"), *change = json_get(j, "change");

	e->path = json_get_str(file, "path");
	e->target_path = json_get_str(file, "target_path");
	e->flags = json_get_str(file, "flags");
	e->mode = json_get_str(file, "mode");
	e->old_value = json_get_str(change, "old");
	e->new_value = json_get_str(change, "new");
}

static int read_input(const struct json *in, struct entry_read *r)
{
	const struct json *ran = json_get(in, "ran");
	struct slice b64 = json_get_str(in, "raw_b64");
	struct entry *e = &r->e;

	e->text = json_get_str(in, "text");
	e->resolved = json_get_str(in, "resolved");
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
	if ((rc = read_network(j, &r->e)) != 0)
		return sa_fail(err, rc, "entry %llu: broken network", (unsigned long long)r->e.seq);
	read_file(j, &r->e);
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
