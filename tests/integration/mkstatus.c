/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * mkstatus DIR AGE_SECONDS [FIELD=VALUE ...]: the shipper's status files as its own
 * code writes them, for doctor.sh. FIELD is a number of status.h, or append_only
 * (0 unknown, 1 proven, 2 unproven), store, credentials, reason.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/shipper/status.h"
#include "common/clock.h"

static bool set(struct status *s, const char *field, const char *value)
{
#define SET_NUMBER(name, type, prom, help)                                                         \
	if (strcmp(field, #name) == 0) {                                                           \
		s->name = strtoull(value, NULL, 10);                                               \
		return true;                                                                       \
	}
	STATUS_NUMBERS(SET_NUMBER)
#undef SET_NUMBER
	if (strcmp(field, "append_only") == 0)
		s->append_only = (enum store_append_only)atoi(value);
	else if (strcmp(field, "store") == 0)
		s->store = value;
	else if (strcmp(field, "credentials") == 0)
		s->credentials = value;
	else if (strcmp(field, "reason") == 0)
		s->reason = value;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct status s = {0};

	for (int i = 3; i < argc; i++) {
		char *eq = strchr(argv[i], '=');

		if (eq)
			*eq = '\0';
		if (!eq || !set(&s, argv[i], eq + 1))
			fd = -1;
	}
	if (fd < 0) {
		fprintf(stderr, "usage: mkstatus DIR AGE_SECONDS [FIELD=VALUE ...]\n");
		return 1;
	}
	status_write(fd, &s, clock_real_ms() - 1000 * (int64_t)atol(argv[2]));
	return 0;
}
