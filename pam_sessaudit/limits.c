/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "pam_sessaudit/limits.h"

#define MIB (1024UL * 1024)

static const struct {
	int resource;
	rlim_t least; /* that we want */
} needs[LIMITS] = {
	{RLIMIT_FSIZE, 128 * MIB}, /* the index of the grants is bounded by less */
	{RLIMIT_NOFILE, 1024},
	{RLIMIT_AS, 1024 * MIB},
	{RLIMIT_DATA, 512 * MIB},
};

/* True when there is enough. */
static bool lift(int resource, rlim_t least, struct rlimit *old, bool *lifted)
{
	struct rlimit wanted;

	if (getrlimit(resource, old) < 0)
		return false;
	if (old->rlim_cur >= least)
		return true;
	wanted = (struct rlimit){least, old->rlim_max > least ? old->rlim_max : least};
	*lifted = setrlimit(resource, &wanted) == 0;
	return *lifted;
}

void limits_lift(struct limits *l)
{
	*l = (struct limits){0};
	for (int i = 0; i < LIMITS; i++) {
		bool enough = lift(needs[i].resource, needs[i].least, &l->old[i], &l->lifted[i]);

		if (needs[i].resource == RLIMIT_FSIZE)
			l->may_write = enough;
	}
}

void limits_restore(const struct limits *l)
{
	for (int i = 0; i < LIMITS; i++)
		if (l->lifted[i])
			setrlimit(needs[i].resource, &l->old[i]);
}
