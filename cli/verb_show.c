/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/verb.h"
#include "common/cleanup.h"
#include "common/transcript/page_text.h"

#define PREFIX_MIN 4
#define OUT_MAX (256 * 1024 * 1024)

struct request {
	const char *id;
	struct page_style style;
	struct page_place place;
	bool json;
};

/* The id as a beginning of a session id: at least PREFIX_MIN hex digits. */
static bool hex_prefix(const char *id, char out[LAYOUT_SID_SIZE])
{
	size_t n = strlen(id);

	if (n < PREFIX_MIN || n >= LAYOUT_SID_SIZE)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && !isxdigit((unsigned char)id[i]))
			return false;
		out[i] = (char)tolower((unsigned char)id[i]);
	}
	return true;
}

/* Sessions that the index does not have (yet, or lost) are shown all the same. */
static int find_unknown(struct reader *r, const char *sid_prefix, struct reader_sessions *s,
			struct sa_err *err)
{
	int rc = reader_find_dirs(r, sid_prefix, s, err);

	for (size_t i = 0; rc == 0 && i < s->len; i++)
		reader_problem(r, s->items[i].dir, "the index has nothing on this session");
	return rc;
}

/* A request comes before the beginning of a session id: request ids may be digits too. What reads
 * the whole index comes last. *by_id: id was taken as such a beginning. */
static int resolve(struct reader *r, const char *id, struct reader_sessions *s, bool *by_id,
		   struct sa_err *err)
{
	char prefix[LAYOUT_SID_SIZE];
	bool hex = hex_prefix(id, prefix), whole = hex && strlen(id) == LAYOUT_SID_SIZE - 1;
	struct reader_filter by_request = {.request = id}, by_prefix = {.sid_prefix = prefix};
	int rc = 0;

	if (!whole)
		rc = reader_find_request(r, &by_request, s, err);
	*by_id = s->len == 0;
	if (rc == 0 && hex && s->len == 0)
		rc = reader_find(r, &by_prefix, s, err);
	if (rc == 0 && !whole && s->len == 0) {
		rc = reader_find(r, &by_request, s, err);
		*by_id = s->len == 0;
	}
	if (rc == 0 && hex && s->len == 0)
		rc = find_unknown(r, prefix, s, err);
	if (rc == 0 && s->len == 0)
		rc = sa_fail(
			err, SA_ERR_NOTFOUND,
			"%s: neither an access request nor a session in %s (a session id may be "
			"cut to its first %d or more digits; `sessaudit list` shows all)",
			id, store_name(r->store), PREFIX_MIN);
	return rc;
}

static int list_candidates(const struct request *q, const struct reader_sessions *s)
{
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, OUT_MAX);
	verb_list_table(&out, &q->style, s);
	fprintf(stderr, "sessaudit: %zu sessions begin with %s; give more digits:\n%s", s->len,
		q->id, buf_cstr(&out));
	return CLI_USAGE;
}

/* The facts line of --json: what is known of the session, its header and manifest as stored. */
static void put_json_facts(struct buf *out, const struct reader_session *s,
			   const struct reader_transcript *t)
{
	_cleanup_buf_ struct buf line = {0};
	_cleanup_json_writer_ struct json_writer *w = NULL;

	buf_init(&line, OUT_MAX);
	w = json_writer_new(&line);
	if (!w) {
		out->failed = true;
		return;
	}
	json_write_open(w);
	json_write_kstr(w, "type", SLICE_LIT("session"));
	json_write_kstr(w, "session", slice_of(t->sid));
	json_write_kstr(w, "key", slice_of(s->dir));
	json_write_kbool(w, "open", t->open);
	json_write_kopen(w, "chain");
	json_write_kbool(w, "intact", t->chain_ok);
	if (!t->chain_ok)
		json_write_kstr(w, "problem", slice_of(t->problem));
	json_write_kstr(w, "head", slice_of(t->head));
	json_write_close(w);
	json_write_kint(w, "entries", (int64_t)t->len);
	json_write_kint(w, "segments", (int64_t)t->n_segments);
	json_write_close(w);
	if (json_writer_end(w) != 0 || line.len == 0) {
		out->failed = true;
		return;
	}
	line.len--; /* the closing brace: two members more, as they are stored */
	buf_puts(&line, ",\"header\":");
	buf_put(&line, t->header_line);
	buf_puts(&line, ",\"manifest\":");
	buf_put(&line, t->n_ends > 0 ? buf_slice(&t->ends[t->n_ends - 1].text) : SLICE_LIT("null"));
	buf_putc(&line, '}');
	cli_json_line(out, buf_slice(&line));
	out->failed = out->failed || line.failed;
}

