/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Types into a program on a terminal of its own, as a person would: it waits for
 * what it must see, then sends one key after the other.
 *
 *   ttydrive SCRIPT LOG COMMAND [ARG]...
 *
 * SCRIPT, one step a line; LOG gets everything the terminal showed:
 *   expect TEXT   wait until the terminal shows TEXT (after the last match)
 *   type TEXT     press these keys; \r \t \b \e \\ and \xHH are understood
 *   pause MS      do nothing for so long
 *   end           wait until the program ends
 * Exit status: the program's, or 99 when a wait timed out.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 20000
#define KEY_MS 15
#define SETTLE_MS 60 /* after a match: let the reader set its terminal mode */
#define MAX_SHOWN (1024 * 1024)

static struct {
	int master;
	pid_t pid;
	FILE *log;
	char shown[MAX_SHOWN];
	size_t len, matched;
} tty;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

/* Takes what the terminal shows for at most ms; false when the program closed it. */
static bool watch(int ms)
{
	struct pollfd p = {.fd = tty.master, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return true;
	n = read(tty.master, tty.shown + tty.len, sizeof(tty.shown) - tty.len);
	if (n <= 0)
		return false;
	fwrite(tty.shown + tty.len, 1, (size_t)n, tty.log);
	fflush(tty.log);
	tty.len += (size_t)n;
	return tty.len < sizeof(tty.shown);
}

static bool watch_for(int ms)
{
	long until = now_ms() + ms;
	bool open = true;

	for (long left = ms; open && left > 0; left = until - now_ms())
		open = watch((int)left);
	return open;
}

static bool expect(const char *text)
{
	long until = now_ms() + WAIT_MS;
	bool open = true;

	for (;;) {
		char *at =
			memmem(tty.shown + tty.matched, tty.len - tty.matched, text, strlen(text));

		if (at) {
			tty.matched = (size_t)(at - tty.shown) + strlen(text);
			watch_for(SETTLE_MS);
			return true;
		}
		if (!open || now_ms() > until)
			return false;
		open = watch(100);
	}
}

/* Decodes one key of a `type` line and moves on. */
static char key(const char **s)
{
	char hex[3] = "";
	char c = *(*s)++;

	if (c != '\\' || !**s)
		return c;
	c = *(*s)++;
	switch (c) {
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return 0x7f; /* the backspace key */
	case 'e':
		return 0x1b;
	case 'x':
		if (isxdigit((unsigned char)(*s)[0]) && isxdigit((unsigned char)(*s)[1])) {
			memcpy(hex, *s, 2);
			*s += 2;
		}
		return (char)strtol(hex, NULL, 16);
	default:
		return c;
	}
}

static bool type(const char *text)
{
	while (*text) {
		char c = key(&text);

		if (write(tty.master, &c, 1) != 1)
			return false;
		watch_for(KEY_MS);
	}
	return true;
}

/* The text after the verb and one blank, NULL when line has another verb. */
static const char *argument(const char *line, const char *verb)
{
	size_t n = strlen(verb);

	return strncmp(line, verb, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

static bool step(const char *line)
{
	const char *arg;

	if (*line == '\0' || *line == '#')
		return true;
	if ((arg = argument(line, "expect")))
		return expect(arg);
	if ((arg = argument(line, "type")))
		return type(arg);
	if ((arg = argument(line, "pause")))
		return watch_for(atoi(arg));
	if (strcmp(line, "end") == 0)
		return !watch_for(WAIT_MS);
	return false;
}

static bool run_script(FILE *script)
{
	char line[4096];
	int number = 0;

	while (fgets(line, sizeof(line), script)) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (!step(line)) {
			fprintf(stderr, "ttydrive: line %d failed: %s\n", number, line);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct winsize size = {.ws_row = 24, .ws_col = 100};
	FILE *script;
	int status;
	bool ok;

	if (argc < 4) {
		fprintf(stderr, "usage: ttydrive SCRIPT LOG COMMAND [ARG]...\n");
		return 2;
	}
	script = fopen(argv[1], "re");
	tty.log = fopen(argv[2], "we");
	if (!script || !tty.log) {
		perror("ttydrive");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	tty.pid = forkpty(&tty.master, NULL, NULL, &size);
	if (tty.pid < 0) {
		perror("ttydrive: forkpty");
		return 2;
	}
	if (tty.pid == 0) {
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	ok = run_script(script);
	close(tty.master); /* hangs up a program that still runs */
	if (waitpid(tty.pid, &status, 0) != tty.pid)
		return 2;
	if (!ok)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
