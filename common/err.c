/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

int sa_fail(struct sa_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

int sa_fail_errno(struct sa_err *err, const char *fmt, ...)
{
	int saved = errno;
	int code = sa_code_from_errno(saved);
	va_list ap;
	size_t len;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", strerror(saved));
	errno = saved;
	return code;
}

int sa_wrap(struct sa_err *err, int code, const char *fmt, ...)
{
	struct sa_err inner;
	va_list ap;
	size_t len;

	if (!err)
		return code;
	inner = *err;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", inner.msg);
	if (err->code == SA_OK)
		err->code = code; /* the callee gave no message */
	return err->code;
}

int sa_code_from_errno(int errnum)
{
	switch (errnum) {
	case 0:
		return SA_OK;
	case ENOMEM:
		return SA_ERR_NOMEM;
	case EINVAL:
	case ENOTDIR:
	case EISDIR:
		return SA_ERR_INVALID;
	case E2BIG:
	case EFBIG:
	case EMSGSIZE:
	case ENAMETOOLONG:
	case EOVERFLOW:
		return SA_ERR_TOOBIG;
	case ENOENT:
		return SA_ERR_NOTFOUND;
	case EEXIST:
		return SA_ERR_EXISTS;
	case EACCES:
	case EPERM:
	case ELOOP: /* O_NOFOLLOW met a symbolic link */
		return SA_ERR_PERM;
	case EAGAIN:
	case EBUSY:
	case EDQUOT:
	case EINTR:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOSPC:
	case ETIMEDOUT:
		return SA_ERR_AGAIN;
	case ENOSYS:
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
		return SA_ERR_UNSUPPORTED;
	default:
		return SA_ERR_IO;
	}
}
