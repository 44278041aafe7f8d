/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/entry.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"

#define YEAR_9999_MS INT64_C(253402300799999) /* clock_format_utc gives no later time */

static const char *const type_names[ENTRY_TYPES] = {
	[ENTRY_SESSION_START] = "session_start",
	[ENTRY_ACCESS] = "access",
	[ENTRY_EXEC] = "exec",
	[ENTRY_EXIT] = "exit",
	[ENTRY_INPUT] = "input",
	[ENTRY_STATEMENT] = "statement",
	[ENTRY_UNTYPED] = "untyped",
	[ENTRY_NETWORK] = "network",
	[ENTRY_FILE] = "file",
	[ENTRY_AUTH] = "auth",
	[ENTRY_CONFIG] = "config",
	[ENTRY_SELF] = "self",
	[ENTRY_GAP] = "gap",
	[ENTRY_CONFLICT] = "conflict",
	[ENTRY_PRIVILEGE] = "privilege",
	[ENTRY_EXPIRED] = "expired",
	[ENTRY_REVOKED] = "revoked",
	[ENTRY_SESSION_END] = "session_end",
};

static const char *const outcome_names[] = {
	[ENTRY_UNKNOWN] = "unknown",
	[ENTRY_SUCCESS] = "success",
	[ENTRY_FAILURE] = "failure",
};

static const char *const endpoint_names[] = {
	[ENTRY_NO_ENDPOINT] = NULL,
	[ENTRY_DESTINATION] = "destination",
	[ENTRY_CLIENT] = "client",
	[ENTRY_SERVER] = "server",
};

/* signal(7), the numbers of x86 and arm. */
static const char *const signal_names[] = {
	[1] = "SIGHUP",     [2] = "SIGINT",   [3] = "SIGQUIT",   [4] = "SIGILL",   [5] = "SIGTRAP",
	[6] = "SIGABRT",    [7] = "SIGBUS",   [8] = "SIGFPE",    [9] = "SIGKILL",  [10] = "SIGUSR1",
	[11] = "SIGSEGV",   [12] = "SIGUSR2", [13] = "SIGPIPE",  [14] = "SIGALRM", [15] = "SIGTERM",
	[16] = "SIGSTKFLT", [17] = "SIGCHLD", [18] = "SIGCONT",  [19] = "SIGSTOP", [20] = "SIGTSTP",
	[21] = "SIGTTIN",   [22] = "SIGTTOU", [23] = "SIGURG",   [24] = "SIGXCPU", [25] = "SIGXFSZ",
	[26] = "SIGVTALRM", [27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGIO",   [30] = "SIGPWR",
	[31] = "SIGSYS",
};

/* Every text of an entry and where it stands in the line; args are beside this. The address of a
 * network entry has its endpoint's name before it. */
static const struct {
	const char *path;
	size_t offset;
} texts[] = {
	{"user.name", offsetof(struct entry, user)},
	{"user.target.name", offsetof(struct entry, target)},
	{"origin", offsetof(struct entry, origin)},
	{"object", offsetof(struct entry, object)},
	{"process.executable", offsetof(struct entry, exe)},
	{"process.name", offsetof(struct entry, comm)},
	{"process.working_directory", offsetof(struct entry, cwd)},
	{"process.tty.name", offsetof(struct entry, tty)},
	{"error.code", offsetof(struct entry, error)},
	{"service.name", offsetof(struct entry, service)},
	{"linked_session", offsetof(struct entry, linked)},
	{"address", offsetof(struct entry, address)},
	{"file.path", offsetof(struct entry, path)},
	{"file.target_path", offsetof(struct entry, target_path)},
	{"process.command_line", offsetof(struct entry, command)},
	{"change.old", offsetof(struct entry, old_value)},
	{"change.new", offsetof(struct entry, new_value)},
	{"input.resolved", offsetof(struct entry, resolved)},
	{"input.text", offsetof(struct entry, text)},
	{"reason", offsetof(struct entry, cause)},
};

const char *entry_type_name(enum entry_type t)
{
	return (unsigned)t < ENTRY_TYPES ? type_names[t] : "unknown";
}

const char *entry_outcome_name(enum entry_outcome o)
{
	return (unsigned)o < ARRAY_LEN(outcome_names) ? outcome_names[o] : "unknown";
}

const char *entry_endpoint_name(enum entry_endpoint e)
{
	return (unsigned)e < ARRAY_LEN(endpoint_names) ? endpoint_names[e] : NULL;
}

const char *entry_signal_name(uint32_t number)
{
	return number < ARRAY_LEN(signal_names) ? signal_names[number] : NULL;
}

/* Writes what encode makes of s. Without memory it hands the writer bytes that it refuses, so that
 * the line fails as a whole instead of losing a field. */
static void write_encoded(struct json_writer *w, struct slice s,
			  void (*encode)(struct buf *, struct slice))
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, SIZE_MAX);
	encode(&b, s);
	json_write_str(w, b.failed ? SLICE_LIT("\xff") : buf_slice(&b));
}

