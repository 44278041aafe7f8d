/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <libaudit.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collector/rules.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* The rules as text and as the kernel gets them; the kernel is not touched. */

static struct rules rules;

static void make(const char *conf, const struct self_facts *self)
{
	struct settings set;
	struct sa_err err = {0};

	rules_free(&rules);
	if (settings_parse("t", slice_of(conf), &set, &err) ||
	    rules_make(&set, self, &rules, &err)) {
		tap_ok(false, "rules: %s", err.msg);
		exit(1);
	}
	settings_free(&set);
}

#define ONLY(class)                                                                                \
	"[capture]\ncommands=no\nexits=no\nnetwork=no\nfiles=no\nprivilege=no\nself=no\n" class

/* The rules of one class, without "-a always,exit" and without the key of all, each on a line. */
static const char *text(bool b32)
{
	static char out[16384];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < rules.n; i++) {
		const char *t = rules.items[i].text;

		if (!strstr(t, "arch=b32") == b32)
			continue;
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s\n", t);
	}
	return out;
}

static bool has_b32(void)
{
	bool has;

	make(ONLY("commands=yes\n"), NULL);
	has = *text(true) != '\0';
	return has;
}

static void test_classes(void)
{
	static const struct {
		const char *name, *conf, *b64;
	} cases[] = {
		{"commands", ONLY("commands=yes\n"),
		 "-a always,exit -F arch=b64 -S execve,execveat -F auid!=unset -k sessaudit\n"},
		{"exits: a thread's end only when it says something", ONLY("exits=yes\n"),
		 "-a always,exit -F arch=b64 -S exit_group -F auid!=unset -k sessaudit\n"
		 "-a always,exit -F arch=b64 -S exit -F a0!=0 -F auid!=unset -k sessaudit\n"},
		{"network: datagrams with an address of the internet only", ONLY("network=yes\n"),
		 "-a always,exit -F arch=b64 -S connect,accept,accept4,bind -F auid!=unset "
		 "-k sessaudit\n"
		 "-a always,exit -F arch=b64 -S sendto,sendmsg,sendmmsg -F saddr_fam>=2 "
		 "-F saddr_fam<=10 -F auid!=unset -k sessaudit\n"},
		{"self: goes first, under a key of its own", ONLY("self=yes\n"),
		 "-A always,exit -F arch=b64 -S kill,tkill,rt_sigqueueinfo,pidfd_send_signal "
		 "-F a1!=0 -F auid!=unset -k sessaudit-self\n"
		 "-A always,exit -F arch=b64 -S tgkill,rt_tgsigqueueinfo -F a2!=0 -F a2!=23 "
		 "-F a2<=31 -F auid!=unset -k sessaudit-self\n"},
		{"all off", ONLY(""), ""},
		/* No rules: programs and the kernel send these without. */
		{"auth and config", ONLY("auth=yes\nconfig=yes\n"), ""},
	};

#ifndef __x86_64__
	tap_skip("the calls of another machine are others", "texts");
	return;
#endif
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make(cases[i].conf, NULL);
		tap_str(text(false), cases[i].b64, "%s", cases[i].name);
	}
	make(ONLY("privilege=yes\n"), NULL);
	tap_ok(strstr(text(false), "-S ptrace -F a0=16 ") && strstr(text(false), " a0=0x4206 "),
	       "privilege: ptrace where it takes hold of a process");
	tap_ok(strstr(text(false), "setuid,") && strstr(text(false), ",finit_module,") &&
		       strstr(text(false), ",setns,") && !strstr(text(false), "setfsuid"),
	       "privilege: who, modules, namespaces, but not setfsuid");
}

/* Every rule is for logins only, for one arch, and has calls: none costs the whole host. */
static void test_each_is_narrow(void)
{
	make("", NULL);
	tap_ok(rules.n >= 10 && rules.n < 100, "a small number of rules: %zu", rules.n);
	for (size_t i = 0; i < rules.n; i++) {
		const struct audit_rule_data *d = rules.items[i].data;
		bool logins = false, calls = false, all = true;

		for (unsigned f = 0; f < d->field_count; f++)
			logins |= d->fields[f] == AUDIT_LOGINUID &&
				  d->fieldflags[f] == AUDIT_NOT_EQUAL && d->values[f] == UINT32_MAX;
		for (size_t w = 0; w < AUDIT_BITMASK_SIZE; w++) {
			calls |= d->mask[w] != 0;
			all &= d->mask[w] == UINT32_MAX;
		}
		if (!logins || !calls || all || d->fields[0] != AUDIT_ARCH ||
		    d->flags != AUDIT_FILTER_EXIT || d->action != AUDIT_ALWAYS)
			tap_ok(false, "too wide: %s", rules.items[i].text);
	}
	tap_ok(true, "each for logins, one arch, named calls");
	make("[capture]\ncommands=no\n", NULL);
	tap_ok(!strstr(text(false), "execve"), "a class that is off has no rule");
}

