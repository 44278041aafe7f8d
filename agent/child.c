/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/role.h"
#include "common/cleanup.h"
#include "common/log.h"

/* Roles that talk over the network. */
static const char *const child_network[] = {"shipper", "grantd", NULL};
static const char *const child_store[] = {"shipper", NULL};

/*
 * Which variables a role gets: NULL stands for each role, a name without '=' for all that begin so.
 * The others need none of a store or a proxy, and what they do not have they cannot lose.
 */
static const struct {
	const char *const *roles;
	const char *name;
} child_variables[] = {
	{NULL, "PATH="},
	{NULL, "LANG="},
	{NULL, "LC_"},
	{NULL, "TZ="},
	{NULL, "JOURNAL_STREAM="}, /* log.c */
	{NULL, "OPENSSL_CONF="},   /* as a host with FIPS rules sets it */
	{NULL, "ASAN_OPTIONS="},   /* from here on: tests */
	{NULL, "LSAN_OPTIONS="},
	{NULL, "UBSAN_OPTIONS="},
	{NULL, "LLVM_PROFILE_FILE="},
	{NULL, "GCOV_"},
	{NULL, "SA_"},
	{child_store, "AWS_"},
	{child_store, "HOME="},                    /* ~/.aws */
	{child_network, "CREDENTIALS_DIRECTORY="}, /* systemd.exec(5), LoadCredential= */
	{child_network, "SSL_CERT_FILE="},
	{child_network, "SSL_CERT_DIR="},
	{child_network, "http_proxy="}, /* curl knows it in small letters only */
	{child_network, "https_proxy="},
	{child_network, "HTTPS_PROXY="},
	{child_network, "all_proxy="},
	{child_network, "ALL_PROXY="},
	{child_network, "no_proxy="},
	{child_network, "NO_PROXY="},
};

/* NULL: each role. */
static bool child_is_among(const char *role, const char *const *roles)
{
	if (!roles)
		return true;
	while (*roles && strcmp(*roles, role) != 0)
		roles++;
	return *roles != NULL;
}

static bool child_may_see(const char *role, const char *variable)
{
	for (size_t i = 0; i < ARRAY_LEN(child_variables); i++) {
		const char *name = child_variables[i].name;

		if (strncmp(variable, name, strlen(name)) == 0 &&
		    child_is_among(role, child_variables[i].roles))
			return true;
	}
	return false;
}

void child_environment(const char *role, char **env)
{
	char **to = env;

	for (; *env; env++)
		if (child_may_see(role, *env))
			*to++ = *env;
	*to = NULL;
}

static int child_no_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 || dup2(fd, STDIN_FILENO) < 0 ? -1 : 0;
}

/* In the new process. SIGKILL when the supervisor dies: the next supervisor's collector needs the
 * audit stream and the spool for itself, and a role survives being killed at any moment. */
static void child_exec(const char *role, const char *path, const char *const *argv, int keep_fd,
		       pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
	    (strcmp(role, "collector") != 0 && child_no_stdin() != 0) ||
	    (keep_fd >= 0 && fcntl(keep_fd, F_SETFD, 0) != 0))
		_exit(126);
	child_environment(role, environ);
	execve(path, (char *const *)argv, environ);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

int child_spawn(const char *role, const char *path, const char *const *argv, int keep_fd,
		pid_t *out, struct sa_err *err)
{
	pid_t self = getpid(), pid = fork();

	if (pid < 0)
		return sa_fail_errno(err, "fork");
	if (pid == 0)
		child_exec(role, path, argv, keep_fd, self);
	*out = pid;
	return 0;
}

void child_cause(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}

void child_init(struct child *c, const char *name)
{
	*c = (struct child){.name = name, .wanted = true, .beat_fd = -1};
}

/* The next pause is twice this one, unless the role was well for a while. */
static void child_back_off(struct child *c, int64_t now_ms)
{
	if (c->backoff_ms == 0 || (c->ready && now_ms - c->started_ms >= CHILD_HEALTHY_MS))
		c->backoff_ms = CHILD_BACKOFF_MIN_MS;
	else if ((c->backoff_ms *= 2) > CHILD_BACKOFF_MAX_MS)
		c->backoff_ms = CHILD_BACKOFF_MAX_MS;
	c->restart_ms = now_ms + c->backoff_ms;
}

