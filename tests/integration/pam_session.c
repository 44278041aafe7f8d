/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Opens and closes one PAM session through libpam, as a login service does, and
 * prints what happens, a line each:
 *
 *   ses N                        after taking a new audit session
 *   tty WHEN ENABLED LOG_PASSWD  of this process, WHEN is before, open, nested (closed), closed
 *   log PRIORITY TEXT            what the module says
 *   prompt TEXT, say TEXT        what the user is asked, and told
 *   record TEXT                  a TRUSTED_APP record of this process, as the kernel sends it
 *   tag STATUS REQUEST USER ADDR [POLICY]           the same, decoded
 *   nest STATUS REQUEST FROM USER SERVICE [POLICY]  one of a nested service
 *   auth CODE, open CODE, close CODE                what libpam returned
 *   env NAME=VALUE               PAM's environment at the end
 *
 * pam_session [options] CONFDIR SERVICE [NESTED_SERVICE]
 *   -l UID   take a new audit session with this login uid
 *   -u USER  -r RHOST  -t TTY  -R RUSER   the items; USER is root by default
 *   -n USER  of the nested service; the same by default
 *   -i UID   the real uid while the nested service opens, as in sudo
 *   -E NAME=VALUE   a variable of PAM's environment (more than one -E: more)
 *   -L NAME         one of 300,000 bytes
 *   -a       authenticate first, -A the same in a child whose environment is taken over, as sshd
 *   -p TEXT  answer to the next prompt (more than one -p: more); without, prompts fail
 *   -x CMD   run before the last service opens
 *   -d N     this many more files can be opened while the nested service opens
 *   -s       PAM_SILENT
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
#include <sys/wait.h>
#include <unistd.h>

#include "common/access/tag.h"
#include "common/cleanup.h"
#include "pam_sessaudit/netlink.h"

#define TRUSTED_APP 1121
#define RECORD_WAIT_MS 500
#define MAX_WORDS 8

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

struct words {
	const char *items[MAX_WORDS];
	size_t len, used;
};

struct setup {
	const char *loginuid, *user, *rhost, *tty, *ruser, *confdir, *service, *nested;
	const char *nested_user, *nested_uid, *command, *files;
	bool tty_on, multicast, hard_limit, authenticate, in_child;
	int flags;
	long size_limit;
	struct words env, answers;
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
	struct netlink_request get = netlink_get_tty(&s);
	struct netlink nl;

	netlink_open(&nl);
	if (netlink_call(&nl, &get) < 0)
		printf("tty %s error %d\n", when, -get.rc);
	else
		printf("tty %s %u %u\n", when, s.enabled, s.log_passwd);
	netlink_close(&nl);
}

static void switch_tty_on(void)
{
	const struct audit_tty_status s = {.enabled = 1, .log_passwd = 1};
	struct netlink_request set = netlink_set_tty(&s);
	struct netlink nl;

	netlink_open(&nl);
	if (netlink_call(&nl, &set) < 0)
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

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void print_tag(const char *text, size_t len)
{
	struct tag t;

	if (tag_decode((struct slice){text, len}, &t) < 0) {
		puts("tag broken");
		return;
	}
	printf("%s %s %s", t.kind == TAG_NEST ? "nest" : "tag", access_status_name(t.access.status),
	       or_dash(t.access.request_id));
	if (t.kind == TAG_NEST)
		printf(" %s %s %s", or_dash(t.from), or_dash(t.user), or_dash(t.service));
	else
		printf(" %s %s", or_dash(t.user), or_dash(t.source));
	if (t.access.policy != ACCESS_POLICY_NONE)
		printf(" %s", access_policy_name(t.access.policy));
	putchar('\n');
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

static char *next_answer(struct words *answers)
{
	return answers->used < answers->len ? strdup(answers->items[answers->used++]) : NULL;
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp, void *ctx)
{
	struct pam_response *r = calloc((size_t)n, sizeof(*r));

	for (int i = 0; r && i < n; i++) {
		if (msg[i]->msg_style != PAM_PROMPT_ECHO_ON) {
			printf("say %s\n", msg[i]->msg);
			continue;
		}
		printf("prompt %s\n", msg[i]->msg);
		r[i].resp = next_answer(ctx);
		if (!r[i].resp) {
			free(r);
			return PAM_CONV_ERR;
		}
	}
	*resp = r;
	return r ? PAM_SUCCESS : PAM_BUF_ERR;
}

static pam_handle_t *start(struct setup *s, const char *service, const char *user)
{
	const struct pam_conv conv = {converse, &s->answers};
	pam_handle_t *pamh = NULL;

	if (pam_start_confdir(service, user, &conv, s->confdir, &pamh) != PAM_SUCCESS)
		exit(1);
	if (s->rhost)
		pam_set_item(pamh, PAM_RHOST, s->rhost);
	if (s->tty)
		pam_set_item(pamh, PAM_TTY, s->tty);
	if (s->ruser)
		pam_set_item(pamh, PAM_RUSER, s->ruser);
	for (size_t i = 0; i < s->env.len; i++)
		pam_putenv(pamh, s->env.items[i]);
	return pamh;
}

static void print_env(pam_handle_t *pamh)
{
	char **list = pam_getenvlist(pamh);

	for (char **p = list; p && *p; p++) {
		printf("env %.200s\n", *p);
		free(*p);
	}
	free(list);
}

static void authenticate(const struct setup *s, pam_handle_t *pamh)
{
	printf("auth %d\n", pam_authenticate(pamh, s->flags));
	printf("auth %d\n", pam_setcred(pamh, PAM_ESTABLISH_CRED | s->flags));
}

/* As sshd does it: what comes back from the child is PAM's environment. */
static void authenticate_in_child(struct setup *s, pam_handle_t *pamh)
{
	_cleanup_fclose_ FILE *in = NULL;
	char line[8192];
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		authenticate(s, pamh);
		for (char **p = pam_getenvlist(pamh); p && *p; p++)
			dprintf(ends[1], "%s\n", *p);
		_exit(0);
	}
	close(ends[1]);
	in = fdopen(ends[0], "re");
	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = 0;
		pam_putenv(pamh, line);
	}
	waitpid(pid, NULL, 0);
}

