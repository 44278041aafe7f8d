/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Makes transcripts from a recorded audit log: runs collector and shipper once,
 * one after the other, with a scratch spool between them. Needs no privilege and
 * no running agent.
 */
#ifndef SA_REPLAY_H
#define SA_REPLAY_H

#include "common/err.h"

struct replay {
	const char *libexec;
	const char *file, *store;                /* the log; a directory or s3://... */
	const char *config;                      /* may be NULL, as the rest */
	const char *host, *machine_id, *boot_id; /* of the machine the log comes from */
};

/* The roles' own messages say what went wrong in them; err says which one failed. */
int replay_run(const struct replay *r, struct sa_err *err);

#endif
