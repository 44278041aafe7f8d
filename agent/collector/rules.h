/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel audit rules the agent needs, by class, under the keys `sessaudit` and
 * `sessaudit-self` and for processes that belong to a login only (auid set). rules.c makes them, as
 * the kernel takes them and as auditctl writes them; rules_kernel.c compares them with what the
 * kernel has.
 *
 * Each rule names its system calls, also those for files, whose perm= would choose
 * calls by itself: a rule without names is gone through at the end of every call of
 * every process on the host. The rules for what is ours go first (-A), so that their key
 * is the one that an event has which fits two.
 */
#ifndef SA_RULES_H
#define SA_RULES_H

#include <stdint.h>

#include "agent/collector/self.h"
#include "common/err.h"
#include "common/settings.h"

#define RULES_KEY "sessaudit"
#define RULES_SELF_KEY "sessaudit-self" /* of the rules that watch what is ours */
#define RULES_MAX 512
#define RULES_MAX_ABSENT 64

struct audit_rule_data;

struct rule {
	char *text;                   /* as auditctl takes it */
	struct audit_rule_data *data; /* flags and action set, as the kernel lists it */
	bool first;                   /* goes before all others; not listed as such */
	bool refused;                 /* the kernel does not take it */
	bool added;                   /* by this run or one that was killed: ours to remove */
};

struct rules {
	struct rule items[RULES_MAX];
	size_t n;
	char *absent[RULES_MAX_ABSENT]; /* paths of the settings that do not exist now */
	size_t n_absent;
};

/* The rules of the classes that are on. Calls that libaudit does not know are left out, as is what
 * this machine has not (32-bit calls). self: may be NULL; its paths. rules_free also after an
 * error. */
int rules_make(const struct settings *set, const struct self_facts *self, struct rules *out,
	       struct sa_err *err);
void rules_free(struct rules *r);
/* Logs the rules in auditctl's syntax, for an admin to install. */
void rules_print(const struct rules *r);

/* The rules that the kernel has, as it lists them. */
struct rules_list {
	struct audit_rule_data **items;
	size_t n, cap;
};
/* fd: an audit netlink socket with privilege, on which nothing else is asked meanwhile. */
int rules_list(int fd, struct rules_list **out, struct sa_err *err);
void rules_list_free(struct rules_list *l); /* NULL-safe */
bool rules_has(const struct rules_list *l, const struct rule *r);

/* Adds those that the kernel has not. One that it refuses (an old kernel, a path that went away) is
 * marked, and said unless it was marked before; SA_ERR_PERM when it takes none at all. */
int rules_install(int fd, struct rules *r, const struct rules_list *have, struct sa_err *err);
/* Removes what is added of r; or, r NULL, every rule with our keys. */
void rules_remove(int fd, const struct rules *r);
/* Removes the rules with our keys that are not in r: an earlier run was killed, and the settings
 * were others. */
void rules_remove_stale(int fd, const struct rules *r, const struct rules_list *have);
/* Removes rules that have our keys and another action than ours: somebody who wants no record of
 * it adds a `never` under our name. Returns how many there were. */
unsigned rules_remove_forged(int fd, const struct rules_list *have);
/* How many rules of others keep what sessions do from being recorded: task,never as some
 * distributions have it, exit,never for a call that a later rule of ours wants, exclude of a kind
 * of record that entries are made of. One that cannot match a process of a login is none. */
unsigned rules_silencing(const struct rules_list *have, const struct rules *ours);

#endif
