/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * What a system call did to files, from its event's PATH and CWD records (kernel/auditsc.c:
 * audit_log_name, __audit_inode, __audit_inode_child). What these say, and what not:
 *
 * - A name is as the program gave it. A relative one belongs to the working directory, or to a
 *   directory that was open (dirfd), whose name no record says. It has the directory's inode: when
 *   an earlier record gave that a name, the path is put together and marked as inferred; else it
 *   stays relative.
 * - A call by descriptor (fchmod) has no name at all, only device and inode; the same holds.
 * - A PARENT's name is the working directory wherever the name has no slash, also when there is
 *   a dirfd. It is looked at only where nothing else is there: a call that failed may leave only
 * the directory in which it was to happen. The path ends in a slash then.
 */
#ifndef SA_FILES_H
#define SA_FILES_H

#include "agent/collector/call.h"
#include "agent/collector/inodes.h"
#include "agent/collector/open_flags.h"
#include "common/buf.h"

struct files_act {
	const char *action;        /* "open" (reading), "write", "create", "rename" ...; static */
	bool changes;              /* all but opening for reading */
	struct slice path, target; /* absent: no record says; valid until files_free */
	struct slice object;       /* the path, or device and inode */
	struct open_flags flags;   /* text "": not open */
	char mode[8];              /* "0644"; "": none */
	bool inferred; /* of path or target: by an inode that had this name, or whose directory had
			*/
	struct buf text;
	struct inodes *known;
};

/* False when the event has no PATH record. Free out in both cases. known, which may be NULL, learns
 * from the event, and is asked where the records have no whole path. */
bool files_read(const struct event *ev, const struct call *call, struct inodes *known,
		struct files_act *out);
/* The first two paths, in the kernel's order, of a call that takes no dirfd (mount, chroot): as
 * path and target. Free out. */
void files_pair(const struct event *ev, struct files_act *out);
void files_free(struct files_act *a);

#endif