static void write_text(struct json_writer *w, struct slice s)
{
	if (!json_write_str_valid(w, s))
		write_encoded(w, s, escape_to_utf8);
}

void entry_write_text(struct json_writer *w, const char *key, struct slice s)
{
	if (!s.ptr)
		return;
	json_write_key(w, key);
	write_text(w, s);
}

/* ECS source.ip takes no scope ("fe80::1%eth0"). */
static bool origin_ip(struct slice origin, char out[INET6_ADDRSTRLEN])
{
	unsigned char addr[sizeof(struct in6_addr)];
	const char *scope = origin.len > 0 ? memchr(origin.ptr, '%', origin.len) : NULL;
	size_t n = scope ? (size_t)(scope - origin.ptr) : origin.len;

	if (n == 0 || n >= INET6_ADDRSTRLEN || memchr(origin.ptr, '\0', n))
		return false;
	memcpy(out, origin.ptr, n);
	out[n] = '\0';
	return inet_pton(AF_INET6, out, addr) == 1 ||
	       (!scope && inet_pton(AF_INET, out, addr) == 1);
}

void entry_write_origin(struct json_writer *w, struct slice origin)
{
	char ip[INET6_ADDRSTRLEN];

	json_write_key(w, "origin");
	write_text(w, origin);
	if (!origin_ip(origin, ip))
		return;
	json_write_kopen(w, "source");
	json_write_kstr(w, "ip", slice_of(ip));
	json_write_close(w);
}

/* Entries come many to a second: only the milliseconds are made anew. */
static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
	static _Thread_local int64_t second = -1;
	static _Thread_local char text[CLOCK_TEXT_SIZE];

	if (ms < 0 || ms > YEAR_9999_MS || ms / 1000 != second) {
		clock_format_utc(ms, text);
		second = ms < 0 || ms > YEAR_9999_MS ? -1 : ms / 1000;
	} else { /* "2026-11-21T01:00:00.123Z" */
		text[20] = (char)('0' + ms / 100 % 10);
		text[21] = (char)('0' + ms / 10 % 10);
		text[22] = (char)('0' + ms % 10);
	}
	json_write_kstr(w, key, slice_of(text));
}

/* A number that is left out when 0 (not known). */
static void write_count(struct json_writer *w, const char *key, uint64_t v)
{
	if (v > 0)
		json_write_kint(w, key, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static void write_id(struct json_writer *w, uint32_t id)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + id % 10);
		id /= 10;
	} while (id > 0);
	json_write_kstr(w, "id", (struct slice){digits + at, sizeof(digits) - at});
}

void entry_write_id(struct json_writer *w, const char *key, uint32_t id)
{
	if (id == ENTRY_ID_UNSET)
		return;
	json_write_kopen(w, key);
	write_id(w, id);
	json_write_close(w);
}

