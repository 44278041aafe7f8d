/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/transcript_internal.h"

/*
 * How programs end. Three tell: exit_group(2) and exit(2) as they are called (their records
 * have no exit=, they never return), ANOM_ABEND for signals that write a core, and the process
 * connector for all signals. Who tells first is believed, for each process once.
 *
 * A SYSCALL record's pid= is the thread group (kernel/audit.c audit_log_task_info), so that the
 * exit(2) of one thread looks like that of the whole program. The C libraries and Go end
 * threads by exit(0) and programs by exit_group: an exit(2) with another code is that of a
 * program that does without them, one with 0 is not known to be an end.
 */

#define CLOCKS_MS 100 /* the connector's time and that of events may differ by */

struct ending {
	int64_t pid, ppid;
	uint32_t uid, euid;
	struct slice exe, comm, tty;
	unsigned code, signal;
};

/* What opened the session, or a second process of the same program (sshd has one with the user's
 * rights): session_end tells of that. */
static bool is_login(const struct session *s, const struct ending *end)
{
	if (s->leader_pid == 0 || (end->pid != s->leader_pid && end->ppid != s->leader_pid))
		return false;
	return end->pid == s->leader_pid ||
	       (s->service && slice_starts(slice_base_name(end->exe), s->service));
}

/* A process that ran no program of its own (a subshell) ends too; its entry has no exec_seq. */
static void write_ending(struct transcript *t, struct session *s, const struct event *ev,
			 const struct ending *end)
{
	const struct proc *p = procs_find(t->procs, end->pid);
	char name[16];
	struct entry e;

	if (p && p->ses != s->ses)
		p = NULL;
	if (!p && (procs_removed(t->procs, end->pid) || is_login(s, end)))
		return;
	input_gone(t, s, ev, end->pid);
	transcript_fill(s, ev, ENTRY_EXIT, end->uid, name, &e);
	e.outcome = end->code || end->signal ? ENTRY_FAILURE : ENTRY_SUCCESS;
	e.object = end->exe.ptr ? end->exe : end->comm;
	e.pid = end->pid;
	e.ppid = end->ppid;
	e.euid = end->euid;
	e.exe = end->exe;
	e.comm = end->comm;
	e.tty = end->tty;
	e.has_exit_code = !end->signal;
	e.exit_code = end->code;
	e.exit_signal = end->signal;
	if (p) {
		e.exec_seq = p->exec_seq;
		e.start_ms = p->start_ms;
		e.end_ms = ev->time_ms;
	}
	writer_entry(t->writer, s, &e, t->now_ms);
	procs_remove(t->procs, end->pid);
}

void exits_call(struct transcript *t, struct session *s, const struct event *ev,
		const struct call *call)
{
	struct ending end = {
		.pid = call->pid,
		.ppid = call->ppid,
		.uid = call->uid,
		.euid = call->euid,
		.exe = record_text(call->exe, &t->scratch),
		.comm = record_text(call->comm, &t->scratch),
		.tty = record_text(call->tty, &t->scratch),
		.code = (unsigned)(call->a[0] & 0xff), /* wait(2) tells no more */
	};

	if (end.code != 0 || strcmp(call->name, "exit_group") == 0)
		write_ending(t, s, ev, &end);
}

void exits_abend(struct transcript *t, const struct event *ev, struct slice body)
{
	struct call call = {
		.kind = CALL_EXIT,
		.ses = record_id(record_get(body, "ses")),
		.uid = record_id(record_get(body, "uid")),
	};
	struct ending end = {
		.uid = call.uid,
		.euid = ENTRY_ID_UNSET,
		.exe = record_text(record_get(body, "exe"), &t->scratch),
		.comm = record_text(record_get(body, "comm"), &t->scratch),
	};
	struct session *s;
	uint64_t signal = 0;

	record_i64(record_get(body, "pid"), &call.pid);
	if (!(t->facts.classes & 1U << CALL_EXIT) || call.ses == UINT32_MAX ||
	    !record_u64(record_get(body, "sig"), &signal) || signal == 0 || signal > 64 ||
	    !transcript_takes(t, &call))
		return;
	end.pid = call.pid;
	end.signal = (unsigned)signal;
	s = transcript_session(t, ev, call.ses, record_id(record_get(body, "auid")));
	if (s)
		write_ending(t, s, ev, &end);
}

void transcript_death(struct transcript *t, int64_t pid, unsigned signal, int64_t time_ms,
		      int64_t now_ms)
{
	const struct proc *p = procs_find(t->procs, pid);
	struct event ev = {.time_ms = time_ms};
	struct ending end = {.pid = pid, .euid = ENTRY_ID_UNSET, .signal = signal};
	struct session *s = p ? session_find(t->sessions, p->ses) : NULL;
	char comm[sizeof(p->comm)];

	if (!s || signal == 0 || !(t->facts.classes & 1U << CALL_EXIT) ||
	    p->start_ms > time_ms + CLOCKS_MS) /* the pid is another program's by now */
		return;
	t->now_ms = now_ms;
	memcpy(comm, p->comm, sizeof(comm));
	end.comm = slice_of(comm);
	end.uid = p->uid;
	s = transcript_session(t, &ev, p->ses, s->auid);
	if (s)
		write_ending(t, s, &ev, &end);
}
