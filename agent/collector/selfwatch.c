/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/collector/files.h"
#include "agent/collector/rules.h"
#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"

/* The key of the rules on our own files tells them where no path can: below a directory that was
 * opened before (rm -r), or by another name (a link). Several keys of one record are joined by
 * 0x01. */
bool selfwatch_has(struct transcript *t, const struct call *call, const struct files_act *a)
{
	const struct self_facts *f = t->facts.self;
	struct slice key = record_text(call->key, &t->scratch);

	if (!a->changes)
		return false;
	while (key.len > 0)
		if (slice_is(slice_cut(&key, '\1'), RULES_SELF_KEY))
			return true;
	return f && (self_has_path(f, a->path) || self_has_path(f, a->target));
}

/* Which argument is the signal. */
static int signal_argument(const char *call)
{
	bool two = strcmp(call, "tgkill") == 0 || strcmp(call, "rt_tgsigqueueinfo") == 0;

	return two ? 2 : 1;
}

/* One of our processes that a call was done to: of the records that name its targets, else of its
 * first argument, which is a number of the caller's own pid namespace. */
static int64_t our_target(struct transcript *t, const struct event *ev, int64_t argument,
			  struct slice *comm)
{
	bool named = false;
	int64_t pid;

	*comm = SLICE_LIT("sessaudit");
	for (size_t i = 0; i < ev->n; i++) {
		struct slice body = ev->records[i].body;

		if (ev->records[i].type != RECORD_OBJ_PID ||
		    !record_i64(record_get(body, "opid"), &pid))
			continue;
		named = true;
		if (!self_has_pid(t->facts.self, pid))
			continue;
		*comm = record_text(record_get(body, "ocomm"), &t->scratch);
		return pid;
	}
	return !named && self_has_pid(t->facts.self, argument) ? argument : 0;
}

static void tell(struct transcript *t, struct session *s, const struct event *ev,
		 const struct call *call, const char *action, struct slice cause, int64_t pid,
		 struct slice comm)
{
	char name[16], object[64];
	struct entry e;

	transcript_fill_call(t, s, ev, call, ENTRY_SELF, name, &e);
	snprintf(object, sizeof(object), "%.*s[%" PRId64 "]", (int)(comm.len < 32 ? comm.len : 32),
		 comm.ptr ? comm.ptr : "", pid);
	e.action = slice_of(action);
	e.object = slice_of(object);
	e.cause = cause;
	writer_entry(t->writer, s, &e, t->now_ms);
}

static bool on_signal(struct transcript *t, struct session *s, const struct event *ev,
		      const struct call *call)
{
	uint32_t number = (uint32_t)call->a[signal_argument(call->name)];
	const char *known = entry_signal_name(number);
	bool by_fd = strcmp(call->name, "pidfd_send_signal") == 0;
	struct slice comm;
	int64_t pid = our_target(t, ev, by_fd ? 0 : (int32_t)call->a[0], &comm);
	char other[16];

	if (number == 0 || pid == 0) /* signal 0 only asks whether there is a process */
		return false;
	snprintf(other, sizeof(other), "SIG%" PRIu32, number);
	tell(t, s, ev, call, "signal", slice_of(known ? known : other), pid, comm);
	return true;
}

static bool on_ptrace(struct transcript *t, struct session *s, const struct event *ev,
		      const struct call *call)
{
	const char *request = privilege_ptrace(call);
	struct slice comm;
	int64_t pid;

	if (!request)
		return false;
	pid = our_target(t, ev, (int32_t)call->a[strcmp(call->name, "ptrace") == 0], &comm);
	if (pid == 0)
		return false;
	tell(t, s, ev, call, "ptrace", slice_of(request), pid, comm);
	return true;
}

bool selfwatch_entry(struct transcript *t, struct session *s, const struct event *ev,
		     const struct call *call)
{
	if (!t->facts.self || !call->name)
		return false;
	switch (call->kind) {
	case CALL_FILE: /* an agent that was started from a login: its files are its own affair, and
			   each entry about them would make more */
		return self_has_pid(t->facts.self, call->pid);
	case CALL_KILL:
		return on_signal(t, s, ev, call);
	case CALL_PRIVILEGE:
		return on_ptrace(t, s, ev, call);
	default:
		return false;
	}
}
