/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <libaudit.h>

#include "agent/collector/transcript_internal.h"

void transcript_fill_call(struct transcript *t, const struct session *s, const struct event *ev,
			  const struct call *call, enum entry_type type, char name[16],
			  struct entry *e)
{
	const struct event_record *cwd = event_find(ev, RECORD_CWD);

	transcript_fill(s, ev, type, call->uid, name, e);
	e->outcome = call->success ? ENTRY_SUCCESS : ENTRY_FAILURE;
	if (!call->success)
		e->error = call_error(call);
	e->syscall = slice_of(call->name);
	e->pid = call->pid;
	e->ppid = call->ppid;
	e->euid = call->euid;
	e->auid = call->auid;
	e->tty = record_text(call->tty, &t->scratch);
	e->comm = record_text(call->comm, &t->scratch);
	e->exe = record_text(call->exe, &t->scratch);
	if (cwd)
		e->cwd = record_text(record_get(cwd->body, "cwd"), &t->scratch);
}

struct slice transcript_action(unsigned type, char text[32])
{
	const char *name = audit_msg_type_to_name((int)type);
	size_t n = 0;

	for (; name && name[n] && n < 31; n++)
		text[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a' : name[n]);
	return name ? (struct slice){text, n} : SLICE_NONE;
}

enum entry_outcome transcript_outcome(struct slice res)
{
	if (slice_is(res, "success") || slice_is(res, "yes") || slice_is(res, "1"))
		return ENTRY_SUCCESS;
	if (slice_is(res, "failed") || slice_is(res, "no") || slice_is(res, "0"))
		return ENTRY_FAILURE;
	return ENTRY_UNKNOWN;
}
