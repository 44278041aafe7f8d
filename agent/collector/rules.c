/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/rules.h"

#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log.h"

#define TEXT_MAX 8192
#define MAX_FILTERS 4

/* A rule of a class for one arch. only: that arch; NULL: each. */
struct recipe {
	const char *only;
	const char *const *calls;
	const char *filters[MAX_FILTERS];
	bool self;
};

static const char *const commands[] = {"execve", "execveat", NULL};
/* exit is the end of a thread: the libraries end theirs with 0, and a program's last one ends by
 * exit_group. */
static const char *const exits[] = {"exit_group", NULL};
static const char *const thread_exits[] = {"exit", NULL};
static const char *const network[] = {"connect", "accept", "accept4", "bind", NULL};
static const char *const socketcall[] = {"socketcall", NULL};
static const char *const datagrams[] = {"sendto", "sendmsg", "sendmmsg", NULL};
/* Not setfs*id: there is no other way to read the value, and file servers set it all the time. */
static const char *const privilege[] = {
	"setuid",       "setreuid",      "setresuid",       "setgid",      "setregid",
	"setresgid",    "setgroups",     "setuid32",        "setreuid32",  "setresuid32",
	"setgid32",     "setregid32",    "setresgid32",     "setgroups32", "capset",
	"init_module",  "finit_module",  "delete_module",   "kexec_load",  "kexec_file_load",
	"mount",        "umount",        "umount2",         "move_mount",  "mount_setattr",
	"pivot_root",   "chroot",        "unshare",         "setns",       "process_vm_writev",
	"settimeofday", "clock_settime", "clock_settime64", "stime",       "reboot",
	NULL,
};
static const char *const ptrace[] = {"ptrace", NULL};
static const char *const signals[] = {"kill", "tkill", "rt_sigqueueinfo", "pidfd_send_signal",
				      NULL};
static const char *const thread_signals[] = {"tgkill", "rt_tgsigqueueinfo", NULL};
/* All that the kernel's perm=wa can match (include/asm-generic/audit_{write,dir_write,
 * change_attr}.h) and the ways to open. */
static const char *const files[] = {
	"open",      "openat",      "openat2",     "creat",        "truncate",     "truncate64",
	"ftruncate", "ftruncate64", "fallocate",   "rename",       "renameat",     "renameat2",
	"link",      "linkat",      "symlink",     "symlinkat",    "unlink",       "unlinkat",
	"rmdir",     "mkdir",       "mkdirat",     "mknod",        "mknodat",      "chmod",
	"fchmod",    "fchmodat",    "fchmodat2",   "chown",        "chown32",      "fchown",
	"fchown32",  "lchown",      "lchown32",    "fchownat",     "setxattr",     "lsetxattr",
	"fsetxattr", "setxattrat",  "removexattr", "lremovexattr", "fremovexattr", "removexattrat",
	NULL,
};

static const struct recipe command_recipes[] = {{NULL, commands, {NULL}, false}};
static const struct recipe exit_recipes[] = {
	{NULL, exits, {NULL}, false},
	{NULL, thread_exits, {"a0!=0", NULL}, false},
};
static const struct recipe network_recipes[] = {
	{NULL, network, {NULL}, false},
	/* The way of old programs, and a way around: bind, connect, listen, accept; sendto,
	 * sendmsg, accept4 and what lies between. */
	{"b32", socketcall, {"a0>=2", "a0<=5", NULL}, false},
	{"b32", socketcall, {"a0>=11", "a0<=18", "saddr_fam>=2", "saddr_fam<=10"}, false},
	/* With an address of IPv4 (2) to IPv6 (10): what a connected socket sends has none, and of
	 * unix sockets there are too many (every line to syslog). Linux 5.3. */
	{NULL, datagrams, {"saddr_fam>=2", "saddr_fam<=10", NULL}, false},
};
static const struct recipe privilege_recipes[] = {
	{NULL, privilege, {NULL}, false},
	/* PTRACE_ATTACH, PTRACE_SEIZE: the beginning; a debugger makes thousands of the others. */
	{NULL, ptrace, {"a0=16", NULL}, false},
	{NULL, ptrace, {"a0=0x4206", NULL}, false},
};
static const struct recipe self_recipes[] = {
	/* Any target: one filtered by process id would miss those to a group and to all (kill -1),
	 * and the ids change with each restart of a role. Signal 0 asks whether it lives. */
	{NULL, signals, {"a1!=0", NULL}, true},
	/* Threads of one program signal each other: SIGURG by Go's scheduler, real-time ones by
	 * libc. */
	{NULL, thread_signals, {"a2!=0", "a2!=23", "a2<=31", NULL}, true},
};

