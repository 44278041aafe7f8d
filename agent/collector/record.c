/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/record.h"

#include <libaudit.h>

#include "common/escape.h"

static bool take_digits(const char **p, const char *end, uint64_t *out)
{
	const char *s = *p;
	uint64_t v = 0;

	while (s < end && *s >= '0' && *s <= '9') {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s++ - '0');
	}
	if (s == *p)
		return false;
	*p = s;
	*out = v;
	return true;
}

static bool take_literal(const char **p, const char *end, const char *lit)
{
	size_t n = strlen(lit);

	if ((size_t)(end - *p) < n || memcmp(*p, lit, n) != 0)
		return false;
	*p += n;
	return true;
}

/* "audit(1700000000.123:456): " */
static bool take_stamp(const char **p, const char *end, struct record *r)
{
	uint64_t sec, ms;

	if (!take_literal(p, end, "audit(") || !take_digits(p, end, &sec) ||
	    !take_literal(p, end, ".") || !take_digits(p, end, &ms) || !take_literal(p, end, ":") ||
	    !take_digits(p, end, &r->serial) || !take_literal(p, end, "):"))
		return false;
	/* the year 9999: what comes later is no time but garbage */
	if (sec > 253402300799 || ms > 999)
		return false;
	if (*p < end && **p == ' ')
		(*p)++;
	r->time_ms = (int64_t)sec * 1000 + (int64_t)ms;
	return true;
}