static void field(const struct audit_rule_data *d, unsigned i, unsigned id, unsigned op,
		  unsigned value, const char *name)
{
	tap_ok(i < d->field_count && d->fields[i] == id && d->fieldflags[i] == op &&
		       d->values[i] == value,
	       "data: %s", name);
}

/* linux/audit.h, struct audit_rule_data: strings stand in buf one after the other. */
static void test_data(const char *dir)
{
	char conf[512];
	const struct audit_rule_data *d;

	snprintf(conf, sizeof(conf), ONLY("files=yes\nfile_writes = %s/d/\nfile_reads = %s/f\n"),
		 dir, dir);
	make(conf, NULL);
	d = rules.items[0].data;
	tap_int(d->field_count, 5, "data: arch, dir, perm, auid, key");
	field(d, 1, AUDIT_DIR, AUDIT_EQUAL, (unsigned)strlen(dir) + 2, "dir, without the slash");
	field(d, 2, AUDIT_PERM, AUDIT_EQUAL, AUDIT_PERM_WRITE | AUDIT_PERM_ATTR, "perm=wa");
	field(d, 3, AUDIT_LOGINUID, AUDIT_NOT_EQUAL, UINT32_MAX, "auid!=unset");
	field(d, 4, AUDIT_FILTERKEY, AUDIT_EQUAL, strlen(RULES_KEY), "key");
	tap_bytes((struct slice){d->buf + strlen(dir) + 2, strlen(RULES_KEY)}, SLICE_LIT(RULES_KEY),
		  "data: the key's bytes after the path's");
	tap_int(d->buflen, (long long)(strlen(dir) + 2 + strlen(RULES_KEY)), "data: no more");
	d = rules.items[rules.n - 1].data;
	field(d, 1, AUDIT_WATCH, AUDIT_EQUAL, (unsigned)strlen(dir) + 2, "a file by path=");
	field(d, 2, AUDIT_PERM, AUDIT_EQUAL, AUDIT_PERM_WRITE | AUDIT_PERM_ATTR | AUDIT_PERM_READ,
	      "perm=rwa");
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (size_t i = 0; i < rules.n; i++)
		n += strstr(rules.items[i].text, "arch=b64") && strstr(rules.items[i].text, what);
	return n;
}

static void test_paths(const char *dir)
{
	struct self_facts self = {.n_paths = 2};
	char conf[1024], link[300], target[300];

	snprintf(link, sizeof(link), "%s/l", dir);
	snprintf(target, sizeof(target), "%s/d", dir);
	if (symlink(target, link) != 0)
		abort();
	snprintf(conf, sizeof(conf),
		 ONLY("files=yes\nself=yes\nfile_writes = %s/d\nfile_writes = %s/none\n"
		      "file_writes = %s/l\nfile_writes = %s/f\nfile_reads = %s/f\n"),
		 dir, dir, dir, dir, dir);
	snprintf(self.paths[0], sizeof(self.paths[0]), "%s/d", dir);
	snprintf(self.paths[1], sizeof(self.paths[1]), "%s/later", dir);
	make(conf, &self);
	tap_int(count("/d -F perm=wa -F auid!=unset -k sessaudit-self"), 1, "our own directory");
	tap_ok(strncmp(rules.items[0].text, "-A ", 3) == 0, "comes before all others");
	tap_int(count("/d -F perm=wa -F auid!=unset -k sessaudit"), 2, "and among the files too");
	tap_int(count("dir="), 3, "a link to a directory is a directory");
	tap_int(count("/f -F perm=rwa"), 1, "a file that is read is watched once,");
	tap_int(count("/f -F perm=wa"), 0, "not also for writes");
	tap_int((long long)rules.n_absent, 2, "what does not exist is said");
	tap_ok(rules.n_absent == 2 && strstr(rules.absent[0], "/later") &&
		       strstr(rules.absent[1], "/none"),
	       "by name");
	snprintf(target, sizeof(target), "%s/later", dir);
	if (mkdir(target, 0700) != 0)
		abort();
	make(conf, &self);
	tap_int(count("/later"), 1, "once it exists it has its rule");
	tap_int((long long)rules.n_absent, 1, "and is absent no more");
	rmdir(target);
	unlink(link);
}

