/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The one configuration file, /etc/sessaudit/sessaudit.conf, that module, agent
 * and command line share: one row per option. sessauditd.conf.5 explains them.
 */
#ifndef SA_SETTINGS_H
#define SA_SETTINGS_H

#include <stdbool.h>

#include "common/conf.h"

/* section, name, conf type, C type, default, min, max, help */
#define SETTINGS_OPTIONS(X)                                                                        \
	X(pam, enable, CONF_STRING, char *, NULL, 0, 0,                                            \
	  "users whose keystrokes are recorded, as enable= of pam_tty_audit")                      \
	X(pam, disable, CONF_STRING, char *, NULL, 0, 0,                                           \
	  "users whose keystrokes are not recorded; read after enable")                            \
	X(pam, group, CONF_STRING, char *, NULL, 0, 0,                                             \
	  "comma list of groups whose members' keystrokes are recorded")                           \
	X(pam, open_only, CONF_BOOL, bool, "no", 0, 0,                                             \
	  "do not restore TTY audit at session close")                                             \
	X(pam, log_passwd, CONF_BOOL, bool, "no", 0, 0, "record what is typed with echo off")      \
	X(pam, grants_dir, CONF_LIST, struct conf_list, NULL, 0, 0,                                \
	  "directories of grant files; none: /etc/sessaudit/grants.d, /run/sessaudit/grants.d")    \
	X(capture, commands, CONF_BOOL, bool, "yes", 0, 0, "record every program run")             \
	X(capture, end_grace, CONF_DURATION, int64_t, "3s", 0, 600000,                             \
	  "how long after a logout late events still go before session_end")                       \
	X(capture, backlog_limit, CONF_INT, int64_t, "8192", 0, 1000000,                           \
	  "least backlog_limit of the kernel's audit queue; 0 leaves it alone")                    \
	X(capture, receive_buffer, CONF_SIZE, int64_t, "16MiB", 65536, 1073741824,                 \
	  "socket buffer for audit records")                                                       \
	X(segment, max_age, CONF_DURATION, int64_t, "10s", 1000, 3600000,                          \
	  "a segment with entries is sealed at this age")                                          \
	X(segment, max_bytes, CONF_SIZE, int64_t, "256KiB", 4096, 16777216,                        \
	  "a segment is sealed at this size, uncompressed")                                        \
	X(spool, dir, CONF_PATH, char *, "/var/lib/sessaudit/spool", 0, 0,                         \
	  "where transcripts wait until the store has them")                                       \
	X(spool, sync, CONF_DURATION, int64_t, "1s", 0, 60000,                                     \
	  "longest time between a written entry and its fdatasync")                                \
	X(store, type, CONF_STRING, char *, "dir", 0, 0, "kind of store: dir")                     \
	X(store, dir, CONF_PATH, char *, "/var/lib/sessaudit/store", 0, 0,                         \
	  "the store, for type = dir")                                                             \
	X(store, retry_min, CONF_DURATION, int64_t, "500ms", 10, 60000,                            \
	  "first pause after a failure")                                                           \
	X(store, retry_max, CONF_DURATION, int64_t, "60s", 10, 3600000, "longest pause")           \
	X(agent, run_dir, CONF_PATH, char *, "/run/sessaudit", 0, 0,                               \
	  "run-time state; <run_dir>/ses holds the tag files")                                     \
	X(agent, user, CONF_STRING, char *, "sessaudit", 0, 0, "user of the collector")            \
	X(agent, ship_user, CONF_STRING, char *, "sessaudit-ship", 0, 0, "user of the shipper")    \
	X(agent, log_level, CONF_STRING, char *, "info", 0, 0, "err, warn, info or debug")

struct settings {
#define SETTINGS_FIELD(section, name, type, ctype, def, min, max, help) ctype section##_##name;
	SETTINGS_OPTIONS(SETTINGS_FIELD)
#undef SETTINGS_FIELD
};

#define SETTINGS_DEFAULT_PATH "/etc/sessaudit/sessaudit.conf"

/* Defaults, then the file at path. A missing file is an error only when path was given (not NULL):
 * path NULL means SETTINGS_DEFAULT_PATH if it is there. Cross-field checks included (store.type,
 * log_level, absolute list items). On error out holds usable defaults all the same. */
int settings_load(const char *path, struct settings *out, struct sa_err *err);
void settings_print(const struct settings *s, struct buf *out);
void settings_free(struct settings *s);
/* For the fuzzer and tests: parses text as a settings file. */
int settings_parse(const char *name, struct slice text, struct settings *out, struct sa_err *err);

#endif
