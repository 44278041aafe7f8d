/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The kernel's audit stream: as its one audit daemon (unicast), or beside that one
 * (multicast), which may lose records where unicast makes the kernel wait. Opened with
 * privilege, registered and read (intake.h) without.
 */
#ifndef SA_SOURCE_NETLINK_H
#define SA_SOURCE_NETLINK_H

#include "agent/collector/source.h"

struct source_netlink;

/* rcvbuf: bytes of socket buffer (SO_RCVBUFFORCE where allowed). SA_ERR_UNSUPPORTED when the kernel
 * has no audit or this is a container. */
int source_netlink_open(int64_t rcvbuf, struct source_netlink **out, struct sa_err *err);
/* Becomes the kernel's audit daemon. SA_ERR_EXISTS: there is one that lives (the kernel asks it).
 * fn gets the records that come meanwhile. Needs CAP_AUDIT_CONTROL. */
int source_netlink_register(struct source_netlink *s, source_fn fn, void *ctx,
			    struct source_stats *stats, struct sa_err *err);
/* Gives the slot back. */
void source_netlink_unregister(struct source_netlink *s);
/* Listens beside whoever is the audit daemon, instead. Needs CAP_AUDIT_READ. */
int source_netlink_join(struct source_netlink *s, struct sa_err *err);
void source_netlink_close(struct source_netlink *s); /* NULL-safe */

int source_netlink_fd(const struct source_netlink *s);

#endif
