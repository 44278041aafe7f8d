/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel's audit stream, as its one audit daemon (unicast netlink). Opened
 * with privilege, registered and read without.
 */
#ifndef SA_SOURCE_NETLINK_H
#define SA_SOURCE_NETLINK_H

#include "agent/collector/source_file.h"

struct source_netlink;

/* rcvbuf: bytes of socket buffer (SO_RCVBUFFORCE where allowed). SA_ERR_UNSUPPORTED when the kernel
 * has no audit or this is a container. */
int source_netlink_open(int64_t rcvbuf, struct source_netlink **out, struct sa_err *err);
/* Becomes the kernel's audit daemon. SA_ERR_EXISTS names the pid of the one there is. fn gets the
 * records that come meanwhile. */
int source_netlink_register(struct source_netlink *s, source_fn fn, void *ctx, struct sa_err *err);
/* Gives the slot back. */
void source_netlink_unregister(struct source_netlink *s);
void source_netlink_close(struct source_netlink *s);

int source_netlink_fd(const struct source_netlink *s);
/* Gives on all that is waiting, at most SOURCE_NETLINK_TURN records, and returns how many came.
 * *overrun is set when the kernel said that the socket buffer overflowed (ENOBUFS): records are
 * lost. */
#define SOURCE_NETLINK_TURN 4096
size_t source_netlink_read(struct source_netlink *s, source_fn fn, void *ctx, bool *overrun);
const struct source_stats *source_netlink_stats(const struct source_netlink *s);

#endif
