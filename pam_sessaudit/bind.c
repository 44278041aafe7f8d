/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libaudit.h> /* AUDIT_TRUSTED_APP; nothing of the library */
#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

#include "common/access/match.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "pam_sessaudit/bind.h"

/* Lines one login may write about grants: a directory full of broken files must not flood the log.
 */
#define MAX_COMPLAINTS 16
#define EXE_MAX 512

struct complaints {
	pam_handle_t *pamh;
	unsigned count;
};

static void complain(void *ctx, const char *message)
{
	struct complaints *c = ctx;

	if (c->count++ < MAX_COMPLAINTS)
		pam_syslog(c->pamh, LOG_WARNING, "grant skipped: %s", message);
}

/* Grants that are this user's and do not fit: the first one is for the line about the login. */
static void note_misfits(struct complaints *c, const struct grants *grants,
			 const struct match_login *facts, bool debug, struct bind *out)
{
	for (size_t i = 0; i < grants->len; i++) {
		const struct grant *g = grants->items[i];
		enum match_reason r = match_one(g, facts);

		if (debug)
			pam_syslog(c->pamh, LOG_DEBUG, "grant %s: %s", g->file,
				   match_reason_text(r));
		if (r == MATCH_OK || r == MATCH_USER)
			continue;
		if (out->near[0] == 0)
			snprintf(out->near, sizeof(out->near), "%.180s: %s", g->file,
				 match_reason_text(r));
		if (r == MATCH_CRITERION && c->count++ < MAX_COMPLAINTS)
			pam_syslog(c->pamh, LOG_NOTICE, "grant %s: %s", g->file,
				   match_reason_text(r));
	}
}

/* The directories as a NULL-ended list; caller frees the list alone. */
static const char **grant_dirs(const struct conf_list *configured)
{
	static const char *const defaults[] = {"/etc/sessaudit/grants.d",
					       "/run/sessaudit/grants.d"};
	size_t n = configured->len > 0 ? configured->len : ARRAY_LEN(defaults);
	const char **dirs = calloc(n + 1, sizeof(*dirs));

	for (size_t i = 0; dirs && i < n; i++)
		dirs[i] = configured->len > 0 ? configured->items[i] : defaults[i];
	return dirs;
}

static void match(pam_handle_t *pamh, const struct settings *settings, const struct login *login,
		  bool debug, struct bind *out)
{
	_cleanup_free_ const char **dirs = grant_dirs(&settings->pam_grants_dir);
	_cleanup_(grants_free) struct grants grants = {0};
	struct complaints c = {.pamh = pamh};
	struct match_login facts = {.user = login->user,
				    .service = login->service,
				    .host = login->host,
				    .source = login->source,
				    .now_ms = clock_real_ms()};

	if (!dirs || grants_load(dirs, 0, &grants, complain, &c) < 0 ||
	    match_login(&grants, &facts, &out->file.tag.access) < 0) {
		pam_syslog(pamh, LOG_ERR, "out of memory while reading grants: unapproved");
		return;
	}
	note_misfits(&c, &grants, &facts, debug, out);
	if (c.count > MAX_COMPLAINTS)
		pam_syslog(pamh, LOG_WARNING, "%u more lines about grants left out",
			   c.count - MAX_COMPLAINTS);
}

/* Text of PAM as valid UTF-8, NULL when absent or out of memory. */
static char *utf8_dup(const char *text)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, ACCESS_MAX_FIELD);
	if (!text || !*text)
		return NULL;
	escape_to_utf8(&b, slice_of(text));
	return b.failed ? NULL : slice_dup(buf_slice(&b));
}

static void fill(const struct login *login, struct tagfile *t)
{
	t->ses = login->ses;
	t->auid = login->auid;
	t->pid = (int32_t)getpid();
	memcpy(t->boot_id, login->boot_id, sizeof(t->boot_id));
	t->time_ms = clock_real_ms();
	t->tag.user = utf8_dup(login->user);
	t->tag.service = utf8_dup(login->service);
	t->tag.source = utf8_dup(login->source);
	t->tag.terminal = utf8_dup(login->terminal);
}

/* pam_limits may have lowered the file size limit before us, and writing beyond it is a deadly
 * signal for the program that we live in. Gives the limit to put back. */
