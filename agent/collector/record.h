/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One audit record: its type, its stamp and its fields. Two framings give the
 * same record: a netlink datagram's payload, and a line of a recorded log
 * (auditd raw or enriched, ausearch --raw). Formats: kernel/audit.c
 * (audit_log_vformat, audit_log_n_string), auditd's log_format=ENRICHED.
 *
 * Nothing is copied: a record borrows the bytes it was parsed from.
 */
#ifndef SA_RECORD_H
#define SA_RECORD_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/slice.h"

/* A datagram is at most MAX_AUDIT_MESSAGE_LENGTH (8970); a line of a log may be longer by the
 * enriched tail. Longer ones are refused and counted. */
#define RECORD_MAX_BYTES 65536

/* Only the types the stages name; <linux/audit.h> has them all. */
enum record_type {
	RECORD_LOGIN = 1006,
	RECORD_USER_START = 1105,
	RECORD_USER_END = 1106,
	RECORD_TRUSTED_APP = 1121,
	RECORD_SYSCALL = 1300,
	RECORD_PATH = 1302,
	RECORD_CONFIG_CHANGE = 1305,
	RECORD_SOCKADDR = 1306,
	RECORD_CWD = 1307,
	RECORD_EXECVE = 1309,
	RECORD_OBJ_PID = 1318,
	RECORD_TTY = 1319,
	RECORD_EOE = 1320,
	RECORD_CAPSET = 1322,
	RECORD_PROCTITLE = 1327,
	RECORD_FEATURE_CHANGE = 1328,
	RECORD_KERN_MODULE = 1330,
	RECORD_OPENAT2 = 1337,
	RECORD_ANOM_ABEND = 1701,
};

struct record {
	unsigned type;
	int64_t time_ms;
	uint64_t serial;
	struct slice body;     /* after "audit(...): " */
	struct slice enriched; /* what follows 0x1d, absent when nothing does */
	struct slice node;     /* node=, absent when not there */
};

/* payload: "audit(SEC.MSEC:SERIAL): ..." as the kernel sends it; trailing NULs and LFs are dropped.
 * SA_ERR_INVALID, SA_ERR_TOOBIG. */
int record_parse_payload(unsigned type, struct slice payload, struct record *out);
/* line: "[node=N ]type=NAME msg=audit(...): ...", without the LF. SA_ERR_NOTFOUND for blank lines
 * and ausearch's "----" separators. */
int record_parse_line(struct slice line, struct record *out);

/* Walks `name=value` fields; a word without '=' is passed over. Values are as they stand, quotes
 * included. For msg='...' the value is all between the first and the last quote. */
struct record_fields {
	const char *pos, *end;
};
struct record_fields record_fields(struct slice body);
bool record_next(struct record_fields *f, struct slice *name, struct slice *value);

/* The first field of that name before any msg='; absent when there is none. The kernel writes pid,
 * uid, auid and ses there, out of reach of whoever sent a user message. */
struct slice record_get(struct slice body, const char *name);
/* What stands in msg='...' of a user message; absent when there is none. */
struct slice record_msg(struct slice body);

/* A whole unsigned or signed decimal. */
bool record_u64(struct slice value, uint64_t *out);
bool record_i64(struct slice value, int64_t *out);
/* A uid, ses or auid: unset (4294967295 or -1) and what is not a number give UINT32_MAX. */
uint32_t record_id(struct slice value);
/* Text of an untrusted value: "quoted" loses its quotes, an even run of hex digits is decoded,
 * "(null)", "(none)" and "?" give absent, anything else stays. Decoded bytes are appended to
 * scratch, which must not be grown meanwhile by anyone else (reserve before: the decoded text is
 * never longer than the value). */
struct slice record_text(struct slice value, struct buf *scratch);

#endif
