/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/procs.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536 /* a power of two: as many as there are processes */
#define REMOVED 64    /* several sources tell of one end within moments */
#define LEAST 256     /* nodes */

struct node {
	struct proc proc;
	uint32_t next; /* of the same bucket: its place + 1 */
	bool gone;
};

/* Nodes stand in the order of their start, and those that are gone leave holes, until the array is
 * full: then the others close up. A storm of processes so walks through memory in order. */
struct procs {
	struct node *nodes;
	uint32_t used, cap;
	size_t n;               /* that are not gone */
	uint32_t hash[BUCKETS]; /* place + 1 of the first */
	int64_t removed[REMOVED];
	size_t next_removed; /* of removed, to be overwritten */
};

struct procs *procs_new(void)
{
	return calloc(1, sizeof(struct procs));
}

void procs_free(struct procs *p)
{
	if (p)
		free(p->nodes);
	free(p);
}

static uint32_t *bucket(struct procs *p, int64_t pid)
{
	return &p->hash[(uint64_t)pid & (BUCKETS - 1)];
}

/* What leads to the pid's node, or is 0 where it would be. */
static uint32_t *place(struct procs *p, int64_t pid)
{
	uint32_t *at = bucket(p, pid);

	while (*at && p->nodes[*at - 1].proc.pid != pid)
		at = &p->nodes[*at - 1].next;
	return at;
}

static void drop(struct procs *p, uint32_t *at)
{
	struct node *n = &p->nodes[*at - 1];

	*at = n->next;
	n->gone = true;
	p->n--;
}

static void add(struct procs *p, const struct proc *proc)
{
	uint32_t *at = bucket(p, proc->pid);

	p->nodes[p->used] = (struct node){.proc = *proc, .next = *at};
	*at = ++p->used;
}

/* Closes up; the oldest ones are forgotten. */
static void close_up(struct procs *p, size_t oldest)
{
	uint32_t used = p->used;

	memset(p->hash, 0, sizeof(p->hash));
	p->used = 0;
	p->n -= oldest;
	for (uint32_t i = 0; i < used; i++) {
		struct proc proc = p->nodes[i].proc;

		if (p->nodes[i].gone)
			continue;
		if (oldest > 0)
			oldest--;
		else
			add(p, &proc);
	}
}

static bool resize(struct procs *p, uint32_t cap)
{
	struct node *nodes = realloc(p->nodes, cap * sizeof(*nodes));

	if (!nodes)
		return false;
	p->nodes = nodes;
	p->cap = cap;
	return true;
}

/* A quarter of the array is free after that, so that it is seldom. */
static bool make_room(struct procs *p)
{
	size_t most = p->cap - p->cap / 4;

	if (p->used < p->cap)
		return true;
	if (p->n > most && p->cap < PROCS_MAX && resize(p, p->cap * 2))
		return true;
	if (p->cap == 0)
		return resize(p, LEAST);
	close_up(p, p->n > most ? p->n - most : 0);
	if (p->n < p->cap / 8 && p->cap > LEAST)
		resize(p, p->cap / 2);
	return true;
}

void procs_put(struct procs *p, const struct proc *proc)
{
	uint32_t *at = place(p, proc->pid);

	if (*at)
		drop(p, at);
	if (!make_room(p))
		return;
	add(p, proc);
	p->n++;
}

struct proc *procs_find(struct procs *p, int64_t pid)
{
	uint32_t at = *place(p, pid);

	return at ? &p->nodes[at - 1].proc : NULL;
}

void procs_remove(struct procs *p, int64_t pid)
{
	uint32_t *at = place(p, pid);

	if (*at)
		drop(p, at);
	p->removed[p->next_removed] = pid;
	p->next_removed = (p->next_removed + 1) % REMOVED;
}

bool procs_removed(const struct procs *p, int64_t pid)
{
	for (size_t i = 0; i < REMOVED; i++)
		if (p->removed[i] == pid)
			return true;
	return false;
}

void procs_forget(struct procs *p, uint32_t ses)
{
	for (uint32_t i = 0; i < p->used; i++)
		if (!p->nodes[i].gone && p->nodes[i].proc.ses == ses)
			drop(p, place(p, p->nodes[i].proc.pid));
}

size_t procs_count(const struct procs *p)
{
	return p->n;
}
