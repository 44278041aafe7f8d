/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/files.h"

#include <fcntl.h>
#include <stdio.h>

#include "agent/collector/path.h"
#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"

#define NONE (-1)
#define MAX_NAMES 8 /* PATH records looked at; a rename that exchanges two files has 6 */

enum shape { OPEN, ONE, GONE, MOVED, LINKED, SYMLINKED }; /* which names it leaves in the records */

/* A call that takes file names: which arguments are its dirfds, its flags and its mode. */
static const struct form {
	const char *call, *action; /* action NULL: as the flags of open say */
	enum shape shape;
	signed char dirfd, dirfd2, flags, mode;
} forms[] = {
	{"open", NULL, OPEN, NONE, NONE, 1, 2},
	{"openat", NULL, OPEN, 0, NONE, 2, 3},
	{"openat2", NULL, OPEN, 0, NONE, NONE, NONE},
	{"open_by_handle_at", NULL, OPEN, 0, NONE, 2, NONE},
	{"creat", NULL, OPEN, NONE, NONE, NONE, 1},
	{"truncate", "truncate", ONE, NONE, NONE, NONE, NONE},
	{"truncate64", "truncate", ONE, NONE, NONE, NONE, NONE},
	{"ftruncate", "truncate", ONE, NONE, NONE, NONE, NONE},
	{"ftruncate64", "truncate", ONE, NONE, NONE, NONE, NONE},
	{"rename", "rename", MOVED, NONE, NONE, NONE, NONE},
	{"renameat", "rename", MOVED, 0, 2, NONE, NONE},
	{"renameat2", "rename", MOVED, 0, 2, NONE, NONE},
	{"link", "link", LINKED, NONE, NONE, NONE, NONE},
	{"linkat", "link", LINKED, 0, 2, NONE, NONE},
	{"symlink", "symlink", SYMLINKED, NONE, NONE, NONE, NONE},
	{"symlinkat", "symlink", SYMLINKED, 1, NONE, NONE, NONE},
	{"unlink", "delete", GONE, NONE, NONE, NONE, NONE},
	{"unlinkat", "delete", GONE, 0, NONE, NONE, NONE},
	{"rmdir", "rmdir", GONE, NONE, NONE, NONE, NONE},
	{"mkdir", "mkdir", ONE, NONE, NONE, NONE, 1},
	{"mkdirat", "mkdir", ONE, 0, NONE, NONE, 2},
	{"mknod", "mknod", ONE, NONE, NONE, NONE, 1},
	{"mknodat", "mknod", ONE, 0, NONE, NONE, 2},
	{"chmod", "chmod", ONE, NONE, NONE, NONE, 1},
	{"fchmod", "chmod", ONE, NONE, NONE, NONE, 1},
	{"fchmodat", "chmod", ONE, 0, NONE, NONE, 2},
	{"fchmodat2", "chmod", ONE, 0, NONE, NONE, 2},
	{"chown", "chown", ONE, NONE, NONE, NONE, NONE},
	{"chown32", "chown", ONE, NONE, NONE, NONE, NONE},
	{"lchown", "chown", ONE, NONE, NONE, NONE, NONE},
	{"lchown32", "chown", ONE, NONE, NONE, NONE, NONE},
	{"fchown", "chown", ONE, NONE, NONE, NONE, NONE},
	{"fchown32", "chown", ONE, NONE, NONE, NONE, NONE},
	{"fchownat", "chown", ONE, 0, NONE, NONE, NONE},
	{"setxattr", "setxattr", ONE, NONE, NONE, NONE, NONE},
	{"lsetxattr", "setxattr", ONE, NONE, NONE, NONE, NONE},
	{"fsetxattr", "setxattr", ONE, NONE, NONE, NONE, NONE},
	{"setxattrat", "setxattr", ONE, 0, NONE, NONE, NONE},
	{"removexattr", "removexattr", ONE, NONE, NONE, NONE, NONE},
	{"lremovexattr", "removexattr", ONE, NONE, NONE, NONE, NONE},
	{"fremovexattr", "removexattr", ONE, NONE, NONE, NONE, NONE},
	{"removexattrat", "removexattr", ONE, 0, NONE, NONE, NONE},
	{"utime", "utime", ONE, NONE, NONE, NONE, NONE},
	{"utimes", "utime", ONE, NONE, NONE, NONE, NONE},
	{"utimensat", "utime", ONE, 0, NONE, NONE, NONE},
	{"utimensat_time64", "utime", ONE, 0, NONE, NONE, NONE},
	{"futimesat", "utime", ONE, 0, NONE, NONE, NONE},
};

