/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/self.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/collector/path.h"
#include "common/cleanup.h"

/* A directory that is not ours to look at is there all the same. */
static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Not what lies below one that is there already; what does not fit is left to its own directory. */
static void add(struct self_facts *f, struct slice path)
{
	char *to = f->paths[f->n_paths];

	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	if (path.len < 2 || path.ptr[0] != '/' || path.len >= sizeof(f->paths[0]) ||
	    f->n_paths == SELF_MAX_PATHS || self_has_path(f, path))
		return;
	memcpy(to, path.ptr, path.len);
	to[path.len] = '\0';
	f->n_paths++;
}

/* Also by its name without links, which is what the records may have. */
static void add_existing(struct self_facts *f, const char *path)
{
	_cleanup_free_ char *real = NULL;

	if (!path || !exists(path))
		return;
	add(f, slice_of(path));
	real = realpath(path, NULL);
	add(f, slice_of(real));
}

/* Not the whole run directory: pam_sessaudit keeps an index there, also while it serves a sudo of a
 * session. */
static void add_run(struct self_facts *f, const char *run_dir)
{
	static const char *const parts[] = {"ses", "grants.d", "ship", "grantd"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", run_dir, parts[i]);

		if (n > 0 && (size_t)n < sizeof(path))
			add_existing(f, path);
	}
}

void self_facts_make(const struct settings *set, struct self_facts *out)
{
	_cleanup_free_ const char **grants = settings_grant_dirs(set);

	*out = (struct self_facts){0};
	add_existing(out, "/etc/sessaudit");
	add_existing(out, set->spool_dir);
	if (strcmp(set->store_type, "dir") == 0)
		add_existing(out, set->store_dir);
	if (set->redact_enable) {
		add_existing(out, set->redact_key_file);
		add_existing(out, set->redact_rules_file);
	}
	add_run(out, set->agent_run_dir);
	add_existing(out, SESSAUDIT_LIBEXECDIR);
	add_existing(out, SESSAUDIT_SBINDIR "/sessauditd");
	add_existing(out, SESSAUDIT_BINDIR "/sessaudit");
	add_existing(out, SESSAUDIT_SECUREDIR "/pam_sessaudit.so");
	add_existing(out, set->pam_ca_dir);
	for (size_t i = 0; grants && grants[i]; i++)
		add_existing(out, grants[i]);
}

bool self_has_path(const struct self_facts *f, struct slice path)
{
	for (size_t i = 0; i < f->n_paths; i++)
		if (path_is_below(path, slice_of(f->paths[i])))
			return true;
	return false;
}

bool self_has_pid(const struct self_facts *f, int64_t pid)
{
	for (size_t i = 0; i < f->n_pids; i++)
		if (f->pids[i] == pid)
			return true;
	return false;
}
