/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Whether events are missing: the kernel numbers them one after the other, but they come
 * interleaved. A number that has not come SERIALS_WAIT_MS after a later one did is missing.
 *
 * What a missing number says (kernel/audit.c, and tried on Linux 6.18 with unicast and
 * multicast, quiet and busy, with never and exclude rules, TTY and user messages: 133,000
 * events, no number left out, none more than 6 places late; nor in the logs of whole guests
 * with 5.10 and 6.12): a number is taken only once the kernel has made a record's buffer,
 * after all filters. So one that does not come is an event that was made and lost later: a
 * socket that overflowed, a queue of the kernel's that was full, a rate limit. Not every
 * loss leaves a hole: where the backlog is full the kernel takes no number, and only its
 * `lost` counter tells. What is lost last is seen with the next event only. Answers to
 * questions take no number. auditd's own records (DAEMON_*) have numbers of its own making,
 * and are not noted.
 *
 * Bounded: SERIALS_WINDOW numbers. Where more than these are open, the oldest are settled
 * at once. Only for live sources (a recorded log may have been filtered).
 */
#ifndef SA_SERIALS_H
#define SA_SERIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIALS_WAIT_MS 3000
#define SERIALS_WINDOW 65536

struct serials;

struct serials *serials_new(void); /* NULL: out of memory */
void serials_free(struct serials *s);
/* The serial of a record and its time. now_ms: monotonic. */
void serials_note(struct serials *s, uint64_t serial, int64_t time_ms, int64_t now_ms);
/* How many are missing since the last call, of those that a later one overtook at least wait_ms ago
 * (SERIALS_WAIT_MS; less when there is no time to wait), and the interval of event time around
 * them; 0: none. */
uint64_t serials_missing(struct serials *s, int64_t wait_ms, int64_t now_ms, int64_t *start_ms,
			 int64_t *end_ms);

#endif
