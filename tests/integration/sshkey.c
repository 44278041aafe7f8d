/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/access/auth_info.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"

/* Prints what a *.pub file holds, as `ssh-keygen -L` does, for ssh_key.sh. */

static void print(const char *before, struct slice s, const char *after)
{
	printf("%s%.*s%s", before, (int)s.len, s.ptr ? s.ptr : "", after);
}

static void print_time(uint64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("%s", text);
}

static void print_validity(const struct ssh_key *k)
{
	if (k->valid_after == 0 && k->valid_before == UINT64_MAX) {
		printf("Valid: forever\n");
		return;
	}
	printf("Valid: from ");
	print_time(k->valid_after);
	printf(" to ");
	print_time(k->valid_before);
	printf("\n");
}

static void print_options(const char *name, const struct ssh_option *list, size_t n)
{
	printf("%s: %s\n", name, n ? "" : "(none)");
	for (size_t i = 0; i < n; i++) {
		print("", list[i].name, list[i].value.ptr ? " " : "\n");
		if (list[i].value.ptr)
			print("", list[i].value, "\n");
	}
}

static void print_cert(const struct ssh_key *k)
{
	print("Type: ", k->type, k->user_cert ? " user certificate\n" : " host certificate\n");
	printf("Public key: %s\nSigning CA: %s\n", k->fp, k->ca_fp);
	print("Key ID: \"", k->key_id, "\"\n");
	printf("Serial: %" PRIu64 "\n", k->serial);
	print_validity(k);
	printf("Principals: %s\n", k->n_principals ? "" : "(none)");
	for (size_t i = 0; i < k->n_principals; i++)
		print("", k->principals[i], "\n");
	print_options("Critical Options", k->critical, k->n_critical);
	print_options("Extensions", k->extensions, k->n_extensions);
}

/* The time of one auth_info_parse, as the module calls it. */
static void measure(struct slice line)
{
	enum { ROUNDS = 20000 };
	_cleanup_buf_ struct buf text = {0};
	struct timespec from, to;

	buf_init(&text, AUTH_INFO_MAX_BYTES);
	buf_puts(&text, "publickey ");
	buf_put(&text, line);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(auth_info_free) struct auth_info a = {0};

		if (auth_info_parse(buf_slice(&text), &a) < 0 || a.n_keys != 1)
			exit(EXIT_FAILURE);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.2f us\n", ((double)(to.tv_sec - from.tv_sec) * 1e6 +
			     (double)(to.tv_nsec - from.tv_nsec) / 1e3) /
				    ROUNDS);
}

int main(int argc, char **argv)
{
	_cleanup_(auth_key_free) struct auth_key k = {0};
	_cleanup_buf_ struct buf text = {0};
	struct sa_err err = {0};

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: sshkey FILE.pub [time]\n");
		return EXIT_FAILURE;
	}
	buf_init(&text, AUTH_INFO_MAX_BYTES);
	if (fdio_read_file(AT_FDCWD, argv[1], AUTH_INFO_MAX_BYTES, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return EXIT_FAILURE;
	}
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (auth_key_line(buf_slice(&text), &k, NULL, &err) < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
		return EXIT_FAILURE;
	}
	if (argc == 3)
		measure(buf_slice(&text));
	else if (k.key.cert)
		print_cert(&k.key);
	else
		printf("%s\n", k.key.fp);
	return EXIT_SUCCESS;
}
