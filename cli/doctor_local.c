/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define STATUS_MAX 65536
#define WAITING_WARN_S 300
#define WAITING_FAIL_S 3600
#define DEPTH_MAX 20 /* of the spool's directories */

void doctor_status_read(const struct settings *s, const char *dir, const char *schema,
			struct doctor_status_file *out)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct buf text = {0};
	struct sa_err err = {0};
	int rc;

	*out = (struct doctor_status_file){.why = "out of memory"};
	buf_init(&text, STATUS_MAX);
	if (asprintf(&path, "%s/%s/status.json", s->agent_run_dir, dir) < 0) {
		path = NULL;
		return;
	}
	rc = fdio_read_file(AT_FDCWD, path, STATUS_MAX, &text, &err);
	out->why = rc == SA_ERR_PERM ? "its status is not ours to read: run this as root"
		   : rc != 0         ? "it has left no status: is sessauditd running?"
				     : "its status cannot be understood: is it of this version?";
	if (rc != 0 || json_parse(text.data, text.len, &out->json, NULL) != 0)
		return;
	if (!slice_is(json_get_str(out->json, "schema"), schema) ||
	    clock_parse_utc(json_get_str(out->json, "time"), &out->time_ms) != 0) {
		json_free(out->json);
		out->json = NULL;
	}
}

int64_t doctor_status_number(const struct doctor_status_file *s, const char *key)
{
	int64_t n = 0;

	return json_int(json_get(s->json, key), &n) == 0 && n > 0 ? n : 0;
}

/* "1.5 GiB" */
static const char *size_text(uint64_t bytes, char out[32])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double n = (double)bytes;
	size_t unit = 0;

	for (; n >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		n /= 1024;
	snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
	return out;
}

/* "7 minutes" */
static const char *age_text(int64_t seconds, char out[32])
{
	if (seconds < 120)
		snprintf(out, 32, "%" PRId64 " seconds", seconds < 0 ? 0 : seconds);
	else if (seconds < 7200)
		snprintf(out, 32, "%" PRId64 " minutes", seconds / 60);
	else if (seconds < 172800)
		snprintf(out, 32, "%" PRId64 " hours", seconds / 3600);
	else
		snprintf(out, 32, "%" PRId64 " days", seconds / 86400);
	return out;
}