static void run_command(const struct setup *s)
{
	if (s->command && system(s->command) != 0)
		puts("failed command");
}

static void limit_files(const char *more)
{
	int lowest = dup(STDIN_FILENO);
	struct rlimit limit;

	close(lowest);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = (rlim_t)(lowest + atol(more));
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		puts("failed limit");
}

static void run_nested(struct setup *s)
{
	pam_handle_t *pamh = start(s, s->nested, s->nested_user ? s->nested_user : s->user);

	run_command(s);
	if (s->nested_uid && setreuid((uid_t)atol(s->nested_uid), (uid_t)-1) < 0)
		puts("failed setreuid");
	if (s->files)
		limit_files(s->files);
	printf("open %d\n", pam_open_session(pamh, s->flags));
	printf("close %d\n", pam_close_session(pamh, s->flags));
	if (!s->files)
		print_tty("nested");
	if (setreuid(0, (uid_t)-1) < 0)
		puts("failed setreuid");
	pam_end(pamh, PAM_SUCCESS);
}

static void run(struct setup *s)
{
	pam_handle_t *pamh = start(s, s->service, s->user);
	int fd = s->multicast ? open_multicast() : -1;

	print_tty("before");
	if (s->in_child)
		authenticate_in_child(s, pamh);
	else if (s->authenticate)
		authenticate(s, pamh);
	if (!s->nested)
		run_command(s);
	printf("open %d\n", pam_open_session(pamh, s->flags));
	print_tty("open");
	if (s->nested)
		run_nested(s);
	print_records(fd);
	printf("close %d\n", pam_close_session(pamh, s->flags));
	print_tty("closed");
	print_env(pamh);
	pam_end(pamh, PAM_SUCCESS);
	if (fd >= 0)
		close(fd);
}

static void add_word(struct words *w, const char *word)
{
	if (w->len == MAX_WORDS)
		exit(2);
	w->items[w->len++] = word;
}

/* Longer than an argument can be. */
static const char *long_variable(const char *name)
{
	static char text[300000];

	memset(text, 'A', sizeof(text) - 1);
	memcpy(text, name, strlen(name));
	text[strlen(name)] = '=';
	return text;
}

static int parse(int argc, char **argv, struct setup *s)
{
	int c;

	while ((c = getopt(argc, argv, "l:u:r:t:R:n:i:E:L:p:d:x:f:F:aAsem")) != -1) {
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
		case 'R':
			s->ruser = optarg;
			break;
		case 'n':
			s->nested_user = optarg;
			break;
		case 'i':
			s->nested_uid = optarg;
			break;
		case 'E':
			add_word(&s->env, optarg);
			break;
		case 'L':
			add_word(&s->env, long_variable(optarg));
			break;
		case 'p':
			add_word(&s->answers, optarg);
			break;
		case 'd':
			s->files = optarg;
			break;
		case 'x':
			s->command = optarg;
			break;
		case 'a':
			s->authenticate = true;
			break;
		case 'A':
			s->in_child = true;
			break;
		case 's':
			s->flags = PAM_SILENT;
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
