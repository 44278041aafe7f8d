/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Processes that a signal ended. The audit system is silent about them unless a core is
 * written (ANOM_ABEND); the kernel's process connector (drivers/connector/cn_proc.c) tells
 * them all. A socket filter lets only deaths by signal through, so that nothing is woken by
 * the others. Opened as root, before privileges are dropped. Where it is not to be had, the
 * signal of such a program is not known.
 */
#ifndef SA_SOURCE_DEATHS_H
#define SA_SOURCE_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

struct death {
	int64_t pid;
	unsigned signal;
	int64_t time_ms; /* UTC */
};

struct source_deaths;

/* SA_ERR_UNSUPPORTED: this kernel has no process events, or this is a container; SA_ERR_PERM. */
int source_deaths_open(struct source_deaths **out, struct sa_err *err);
void source_deaths_close(struct source_deaths *s); /* NULL-safe */
int source_deaths_fd(const struct source_deaths *s);
/* Calls fn with each that waits; false when some were lost (ENOBUFS). */
bool source_deaths_read(struct source_deaths *s, void (*fn)(void *ctx, const struct death *d),
			void *ctx);

/* One message of the connector, from the sender with this nl_pid: true when it tells that a process
 * (not one of its threads) died by a signal. The kernel's clock was mono_ns when the host's was
 * real_ms. */
bool source_deaths_parse(uint32_t from, struct slice message, int64_t mono_ns, int64_t real_ms,
			 struct death *out);

#endif
