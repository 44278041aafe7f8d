/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a broker makes, and what the module makes of it, for grantd.sh:
 *
 *   mkanswer public NUMBER                       the public key, PEM
 *   mkanswer answer [NUMBER:GRANT[:SENT]]...     an answer with these files; the signature is over
 *                                                GRANT, sent are the bytes of SENT
 *   mkanswer envelope NUMBER:GRANT[:SENT]        one file as it lies in grants.d
 *   mkanswer load DIRECTORY OWNER KEY...         what grants_load believes: "grant ID REQUEST"
 * each, and "skip MESSAGE"
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/access/grants.h"
#include "common/cleanup.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "common/json.h"
#include "tests/unit/broker_key.h"

#define SIGNATURE_BYTES 64
#define OUT_MAX (64 << 20)

static void fail(const char *what)
{
	fprintf(stderr, "mkanswer: %s\n", what);
	exit(1);
}

static void read_into(const char *path, struct buf *out)
{
	buf_init(out, OUT_MAX);
	if (fdio_read_file(AT_FDCWD, path, OUT_MAX - 1, out, NULL) != 0)
		fail(path);
}

/* NUMBER:GRANT[:SENT] */
static void sign(char *item, struct buf *sent, unsigned char signature[SIGNATURE_BYTES])
{
	_cleanup_buf_ struct buf text = {0};
	const char *number = strtok(item, ":"), *grant = strtok(NULL, ":");
	const char *other = strtok(NULL, ":");

	if (!number || !grant)
		fail("NUMBER:GRANT[:SENT]");
	read_into(grant, &text);
	read_into(other ? other : grant, sent);
	broker_key_signature((unsigned char)atoi(number), buf_slice(&text), signature);
}

static void add(struct json_writer *w, char *item)
{
	_cleanup_buf_ struct buf sent = {0}, grant = {0}, base64 = {0};
	unsigned char signature[SIGNATURE_BYTES];

	sign(item, &sent, signature);
	buf_init(&grant, OUT_MAX);
	buf_init(&base64, 256);
	escape_base64(&grant, buf_slice(&sent));
	escape_base64(&base64, (struct slice){(const char *)signature, sizeof(signature)});
	json_write_open(w);
	json_write_kstr(w, "grant", buf_slice(&grant));
	json_write_kstr(w, "signature", buf_slice(&base64));
	json_write_close(w);
}

static int answer(int n, char **items)
{
	_cleanup_buf_ struct buf out = {0};
	struct json_writer *w;

	buf_init(&out, OUT_MAX);
	w = json_writer_new(&out);
	if (!w)
		fail("memory");
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT("sessaudit.grants/1"));
	json_write_karray(w, "grants");
	for (int i = 0; i < n; i++)
		add(w, items[i]);
	json_write_array_close(w);
	json_write_close(w);
	if (json_writer_end(w) != 0)
		fail("JSON");
	json_writer_free(w);
	return fwrite(out.data, 1, out.len, stdout) != out.len;
}

static int envelope(char *item)
{
	_cleanup_buf_ struct buf sent = {0}, out = {0};
	unsigned char signature[SIGNATURE_BYTES];

	sign(item, &sent, signature);
	buf_init(&out, OUT_MAX);
	if (signed_write(buf_slice(&sent),
			 (struct slice){(const char *)signature, sizeof(signature)}, &out) != 0)
		fail("envelope");
	return fwrite(out.data, 1, out.len, stdout) != out.len;
}

static void skipped(void *ctx, const char *message)
{
	(void)ctx;
	printf("skip %s\n", message);
}

static int load(int n, char **args)
{
	const char *const dirs[] = {args[0], NULL};
	struct signers signers = {0};
	struct grants_trust trust = {.owner_uid = (unsigned)atoi(args[1]), .signers = &signers};
	struct grants all = {0};
	struct sa_err err = {0};

	if (signers_load((const char *const *)args + 2, (size_t)n - 2, trust.owner_uid, &signers,
			 &err) != 0)
		fail(err.msg);
	if (grants_load(dirs, &trust, &all, skipped, NULL) != 0)
		fail("memory");
	for (size_t i = 0; i < all.len; i++)
		printf("grant %s %s\n", all.items[i]->access.grant_id,
		       all.items[i]->access.request_id);
	grants_free(&all);
	signers_free(&signers);
	return 0;
}

static int public_key(const char *number)
{
	_cleanup_buf_ struct buf pem = {0};

	buf_init(&pem, 4096);
	broker_key_pem((unsigned char)atoi(number), &pem);
	return fwrite(pem.data, 1, pem.len, stdout) != pem.len;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && strcmp(what, "public") == 0)
		return public_key(argv[2]);
	if (strcmp(what, "answer") == 0)
		return answer(argc - 2, argv + 2);
	if (argc == 3 && strcmp(what, "envelope") == 0)
		return envelope(argv[2]);
	if (argc >= 4 && strcmp(what, "load") == 0)
		return load(argc - 2, argv + 2);
	fail("public NUMBER | answer ITEM... | envelope ITEM | load DIRECTORY OWNER KEY...");
	return 1;
}