static int lift_size_limit(struct rlimit *old, struct sa_err *err)
{
	struct rlimit lifted;

	if (getrlimit(RLIMIT_FSIZE, old) < 0)
		return sa_fail_errno(err, "getrlimit");
	if (old->rlim_cur >= TAGFILE_MAX_BYTES)
		return 0;
	lifted.rlim_cur = TAGFILE_MAX_BYTES;
	lifted.rlim_max = old->rlim_max > TAGFILE_MAX_BYTES ? old->rlim_max : TAGFILE_MAX_BYTES;
	if (setrlimit(RLIMIT_FSIZE, &lifted) < 0)
		return sa_fail_errno(err, "file size limit");
	return 0;
}

static int write_file(const char *run_dir, const char *ses_dir, const struct tagfile *t,
		      struct sa_err *err)
{
	struct rlimit limit;
	int rc;

	/* Normally there since boot, by tmpfiles.d and with the collector's group. */
	if ((rc = fdio_mkdirs(AT_FDCWD, run_dir, 0755, err)) < 0 ||
	    (rc = fdio_mkdirs(AT_FDCWD, ses_dir, 0750, err)) < 0 ||
	    (rc = lift_size_limit(&limit, err)) < 0)
		return rc;
	rc = tagfile_write(ses_dir, t, err);
	setrlimit(RLIMIT_FSIZE, &limit);
	return rc;
}

/* True when an outer service of this very session, since this boot, left its context. */
static bool inherit(pam_handle_t *pamh, const char *ses_dir, const struct login *login,
		    struct bind *out)
{
	struct sa_err err = {0};
	int rc = tagfile_read(ses_dir, login->ses, 0, &out->file, &err);

	if (rc < 0 && rc != SA_ERR_NOTFOUND)
		pam_syslog(pamh, LOG_WARNING, "tag file not believed: %s", err.msg);
	if (rc < 0)
		return false;
	if (out->file.auid == login->auid && login->boot_id[0] &&
	    strcmp(out->file.boot_id, login->boot_id) == 0)
		return true;
	tagfile_free(&out->file);
	return false;
}

void bind_find(pam_handle_t *pamh, const struct settings *settings, const struct login *login,
	       bool debug, struct bind *out)
{
	_cleanup_buf_ struct buf ses_dir = {0};
	struct sa_err err = {0};

	*out = (struct bind){0};
	buf_init(&ses_dir, PATH_MAX);
	buf_printf(&ses_dir, "%s/ses", settings->agent_run_dir);
	if (inherit(pamh, buf_cstr(&ses_dir), login, out)) {
		out->inherited = true;
		return;
	}
	match(pamh, settings, login, debug, out);
	fill(login, &out->file);
	if (write_file(settings->agent_run_dir, buf_cstr(&ses_dir), &out->file, &err) < 0)
		pam_syslog(pamh, LOG_ERR, "tag file not written: %s", err.msg);
}

/* As it stands bare in a record; what could be taken for another field is not said. */
static const char *bare(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	return n > 0 && n <= 64 &&
			       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789._:@/+,-") == n
		       ? text
		       : "?";
}

/* What libaudit's audit_log_user_message puts after a message. */
static void put_tail(struct buf *out, const struct tag *t)
{
	char exe[EXE_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));

	buf_puts(out, " exe=");
	if (n > 0 && (size_t)n < sizeof(exe))
		tag_put_value(out, (struct slice){exe, (size_t)n});
	else
		buf_putc(out, '?');
	buf_printf(out, " hostname=%s addr=%s terminal=%s res=success", bare(t->source),
		   bare(t->source), bare(t->terminal));
}

int bind_send(struct netlink *nl, const struct bind *b)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, TAG_MAX_BYTES + 4 * EXE_MAX);
	if (b->inherited)
		return 0;
	if (tag_encode(&b->file.tag, &text) < 0)
		return -ENOMEM;
	put_tail(&text, &b->file.tag);
	buf_putc(&text, 0);
	if (text.failed)
		return -ENOMEM;
	return netlink_user_message(nl, AUDIT_TRUSTED_APP, text.data);
}

void bind_free(struct bind *b)
{
	tagfile_free(&b->file);
}
