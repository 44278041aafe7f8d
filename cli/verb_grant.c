/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "cli/grant.h"

static int run(const struct verb *v, const struct cli *cli, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "check") == 0)
		return grant_check(v, cli, argc - 1, argv + 1);
	if (strcmp(what, "import") == 0)
		return grant_import(v, cli, argc - 1, argv + 1);
	return cli_usage(v, "grant takes check or import");
}

const struct verb verb_grant = {
	.name = "grant",
	.arguments = "check|import ...",
	.summary = "explains which grant a login would get; makes a grant of a broker's request",
	.options =
		"    check --user NAME    decides as the PAM module does, and says why; exit status 0\n"
		"                         when the login would have an accepted status\n"
		"                         (an on_none= on the PAM line itself is not seen)\n"
		"      --service NAME     the PAM service [sshd]\n"
		"      --from IP          address of the peer\n"
		"      --host NAME        name of the host [this one]\n"
		"      --cert FILE        the certificate the user logs in with (id_ed25519-cert.pub)\n"
		"      --key FILE         the plain key (id_ed25519.pub)\n"
		"      --group NAME       a group of the user's, several times [as the host says]\n"
		"      --at TIME          when (2026-11-21T01:02:03Z) [now]\n"
		"      --grants DIR       where grants lie, several times [as the settings say]\n"
		"      --ca-dir DIR       where the listed CAs lie [as the settings say]\n"
		"      --json             one JSON object\n"
		"    import --from apono|teleport FILE\n"
		"                         FILE (-: standard input) holds the payload of Apono's webhook\n"
		"                         for requests, or what tctl requests get --format=json prints;\n"
		"                         what is not approved is refused\n"
		"      --user NAME        unix user of the logins, several times (Apono says none,\n"
		"                         Teleport a login hint at most)\n"
		"      --host NAME        host, several times [every host]\n"
		"      --service NAME     PAM service, several times [every service]\n"
		"      --expires-at TIME  end, not after that of the request\n"
		"      --for DURATION     the same from now on (30m, 8h, 2d)\n"
		"      --to DIR           into DIR/<grant id>.json instead of standard output. A request\n"
		"                         that has expired or was withdrawn revokes the grant that is\n"
		"                         there; without one it is refused. Older news than those that\n"
		"                         made the file are refused too\n",
	.run = run,
};
