/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/access/tagfile.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"

#define TAGFILE_SCHEMA "sessaudit.session/1"
#define TAGFILE_NAME_SIZE 32

static void file_name(char out[TAGFILE_NAME_SIZE], uint32_t ses)
{
	snprintf(out, TAGFILE_NAME_SIZE, "%u.json", (unsigned)ses);
}

static int open_dir(const char *dir, struct sa_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return sa_fail_errno(err, "open %s", dir);
	return fd;
}

static int format(const struct tagfile *t, struct buf *out)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(out);
	char time[CLOCK_TEXT_SIZE];

	if (!w)
		return SA_ERR_NOMEM;
	clock_format_utc(t->time_ms, time);
	json_write_open(w);
	json_write_kstr(w, "schema", SLICE_LIT(TAGFILE_SCHEMA));
	json_write_kint(w, "ses", t->ses);
	json_write_kint(w, "auid", t->auid);
	json_write_kint(w, "pid", t->pid);
	json_write_kstr(w, "boot_id", slice_of(t->boot_id));
	json_write_kstr(w, "time", slice_of(time));
	json_write_kstr_opt(w, "user", slice_of(t->tag.user));
	json_write_kstr_opt(w, "service", slice_of(t->tag.service));
	json_write_kstr_opt(w, "source", slice_of(t->tag.source));
	json_write_kstr_opt(w, "terminal", slice_of(t->tag.terminal));
	json_write_kstr_opt(w, "grant_file", slice_of(t->grant_file));
	json_write_key(w, "access");
	access_write(w, &t->tag.access);
	json_write_close(w);
	return json_writer_end(w);
}

int tagfile_write(const char *dir, const struct tagfile *t, struct sa_err *err)
{
	_cleanup_close_ int dirfd = -1;
	_cleanup_buf_ struct buf text = {0};
	char name[TAGFILE_NAME_SIZE];
	int rc;

	file_name(name, t->ses);
	buf_init(&text, TAGFILE_MAX_BYTES);
	rc = format(t, &text);
	buf_putc(&text, '\n');
	if (rc < 0 || text.failed)
		return sa_fail(err, rc < 0 ? rc : SA_ERR_TOOBIG, "%s/%s: cannot be written as JSON",
			       dir, name);
	dirfd = open_dir(dir, err);
	if (dirfd < 0)
		return dirfd;
	rc = fdio_replace_file(dirfd, name, text.data, text.len, 0640, err);
	return rc < 0 ? sa_wrap(err, rc, "%s", dir) : 0;
}

static int read_u32(const struct json *j, const char *key, uint32_t *out, struct sa_err *err)
{
	int64_t v;

	if (json_int(json_get(j, key), &v) < 0 || v < 0 || v > UINT32_MAX)
		return sa_fail(err, SA_ERR_INVALID, "%s: must be a number of 32 bits", key);
	*out = (uint32_t)v;
	return 0;
}

static int read_numbers(const struct json *j, struct tagfile *out, struct sa_err *err)
{
	struct slice boot_id = json_get_str(j, "boot_id");
	uint32_t pid;
	int rc;

	if ((rc = read_u32(j, "ses", &out->ses, err)) < 0 ||
	    (rc = read_u32(j, "auid", &out->auid, err)) < 0 ||
	    (rc = read_u32(j, "pid", &pid, err)) < 0)
		return rc;
	if (pid > INT32_MAX)
		return sa_fail(err, SA_ERR_INVALID, "pid: too large");
	out->pid = (int32_t)pid;
	if (boot_id.len != BOOT_ID_SIZE - 1 || memchr(boot_id.ptr, 0, boot_id.len))
		return sa_fail(err, SA_ERR_INVALID, "boot_id: must have %d characters",
			       BOOT_ID_SIZE - 1);
	memcpy(out->boot_id, boot_id.ptr, boot_id.len);
	if (clock_parse_utc(json_get_str(j, "time"), &out->time_ms) < 0)
		return sa_fail(err, SA_ERR_INVALID, "time: not an RFC 3339 time");
	return 0;
}

static int parse(struct slice text, struct tagfile *out, struct sa_err *err)
{
	_cleanup_json_ struct json *j = NULL;
	int rc;

	if ((rc = json_parse(text.ptr, text.len, &j, err)) < 0)
		return rc;
	if (!slice_is(json_get_str(j, "schema"), TAGFILE_SCHEMA))
		return sa_fail(err, SA_ERR_INVALID, "schema: must be \"" TAGFILE_SCHEMA "\"");
	if ((rc = read_numbers(j, out, err)) < 0 ||
	    (rc = access_read_str(j, "", "user", &out->tag.user, err)) < 0 ||
	    (rc = access_read_str(j, "", "service", &out->tag.service, err)) < 0 ||
	    (rc = access_read_str(j, "", "source", &out->tag.source, err)) < 0 ||
	    (rc = access_read_str(j, "", "terminal", &out->tag.terminal, err)) < 0 ||
	    (rc = access_read_str(j, "", "grant_file", &out->grant_file, err)) < 0)
		return rc;
	return access_read(json_get(j, "access"), &out->tag.access, err);
}

static int open_checked(int dirfd, const char *name, unsigned owner_uid, struct sa_err *err)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return sa_fail_errno(err, "open");
	if (fstat(fd, &st) < 0)
		return sa_fail_errno(err, "stat");
	if (!S_ISREG(st.st_mode))
		return sa_fail(err, SA_ERR_PERM, "not a regular file");
	if (st.st_uid != owner_uid)
		return sa_fail(err, SA_ERR_PERM, "owner %u: must belong to %u", (unsigned)st.st_uid,
			       owner_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return sa_fail(err, SA_ERR_PERM, "mode %04o: must not be writable by others",
			       (unsigned)st.st_mode & 07777);
	return TAKE_FD(fd);
}

int tagfile_read(const char *dir, uint32_t ses, unsigned owner_uid, struct tagfile *out,
		 struct sa_err *err)
{
	__attribute__((cleanup(tagfile_free))) struct tagfile t = {0};
	_cleanup_close_ int dirfd = open_dir(dir, err), fd = -1;
	_cleanup_buf_ struct buf text = {0};
	char name[TAGFILE_NAME_SIZE];
	int rc;

	file_name(name, ses);
	buf_init(&text, TAGFILE_MAX_BYTES + 1);
	if (dirfd < 0)
		return dirfd;
	fd = open_checked(dirfd, name, owner_uid, err);
	if ((rc = fd) < 0 || (rc = fdio_read_all(fd, TAGFILE_MAX_BYTES, &text, err)) < 0 ||
	    (rc = parse(buf_slice(&text), &t, err)) < 0)
		return sa_wrap(err, rc, "%s/%s", dir, name);
	if (t.ses != ses)
		return sa_fail(err, SA_ERR_INVALID, "%s/%s: names session %u inside", dir, name,
			       (unsigned)t.ses);
	*out = t;
	t = (struct tagfile){0};
	return 0;
}

void tagfile_free(struct tagfile *t)
{
	tag_free(&t->tag);
	free(t->grant_file);
	*t = (struct tagfile){0};
}
