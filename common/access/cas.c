/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "common/access/cas.h"
#include "common/access/profile.h"
#include "common/access/trusted_file.h"
#include "common/cleanup.h"

static const char *const profile_names[] = {
	[CA_SESSAUDIT] = "sessaudit", [CA_TELEPORT] = "teleport", [CA_VAULT] = "vault",
	[CA_BLESS] = "bless",         [CA_REGEX] = "regex",
};

/* One run over the directory. */
struct loader {
	struct cas *out;
	grants_skip_fn skip;
	void *ctx;
};

const char *ca_profile_name(enum ca_profile p)
{
	return profile_names[p];
}

const struct ca *cas_find(const struct cas *c, const char *fp)
{
	for (size_t i = 0; i < c->len; i++)
		if (strcmp(c->items[i].fp, fp) == 0)
			return &c->items[i];
	return NULL;
}

static void ca_free(struct ca *ca)
{
	profile_regex_free(ca->regex);
	*ca = (struct ca){0};
}

void cas_free(struct cas *c)
{
	for (size_t i = 0; i < c->len; i++)
		ca_free(&c->items[i]);
	free(c->items);
	*c = (struct cas){0};
}

static int set_profile(struct slice name, struct ca *ca, struct sa_err *err)
{
	for (enum ca_profile p = CA_SESSAUDIT; p < CA_REGEX; p++) {
		if (slice_is(name, profile_names[p])) {
			ca->profile = p;
			return 0;
		}
	}
	return sa_fail(err, SA_ERR_INVALID,
		       "unknown profile: sessaudit, teleport, vault and bless are known");
}

static struct slice skip_bytes(struct slice s, size_t n)
{
	return (struct slice){s.ptr + n, s.len - n};
}

/* profile=NAME in front of a line. */
static int take_profile(struct slice *line, struct ca *ca, struct sa_err *err)
{
	struct slice left = skip_bytes(*line, strlen("profile="));
	size_t n = 0;

	while (n < left.len && left.ptr[n] != ' ' && left.ptr[n] != '\t')
		n++;
	*line = skip_bytes(left, n);
	return set_profile((struct slice){left.ptr, n}, ca, err);
}

/* regex="PATTERN" in front of a line. */
static int take_regex(struct slice *line, struct ca *ca, struct sa_err *err)
{
	struct slice left = skip_bytes(*line, strlen("regex=\""));
	size_t n = 0;

	while (n < left.len && left.ptr[n] != '"')
		n += left.ptr[n] == '\\' ? 2 : 1;
	if (n >= left.len)
		return sa_fail(err, SA_ERR_INVALID, "regex: the quote at its end is missing");
	if (n + 1 < left.len && left.ptr[n + 1] != ' ' && left.ptr[n + 1] != '\t')
		return sa_fail(err, SA_ERR_INVALID, "regex: a blank is wanted after it");
	*line = skip_bytes(left, n + 1);
	ca->profile = CA_REGEX;
	return profile_regex_compile((struct slice){left.ptr, n}, &ca->regex, err);
}

static int take_word(struct slice *line, struct ca *ca, struct sa_err *err)
{
	if (slice_starts(*line, "profile="))
		return take_profile(line, ca, err);
	if (slice_starts(*line, "regex=\""))
		return take_regex(line, ca, err);
	ca->profile = CA_SESSAUDIT;
	return 0;
}

/* What ca holds after a failure, too, is the caller's to free. */
static int read_line(struct slice line, struct ca *ca, struct sa_err *err)
{
	_cleanup_(auth_key_free) struct auth_key key = {0};
	int rc;

	if ((rc = take_word(&line, ca, err)) < 0 || (rc = auth_key_line(line, &key, NULL, err)) < 0)
		return rc;
	if (key.key.cert)
		return sa_fail(err, SA_ERR_INVALID, "is a certificate: the CA's own key is wanted");
	memcpy(ca->fp, key.key.fp, sizeof(ca->fp));
	return 0;
}

