/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Binds a session to the request that approved it: has what an outer service of the
 * same session found, or matches the grants; writes the tag file and sends the tag.
 * Whatever goes wrong on the way is logged and comes down to unapproved.
 */
#ifndef SA_PAM_BIND_H
#define SA_PAM_BIND_H

#include "pam_sessaudit/login.h"
#include "pam_sessaudit/netlink.h"

enum bind_kind {
	BIND_NEW,    /* a session of its own: matched, gets a tag file and a tag */
	BIND_NESTED, /* inside a session: who became whom is sent, no file */
	BIND_AGAIN   /* our line twice in one stack: nothing is left to be done */
};

struct bind {
	enum bind_kind kind;
	struct tagfile file;
	/* Whose session it is, and so whom the policy is about: of a nested service who logged in,
	 * and not who they become. NULL when out of memory. */
	char *owner;
	struct buf text; /* of the tag, as sent */
	struct netlink_request sent;
};

struct bind_setup {
	pam_handle_t *pamh;
	const struct settings *settings;
	const struct login *login;
	bool debug;     /* each grant is looked at and logged */
	bool may_write; /* files in the run directory */
};

/* Fills out with the access context of the login. */
void bind_find(const struct bind_setup *s, struct bind *out);
/* Writes the tag file of a new session; before the tag, which is not believed without it. */
void bind_write(const struct bind_setup *s, const struct bind *b);
/* Asks for the tag to be sent, as far as there is a session and something to say. */
void bind_send(const struct bind_setup *s, struct netlink *nl, struct bind *b);
/* Once that is settled: 0 or a negative errno value. */
int bind_result(const struct bind *b);
void bind_free(struct bind *b);

#endif
