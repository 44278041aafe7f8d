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
	X(pam, ca_dir, CONF_PATH, char *, "/etc/sessaudit/ca.d", 0, 0,                             \
	  "directory of the CA keys whose certificates are believed")                              \
	X(pam, ssh_services, CONF_LIST, struct conf_list, NULL, 0, 0,                              \
	  "services in which SSH_AUTH_INFO_0 is sshd's own word; none: sshd")                      \
	X(policy, on_none, CONF_STRING, char *, "record", 0, 0,                                    \
	  "a login without an accepted status: record it, or deny it")                             \
	X(policy, accept, CONF_STRING, char *, "approved,ambiguous,breakglass", 0, 0,              \
	  "comma list of the statuses that are accepted")                                          \
	X(policy, deny, CONF_LIST, struct conf_list, NULL, 0, 0,                                   \
	  "USER or USER/SERVICE for whom on_none is deny; @GROUP, * and ? work")                   \
	X(policy, record, CONF_LIST, struct conf_list, NULL, 0, 0,                                 \
	  "the same for whom on_none is record; goes before deny")                                 \
	X(policy, exempt, CONF_LIST, struct conf_list, NULL, 0, 0,                                 \
	  "the same who are never denied, which is logged; goes before both")                      \
	X(policy, breakglass, CONF_LIST, struct conf_list, NULL, 0, 0,                             \
	  "the same who may type a reason where no request approves the login")                    \
	X(policy, on_expiry, CONF_STRING, char *, "record", 0, 0,                                  \
	  "when the approval ends during a session: record it, or terminate the session")          \
	X(broker, url, CONF_STRING, char *, NULL, 0, 0,                                            \
	  "https URL that signed grants are pulled from; none: no broker")                         \
	X(broker, keys, CONF_LIST, struct conf_list, NULL, 0, 0,                                   \
	  "Ed25519 public keys (PEM files) that sign grants")                                      \
	X(broker, token_file, CONF_STRING, char *, NULL, 0, 0,                                     \
	  "file with the bearer token; none: no token")                                            \
	X(broker, ca_file, CONF_STRING, char *, NULL, 0, 0,                                        \
	  "certificates to trust (PEM); none: the system's")                                       \
	X(broker, proxy, CONF_STRING, char *, NULL, 0, 0, "proxy URL; none: as https_proxy says")  \
	X(broker, interval, CONF_DURATION, int64_t, "20s", 1000, 3600000,                          \
	  "how often the broker is asked; a fifth more or less, at random")                        \
	X(broker, timeout, CONF_DURATION, int64_t, "10s", 100, 300000,                             \
	  "longest time for one answer")                                                           \
	X(capture, source, CONF_STRING, char *, "auto", 0, 0,                                      \
	  "where records come from: auto, unicast, multicast (beside auditd) or stdin")            \
	X(capture, commands, CONF_BOOL, bool, "yes", 0, 0, "record every program run")             \
	X(capture, exits, CONF_BOOL, bool, "yes", 0, 0, "record how programs end")                 \
	X(capture, network, CONF_BOOL, bool, "yes", 0, 0,                                          \
	  "record connections: connect, accept, bind, sendto")                                     \
	X(capture, files, CONF_BOOL, bool, "yes", 0, 0, "record what is done to files")            \
	X(capture, file_writes, CONF_LIST, struct conf_list, NULL, 0, 0,                           \
	  "files and directories whose changes are recorded; none: those of the system")           \
	X(capture, file_reads, CONF_LIST, struct conf_list, NULL, 0, 0,                            \
	  "files and directories whose reading is recorded too")                                   \
	X(capture, privilege, CONF_BOOL, bool, "yes", 0, 0,                                        \
	  "record changes of user and capabilities, modules, mounts, ptrace")                      \
	X(capture, auth, CONF_BOOL, bool, "yes", 0, 0,                                             \
	  "record what programs say of authentication and accounts")                               \
	X(capture, config, CONF_BOOL, bool, "yes", 0, 0,                                           \
	  "record changes of the audit system's configuration")                                    \
	X(capture, self, CONF_BOOL, bool, "yes", 0, 0,                                             \
	  "record what touches the agent, its files and processes")                                \
	X(capture, rules_check, CONF_DURATION, int64_t, "60s", 1000, 3600000,                      \
	  "how often it is checked that the kernel still has the rules")                           \
	X(capture, queue, CONF_SIZE, int64_t, "64MiB", 1048576, 4294967296,                        \
	  "most memory for records that were read from the kernel and wait")                       \
	X(capture, overload, CONF_STRING, char *, "wait", 0, 0,                                    \
	  "when the queue is full: wait, which slows the host down, or drop, with a gap")          \
	X(capture, end_grace, CONF_DURATION, int64_t, "1s", 0, 600000,                             \
	  "how long after a logout late events still go before session_end")                       \
	X(capture, backlog_limit, CONF_INT, int64_t, "8192", 0, 1000000,                           \
	  "least backlog_limit of the kernel's audit queue; 0 leaves it alone")                    \
	X(capture, receive_buffer, CONF_SIZE, int64_t, "16MiB", 65536, 1073741824,                 \
	  "socket buffer for audit records")                                                       \
	X(redact, enable, CONF_BOOL, bool, "yes", 0, 0,                                            \
	  "replace secrets in arguments and typed text")                                           \
	X(redact, rules_file, CONF_STRING, char *, NULL, 0, 0,                                     \
	  "file with more rules, a POSIX extended regular expression a line; none: no more")       \
	X(redact, key_file, CONF_PATH, char *, "/var/lib/sessaudit/redact.key", 0, 0,              \
	  "key of the hash that stands for a secret; made where it is missing")                    \
	X(segment, max_age, CONF_DURATION, int64_t, "10s", 100, 3600000,                           \
	  "a segment with entries is sealed at this age")                                          \
	X(segment, max_bytes, CONF_SIZE, int64_t, "256KiB", 4096, 16777216,                        \
	  "a segment is sealed at this size, uncompressed")                                        \
	X(spool, dir, CONF_PATH, char *, "/var/lib/sessaudit/spool", 0, 0,                         \
	  "where transcripts wait until the store has them")                                       \
	X(spool, sync, CONF_DURATION, int64_t, "1s", 0, 60000,                                     \
	  "longest time between a written entry and its fdatasync")                                \
	X(spool, max_bytes, CONF_SIZE, int64_t, "10GiB", 0, 0,                                     \
	  "quota of the spool; 0: none but min_free")                                              \
	X(spool, min_free, CONF_SIZE, int64_t, "64MiB", 0, 0,                                      \
	  "left free on the spool's file system for everyone else")                                \
	X(spool, on_full, CONF_STRING, char *, "suspend", 0, 0,                                    \
	  "when the spool is full: suspend recording (a gap says so) or halt the host")            \
	X(store, type, CONF_STRING, char *, "dir", 0, 0, "kind of store: dir or s3")               \
	X(store, dir, CONF_PATH, char *, "/var/lib/sessaudit/store", 0, 0,                         \
	  "the store, for type = dir")                                                             \
	X(store, s3_url, CONF_STRING, char *, NULL, 0, 0,                                          \
	  "the bucket, for type = s3: s3://bucket/prefix, or the ARN of a bucket or access point") \
	X(store, s3_region, CONF_STRING, char *, NULL, 0, 0,                                       \
	  "region of the bucket; none: as the AWS clients find it")                                \
	X(store, s3_endpoint, CONF_STRING, char *, NULL, 0, 0,                                     \
	  "URL of an S3-compatible store; none: AWS")                                              \
	X(store, s3_path_style, CONF_STRING, char *, "auto", 0, 0,                                 \
	  "bucket in the path instead of the host name: auto, yes or no")                          \
	X(store, s3_fips, CONF_BOOL, bool, "no", 0, 0, "use the FIPS endpoints of AWS")            \
	X(store, s3_dualstack, CONF_BOOL, bool, "no", 0, 0,                                        \
	  "use the dual-stack (IPv6) endpoints of AWS")                                            \
	X(store, s3_ca_file, CONF_STRING, char *, NULL, 0, 0,                                      \
	  "certificates to trust (PEM); none: the system's")                                       \
	X(store, s3_proxy, CONF_STRING, char *, NULL, 0, 0,                                        \
	  "proxy URL; none: as https_proxy and http_proxy say")                                    \
	X(store, s3_no_proxy, CONF_STRING, char *, NULL, 0, 0,                                     \
	  "comma list of hosts without a proxy; none: as no_proxy says")                           \
	X(store, s3_profile, CONF_STRING, char *, NULL, 0, 0,                                      \
	  "profile of the AWS credential and config files; none: AWS_PROFILE, else default")       \
	X(store, s3_owner, CONF_STRING, char *, NULL, 0, 0, "account id that must own the bucket") \
	X(store, s3_encryption, CONF_STRING, char *, NULL, 0, 0,                                   \
	  "AES256, aws:kms or aws:kms:dsse; none: as the bucket is set up")                        \
	X(store, s3_kms_key, CONF_STRING, char *, NULL, 0, 0, "KMS key id or ARN")                 \
	X(store, s3_bucket_key, CONF_BOOL, bool, "no", 0, 0,                                       \
	  "ask for an S3 Bucket Key: fewer calls to KMS")                                          \
	X(store, s3_lock_mode, CONF_STRING, char *, NULL, 0, 0,                                    \
	  "COMPLIANCE or GOVERNANCE on each object; none: the bucket's default retention")         \
	X(store, s3_lock_for, CONF_DURATION, int64_t, "365d", 86400000, 3153600000000,             \
	  "retention on each object, with s3_lock_mode")                                           \
	X(store, s3_legal_hold, CONF_BOOL, bool, "no", 0, 0, "put each object under a legal hold") \
	X(store, s3_storage_class, CONF_STRING, char *, NULL, 0, 0,                                \
	  "storage class, as STANDARD_IA; none: the bucket's")                                     \
	X(store, s3_tags, CONF_STRING, char *, NULL, 0, 0,                                         \
	  "object tags: key=value&key=value, percent-encoded")                                     \
	X(store, s3_content_md5, CONF_BOOL, bool, "no", 0, 0,                                      \
	  "send Content-MD5 too, for stores that know no other checksum")                          \
	X(store, session_prefix, CONF_STRING, char *, "sessions/request={request_id}", 0, 0,       \
	  "folder of a session's folder; {request_id} {host} {user} {year} {month} {day}")         \
	X(store, parallel, CONF_INT, int64_t, "8", 1, 64, "objects on their way at a time")        \
	X(store, keep_local, CONF_DURATION, int64_t, "0", 0, 31536000000,                          \
	  "how long a stored object also stays in the spool")                                      \
	X(store, connect_timeout, CONF_DURATION, int64_t, "10s", 100, 300000,                      \
	  "longest time to a connection")                                                          \
	X(store, stall_timeout, CONF_DURATION, int64_t, "30s", 1000, 3600000,                      \
	  "a transfer that moves no byte this long is ended and tried again")                      \
	X(store, retry_min, CONF_DURATION, int64_t, "500ms", 10, 60000,                            \
	  "upper bound of the first pause after a failure; it doubles with each")                  \
	X(store, retry_max, CONF_DURATION, int64_t, "60s", 10, 3600000,                            \
	  "upper bound of any pause")                                                              \
	X(store, quarantine_retry, CONF_DURATION, int64_t, "10m", 1000, 86400000,                  \
	  "how often an object that the store refused is tried again")                             \
	X(agent, run_dir, CONF_PATH, char *, "/run/sessaudit", 0, 0,                               \
	  "run-time state; <run_dir>/ses holds the tag files")                                     \
	X(agent, user, CONF_STRING, char *, "sessaudit", 0, 0, "user of the collector")            \
	X(agent, ship_user, CONF_STRING, char *, "sessaudit-ship", 0, 0, "user of the shipper")    \
	X(agent, grant_user, CONF_STRING, char *, "sessaudit-grant", 0, 0,                         \
	  "user of the process that pulls grants")                                                 \
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
/* As --store of the programs: "s3://..." or an ARN is store.s3_url (type s3), anything else
 * store.dir (type dir). */
int settings_set_store(struct settings *s, const char *where, struct sa_err *err);

/* pam.grants_dir, or what stands for none, as a NULL-ended list; the caller frees the list alone.
 * NULL: out of memory. */
const char **settings_grant_dirs(const struct settings *s);
/* capture.file_writes, or /etc, /boot, /root, /usr/bin, /usr/sbin, /usr/lib and /usr/local; as
 * settings_grant_dirs. */
const char **settings_file_writes(const struct settings *s);
/* pam.ssh_services, or what stands for none, has this PAM service. */
bool settings_is_ssh_service(const struct settings *s, const char *service);

#endif
