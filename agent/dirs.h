/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The directories the agent works in, made by the supervisor before the roles
 * start. Their owners and modes are what lets the roles meet in the spool and
 * nowhere else. Below a directory that belongs to a role no symbolic link is
 * followed: root must not be led elsewhere.
 */
#ifndef SA_DIRS_H
#define SA_DIRS_H

#include "common/settings.h"

/* Makes what is missing; as root also puts owners and modes right:
 *   <run_dir>           0755 root:root
 *   <run_dir>/ses       2770 root:<group of user>, and files in it that root owns get that group
 *   <run_dir>/ship      0755 ship_user: what the shipper tells about itself
 *   <run_dir>/collect   0755 user: what the collector does
 *   <run_dir>/grants.d  0755 root:root; with a broker 1775 root:<group of grant_user>: grantd
 * writes there, but can neither change nor remove what root wrote <run_dir>/grantd    0755
 * grant_user: what grantd remembers and tells about itself; only with a broker, as is the need for
 * that user <spool>             0750 user:<group of ship_user> <spool>/state       0700 user
 *   <spool>/{open,tmp}  2700 user:<group of ship_user>: what is made here keeps that group when it
 *                       moves to ready/, so that the shipper can read it
 *   <spool>/{ready,quarantine,sent}  2770 user:<group of ship_user>
 *   <spool>/ship        0700 ship_user
 *   <spool>/news        a FIFO, 0640 user:<group of ship_user>: the collector writes, the shipper
 *                       reads; what else has that name is removed; failing here is only logged
 *   <store>             0750 ship_user, only when missing; failing there is only logged
 * As another user it just makes them. SA_ERR_NOTFOUND for a user that does not exist. */
int dirs_make(const struct settings *s, struct sa_err *err);

#endif
