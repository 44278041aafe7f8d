/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/path.h"

static bool is_absolute(struct slice s)
{
	return s.len > 0 && s.ptr[0] == '/';
}

/* Drops the last part of what was appended since start. */
static void go_up(struct buf *out, size_t start)
{
	while (out->len > start && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > start)
		out->len--;
}

static void go_down(struct buf *out, size_t start, struct slice path)
{
	while (path.len > 0) {
		struct slice part = slice_cut(&path, '/');

		if (slice_is(part, "..")) {
			go_up(out, start);
		} else if (part.len > 0 && !slice_is(part, ".")) {
			buf_putc(out, '/');
			buf_put(out, part);
		}
	}
}

bool path_resolve(struct buf *out, struct slice cwd, struct slice base, struct slice name)
{
	size_t start = out->len;

	if (!is_absolute(name) && !is_absolute(base) && !is_absolute(cwd)) {
		buf_put(out, name);
		return false;
	}
	if (!is_absolute(name)) {
		if (!is_absolute(base))
			go_down(out, start, cwd);
		go_down(out, start, base);
	}
	go_down(out, start, name);
	if (out->len == start)
		buf_putc(out, '/');
	return true;
}

bool path_is_below(struct slice path, struct slice dir)
{
	return path.len >= dir.len && dir.len > 0 && memcmp(path.ptr, dir.ptr, dir.len) == 0 &&
	       (path.len == dir.len || path.ptr[dir.len] == '/' || slice_is(dir, "/"));
}
