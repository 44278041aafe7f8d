/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A syslog daemon for a test: takes datagrams on a socket and writes them to a
 * file, one a line.
 *
 *   logsink SOCKET FILE
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char line[8192];
	FILE *out;
	int fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: logsink SOCKET FILE\n");
		return 2;
	}
	strcpy(addr.sun_path, argv[1]);
	out = fopen(argv[2], "ae");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!out || fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		perror("logsink");
		return 1;
	}
	chmod(argv[1], 0666);
	for (;;) {
		ssize_t n = recv(fd, line, sizeof(line), 0);

		if (n < 0)
			return 1;
		fprintf(out, "%.*s\n", (int)n, line);
		fflush(out);
	}
}