static const char *const arches[] = {"b64", "b32"};

static void rule_free(struct rule *r)
{
	free(r->text);
	free(r->data);
	*r = (struct rule){0};
}

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		rule_free(&r->items[i]);
	for (size_t i = 0; i < r->n_absent; i++)
		free(r->absent[i]);
	*r = (struct rules){0};
}

/* A rule in the making: its text and its data say the same. */
struct draft {
	struct buf text;
	struct audit_rule_data *data;
};

static void draft_free(struct draft *d)
{
	buf_free(&d->text);
	free(d->data);
}

/* libaudit's parser writes into its argument and reallocates the rule. */
static int add_filter(struct draft *d, const char *pair)
{
	_cleanup_free_ char *copy = strdup(pair);

	if (!copy)
		return SA_ERR_NOMEM;
	buf_printf(&d->text, " -F %s", pair);
	return audit_rule_fieldpair_data(&d->data, copy, AUDIT_FILTER_EXIT) ? SA_ERR_UNSUPPORTED
									    : 0;
}

/* At least one must be known. */
static int add_calls(struct draft *d, const char *const *calls)
{
	const char *sep = " -S ";

	for (; *calls; calls++) {
		if (audit_rule_syscallbyname_data(d->data, *calls))
			continue;
		buf_printf(&d->text, "%s%s", sep, *calls);
		sep = ",";
	}
	return *sep == ',' ? 0 : SA_ERR_UNSUPPORTED;
}

/* key=sessaudit. libaudit takes that pair only from auditctl, so the field is put in by hand
 * (linux/audit.h: a string's bytes stand in buf, its length in values). */
static int add_key(struct draft *d, const char *key)
{
	size_t len = strlen(key);
	struct audit_rule_data *r = realloc(d->data, sizeof(*r) + d->data->buflen + len);

	if (!r)
		return SA_ERR_NOMEM;
	d->data = r;
	if (r->field_count >= AUDIT_MAX_FIELDS)
		return SA_ERR_TOOBIG;
	r->fields[r->field_count] = AUDIT_FILTERKEY;
	r->fieldflags[r->field_count] = AUDIT_EQUAL;
	r->values[r->field_count++] = (uint32_t)len;
	memcpy((char *)r + sizeof(*r) + r->buflen, key, len);
	r->buflen += (uint32_t)len;
	buf_printf(&d->text, " -k %s", key);
	return 0;
}

/* -a always,exit -F arch=<arch> -S <calls> -F <filters> -F auid!=unset -k <key> */
static int draft_rule(struct draft *d, const char *arch, const struct recipe *recipe)
{
	char pair[16];
	int rc;

	buf_init(&d->text, TEXT_MAX);
	d->data = calloc(1, sizeof(*d->data));
	if (!d->data)
		return SA_ERR_NOMEM;
	d->data->flags = AUDIT_FILTER_EXIT;
	d->data->action = AUDIT_ALWAYS;
	buf_puts(&d->text, recipe->self ? "-A always,exit" : "-a always,exit");
	snprintf(pair, sizeof(pair), "arch=%s", arch);
	if ((rc = add_filter(d, pair)) || (rc = add_calls(d, recipe->calls)))
		return rc;
	for (size_t i = 0; i < MAX_FILTERS && recipe->filters[i]; i++)
		if ((rc = add_filter(d, recipe->filters[i])))
			return rc;
	if ((rc = add_filter(d, "auid!=unset")) ||
	    (rc = add_key(d, recipe->self ? RULES_SELF_KEY : RULES_KEY)))
		return rc;
	return d->text.failed ? SA_ERR_TOOBIG : 0;
}

static bool has_text(const struct rules *r, const char *text)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->items[i].text, text) == 0)
			return true;
	return false;
}

static int keep(struct rules *out, struct draft *d, bool first)
{
	const char *text = buf_cstr(&d->text);
	struct rule *r = &out->items[out->n];

	if (has_text(out, text))
		return 0;
	if (out->n == RULES_MAX)
		return SA_ERR_TOOBIG;
	r->text = strdup(text);
	if (!r->text)
		return SA_ERR_NOMEM;
	r->data = TAKE_PTR(d->data);
	r->first = first;
	out->n++;
	return 0;
}