static void write_event(struct json_writer *w, const struct entry *e)
{
	json_write_kopen(w, "event");
	json_write_kstr(w, "kind", SLICE_LIT("event"));
	json_write_kstr(w, "action",
			e->action.ptr ? e->action : slice_of(entry_type_name(e->type)));
	json_write_kstr(w, "outcome", slice_of(entry_outcome_name(e->outcome)));
	if (e->start_ms != 0)
		write_time(w, "start", e->start_ms);
	if (e->end_ms != 0)
		write_time(w, "end", e->end_ms);
	if (e->start_ms > 0 && e->end_ms >= e->start_ms &&
	    e->end_ms - e->start_ms < INT64_MAX / 1000000)
		json_write_kint(w, "duration", (e->end_ms - e->start_ms) * 1000000);
	json_write_close(w);
}

static void write_named(struct json_writer *w, const char *object, const char *key, struct slice s)
{
	if (!s.ptr)
		return;
	json_write_kopen(w, object);
	entry_write_text(w, key, s);
	json_write_close(w);
}

static void write_user(struct json_writer *w, const struct entry *e)
{
	json_write_kopen(w, "user");
	json_write_key(w, "name");
	write_text(w, e->user);
	if (e->uid != ENTRY_ID_UNSET)
		write_id(w, e->uid);
	entry_write_id(w, "effective", e->euid);
	entry_write_id(w, "audit", e->auid);
	write_named(w, "target", "name", e->target);
	json_write_close(w);
}

static void write_args(struct json_writer *w, const struct entry *e)
{
	if (e->argv) {
		json_write_karray(w, "args");
		for (size_t i = 0; i < e->argc; i++)
			write_text(w, e->argv[i]);
		json_write_array_close(w);
	}
	write_count(w, "args_count", e->argc_total > e->argc ? e->argc_total : e->argc);
}

static void write_signal(struct json_writer *w, uint32_t number)
{
	const char *name = entry_signal_name(number);
	char text[16];

	if (number == 0)
		return;
	snprintf(text, sizeof(text), "SIG%u", number);
	json_write_kstr(w, "exit_signal", slice_of(name ? name : text));
}

