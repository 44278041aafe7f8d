/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "tests/unit/tap.h"

static void test_codes(void)
{
	static const struct {
		int errnum, code;
	} cases[] = {
		{0, SA_OK},
		{EIO, SA_ERR_IO},
		{ENOMEM, SA_ERR_NOMEM},
		{EINVAL, SA_ERR_INVALID},
		{EFBIG, SA_ERR_TOOBIG},
		{ENOENT, SA_ERR_NOTFOUND},
		{EEXIST, SA_ERR_EXISTS},
		{EACCES, SA_ERR_PERM},
		{ELOOP, SA_ERR_PERM},
		{ENOSPC, SA_ERR_AGAIN},
		{EDQUOT, SA_ERR_AGAIN},
		{ENOSYS, SA_ERR_UNSUPPORTED},
		{ENXIO, SA_ERR_IO},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tap_int(sa_code_from_errno(cases[i].errnum), cases[i].code, "errno %d",
			cases[i].errnum);
}

static void test_fail(void)
{
	struct sa_err err = {0};

	tap_int(sa_fail(&err, SA_ERR_INVALID, "field %s", "id"), SA_ERR_INVALID, "fail: returns");
	tap_int(err.code, SA_ERR_INVALID, "fail: code");
	tap_str(err.msg, "field id", "fail: message");
	tap_int(sa_fail(NULL, SA_ERR_IO, "x"), SA_ERR_IO, "fail: without err");

	errno = ENOSPC;
	tap_int(sa_fail_errno(&err, "write %d", 7), SA_ERR_AGAIN, "errno: returns");
	tap_int(errno, ENOSPC, "errno: kept");
	tap_str(err.msg, "write 7: No space left on device", "errno: message");
	errno = EPERM;
	tap_int(sa_fail_errno(NULL, "x"), SA_ERR_PERM, "errno: without err");
}

static void test_wrap(void)
{
	struct sa_err err = {0};

	sa_fail(&err, SA_ERR_EXISTS, "inner");
	tap_int(sa_wrap(&err, SA_ERR_IO, "outer %d", 1), SA_ERR_EXISTS, "wrap: keeps the code");
	tap_str(err.msg, "outer 1: inner", "wrap: message");
	tap_int(sa_wrap(NULL, SA_ERR_IO, "x"), SA_ERR_IO, "wrap: without err");

	err = (struct sa_err){0};
	tap_int(sa_wrap(&err, SA_ERR_IO, "x"), SA_ERR_IO,
		"wrap: never turns a failure into success");
}

static void test_long(void)
{
	char big[2048];
	struct sa_err err;

	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	sa_fail(&err, SA_ERR_IO, "%s", big);
	tap_int((long long)strlen(err.msg), sizeof(err.msg) - 1, "long message is cut");
	sa_wrap(&err, SA_ERR_IO, "%s", big);
	tap_int((long long)strlen(err.msg), sizeof(err.msg) - 1, "long context is cut");
	errno = EIO;
	sa_fail_errno(&err, "%s", big);
	tap_int((long long)strlen(err.msg), sizeof(err.msg) - 1, "long errno message is cut");
}

int main(void)
{
	test_codes();
	test_fail();
	test_wrap();
	test_long();
	return tap_done();
}
