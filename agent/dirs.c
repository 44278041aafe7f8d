/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/privdrop.h"
#include "agent/redact_key.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/log.h"

struct dirs_owner {
	uid_t uid;
	gid_t gid;
	bool set; /* we are root: owner and mode are put right */
};

/* chown first: it clears the set-group-ID bit. */
static int dirs_own(int fd, const char *name, mode_t mode, struct dirs_owner o, struct sa_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return sa_fail_errno(err, "stat directory %s", name);
	if ((st.st_uid != o.uid || st.st_gid != o.gid) && fchown(fd, o.uid, o.gid) != 0)
		return sa_fail_errno(err, "change the owner of directory %s", name);
	if (fchmod(fd, mode) != 0)
		return sa_fail_errno(err, "change the mode of directory %s", name);
	return 0;
}

/* Makes or takes parent/name; the descriptor comes out through *out unless out is NULL. */
static int dirs_sub(int parent, const char *name, mode_t mode, struct dirs_owner o, int *out,
		    struct sa_err *err)
{
	_cleanup_close_ int fd = -1;
	int rc;

	if (mkdirat(parent, name, mode) != 0 && errno != EEXIST)
		return sa_fail_errno(err, "create directory %s", name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return sa_fail_errno(err, "open directory %s", name);
	if (o.set && (rc = dirs_own(fd, name, mode, o, err)) != 0)
		return rc;
	if (out)
		*out = TAKE_FD(fd);
	return 0;
}

/* The same for an absolute path; what is above it is made with 0755 and left alone otherwise. */
static int dirs_top(const char *path, mode_t mode, struct dirs_owner o, int *out,
		    struct sa_err *err)
{
	_cleanup_free_ char *above = strdup(path), *last = strdup(path);
	_cleanup_close_ int parent = -1;
	const char *dir;
	int rc;

	if (!above || !last)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	dir = dirname(above); /* POSIX: may write into its argument */
	if (access(dir, F_OK) != 0 && (rc = fdio_mkdirs(AT_FDCWD, dir, 0755, err)) != 0)
		return rc;
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return sa_fail_errno(err, "open directory %s", dir);
	rc = dirs_sub(parent, basename(last), mode, o, out, err);
	return rc ? sa_wrap(err, rc, "%s", path) : 0;
}

/* A tag file from before this directory had its group: the collector must read it. Only files that
 * root owns and that have no second name: the collector can write here and must not gain others. */
static void dirs_regroup(int dir, gid_t gid)
{
	_cleanup_closedir_ DIR *list = NULL;
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	struct stat st;

	if (copy < 0)
		return;
	list = fdopendir(copy);
	if (!list) {
		close(copy);
		return;
	}
	while ((e = readdir(list)) != NULL) {
		_cleanup_close_ int fd =
			openat(dir, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		    st.st_nlink == 1 && st.st_gid != gid)
			(void)!fchown(fd, (uid_t)-1, gid);
	}
}

/* Whoever can write into grants.d without the sticky bit could replace the admin's grants. Without
 * a broker nobody but root can; grants that one brought before stay until they expire. */
static int dirs_grants(int run, const struct settings *s, bool set, struct sa_err *err)
{
	struct dirs_owner grants = {0, 0, set}, own = {0, 0, set};
	bool broker = s->broker_url && *s->broker_url;
	int rc;

	if (broker && set &&
	    (rc = privdrop_lookup(s->agent_grant_user, &own.uid, &own.gid, err)) != 0)
		return rc;
	grants.gid = own.gid;
	rc = dirs_sub(run, "grants.d", broker ? 01775 : 0755, grants, NULL, err);
	return rc == 0 && broker ? dirs_sub(run, "grantd", 0755, own, NULL, err) : rc;
}

static int dirs_run(const struct settings *s, struct dirs_owner user, struct dirs_owner ship,
		    struct sa_err *err)
{
	struct dirs_owner root = {0, 0, user.set}, ses_owner = {0, user.gid, user.set};
	_cleanup_close_ int run = -1, ses = -1;
	int rc;