static bool show_json(const struct reader_session *s, const struct reader_transcript *t)
{
	_cleanup_buf_ struct buf out = {0};
	bool good;

	buf_init(&out, OUT_MAX);
	put_json_facts(&out, s, t);
	good = cli_flush(&out);
	for (size_t i = 0; i < t->len && good; i++) {
		cli_json_line(&out, t->lines[i].line);
		good = cli_flush(&out);
	}
	return good;
}

static void put_verdict(struct buf *out, const struct page_style *st,
			const struct reader_transcript *t)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 4096);
	if (t->chain_ok) {
		buf_printf(&text, "hash chain: intact, %zu %s in %zu %s", t->len,
			   t->len == 1 ? "entry" : "entries", t->n_segments,
			   t->n_segments == 1 ? "segment" : "segments");
		page_colored(out, st, PAGE_GOOD, buf_cstr(&text));
		buf_puts(out, "\n\n");
	} else {
		buf_printf(&text, "hash chain: BROKEN %s", t->problem);
		page_alarm(out, st, buf_cstr(&text),
			   "This transcript is not as it was recorded, or parts of it are missing. "
			   "From that place on nothing below is evidence by itself.");
	}
	if (t->conflicts > 0 && t->access.status != ACCESS_CONFLICT)
		page_alarm(
			out, st, "CONFLICTING ACCESS",
			"During the session something else was said about its access request: see "
			"the lines marked CONFLICT.");
	if (t->revoked)
		page_alarm(out, st, "APPROVAL WITHDRAWN DURING THE SESSION",
			   "What was done after that was not approved: see the line APPROVAL "
			   "WITHDRAWN.");
	if (t->expired)
		page_alarm(out, st, "APPROVAL EXPIRED DURING THE SESSION",
			   "What was done after that was not approved: see the line APPROVAL "
			   "EXPIRED.");
}

/* The end as the first manifest has it (those after it are about what was left behind), else as the
 * last session_end entry says; end_ms 0: neither. */
static void fill_totals(const struct reader_transcript *t, struct entry_read *end,
			struct session_totals *out)
{
	*out = (struct session_totals){
		.entries = t->len,
		.execs = t->execs,
		.inputs = t->inputs,
		.gaps = t->gaps,
		.lost = t->lost,
		.redactions = t->redactions,
	};
	if (t->n_ends > 0) {
		out->end_ms = t->ends[0].index.end_ms;
		out->end_cause = t->ends[0].index.end_cause;
	} else if (t->end_line.ptr && entry_parse(t->end_line, end, NULL) == 0) {
		out->end_ms = end->e.time_ms;
		out->end_cause = end->e.cause;
	}
}

static void put_line(struct buf *out, const struct page_style *st, const struct reader_line *l)
{
	struct entry_read read;

	if (l->type != ENTRY_TYPES && entry_parse(l->line, &read, NULL) == 0) {
		page_entry_of(out, st, &read.e, &l->more);
		entry_read_free(&read);
		return;
	}
	buf_puts(out, "    ?  (an entry that this version does not understand) ");
	page_safe(out, l->line, st->full ? 0 : PAGE_ARG_MAX);
	buf_putc(out, '\n');
}

