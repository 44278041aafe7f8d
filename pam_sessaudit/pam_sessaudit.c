/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * The module's two entry points. Whatever happens here, the login goes on: in this
 * version neither function returns anything but PAM_SUCCESS. (PAM_IGNORE would do
 * as well, but a stack of nothing else would then be denied.)
 */

#define PAM_SM_SESSION

#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <syslog.h>

#include "common/escape.h"
#include "pam_sessaudit/bind.h"
#include "pam_sessaudit/login.h"
#include "pam_sessaudit/netlink.h"
#include "pam_sessaudit/options.h"
#include "pam_sessaudit/tty.h"

/* How the parts of one login went; codes are 0 or negative errno values. */
struct outcome {
	bool audit_off;
	int tag, tty;
};

static bool user_uid(void *ctx, const char *name, uid_t *out)
{
	const struct passwd *pw = pam_modutil_getpwnam(ctx, name);

	if (!pw)
		return false;
	*out = pw->pw_uid;
	return true;
}

static bool user_in_group(void *ctx, const char *name, const char *group)
{
	return pam_modutil_user_in_group_nam_nam(ctx, name, group) == 1;
}

static void report_option(void *ctx, const char *message)
{
	pam_syslog(ctx, LOG_ERR, "%s", message);
}

/* A broken file is said and then works like none. */
static void load(pam_handle_t *pamh, int argc, const char **argv, const struct login *login,
		 struct settings *settings, struct options *options)
{
	struct options_user user = {.name = login->user,
				    .uid = user_uid,
				    .in_group = user_in_group,
				    .report = report_option,
				    .ctx = pamh};
	struct sa_err err = {0};

	if (settings_load(options_config(argc, argv), settings, &err) < 0)
		pam_syslog(pamh, LOG_ERR, "%s: defaults are used", err.msg);
	options_resolve(argc, argv, settings, &user, options);
}

static const char *explain(int code)
{
	switch (-code) {
	case ECONNREFUSED:
	case EPERM:
		return "the kernel's audit is out of reach, as in a container";
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		return "no audit in this kernel, or this service may not use it";
	case EINVAL:
		return "this kernel does not know the request";
	case ETIMEDOUT:
		return "the kernel did not answer";
	default:
		return "audit netlink";
	}
}

static void add_reason(struct buf *out, const char *what, int code)
{
	errno = -code;
	buf_printf(out, "%s%s (%s: %m)", out->len ? "; " : "", what, explain(code));
}

/* One line, and only when something is missing. */
static void report_missing(pam_handle_t *pamh, const struct login *login, const struct outcome *o)
{
	_cleanup_buf_ struct buf why = {0};

	buf_init(&why, 2048);
	if (!login->has_session && o->tag == 0)
		buf_printf(&why,
			   "access context (no audit session id: in the session stack of \"%s\" "
			   "pam_loginuid must stand before pam_sessaudit)",
			   login->service);
	if (o->tag < 0 && o->tag == o->tty)
		add_reason(&why, "access context and keystrokes", o->tag);
	else {
		if (o->tag < 0)
			add_reason(&why, "access context", o->tag);
		if (o->tty < 0)
			add_reason(&why, "keystrokes", o->tty);
	}
	if (o->audit_off)
		buf_printf(&why,
			   "%scommands, keystrokes and access context (audit is off in the kernel: "
			   "enabled 0)",
			   why.len ? "; " : "");
	if (why.len > 0)
		pam_syslog(pamh, LOG_WARNING, "not recorded: %s", buf_cstr(&why));
}

static void put_requests(struct buf *out, const struct access *a)
{
	buf_printf(out, " status=%s request=%s", access_status_name(a->status),
		   a->request_id ? a->request_id : "");
	for (size_t i = 0; i < a->n_candidates; i++)
		buf_printf(out, "%s%s", i ? "," : "", a->candidates[i]);
	if (!a->request_id && a->n_candidates == 0)
		buf_putc(out, '-');
	if (a->grant_id)
		buf_printf(out, " grant=%s", a->grant_id);
}

static void report_login(pam_handle_t *pamh, const struct login *login, const struct bind *b,
			 const struct options *options)
{
	static const char *const tty[] = {"unchanged", "off", "on"};
	_cleanup_buf_ struct buf line = {0}, safe = {0};

	buf_init(&line, 32768);
	buf_init(&safe, 65536);
	if (options->quiet)
		return;
	buf_printf(&line, "user=%s", login->user);
	if (login->has_session)
		buf_printf(&line, " auid=%u ses=%u", login->auid, login->ses);
	else
		buf_puts(&line, " auid=unset ses=unset");
	put_requests(&line, &b->file.tag.access);
	if (b->inherited)
		buf_puts(&line, " inherited=yes");
	buf_printf(&line, " keystrokes=%s", tty[options->tty]);
	if (b->file.tag.access.status == ACCESS_UNAPPROVED && b->near[0])
		buf_printf(&line, " (%s)", b->near);
	escape_terminal(&safe, buf_slice(&line));
	pam_syslog(pamh, LOG_INFO, "%s", buf_cstr(&safe));
}

/* Everything that needs the kernel. */
static void record(pam_handle_t *pamh, const struct login *login, const struct options *options,
		   const struct bind *b, struct outcome *out)
{
	struct audit_status status;
	struct netlink nl;
	int rc = netlink_open(&nl);

	*out = (struct outcome){0};
	if (rc < 0) {
		out->tag = b->inherited ? 0 : rc;
		out->tty = options->tty != OPTIONS_TTY_LEAVE ? rc : 0;
		return;
	}
	rc = netlink_status(&nl, &status);
	out->audit_off = rc == 0 && status.enabled == 0;
	/* Also while audit is off: it may be switched on during the session. Out of reach is the
	 * better reason where pam_loginuid could not have made a session id either. */
	out->tag = login->has_session ? bind_send(&nl, b) : rc;
	out->tty = tty_set(pamh, &nl, options);
	netlink_close(&nl);
}

__attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t *pamh, int flags,
							       int argc, const char **argv)
{
	struct settings settings = {0};
	struct options options;
	struct outcome outcome;
	struct login login;
	struct bind b = {0};

	(void)flags;
	login_gather(pamh, &login);
	load(pamh, argc, argv, &login, &settings, &options);
	if (login.has_session)
		bind_find(pamh, &settings, &login, options.debug, &b);
	record(pamh, &login, &options, &b, &outcome);
	report_missing(pamh, &login, &outcome);
	report_login(pamh, &login, &b, &options);
	bind_free(&b);
	settings_free(&settings);
	return PAM_SUCCESS;
}

__attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t *pamh, int flags,
								int argc, const char **argv)
{
	struct netlink nl;
	int rc;

	(void)flags;
	(void)argc;
	(void)argv;
	if (!tty_saved(pamh))
		return PAM_SUCCESS;
	rc = netlink_open(&nl);
	if (rc == 0) {
		rc = tty_restore(pamh, &nl);
		netlink_close(&nl);
	}
	if (rc < 0) {
		errno = -rc;
		pam_syslog(pamh, LOG_WARNING, "TTY audit of this process not restored (%s: %m)",
			   explain(rc));
	}
	return PAM_SUCCESS;
}
