/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libaudit.h> /* AUDIT_TRUSTED_APP; nothing of the library */
#include <security/pam_ext.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "common/access/resolve.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/fdio.h"
#include "pam_sessaudit/bind.h"
#include "pam_sessaudit/nest.h"

/* Lines one login may write about grants: a directory full of broken files must not flood the log.
 */
#define MAX_COMPLAINTS 16
#define INDEX_NAME "grants.idx" /* in the run directory */
#define EXE_MAX 512

struct complaints {
	pam_handle_t *pamh;
	unsigned count;
};

static void complain(void *ctx, const char *message)
{
	struct complaints *c = ctx;

	if (c->count++ < MAX_COMPLAINTS)
		pam_syslog(c->pamh, LOG_WARNING, "skipped: %s", message);
}

static void show_grant(void *ctx, const struct grant *g, enum match_reason r)
{
	const struct complaints *c = ctx;
	_cleanup_buf_ struct buf safe = {0};

	buf_init(&safe, 2 * PATH_MAX);
	escape_terminal(&safe, slice_of(g->file));
	pam_syslog(c->pamh, LOG_DEBUG, "grant %s: %s", buf_cstr(&safe), match_reason_text(r));
}

static void match(const struct bind_setup *s, struct tagfile *out)
{
	const struct settings *settings = s->settings;
	const struct login *login = s->login;
	_cleanup_free_ const char **dirs = settings_grant_dirs(settings);
	_cleanup_buf_ struct buf index = {0};
	struct complaints c = {.pamh = s->pamh};
	struct resolved found = {0};
	struct resolve r = {
		.login = {.user = login->user,
			  .service = login->service,
			  .host = login->host,
			  .source = login->source,
			  .now_ms = clock_real_ms(),
			  .in_group = login_in_group,
			  .group_ctx = s->pamh},
		.auth_info = login->auth_info,
		.ca_dir = settings->pam_ca_dir,
		.grant_dirs = dirs,
		.signer_files = (const char *const *)settings->broker_keys.items,
		.n_signer_files = settings->broker_keys.len,
		.report = complain,
		.seen = s->debug ? show_grant : NULL,
		.ctx = &c,
	};

	buf_init(&index, PATH_MAX);
	buf_printf(&index, "%s/" INDEX_NAME, settings->agent_run_dir);
	/* The index leaves out grants of others, and debug shows all. */
	r.index_path = s->debug || !s->may_write || index.failed ? NULL : buf_cstr(&index);
	if (!dirs || resolve_login(&r, &found) < 0)
		pam_syslog(s->pamh, LOG_ERR, "out of memory while reading grants: unapproved");
	out->tag.access = found.access;
	out->grant_file = found.grant_file;
	if (c.count > MAX_COMPLAINTS)
		pam_syslog(s->pamh, LOG_WARNING, "%u more lines about grants left out",
			   c.count - MAX_COMPLAINTS);
}

static void fill(const struct login *login, struct tagfile *t)
{
	t->ses = login->ses;
	t->auid = login->auid;
	t->pid = (int32_t)getpid();
	memcpy(t->boot_id, login->boot_id, sizeof(t->boot_id));
	t->time_ms = clock_real_ms();
	access_set(&t->tag.user, slice_of(login->user));
	access_set(&t->tag.service, slice_of(login->service));
	access_set(&t->tag.source, slice_of(login->source));
	access_set(&t->tag.terminal, slice_of(login->terminal));
}

static void put_ses_dir(const struct settings *settings, struct buf *out)
{
	buf_init(out, PATH_MAX);
	buf_printf(out, "%s/ses", settings->agent_run_dir);
}

/* Normally there since boot, by tmpfiles.d and with the collector's group. What cannot be made is
 * reported when it is written to. */
static void make_dirs(const struct bind_setup *s)
{
	_cleanup_buf_ struct buf ses_dir = {0};

	put_ses_dir(s->settings, &ses_dir);
	if (!s->may_write || access(buf_cstr(&ses_dir), F_OK) == 0)
		return;
	if (fdio_mkdirs(AT_FDCWD, s->settings->agent_run_dir, 0755, NULL) == 0)
		fdio_mkdirs(AT_FDCWD, buf_cstr(&ses_dir), 0750, NULL);
}

/* Only now, since mostly there is no tag file and then no message is wanted. */
static void report_tag_file(const struct bind_setup *s, const char *ses_dir)
{
	_cleanup_(tagfile_free) struct tagfile t = {0};
	struct sa_err err = {0};

	if (tagfile_read(ses_dir, s->login->ses, 0, &t, &err) < 0)
		pam_syslog(s->pamh, LOG_WARNING, "tag file not believed: %s", err.msg);
}

/* What an outer service of this very session, since this boot, left: SA_ERR_NOTFOUND when there is
 * none, another code when it cannot be told. */
