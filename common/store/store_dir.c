/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fdio.h"
#include "common/store/store.h"

#define TEMP_PREFIX ".tmp-" /* .tmp-<pid>-<n> */
#define COPY_SIZE 65536

struct store_dir {
	struct store base;
	char *path;
	unsigned long n_temps;
	char settled[STORE_MAX_KEY + 1]; /* the directory of the last put, see store_dir_settle */
	struct store_put *first, *last;  /* puts that were started, linked through priv */
};

static int store_dir_fail(const struct store_dir *d, struct sa_err *err, const char *what,
			  const char *name)
{
	return sa_fail_errno(err, "%s: %s %s", d->base.name, what, name);
}

/* The root is opened anew each time, and never made again once the store is open: it may be a mount
 * point, and while nothing is mounted there the objects must wait. It may be reached through a
 * symbolic link; what is below it may not. */
static int store_dir_root(const struct store_dir *d, int *out, struct sa_err *err)
{
	int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return store_dir_fail(d, err, "open", "store directory");
	*out = fd;
	return 0;
}

/* Opens the directory name below *dir and puts it in *dir's place; make: creates it when missing.
 */
static int store_dir_step(const struct store_dir *d, int *dir, const char *name, bool make,
			  bool *made, struct sa_err *err)
{
	int fd;

	if (make && mkdirat(*dir, name, 0750) == 0)
		*made = true;
	else if (make && errno != EEXIST)
		return store_dir_fail(d, err, "create directory", name);
	fd = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return sa_fail(err, SA_ERR_PERM,
			       "%s: %s is a symbolic link or no directory: refused", d->base.name,
			       name);
	if (fd < 0)
		return store_dir_fail(d, err, "open directory", name);
	close(*dir);
	*dir = fd;
	return 0;
}

/* The length of key's directory part, the last '/' included. */
static size_t store_dir_part(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? (size_t)(slash - key) + 1 : 0;
}

/* Opens the directory of the first n bytes of key (n is 0 or behind a '/'). make: creates what is
 * missing and makes the way there durable. A directory that was there already may come from a run
 * that died before its fsync, hence the fsync of all parents on the first put into it. */
static int store_dir_walk(const struct store_dir *d, const char *key, size_t n, bool make, int *out,
			  struct sa_err *err)
{
	bool fresh = make && strncmp(d->settled, key, n) != 0;
	_cleanup_close_ int dir = -1;
	char name[NAME_MAX + 1];
	size_t at = 0;
	int rc;

	if ((rc = store_dir_root(d, &dir, err)) != 0)
		return rc;
	while (at < n) {
		size_t len = strcspn(key + at, "/");
		_cleanup_close_ int parent = -1;
		bool made = false;

		if (len > NAME_MAX)
			return sa_fail(err, SA_ERR_INVALID, "%s: key part too long", d->base.name);
		memcpy(name, key + at, len);
		name[len] = '\0';
		parent = make ? fcntl(dir, F_DUPFD_CLOEXEC, 0) : -1;
		if ((rc = store_dir_step(d, &dir, name, make, &made, err)) != 0)
			return rc;
		if ((made || fresh) && (parent < 0 || fsync(parent) != 0))
			return store_dir_fail(d, err, "fsync directory above", name);
		at += len + 1;
	}
	*out = TAKE_FD(dir);
	return 0;
}

static bool store_dir_is_stale(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, TEMP_PREFIX, strlen(TEMP_PREFIX)) != 0)
		return false;
	pid = strtol(name + strlen(TEMP_PREFIX), &end, 10);
	if (pid <= 0 || *end != '-')
		return false;
	/* In a container the shipper may have the same pid in each of its lives. */
	return pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* On the first put into a directory after another one: removes temporary files of dead runs. They
 * can only be where the next put goes, because the object whose put was cut short is still to be
 * put. */
static void store_dir_settle(struct store_dir *d, int dir, const char *key, size_t n)
{
	_cleanup_closedir_ DIR *list = NULL;
	struct dirent *e;
	int fd;

	if (strncmp(d->settled, key, n) == 0 && d->settled[n] == '\0' && n > 0)
		return;
	memcpy(d->settled, key, n);
	d->settled[n] = '\0';
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	list = fdopendir(fd);
	if (!list) {
		close(fd);
		return;
	}
	while ((e = readdir(list)) != NULL)
		if (store_dir_is_stale(e->d_name))
			unlinkat(dir, e->d_name, 0);
}

