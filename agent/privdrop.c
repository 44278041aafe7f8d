/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/privdrop.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

int privdrop_lookup(const char *user, uid_t *uid, gid_t *gid, struct sa_err *err)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw && errno != 0 && errno != ENOENT && errno != ESRCH)
		return sa_fail_errno(err, "look up user %s", user);
	if (!pw)
		return sa_fail(
			err, SA_ERR_NOTFOUND,
			"user %s does not exist: run systemd-sysusers (the package brings "
			"sysusers.d/sessaudit.conf), or create it with `useradd --system "
			"--no-create-home --shell /usr/sbin/nologin %s`, or name another one "
			"under [agent] in the configuration",
			user, user);
	if (pw->pw_uid == 0)
		return sa_fail(err, SA_ERR_PERM, "user %s is root: the roles must not run as root",
			       user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static bool privdrop_keeps(const int *caps, size_t n_caps, int cap)
{
	for (size_t i = 0; i < n_caps; i++)
		if (caps[i] == cap)
			return true;
	return false;
}

/* Looks at what the kernel says now, not at what the calls before returned. */
static int privdrop_check(uid_t uid, gid_t gid, const int *caps, size_t n_caps, struct sa_err *err)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid ||
	    getresgid(&gr, &ge, &gs) != 0 || gr != gid || ge != gid || gs != gid ||
	    getgroups(0, NULL) != 0)
		return sa_fail(err, SA_ERR_PERM, "dropping root: wrong user or groups afterwards");
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0)
		return sa_fail(err, SA_ERR_PERM, "dropping root: root could be regained");
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_get_caps_process() != 0)
		return sa_fail(err, SA_ERR_PERM, "dropping root: cannot read capabilities");
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		bool keep = privdrop_keeps(caps, n_caps, cap);
		unsigned c = (unsigned)cap;

		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0 ||
		    !!capng_have_capability(CAPNG_PERMITTED, c) != keep ||
		    !!capng_have_capability(CAPNG_EFFECTIVE, c) != keep ||
		    capng_have_capability(CAPNG_INHERITABLE, c))
			return sa_fail(err, SA_ERR_PERM, "dropping root: capability %d is %s", cap,
				       keep ? "missing or inheritable" : "still there");
	}
	return 0;
}

static int privdrop_change(const char *user, const int *caps, size_t n_caps, struct sa_err *err)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int rc;

	if ((rc = privdrop_lookup(user, &uid, &gid, err)) != 0)
		return rc;
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < n_caps; i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)caps[i]) !=
		    0)
			return sa_fail(err, SA_ERR_PERM, "capability %d: not known here", caps[i]);
	/* It keeps the named capabilities over the change of user and needs CAP_SETPCAP, CAP_SETUID
	 * and CAP_SETGID in between. */
	rc = capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (rc != 0)
		return sa_fail(err, SA_ERR_PERM,
			       "become user %s: libcap-ng error %d (the unit must leave the agent "
			       "CAP_SETUID, CAP_SETGID and CAP_SETPCAP)",
			       user, rc);
	return privdrop_check(uid, gid, caps, n_caps, err);
}

int privdrop(const char *user, const int *caps, size_t n_caps, struct sa_err *err)
{
	int death_signal = 0, rc;

	umask(0007);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return sa_fail_errno(err, "set no_new_privs");
	if (geteuid() != 0)
		return 0;
	/* The kernel forgets the parent-death signal when the user changes, prctl(2). */
	if (prctl(PR_GET_PDEATHSIG, &death_signal) != 0)
		return sa_fail_errno(err, "read the parent-death signal");
	if ((rc = privdrop_change(user, caps, n_caps, err)) != 0)
		return rc;
	if (prctl(PR_SET_PDEATHSIG, death_signal) != 0)
		return sa_fail_errno(err, "set the parent-death signal");
	return 0;
}