static void check_spool(struct doctor *d)
{
	const char *dir = d->settings->spool_dir;
	struct stat st;

	if (stat(dir, &st) != 0)
		doctor_say(d, DOCTOR_FAIL, "%s: %s; sessauditd makes it when it starts", dir,
			   strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		doctor_say(d, DOCTOR_FAIL, "%s is not a directory: remove it or set spool.dir",
			   dir);
	else if (st.st_mode & (S_IWOTH | S_IROTH))
		doctor_say(d, DOCTOR_FAIL, "%s is open to every user (mode %04o): chmod 0750", dir,
			   (unsigned)st.st_mode & 07777);
	else
		doctor_say(d, DOCTOR_OK, "%s", dir);
}

struct usage {
	uint64_t bytes, files;
	bool hidden; /* not all could be read */
};

static void add_usage(int parent, const char *name, int depth, struct usage *u)
{
	_cleanup_closedir_ DIR *list = NULL;
	_cleanup_close_ int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	struct stat st;

	if (fd < 0 || depth > DEPTH_MAX || !(list = fdopendir(fd))) {
		u->hidden |= fd >= 0 || errno != ENOENT;
		return;
	}
	fd = -1; /* list has it */
	while ((e = readdir(list)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(list), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			add_usage(dirfd(list), e->d_name, depth + 1, u);
		} else if (S_ISREG(st.st_mode)) {
			u->bytes += (uint64_t)st.st_size;
			u->files++;
		}
	}
}

/* As spool.h counts: what is not shipped yet, or stays. */
static void check_usage(struct doctor *d)
{
	const struct settings *s = d->settings;
	uint64_t max = (uint64_t)s->spool_max_bytes, free_bytes;
	char used[32], left[32], quota[32];
	struct statvfs fs;
	struct usage u = {0};

	if (statvfs(s->spool_dir, &fs) != 0) {
		doctor_say(d, DOCTOR_UNKNOWN, "%s: %s", s->spool_dir, strerror(errno));
		return;
	}
	add_usage(AT_FDCWD, s->spool_dir, 0, &u);
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	size_text(u.bytes, used);
	size_text(free_bytes, left);
	snprintf(quota, sizeof(quota), "no quota");
	if (max > 0)
		size_text(max, quota);
	if (u.hidden)
		doctor_say(d, DOCTOR_UNKNOWN, "%s is not ours to read: run this as root; %s free",
			   s->spool_dir, left);
	else if ((max > 0 && u.bytes >= max) || free_bytes <= (uint64_t)s->spool_min_free)
		doctor_say(d, DOCTOR_FAIL,
			   "full: %s in %" PRIu64
			   " files (%s), %s free; recording is suspended until the store takes "
			   "them, or raise spool.max_bytes",
			   used, u.files, quota, left);
	else if (max > 0 && u.bytes >= max / 5 * 4)
		doctor_say(d, DOCTOR_WARN,
			   "%s in %" PRIu64 " files, of %s; %s free: is the store away?", used,
			   u.files, quota, left);
	else
		doctor_say(d, DOCTOR_OK, "%s in %" PRIu64 " files, of %s; %s free", used, u.files,
			   quota, left);
}

static void check_shipper(struct doctor *d)
{
	int64_t age_s = (clock_real_ms() - d->shipper.time_ms) / 1000;
	char age[32];

	if (!d->shipper.json)
		doctor_say(d, geteuid() == 0 ? DOCTOR_FAIL : DOCTOR_UNKNOWN, "%s", d->shipper.why);
	else if (age_s > DOCTOR_STATUS_OLD_MS / 1000)
		doctor_say(d, DOCTOR_FAIL,
			   "has not written its status for %s: is sessauditd running?",
			   age_text(age_s, age));
	else
		doctor_say(d, DOCTOR_OK,
			   "runs; %" PRId64 " objects stored since it started, wrote %s ago",
			   doctor_status_number(&d->shipper, "stored"), age_text(age_s, age));
}

static void check_away(struct doctor *d)
{
	struct slice reason = json_get_str(d->shipper.json, "reason");
	int64_t since = doctor_status_number(&d->shipper, "away_since");
	char when[CLOCK_TEXT_SIZE];

	if (!d->shipper.json) {
		doctor_say(d, DOCTOR_UNKNOWN, "the shipper says nothing");
	} else if (doctor_status_number(&d->shipper, "away") > 0) {
		clock_format_utc(since * 1000, when);
		doctor_say(d, DOCTOR_FAIL, "the shipper cannot store since %s: %.*s", when,
			   (int)reason.len, reason.ptr ? reason.ptr : "");
	} else {
		doctor_say(d, DOCTOR_OK, "the shipper can store");
	}
}

static void check_waiting(struct doctor *d)
{
	int64_t n = doctor_status_number(&d->shipper, "waiting");
	int64_t oldest = doctor_status_number(&d->shipper, "oldest");
	char age[32];

	if (!d->shipper.json)
		doctor_say(d, DOCTOR_UNKNOWN, "the shipper says nothing");
	else
		doctor_say(d,
			   oldest > WAITING_FAIL_S   ? DOCTOR_FAIL
			   : oldest > WAITING_WARN_S ? DOCTOR_WARN
						     : DOCTOR_OK,
			   "%" PRId64 " objects wait, the oldest for %s%s", n,
			   age_text(oldest, age),
			   oldest > WAITING_WARN_S ? ": until they are stored they are on this "
						     "host only"
						   : "");
}

static void check_quarantine(struct doctor *d)
{
	int64_t n = doctor_status_number(&d->shipper, "quarantined");

	if (!d->shipper.json)
		doctor_say(d, DOCTOR_UNKNOWN, "the shipper says nothing");
	else if (n > 0)
		doctor_say(d, DOCTOR_FAIL,
			   "the store does not take %" PRId64
			   " objects: why is in %s/quarantine, beside each as .reason",
			   n, d->settings->spool_dir);
	else
		doctor_say(d, DOCTOR_OK, "the store takes every object");
}

static void check_conflicts(struct doctor *d)
{
	int64_t n = doctor_status_number(&d->shipper, "conflicts");

	if (!d->shipper.json)
		doctor_say(d, DOCTOR_UNKNOWN, "the shipper says nothing");
	else if (n > 0)
		doctor_say(d, DOCTOR_WARN,
			   "%" PRId64 " keys held other content than ours, which was stored "
			   "beside it: find out who else writes there",
			   n);
	else
		doctor_say(d, DOCTOR_OK, "no key held anything but ours");
}

/* kernel/auditsc.c, audit_alloc: a process gets its audit context when it is forked, or never. */
static void check_boot(struct doctor *d)
{
	_cleanup_buf_ struct buf line = {0};
	int value = -1;

	buf_init(&line, 65536);
	if (fdio_read_file(AT_FDCWD, "/proc/cmdline", 65536, &line, NULL) != 0) {
		doctor_say(d, DOCTOR_UNKNOWN, "/proc/cmdline cannot be read");
		return;
	}
	for (const char *p = buf_cstr(&line); (p = strstr(p, "audit=")) != NULL; p++)
		if (p == line.data || p[-1] == ' ')
			value = strncmp(p + 6, "0", 1) == 0 || strncmp(p + 6, "off", 3) == 0 ? 0
											     : 1;
	if (value == 0)
		doctor_say(d, DOCTOR_FAIL, "the kernel was booted with audit=0: remove that");
	else if (value == 1)
		doctor_say(d, DOCTOR_OK, "audit is on from the first process");
	else
		doctor_say(d, DOCTOR_WARN,
			   "what was started before sessauditd is not recorded: boot with audit=1");
}

const struct doctor_check doctor_host[] = {
	{"spool", check_spool},
	{"spool-usage", check_usage},
	{"shipper", check_shipper},
	{"store-away", check_away},
	{"waiting", check_waiting},
	{"quarantine", check_quarantine},
	{"conflicts", check_conflicts},
	{"audit-at-boot", check_boot},
	{"pam", doctor_pam},
	{"broker", doctor_broker},
	DOCTOR_END,
};

static void check_dir(struct doctor *d)
{
	const char *dir = d->settings->store_dir;

	if (!d->store)
		return; /* said when it was opened */
	if (access(dir, R_OK | X_OK) != 0)
		doctor_say(d, DOCTOR_UNKNOWN, "%s: is there, but %s for us", dir, strerror(errno));
	else
		doctor_say(d, DOCTOR_OK, "%s: is there and can be read", dir);
}

static void check_writers(struct doctor *d)
{
	const char *dir = d->settings->store_dir;
	struct passwd *user;
	struct group *group;
	char name[64];
	struct stat st;

	if (stat(dir, &st) != 0) {
		doctor_say(d, DOCTOR_UNKNOWN, "%s: %s", dir, strerror(errno));
		return;
	}
	user = getpwuid(st.st_uid);
	snprintf(name, sizeof(name), "%ld", (long)st.st_uid);
	if (user)
		snprintf(name, sizeof(name), "%s", user->pw_name);
	group = getgrgid(st.st_gid);
	if (st.st_mode & S_IWOTH)
		doctor_say(d, DOCTOR_FAIL, "every user may write to %s: chmod o-w", dir);
	else if (st.st_mode & S_IWGRP)
		doctor_say(d, DOCTOR_WARN, "group %s may write to %s as well as %s: chmod g-w",
			   group ? group->gr_name : "of the directory", dir, name);
	else
		doctor_say(d, DOCTOR_OK,
			   "only %s and root may write to %s; they can also delete: a bucket with "
			   "Object Lock is safer",
			   name, dir);
}

const struct doctor_check doctor_dir[] = {
	{"store", check_dir},
	{"store-writers", check_writers},
	DOCTOR_END,
};
