/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel audit rules the agent needs, by class, under the key `sessaudit` and
 * for processes that belong to a login only (auid set).
 */
#ifndef SA_RULES_H
#define SA_RULES_H

#include "common/err.h"
#include "common/settings.h"

#define RULES_KEY "sessaudit"

/* A rule that is there already is fine. fd: an audit netlink socket with privilege. */
int rules_install(int fd, const struct settings *set, struct sa_err *err);
/* Removes every rule that rules_install can have made. */
void rules_remove(int fd);
/* Logs the rules in auditctl's syntax, for an admin to install. */
void rules_print(const struct settings *set);

#endif