static int child_try_start(struct child *c, const char *path, const char *config,
			   struct sa_err *err)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	const char *argv[8] = {path};
	int fds[2], n = 1;
	char number[16];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return sa_fail_errno(err, "pipe");
	ours = fds[0];
	theirs = fds[1];
	snprintf(number, sizeof(number), "%d", theirs);
	if (config) {
		argv[n++] = "--config";
		argv[n++] = config;
	}
	if (c->option) {
		argv[n++] = c->option;
		argv[n++] = c->value;
	}
	argv[n++] = "--beat-fd";
	argv[n] = number;
	if (child_spawn(c->name, path, argv, theirs, &c->pid, err) != 0)
		return err ? err->code : SA_ERR_IO;
	c->beat_fd = TAKE_FD(ours);
	return 0;
}

int child_start(struct child *c, const char *path, const char *config, int64_t now_ms,
		struct sa_err *err)
{
	int rc = child_try_start(c, path, config, err);

	c->ready = c->stopping = c->halt = false;
	c->started_ms = c->beat_ms = now_ms;
	if (rc != 0)
		child_back_off(c, now_ms);
	return rc;
}

static void child_on_beat(struct child *c, int64_t now_ms)
{
	c->ready = true;
	c->beat_ms = now_ms;
}

static void child_on_halt(struct child *c, int64_t now_ms)
{
	child_on_beat(c, now_ms);
	c->halt = true;
}

/* Who may send what; NULL: each role. */
static const struct child_message {
	char byte;
	const char *role;
	void (*handle)(struct child *c, int64_t now_ms);
} child_messages[] = {
	{ROLE_BEAT, NULL, child_on_beat},
	{ROLE_HALT, "collector", child_on_halt},
};

static void child_message(struct child *c, char byte, int64_t now_ms)
{
	static struct log_limit limit = {.burst = 5};

	for (size_t i = 0; i < ARRAY_LEN(child_messages); i++) {
		const struct child_message *m = &child_messages[i];

		if (m->byte == byte && (!m->role || strcmp(m->role, c->name) == 0)) {
			m->handle(c, now_ms);
			return;
		}
	}
	log_limited(&limit, LOG_LEVEL_ERR, "role=%s pid=%d event=protocol-error byte=0x%02x",
		    c->name, (int)c->pid, (unsigned)(unsigned char)byte);
}

void child_beats(struct child *c, int64_t now_ms)
{
	char bytes[64];
	ssize_t n;

	while ((n = read(c->beat_fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			child_message(c, bytes[i], now_ms);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Closed: it is dying, or will count as silent. */
	close(c->beat_fd);
	c->beat_fd = -1;
}

void child_ended(struct child *c, int status, int64_t now_ms)
{
	pid_t pid = c->pid;

	child_cause(status, c->cause, sizeof(c->cause));
	child_back_off(c, now_ms);
	if (WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_CONFIG)
		c->restart_ms = now_ms + CHILD_BACKOFF_MAX_MS;
	if (c->stopping)
		log_info("role=%s pid=%d event=stopped cause=\"%s\"", c->name, (int)pid, c->cause);
	else
		log_err("role=%s pid=%d event=died cause=\"%s\" restart_in_ms=%d", c->name,
			(int)pid, c->cause, (int)(c->restart_ms - now_ms));
	if (c->beat_fd >= 0)
		close(c->beat_fd);
	c->beat_fd = -1;
	c->pid = 0;
	c->ready = false;
}

bool child_due(const struct child *c, int64_t now_ms)
{
	return c->wanted && c->pid == 0 && now_ms >= c->restart_ms;
}

bool child_healthy(const struct child *c, int64_t now_ms)
{
	return !c->wanted || (c->pid != 0 && c->ready && now_ms - c->beat_ms < CHILD_SILENT_MS);
}

bool child_silent(const struct child *c, int64_t now_ms)
{
	return c->pid != 0 && now_ms - c->beat_ms >= CHILD_SILENT_MS;
}
