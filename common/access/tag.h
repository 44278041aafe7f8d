/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The tag: an AUDIT_TRUSTED_APP (1121) user message that binds a session to its
 * access context. The kernel puts pid, uid, auid and ses before it, which is what
 * makes it evidence; see kernel/audit.c audit_log_user_recv_msg. It is
 *   op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req="REQ-1042" ...
 * Values made only of [A-Za-z0-9._:@/+,=-] are quoted, all others hex (upper case,
 * unquoted), as libauparse decodes them.
 * sa_appr lists the approvals as by|type|status|at, joined by ',', sa_cand the candidates, joined
 * by
 * ','; inside the parts of both '%', '|' and ',' are %25, %7C, %2C. Fields that are not known are
 * left out. Ours stand together: the first field that is not sa_* ends them, and a field given
 * twice makes the tag broken.
 * op=sessaudit-nest is the same for a service inside a session that has its tag already (sudo,
 * su): it says who became whom, and binds nothing.
 */
#ifndef SA_TAG_H
#define SA_TAG_H

#include "common/access/access.h"
#include "common/buf.h"

/* Kernel limit 8560 (AUDIT_MESSAGE_TEXT_MAX) less what libaudit and the kernel add. */
#define TAG_MAX_BYTES 7000

enum tag_kind { TAG_BIND, TAG_NEST };

struct tag {
	enum tag_kind kind;
	struct access access;
	char *user;     /* PAM_USER: who logs in; of TAG_NEST who it becomes */
	char *from;     /* TAG_NEST: who asks for it */
	char *service;  /* PAM service name */
	char *source;   /* numeric peer address or NULL */
	char *terminal; /* PAM_TTY or NULL */
	bool truncated; /* a field was cut at its cap; the tag file holds it whole */
};

/* The message text, at most TAG_MAX_BYTES whatever the fields hold: each field has a cap and is cut
 * at a UTF-8 boundary, then sa_cut=1 is added. */
int tag_encode(const struct tag *t, struct buf *out);
/* Reads a message (with or without what libaudit appends). SA_ERR_INVALID when it is not ours
 * (no op=sessaudit-...) or broken. Fuzzed. */
int tag_decode(struct slice msg, struct tag *out);
void tag_free(struct tag *t);
/* One value as it stands after '=': quoted, or hex. */
void tag_put_value(struct buf *out, struct slice value);

#endif
