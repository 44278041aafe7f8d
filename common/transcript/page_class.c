/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The lines of what a session did beside running programs: their ends, connections, files, what was
 * said of authentication, and who touched the recording. */
#include <inttypes.h>

#include "common/transcript/page_text.h"

static void put_by_program(struct buf *out, const struct entry *e)
{
	struct slice by = e->comm.len > 0 ? e->comm : e->exe;

	if (by.len == 0)
		return;
	buf_puts(out, "  (by ");
	page_safe(out, by, 64);
	buf_putc(out, ')');
}

static void put_error(struct buf *out, const struct page_style *st, const struct entry *e)
{
	if (e->error.len == 0)
		return;
	page_color(out, st, PAGE_WARN);
	buf_puts(out, "  (");
	page_error(out, e->error);
	buf_putc(out, ')');
	page_color(out, st, PAGE_PLAIN);
}

static void put_action(struct buf *out, const struct entry *e)
{
	size_t start = out->len;

	page_safe(out, e->action.len > 0 ? e->action : slice_of(entry_type_name(e->type)), 64);
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == '_')
			out->data[i] = ' ';
}

static void put_object(struct buf *out, const struct page_style *st, const struct entry *e)
{
	if (e->object.len == 0)
		return;
	buf_putc(out, ' ');
	page_color(out, st, PAGE_STRONG);
	page_quote(out, e->object, st->full);
	page_color(out, st, PAGE_PLAIN);
}

void page_exit_code(struct buf *out, bool has_code, uint32_t code, uint32_t number)
{
	const char *name = entry_signal_name(number);

	if (name)
		buf_puts(out, name);
	else if (number)
		buf_printf(out, "SIG%" PRIu32, number);
	else if (has_code)
		buf_printf(out, "exit %" PRIu32, code);
	else
		buf_puts(out, "ended");
}

void page_program_end(struct buf *out, const struct entry *e)
{
	struct slice name = slice_base_name(e->exe.len > 0 ? e->exe : e->comm);

	page_safe(out, name.len > 0 ? name : SLICE_LIT("a program"), 64);
	if (e->exec_seq > 0)
		buf_printf(out, ", started in #%" PRIu64, e->exec_seq);
	buf_puts(out, e->exit_signal ? ", was ended by a signal" : ", ended");
	if (e->start_ms > 0 && e->end_ms >= e->start_ms) {
		buf_puts(out, " after ");
		page_duration(out, e->end_ms - e->start_ms);
	}
}

void page_untyped(struct buf *out, const struct entry *e)
{
	bool startup = slice_is(e->cause, "startup");

	buf_puts(out, startup ? "run by the start-up of " : "run by ");
	page_safe(out, e->object.len > 0 ? e->object : SLICE_LIT("a shell"), 64);
	buf_puts(out, startup ? ":" : ", and no typed line led to it:");
	for (size_t i = 0; i < e->n_ran && i < ENTRY_MAX_RAN; i++)
		buf_printf(out, " #%" PRIu64, e->ran[i]);
}

void page_network(struct buf *out, const struct page_style *st, const struct entry *e)
{
	put_action(out, e);
	buf_puts(out, e->endpoint == ENTRY_CLIENT   ? " from"
		      : e->endpoint == ENTRY_SERVER ? " on"
						    : " to");
	put_object(out, st, e);
	put_by_program(out, e);
	put_error(out, st, e);
}

void page_file(struct buf *out, const struct page_style *st, const struct entry *e)
{
	put_action(out, e);
	put_object(out, st, e);
	if (e->target_path.len > 0) {
		buf_puts(out, " -> ");
		page_quote(out, e->target_path, st->full);
	}
	if (e->mode.len > 0) {
		buf_puts(out, " mode ");
		page_safe(out, e->mode, 16);
	}
	if (slice_is(e->cause, "path_by_inode"))
		buf_puts(out, "  (path inferred)");
	put_by_program(out, e);
	put_error(out, st, e);
}

void page_auth(struct buf *out, const struct page_style *st, const struct entry *e)
{
	put_action(out, e);
	if (e->target.len > 0) {
		buf_puts(out, " for ");
		page_safe(out, e->target, 64);
	}
	if (e->command.len > 0) {
		buf_puts(out, ": ");
		page_color(out, st, PAGE_STRONG);
		page_safe(out, e->command, st->full ? 0 : PAGE_COMMAND_MAX);
		page_color(out, st, PAGE_PLAIN);
	}
	if (e->service.len > 0) {
		buf_puts(out, " by ");
		page_safe(out, e->service, 64);
	}
	if (e->cause.len > 0) {
		buf_puts(out, "  (");
		page_safe(out, e->cause, PAGE_ARG_MAX);
		buf_putc(out, ')');
	}
}

void page_config(struct buf *out, const struct page_style *st, const struct entry *e)
{
	page_color(out, st, PAGE_ALARM);
	buf_puts(out, "!! AUDIT CONFIGURATION CHANGED !! ");
	page_safe(out, e->object.len > 0 ? e->object : SLICE_LIT("something"), PAGE_ARG_MAX);
	if (e->old_value.ptr || e->new_value.ptr) {
		buf_puts(out, " from ");
		page_safe(out, e->old_value.ptr ? e->old_value : SLICE_LIT("?"), 64);
		buf_puts(out, " to ");
		page_safe(out, e->new_value.ptr ? e->new_value : SLICE_LIT("?"), 64);
	}
	if (e->cause.len > 0) {
		buf_puts(out, ", ");
		page_cause(out, e->cause);
	}
	if (e->auid != ENTRY_ID_UNSET)
		buf_printf(out, ", login user %" PRIu32, e->auid);
	if (e->linked.len > 0) {
		buf_puts(out, ", in session ");
		page_safe(out, e->linked, 64);
	}
	page_color(out, st, PAGE_PLAIN);
}

void page_self(struct buf *out, const struct page_style *st, const struct entry *e)
{
	page_color(out, st, PAGE_ALARM);
	buf_puts(out, "!! THE RECORDER WAS TOUCHED !! ");
	put_action(out, e);
	page_color(out, st, PAGE_PLAIN);
	put_object(out, st, e);
	if (e->cause.len > 0) {
		buf_puts(out, " with ");
		page_safe(out, e->cause, 64);
	}
	put_by_program(out, e);
	put_error(out, st, e);
}

void page_right(struct buf *out, const struct page_style *st, const struct entry *e)
{
	put_action(out, e);
	if (e->path.len > 0 && e->target_path.len > 0) {
		buf_putc(out, ' ');
		page_quote(out, e->path, st->full);
		buf_puts(out, " on");
	}
	put_object(out, st, e);
	if (e->cause.len > 0) {
		buf_puts(out, ", ");
		page_safe(out, e->cause, PAGE_ARG_MAX);
	}
	put_by_program(out, e);
	put_error(out, st, e);
}
