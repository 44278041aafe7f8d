/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* The lines about the login itself: how it began, what it was approved by, who became whom. */
#include "common/transcript/page_text.h"

static void put_reason(struct buf *out, const struct access *a)
{
	if (a->reason) {
		buf_puts(out, " (");
		page_safe(out, slice_of(a->reason), PAGE_TEXT_MAX);
		buf_putc(out, ')');
	}
	if (a->policy == ACCESS_POLICY_DENIED)
		buf_puts(out, ", DENIED by this host's policy");
	else if (a->policy == ACCESS_POLICY_EXEMPT)
		buf_puts(out, ", let in because EXEMPT from this host's policy");
}

static void put_request(struct buf *out, const struct access *a)
{
	if (a->request_id) {
		buf_puts(out, "access request ");
		page_safe(out, slice_of(a->request_id), 256);
	} else {
		buf_puts(out, "no access request");
	}
	buf_printf(out, ": %s", page_status(a->status));
	for (size_t i = 0; i < a->n_candidates; i++) {
		buf_puts(out, i == 0 ? ", could be " : ", ");
		page_safe(out, slice_of(a->candidates[i]), 128);
	}
	put_reason(out, a);
}

void page_binding(struct buf *out, const struct page_style *st, const struct entry *e)
{
	static const struct access none;
	const struct access *a = e->access ? e->access : &none;
	bool conflict = e->type == ENTRY_CONFLICT;
	bool alarm = conflict || a->status != ACCESS_APPROVED;

	if (alarm) {
		page_color(out, st, PAGE_ALARM);
		buf_puts(out, "!! ");
	}
	if (conflict) {
		buf_puts(out, "CONFLICT !! ");
		page_cause(out, e->cause);
	}
	if (conflict && e->access)
		buf_puts(out, "; ");
	if (!conflict || e->access)
		put_request(out, a);
	if (alarm)
		page_color(out, st, PAGE_PLAIN);
}

static void put_linked(struct buf *out, const char *words, struct slice sid)
{
	buf_puts(out, words);
	page_safe(out, sid.len > 0 ? sid : SLICE_LIT("not known"), 64);
}

void page_start(struct buf *out, const struct entry *e)
{
	buf_puts(out, "session opened");
	if (e->service.len > 0) {
		buf_puts(out, " by ");
		page_safe(out, e->service, 64);
	}
	if (e->origin.len > 0) {
		buf_puts(out, " from ");
		page_safe(out, e->origin, 256);
	}
	if (e->linked.ptr)
		put_linked(out, ", continues session ", e->linked);
}

static void put_name(struct buf *out, struct slice name)
{
	page_safe(out, name.len > 0 ? name : SLICE_LIT("an unknown user"), 256);
}

static void put_by(struct buf *out, const struct entry *e)
{
	if (e->service.len == 0)
		return;
	buf_puts(out, " by ");
	page_safe(out, e->service, 64);
}

/* The process took no other number: the kernel's rules see it no more. */
static void put_unrecorded(struct buf *out, const struct page_style *st)
{
	page_color(out, st, PAGE_ALARM);
	buf_puts(out, "GAVE UP ITS SESSION NUMBER: what this process does now is not recorded");
	page_color(out, st, PAGE_PLAIN);
}

/* What the step rests on, where that is not what the session has. */
static void put_own_access(struct buf *out, const struct page_style *st, const struct access *a)
{
	bool typed = a->status == ACCESS_BREAKGLASS;

	page_color(out, st, PAGE_ALARM);
	buf_printf(out, ": %s", page_status(a->status));
	if (typed && a->justification) {
		buf_puts(out, ", SELF-ASSERTED: ");
		page_safe(out, slice_of(a->justification), PAGE_TEXT_MAX);
	}
	if (typed && a->ticket) {
		buf_puts(out, ", ticket ");
		page_safe(out, slice_of(a->ticket), 256);
	}
	put_reason(out, a);
	page_color(out, st, PAGE_PLAIN);
}

/* Who became whom, or did not. */
void page_privilege(struct buf *out, const struct page_style *st, const struct entry *e)
{
	bool denied = slice_is(e->cause, "denied");

	if (slice_is(e->cause, "left")) {
		if (e->linked.len > 0)
			put_linked(out, "this login goes on as session ", e->linked);
		else
			put_unrecorded(out, st);
		return;
	}
	if (denied || e->outcome == ENTRY_FAILURE) {
		page_color(out, st, PAGE_ALARM);
		buf_puts(out, denied ? "DENIED: " : "FAILED: ");
		put_name(out, e->user);
		buf_puts(out, denied ? " may not become " : " did not become ");
		put_name(out, e->target);
		put_by(out, e);
		if (e->access)
			put_reason(out, e->access);
		page_color(out, st, PAGE_PLAIN);
		return;
	}
	buf_puts(out, "became ");
	page_color(out, st, PAGE_STRONG);
	put_name(out, e->target);
	page_color(out, st, PAGE_PLAIN);
	put_by(out, e);
	buf_puts(out, " (was ");
	put_name(out, e->user);
	buf_putc(out, ')');
	if (e->access)
		put_own_access(out, st, e->access);
}

/* The approval ended; or it had, and then someone opened another channel of the login. */
void page_ended(struct buf *out, const struct page_style *st, const struct entry *e)
{
	bool expired = e->type == ENTRY_EXPIRED, again = slice_is(e->cause, "new_channel");

	page_color(out, st, PAGE_ALARM);
	buf_puts(out, "!! ");
	if (again)
		buf_printf(out, "new channel opened after the approval had %s (",
			   expired ? "expired" : "been withdrawn");
	else
		buf_printf(out, "APPROVAL %s (", expired ? "EXPIRED" : "WITHDRAWN");
	page_safe(out, e->object.len > 0 ? e->object : SLICE_LIT("request not known"), 256);
	if (again) {
		buf_putc(out, ')');
	} else {
		buf_puts(out, ", at ");
		page_when(out, st, e->time_ms);
		buf_puts(out, "): what follows was not approved");
	}
	if (slice_is(e->cause, "grant_removed"))
		buf_puts(out, " (its grant was removed from the host)");
	page_color(out, st, PAGE_PLAIN);
}