struct store_dir_object { /* what is to be put */
	int fd;
	size_t size;
	bool unreadable; /* its bytes cannot be had: not the store's fault */
};

/* Reads n bytes at off: SA_ERR_IO when the file ends before. */
static int store_dir_read(int fd, char *p, size_t n, size_t off, struct sa_err *err)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return sa_fail_errno(err, "read object");
		if (got == 0)
			return sa_fail(err, SA_ERR_IO, "object is shorter than its size");
		p += got;
		off += (size_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int store_dir_copy(struct store_dir_object *from, int to, struct sa_err *err)
{
	char chunk[COPY_SIZE];
	size_t off, n;
	int rc;

	for (off = 0; off < from->size; off += n) {
		n = from->size - off < sizeof(chunk) ? from->size - off : sizeof(chunk);
		rc = store_dir_read(from->fd, chunk, n, off, err);
		from->unreadable = rc != 0;
		if (rc != 0 || (rc = fdio_write_all(to, chunk, n, err)) != 0)
			return rc;
	}
	return 0;
}

static int store_dir_write_temp(const struct store_dir *d, int dir, const char *temp,
				struct store_dir_object *from, struct sa_err *err)
{
	_cleanup_close_ int fd =
		openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return store_dir_fail(d, err, "create", "temporary file");
	if ((rc = store_dir_copy(from, fd, err)) != 0)
		return sa_wrap(err, rc, "%s", d->base.name);
	if (fchmod(fd, 0440) != 0 || fsync(fd) != 0)
		return store_dir_fail(d, err, "fsync", "temporary file");
	return 0;
}

static bool store_dir_same(int a, int b, size_t size)
{
	char ca[COPY_SIZE], cb[COPY_SIZE];
	size_t off, n;

	for (off = 0; off < size; off += n) {
		n = size - off < sizeof(ca) ? size - off : sizeof(ca);
		if (store_dir_read(a, ca, n, off, NULL) || store_dir_read(b, cb, n, off, NULL) ||
		    memcmp(ca, cb, n) != 0)
			return false;
	}
	return true;
}

/* The name is taken: 0 when by the very same bytes. The run that wrote them may have died before
 * its fsync. */
static int store_dir_taken(const struct store_dir *d, int dir, const char *name,
			   const struct store_dir_object *from, struct sa_err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno != ELOOP)
		return store_dir_fail(d, err, "open existing", name);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size != from->size || !store_dir_same(from->fd, fd, from->size))
		return sa_fail(err, SA_ERR_EXISTS, "%s: %s exists with other content", d->base.name,
			       name);
	return fsync(fd) == 0 ? 0 : store_dir_fail(d, err, "fsync existing", name);
}

/* link() is the step that makes the object appear, whole, and only where nothing is. */
static int store_dir_put_in(struct store_dir *d, int dir, const char *name,
			    struct store_dir_object *from, struct sa_err *err)
{
	char temp[64];
	int rc;

	snprintf(temp, sizeof(temp), TEMP_PREFIX "%ld-%lu", (long)getpid(), ++d->n_temps);
	rc = store_dir_write_temp(d, dir, temp, from, err);
	if (rc == 0 && linkat(dir, temp, dir, name, 0) != 0)
		rc = errno == EEXIST ? store_dir_taken(d, dir, name, from, err)
				     : store_dir_fail(d, err, "link", name);
	unlinkat(dir, temp, 0);
	if (rc == 0 && fsync(dir) != 0)
		rc = store_dir_fail(d, err, "fsync directory of", name);
	return rc;
}

/* A full, broken, read-only, forbidden or absent file system: all that is worth another try. */
static int store_dir_put_once(struct store_dir *d, const char *key, struct store_dir_object *from,
			      struct sa_err *err)
{
	size_t n = store_dir_part(key);
	_cleanup_close_ int dir = -1;
	int rc;

	if (!store_key_valid(key))
		return sa_fail(err, SA_ERR_INVALID, "%s: not a valid object key", d->base.name);
	rc = store_dir_walk(d, key, n, true, &dir, err);
	if (rc == 0) {
		store_dir_settle(d, dir, key, n);
		rc = store_dir_put_in(d, dir, key + n, from, err);
	}
	if (from->unreadable)
		rc = SA_ERR_IO;
	else if (rc == SA_ERR_IO || rc == SA_ERR_NOTFOUND || rc == SA_ERR_PERM)
		rc = SA_ERR_AGAIN;
	if (err)
		err->code = rc;
	return rc;
}

