/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Keys and certificates that ssh-keygen (OpenSSH 9.2) made, and the fingerprints that its -l
 * prints:
 *   ssh-keygen -t TYPE -f k; ssh-keygen -t ed25519 -f ca; ssh-keygen -t rsa -b 2048 -f carsa
 *   ssh-keygen -s ca -I REQ-1042/alice -z 18446744073709551615 -n dba,app
 *     -V 20260101000000Z:20270101000000Z -O clear -O force-command=/bin/true
 *     -O source-address=10.0.0.0/8 -O permit-pty -O extension:request-id@sessaudit=REQ-1042
 *     -O extension:approver@sessaudit=bob@example.com k.pub
 *   ssh-keygen -s carsa -I "by rsa" -h -n db1 k.pub                 (ssh_fixture_host)
 * The public keys of the sk types were put together from those of ed25519 and ecdsa256.
 */
#ifndef SA_SSH_FIXTURES_H
#define SA_SSH_FIXTURES_H

#include <stddef.h>

struct ssh_fixture {
	const char *type, *fp, *key, *cert_type, *cert; /* key, cert: base64 */
};

extern const struct ssh_fixture ssh_fixtures[]; /* the first is ed25519 */
extern const size_t ssh_fixtures_len;
/* "<type> <base64>" */
extern const char ssh_fixture_ca[], ssh_fixture_ca_rsa[], ssh_fixture_host[];

#define SSH_FIXTURE_CA_FP "SHA256:shSKo9dgZQZ67hrO0X+lnbUkgqoV7gohHovlGYnmQGw"
#define SSH_FIXTURE_CA_RSA_FP "SHA256:SlnlqT2Y08yCjRyCTd/4Iux0AZkch+hgvAOiNdRg33E"

#endif
