/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fdio.h"
#include "pam_sessaudit/login.h"

#define ID_UNSET UINT32_MAX
#define ID_TEXT_MAX 32

static const char *item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	return pam_get_item(pamh, type, &value) == PAM_SUCCESS ? value : NULL;
}

/* A name could only be turned into an address by asking DNS, which a login must not wait for nor an
 * access decision trust. */
static bool is_numeric(const char *address)
{
	unsigned char any[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, address, any) == 1 || inet_pton(AF_INET6, address, any) == 1;
}

/* The number in a /proc file; unset when there is none (a kernel without audit has no such file).
 */
static uint32_t read_id(const char *path)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned long long v;
	char *end;

	buf_init(&text, ID_TEXT_MAX);
	if (fdio_read_file(AT_FDCWD, path, ID_TEXT_MAX - 1, &text, NULL) < 0 || text.len == 0)
		return ID_UNSET;
	errno = 0;
	v = strtoull(buf_cstr(&text), &end, 10);
	if ((*end && *end != '\n') || errno || v > UINT32_MAX)
		return ID_UNSET;
	return (uint32_t)v;
}

void login_gather(pam_handle_t *pamh, struct login *out)
{
	const char *user = item(pamh, PAM_USER), *service = item(pamh, PAM_SERVICE);
	const char *rhost = item(pamh, PAM_RHOST), *tty = item(pamh, PAM_TTY);

	*out = (struct login){.user = user ? user : "",
			      .service = service ? service : "",
			      .source = rhost && is_numeric(rhost) ? rhost : NULL,
			      .terminal = tty && *tty ? tty : NULL};
	if (gethostname(out->host, sizeof(out->host) - 1) < 0)
		out->host[0] = 0;
	out->ses = read_id("/proc/self/sessionid");
	out->auid = read_id("/proc/self/loginuid");
	out->has_session = out->ses != ID_UNSET && out->auid != ID_UNSET;
	if (boot_id_read(out->boot_id, NULL) < 0)
		out->boot_id[0] = 0;
}