static void put_end(struct buf *out, const struct reader_transcript *t)
{
	if (!t->open)
		return;
	if (t->n_ends > 0)
		buf_puts(out, "\n(programs went on after the end of the session, and may still)\n");
	else if (t->end_line.ptr)
		buf_puts(out, "\n(the session's manifest has not arrived yet)\n");
	else
		buf_puts(out, "\n(still open: this is what has arrived so far)\n");
}

static bool show_page(struct request *q, struct reader_transcript *t, struct sa_err *err)
{
	struct session_totals totals;
	struct entry_read end = {0};
	_cleanup_buf_ struct buf out = {0};
	bool good;

	if (reader_sort(t, err) != 0)
		return false;
	sa_fail(err, SA_ERR_IO, "cannot write the page");
	buf_init(&out, OUT_MAX);
	q->place = (struct page_place){0};
	q->style.place = &q->place;
	put_verdict(&out, &q->style, t);
	fill_totals(t, &end, &totals);
	page_head_whole(&out, &q->style, &t->session, &totals);
	entry_read_free(&end);
	good = cli_flush(&out);
	for (size_t i = 0; i < t->len && good; i++) {
		if (!t->lines[i].folded)
			put_line(&out, &q->style, &t->lines[i]);
		good = cli_flush(&out);
	}
	put_end(&out, t);
	return good && cli_flush(&out);
}

/* Returns a cli_exit. */
static int show_all(struct reader *r, struct request *q, const struct reader_sessions *s)
{
	size_t shown = 0, broken = 0;

	for (size_t i = 0; i < s->len; i++) {
		_cleanup_transcript_ struct reader_transcript t = {0};
		struct sa_err err = {0};

		if (reader_load(r, &s->items[i], &t, &err) != 0) {
			reader_problem(r, s->items[i].dir, "%s", err.msg);
			continue;
		}
		if (shown++ > 0 && !q->json)
			printf("\n\n");
		broken += !t.chain_ok;
		if (q->json ? !show_json(&s->items[i], &t) : !show_page(q, &t, &err))
			return cli_fail("%s", err.msg[0] ? err.msg : "cannot write");
	}
	if (shown == 0)
		return CLI_FAILED;
	return broken > 0 || r->problems > 0 ? CLI_PARTIAL : CLI_OK;
}

static int parse_options(const struct verb *v, int argc, char **argv, struct request *q)
{
	static const struct option options[] = {
		{"local", no_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{"no-color", no_argument, NULL, 'n'},
		{"full", no_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	bool no_color = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			q->style.local = true;
			break;
		case 'j':
			q->json = true;
			break;
		case 'n':
			no_color = true;
			break;
		case 'f':
			q->style.full = true;
			break;
		default:
			return cli_bad_option(v, argv);
		}
	}
	if (optind + 1 != argc || !argv[optind][0])
		return cli_usage(v, "show takes one id: of an access request or a session");
	q->id = argv[optind];
	cli_style(&q->style, no_color);
	return CLI_OK;
}

static int run(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	_cleanup_sessions_ struct reader_sessions s = {0};
	_cleanup_reader_ struct reader r = {0};
	struct request q = {0};
	struct sa_err err;
	bool by_id;
	int rc = parse_options(v, argc, argv, &q);

	if (rc != CLI_OK)
		return rc;
	if (reader_open(cli->store, cli->config, &r, &err) != 0 ||
	    resolve(&r, q.id, &s, &by_id, &err) != 0)
		return cli_fail("%s", err.msg);
	if (by_id && s.len > 1)
		return list_candidates(&q, &s);
	return show_all(&r, &q, &s);
}

const struct verb verb_show = {
	.name = "show",
	.arguments = "ID [options]",
	.summary = "the transcript of a session, or of all sessions of an access request",
	.options =
		"      ID                 request id, session id, or the first 4 or more digits of one\n"
		"      --local            times in the local time zone, not UTC\n"
		"      --full             long arguments and texts whole\n"
		"      --json             the entries as they are stored, after one line of facts\n"
		"      --no-color         no colours on a terminal\n",
	.run = run,
};
