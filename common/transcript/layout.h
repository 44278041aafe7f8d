/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Object keys: where in the store what lies. Keys are relative ('/'-separated, no
 * leading one); a store puts its own prefix before them.
 *   sessions/request=<id>/session=<sid>/000000.jsonl.gz ... manifest.json transcript.txt
 *   index/date=2026-11-21/host=<host>/<sid>.start.json  <sid>.end.json
 * No request: request=unapproved. A session that went on after its end gets
 * manifest-2.json, transcript-2.txt, <sid>.end-2.json, and so on (`part`).
 * The folder above session=<sid> can be another (settings store.session_prefix), and a session can
 * have several requests, or learn of one late: then
 *   sessions/request=<id>/session=<sid>/pointer.json
 * says where it is, so that whoever looks for a request always looks in one place.
 */
#ifndef SA_LAYOUT_H
#define SA_LAYOUT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define LAYOUT_SID_SIZE 33  /* 32 hex digits and the NUL */
#define LAYOUT_KEY_MAX 1024 /* bytes of a key, as STORE_MAX_KEY */
#define LAYOUT_KEY_DEPTH 16 /* components, as STORE_MAX_DEPTH */
#define LAYOUT_PREFIX_MAX 256

/* 32 hex digits from what makes a session unique; the same after a restart of the agent: the start
 * of SHA-256("sessaudit-session/1" NUL machine_id NUL boot_id NUL ses in decimal). Ids are cut at
 * 256 bytes. */
void layout_session_id(struct slice machine_id, struct slice boot_id, uint32_t ses,
		       char out[LAYOUT_SID_SIZE]);
bool layout_is_session_id(struct slice s);

#define LAYOUT_DEFAULT_PREFIX "sessions/request={request_id}"

struct layout_facts { /* of a session, for its folder; absent values stand as "unknown" */
	struct slice request_id; /* absent or empty: unapproved */
	struct slice host, user;
	int64_t start_ms; /* UTC; {year} {month} {day} */
	const char *sid;
};
/* SA_ERR_INVALID names what is wrong with a prefix template: an unknown {word}, a brace alone, an
 * empty or leading-dot component, bytes outside [A-Za-z0-9._=/-], over 256 bytes; a place that is
 * taken (index, ledger, probe, session=, and sessions/request= but for {request_id}); one whose
 * keys could be longer or deeper than a store takes. */
int layout_prefix_check(const char *tmpl, struct sa_err *err);
/* The template with its values, percent-encoded, so that none adds a '/'. tmpl has passed
 * layout_prefix_check, or came from here: then it stays as it is. */
void layout_prefix(struct buf *out, const char *tmpl, const struct layout_facts *f);
/* "<prefix>/session=<sid>/" */
void layout_session_dir(struct buf *out, const char *tmpl, const struct layout_facts *f);
/* Can key be the folder of session sid? Whatever layout_session_dir makes is. */
bool layout_is_session_dir(struct slice key, struct slice sid);
/* "sessions/request=<id>/", where a reader looks for a request: real folders and pointers. */
void layout_request_dir(struct buf *out, struct slice request_id);
/* "sessions/request=<id>/session=<sid>/pointer.json" */
void layout_pointer(struct buf *out, struct slice request_id, const char *sid);
void layout_segment_name(struct buf *out, uint32_t segment); /* "000042.jsonl.gz" */
void layout_manifest_name(struct buf *out, unsigned part);   /* part counts from 1 */
void layout_transcript_name(struct buf *out, unsigned part);
void layout_index_start(struct buf *out, int64_t start_ms, struct slice host, const char *sid);
void layout_index_end(struct buf *out, int64_t start_ms, struct slice host, const char *sid,
		      unsigned part);

#endif
