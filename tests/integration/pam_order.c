/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * pam_stack against libpam itself: what it says may pass our line over does, and nothing else.
 * Each stack is read by us, and run by libpam with pam_echo.so in our place. Needs no root.
 */
#include "config.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/access/pam_stack.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

/* Since Linux-PAM 1.4; without it there is no private directory of services. */
extern int pam_start_confdir(const char *service, const char *user, const struct pam_conv *conv,
			     const char *confdir, pam_handle_t **pamh) __attribute__((weak));

static char dir[] = "/tmp/pam_order-XXXXXX";

/* In the place of $: the rest of our line; of ~: the directory. Older libpam does not look for
 * included files in a private directory, so they are named whole. */
static void put(const char *name, const char *text, const char *ours)
{
	char path[64];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		tap_ok(false, "put %s", path);
	for (; f && *text; text++) {
		if (*text == '$')
			fputs(ours, f);
		else if (*text == '~')
			fputs(dir, f);
		else
			fputc(*text, f);
	}
}

#define P "session required pam_permit.so\n"
#define US "session required $\n"

struct stack {
	const char *name, *text;
};

static const struct stack stacks[] = {
	{"alone", US},
	{"required before", P US},
	{"requisite before", "session requisite pam_permit.so\n" US},
	{"sufficient before", "session sufficient pam_permit.so\n" US},
	{"optional before", "session optional pam_permit.so\n" US},
	{"done", "session [success=done default=bad] pam_permit.so\n" US},
	{"a jump over us", "session [default=1] pam_permit.so\n" US P},
	{"a jump in front of us", "session [default=1] pam_permit.so\n" P US},
	{"a jump by success", "session [success=2 default=ignore] pam_permit.so\n" P US P},
	{"a substack", "session substack ~/quick\n" US},
	{"an include", "session include ~/quick\n" US},
	{"a substack that jumps", "session substack ~/jumps\n" US P},
	{"an include that jumps", "session include ~/jumps\n" US P},
	{"a jump over a substack",
	 "session [default=1] pam_permit.so\nsession substack ~/quick\n" US},
	{"a jump over a substack and us",
	 "session [default=2] pam_permit.so\nsession substack ~/quick\n" US P},
	{"a jump over an include and us",
	 "session [default=3] pam_permit.so\nsession include ~/quick\n" US P},
	{"we in an include", "session include ~/ours\n"},
	{"we in a substack", P "session substack ~/ours\n"},
	{"we behind a sufficient in a substack", "session substack ~/late\n"},
	{"a substack in a substack", "session substack ~/outer\n" US},
	{"a jump from a substack in a substack", "session substack ~/inner\n" P},
	{"continued lines", "session [ success = ok \\\n  default = bad ] \\\n $\n"},
	{"upper case", "SESSION Required $\n"},
	{"a comment with a backslash", "# x \\\n" US},
	{"a comment behind", "session sufficient # pam_permit.so\n" P US},
	{"another type", "auth sufficient pam_permit.so\n" US},
	{"a dash", "-session sufficient pam_permit.so\n" US},
	{"no blank at all", "session\tsufficient\tpam_permit.so\n" US},
};

static int hear(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	*resp = calloc((size_t)n, sizeof(**resp));
	for (int i = 0; i < n; i++)
		*(int *)data += strstr(msg[i]->msg, "here we are") != NULL;
	return *resp ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* Whether libpam came to our line. */
static bool libpam_reaches(const char *name)
{
	int heard = 0;
	struct pam_conv conv = {hear, &heard};
	pam_handle_t *pamh = NULL;

	if (pam_start_confdir("case", "root", &conv, dir, &pamh) != PAM_SUCCESS) {
		tap_ok(false, "%s: libpam reads it", name);
		return false;
	}
	pam_open_session(pamh, 0);
	pam_end(pamh, PAM_SUCCESS);
	return heard > 0;
}

static void put_all(const char *text, const char *ours)
{
	put("quick", "session sufficient pam_permit.so\nsession required pam_deny.so\n", ours);
	put("jumps", "session [default=1] pam_permit.so\n", ours);
	put("ours", US, ours);
	put("late", "session sufficient pam_permit.so\n" US, ours);
	put("outer", "session substack ~/quick\nsession [default=1] pam_permit.so\n" P P, ours);
	put("inner", "session substack ~/jumps\n" US, ours);
	put("case", text, ours);
}

static void check(const struct stack *c)
{
	struct pam_stack s;
	struct sa_err err = {0};

	put_all(c->text, "pam_sessaudit.so");
	if (!tap_int(pam_stack_read(dir, "case", &s, &err), 0, "%s: read %s", c->name, err.msg))
		return;
	put_all(c->text, "pam_echo.so here we are");
	tap_int(s.has_session && !(s.findings & PAM_STACK_SKIPPED), libpam_reaches(c->name),
		"%s: as libpam does it", c->name);
}

int main(void)
{
	static const char *const files[] = {"quick", "jumps", "ours", "late",
					    "outer", "inner", "case"};
	char path[64];

	if (!pam_start_confdir) {
		tap_skip("this libpam has no pam_start_confdir", "the order of a PAM stack");
		return tap_done();
	}
	if (!mkdtemp(dir))
		return 99;
	for (size_t i = 0; i < ARRAY_LEN(stacks); i++)
		check(&stacks[i]);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	tap_int(rmdir(dir), 0, "nothing is left behind");
	return tap_done();
}