/* For each arch that this machine has. What libaudit does not know is no error: an older one, or an
 * arch without these calls. */
static int add_recipe(struct rules *out, const struct recipe *recipe)
{
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		struct draft d = {0};
		int rc = 0;

		if (!recipe->only || strcmp(recipe->only, arches[i]) == 0) {
			rc = draft_rule(&d, arches[i], recipe);
			if (rc == 0)
				rc = keep(out, &d, recipe->self);
		}
		draft_free(&d);
		if (rc && rc != SA_ERR_UNSUPPORTED)
			return rc;
	}
	return 0;
}

static int add_class(struct rules *out, bool on, const struct recipe *recipes, size_t n)
{
	int rc = 0;

	for (size_t i = 0; on && rc == 0 && i < n; i++)
		rc = add_recipe(out, &recipes[i]);
	return rc;
}

static int note_absent(struct rules *out, const char *path)
{
	char *copy;

	if (out->n_absent == RULES_MAX_ABSENT)
		return 0;
	copy = strdup(path);
	if (!copy)
		return SA_ERR_NOMEM;
	out->absent[out->n_absent++] = copy;
	return 0;
}

/* The kernel watches a directory by dir= with all that is below, and a file by path=. A symbolic
 * link is followed, as the kernel does. */
static int add_path(struct rules *out, const char *path, const char *perm, bool self)
{
	struct recipe recipe = {NULL, files, {NULL}, self};
	_cleanup_buf_ struct buf where = {0};
	struct stat st;
	size_t len = strlen(path);

	if (stat(path, &st) != 0)
		return note_absent(out, path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	buf_init(&where, TEXT_MAX);
	buf_printf(&where, "%s=%.*s", S_ISDIR(st.st_mode) ? "dir" : "path", (int)len, path);
	recipe.filters[0] = buf_cstr(&where);
	recipe.filters[1] = perm;
	return add_recipe(out, &recipe);
}

static bool is_read(const struct settings *set, const char *path)
{
	for (size_t i = 0; i < set->capture_file_reads.len; i++)
		if (strcmp(set->capture_file_reads.items[i], path) == 0)
			return true;
	return false;
}

static int add_files(struct rules *out, const struct settings *set)
{
	_cleanup_free_ const char **writes = settings_file_writes(set);
	int rc = writes ? 0 : SA_ERR_NOMEM;

	for (size_t i = 0; rc == 0 && writes[i]; i++)
		if (!is_read(set, writes[i]))
			rc = add_path(out, writes[i], "perm=wa", false);
	for (size_t i = 0; rc == 0 && i < set->capture_file_reads.len; i++)
		rc = add_path(out, set->capture_file_reads.items[i], "perm=rwa", false);
	return rc;
}

static int add_self(struct rules *out, const struct self_facts *self)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < self->n_paths; i++)
		rc = add_path(out, self->paths[i], "perm=wa", true);
	return rc;
}

int rules_make(const struct settings *set, const struct self_facts *self, struct rules *out,
	       struct sa_err *err)
{
	int rc;

	*out = (struct rules){0};
	if ((rc = set->capture_self && self ? add_self(out, self) : 0) ||
	    (rc = add_class(out, set->capture_self, self_recipes, ARRAY_LEN(self_recipes))) ||
	    (rc = add_class(out, set->capture_commands, command_recipes,
			    ARRAY_LEN(command_recipes))) ||
	    (rc = add_class(out, set->capture_exits, exit_recipes, ARRAY_LEN(exit_recipes))) ||
	    (rc = add_class(out, set->capture_network, network_recipes,
			    ARRAY_LEN(network_recipes))) ||
	    (rc = add_class(out, set->capture_privilege, privilege_recipes,
			    ARRAY_LEN(privilege_recipes))) ||
	    (rc = set->capture_files ? add_files(out, set) : 0))
		return sa_fail(err, rc,
			       rc == SA_ERR_NOMEM ? "rules: out of memory"
						  : "rules: too many files to watch");
	if (set->capture_commands && out->n == 0)
		return sa_fail(err, SA_ERR_UNSUPPORTED,
			       "rules: libaudit knows no system call of this machine");
	return 0;
}

void rules_print(const struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		log_warn("event=rule_missing rule=\"%s\"", r->items[i].text);
}
