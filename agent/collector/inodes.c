/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/inodes.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/path.h"
#include "agent/collector/record.h"

struct inode {
	uint64_t inode;
	char dev[12]; /* "fe:00" */
	char *path;   /* NULL: none */
	size_t len;
};

struct inodes {
	struct inode slots[INODES_MAX]; /* each inode has one place */
	size_t n;
};

struct inodes *inodes_new(void)
{
	return calloc(1, sizeof(struct inodes));
}

static void drop(struct inodes *t, struct inode *i)
{
	if (!i->path)
		return;
	free(i->path);
	*i = (struct inode){0};
	t->n--;
}

void inodes_free(struct inodes *t)
{
	for (size_t i = 0; t && i < INODES_MAX; i++)
		free(t->slots[i].path);
	free(t);
}

/* Where this inode is, or would be; NULL when the fields are not what they should be. */
static struct inode *place(const struct inodes *t, struct slice dev, struct slice inode,
			   uint64_t *number)
{
	const struct inode *slots = t->slots;

	if (dev.len == 0 || dev.len >= sizeof(slots->dev) || !record_u64(inode, number))
		return NULL;
	return (struct inode *)&slots[*number * UINT64_C(0x9e3779b97f4a7c15) >> 52];
}

static bool is_at(const struct inode *i, struct slice dev, uint64_t number)
{
	return i->path && i->inode == number && slice_is(dev, i->dev);
}

void inodes_put(struct inodes *t, struct slice dev, struct slice inode, struct slice path)
{
	uint64_t number;
	struct inode *i = place(t, dev, inode, &number);

	if (!i)
		return;
	if (path.len == 0 || path.len > INODES_PATH_MAX) {
		if (is_at(i, dev, number))
			drop(t, i);
		return;
	}
	if (is_at(i, dev, number) && slice_eq(path, (struct slice){i->path, i->len}))
		return;
	drop(t, i);
	i->path = slice_dup(path);
	if (!i->path)
		return;
	i->len = strlen(i->path); /* of a recorded log it may hold NUL */
	i->inode = number;
	memcpy(i->dev, dev.ptr, dev.len);
	i->dev[dev.len] = '\0';
	t->n++;
}

struct slice inodes_find(const struct inodes *t, struct slice dev, struct slice inode)
{
	uint64_t number;
	const struct inode *i = place(t, dev, inode, &number);

	return i && is_at(i, dev, number) ? (struct slice){i->path, i->len} : SLICE_NONE;
}

void inodes_forget(struct inodes *t, struct slice path)
{
	char copy[INODES_PATH_MAX];

	if (path.len == 0 || path.len > sizeof(copy))
		return;
	memcpy(copy, path.ptr, path.len);
	path.ptr = copy;
	for (size_t i = 0; t->n > 0 && i < INODES_MAX; i++)
		if (t->slots[i].path &&
		    path_is_below((struct slice){t->slots[i].path, t->slots[i].len}, path))
			drop(t, &t->slots[i]);
}
