/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <getopt.h>
#include <inttypes.h>
#include <time.h>

#include "cli/verb.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/transcript/page_text.h"

#define CELL_MAX 64
#define SID_SHOWN 12
#define OUT_MAX (64 * 1024 * 1024)

enum column { START, LASTED, USER, HOST, FROM, REQUEST, STATUS, ENTRIES, SESSION, COLUMNS };

static void put_or_dash(struct buf *out, struct slice s)
{
	page_safe(out, s.len > 0 ? s : SLICE_LIT("-"), CELL_MAX);
}

static void put_requests(struct buf *out, const struct access *a)
{
	put_or_dash(out, slice_of(a->request_id         ? a->request_id
				  : a->n_candidates > 0 ? a->candidates[0]
							: NULL));
	if (a->n_candidates > 1)
		buf_printf(out, " (or %zu more)", a->n_candidates - 1);
}

static void put_cell(struct buf *out, const struct page_style *st, const struct reader_session *s,
		     enum column c)
{
	const struct index_read *i = s->facts ? &s->facts->index : NULL;
	struct page_stamp when;

	if (c == SESSION) {
		buf_printf(out, "%.*s", SID_SHOWN, s->sid);
	} else if (!i) {
		buf_putc(out, '?');
	} else if (c == START) {
		page_stamp(&when, st, i->start_ms);
		buf_printf(out, "%s %s", when.day, when.time);
	} else if (c == LASTED && !i->is_end) {
		buf_puts(out, "open");
	} else if (c == LASTED) {
		page_duration(out, i->duration_ms);
	} else if (c == USER) {
		put_or_dash(out, i->user);
	} else if (c == HOST) {
		put_or_dash(out, i->host);
	} else if (c == FROM) {
		put_or_dash(out, i->source);
	} else if (c == REQUEST) {
		put_requests(out, &i->access);
	} else if (c == STATUS) {
		buf_puts(out, page_status(i->access.status));
		if (i->access.policy != ACCESS_POLICY_NONE)
			buf_printf(out, " (%s)", access_policy_name(i->access.policy));
	} else if (i->is_end) {
		buf_printf(out, "%" PRIu64, i->entries);
	} else {
		buf_putc(out, '-');
	}
}

static enum page_color cell_color(const struct reader_session *s, enum column c)
{
	if (c != STATUS || !s->facts)
		return PAGE_PLAIN;
	return s->facts->index.access.status == ACCESS_APPROVED ? PAGE_GOOD : PAGE_ALARM;
}

static void put_row(struct buf *out, const struct page_style *st, const struct reader_session *s,
		    const size_t widths[COLUMNS])
{
	_cleanup_buf_ struct buf cell = {0};

	buf_init(&cell, 16 * CELL_MAX);
	for (enum column c = 0; c < COLUMNS; c++) {
		buf_clear(&cell);
		put_cell(&cell, st, s, c);
		page_colored(out, st, cell_color(s, c), buf_cstr(&cell));
		if (c + 1 < COLUMNS)
			page_pad(out, widths[c] - page_columns(buf_slice(&cell)) + 2);
	}
	buf_putc(out, '\n');
}

void verb_list_table(struct buf *out, const struct page_style *st, const struct reader_sessions *s)
{
	const char *titles[COLUMNS] = {st->local ? "START (local)" : "START (UTC)",
				       "LASTED",
				       "USER",
				       "HOST",
				       "FROM",
				       "REQUEST",
				       "STATUS",
				       "ENTRIES",
				       "SESSION"};
	size_t widths[COLUMNS];
	_cleanup_buf_ struct buf cell = {0};

	buf_init(&cell, 16 * CELL_MAX);
	for (enum column c = 0; c < COLUMNS; c++) {
		widths[c] = strlen(titles[c]);
		for (size_t i = 0; i < s->len; i++) {
			size_t n;

			buf_clear(&cell);
			put_cell(&cell, st, &s->items[i], c);
			n = page_columns(buf_slice(&cell));
			widths[c] = n > widths[c] ? n : widths[c];
		}
	}
	for (enum column c = 0; c < COLUMNS; c++) {
		buf_puts(out, titles[c]);
		if (c + 1 < COLUMNS)
			page_pad(out, widths[c] - strlen(titles[c]) + 2);
	}
	buf_putc(out, '\n');
	for (size_t i = 0; i < s->len; i++)
		put_row(out, st, &s->items[i], widths);
}

/* RFC 3339, or "2026-11-21", "2026-11-21 01:02", "2026-11-21 01:02:03" in UTC or local time. A day
 * alone means its start, or for an end (until) the end of it. */
static bool parse_when(const char *text, bool local, bool until, int64_t *ms)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"};

	if (clock_parse_utc(slice_of(text), ms) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, formats[i], &tm);
		time_t t;

		if (!end || *end)
			continue;
		if (i == 0 && until)
			tm.tm_mday++;
		tm.tm_isdst = -1;
		t = local ? mktime(&tm) : timegm(&tm);
		if (t < 0)
			return false;
		*ms = (int64_t)t * 1000;
		return true;
	}
	return false;
}