/* The kernel's words for what a name was to the call. */
enum nametype { NORMAL, CREATE, DELETE, UNKNOWN, PARENT, NAMETYPES };

struct names { /* the first PATH record of each kind; two of PARENT */
	struct slice body[NAMETYPES], parent2;
	struct slice cwd;
	bool any, climbs; /* climbs: one has "..", which by text may lead elsewhere than by links */
};

static const struct form *form_of(const char *call)
{
	static const struct form other = {"", "change", ONE, NONE, NONE, NONE, NONE};

	for (size_t i = 0; call && i < ARRAY_LEN(forms); i++)
		if (strcmp(call, forms[i].call) == 0)
			return &forms[i];
	return &other;
}

static enum nametype nametype(struct slice body)
{
	static const char *const words[] = {"NORMAL", "CREATE", "DELETE", "UNKNOWN", "PARENT"};
	struct slice type = record_get(body, "nametype");

	for (enum nametype i = NORMAL; i < NAMETYPES; i++)
		if (slice_is(type, words[i]))
			return i;
	return NORMAL; /* kernels before 3.7 have none */
}

/* Two dots in a row, or their hex. */
static bool has_dots(struct slice name)
{
	return name.len > 0 && (memmem(name.ptr, name.len, "..", 2) ||
				(name.ptr[0] != '"' && memmem(name.ptr, name.len, "2E2E", 4)));
}

static void sort_names(const struct event *ev, struct names *n, size_t *bytes)
{
	*n = (struct names){0};
	*bytes = 0;
	for (size_t i = 0, seen = 0; i < ev->n && seen < MAX_NAMES; i++) {
		struct slice body = ev->records[i].body;
		enum nametype type;

		if (ev->records[i].type == RECORD_CWD)
			n->cwd = record_get(body, "cwd");
		if (ev->records[i].type != RECORD_PATH && ev->records[i].type != RECORD_CWD)
			continue;
		*bytes += body.len;
		if (ev->records[i].type != RECORD_PATH)
			continue;
		seen++;
		n->any = true;
		n->climbs |= has_dots(record_get(body, "name"));
		type = nametype(body);
		if (!n->body[type].ptr)
			n->body[type] = body;
		else if (type == PARENT && !n->parent2.ptr)
			n->parent2 = body;
	}
}

/* The first kind that is there, of a list that ends in PARENT. */
static struct slice choose(const struct names *n, const enum nametype *order)
{
	while (*order != PARENT && !n->body[*order].ptr)
		order++;
	return n->body[*order];
}

static bool at_cwd(const struct call *c, int arg)
{
	return arg == NONE || (int32_t)c->a[arg] == AT_FDCWD;
}

static struct slice dev_of(struct slice body)
{
	return record_get(body, "dev");
}

static struct slice inode_of(struct slice body)
{
	return record_get(body, "inode");
}

static struct slice since(const struct files_act *a, size_t start)
{
	return (struct slice){a->text.data + start, a->text.len - start};
}

/* By what is known of the directory in which it was (one that is not the working directory), else
 * of the file itself, when its name is the same. */
static struct slice infer(struct files_act *a, const struct names *n, struct slice body,
			  struct slice name)
{
	struct slice base = slice_base_name(name), dir = SLICE_NONE, own = SLICE_NONE;
	enum nametype type = nametype(body);
	size_t start = a->text.len;

	if (slice_is(base, ".") || slice_is(base, ".."))
		return SLICE_NONE;
	if ((type == CREATE || type == DELETE) &&
	    !n->parent2.ptr) /* of a link's NORMAL it is not the PARENT */
		dir = inodes_find(a->known, dev_of(n->body[PARENT]), inode_of(n->body[PARENT]));
	if (type != CREATE) /* of a new file an earlier name is not its own */
		own = inodes_find(a->known, dev_of(body), inode_of(body));
	if (dir.ptr && base.len > 0)
		path_resolve(&a->text, dir, SLICE_NONE, base);
	else if (own.ptr && (base.len == 0 || slice_eq(base, slice_base_name(own))))
		buf_put(&a->text, own);
	else
		return SLICE_NONE;
	a->inferred = true;
	return since(a, start);
}

