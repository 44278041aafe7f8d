/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Makes the system fail at the Nth call that changes the disk, in programs linked with
 * -Wl,--wrap= of openat, mkdirat, write, pwrite, ftruncate, fsync, fdatasync, renameat and
 * unlinkat. A write that is hit leaves half of its bytes behind.
 */
#ifndef SA_FAULT_H
#define SA_FAULT_H

#define FAULT_STATUS 77

/* Ends the process with FAULT_STATUS instead of call n (1: the next one), as kill -9 would. */
void fault_kill_at(unsigned long n);
/* Calls n to n + count - 1 fail with errnum. */
void fault_fail_at(unsigned long n, unsigned long count, int errnum);
/* Nothing fails any more. Returns how many calls there were since the last of these three. */
unsigned long fault_off(void);

#endif
