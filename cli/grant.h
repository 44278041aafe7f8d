/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The two halves of `sessaudit grant`: check explains which grant a login would
 * get, import makes a grant of what an access broker says. argv[0] is the half's
 * name, optind is 1; both return a cli_exit.
 */
#ifndef SA_CLI_GRANT_H
#define SA_CLI_GRANT_H

#include "cli/verb.h"

int grant_check(const struct verb *v, const struct cli *cli, int argc, char **argv);
int grant_import(const struct verb *v, const struct cli *cli, int argc, char **argv);

#endif
