/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Sends one user message to the kernel's audit, as whoever wants to forge a tag would:
 *
 *   auditmsg TYPE TEXT
 *
 * Prints `sent`, or the name of what went wrong. Exit status 0 only when sent.
 */
#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	int fd, rc;

	if (argc != 3) {
		fprintf(stderr, "usage: auditmsg TYPE TEXT\n");
		return 2;
	}
	fd = audit_open();
	rc = fd < 0 ? -errno
		    : audit_log_user_message(fd, atoi(argv[1]), argv[2], NULL, NULL, NULL, 1);
	/* libaudit takes a refusal for success where the caller is not root. */
	if (rc > 0) {
		puts("sent");
		return 0;
	}
	puts(rc == 0 || rc == -EPERM ? "EPERM" : strerror(rc < 0 ? -rc : errno));
	return 1;
}
