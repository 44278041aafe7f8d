/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * pambench CONFDIR SESDIR ROUNDS USER SERVICE[@FILE]...: what opening and closing a
 * session costs in each PAM service, in turn, and how much that is over the first one.
 *
 * Each time: a new audit session (as pam_loginuid makes it), a fresh handle, open,
 * close. Handles are not used again: pam_modutil keeps every look-up on the handle and
 * searches it. One handle of each service stays open, so that modules stay loaded, as
 * the libraries of ours are in sshd. FILE is SSH_AUTH_INFO_0, as sshd puts it into PAM's
 * environment. The tag file of a session (SESDIR/<ses>.json) is removed after it.
 *
 * A line for each service: name, then open and close, each with min, p10, median and p90
 * in microseconds over the median of the first service.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SERVICES_MAX 16
#define ROUNDS_MAX 20000
#define WARM_UP 20
#define INFO_MAX 65536

/* Since Linux-PAM 1.4. */
extern int pam_start_confdir(const char *service, const char *user, const struct pam_conv *conv,
			     const char *confdir, pam_handle_t **pamh) __attribute__((weak));

struct service {
	const char *name;
	char *info; /* "SSH_AUTH_INFO_0=..." or NULL */
	pam_handle_t *keeper;
	double *open_us, *close_us;
};

struct bench {
	const char *confdir, *sesdir, *user;
	char uid[32];
	int rounds, n;
	struct service services[SERVICES_MAX];
};

static void fail(const char *what)
{
	fprintf(stderr, "pambench: %s\n", what);
	exit(1);
}

static int no_conversation(int n, const struct pam_message **msg, struct pam_response **resp,
			   void *ctx)
{
	(void)n;
	(void)msg;
	(void)resp;
	(void)ctx;
	return PAM_CONV_ERR;
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char *read_info(const char *path)
{
	static const char name[] = "SSH_AUTH_INFO_0=";
	char *text = calloc(1, sizeof(name) + INFO_MAX);
	FILE *f = fopen(path, "re");

	if (!f || !text)
		fail(path);
	memcpy(text, name, sizeof(name) - 1);
	if (fread(text + sizeof(name) - 1, 1, INFO_MAX, f) == 0)
		fail(path);
	fclose(f);
	return text;
}

static pam_handle_t *start(const struct bench *b, const struct service *s)
{
	static const struct pam_conv conv = {no_conversation, NULL};
	pam_handle_t *pamh = NULL;

	if (pam_start_confdir(s->name, b->user, &conv, b->confdir, &pamh) != PAM_SUCCESS)
		fail(s->name);
	pam_set_item(pamh, PAM_RHOST, "127.0.0.1");
	pam_set_item(pamh, PAM_TTY, "ssh");
	if (s->info)
		pam_putenv(pamh, s->info);
	return pamh;
}

static void new_session(const struct bench *b)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, b->uid, strlen(b->uid)) < 0)
		fail("loginuid");
	close(fd);
}

static void remove_tag_file(const struct bench *b)
{
	char path[512], ses[32] = "";
	int fd = open("/proc/self/sessionid", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ses, sizeof(ses) - 1) <= 0)
		fail("sessionid");
	close(fd);
	snprintf(path, sizeof(path), "%s/%s.json", b->sesdir, ses);
	unlink(path);
}

static void measure(const struct bench *b, const struct service *s, int round)
{
	double times[3];
	pam_handle_t *pamh;

	new_session(b);
	pamh = start(b, s);
	times[0] = now_us();
	if (pam_open_session(pamh, PAM_SILENT) != PAM_SUCCESS)
		fail("open");
	times[1] = now_us();
	if (pam_close_session(pamh, PAM_SILENT) != PAM_SUCCESS)
		fail("close");
	times[2] = now_us();
	pam_end(pamh, PAM_SUCCESS);
	remove_tag_file(b);
	if (round < 0)
		return;
	s->open_us[round] = times[1] - times[0];
	s->close_us[round] = times[2] - times[1];
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	return values;
}

static void print_quantiles(double *values, double base, int n)
{
	const double *v = sorted(values, n);

	printf(" %8.1f %8.1f %8.1f %8.1f", v[0] - base, v[n / 10] - base, v[n / 2] - base,
	       v[n * 9 / 10] - base);
}

static void report(const struct bench *b)
{
	double open_us = sorted(b->services[0].open_us, b->rounds)[b->rounds / 2];
	double close_us = sorted(b->services[0].close_us, b->rounds)[b->rounds / 2];

	for (int i = 1; i < b->n; i++) {
		printf("%-20s", b->services[i].name);
		print_quantiles(b->services[i].open_us, open_us, b->rounds);
		print_quantiles(b->services[i].close_us, close_us, b->rounds);
		putchar('\n');
	}
}

static void find_uid(struct bench *b)
{
	const struct passwd *pw = getpwnam(b->user);

	if (!pw)
		fail("no such user");
	snprintf(b->uid, sizeof(b->uid), "%u", (unsigned)pw->pw_uid);
}

static void add_service(struct bench *b, char *arg)
{
	struct service *s = &b->services[b->n++];
	char *at = strchr(arg, '@');

	if (at) {
		*at = 0;
		s->info = read_info(at + 1);
	}
	s->name = arg;
	s->open_us = calloc((size_t)b->rounds, sizeof(double));
	s->close_us = calloc((size_t)b->rounds, sizeof(double));
	if (!s->open_us || !s->close_us)
		fail("out of memory");
	s->keeper = start(b, s);
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	if (!pam_start_confdir)
		return 77;
	if (argc < 6 || argc - 5 > SERVICES_MAX)
		return 2;
	b.confdir = argv[1];
	b.sesdir = argv[2];
	b.rounds = atoi(argv[3]);
	b.user = argv[4];
	if (b.rounds < 1 || b.rounds > ROUNDS_MAX)
		return 2;
	find_uid(&b);
	for (int i = 5; i < argc; i++)
		add_service(&b, argv[i]);
	/* Each service is first as often as any other. */
	for (int round = -WARM_UP; round < b.rounds; round++)
		for (int i = 0; i < b.n; i++)
			measure(&b, &b.services[(i + round + WARM_UP) % b.n], round);
	report(&b);
	return fflush(stdout) == 0 ? 0 : 1;
}