/* What the kernel lists is compared byte by byte. */
static void test_compare(void)
{
	struct rules_list *have = calloc(1, sizeof(*have));
	struct audit_rule_data *d;

	make(ONLY("commands=yes\n"), NULL);
	have->items = calloc(1, sizeof(*have->items));
	have->cap = 1;
	tap_ok(!rules_has(have, &rules.items[0]), "a kernel without rules");
	d = malloc(sizeof(*d) + rules.items[0].data->buflen);
	memcpy(d, rules.items[0].data, sizeof(*d) + rules.items[0].data->buflen);
	have->items[have->n++] = d;
	tap_ok(rules_has(have, &rules.items[0]), "the same rule");
	d->mask[0] ^= 1;
	tap_ok(!rules_has(have, &rules.items[0]), "other calls");
	d->mask[0] ^= 1;
	d->values[1] ^= 1;
	tap_ok(!rules_has(have, &rules.items[0]), "another value");
	d->values[1] ^= 1;
	d->buf[d->buflen - 1] ^= 1;
	tap_ok(!rules_has(have, &rules.items[0]), "another key");
	d->buf[d->buflen - 1] ^= 1;
	d->action = AUDIT_NEVER;
	tap_ok(!rules_has(have, &rules.items[0]), "another action");
	rules_list_free(have);
}

/* One more at the end of the list: flags and action as the kernel has them, one field at most. */
static void list(struct rules_list *have, unsigned flags, unsigned action, unsigned call,
		 unsigned field, unsigned value)
{
	struct audit_rule_data *d = calloc(1, sizeof(*d));

	d->flags = flags;
	d->action = action;
	if (call == UINT_MAX)
		memset(d->mask, 0xff, sizeof(d->mask));
	else
		d->mask[AUDIT_WORD(call)] |= AUDIT_BIT(call);
	if (field) {
		d->field_count = 1;
		d->fields[0] = field;
		d->fieldflags[0] = AUDIT_EQUAL;
		d->values[0] = value;
	}
	have->items[have->n++] = d;
}

static void list_ours(struct rules_list *have)
{
	for (size_t i = 0; i < rules.n; i++) {
		const struct audit_rule_data *of = rules.items[i].data;
		struct audit_rule_data *d = malloc(sizeof(*d) + of->buflen);

		memcpy(d, of, sizeof(*d) + of->buflen);
		have->items[have->n++] = d;
	}
}

struct silence {
	const char *name;
	unsigned flags, action, call, field, value, want;
};

