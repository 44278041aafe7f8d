/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * mkspool READY COUNT SIZE SESSIONS: lays out COUNT segments of SIZE bytes that do not
 * compress in SESSIONS session directories below READY, as a collector leaves them.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* xorshift64* (Vigna) */
static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717u;
}

static int make(int dir, unsigned segment, uint64_t *bytes, size_t size, uint64_t *state)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%06u.jsonl.gz", segment);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0640);
	for (size_t i = 0; i < size / sizeof(*bytes) + 1; i++)
		bytes[i] = next(state);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		return -1;
	return close(fd);
}

static int session(int ready, unsigned number)
{
	char name[128];

	snprintf(name, sizeof(name), "sessions/request=REQ-%u", number);
	mkdirat(ready, "sessions", 0750);
	mkdirat(ready, name, 0750);
	snprintf(name, sizeof(name), "sessions/request=REQ-%u/session=%032x", number, number);
	mkdirat(ready, name, 0750);
	return openat(ready, name, O_DIRECTORY | O_RDONLY);
}

int main(int argc, char **argv)
{
	unsigned count = argc == 5 ? (unsigned)atoi(argv[2]) : 0;
	unsigned sessions = argc == 5 ? (unsigned)atoi(argv[4]) : 0;
	size_t size = argc == 5 ? (size_t)atol(argv[3]) : 0;
	uint64_t *bytes = malloc(size + 16), state = 42;
	int ready = argc == 5 ? open(argv[1], O_DIRECTORY | O_RDONLY) : -1;

	if (ready < 0 || !bytes || sessions == 0)
		return 2;
	for (unsigned s = 0; s < sessions; s++) {
		int dir = session(ready, s);

		for (unsigned i = s; i < count; i += sessions)
			if (make(dir, i / sessions, bytes, size, &state) != 0) {
				perror("mkspool");
				return 1;
			}
		close(dir);
	}
	free(bytes);
	return 0;
}
