/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/channels.h"

static void add(struct channels *c, int64_t pid)
{
	c->pids[c->next] = pid;
	c->next = (c->next + 1) % CHANNELS_KNOWN;
}

bool channels_note(struct channels *c, int64_t pid, int64_t ppid, bool own)
{
	bool first = c->parent == 0;

	/* Who starts a program itself is part of a channel: it ran ~/.ssh/rc or xauth before its
	 * shell. */
	if (!first && pid == c->parent) {
		c->parent = ppid;
		add(c, pid);
		return false;
	}
	if (first && own)
		c->parent = ppid;
	if (ppid != c->parent || ppid <= 1) /* of init are all that lost their parents */
		return false;
	for (unsigned i = 0; i < CHANNELS_KNOWN; i++)
		if (c->pids[i] == pid)
			return false;
	add(c, pid);
	return !first;
}