	if ((rc = dirs_top(s->agent_run_dir, 0755, root, &run, err)) != 0 ||
	    (rc = dirs_sub(run, "ses", 02770, ses_owner, &ses, err)) != 0 ||
	    (rc = dirs_sub(run, "ship", 0755, ship, NULL, err)) != 0 ||
	    (rc = dirs_sub(run, "collect", 0755, user, NULL, err)) != 0 ||
	    (rc = dirs_grants(run, s, user.set, err)) != 0)
		return rc;
	if (user.set)
		dirs_regroup(ses, user.gid);
	return 0;
}

/* The spool belongs to a role: only what is a FIFO with no second name is given away. */
static int dirs_own_fifo(int spool, struct dirs_owner o, struct sa_err *err)
{
	/* Non-blocking: does not wait for a writer. */
	_cleanup_close_ int fd =
		openat(spool, "news", O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return sa_fail_errno(err, "open FIFO news");
	if (!S_ISFIFO(st.st_mode) || st.st_nlink != 1)
		return sa_fail(err, SA_ERR_INVALID, "news is not a FIFO of its own");
	if (fchown(fd, o.uid, o.gid) != 0 || fchmod(fd, 0640) != 0)
		return sa_fail_errno(err, "change owner and mode of FIFO news");
	return 0;
}

static int dirs_fifo(int spool, struct dirs_owner o, struct sa_err *err)
{
	struct stat st;

	if (fstatat(spool, "news", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (!S_ISFIFO(st.st_mode) || st.st_nlink != 1) &&
	    unlinkat(spool, "news", S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) != 0)
		return sa_fail_errno(err, "remove news, which is not a FIFO of its own");
	if (mkfifoat(spool, "news", 0640) != 0 && errno != EEXIST)
		return sa_fail_errno(err, "create FIFO news");
	return o.set ? dirs_own_fifo(spool, o, err) : 0;
}

/* Only hints go through it, so whatever is wrong with it must not stop the recording. */
static void dirs_news(int spool, struct dirs_owner o)
{
	struct sa_err err = {0};

	if (dirs_fifo(spool, o, &err) != 0)
		log_warn("event=news-missing reason=\"%s\"", err.msg);
}

static int dirs_spool(const struct settings *s, struct dirs_owner user, struct dirs_owner ship,
		      struct sa_err *err)
{
	struct dirs_owner both = {user.uid, ship.gid, user.set};
	const struct {
		const char *name;
		mode_t mode;
		struct dirs_owner owner;
	} subs[] = {
		{"open", 02700, both},       {"state", 0700, user}, {"tmp", 02700, both},
		{"ready", 02770, both},      {"sent", 02770, both}, {"ship", 0700, ship},
		{"quarantine", 02770, both},
	};
	_cleanup_close_ int spool = -1;
	int rc = dirs_top(s->spool_dir, 0750, both, &spool, err);

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(subs); i++)
		rc = dirs_sub(spool, subs[i].name, subs[i].mode, subs[i].owner, NULL, err);
	if (rc != 0)
		return sa_wrap(err, rc, "spool");
	dirs_news(spool, both);
	return 0;
}

/* A store that cannot be made yet (a mount that is missing, say) must not stop the recording: the
 * shipper goes on trying. */
static void dirs_store(const struct settings *s, struct dirs_owner ship)
{
	struct sa_err err = {0};
	struct stat st;

	if (strcmp(s->store_type, "dir") != 0 || stat(s->store_dir, &st) == 0)
		return;
	if (dirs_top(s->store_dir, 0750, ship, NULL, &err) != 0)
		log_warn("event=store-missing reason=\"%s\"", err.msg);
}

/* It lies in a directory of root's. The collector goes on without it, with a key of its own. */
static void dirs_key(const struct settings *s, struct dirs_owner user)
{
	const char *path = s->redact_key_file;
	struct sa_err err = {0};

	if (s->redact_enable && (user.set ? redact_key_own(path, user.uid, user.gid, &err)
					  : redact_key_make(path, &err)) != 0)
		log_warn("event=redact_key reason=\"%s\"", err.msg);
}

int dirs_make(const struct settings *s, struct sa_err *err)
{
	bool set = geteuid() == 0;
	struct dirs_owner user = {0, 0, set}, ship = {0, 0, set};
	int rc;

	if (set && ((rc = privdrop_lookup(s->agent_user, &user.uid, &user.gid, err)) != 0 ||
		    (rc = privdrop_lookup(s->agent_ship_user, &ship.uid, &ship.gid, err)) != 0))
		return rc;
	if ((rc = dirs_run(s, user, ship, err)) != 0 || (rc = dirs_spool(s, user, ship, err)) != 0)
		return rc;
	dirs_store(s, ship);
	dirs_key(s, user);
	return 0;
}
