/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/pam_check.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/test_pam_check-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0)
		tap_ok(false, "put %s", path);
}

/* What is logged, which goes to stderr. */
static void check_log(const char *name, const char *from, const struct settings *s,
		      const char *want)
{
	char got[2048] = "", path[128];
	FILE *f;
	int old = dup(STDERR_FILENO);
	size_t n;

	snprintf(path, sizeof(path), "%s/../test_pam_check-%d.log", dir, (int)getpid());
	f = fopen(path, "w+e");
	if (old < 0 || !f || dup2(fileno(f), STDERR_FILENO) < 0) {
		tap_ok(false, "%s: stderr into a file", name);
		return;
	}
	pam_check_log(from, s);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = 0;
	fclose(f);
	unlink(path);
	tap_str(got, want, "%s", name);
}

int main(void)
{
	char want[1024];
	struct settings s = {0};
	struct sa_err err = {0};

	unsetenv("JOURNAL_STREAM");
	if (!mkdtemp(dir))
		return 99;
	log_init("test", LOG_LEVEL_INFO);
	tap_int(settings_parse("conf", SLICE_LIT(""), &s, &err), 0, "settings %s", err.msg);
	put("sshd", "session required pam_loginuid.so\nsession required pam_sessaudit.so\n");
	check_log("a good stack: nothing", dir, &s, "");
	put("sshd", "session required pam_env.so user_readenv=1\n"
		    "session optional pam_sessaudit.so\n");
	snprintf(want, sizeof(want),
		 "test: warning: event=pam-order service=sshd where=%s/sshd:2 advice=\"%s\"\n"
		 "test: warning: event=pam-order service=sshd where=%s/sshd:2 advice=\"%s\"\n",
		 dir, pam_stack_advice(PAM_STACK_NO_LOGINUID), dir,
		 pam_stack_advice(PAM_STACK_AFTER_ENV));
	check_log("a bad stack: one line a finding", dir, &s, want);
	put("sshd", "session required pam_loginuid.so\n");
	check_log("no line of ours: nothing", dir, &s, "");
	check_log(
		"no directory", "/nonexistent", &s,
		"test: event=pam-order reason=\"open /nonexistent: No such file or directory\"\n");
	settings_free(&s);
	snprintf(want, sizeof(want), "%s/sshd", dir);
	unlink(want);
	tap_int(rmdir(dir), 0, "nothing is left behind");
	return tap_done();
}
