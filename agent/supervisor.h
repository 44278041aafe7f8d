/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The one process of the agent that stays root: makes the directories, starts
 * collector and shipper, and where the settings ask for them grantd (broker.url)
 * and warden (policy.on_expiry = terminate); restarts the one that dies, kills the
 * one that hangs, and tells systemd. It reads nothing that comes from outside the
 * machine's own configuration.
 */
#ifndef SA_SUPERVISOR_H
#define SA_SUPERVISOR_H

#include "common/err.h"

struct supervisor_options {
	const char *config;  /* path as given, NULL: the default */
	const char *libexec; /* where the roles' executables lie */
	const char *source;  /* instead of capture.source; NULL: as it says */
};

/* Runs until SIGTERM or SIGINT, or until the records on its stdin are at an end, and an orderly end
 * of all roles. Fails only at its start. */
int supervisor_run(const struct supervisor_options *o, struct sa_err *err);

#endif
