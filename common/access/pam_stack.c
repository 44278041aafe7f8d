/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/access/pam_line.h"
#include "common/access/pam_stack.h"
#include "common/cleanup.h"
#include "common/fdio.h"

#define OUR_MODULE "pam_sessaudit.so"
#define DEFAULT_DIR "/etc/pam.d"
#define VENDOR_DIR "/usr/lib/pam.d" /* where libpam looks next */
#define FILE_MAX (64 * 1024)
#define DEPTH_MAX 16 /* PAM_SUBSTACK_MAX_LEVEL of libpam */
#define FILES_MAX 64 /* of one stack, each as often as it is included */
#define ENTRIES_MAX 512
#define PATH_SIZE 240

enum kind {
	KIND_OTHER,
	KIND_US,
	KIND_LOGINUID,
	KIND_QUIET,
	KIND_USER_ENV,
	KIND_SUBSTACK,
	KIND_UNREAD
};

/* One module of the flattened stack, or the head of a substack. */
struct entry {
	enum kind kind;
	unsigned file, line;
	int level; /* of substacks around it */
	struct pam_control control;
	bool denies;
};

struct stack {
	const char *dir, *type;
	struct entry entries[ENTRIES_MAX];
	size_t len;
	char files[FILES_MAX][PATH_SIZE];
	unsigned n_files;
	bool full; /* more than the bounds: the rest was not read */
};

static int open_file(const char *path, struct buf *out, struct sa_err *err)
{
	/* Symbolic links are followed, as libpam does: authselect makes them. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return sa_fail_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return sa_fail_errno(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return sa_fail(err, SA_ERR_INVALID, "%s: not a regular file", path);
	return fdio_read_all(fd, FILE_MAX, out, err);
}

/* Finds the file of a name as libpam does, and notes its path. */
static int load_file(struct stack *s, const char *name, struct buf *out, struct sa_err *err)
{
	char *path = s->files[s->n_files];
	int n, rc;

	n = *name == '/' ? snprintf(path, PATH_SIZE, "%s", name)
			 : snprintf(path, PATH_SIZE, "%s/%s", s->dir, name);
	if (n < 0 || n >= PATH_SIZE)
		return sa_fail(err, SA_ERR_TOOBIG, "%s: path too long", name);
	rc = open_file(path, out, err);
	if (rc == SA_ERR_NOTFOUND && *name != '/' && strcmp(s->dir, DEFAULT_DIR) == 0) {
		snprintf(path, PATH_SIZE, VENDOR_DIR "/%s", name);
		rc = open_file(path, out, err);
	}
	if (rc == 0)
		s->n_files++;
	return rc;
}

static struct entry *add_entry(struct stack *s, const struct entry *e)
{
	if (s->len == ENTRIES_MAX) {
		s->full = true;
		return NULL;
	}
	s->entries[s->len] = *e;
	return &s->entries[s->len++];
}

static bool last_is_on(const struct pam_line *l, const char *key)
{
	struct slice rest = l->args, arg;
	bool on = false;

	while (pam_line_token(&rest, &arg))
		if (slice_starts(arg, key))
			on = arg.len > strlen(key) && arg.ptr[strlen(key)] != '0';
	return on;
}

static bool has_arg(const struct pam_line *l, const char *word)
{
	struct slice rest = l->args, arg;

	while (pam_line_token(&rest, &arg))
		if (slice_is(arg, word))
			return true;
	return false;
}

static enum kind kind_of(const struct pam_line *l)
{
	static const char *const quiet[] = {"pam_selinux.so", "pam_keyinit.so", "pam_permit.so",
					    "pam_nologin.so", "pam_deny.so"};
	struct slice module = slice_base_name(l->module);

	if (slice_is(module, OUR_MODULE))
		return KIND_US;
	if (slice_is(module, "pam_loginuid.so"))
		return KIND_LOGINUID;
	if (slice_is(module, "pam_env.so") && last_is_on(l, "user_readenv="))
		return KIND_USER_ENV;
	for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
		if (slice_is(module, quiet[i]))
			return KIND_QUIET;
	return KIND_OTHER;
}

static int read_file(struct stack *s, const char *name, int depth, int level, struct sa_err *err);

static void read_include(struct stack *s, const struct pam_line *l, int depth, struct entry *e)
{
	_cleanup_free_ char *name = slice_dup(l->module);
	int level = e->level;

	if (l->control.include == PAM_INCLUDE_SUBSTACK) {
		e->kind = KIND_SUBSTACK;
		if (!add_entry(s, e))
			return;
		level++;
	}
	if (!name || read_file(s, name, depth + 1, level, NULL) < 0) {
		e->kind = KIND_UNREAD;
		add_entry(s, e);
	}
}

static void read_line(struct stack *s, const struct pam_line *l, unsigned file, int depth,
		      int level)
{
	struct entry e = {.file = file, .line = l->number, .level = level, .control = l->control};

	if (!l->any_type && !(slice_of(s->type).len == l->type.len &&
			      strncasecmp(s->type, l->type.ptr, l->type.len) == 0))
		return;
	if (l->control.include != PAM_INCLUDE_NONE) {
		read_include(s, l, depth, &e);
		return;
	}
	e.kind = kind_of(l);
	e.denies = has_arg(l, "on_none=deny");
	add_entry(s, &e);
}

static int read_file(struct stack *s, const char *name, int depth, int level, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0}, line = {0};
	struct pam_lines lines;
	struct pam_line l;
	unsigned file = s->n_files;
	int rc;

	buf_init(&text, FILE_MAX + 1);
	buf_init(&line, FILE_MAX + 1);
	if (depth >= DEPTH_MAX || s->n_files == FILES_MAX)
		return sa_fail(err, SA_ERR_TOOBIG, "%s: too many includes", name);
	if ((rc = load_file(s, name, &text, err)) < 0)
		return rc;
	pam_lines_begin(&lines, buf_slice(&text), &line);
	while (pam_lines_next(&lines, &l))
		read_line(s, &l, file, depth, level);
	return line.failed ? sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", name) : 0;
}

