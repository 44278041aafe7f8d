/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/privdrop.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

/* A line of /proc/self/status, the value only. */
static unsigned long long status_hex(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	unsigned long long v = ~0ULL;
	size_t n = strlen(name);
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			sscanf(line + n + 1, "%llx", &v);
	return v;
}

/* Runs in a child: each result must be 0; the first that is not is the exit status. */
static int dropped(const int *caps, size_t n_caps, unsigned long long want)
{
	gid_t groups[] = {0, 1, 2};
	struct sa_err err = {0};
	int sig = 0;

	if (setgroups(ARRAY_LEN(groups), groups) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return 1;
	if (privdrop("nobody", caps, n_caps, &err) != 0) {
		fprintf(stderr, "# %s\n", err.msg);
		return 2;
	}
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getgroups(0, NULL) != 0)
		return 3;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return 4;
	if (status_hex("CapEff") != want || status_hex("CapPrm") != want)
		return 5;
	if (status_hex("CapInh") != 0 || status_hex("CapBnd") != 0 || status_hex("CapAmb") != 0)
		return 6;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 7;
	if (umask(0) != 0007)
		return 8;
	if (prctl(PR_GET_PDEATHSIG, &sig) != 0 || sig != SIGKILL)
		return 9;
	return 0;
}

static int not_root(void)
{
	struct sa_err err = {0};

	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
		return 1;
	if (privdrop("no-such-user", NULL, 0, &err) != 0)
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || umask(0) != 0007)
		return 3;
	return 0;
}

static int bad_user(const char *user, int want)
{
	struct sa_err err = {0};
	int rc = privdrop(user, NULL, 0, &err);

	fprintf(stderr, "# %s\n", err.msg);
	return rc == want && geteuid() == 0 ? 0 : 1;
}

static const int audit_caps[] = {CAP_AUDIT_CONTROL, CAP_AUDIT_READ};

static int run_case(int i)
{
	switch (i) {
	case 0:
		return not_root();
	case 1:
		return dropped(NULL, 0, 0);
	case 2:
		return dropped(audit_caps, 2, 1ULL << CAP_AUDIT_CONTROL | 1ULL << CAP_AUDIT_READ);
	case 3:
		return bad_user("no-such-user", SA_ERR_NOTFOUND);
	default:
		return bad_user("root", SA_ERR_PERM);
	}
}

static int in_child(int i)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run_case(i));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static void test_lookup(void)
{
	struct sa_err err = {0};
	uid_t uid = 7;
	gid_t gid = 7;

	tap_int(privdrop_lookup("no-such-user", &uid, &gid, &err), SA_ERR_NOTFOUND, "missing user");
	tap_ok(strstr(err.msg, "systemd-sysusers") && strstr(err.msg, "useradd"),
	       "says what to do");
	tap_int(uid, 7, "the result is untouched");
	tap_int(privdrop_lookup("root", &uid, &gid, &err), SA_ERR_PERM, "root is refused");
	tap_int(privdrop_lookup("nobody", &uid, &gid, &err), 0, "a user");
	tap_ok(uid != 7 && uid != 0, "its uid");
}

int main(void)
{
	static const char *const names[] = {
		"not root: only no_new_privs and umask",
		"root: keeps no capability",
		"root: keeps two, effective",
		"root: a user that does not exist",
		"root: root itself is refused",
	};

	test_lookup();
	for (int i = 0; i < (int)ARRAY_LEN(names); i++)
		if (i > 0 && geteuid() != 0)
			tap_skip("needs root", names[i]);
		else
			tap_int(in_child(i), 0, "%s", names[i]);
	return tap_done();
}
