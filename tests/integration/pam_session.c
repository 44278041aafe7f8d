/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Opens and closes one PAM session through libpam, as a login service does, and
 * prints what happens, a line each:
 *
 *   ses N                        after taking a new audit session
 *   tty WHEN ENABLED LOG_PASSWD  of this process, WHEN is before, open, closed
 *   log PRIORITY TEXT            what the module says
 *   record TEXT                  an AUDIT_TRUSTED_APP record of this process, as the kernel sends
 * it tag STATUS REQUEST USER ADDR the same, decoded open CODE, close CODE        what libpam
 * returned
 *
 * pam_session [options] CONFDIR SERVICE [NESTED_SERVICE]
 *   -l UID   take a new audit session with this login uid
 *   -u USER  -r RHOST  -t TTY    the items; USER is root by default
 *   -e       TTY audit is on, passwords too, before anything else
 *   -f SIZE  limit the size of files, -F SIZE so that it cannot be raised again
 *   -m       listen for records (multicast)
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/access/tag.h"
#include "common/cleanup.h"
#include "pam_sessaudit/netlink.h"

#define TRUSTED_APP 1121
#define RECORD_WAIT_MS 500

/* Since Linux-PAM 1.4; without it there is no private directory of services. */
extern int pam_start_confdir(const char *service, const char *user, const struct pam_conv *conv,
			     const char *confdir, pam_handle_t **pamh) __attribute__((weak));

/* libpam logs by these: here they are ours. <syslog.h> is left out for its own inline versions. */
void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

__attribute__((format(printf, 2, 0))) static void print_log(int priority, const char *format,
							    va_list args)
{
	printf("log %d ", priority & 7);
	vprintf(format, args);
	putchar('\n');
}

void syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_log(priority, format, args);
	va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	print_log(priority, format, args);
	va_end(args);
}

struct setup {
	const char *loginuid, *user, *rhost, *tty, *confdir, *service, *nested;
	bool tty_on, multicast, hard_limit;
	long size_limit;
};

static void write_file(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fflush(f) != 0)
		printf("failed %s\n", path);
}

static void print_ses(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/sessionid", "re");
	unsigned ses;

	if (f && fscanf(f, "%u", &ses) == 1)
		printf("ses %u\n", ses);
}

static void print_tty(const char *when)
{
	struct audit_tty_status s = {0};
	struct netlink nl;
	int rc = netlink_open(&nl);

	if (rc == 0) {
		rc = netlink_tty_get(&nl, &s);
		netlink_close(&nl);
	}
	if (rc < 0)
		printf("tty %s error %d\n", when, -rc);
	else
		printf("tty %s %u %u\n", when, s.enabled, s.log_passwd);
}

static void switch_tty_on(void)
{
	struct audit_tty_status s = {.enabled = 1, .log_passwd = 1};
	struct netlink nl;

	if (netlink_open(&nl) < 0)
		return;
	if (netlink_tty_set(&nl, &s) < 0)
		puts("failed TTY audit");
	netlink_close(&nl);
}

static int open_multicast(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK,
				.nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1)};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		puts("failed multicast");
	return fd;
}

static void print_tag(const char *text, size_t len)
{
	struct tag t;

	if (tag_decode((struct slice){text, len}, &t) < 0) {
		puts("tag broken");
		return;
	}
	printf("tag %s %s %s %s\n", access_status_name(t.access.status),
	       t.access.request_id ? t.access.request_id : "-", t.user ? t.user : "-",
	       t.source ? t.source : "-");
	tag_free(&t);
}

/* Every TRUSTED_APP record of this process until none came for a while. */
static void print_records(int fd)
{
	_Alignas(struct nlmsghdr) char bytes[16384];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char own[32];

	snprintf(own, sizeof(own), " pid=%ld ", (long)getpid());
	while (fd >= 0 && poll(&p, 1, RECORD_WAIT_MS) > 0) {
		ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, 0);
		const struct nlmsghdr *h = (const struct nlmsghdr *)bytes;
		const char *text = NLMSG_DATA(h);

		if (n <= NLMSG_HDRLEN || h->nlmsg_type != TRUSTED_APP)
			continue;
		bytes[n] = 0;
		if (!strstr(text, own))
			continue;
		printf("record %s\n", text);
		print_tag(text, (size_t)n - NLMSG_HDRLEN);
	}
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

static pam_handle_t *start(const struct setup *s, const char *service)
{
	static const struct pam_conv conv = {no_conversation, NULL};
	pam_handle_t *pamh = NULL;

	if (pam_start_confdir(service, s->user, &conv, s->confdir, &pamh) != PAM_SUCCESS)
		exit(1);
	if (s->rhost)
		pam_set_item(pamh, PAM_RHOST, s->rhost);
	if (s->tty)
		pam_set_item(pamh, PAM_TTY, s->tty);
	return pamh;
}

static void run(const struct setup *s)
{
	pam_handle_t *pamh = start(s, s->service), *inner = NULL;
	int fd = s->multicast ? open_multicast() : -1;

	print_tty("before");
	printf("open %d\n", pam_open_session(pamh, 0));
	print_tty("open");
	if (s->nested) {
		inner = start(s, s->nested);
		printf("open %d\n", pam_open_session(inner, 0));
		printf("close %d\n", pam_close_session(inner, 0));
		pam_end(inner, PAM_SUCCESS);
	}
	print_records(fd);
	printf("close %d\n", pam_close_session(pamh, 0));
	print_tty("closed");
	pam_end(pamh, PAM_SUCCESS);
	if (fd >= 0)
		close(fd);
}

static int parse(int argc, char **argv, struct setup *s)
{
	int c;

	while ((c = getopt(argc, argv, "l:u:r:t:f:F:em")) != -1) {
		switch (c) {
		case 'l':
			s->loginuid = optarg;
			break;
		case 'u':
			s->user = optarg;
			break;
		case 'r':
			s->rhost = optarg;
			break;
		case 't':
			s->tty = optarg;
			break;
		case 'f':
			s->size_limit = atol(optarg);
			break;
		case 'F':
			s->size_limit = atol(optarg), s->hard_limit = true;
			break;
		case 'e':
			s->tty_on = true;
			break;
		case 'm':
			s->multicast = true;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind < 2)
		return -1;
	s->confdir = argv[optind];
	s->service = argv[optind + 1];
	s->nested = argc - optind > 2 ? argv[optind + 2] : NULL;
	return 0;
}

int main(int argc, char **argv)
{
	struct setup s = {.user = "root", .size_limit = -1};

	/* Written through, so that what was said is there when the module kills us. */
	setvbuf(stdout, NULL, _IONBF, 0);
	if (!pam_start_confdir)
		return 77;
	if (parse(argc, argv, &s) < 0)
		return 2;
	if (s.loginuid)
		write_file("/proc/self/loginuid", s.loginuid);
	print_ses();
	if (s.tty_on)
		switch_tty_on();
	if (s.size_limit >= 0) {
		struct rlimit limit = {(rlim_t)s.size_limit, RLIM_INFINITY};

		if (s.hard_limit)
			limit.rlim_max = limit.rlim_cur;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	run(&s);
	return 0;
}
