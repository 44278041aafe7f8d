/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "common/fdio.h"

/* Stands in for libFuzzer: feeds each file given as an argument to the target once. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	struct sa_err err;
	struct buf text;
	uint8_t *copy;

	buf_init(&text, 16 << 20);
	if (fdio_read_file(AT_FDCWD, path, text.max, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return EXIT_FAILURE;
	}
	/* of exact size, so that memory checkers see a read past the end */
	copy = malloc(text.len ? text.len : 1);
	if (!copy)
		abort();
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	LLVMFuzzerTestOneInput(copy, text.len);
	free(copy);
	buf_free(&text);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int status = EXIT_SUCCESS;

	for (int i = 1; i < argc; i++) {
		if (replay_file(argv[i]) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	return status;
}
