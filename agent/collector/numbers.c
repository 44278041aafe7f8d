/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/numbers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define NUMBERS_MAX 65536

static bool read_text(const char *pid, const char *name, struct buf *text)
{
	char path[300];

	buf_init(text, 1024);
	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	return fdio_read_file(AT_FDCWD, path, 1000, text, NULL) == 0;
}

static bool read_number(const char *pid, const char *name, uint32_t *out)
{
	_cleanup_buf_ struct buf text = {0};

	if (!read_text(pid, name, &text))
		return false;
	*out = (uint32_t)strtoul(buf_cstr(&text), NULL, 10);
	return true;
}

/* proc(5), /proc/pid/stat: the 22nd field is the time after boot in clock ticks; the second one,
 * the name, may hold blanks and brackets. */
static bool read_start(const char *pid, int64_t *start_ms)
{
	_cleanup_buf_ struct buf text = {0};
	struct timespec up;
	const char *p;

	if (!read_text(pid, "stat", &text) || !(p = strrchr(buf_cstr(&text), ')')))
		return false;
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || clock_gettime(CLOCK_BOOTTIME, &up))
		return false;
	*start_ms = clock_real_ms() - (up.tv_sec * 1000LL + up.tv_nsec / 1000000) +
		    strtoll(p, NULL, 10) * 1000 / sysconf(_SC_CLK_TCK);
	return true;
}

/* With hidepid= in the options of /proc others' processes are hidden, init among them. */
void numbers_read(struct numbers *l)
{
	_cleanup_closedir_ DIR *d = opendir("/proc");
	uint32_t init;
	struct dirent *e;

	*l = (struct numbers){.items = calloc(NUMBERS_MAX, sizeof(*l->items))};
	l->whole = d && l->items && read_number("1", "sessionid", &init);
	while (l->whole && (e = readdir(d))) {
		if (l->n == NUMBERS_MAX)
			l->whole = false;
		else if (isdigit((unsigned char)e->d_name[0]) &&
			 read_number(e->d_name, "sessionid", &l->items[l->n].ses))
			l->items[l->n++].pid = atoi(e->d_name);
	}
}

void numbers_free(struct numbers *l)
{
	free(l->items);
}

bool numbers_may_have(const struct numbers *l, uint32_t ses)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].ses == ses)
			return true;
	return !l->whole;
}

bool numbers_login(const struct numbers *l, uint32_t ses, uint32_t *auid, int64_t *since_ms)
{
	bool found = false;

	for (size_t i = 0; i < l->n; i++) {
		char pid[16];
		uint32_t id;
		int64_t start_ms;

		snprintf(pid, sizeof(pid), "%d", l->items[i].pid);
		if (l->items[i].ses != ses || !read_number(pid, "loginuid", &id) ||
		    id == UINT32_MAX || !read_start(pid, &start_ms))
			continue;
		if (!found || start_ms < *since_ms)
			*since_ms = start_ms;
		*auid = id;
		found = true;
	}
	return found;
}
