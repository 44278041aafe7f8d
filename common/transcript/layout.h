/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Object keys: where in the store what lies. Keys are relative ('/'-separated, no
 * leading one); a store puts its own prefix before them.
 *   sessions/request=<id>/session=<sid>/000000.jsonl.gz ... manifest.json transcript.txt
 *   index/date=2026-11-21/host=<host>/<sid>.start.json  <sid>.end.json
 * No request: request=unapproved. A session that went on after its end gets
 * manifest-2.json, transcript-2.txt, <sid>.end-2.json, and so on (`part`).
 */
#ifndef SA_LAYOUT_H
#define SA_LAYOUT_H

#include <stdint.h>

#include "common/buf.h"

#define LAYOUT_SID_SIZE 33 /* 32 hex digits and the NUL */

/* 32 hex digits from what makes a session unique; the same after a restart of the agent: the start
 * of SHA-256("sessaudit-session/1" NUL machine_id NUL boot_id NUL ses in decimal). Ids are cut at
 * 256 bytes. */
void layout_session_id(struct slice machine_id, struct slice boot_id, uint32_t ses,
		       char out[LAYOUT_SID_SIZE]);
bool layout_is_session_id(struct slice s);

/* "sessions/request=<enc>/session=<sid>/"; request absent or empty: unapproved. */
void layout_session_dir(struct buf *out, struct slice request_id, const char *sid);
void layout_segment_name(struct buf *out, uint32_t segment); /* "000042.jsonl.gz" */
void layout_manifest_name(struct buf *out, unsigned part);   /* part counts from 1 */
void layout_transcript_name(struct buf *out, unsigned part);
void layout_index_start(struct buf *out, int64_t start_ms, struct slice host, const char *sid);
void layout_index_end(struct buf *out, int64_t start_ms, struct slice host, const char *sid,
		      unsigned part);

#endif
