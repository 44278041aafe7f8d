/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What is the agent's own: rules watch it, and whoever in a session touches it gets an
 * entry of type self.
 */
#ifndef SA_SELF_H
#define SA_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/slice.h"

#define SELF_MAX_PATHS 16
#define SELF_MAX_PIDS 8

struct self_facts {
	char paths[SELF_MAX_PATHS]
		  [256]; /* files and directories, absolute, without a slash at the end */
	size_t n_paths;
	int64_t pids[SELF_MAX_PIDS]; /* supervisor and roles, as far as known */
	size_t n_pids;
};

/* /etc/sessaudit, CAs, grants, spool, store directory, redact.key_file and rules_file, what the
 * agent keeps in run_dir, the module, the programs: those that exist. pids are the caller's to
 * fill. */
void self_facts_make(const struct settings *set, struct self_facts *out);
/* path (absolute) is one of ours or lies below one. */
bool self_has_path(const struct self_facts *f, struct slice path);
bool self_has_pid(const struct self_facts *f, int64_t pid);

#endif