/* The path that a PATH record names; absent when it names none. */
static struct slice resolve(struct files_act *a, const struct names *n, struct slice body,
			    bool from_cwd)
{
	bool is_parent = nametype(body) == PARENT;
	struct slice name = record_text(record_get(body, "name"), &a->text);
	struct slice cwd = record_text(n->cwd, &a->text), path = SLICE_NONE;
	size_t start;

	if (is_parent && !from_cwd && slice_eq(name, cwd))
		name = SLICE_NONE;
	if (a->known && (name.len == 0 || (!from_cwd && name.ptr[0] != '/')))
		path = infer(a, n, body, name);
	if (path.ptr && is_parent)
		buf_putc(&a->text, '/');
	if (path.ptr || name.len == 0)
		return path.ptr ? since(a, (size_t)(path.ptr - a->text.data)) : path;
	start = a->text.len;
	path_resolve(&a->text, from_cwd ? cwd : SLICE_NONE, SLICE_NONE, name);
	if ((is_parent || a->flags.nameless) && a->text.len > start &&
	    a->text.data[a->text.len - 1] != '/')
		buf_putc(&a->text, '/');
	return since(a, start);
}

static bool is_directory(struct slice body)
{
	return slice_starts(record_get(body, "mode"), "04");
}

/* Names that lead to other files than it seems are not kept. */
static void learn_one(struct inodes *known, struct slice body, struct slice path)
{
	if (path.len > 0 && path.ptr[0] == '/' && path.ptr[path.len - 1] != '/' &&
	    !path_is_below(path, SLICE_LIT("/proc")))
		inodes_put(known, dev_of(body), inode_of(body), path);
}

/* Each name that went away, with what lay below it. */
static void unlearn(struct inodes *known, const struct event *ev)
{
	for (size_t i = 0; i < ev->n; i++) {
		struct slice body = ev->records[i].body;

		if (ev->records[i].type != RECORD_PATH || nametype(body) != DELETE)
			continue;
		if (is_directory(body))
			inodes_forget(known, inodes_find(known, dev_of(body), inode_of(body)));
		inodes_put(known, dev_of(body), inode_of(body), SLICE_NONE);
	}
}

/* What the event says of names and inodes, for those after it. */
static void learn(struct files_act *a, const struct names *n, bool from_cwd)
{
	bool two = n->body[DELETE].ptr || n->body[NORMAL].ptr;
	struct slice child = n->body[NORMAL].ptr ? a->target : a->path, dir = child;

	while (dir.len > 0 && dir.ptr[dir.len - 1] != '/')
		dir.len--;
	if (dir.len > 1 && from_cwd && n->body[PARENT].ptr && !n->parent2.ptr &&
	    !slice_eq(dir, child))
		learn_one(a->known, n->body[PARENT], (struct slice){dir.ptr, dir.len - 1});
	if (n->body[NORMAL].ptr)
		learn_one(a->known, n->body[NORMAL], a->path);
	if (n->body[CREATE].ptr)
		learn_one(a->known, n->body[CREATE], two ? a->target : a->path);
}

/* Of a call that failed there may be no more than the directories. */
static void resolve_all(struct files_act *a, const struct names *n, const struct form *form,
			const struct call *call)
{
	static const enum nametype is[] = {CREATE, NORMAL, DELETE, UNKNOWN, PARENT};
	static const enum nametype was[] = {DELETE, NORMAL, UNKNOWN, PARENT};
	static const enum nametype made[] = {CREATE, PARENT};
	bool first = at_cwd(call, form->dirfd), second = at_cwd(call, form->dirfd2);
	struct slice body = choose(n, is), target = SLICE_NONE;

	switch (form->shape) {
	case OPEN:
	case ONE:
		break;
	case GONE:
		body = choose(n, was);
		break;
	case MOVED:
		body = choose(n, was);
		target = n->body[CREATE].ptr ? n->body[CREATE] : n->parent2;
		break;
	case LINKED:
		body = choose(n, was);
		target = choose(n, made);
		break;
	case SYMLINKED: /* what it points to is text, and not looked up */
		body = choose(n, made);
		a->target = record_text(record_get(n->body[UNKNOWN], "name"), &a->text);
		break;
	}
	a->path = resolve(a, n, body, first);
	if (target.ptr)
		a->target = resolve(a, n, target, second);
	if (a->path.ptr) {
		a->object = a->path;
		return;
	}
	a->object.ptr = a->text.data + a->text.len;
	buf_puts(&a->text, "inode ");
	buf_put(&a->text, record_get(body, "inode"));
	buf_puts(&a->text, " of device ");
	buf_put(&a->text, record_get(body, "dev"));
	a->object.len = (size_t)(a->text.data + a->text.len - a->object.ptr);
}

