/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "cli/grant_write.h"
#include "common/cleanup.h"
#include "common/clock.h"

static void write_opt(struct json_writer *w, const char *key, const char *value)
{
	json_write_kstr_opt(w, key, slice_of(value));
}

static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (ms == 0)
		return;
	clock_format_utc(ms, text);
	json_write_kstr(w, key, slice_of(text));
}

static void write_list(struct json_writer *w, const char *key, const struct grant_list *l)
{
	if (l->len == 0)
		return;
	json_write_karray(w, key);
	for (size_t i = 0; i < l->len; i++)
		json_write_str(w, slice_of(l->items[i]));
	json_write_array_close(w);
}

static void write_match(struct json_writer *w, const struct grant *g)
{
	json_write_kopen(w, "match");
	write_list(w, "users", &g->users);
	write_list(w, "groups", &g->groups);
	write_list(w, "services", &g->services);
	write_list(w, "source", &g->source);
	write_list(w, "key_fp", &g->key_fp);
	write_list(w, "ca_fp", &g->ca_fp);
	write_list(w, "cert_key_id", &g->cert_key_id);
	write_list(w, "cert_serial", &g->cert_serial);
	json_write_close(w);
}

static void write_compact(struct json_writer *w, const struct grant *g)
{
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT("sessaudit.grant/1"));
	write_opt(w, "grant_id", g->access.grant_id);
	write_opt(w, "broker", g->access.broker);
	access_write_request(w, &g->access);
	write_list(w, "hosts", &g->hosts);
	write_time(w, "issued_at", g->issued_ms);
	write_time(w, "not_before", g->not_before_ms);
	write_time(w, "expires_at", g->expires_ms);
	json_write_kbool(w, "revoked", g->revoked);
	write_match(w, g);
	json_write_close(w);
}

static void line_break(struct buf *out, unsigned depth)
{
	buf_putc(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_puts(out, "  ");
}

/* Whether the bracket at i opens something that stays on its line: a list of texts. */
static bool stays_on_line(struct slice json, size_t i)
{
	return json.ptr[i] == '[' && i + 1 < json.len && json.ptr[i + 1] != '{';
}

/* Lines and indentation for compact JSON. */
static void indent(struct buf *out, struct slice json)
{
	bool quoted = false, flat = false;
	unsigned depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (quoted || c == '"') {
			buf_putc(out, c);
			if (c == '\\' && i + 1 < json.len)
				buf_putc(out, json.ptr[++i]);
			else if (c == '"')
				quoted = !quoted;
			continue;
		}
		if ((c == '}' || c == ']') && !flat)
			line_break(out, --depth);
		buf_putc(out, c);
		if (stays_on_line(json, i))
			flat = true;
		else if (c == '{' || c == '[')
			line_break(out, ++depth);
		else if (c == ']')
			flat = false;
		else if (c == ',' && !flat)
			line_break(out, depth);
		else if (c == ',' || c == ':')
			buf_putc(out, ' ');
	}
	buf_putc(out, '\n');
}

void grant_write(struct buf *out, const struct grant *g)
{
	_cleanup_buf_ struct buf compact = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&compact, out->max);
	w = json_writer_new(&compact);
	if (w)
		write_compact(w, g);
	if (!w || json_writer_end(w) != 0)
		out->failed = true;
	else
		indent(out, buf_slice(&compact));
}
