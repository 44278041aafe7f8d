/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/source_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 65536
#define GZIP_ONLY (15 + 16) /* inflateInit2: the largest window, a gzip head */

struct source_bytes {
	int fd;
	bool end;       /* of the file */
	bool packed;    /* it is gzip */
	bool in_member; /* which has begun and not ended */
	z_stream z;     /* next_in, avail_in: read and not given on, also where it is not packed */
	unsigned char in[BLOCK];
};

/* Reads more behind what is there. */
static int fill(struct source_bytes *s, struct sa_err *err)
{
	ssize_t n;

	memmove(s->in, s->z.next_in, s->z.avail_in);
	s->z.next_in = s->in;
	do
		n = read(s->fd, s->in + s->z.avail_in, BLOCK - s->z.avail_in);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sa_fail_errno(err, "read");
	s->end = n == 0;
	s->z.avail_in += (unsigned)n;
	return 0;
}

/* Two bytes, or all there is. */
static int look(struct source_bytes *s, bool *magic, struct sa_err *err)
{
	while (s->z.avail_in < 2 && !s->end) {
		int rc = fill(s, err);

		if (rc)
			return rc;
	}
	*magic = s->z.avail_in >= 2 && s->z.next_in[0] == 0x1f && s->z.next_in[1] == 0x8b;
	return 0;
}

int source_bytes_open(const char *path, struct source_bytes **out, struct sa_err *err)
{
	struct source_bytes *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	s->z.next_in = s->in;
	s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		rc = sa_fail_errno(err, "open");
	else if ((rc = look(s, &s->packed, err)) == 0 && s->packed &&
		 inflateInit2(&s->z, GZIP_ONLY) != Z_OK) {
		s->packed = false;
		rc = sa_fail(err, SA_ERR_NOMEM, "zlib: out of memory");
	}
	if (rc) {
		source_bytes_close(s);
		return rc;
	}
	s->in_member = s->packed;
	*out = s;
	return 0;
}

void source_bytes_close(struct source_bytes *s)
{
	if (!s)
		return;
	if (s->packed)
		inflateEnd(&s->z);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	free(s);
}

static int read_plain(struct source_bytes *s, char *buf, size_t n, size_t *got, struct sa_err *err)
{
	int rc = s->z.avail_in || s->end ? 0 : fill(s, err);

	if (rc)
		return rc;
	*got = n < s->z.avail_in ? n : s->z.avail_in;
	memcpy(buf, s->z.next_in, *got);
	s->z.next_in += *got;
	s->z.avail_in -= (unsigned)*got;
	return 0;
}

/* A member has ended: another one, or zeros to the end of the file, as tapes and block devices have
 * them. */
static int next_member(struct source_bytes *s, struct sa_err *err)
{
	bool magic = false;
	int rc = look(s, &magic, err);

	if (rc)
		return rc;
	if (magic) {
		s->in_member = true;
		return inflateReset(&s->z) == Z_OK ? 0
						   : sa_fail(err, SA_ERR_INVALID, "zlib: %s",
							     s->z.msg ? s->z.msg : "reset");
	}
	for (; s->z.avail_in > 0 && *s->z.next_in == 0; s->z.next_in++)
		s->z.avail_in--;
	return s->z.avail_in == 0
		       ? 0
		       : sa_fail(err, SA_ERR_INVALID, "what follows the packed data is not gzip");
}

static int unpack(struct source_bytes *s, struct sa_err *err)
{
	int rc = s->z.avail_in == 0 && !s->end ? fill(s, err) : 0;

	if (rc)
		return rc;
	if (s->z.avail_in == 0)
		return sa_fail(err, SA_ERR_INVALID,
			       "the packed data are cut off: the file is not whole");
	rc = inflate(&s->z, Z_NO_FLUSH);
	if (rc == Z_STREAM_END)
		s->in_member = false;
	else if (rc == Z_MEM_ERROR)
		return sa_fail(err, SA_ERR_NOMEM, "zlib: out of memory");
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return sa_fail(err, SA_ERR_INVALID, "the packed data are damaged (%s)",
			       s->z.msg ? s->z.msg : "zlib");
	return 0;
}

int source_bytes_read(struct source_bytes *s, char *buf, size_t n, size_t *got, struct sa_err *err)
{
	int rc = 0;

	if (!s->packed)
		return read_plain(s, buf, n, got, err);
	s->z.next_out = (unsigned char *)buf;
	s->z.avail_out = n < BLOCK ? (unsigned)n : BLOCK;
	n = s->z.avail_out;
	while (rc == 0 && s->z.avail_out == n && (s->in_member || !s->end || s->z.avail_in))
		rc = s->in_member ? unpack(s, err) : next_member(s, err);
	if (s->z.avail_out < n)
		rc = 0; /* what came is good; the next call finds the same fault again */
	*got = n - s->z.avail_out;
	return rc;
}