static struct slice trim_end(const char *p, const char *end)
{
	while (end > p && (end[-1] == '\0' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	return (struct slice){p, (size_t)(end - p)};
}

int record_parse_payload(unsigned type, struct slice payload, struct record *out)
{
	const char *p = payload.ptr, *end = p + payload.len;
	struct record r = {.type = type};

	if (payload.len > RECORD_MAX_BYTES)
		return SA_ERR_TOOBIG;
	if (!take_stamp(&p, end, &r))
		return SA_ERR_INVALID;
	r.body = trim_end(p, end);
	*out = r;
	return 0;
}

static bool take_word(const char **p, const char *end, struct slice *word)
{
	const char *s = *p;

	while (s < end && *s != ' ')
		s++;
	if (s == *p || s == end)
		return false;
	*word = (struct slice){*p, (size_t)(s - *p)};
	*p = s + 1;
	return true;
}

/* "SYSCALL", or "UNKNOWN[1334]" as auditd writes types it has no name for. */
static bool type_of_name(struct slice name, unsigned *type)
{
	static const struct {
		const char *name;
		unsigned type;
	} frequent[] = {
		{"SYSCALL", RECORD_SYSCALL}, {"PATH", RECORD_PATH},
		{"EXECVE", RECORD_EXECVE},   {"PROCTITLE", RECORD_PROCTITLE},
		{"CWD", RECORD_CWD},         {"TTY", RECORD_TTY},
		{"EOE", RECORD_EOE},
	};
	char text[64];
	int found;

	for (size_t i = 0; i < sizeof(frequent) / sizeof(frequent[0]); i++) {
		if (slice_is(name, frequent[i].name)) {
			*type = frequent[i].type;
			return true;
		}
	}
	if (name.len >= sizeof(text) || memchr(name.ptr, '\0', name.len))
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	if (slice_starts(name, "UNKNOWN[")) {
		const char *p = name.ptr + strlen("UNKNOWN[");
		uint64_t v;

		if (!take_digits(&p, name.ptr + name.len, &v) || v > UINT16_MAX)
			return false;
		*type = (unsigned)v;
		return true;
	}
	found = audit_name_to_msg_type(text);
	if (found <= 0)
		return false;
	*type = (unsigned)found;
	return true;
}

int record_parse_line(struct slice line, struct record *out)
{
	struct slice text = trim_end(line.ptr, line.ptr + line.len), name;
	const char *p = text.ptr, *end = p + text.len, *tail;
	struct record r = {0};

	if (text.len == 0 || slice_is(text, "----"))
		return SA_ERR_NOTFOUND;
	if (text.len > RECORD_MAX_BYTES)
		return SA_ERR_TOOBIG;
	if (take_literal(&p, end, "node=") && !take_word(&p, end, &r.node))
		return SA_ERR_INVALID;
	if (!take_literal(&p, end, "type=") || !take_word(&p, end, &name) ||
	    !type_of_name(name, &r.type) || !take_literal(&p, end, "msg=") ||
	    !take_stamp(&p, end, &r))
		return SA_ERR_INVALID;
	tail = memchr(p, 0x1d, (size_t)(end - p));
	if (tail) {
		r.enriched = (struct slice){tail + 1, (size_t)(end - tail - 1)};
		end = tail;
	}
	r.body = trim_end(p, end);
	*out = r;
	return 0;
}

struct record_fields record_fields(struct slice body)
{
	const char *p = body.ptr ? body.ptr : "";

	return (struct record_fields){p, p + body.len};
}

static const char *value_end(const char *p, const char *end)
{
	if (p < end && *p == '"') {
		const char *q = memchr(p + 1, '"', (size_t)(end - p - 1));

		return q ? q + 1 : end;
	}
	if (p < end && *p == '\'') {
		const char *q = memrchr(p + 1, '\'', (size_t)(end - p - 1));

		return q ? q + 1 : end;
	}
	p = memchr(p, ' ', (size_t)(end - p));
	return p ? p : end;
}

bool record_next(struct record_fields *f, struct slice *name, struct slice *value)
{
	while (f->pos < f->end) {
		const char *p = f->pos, *start = p, *stop;

		while (p < f->end && *p != '=' && *p != ' ')
			p++;
		if (p == f->end || *p == ' ' || p == start) {
			f->pos = p < f->end ? p + 1 : p;
			continue;
		}
		stop = value_end(p + 1, f->end);
		*name = (struct slice){start, (size_t)(p - start)};
		*value = (struct slice){p + 1, (size_t)(stop - p - 1)};
		f->pos = stop < f->end ? stop + 1 : stop;
		return true;
	}
	return false;
}

struct slice record_get(struct slice body, const char *name)
{
	struct record_fields f = record_fields(body);
	struct slice n, v;

	while (record_next(&f, &n, &v)) {
		if (slice_is(n, name))
			return v;
		if (v.len > 0 && v.ptr[0] == '\'')
			break;
	}
	return SLICE_NONE;
}

struct slice record_msg(struct slice body)
{
	struct slice v = record_get(body, "msg");

	if (v.len < 2 || v.ptr[0] != '\'' || v.ptr[v.len - 1] != '\'')
		return SLICE_NONE;
	return (struct slice){v.ptr + 1, v.len - 2};
}

bool record_u64(struct slice value, uint64_t *out)
{
	const char *p = value.ptr;
	uint64_t v;

	if (value.len == 0 || !take_digits(&p, value.ptr + value.len, &v) ||
	    p != value.ptr + value.len)
		return false;
	*out = v;
	return true;
}

bool record_i64(struct slice value, int64_t *out)
{
	bool negative = value.len > 0 && value.ptr[0] == '-';
	uint64_t v;

	if (negative)
		value = (struct slice){value.ptr + 1, value.len - 1};
	if (!record_u64(value, &v) || v > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

uint32_t record_id(struct slice value)
{
	uint64_t v;

	return record_u64(value, &v) && v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

struct slice record_text(struct slice value, struct buf *scratch)
{
	size_t before = scratch->len;

	if (value.len == 0)
		return value;
	if (value.ptr[0] == '"') {
		size_t quotes = value.len > 1 && value.ptr[value.len - 1] == '"' ? 2 : 1;

		return (struct slice){value.ptr + 1, value.len - quotes};
	}
	if (slice_is(value, "(null)") || slice_is(value, "(none)") || slice_is(value, "?"))
		return SLICE_NONE;
	if (value.len % 2 == 0 && escape_unhex(scratch, value) == 0 && !scratch->failed)
		return (struct slice){scratch->data + before, scratch->len - before};
	return value;
}
