/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include "common/escape.h"
#include "pam_sessaudit/report.h"

const char *report_explain(int code)
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
	buf_printf(out, "%s%s (%s: %m)", out->len ? "; " : "", what, report_explain(code));
}

void report_missing(pam_handle_t *pamh, const struct login *login, const struct outcome *o)
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

static void put_session(struct buf *out, const struct login *login)
{
	buf_printf(out, "user=%s", login->user);
	if (login->has_session)
		buf_printf(out, " auid=%u ses=%u", login->auid, login->ses);
	else
		buf_puts(out, " auid=unset ses=unset");
}

static void put_access(struct buf *out, const struct access *a)
{
	buf_printf(out, " status=%s request=%s", access_status_name(a->status),
		   a->request_id ? a->request_id : "");
	for (size_t i = 0; i < a->n_candidates; i++)
		buf_printf(out, "%s%s", i ? "," : "", a->candidates[i]);
	if (!a->request_id && a->n_candidates == 0)
		buf_putc(out, '-');
	if (a->grant_id)
		buf_printf(out, " grant=%s", a->grant_id);
	if (a->policy != ACCESS_POLICY_NONE)
		buf_printf(out, " policy=%s", access_policy_name(a->policy));
}

void report_login(pam_handle_t *pamh, const struct login *login, const struct bind *b,
		  const struct options *options)
{
	static const char *const tty[] = {"unchanged", "off", "on"};
	const struct tag *t = &b->file.tag;
	_cleanup_buf_ struct buf line = {0}, safe = {0};

	buf_init(&line, 32768);
	buf_init(&safe, 65536);
	if (options->quiet)
		return;
	put_session(&line, login);
	put_access(&line, &t->access);
	if (b->kind != BIND_NEW)
		buf_puts(&line, " inherited=yes");
	if (b->kind == BIND_NESTED)
		buf_printf(&line, " from=%s", t->from ? t->from : "?");
	buf_printf(&line, " keystrokes=%s",
		   t->access.policy == ACCESS_POLICY_DENIED ? tty[0] : tty[options->tty]);
	if (t->access.status == ACCESS_UNAPPROVED && t->access.reason)
		buf_printf(&line, " (%s)", t->access.reason);
	escape_terminal(&safe, buf_slice(&line));
	pam_syslog(pamh, LOG_INFO, "%s", buf_cstr(&safe));
}
