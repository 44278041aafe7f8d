/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/* Which editor read the keys: by the program's name, and by the keys. */
#include "agent/collector/typed_internal.h"

/* A canonical record has its only line end last, and it is \n: the line discipline made one of \r.
 */
static bool is_canonical(struct slice keys)
{
	const char *end = keys.len > 0 ? memchr(keys.ptr, '\n', keys.len) : NULL;

	return end == keys.ptr + keys.len - 1 && !memchr(keys.ptr, '\r', keys.len);
}

enum typed_editor typed_editor_of(struct slice comm, struct slice keys)
{
	static const char *const readline[] = {
		"bash", "rbash",        "psql",      "sqlite3", "gdb",     "python",      "python3",
		"irb",  "ipython3",     "redis-cli", "mongosh", "node",    "ksh93",       "lua",
		"ftp",  "lftp",         "bc",        "ssh",     "telnet",  "mosh-client", "screen",
		"tmux", "tmux: client", "script",    "docker",  "kubectl", "sudo",        NULL};
	static const char *const editline[] = {"mysql", "mariadb", "sftp", "php", NULL};
	static const char *const full_screen[] = {
		"vi",    "vim",   "vim.basic", "vim.tiny", "nvim",   "view",  "less", "more",
		"most",  "top",   "htop",      "nano",     "emacs",  "mc",    "man",  "tig",
		"pager", "nmtui", "dialog",    "whiptail", "ranger", "watch", "joe",  NULL};

	if (slice_starts(comm, "-"))
		comm = (struct slice){comm.ptr + 1, comm.len - 1};
	if (slice_in(comm, full_screen))
		return TYPED_KEYS;
	if (slice_is(comm, "zsh"))
		return TYPED_ZSH;
	if (slice_in(comm, editline))
		return TYPED_EDITLINE;
	if (is_canonical(keys))
		return TYPED_CANONICAL;
	if (slice_in(comm, readline) || slice_starts(comm, "python3") ||
	    memchr(keys.ptr, '\r', keys.len) || memchr(keys.ptr, ESC, keys.len) ||
	    memchr(keys.ptr, DEL, keys.len))
		return TYPED_READLINE;
	return TYPED_CANONICAL;
}

static bool is_end(char c)
{
	return c == '\r' || c == '\n';
}

/* What follows a lone ESC: +1 a command of vi that is no key of emacs, or a change by two letters;
 * -1 a key of emacs that is no command of vi. */
static int escaped(struct slice rest)
{
	char c = rest.ptr[0], next = rest.len > 1 ? rest.ptr[1] : '\0';

	if (strchr("hjkiaAIxXwWeE0$^DCsSBGrRF/|%", c) && c)
		return 1;
	if ((c == 'd' || c == 'c') && next && strchr("dcwWbBeE$0lhft", next) && rest.len > 1)
		return 1;
	if (c >= '1' && c <= '9' && next && strchr("hlwWbBeExX|", next)) /* emacs: that often */
		return 1;
	if (strchr("\177\b", c))
		return -1;
	if (next == ESC && strchr("bfdulc", c) && c) /* M-b M-b */
		return -1;
	return 0;
}

bool typed_looks_vi(struct slice keys)
{
	int votes = 0;

	for (size_t i = 0; i < keys.len;) {
		struct key k = key_next((struct slice){keys.ptr + i, keys.len - i}, false);

		i += k.bytes.len;
		if (k.code != KEY_CONTROL)
			continue;
		if (k.c == ESC && i < keys.len && !is_end(keys.ptr[i]))
			votes += escaped((struct slice){keys.ptr + i, keys.len - i});
		else if (k.c == CTRL('A') || k.c == CTRL('E') || k.c == CTRL('K') ||
			 k.c == CTRL('Y') || k.c == CTRL('B') || k.c == CTRL('F'))
			votes--;
	}
	return votes > 0;
}

enum typed_editor typed_switch(enum typed_editor editor, struct slice text)
{
	text = slice_trim(text, " \t");
	if (editor == TYPED_READLINE && slice_is(text, "set -o vi"))
		return TYPED_READLINE_VI;
	if (editor == TYPED_READLINE_VI && slice_is(text, "set -o emacs"))
		return TYPED_READLINE;
	if (editor == TYPED_ZSH && (slice_is(text, "bindkey -v") || slice_is(text, "set -o vi")))
		return TYPED_ZSH_VI;
	if (editor == TYPED_ZSH_VI &&
	    (slice_is(text, "bindkey -e") || slice_is(text, "set -o emacs")))
		return TYPED_ZSH;
	return editor;
}
