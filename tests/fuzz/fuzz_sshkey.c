/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/access/auth_info.h"
#include "common/cleanup.h"
#include "common/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice s, struct slice all)
{
	if (s.ptr &&
	    (s.ptr < all.ptr || s.len > all.len || (size_t)(s.ptr - all.ptr) > all.len - s.len))
		abort();
}

static void check_fp(const char *fp)
{
	if (strlen(fp) != SSH_KEY_FP_SIZE - 1 || strncmp(fp, "SHA256:", 7) != 0)
		abort();
}

static void check_options(const struct ssh_option *list, size_t n, struct slice blob)
{
	if (n > SSH_KEY_MAX_OPTIONS)
		abort();
	for (size_t i = 0; i < n; i++) {
		check_inside(list[i].name, blob);
		check_inside(list[i].value, blob);
		for (size_t j = 0; j < i; j++)
			if (slice_eq(list[i].name, list[j].name))
				abort();
	}
}

static void check_key(const struct ssh_key *k, struct slice blob)
{
	check_inside(k->type, blob);
	check_fp(k->fp);
	if (!k->cert) {
		if (k->user_cert || k->ca_fp[0] || k->key_id.ptr || k->n_extensions)
			abort();
		return;
	}
	check_fp(k->ca_fp);
	check_inside(k->key_id, blob);
	if (k->n_principals > SSH_KEY_MAX_PRINCIPALS)
		abort();
	for (size_t i = 0; i < k->n_principals; i++)
		check_inside(k->principals[i], blob);
	check_options(k->critical, k->n_critical, blob);
	check_options(k->extensions, k->n_extensions, blob);
}

/* What is taken as it is, is not when it is cut, or longer. */
static void check_length(struct slice blob)
{
	_cleanup_free_ char *longer = malloc(blob.len + 1);
	struct ssh_key k;

	if (!longer)
		return;
	memcpy(longer, blob.ptr, blob.len);
	longer[blob.len] = 0;
	if (ssh_key_parse((struct slice){longer, blob.len + 1}, &k, NULL) == 0 ||
	    ssh_key_parse((struct slice){longer, blob.len - 1}, &k, NULL) == 0)
		abort();
}

/* The same key out of the line that sshd would make of it. */
static void check_line(struct slice blob, const struct ssh_key *k)
{
	_cleanup_(auth_info_free) struct auth_info a = {0};
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	buf_puts(&text, "password\npublickey ");
	buf_put(&text, k->type);
	buf_putc(&text, ' ');
	escape_base64(&text, blob);
	if (auth_info_parse(buf_slice(&text), &a) < 0 || a.n_keys != 1 || a.broken != 0 ||
	    strcmp(a.keys[0].key.fp, k->fp) != 0 || strcmp(a.keys[0].key.ca_fp, k->ca_fp) != 0)
		abort();
	check_key(&a.keys[0].key, buf_slice(&a.keys[0].blob));
}

static void check_text(struct slice text)
{
	struct auth_info a;

	if (auth_info_parse(text, &a) < 0)
		abort();
	if (a.n_keys > AUTH_INFO_MAX_KEYS || (a.broken > 0) != (a.why.code < 0))
		abort();
	for (size_t i = 0; i < a.n_keys; i++)
		check_key(&a.keys[i].key, buf_slice(&a.keys[i].blob));
	auth_info_free(&a);
}

/* The bytes are a key's, and also the text of SSH_AUTH_INFO_0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {(const char *)data, size};
	struct sa_err err = {0};
	struct ssh_key k;
	int rc;

	if (size > AUTH_INFO_MAX_BYTES)
		return 0;
	rc = ssh_key_parse(in, &k, &err);
	if (rc != err.code)
		abort();
	if (rc == 0) {
		check_key(&k, in);
		check_length(in);
		check_line(in, &k);
	}
	check_text(in);
	return 0;
}