static int store_dir_get(struct store *s, const char *key, struct buf *out, struct sa_err *err)
{
	struct store_dir *d = (struct store_dir *)s;
	size_t n = store_dir_part(key);
	_cleanup_close_ int dir = -1;
	int rc;

	rc = store_dir_walk(d, key, n, false, &dir, err);
	if (rc == 0 && (rc = fdio_read_file(dir, key + n, out->max - out->len, out, err)) != 0)
		rc = sa_wrap(err, rc, "%s", s->name);
	return rc;
}

/* One name of a directory; key order is that of "name/" for a directory. */
struct store_dir_name {
	char *text;
	uint64_t size;
};

struct store_dir_names {
	struct store_dir_name *items;
	size_t n, cap;
};

static void store_dir_names_free(struct store_dir_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i].text);
	free(names->items);
}

static int store_dir_names_add(struct store_dir_names *names, const char *name,
			       const struct stat *st)
{
	struct store_dir_name *item;

	if (names->n == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 64;
		void *grown = reallocarray(names->items, cap, sizeof(*names->items));

		if (!grown)
			return SA_ERR_NOMEM;
		names->items = grown;
		names->cap = cap;
	}
	item = &names->items[names->n];
	item->size = (uint64_t)st->st_size;
	if (asprintf(&item->text, "%s%s", name, S_ISDIR(st->st_mode) ? "/" : "") < 0)
		return SA_ERR_NOMEM;
	names->n++;
	return 0;
}

static int store_dir_name_order(const void *a, const void *b)
{
	return strcmp(((const struct store_dir_name *)a)->text,
		      ((const struct store_dir_name *)b)->text);
}

/* Directories and regular files whose name starts with prefix, sorted. */
static int store_dir_scan(const struct store_dir *d, int dir, const char *prefix,
			  struct store_dir_names *names, struct sa_err *err)
{
	_cleanup_closedir_ DIR *list = NULL;
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	struct stat st;

	if (fd < 0 || !(list = fdopendir(fd)))
		return store_dir_fail(d, err, "list", "directory");
	(void)TAKE_FD(fd);
	while (errno = 0, (e = readdir(list)) != NULL) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0 ||
		    fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			continue;
		if (store_dir_names_add(names, e->d_name, &st) != 0)
			return sa_fail(err, SA_ERR_NOMEM, "%s: out of memory", d->base.name);
	}
	if (errno != 0)
		return store_dir_fail(d, err, "read", "directory");
	if (names->n > 0)
		qsort(names->items, names->n, sizeof(*names->items), store_dir_name_order);
	return 0;
}

struct store_dir_list {
	const struct store_dir *d;
	char key[STORE_MAX_KEY + 1];
	store_list_fn fn;
	void *ctx;
};

static int store_dir_list_dir(struct store_dir_list *l, int dir, size_t at, const char *prefix,
			      struct sa_err *err);

