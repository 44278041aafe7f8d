/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A login through libpam as some service does it, with what no real service would hand on:
 *
 *   pamlogin [-u USER] [-r RHOST] [-t TTY] [-e NAME=VALUE]... [-p ANSWER]... [-A]
 *            SERVICE [COMMAND [ARG]...]
 *
 *   -e  a variable of the PAM environment, as sshd sets SSH_AUTH_INFO_0
 *   -p  the answer to the next prompt; without one a prompt fails, as in a service that has none
 *   -A  the auth stack too
 *   -F N  a limit on open files, set after the service's own are open
 *
 * Prints `auth CODE`, `open CODE`, `says TEXT` for each message, `asks TEXT` for each prompt and
 * `ses N`. Runs COMMAND inside the session. Exit status: the PAM code, or the command's.
 */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX 16

struct login {
	const char *user, *rhost, *tty, *service;
	const char *env[MAX], *answers[MAX];
	int n_env, n_answers, next;
	bool auth;
	long files;
	char **command;
};

static int answer(struct login *l, const struct pam_message *m, struct pam_response *r)
{
	bool prompt = m->msg_style == PAM_PROMPT_ECHO_ON || m->msg_style == PAM_PROMPT_ECHO_OFF;

	printf("%s %s\n", prompt ? "asks" : "says", m->msg);
	if (!prompt)
		return PAM_SUCCESS;
	if (l->next >= l->n_answers)
		return PAM_CONV_ERR;
	r->resp = strdup(l->answers[l->next++]);
	return r->resp ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp, void *ctx)
{
	int rc = PAM_SUCCESS;

	*resp = calloc((size_t)n, sizeof(**resp));
	if (!*resp)
		return PAM_BUF_ERR;
	for (int i = 0; rc == PAM_SUCCESS && i < n; i++)
		rc = answer(ctx, msg[i], *resp + i);
	if (rc != PAM_SUCCESS) {
		free(*resp);
		*resp = NULL;
	}
	return rc;
}

static int parse(int argc, char **argv, struct login *l)
{
	int c;

	while ((c = getopt(argc, argv, "+u:r:t:e:p:AF:")) != -1) {
		if (c == 'u')
			l->user = optarg;
		else if (c == 'r')
			l->rhost = optarg;
		else if (c == 't')
			l->tty = optarg;
		else if (c == 'e' && l->n_env < MAX)
			l->env[l->n_env++] = optarg;
		else if (c == 'p' && l->n_answers < MAX)
			l->answers[l->n_answers++] = optarg;
		else if (c == 'A')
			l->auth = true;
		else if (c == 'F')
			l->files = atol(optarg);
		else
			return -1;
	}
	if (optind >= argc)
		return -1;
	l->service = argv[optind];
	l->command = argv + optind + 1;
	return 0;
}

static void limit_files(long files)
{
	struct rlimit r = {(rlim_t)files, (rlim_t)files};

	if (files > 0 && setrlimit(RLIMIT_NOFILE, &r) != 0)
		perror("setrlimit");
}

static void print_ses(void)
{
	FILE *f = fopen("/proc/self/sessionid", "re");
	unsigned ses;

	if (f && fscanf(f, "%u", &ses) == 1)
		printf("ses %u\n", ses);
	if (f)
		fclose(f);
}

static int run(char **command)
{
	int status = 0;
	pid_t pid;

	if (!*command)
		return 0;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execvp(*command, command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int session(pam_handle_t *pamh, struct login *l)
{
	int rc, status;

	for (int i = 0; i < l->n_env; i++)
		pam_putenv(pamh, l->env[i]);
	if (l->auth) {
		rc = pam_authenticate(pamh, 0);
		printf("auth %d\n", rc);
		if (rc != PAM_SUCCESS)
			return rc;
	}
	limit_files(l->files);
	rc = pam_open_session(pamh, 0);
	printf("open %d\n", rc);
	print_ses();
	if (rc != PAM_SUCCESS)
		return rc;
	status = run(l->command);
	pam_close_session(pamh, 0);
	return status;
}

int main(int argc, char **argv)
{
	struct login l = {.user = "root"};
	struct pam_conv conv = {converse, &l};
	pam_handle_t *pamh = NULL;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse(argc, argv, &l) < 0)
		return 2;
	if (pam_start(l.service, l.user, &conv, &pamh) != PAM_SUCCESS)
		return 2;
	if (l.rhost)
		pam_set_item(pamh, PAM_RHOST, l.rhost);
	if (l.tty)
		pam_set_item(pamh, PAM_TTY, l.tty);
	rc = session(pamh, &l);
	pam_end(pamh, rc);
	return rc;
}
