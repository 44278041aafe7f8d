/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/path.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define NO SLICE_NONE
#define S(text) SLICE_LIT(text)

static void test_resolve(void)
{
	static const struct {
		struct slice cwd, base, name;
		const char *want;
		bool known;
	} cases[] = {
		{S("/home/al"), NO, S("a"), "/home/al/a", true},
		{S("/home/al"), NO, S("/etc/passwd"), "/etc/passwd", true},
		{S("/home/al"), S("/srv"), S("/etc/x"), "/etc/x", true},
		{S("/home/al"), S("/srv/d"), S("a"), "/srv/d/a", true},
		{S("/home/al"), S("d/e"), S("a"), "/home/al/d/e/a", true},
		{NO, S("/srv"), S("a"), "/srv/a", true},
		{NO, S("d"), S("a"), "a", false},
		{NO, NO, S("a/../b"), "a/../b", false},
		{NO, NO, S("/a/../b"), "/b", true},
		{S("/x"), NO, S("./a/./b/."), "/x/a/b", true},
		{S("/x/y"), NO, S("../../../a"), "/a", true},
		{S("/x/y"), NO, S(".."), "/x", true},
		{S("/x"), NO, S(".."), "/", true},
		{S("/"), NO, S("a"), "/a", true},
		{S("/"), NO, S("."), "/", true},
		{S("/"), NO, S(""), "/", true},
		{S("/x"), NO, S("a//b///"), "/x/a/b", true},
		{S("/x"), NO, S("..a/b..c/..."), "/x/..a/b..c/...", true},
		{S("/x"), NO, S("//etc//passwd"), "/etc/passwd", true},
		{S("/gone (deleted)"), NO, S("a"), "/gone (deleted)/a", true},
		{S("(unreachable)/x"), NO, S("a"), "a", false},
		{S("/x"), NO, S("caf\xe9\n"), "/x/caf\xe9\n", true},
		{S("/a/b/c"), S("../d"), S("../../e"), "/a/e", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf out = {0};
		bool known;

		buf_init(&out, 256);
		buf_puts(&out, "before/");
		known = path_resolve(&out, cases[i].cwd, cases[i].base, cases[i].name);
		buf_consume(&out, strlen("before/"));
		tap_str(buf_cstr(&out), cases[i].want, "%.*s", (int)cases[i].name.len,
			cases[i].name.ptr);
		tap_int(known, cases[i].known, "%.*s is %sknown", (int)cases[i].name.len,
			cases[i].name.ptr, cases[i].known ? "" : "not ");
	}
}

static void test_bounds(void)
{
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, 8);
	path_resolve(&out, S("/123456"), NO, S("abc"));
	tap_ok(out.failed && out.len <= 8, "a path that is too long for the buffer");
	buf_clear(&out);
	path_resolve(&out, S("/1"), NO, S("../../../../../../../../../../a"));
	tap_bytes(buf_slice(&out), S("/a"), "many steps up");
}

static void test_below(void)
{
	static const struct {
		struct slice path, dir;
		bool is;
	} cases[] = {
		{S("/a/b"), S("/a"), true}, {S("/a"), S("/a"), true}, {S("/ab"), S("/a"), false},
		{S("/"), S("/a"), false},   {S("/a"), S("/"), true},  {S("a/b"), S("/a"), false},
		{NO, S("/a"), false},       {S("/a"), NO, false},     {S("/a/"), S("/a"), true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int(path_is_below(cases[i].path, cases[i].dir), cases[i].is, "below, %zu", i);
}

int main(void)
{
	test_resolve();
	test_bounds();
	test_below();
	return tap_done();
}
