/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* notifysink PATH: prints the lines that come to the datagram socket PATH, as systemd would get
 * them. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[2048];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(a.sun_path))
		return 1;
	strcpy(a.sun_path, argv[1]);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		return 1;
	while ((n = recv(fd, text, sizeof(text), 0)) >= 0)
		if (printf("%.*s\n", (int)n, text) < 0 || fflush(stdout) != 0)
			return 1;
	return 0;
}
