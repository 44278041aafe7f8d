/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * One line per event for the admin, `key=value`, to stderr; under systemd
 * (JOURNAL_STREAM set) with the "<N>" priority prefix that the journal reads.
 * Control bytes in a message are escaped before they reach a terminal or log.
 * Never transcript bytes or credentials. The PAM module does not use this: it
 * has pam_syslog.
 */
#ifndef SA_LOG_H
#define SA_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* ident: a string that outlives the process, e.g. "sessaudit-collector". */
void log_init(const char *ident, enum log_level max_level);
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...) log_msg(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* For lines a remote party can trigger: at most `burst` per minute, then one line that counts
 * the suppressed. `struct log_limit l = {.burst = 10};` static at the call site. */
struct log_limit {
	unsigned burst, seen, suppressed;
	int64_t window_ms;
};
void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
