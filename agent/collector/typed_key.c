/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* Keys in the encodings of xterm, rxvt, the VT220 and the Linux console. */
#include "agent/collector/typed_internal.h"
#include "common/cleanup.h"

static bool is_between(char c, unsigned char from, unsigned char to)
{
	return (unsigned char)c >= from && (unsigned char)c <= to;
}

/* ECMA-48: ESC [ parameters (0x30-3f) intermediates (0x20-2f) final (0x40-7e); ESC O x. Returns the
 * bytes the sequence takes; an unfinished one takes all that is left. */
static size_t sequence_length(const char *p, size_t n)
{
	size_t i = 2;

	if (p[1] == '[')
		for (; i < n && is_between(p[i], 0x20, 0x3f); i++)
			;
	/* The Linux console sends ESC [ [ A for F1. */
	if (i == 2 && i < n && p[1] == '[' && p[i] == '[')
		i++;
	return i < n && is_between(p[i], 0x20, 0x7e) ? i + 1 : i;
}

static enum key_code tilde_key(struct slice number)
{
	static const struct {
		const char *number;
		enum key_code code;
	} keys[] = {
		{"1", KEY_HOME},      {"7", KEY_HOME},    {"4", KEY_END},
		{"8", KEY_END},       {"3", KEY_DELETE},  {"5", KEY_PAGE_UP},
		{"6", KEY_PAGE_DOWN}, {"200", KEY_PASTE}, {"201", KEY_PASTE_END},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (slice_is(number, keys[i].number))
			return keys[i].code;
	return KEY_OTHER;
}

/* Modifiers stand before the final: "1;5" is Control, "1;3" Alt; rxvt sends "5" alone. */
static enum key_code letter_key(char final, bool word)
{
	switch (final) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return word ? KEY_WORD_RIGHT : KEY_RIGHT;
	case 'D':
		return word ? KEY_WORD_LEFT : KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	default:
		return KEY_OTHER;
	}
}

static enum key_code sequence_key(struct slice s)
{
	char final = s.ptr[s.len - 1];
	struct slice parameters = {s.ptr + 2, s.len > 2 ? s.len - 3 : 0};

	if (s.len < 3)
		return KEY_OTHER;
	if (s.ptr[1] == 'O')
		return letter_key(final, false);
	if (final == '~')
		return tilde_key(parameters);
	return letter_key(final, slice_ends(parameters, "5") || slice_ends(parameters, "3"));
}

static size_t character_length(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;
	size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1, len = 1;

	while (len < want && len < n && ((unsigned char)p[len] & 0xc0) == 0x80)
		len++;
	return len;
}

static struct key make_key(enum key_code code, struct slice keys, size_t at, size_t len)
{
	return (struct key){code, (unsigned char)keys.ptr[at], {keys.ptr, len}};
}

struct key key_next(struct slice keys, bool meta)
{
	const char *p = keys.ptr;
	struct key k;

	if (!is_between(*p, 0, 0x1f) && *p != DEL)
		return make_key(KEY_TEXT, keys, 0, character_length(p, keys.len));
	if (*p != ESC || keys.len == 1)
		return make_key(KEY_CONTROL, keys, 0, 1);
	if (p[1] == '[' || p[1] == 'O') {
		k = make_key(KEY_OTHER, keys, 0, sequence_length(p, keys.len));
		k.code = sequence_key(k.bytes);
		return k;
	}
	if (p[1] == ESC && keys.len > 2 && (p[2] == '[' || p[2] == 'O')) { /* Alt, on rxvt */
		k = make_key(KEY_OTHER, keys, 0, 1 + sequence_length(p + 1, keys.len - 1));
		k.code = sequence_key((struct slice){p + 1, k.bytes.len - 1});
		if (k.code == KEY_LEFT || k.code == KEY_RIGHT)
			k.code = k.code == KEY_LEFT ? KEY_WORD_LEFT : KEY_WORD_RIGHT;
		return k;
	}
	if (meta && (is_between(p[1], 0x20, 0x7f) || p[1] == CTRL('H')))
		return make_key(KEY_META, keys, 1, 2);
	return make_key(KEY_CONTROL, keys, 0, 1);
}

const char *key_name(enum key_code code)
{
	static const char *const names[] = {
		[KEY_UP] = "<Up>",
		[KEY_DOWN] = "<Down>",
		[KEY_LEFT] = "<Left>",
		[KEY_RIGHT] = "<Right>",
		[KEY_WORD_LEFT] = "<C-Left>",
		[KEY_WORD_RIGHT] = "<C-Right>",
		[KEY_HOME] = "<Home>",
		[KEY_END] = "<End>",
		[KEY_DELETE] = "<Delete>",
		[KEY_PAGE_UP] = "<PageUp>",
		[KEY_PAGE_DOWN] = "<PageDown>",
		[KEY_PASTE] = "<Paste>",
		[KEY_PASTE_END] = "<PasteEnd>",
		[KEY_OTHER] = "<Key>",
	};

	return names[code];
}