/* One name: an object is told, a directory gone through. What is no valid key was not put by us. */
static int store_dir_list_name(struct store_dir_list *l, int dir, size_t at,
			       const struct store_dir_name *name, struct sa_err *err)
{
	size_t len = strlen(name->text);
	_cleanup_close_ int sub = -1;

	if (at + len > STORE_MAX_KEY)
		return 0;
	memcpy(l->key + at, name->text, len + 1);
	if (name->text[len - 1] != '/')
		return store_key_valid(l->key) ? l->fn(l->ctx, l->key, name->size) : 0;
	l->key[at + len - 1] = '\0';
	if (!store_key_valid(l->key))
		return 0;
	sub = openat(dir, l->key + at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return errno == ENOENT ? 0 : store_dir_fail(l->d, err, "open directory", l->key);
	l->key[at + len - 1] = '/';
	return store_dir_list_dir(l, sub, at + len, "", err);
}

/* dir holds the keys that start with the first `at` bytes of l->key. */
static int store_dir_list_dir(struct store_dir_list *l, int dir, size_t at, const char *prefix,
			      struct sa_err *err)
{
	_cleanup_(store_dir_names_free) struct store_dir_names names = {0};
	int rc = store_dir_scan(l->d, dir, prefix, &names, err);

	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = store_dir_list_name(l, dir, at, &names.items[i], err);
	return rc;
}

static int store_dir_list(struct store *s, const char *prefix, store_list_fn fn, void *ctx,
			  struct sa_err *err)
{
	struct store_dir_list l = {.d = (struct store_dir *)s, .fn = fn, .ctx = ctx};
	_cleanup_close_ int root = -1, dir = -1;
	size_t n = store_dir_part(prefix);
	int rc;

	if (strlen(prefix) > STORE_MAX_KEY)
		return sa_fail(err, SA_ERR_INVALID, "%s: prefix too long", s->name);
	if ((rc = store_dir_root(l.d, &root, err)) != 0)
		return rc;
	rc = store_dir_walk(l.d, prefix, n, false, &dir, err);
	if (rc == SA_ERR_NOTFOUND)
		return 0;
	if (rc != 0)
		return rc;
	memcpy(l.key, prefix, n);
	return store_dir_list_dir(&l, dir, n, prefix + n, err);
}

/* A disk has no latency worth hiding: puts are made one after the other, when run. */
static void store_dir_put_start(struct store *s, struct store_put *p)
{
	struct store_dir *d = (struct store_dir *)s;

	if (d->first)
		d->last->priv = p;
	else
		d->first = p;
	d->last = p;
}

static struct store_put *store_dir_take(struct store_dir *d)
{
	struct store_put *p = d->first;

	if (p) {
		d->first = p->priv;
		p->priv = NULL;
	}
	return p;
}

static void store_dir_run(struct store *s, int timeout_ms, struct pollfd *fds, size_t n)
{
	struct store_dir *d = (struct store_dir *)s;
	struct store_put *p = store_dir_take(d);
	struct store_dir_object o;

	for (size_t i = 0; i < n; i++)
		fds[i].revents = 0;
	(void)poll(fds, n, p ? 0 : timeout_ms);
	if (!p)
		return;
	o = (struct store_dir_object){.fd = p->fd, .size = (size_t)p->size};
	p->rc = store_dir_put_once(d, p->key, &o, &p->err);
	p->done(p);
}

static size_t store_dir_in_flight(const struct store *s)
{
	const struct store_dir *d = (const struct store_dir *)s;
	size_t n = 0;

	for (const struct store_put *p = d->first; p; p = p->priv)
		n++;
	return n;
}

/* Nothing is ever written over here, by construction; whoever may write to the directory may do so
 * by hand, which a probe could not tell. */
static int store_dir_probe(struct store *s, const char *host, enum store_append_only *out,
			   struct sa_err *err)
{
	(void)s;
	(void)host;
	(void)err;
	*out = STORE_UNPROVEN;
	return 0;
}

static void store_dir_close(struct store *s)
{
	struct store_dir *d = (struct store_dir *)s;
	struct store_put *p;

	while ((p = store_dir_take(d)) != NULL) {
		p->rc = sa_fail(&p->err, SA_ERR_AGAIN, "%s: closed", s->name);
		p->done(p);
	}
	free(d->path);
	free(d);
}

static const struct store_ops store_dir_ops = {
	store_dir_put_start, store_dir_run,  store_dir_in_flight, store_dir_probe,
	store_dir_get,       store_dir_list, store_dir_close,
};

int store_dir_open(const char *path, bool create, struct store **out, struct sa_err *err)
{
	_cleanup_close_ int root = -1;
	struct store_dir *d;
	int rc;

	if (create && access(path, F_OK) != 0 && (rc = fdio_mkdirs(AT_FDCWD, path, 0750, err)) != 0)
		return sa_wrap(err, rc, "store directory");
	d = calloc(1, sizeof(*d));
	if (!d)
		return sa_fail(err, SA_ERR_NOMEM, "store: out of memory");
	d->base.ops = &store_dir_ops;
	d->path = strdup(path);
	if (!d->path || asprintf(&d->base.name, "dir:%s", path) < 0) {
		d->base.name = NULL;
		rc = sa_fail(err, SA_ERR_NOMEM, "store: out of memory");
	} else {
		rc = store_dir_root(d, &root, err);
	}
	if (rc != 0)
		store_close(&d->base);
	else
		*out = &d->base;
	return rc;
}
