/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdlib.h>

#include "agent/collector/redact_internal.h"

#define ASKS_ANY 0x80 /* whatever ends the line */
#define ASKS_LINES 0x7f
#define COOKED_LINES 5 /* a wrong one is asked for again, ssh asks about the host before */
#define ONE_LINE 1     /* the next one may well be a command */
#define MANY_LINES 3   /* the old one, the new one twice */

/* Options that make a program not ask. */
static bool is_silent(const struct redact_program *p, const struct slice *w, size_t n)
{
	if (strcmp(p->name, "sudo") == 0)
		return redact_has_option(w, n, "-n");
	if (strcmp(p->name, "ssh") == 0 || strcmp(p->name, "scp") == 0)
		for (size_t i = 1; i < n; i++)
			if (slice_ends(w[i], "BatchMode=yes"))
				return true;
	return false;
}

static bool is_whole(const struct slice *w, size_t n, const char *a, const char *b)
{
	for (size_t i = 1; i < n; i++)
		if (slice_is(w[i], a) || slice_is(w[i], b))
			return true;
	return false;
}

/* Some only ask when they are told to: mysql -p, psql -W, ldapsearch -W, vault login ... */
static bool asks(const struct redact_program *p, const struct slice *w, size_t n)
{
	static const char *const login[] = {"vault",  "docker",  "podman", "buildah",
					    "skopeo", "nerdctl", "helm",   "oras",
					    "oc",     "cf",      "npm",    NULL};

	if (!(p->kind & REDACT_ASKS) || is_silent(p, w, n))
		return false;
	if (p->attached)
		return is_whole(w, n, "-p", "--password");
	if (slice_starts(slice_of(p->name), "ldap") || slice_starts(slice_of(p->name), "pg_") ||
	    strcmp(p->name, "psql") == 0)
		return redact_has_option(w, n, "-W") || is_whole(w, n, "-W", "--password");
	if (strcmp(p->name, "read") == 0)
		return redact_has_option(w, n, "-s");
	if (slice_starts(slice_of(p->name), "ansible"))
		return redact_has_option(w, n, "-K") || redact_has_option(w, n, "-k") ||
		       redact_has_option(w, n, "--ask-become-pass") ||
		       redact_has_option(w, n, "--ask-pass") ||
		       redact_has_option(w, n, "--ask-vault-pass");
	if (strcmp(p->name, "redis-cli") == 0)
		return redact_has_option(w, n, "--askpass");
	if (strcmp(p->name, "nmcli") == 0)
		return is_whole(w, n, "--ask", "-a");
	for (const char *const *l = login; *l; l++)
		if (strcmp(p->name, *l) == 0)
			return is_whole(w, n, "login", "unseal");
	return true;
}

/* How many lines may be passwords, for one program. A database client that takes no password ends,
 * and what it reads after the prompt can be cooked lines too. */
static unsigned lines_of(const struct redact_program *p, bool raw)
{
	if (p->kind & REDACT_READS_LOGIN)
		return ASKS_LINES; /* each of them */
	if (p->kind & REDACT_ASKS_MANY)
		return MANY_LINES;
	return raw || (p->kind & REDACT_NO_NEXT) ? ONE_LINE : COOKED_LINES;
}

static redact_asks state_of(const struct redact_step *steps, size_t n_steps, const struct slice *w,
			    size_t n, bool relayed)
{
	unsigned most[2] = {0}; /* cooked, raw */

	for (size_t k = 0; k < n_steps; k++) {
		const struct redact_program *p = steps[k].program;
		bool raw = relayed || (p->kind & REDACT_ASKS_RAW);
		unsigned lines = asks(p, w + steps[k].at, n - steps[k].at) ? lines_of(p, raw) : 0;

		if (lines > most[raw])
			most[raw] = lines;
		relayed |= (p->kind & REDACT_RELAYS) != 0;
	}
	return (redact_asks)(most[1] ? most[1] | ASKS_ANY : most[0]);
}

redact_asks redact_program_asks(struct slice exe, const struct slice *argv, size_t argc)
{
	struct redact_step steps[REDACT_MAX_STEPS];
	size_t n = redact_steps(exe, argv, argc, steps);

	return state_of(steps, n, argv, argc, false);
}

static void see_read(void *ctx, const struct slice *w, size_t n)
{
	static const char *const raw[] = {"-n", "-N", "-e", "-d", "-k", NULL};
	redact_asks *state = ctx;

	if (n == 0 || !slice_is(w[0], "read") || !redact_has_option(w, n, "-s"))
		return;
	for (const char *const *o = raw; *o; o++)
		if (redact_has_option(w, n, *o))
			*state = ASKS_ANY | ONE_LINE;
}

static void see_command(void *ctx, const struct slice *w, size_t n)
{
	struct redact_step steps[REDACT_MAX_STEPS];
	size_t n_steps = redact_steps(SLICE_NONE, w, n, steps);
	redact_asks *most = ctx, one = state_of(steps, n_steps, w, n, true);

	if (one > *most)
		*most = one;
}

static redact_asks asks_of_line(struct slice line,
				void (*fn)(void *ctx, const struct slice *w, size_t n))
{
	struct redact_chunk *scratch = NULL;
	redact_asks most = 0;

	redact_each_command(&scratch, line, fn, &most);
	redact_wipe(&scratch);
	return most;
}

redact_asks redact_line_asks(struct slice line)
{
	return asks_of_line(line, see_command);
}

redact_asks redact_shell_asks(struct slice line)
{
	return asks_of_line(line, see_read);
}

bool redact_is_answer(redact_asks *state, struct slice raw)
{
	if (!(*state & ASKS_LINES))
		return false;
	if (!(*state & ASKS_ANY) && raw.len > 0 && raw.ptr[raw.len - 1] == '\r') {
		*state = 0;
		return false;
	}
	*state = (redact_asks)((*state & ASKS_ANY) | ((*state & ASKS_LINES) - 1));
	return true;
}