struct request {
	struct reader_filter filter;
	const char *since, *until, *status;
	bool local, json;
};

static int parse_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option options[] = {
		{"request", required_argument, NULL, 'r'},
		{"user", required_argument, NULL, 'u'},
		{"host", required_argument, NULL, 'h'},
		{"since", required_argument, NULL, 's'},
		{"until", required_argument, NULL, 'e'},
		{"status", required_argument, NULL, 't'},
		{"local", no_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			q->filter.request = optarg;
			break;
		case 'u':
			q->filter.user = optarg;
			break;
		case 'h':
			q->filter.host = optarg;
			break;
		case 's':
			q->since = optarg;
			break;
		case 'e':
			q->until = optarg;
			break;
		case 't':
			q->status = optarg;
			break;
		case 'l':
			q->local = true;
			break;
		case 'j':
			q->json = true;
			break;
		default:
			return cli_bad_option(v, argv);
		}
	}
	if (optind < argc)
		return cli_usage(v, "%s: list takes options only", argv[optind]);
	return CLI_OK;
}

/* After all options: --local may stand behind --since. */
static int parse_values(const struct verb *v, struct request *q)
{
	static const char how[] = "neither a date and time (2026-11-21, 2026-11-21 01:02, "
				  "2026-11-21T01:02:03Z)";

	if (q->since && !parse_when(q->since, q->local, false, &q->filter.since_ms))
		return cli_usage(v, "--since %s: %s", q->since, how);
	if (q->until && !parse_when(q->until, q->local, true, &q->filter.until_ms))
		return cli_usage(v, "--until %s: %s", q->until, how);
	if (!q->status)
		return CLI_OK;
	if (access_status_parse(slice_of(q->status), &q->filter.status) != 0)
		return cli_usage(v,
				 "--status %s: not one of approved, id_only, ambiguous, conflict, "
				 "breakglass, unapproved",
				 q->status);
	q->filter.by_status = true;
	return CLI_OK;
}

/* The facts as the index has them; of a session that it lacks what is known. */
static void put_facts(struct buf *out, const struct reader_session *s)
{
	_cleanup_buf_ struct buf line = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	if (s->facts) {
		cli_json_line(out, buf_slice(&s->facts->text));
		return;
	}
	buf_init(&line, OUT_MAX);
	w = json_writer_new(&line);
	json_write_open(w);
	json_write_kstr(w, "session", slice_of(s->sid));
	json_write_kstr(w, "key", slice_of(s->dir));
	json_write_close(w);
	if (json_writer_end(w) != 0)
		out->failed = true;
	cli_json_line(out, buf_slice(&line));
}

static bool print_all(const struct request *q, const struct reader_sessions *s)
{
	struct page_style st = {.local = q->local};
	_cleanup_buf_ struct buf out = {0};
	bool good = true;

	buf_init(&out, OUT_MAX);
	cli_style(&st, false);
	if (!q->json) {
		verb_list_table(&out, &st, s);
		return cli_flush(&out);
	}
	for (size_t i = 0; i < s->len && good; i++) {
		put_facts(&out, &s->items[i]);
		good = cli_flush(&out);
	}
	return good;
}

/* A request's folder and pointers first; sessions that have neither yet are in the index. */
static int find(struct reader *r, const struct reader_filter *f, struct reader_sessions *s,
		struct sa_err *err)
{
	int rc;

	if (f->request) {
		rc = reader_find_request(r, f, s, err);
		if (rc != 0 || s->len > 0)
			return rc;
	}
	return reader_find(r, f, s, err);
}

static int run(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	_cleanup_sessions_ struct reader_sessions s = {0};
	_cleanup_reader_ struct reader r = {0};
	struct request q = {0};
	struct sa_err err;
	int rc;

	if ((rc = parse_options(v, argc, argv, &q)) != CLI_OK ||
	    (rc = parse_values(v, &q)) != CLI_OK)
		return rc;
	if (reader_open(cli->store, cli->config, &r, &err) != 0 ||
	    find(&r, &q.filter, &s, &err) != 0)
		return cli_fail("%s", err.msg);
	if (s.len == 0 && !q.json)
		fprintf(stderr, "sessaudit: no such sessions in %s\n", store_name(r.store));
	else if (!print_all(&q, &s))
		return cli_fail("cannot write the list");
	return r.problems > 0 ? CLI_PARTIAL : CLI_OK;
}

const struct verb verb_list = {
	.name = "list",
	.arguments = "[options]",
	.summary = "which sessions there are, the oldest first",
	.options = "      --request ID       of this access request\n"
		   "      --user NAME        of this login user\n"
		   "      --host NAME        on this host\n"
		   "      --since WHEN       started then or later (2026-11-21, 2026-11-21 01:02)\n"
		   "      --until WHEN       started before; a date alone includes that day\n"
		   "      --status STATUS    approved, id_only, ambiguous, conflict, breakglass,\n"
		   "                         unapproved\n"
		   "      --local            times in the local time zone, not UTC\n"
		   "      --json             one JSON object per session and line, all facts\n",
	.run = run,
};
