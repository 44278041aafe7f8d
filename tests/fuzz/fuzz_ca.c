/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/access/grant.h"
#include "common/access/profile.h"
#include "common/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *ctx, const char *message)
{
	size_t *reports = ctx;
	_cleanup_buf_ struct buf shown = {0};

	buf_init(&shown, 1 << 16);
	escape_terminal(&shown, slice_of(message));
	if (!slice_eq(buf_slice(&shown), slice_of(message)) ||
	    !slice_starts(buf_slice(&shown), "f:"))
		abort();
	(*reports)++;
}

static void check_id(const char *id)
{
	_cleanup_buf_ struct buf shown = {0};

	buf_init(&shown, 1 << 16);
	escape_terminal(&shown, slice_of(id));
	if (!id[0] || strlen(id) > GRANT_MAX_ID || !slice_eq(buf_slice(&shown), slice_of(id)))
		abort();
}

static void check_field(const char *text)
{
	if (text &&
	    (!text[0] || strlen(text) > ACCESS_MAX_FIELD || !escape_utf8_valid(slice_of(text))))
		abort();
}

static void check_says(const struct profile_says *s)
{
	if (s->n_ids > PROFILE_MAX_IDS || s->about.n_approvals > ACCESS_MAX_APPROVALS ||
	    s->about.status != ACCESS_UNAPPROVED || s->about.request_id)
		abort();
	for (size_t i = 0; i < s->n_ids; i++)
		check_id(s->ids[i]);
	check_field(s->about.requester);
	check_field(s->about.flow);
	check_field(s->about.justification);
	check_field(s->about.ticket);
	for (size_t i = 0; i < s->about.n_approvals; i++)
		check_field(s->about.approvals[i].by);
}

/* text stands for the key id and for each extension. */
static void read_all(const struct ca *ca, struct slice text)
{
	struct ssh_key k = {
		.cert = true,
		.user_cert = true,
		.key_id = text,
		.extensions = {{SLICE_LIT("request-id@sessaudit"), text},
			       {SLICE_LIT("approver@sessaudit"), text},
			       {SLICE_LIT("flow@sessaudit"), text},
			       {SLICE_LIT("teleport-active-requests"), text}},
		.n_extensions = 4,
	};
	struct profile_says says;
	int rc = profile_read(ca, &k, &says, NULL);

	if (rc < 0 && (says.ids || says.n_ids || says.about.cert_profile))
		abort();
	if (rc < 0 && rc != SA_ERR_INVALID)
		abort();
	check_says(&says);
	profile_free(&says);
}

/* A file of ca.d, a NUL, and what a certificate says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice file = {(const char *)data, size}, text = {"", 0};
	const char *nul = size > 0 ? memchr(data, 0, size) : NULL;
	struct cas c = {0};
	size_t reports = 0;

	if (size > CAS_MAX_FILE)
		return 0;
	if (nul) {
		file.len = (size_t)(nul - file.ptr);
		text = (struct slice){nul + 1, size - file.len - 1};
	}
	if (cas_parse("f", file, &c, see, &reports) < 0 || c.len > CAS_MAX)
		abort();
	for (size_t i = 0; i < c.len; i++) {
		if (cas_find(&c, c.items[i].fp) != &c.items[i] ||
		    (c.items[i].profile == CA_REGEX) != (c.items[i].regex != NULL))
			abort();
		read_all(&c.items[i], text);
	}
	for (enum ca_profile p = CA_SESSAUDIT; p < CA_REGEX; p++)
		read_all(&(struct ca){.profile = p}, text);
	cas_free(&c);
	return 0;
}
