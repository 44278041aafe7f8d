/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <security/pam_modutil.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/access/auth_info.h"
#include "common/cleanup.h"
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
	char bare[INET6_ADDRSTRLEN] = "";
	size_t n = strcspn(address, "%");

	/* fe80::1%eth0: the interface of a link-local address. */
	if (address[n] && n < sizeof(bare) && strlen(address + n + 1) < IF_NAMESIZE) {
		memcpy(bare, address, n);
		return inet_pton(AF_INET6, bare, any) == 1;
	}
	return inet_pton(AF_INET, address, any) == 1 || inet_pton(AF_INET6, address, any) == 1;
}

/* The number in a /proc file; unset when there is none (a kernel without audit has no such file).
 */
static uint32_t read_id(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char text[ID_TEXT_MAX], *end;
	unsigned long long v;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return ID_UNSET;
	text[n] = 0;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (end == text || (*end && *end != '\n') || errno || v > UINT32_MAX)
		return ID_UNSET;
	return (uint32_t)v;
}

/* What only sshd knows. Elsewhere a variable of that name would be anybody's. */
static void gather_ssh(pam_handle_t *pamh, struct login *out)
{
	const char *info = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	const char *connection = pam_getenv(pamh, "SSH_CONNECTION");
	size_t n = connection ? strcspn(connection, " ") : 0;

	/* One byte beyond the bound shows that there is more, which is then refused. */
	if (info)
		out->auth_info = (struct slice){info, strnlen(info, AUTH_INFO_MAX_BYTES + 1)};
	if (out->source || n == 0 || n >= sizeof(out->address))
		return;
	memcpy(out->address, connection, n);
	out->address[n] = 0;
	if (is_numeric(out->address))
		out->source = out->address;
}

void login_gather(pam_handle_t *pamh, const struct settings *settings, struct login *out)
{
	const char *user = item(pamh, PAM_USER), *service = item(pamh, PAM_SERVICE);
	const char *rhost = item(pamh, PAM_RHOST), *tty = item(pamh, PAM_TTY);

	*out = (struct login){.user = user ? user : "",
			      .service = service ? service : "",
			      .source = rhost && is_numeric(rhost) ? rhost : NULL,
			      .terminal = tty && *tty ? tty : NULL};
	out->is_ssh = settings_is_ssh_service(settings, out->service);
	if (out->is_ssh)
		gather_ssh(pamh, out);
	if (gethostname(out->host, sizeof(out->host) - 1) < 0)
		out->host[0] = 0;
	out->ses = read_id("/proc/self/sessionid");
	out->auid = read_id("/proc/self/loginuid");
	out->has_session = out->ses != ID_UNSET && out->auid != ID_UNSET;
	out->asker = out->has_session ? (uid_t)out->auid : getuid();
	if (boot_id_read(out->boot_id, NULL) < 0)
		out->boot_id[0] = 0;
}

void login_leave_session(struct login *login)
{
	login->has_session = false;
	login->asker = getuid();
}

bool login_in_group(void *ctx, const char *user, const char *group)
{
	return pam_modutil_user_in_group_nam_nam(ctx, user, group) == 1;
}
