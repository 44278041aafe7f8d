/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/numbers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/fdio.h"

#define NUMBERS_MAX 65536

static bool read_number(const char *pid, uint32_t *out)
{
	_cleanup_buf_ struct buf text = {0};
	char path[300];

	buf_init(&text, 32);
	snprintf(path, sizeof(path), "/proc/%s/sessionid", pid);
	if (fdio_read_file(AT_FDCWD, path, 16, &text, NULL))
		return false;
	*out = (uint32_t)strtoul(buf_cstr(&text), NULL, 10);
	return true;
}

/* With hidepid= in the options of /proc others' processes are hidden, init among them. */
void numbers_read(struct numbers *l)
{
	_cleanup_closedir_ DIR *d = opendir("/proc");
	uint32_t init;
	struct dirent *e;

	*l = (struct numbers){.items = calloc(NUMBERS_MAX, sizeof(*l->items))};
	l->whole = d && l->items && read_number("1", &init);
	while (l->whole && (e = readdir(d))) {
		if (l->n == NUMBERS_MAX)
			l->whole = false;
		else if (isdigit((unsigned char)e->d_name[0]) &&
			 read_number(e->d_name, &l->items[l->n]))
			l->n++;
	}
}

void numbers_free(struct numbers *l)
{
	free(l->items);
}

bool numbers_may_have(const struct numbers *l, uint32_t ses)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i] == ses)
			return true;
	return !l->whole;
}
