/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "pam_sessaudit/enabled.h"

#define ENABLED_NAME "audit.on"

static bool is_known(const char *path)
{
	struct stat st;
	int64_t age_ms;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0)
		return false;
	age_ms = clock_real_ms() - clock_ms(&st.st_mtim);
	return age_ms >= 0 && age_ms < ENABLED_MS;
}

void enabled_ask(struct enabled *e, const char *run_dir, struct netlink *nl)
{
	int n;

	*e = (struct enabled){.asked = true};
	e->get = netlink_get_status(&e->status);
	n = snprintf(e->path, sizeof(e->path), "%s/" ENABLED_NAME, run_dir);
	if (n < 0 || (size_t)n >= sizeof(e->path))
		e->path[0] = 0;
	else
		e->asked = !is_known(e->path);
	if (e->asked)
		netlink_send(nl, &e->get);
}

bool enabled_is_off(const struct enabled *e)
{
	int fd;

	if (!e->asked || e->get.rc < 0)
		return false;
	if (e->status.enabled == 0)
		return true;
	fd = open(e->path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
	return false;
}