static void write_process(struct json_writer *w, const struct entry *e)
{
	if (e->pid == 0 && e->ppid == 0 && !e->exe.ptr && !e->comm.ptr && !e->argv && !e->cwd.ptr &&
	    !e->tty.ptr && e->argc_total == 0 && !e->command.ptr && !e->has_exit_code &&
	    e->exit_signal == 0)
		return;
	json_write_kopen(w, "process");
	if (e->pid != 0)
		json_write_kint(w, "pid", e->pid);
	if (e->ppid != 0) {
		json_write_kopen(w, "parent");
		json_write_kint(w, "pid", e->ppid);
		json_write_close(w);
	}
	entry_write_text(w, "executable", e->exe);
	entry_write_text(w, "name", e->comm);
	write_args(w, e);
	entry_write_text(w, "command_line", e->command);
	entry_write_text(w, "working_directory", e->cwd);
	if (e->has_exit_code)
		json_write_kint(w, "exit_code", e->exit_code);
	write_signal(w, e->exit_signal);
	if (e->tty.ptr) {
		json_write_kopen(w, "tty");
		entry_write_text(w, "name", e->tty);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_network(struct json_writer *w, const struct entry *e)
{
	const char *name = entry_endpoint_name(e->endpoint);

	if (name) {
		json_write_kopen(w, name);
		entry_write_text(w, "address", e->address);
		entry_write_text(w, "ip", e->ip);
		write_count(w, "port", e->port);
		json_write_close(w);
	}
	write_named(w, "network", "type", e->net_type);
}

static void write_file(struct json_writer *w, const struct entry *e)
{
	if (!e->path.ptr && !e->target_path.ptr && !e->flags.ptr && !e->mode.ptr)
		return;
	json_write_kopen(w, "file");
	entry_write_text(w, "path", e->path);
	entry_write_text(w, "target_path", e->target_path);
	entry_write_text(w, "flags", e->flags);
	entry_write_text(w, "mode", e->mode);
	json_write_close(w);
}

static void write_change(struct json_writer *w, const struct entry *e)
{
	if (!e->old_value.ptr && !e->new_value.ptr)
		return;
	json_write_kopen(w, "change");
	entry_write_text(w, "old", e->old_value);
	entry_write_text(w, "new", e->new_value);
	json_write_close(w);
}

static void write_audit(struct json_writer *w, const struct entry *e)
{
	if (e->audit_serial == 0 && !e->syscall.ptr)
		return;
	json_write_kopen(w, "audit");
	write_count(w, "serial", e->audit_serial);
	entry_write_text(w, "syscall", e->syscall);
	json_write_close(w);
}

static void write_input(struct json_writer *w, const struct entry *e)
{
	if (!e->text.ptr && !e->resolved.ptr && !e->raw.ptr && !e->incomplete && e->n_ran == 0)
		return;
	json_write_kopen(w, "input");
	entry_write_text(w, "text", e->text);
	entry_write_text(w, "resolved", e->resolved);
	if (e->raw.ptr) {
		json_write_key(w, "raw_b64");
		write_encoded(w, e->raw, escape_base64);
	}
	if (e->incomplete)
		json_write_kbool(w, "incomplete", true);
	if (e->n_ran > 0) {
		json_write_karray(w, "ran");
		for (size_t i = 0; i < e->n_ran && i < ENTRY_MAX_RAN; i++)
			json_write_int(w, (int64_t)e->ran[i]);
		json_write_array_close(w);
	}
	json_write_close(w);
}

/* One member of raw_b64; opens the object before the first. */
static void write_exact(struct json_writer *w, const char *path, struct slice s, bool *open)
{
	if (!s.ptr || escape_utf8_valid(s))
		return;
	if (!*open)
		json_write_kopen(w, "raw_b64");
	*open = true;
	json_write_key(w, path);
	write_encoded(w, s, escape_base64);
}

static void write_exact_bytes(struct json_writer *w, const struct entry *e)
{
	bool open = false;
	char path[48];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *field = (const char *)e + texts[i].offset, *key = texts[i].path;

		if (strcmp(key, "address") == 0) {
			const char *end = entry_endpoint_name(e->endpoint);

			if (!end)
				continue;
			snprintf(path, sizeof(path), "%s.address", end);
			key = path;
		}
		write_exact(w, key, *(const struct slice *)(const void *)field, &open);
	}
	for (size_t i = 0; e->argv && i < e->argc; i++) {
		if (escape_utf8_valid(e->argv[i]))
			continue;
		snprintf(path, sizeof(path), "process.args.%zu", i);
		write_exact(w, path, e->argv[i], &open);
	}
	if (open)
		json_write_close(w);
}

void entry_write(struct json_writer *w, const struct entry *e)
{
	json_write_open(w);
	write_time(w, "@timestamp", e->time_ms);
	json_write_kint(w, "seq", (int64_t)e->seq);
	json_write_kstr(w, "type", slice_of(entry_type_name(e->type)));
	write_event(w, e);
	write_user(w, e);
	entry_write_origin(w, e->origin);
	json_write_key(w, "object");
	write_text(w, e->object);
	write_process(w, e);
	write_named(w, "error", "code", e->error);
	write_named(w, "service", "name", e->service);
	entry_write_text(w, "linked_session", e->linked);
	write_count(w, "exec_seq", e->exec_seq);
	write_network(w, e);
	write_file(w, e);
	write_change(w, e);
	write_input(w, e);
	entry_write_text(w, "reason", e->cause);
	write_count(w, "count", e->count);
	if (e->access) {
		json_write_key(w, "access");
		access_write(w, e->access);
	}
	write_audit(w, e);
	write_count(w, "redacted", e->redacted);
	if (e->after_logout)
		json_write_kbool(w, "after_logout", true);
	if (json_writer_refused(w) > 0)
		write_exact_bytes(w, e);
	json_write_close(w);
}
