/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/layout.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/escape.h"

#define ID_MAX 256 /* a machine id has 32 bytes, a boot id 36 */

struct seed {
	char data[2 * ID_MAX + 64];
	size_t len;
};

static void seed_add(struct seed *s, struct slice part)
{
	size_t n = part.len < ID_MAX ? part.len : ID_MAX;

	if (n > 0)
		memcpy(s->data + s->len, part.ptr, n);
	s->len += n;
}

void layout_session_id(struct slice machine_id, struct slice boot_id, uint32_t ses,
		       char out[LAYOUT_SID_SIZE])
{
	char hex[DIGEST_HEX_SIZE], decimal[16];
	struct seed s = {.len = 0};

	snprintf(decimal, sizeof(decimal), "%lu", (unsigned long)ses);
	seed_add(&s, SLICE_LIT("sessaudit-session/1\0"));
	seed_add(&s, machine_id);
	seed_add(&s, SLICE_LIT("\0"));
	seed_add(&s, boot_id);
	seed_add(&s, SLICE_LIT("\0"));
	seed_add(&s, slice_of(decimal));
	digest_hex((struct slice){s.data, s.len}, hex);
	memcpy(out, hex, LAYOUT_SID_SIZE - 1);
	out[LAYOUT_SID_SIZE - 1] = '\0';
}

bool layout_is_session_id(struct slice s)
{
	if (!s.ptr || s.len != LAYOUT_SID_SIZE - 1)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

void layout_request_dir(struct buf *out, struct slice request_id)
{
	buf_puts(out, "sessions/request=");
	if (request_id.len > 0)
		escape_key_part(out, request_id);
	else
		buf_puts(out, "unapproved");
	buf_putc(out, '/');
}

void layout_pointer(struct buf *out, struct slice request_id, const char *sid)
{
	layout_request_dir(out, request_id);
	buf_printf(out, "session=%s/pointer.json", sid);
}

void layout_segment_name(struct buf *out, uint32_t segment)
{
	buf_printf(out, "%06lu.jsonl.gz", (unsigned long)segment);
}

/* "<stem><suffix>" for part 1, "<stem>-2<suffix>" and so on for what came later. */
static void part_name(struct buf *out, const char *stem, unsigned part, const char *suffix)
{
	buf_puts(out, stem);
	if (part > 1)
		buf_printf(out, "-%u", part);
	buf_puts(out, suffix);
}

void layout_manifest_name(struct buf *out, unsigned part)
{
	part_name(out, "manifest", part, ".json");
}

void layout_transcript_name(struct buf *out, unsigned part)
{
	part_name(out, "transcript", part, ".txt");
}

static void index_dir(struct buf *out, int64_t start_ms, struct slice host)
{
	char when[CLOCK_TEXT_SIZE];

	clock_format_utc(start_ms, when);
	buf_printf(out, "index/date=%.10s/host=", when);
	if (host.len > 0)
		escape_key_part(out, host);
	else
		buf_puts(out, "unknown");
	buf_putc(out, '/');
}

void layout_index_start(struct buf *out, int64_t start_ms, struct slice host, const char *sid)
{
	index_dir(out, start_ms, host);
	buf_printf(out, "%s.start.json", sid);
}

void layout_index_end(struct buf *out, int64_t start_ms, struct slice host, const char *sid,
		      unsigned part)
{
	index_dir(out, start_ms, host);
	buf_puts(out, sid);
	part_name(out, ".end", part, ".json");
}
