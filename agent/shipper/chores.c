/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/chores.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/shipper/quarantine.h"
#include "agent/shipper/walk.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

#define PRUNE_SHARE 100 /* rests this many times as long as it took */
#define KEPT_SHARE 4    /* what is kept takes at most this part of the quota */

static struct log_limit short_limit = {.burst = 1};

void chores_init(struct chores *c, const struct settings *s)
{
	*c = (struct chores){.settings = s, .run_fd = -1};
}

void chores_end(struct chores *c)
{
	if (c->run_fd >= 0)
		close(c->run_fd);
	c->run_fd = -1;
}

/* The supervisor makes <run_dir>/ship; without it, it is the caller's. */
static void chores_open_run(struct chores *c)
{
	_cleanup_close_ int run =
		open(c->settings->agent_run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (run < 0)
		return;
	(void)mkdirat(run, "ship", 0755);
	c->run_fd = openat(run, "ship", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void chores_status(struct chores *c, int64_t now_ms)
{
	int64_t age = now_ms - c->written_ms;

	if (c->written_ms != 0 &&
	    (age < CHORES_STATUS_MS || (age < CHORES_STATUS_MAX_MS &&
					memcmp(&c->status, &c->written, sizeof(c->status)) == 0)))
		return;
	if (c->run_fd < 0)
		chores_open_run(c);
	if (c->run_fd >= 0)
		status_write(c->run_fd, &c->status, clock_real_ms());
	c->written = c->status;
	c->written_ms = now_ms;
}

static void chores_probed(struct chores *c, struct store *store, enum store_append_only answer)
{
	bool proven = answer == STORE_PROVEN;

	if (answer != c->status.append_only)
		log_msg(proven ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
			"event=append-only store=%s state=%s", store_name(store),
			store_append_only_name(answer));
	c->status.append_only = answer;
	c->status.probed = (uint64_t)clock_real_ms() / 1000;
}

void chores_probe(struct chores *c, struct store *store, bool idle, int64_t now_ms)
{
	static struct log_limit limit = {.burst = 1};
	enum store_append_only answer = STORE_UNKNOWN;
	char host[HOST_NAME_MAX + 1] = "";
	struct sa_err err = {0};

	if (c->probe_ms != 0 && (now_ms < c->probe_ms || c->status.away ||
				 (!idle && now_ms - c->probe_ms < CHORES_PROBE_LATE_MS)))
		return;
	c->probe_ms = now_ms + CHORES_PROBE_AGAIN_MS;
	if (gethostname(host, sizeof(host) - 1) != 0)
		return;
	if (store_probe(store, host, &answer, &err) != 0) {
		log_limited(&limit, LOG_LEVEL_WARN, "event=append-only-unknown reason=\"%s\"",
			    err.msg);
	} else if (answer != STORE_UNKNOWN) {
		c->probe_ms = now_ms + CHORES_PROBE_MS;
		chores_probed(c, store, answer);
	}
}

static int64_t chores_bytes(int root_fd)
{
	struct walk w = {0};
	struct stat st;
	enum walk_found found;
	int64_t bytes = 0;

	if (walk_start(&w, root_fd, NULL) != 0)
		return 0;
	while ((found = walk_next(&w)) != WALK_END)
		if (found == WALK_OBJECT &&
		    fstatat(walk_dir_fd(&w), w.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += st.st_size;
	return bytes;
}

/* Copies of what is stored must not take the room of what is not: that would end the recording. */
static bool chores_is_short(const struct settings *s, int sent_fd)
{
	struct statvfs fs;

	if (fstatvfs(sent_fd, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)s->spool_min_free)
		return true;
	return s->spool_max_bytes > 0 && chores_bytes(sent_fd) > s->spool_max_bytes / KEPT_SHARE;
}

void chores_prune(struct chores *c, int sent_fd, int64_t now_ms)
{
	int64_t keep = c->settings->store_keep_local, rest;

	if (now_ms < c->prune_ms)
		return;
	if (keep > 0 && chores_is_short(c->settings, sent_fd)) {
		log_limited(&short_limit, LOG_LEVEL_WARN,
			    "event=not-kept reason=\"the spool is short of room\"");
		keep = 0;
	}
	quarantine_prune(sent_fd, clock_real_ms() - keep);
	rest = (clock_mono_ms() - now_ms) * PRUNE_SHARE;
	c->prune_ms = now_ms + (rest > CHORES_PRUNE_MS ? rest : CHORES_PRUNE_MS);
}