/* Takes ca. */
static int keep(struct cas *c, struct ca *ca, struct sa_err *err)
{
	const struct ca *same = cas_find(c, ca->fp);
	struct ca *grown;

	/* Two patterns are not compared: they count as different. */
	if (same && (same->profile != ca->profile || ca->regex))
		return sa_fail(err, SA_ERR_EXISTS,
			       "this CA is listed before, with profile %s: that counts",
			       ca_profile_name(same->profile));
	if (same)
		return 0;
	if (c->len == CAS_MAX)
		return sa_fail(err, SA_ERR_TOOBIG, "more than %d CAs: this one is not read",
			       CAS_MAX);
	grown = realloc(c->items, (c->len + 1) * sizeof(*grown));
	if (!grown)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	c->items = grown;
	grown[c->len++] = *ca;
	*ca = (struct ca){0};
	return 0;
}

static int add_line(struct cas *c, struct slice line, struct sa_err *err)
{
	_cleanup_(ca_free) struct ca ca = {0};
	int rc;

	line = slice_trim(line, " \t\r");
	if (line.len == 0 || line.ptr[0] == '#')
		return 0;
	if ((rc = read_line(line, &ca, err)) < 0)
		return rc;
	return keep(c, &ca, err);
}

int cas_parse(const char *name, struct slice text, struct cas *c, grants_skip_fn skip, void *ctx)
{
	for (unsigned number = 1; text.len > 0; number++) {
		struct sa_err err = {0};
		int rc = add_line(c, slice_cut(&text, '\n'), &err);

		if (rc == SA_ERR_NOMEM)
			return rc;
		if (rc < 0) {
			sa_wrap(&err, rc, "%s:%u", name, number);
			trusted_report(skip, ctx, err.msg);
		}
	}
	return 0;
}

/* SA_ERR_NOMEM, or another code when the file is to be skipped. */
static int load_file(const struct loader *l, int dirfd, const char *dir, const char *name,
		     unsigned owner_uid, struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0}, path = {0};
	int rc;

	buf_init(&text, CAS_MAX_FILE + 1);
	buf_init(&path, 2 * PATH_MAX);
	buf_printf(&path, "%s/%s", dir, name);
	if (path.failed)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	rc = trusted_read(dirfd, name, owner_uid, CAS_MAX_FILE, &text, err);
	if (rc == SA_ERR_NOTFOUND)
		return 0; /* gone since the directory was listed */
	if (rc < 0)
		return sa_wrap(err, rc, "%s", buf_cstr(&path));
	return cas_parse(buf_cstr(&path), buf_slice(&text), l->out, l->skip, l->ctx);
}

static int load_dir(const struct loader *l, const char *dir, unsigned owner_uid, struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(trusted_names_free) struct trusted_names names = {0};
	int rc;

	if ((rc = trusted_dir_open(dir, owner_uid, &fd, err)) < 0 ||
	    (rc = trusted_dir_names(fd, ".pub", CAS_MAX_FILES, &names, err)) < 0)
		return rc;
	for (size_t i = 0; i < names.len; i++) {
		struct sa_err why = {0};

		rc = load_file(l, fd, dir, names.items[i], owner_uid, &why);
		if (rc == SA_ERR_NOMEM)
			return rc;
		if (rc < 0)
			trusted_report(l->skip, l->ctx, why.msg);
	}
	if (names.more)
		return sa_fail(err, SA_ERR_TOOBIG, "more than %d files: the rest is not read",
			       CAS_MAX_FILES);
	return 0;
}

int cas_load(const char *dir, unsigned owner_uid, struct cas *out, grants_skip_fn skip, void *ctx)
{
	struct cas all = {0};
	struct loader l = {.out = &all, .skip = skip, .ctx = ctx};
	struct sa_err err = {0};
	int rc = load_dir(&l, dir, owner_uid, &err);

	if (rc == SA_ERR_NOMEM) {
		cas_free(&all);
		return rc;
	}
	if (rc < 0 && rc != SA_ERR_NOTFOUND) {
		sa_wrap(&err, rc, "%s", dir);
		trusted_report(skip, ctx, err.msg);
	}
	*out = all;
	return 0;
}