static const struct entry *find_us(const struct stack *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->entries[i].kind == KIND_US)
			return &s->entries[i];
	return NULL;
}

/* Whether entry i, which ends its stack early, ends it before us. Only what is in the same substack
 * is passed over (libpam, _pam_dispatch_aux). */
static bool done_skips(const struct stack *s, size_t i, size_t us)
{
	for (size_t k = i + 1; k <= us; k++)
		if (s->entries[k].level < s->entries[i].level)
			return false;
	return true;
}

/* The same for its longest jump. A substack is one step of it. */
static bool jump_skips(const struct stack *s, size_t i, size_t us)
{
	int level = s->entries[i].level;
	size_t h = i;

	for (unsigned left = s->entries[i].control.jump;
	     left > 0 && h + 1 < s->len && s->entries[h + 1].level >= level; left--) {
		do {
			h++;
		} while (h + 1 < s->len && s->entries[h + 1].level > level);
	}
	return us <= h;
}

static unsigned findings_of(const struct stack *s, size_t i, size_t us)
{
	static const unsigned before[] = {[KIND_OTHER] = PAM_STACK_AFTER_OTHERS,
					  [KIND_USER_ENV] = PAM_STACK_AFTER_ENV,
					  [KIND_UNREAD] = PAM_STACK_UNREAD};
	const struct entry *e = &s->entries[i];
	unsigned found;

	if (e->kind == KIND_UNREAD)
		return PAM_STACK_UNREAD; /* behind us it may hold our line once more */
	if (i >= us)
		return 0;
	found = before[e->kind];
	if ((e->control.done && done_skips(s, i, us)) || jump_skips(s, i, us))
		found |= PAM_STACK_SKIPPED;
	return found;
}

/* The worst first. */
static const unsigned by_weight[] = {PAM_STACK_AFTER_ENV, PAM_STACK_SKIPPED, PAM_STACK_UNREAD,
				     PAM_STACK_AFTER_OTHERS};

static size_t weight(unsigned findings)
{
	size_t i = 0;

	while (i < ARRAY_LEN(by_weight) && !(findings & by_weight[i]))
		i++;
	return i;
}

static void put_place(const struct stack *s, const struct entry *e, char out[256])
{
	snprintf(out, 256, "%s:%u", s->files[e->file], e->line);
}

static void judge(const struct stack *s, const struct entry *us, struct pam_stack *out)
{
	size_t at = (size_t)(us - s->entries), worst = ARRAY_LEN(by_weight);
	bool loginuid = false;

	out->has_session = true;
	out->denies = us->denies;
	put_place(s, us, out->where);
	for (size_t i = 0; i < s->len; i++) {
		unsigned found = findings_of(s, i, at);

		loginuid |= i < at && s->entries[i].kind == KIND_LOGINUID;
		out->findings |= found;
		if (weight(found) < worst) {
			worst = weight(found);
			put_place(s, &s->entries[i], out->what);
		}
	}
	if (!loginuid)
		out->findings |= PAM_STACK_NO_LOGINUID;
	if (us->control.weak)
		out->findings |= PAM_STACK_OPTIONAL;
	if (s->full)
		out->findings |= PAM_STACK_UNREAD;
}

static int read_stack(struct stack *s, const char *dir, const char *service, const char *type,
		      struct sa_err *err)
{
	s->dir = dir;
	s->type = type;
	s->len = 0;
	s->n_files = 0;
	s->full = false;
	return read_file(s, service, 0, 0, err);
}

int pam_stack_read(const char *dir, const char *service, struct pam_stack *out, struct sa_err *err)
{
	_cleanup_free_ struct stack *s = calloc(1, sizeof(*s));
	struct pam_stack found = {0};
	const struct entry *us;
	int rc;

	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", service);
	if ((rc = read_stack(s, dir, service, "session", err)) < 0)
		return rc;
	us = find_us(s);
	if (us)
		judge(s, us, &found);
	if ((rc = read_stack(s, dir, service, "auth", err)) < 0)
		return rc;
	found.has_auth = find_us(s) != NULL;
	*out = found;
	return 0;
}

const char *pam_stack_advice(enum pam_stack_finding f)
{
	switch (f) {
	case PAM_STACK_NO_LOGINUID:
		return "pam_loginuid does not stand before it, so the session has no number yet; "
		       "put the line directly after session required pam_loginuid.so";
	case PAM_STACK_AFTER_ENV:
		return "pam_env with user_readenv=1 stands before it, so a user's "
		       "~/.pam_environment can replace the key of the login by another's; put the "
		       "line directly after pam_loginuid.so";
	case PAM_STACK_OPTIONAL:
		return "it is optional or sufficient, so a denial would not count; write session "
		       "required pam_sessaudit.so";
	case PAM_STACK_SKIPPED:
		return "a sufficient line or a jump before it may pass it over; put the line "
		       "before that, directly after pam_loginuid.so";
	case PAM_STACK_UNREAD:
		return "not all of the stack can be read; find out which included file is missing "
		       "or not readable";
	case PAM_STACK_AFTER_OTHERS:
		return "a module that may set variables stands before it, so the key of the login "
		       "may not be what sshd said; put the line directly after pam_loginuid.so";
	}
	return "";
}