static uint64_t octal(struct slice s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(s.ptr[i] - '0');
	return v;
}

static void set_mode(struct files_act *a, uint64_t mode)
{
	snprintf(a->mode, sizeof(a->mode), "%04o", (unsigned)(mode & 07777));
}

/* openat2 has flags and mode in memory: the kernel writes them into a record of their own. */
static void read_flags(struct files_act *a, const struct event *ev, const struct form *form,
		       const struct call *call)
{
	const struct event_record *how = event_find(ev, RECORD_OPENAT2);
	bool makes;

	if (form->flags != NONE)
		open_flags_read(call->arch, call->a[form->flags], &a->flags);
	else if (how)
		open_flags_read(call->arch, octal(record_get(how->body, "oflag")), &a->flags);
	else if (form->shape == OPEN) /* creat */
		a->flags = (struct open_flags){.writes = true, .creates = true, .truncates = true};
	makes = form->shape != OPEN || a->flags.creates || a->flags.nameless;
	if (makes && form->mode != NONE)
		set_mode(a, call->a[form->mode]);
	else if (makes && how)
		set_mode(a, octal(record_get(how->body, "mode")));
}

static const char *open_action(const struct files_act *a, const struct names *n)
{
	if (n->body[CREATE].ptr || a->flags.nameless || (a->flags.creates && !n->body[NORMAL].ptr))
		return "create";
	if (a->flags.truncates)
		return "truncate";
	return a->flags.writes ? "write" : "open";
}

bool files_read(const struct event *ev, const struct call *call, struct inodes *known,
		struct files_act *out)
{
	const struct form *form = form_of(call->name);
	struct names n;
	size_t bytes;

	*out = (struct files_act){.action = form->action, .known = known};
	buf_init(&out->text, SIZE_MAX);
	sort_names(ev, &n, &bytes);
	/* Twice the working directory, and each name decoded and resolved: it must not grow, since
	 * slices point into it. */
	if (!n.any || !buf_reserve(&out->text, 4 * bytes + 2 * INODES_PATH_MAX + 64))
		return false;
	read_flags(out, ev, form, call);
	if (form->shape == OPEN)
		out->action = open_action(out, &n);
	else if (strcmp(form->call, "unlinkat") == 0 && call->a[2] & AT_REMOVEDIR)
		out->action = "rmdir";
	out->changes = strcmp(out->action, "open") != 0;
	resolve_all(out, &n, form, call);
	if (known && call->success)
		unlearn(known, ev);
	if (known && !n.climbs)
		learn(out, &n, at_cwd(call, form->dirfd) && at_cwd(call, form->dirfd2));
	return true;
}

void files_pair(const struct event *ev, struct files_act *out)
{
	struct slice *to = &out->path;
	struct names n;
	size_t bytes;

	*out = (struct files_act){0};
	buf_init(&out->text, SIZE_MAX);
	sort_names(ev, &n, &bytes);
	if (!n.any || !buf_reserve(&out->text, 4 * bytes + 64))
		return;
	for (size_t i = 0; i < ev->n && to; i++) {
		if (ev->records[i].type != RECORD_PATH)
			continue;
		*to = resolve(out, &n, ev->records[i].body, true);
		to = to == &out->path ? &out->target : NULL;
	}
}

void files_free(struct files_act *a)
{
	buf_free(&a->text);
}

void files_entry(struct transcript *t, struct session *s, const struct event *ev,
		 const struct call *call)
{
	struct files_act a;
	char name[16];
	struct entry e;

	if (!t->inodes)
		t->inodes = inodes_new();
	if (files_read(ev, call, t->inodes, &a)) {
		bool self = selfwatch_has(t, call, &a);

		transcript_fill_call(t, s, ev, call, self ? ENTRY_SELF : ENTRY_FILE, name, &e);
		e.action = slice_of(a.action);
		e.object = a.object;
		e.path = a.path;
		e.target_path = a.target;
		e.flags = a.flags.text[0] ? slice_of(a.flags.text) : SLICE_NONE;
		e.cause = a.inferred ? SLICE_LIT("path_by_inode") : SLICE_NONE;
		e.mode = a.mode[0] ? slice_of(a.mode) : SLICE_NONE;
		if (self || t->facts.classes & 1U << CALL_FILE)
			writer_entry(t->writer, s, &e, t->now_ms);
	}
	files_free(&a);
}
