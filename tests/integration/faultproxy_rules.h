/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The rules of faultproxy: which requests meet which fault. One rule a line, the
 * first that fits a request and fires decides; `#` begins a comment:
 *
 *   FAULT [NAME=VALUE]...
 *
 *   refuse         nobody listens; connections that are open end
 *   reset-before   connection reset when the head was read, before the body is
 *   reset-after    ... when the body was read; the server never sees the request
 *   drop-answer    the server does it, then the connection is reset
 *   answer         never reaches the server; status=503 code=SlowDown, [header=NAME:VALUE],
 *                  [date=SECONDS that the Date header is ahead]
 *   garbage        never reaches the server; status=200 with a body that is no XML
 *   hang           ms=MILLISECONDS later goes on as usual, unless the client has gone
 *   drip           the answer comes at bytes=N a second
 *   truncate       the answer ends after bytes=N
 *
 *   method=PUT path=TEXT   only such requests; TEXT is anywhere in the target
 *   every=N first=N p=0.1  only each Nth of them, the first N of them, by chance
 *
 * The file is read again when it is another one: replace it by rename. Counters
 * begin anew then.
 */
#ifndef SA_TEST_FAULTPROXY_RULES_H
#define SA_TEST_FAULTPROXY_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define RULES_MAX 32
#define RULE_TEXT 256 /* longest value, with its end */

/* name, symbol */
#define RULE_FAULTS(X)                                                                             \
	X("pass", PASS) /* no fault */                                                             \
	X("refuse", REFUSE)                                                                        \
	X("reset-before", RESET_BEFORE)                                                            \
	X("reset-after", RESET_AFTER)                                                              \
	X("drop-answer", DROP_ANSWER)                                                              \
	X("answer", ANSWER)                                                                        \
	X("garbage", GARBAGE)                                                                      \
	X("hang", HANG)                                                                            \
	X("drip", DRIP)                                                                            \
	X("truncate", TRUNCATE)

#define RULE_ENUM(name, symbol) FAULT_##symbol,
enum rule_fault { RULE_FAULTS(RULE_ENUM) };
#undef RULE_ENUM

struct rule {
	enum rule_fault fault;
	unsigned status, ms, bytes, every, first;
	int date;
	double p;
	char code[RULE_TEXT], header[RULE_TEXT], method[RULE_TEXT], path[RULE_TEXT];
	unsigned seen; /* requests that it fits, so far */
};

struct rules {
	const char *path;
	uint64_t random; /* state; not 0 */
	struct rule rule[RULES_MAX];
	unsigned n;
	ino_t ino; /* of the file that was read; 0: none */
	struct timespec mtime;
};

const char *rule_name(enum rule_fault fault);
/* Reads the file when it has changed. False when it says something wrong: the line is on stderr. No
 * file: no rules. */
bool rules_refresh(struct rules *r);
/* The rule that this request meets, as a copy; FAULT_PASS when none does. */
struct rule rules_choose(struct rules *r, const char *method, const char *target);
bool rules_refuse(const struct rules *r); /* Is there a `refuse`? */

#endif
