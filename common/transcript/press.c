/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/press.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib.h: 16 asks for gzip framing */
#define GZIP_OS_UNIX 3
/* The lines of a transcript are so much alike that level 2 makes them a sixth larger than level 6
 * and takes less than half of its time, which is then still the largest part of an entry's. */
#define LEVEL 2

struct press {
	z_stream z;
	gz_header header; /* z points to it */
};

struct press *press_new(void)
{
	struct press *p = calloc(1, sizeof(*p));

	if (p && deflateInit2(&p->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY)) {
		free(p);
		return NULL;
	}
	return p;
}

void press_free(struct press *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	free(p);
}

int press_gzip(struct press *p, struct slice plain, struct buf *out, struct sa_err *err)
{
	uLong bound;
	char *to;
	int rc;

	deflateReset(&p->z);
	p->header =
		(gz_header){.os = GZIP_OS_UNIX}; /* time 0: the same bytes whenever it is made */
	deflateSetHeader(&p->z, &p->header);
	bound = deflateBound(&p->z, (uLong)plain.len);
	if (plain.len > UINT_MAX || bound > UINT_MAX || !(to = buf_reserve(out, bound)))
		return sa_fail(err, SA_ERR_NOMEM, "no room for the gzip of %zu bytes", plain.len);
	/* not written to; zlib lacks the const */
	p->z.next_in = (unsigned char *)(uintptr_t)plain.ptr;
	p->z.avail_in = (uInt)plain.len;
	p->z.next_out = (unsigned char *)to;
	p->z.avail_out = (uInt)bound;
	rc = deflate(&p->z, Z_FINISH);
	if (rc != Z_STREAM_END)
		return sa_fail(err, SA_ERR_IO, "deflate: error %d", rc);
	out->len += p->z.total_out;
	return 0;
}