static int inherit(const struct bind_setup *s, struct tagfile *out)
{
	_cleanup_buf_ struct buf ses_dir = {0};
	int rc;

	if (!s->login->has_session)
		return SA_ERR_NOTFOUND;
	put_ses_dir(s->settings, &ses_dir);
	rc = tagfile_read(buf_cstr(&ses_dir), s->login->ses, 0, out, NULL);
	if (rc < 0 && rc != SA_ERR_NOTFOUND)
		report_tag_file(s, buf_cstr(&ses_dir));
	if (rc < 0)
		return rc;
	if (out->auid == s->login->auid && s->login->boot_id[0] &&
	    strcmp(out->boot_id, s->login->boot_id) == 0)
		return 0;
	tagfile_free(out); /* of an earlier boot or login that had the number */
	return SA_ERR_NOTFOUND;
}

static void recheck(const struct bind_setup *s, struct tagfile *t)
{
	const struct conf_list *keys = &s->settings->broker_keys;
	_cleanup_(signers_free) struct signers signers = {0};
	const struct grants_trust trust = {.signers = &signers};
	struct sa_err err = {0};

	if (t->grant_file && keys->len > 0 &&
	    signers_load((const char *const *)keys->items, keys->len, 0, &signers, &err) < 0)
		pam_syslog(s->pamh, LOG_WARNING, "broker keys: %s", err.msg);
	if (nest_recheck(t, &trust, clock_real_ms(), &err) < 0)
		pam_syslog(s->pamh, LOG_WARNING, "grant of this session not believed: %s", err.msg);
}

/* In a session of someone who is not known to have logged in. Never matched: the request of whom
 * they become is not theirs. */
static void find_stray(const struct bind_setup *s, const char *why, struct bind *out)
{
	struct tag *t = &out->file.tag;

	out->kind = nest_is_again(s->pamh, &out->file, s->login) ? BIND_AGAIN : BIND_NESTED;
	nest_name(s->pamh, s->login->asker, NULL, &out->owner);
	access_set(&t->access.reason, slice_of(why));
	access_set(&t->source, slice_of(s->login->source));
	nest_describe(s->pamh, s->login, t);
}

static void find_inherited(const struct bind_setup *s, struct bind *out)
{
	bool again = nest_is_again(s->pamh, &out->file, s->login);

	if (s->login->is_ssh && !again) { /* sshd never makes one user of the other */
		tagfile_free(&out->file);
		find_stray(s, "no session of its own: pam_loginuid must stand before pam_sessaudit",
			   out);
		return;
	}
	access_set(&out->owner, slice_of(out->file.tag.user));
	out->kind = again ? BIND_AGAIN : BIND_NESTED;
	recheck(s, &out->file);
	if (out->kind == BIND_NESTED)
		nest_describe(s->pamh, s->login, &out->file.tag);
}

void bind_find(const struct bind_setup *s, struct bind *out)
{
	int rc;

	*out = (struct bind){.kind = BIND_NEW};
	buf_init(&out->text, TAG_MAX_BYTES + 4 * EXE_MAX);
	rc = inherit(s, &out->file);
	if (rc == 0) {
		find_inherited(s, out);
	} else if (rc == SA_ERR_IO || rc == SA_ERR_NOMEM || rc == SA_ERR_AGAIN) {
		/* There may be one: in su a user decides how many files can be opened. */
		find_stray(s, "the tag file of this session cannot be read", out);
	} else if (!nest_is_login(s->pamh, s->login)) {
		find_stray(s, "no tag of this session", out);
	} else {
		access_set(&out->owner, slice_of(s->login->user));
		make_dirs(s);
		match(s, &out->file);
		fill(s->login, &out->file);
	}
}

void bind_write(const struct bind_setup *s, const struct bind *b)
{
	_cleanup_buf_ struct buf ses_dir = {0};
	struct sa_err err = {0};
	int rc;

	if (b->kind != BIND_NEW || !s->login->has_session)
		return;
	put_ses_dir(s->settings, &ses_dir);
	if (s->may_write)
		rc = tagfile_write(buf_cstr(&ses_dir), &b->file, &err);
	else
		rc = sa_fail(&err, SA_ERR_PERM, "file size limit too low");
	if (rc < 0)
		pam_syslog(s->pamh, LOG_ERR, "tag file not written: %s", err.msg);
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
	buf_printf(out, " hostname=%s addr=%s terminal=%s res=%s", bare(t->source), bare(t->source),
		   bare(t->terminal),
		   t->access.policy == ACCESS_POLICY_DENIED ? "failed" : "success");
}

void bind_send(const struct bind_setup *s, struct netlink *nl, struct bind *b)
{
	if (b->kind == BIND_AGAIN || !s->login->has_session)
		return;
	b->sent.rc = -ENOMEM;
	if (tag_encode(&b->file.tag, &b->text) < 0)
		return;
	put_tail(&b->text, &b->file.tag);
	buf_putc(&b->text, 0);
	if (b->text.failed)
		return;
	b->sent = netlink_user_message(AUDIT_TRUSTED_APP, b->text.data);
	netlink_send(nl, &b->sent);
	nest_remember(s->pamh);
}

int bind_result(const struct bind *b)
{
	return b->sent.rc;
}

void bind_free(struct bind *b)
{
	tagfile_free(&b->file);
	free(b->owner);
	buf_free(&b->text);
}
