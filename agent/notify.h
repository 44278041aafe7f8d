/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Tells systemd how the service does: the sd_notify(3) protocol, one datagram
 * with VARIABLE=value lines to the socket NOTIFY_SOCKET names. By hand because
 * libsystemd and what it pulls in are not wanted in a process that runs as root
 * (liblzma came into sshd that way). Without NOTIFY_SOCKET nothing is sent.
 */
#ifndef SA_NOTIFY_H
#define SA_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;              /* -1: nobody to tell */
	int64_t watchdog_ms; /* a WATCHDOG=1 is due this often, 0: none is asked for */
	struct sockaddr_un to;
	socklen_t to_len;
};

/* Reads NOTIFY_SOCKET ('/' path or '@' abstract name), WATCHDOG_USEC and WATCHDOG_PID from the
 * environment and removes them there, so that no child speaks for the service. */
void notify_open(struct notify *n);
/* Sends one state, e.g. "READY=1". What cannot be sent is lost, as in sd_notify. */
void notify_send(const struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "RELOADING=1" with the time systemd wants beside it. */
void notify_reloading(const struct notify *n);
void notify_close(struct notify *n);

#endif