static void test_silencing(void)
{
	unsigned exec = (unsigned)audit_name_to_syscall("execve", audit_detect_machine());
	unsigned clock = (unsigned)audit_name_to_syscall("adjtimex", audit_detect_machine());
	const struct silence rows[] = {
		{"task,never", AUDIT_FILTER_TASK, AUDIT_NEVER, UINT_MAX, 0, 0, 1},
		{"task,never of no login", AUDIT_FILTER_TASK, AUDIT_NEVER, UINT_MAX, AUDIT_LOGINUID,
		 UINT32_MAX, 0},
		{"a rule as ours", AUDIT_FILTER_EXIT, AUDIT_ALWAYS, exec, 0, 0, 0},
		{"exit,never", AUDIT_FILTER_EXIT, AUDIT_NEVER, UINT_MAX, 0, 0, 1},
		{"exit,never of our call", AUDIT_FILTER_EXIT, AUDIT_NEVER, exec, 0, 0, 1},
		{"exit,never of a user", AUDIT_FILTER_EXIT, AUDIT_NEVER, exec, AUDIT_UID, 0, 1},
		{"exit,never of another call", AUDIT_FILTER_EXIT, AUDIT_NEVER, clock, 0, 0, 0},
		{"exit,never of no login", AUDIT_FILTER_EXIT, AUDIT_NEVER, exec, AUDIT_LOGINUID,
		 UINT32_MAX, 0},
		{"the same, as the kernel may list it", AUDIT_FILTER_EXIT, AUDIT_NEVER, exec,
		 AUDIT_LOGINUID_SET, 0, 0},
		{"exit,never of logins", AUDIT_FILTER_EXIT, AUDIT_NEVER, exec, AUDIT_LOGINUID_SET,
		 1, 1},
		{"exclude of all", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX, 0, 0, 1},
		{"exclude of EXECVE", AUDIT_FILTER_EXCLUDE, AUDIT_NEVER, UINT_MAX, AUDIT_MSGTYPE,
		 AUDIT_EXECVE, 1},
		{"exclude of our tag", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX, AUDIT_MSGTYPE,
		 AUDIT_TRUSTED_APP, 1},
		{"exclude of a user", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX, AUDIT_UID, 7,
		 1},
		{"exclude of PROCTITLE", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX,
		 AUDIT_MSGTYPE, AUDIT_PROCTITLE, 0},
		{"exclude of CRYPTO_KEY_USER", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX,
		 AUDIT_MSGTYPE, AUDIT_CRYPTO_KEY_USER, 0},
		{"exclude of AVC", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX, AUDIT_MSGTYPE,
		 AUDIT_AVC, 0},
		{"exclude of what a crash says", AUDIT_FILTER_EXCLUDE, AUDIT_ALWAYS, UINT_MAX,
		 AUDIT_MSGTYPE, AUDIT_ANOM_ABEND, 1},
		{"user,never", AUDIT_FILTER_USER, AUDIT_NEVER, UINT_MAX, AUDIT_UID, 0, 1},
		{"user,always", AUDIT_FILTER_USER, AUDIT_ALWAYS, UINT_MAX, AUDIT_UID, 0, 0},
		{"filesystem,never", AUDIT_FILTER_FS, AUDIT_NEVER, UINT_MAX, AUDIT_FSTYPE, 0xef53,
		 1},
		{"filesystem,never of tracefs", AUDIT_FILTER_FS, AUDIT_NEVER, UINT_MAX,
		 AUDIT_FSTYPE, 0x74726163, 0},
	};

	make(ONLY("commands=yes\n"), NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct silence *r = &rows[i];
		struct rules_list *have = calloc(1, sizeof(*have));

		have->cap = rules.n + 1;
		have->items = calloc(have->cap, sizeof(*have->items));
		list(have, r->flags, r->action, r->call, r->field, r->value);
		tap_int(rules_silencing(have, &rules), r->want, "%s: %s", r->name,
			r->want ? "silences" : "does not silence");
		list_ours(have);
		tap_int(rules_silencing(have, &rules), r->want, "%s: the same before ours",
			r->name);
		rules_list_free(have);
	}
}

/* The first rule that fits decides. */
static void test_silencing_order(void)
{
	unsigned exec = (unsigned)audit_name_to_syscall("execve", audit_detect_machine());
	struct rules_list *have = calloc(1, sizeof(*have));

	have->cap = rules.n + 1;
	have->items = calloc(have->cap, sizeof(*have->items));
	list_ours(have);
	list(have, AUDIT_FILTER_EXIT, AUDIT_NEVER, exec, 0, 0);
	tap_int(rules_silencing(have, &rules), 0, "behind ours it decides nothing");
	free(have->items[0]);
	have->items[0] = have->items[--have->n];
	tap_int(rules_silencing(have, &rules), 1, "ours that is not there yet goes to the end");
	rules.items[0].first = true;
	tap_int(rules_silencing(have, &rules), 0, "or to the front");
	rules_list_free(have);
}

int main(void)
{
	char dir[] = "/tmp/test_rules.XXXXXX", path[300];
	FILE *f;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/d", dir);
	if (mkdir(path, 0700) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/f", dir);
	f = fopen(path, "we");
	if (!f)
		return 1;
	fclose(f);
	if (!has_b32())
		tap_skip("this machine has no 32-bit calls", "b32");
	else
		tap_ok(strstr(text(true), "-F arch=b32 -S execve"), "a rule for 32-bit calls");
	test_classes();
	test_each_is_narrow();
	test_data(dir);
	test_paths(dir);
	test_compare();
	test_silencing();
	test_silencing_order();
	rules_free(&rules);
	unlink(path);
	snprintf(path, sizeof(path), "%s/d", dir);
	rmdir(path);
	rmdir(dir);
	return tap_done();
}
