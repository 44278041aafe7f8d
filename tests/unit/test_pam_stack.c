/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/access/pam_services.h"
#include "common/cleanup.h"
#include "common/fdio.h"
#include "tests/unit/tap.h"

#define US "session required pam_sessaudit.so\n"
#define LOGINUID "session    required     pam_loginuid.so\n"

/* What distributions ship, without comments; what we put in goes where %s stands. */
#define DEBIAN_COMMON_AUTH                                                                         \
	"auth\t[success=1 default=ignore]\tpam_unix.so nullok\n"                                   \
	"auth\trequisite\t\t\tpam_deny.so\nauth\trequired\t\t\tpam_permit.so\n"
#define DEBIAN_COMMON_SESSION                                                                      \
	"session\t[default=1]\t\t\tpam_permit.so\nsession\trequisite\t\t\tpam_deny.so\n"           \
	"session\trequired\t\t\tpam_permit.so\nsession\trequired\tpam_unix.so \n"                  \
	"session\toptional\tpam_systemd.so \n"
#define DEBIAN_SSHD_HEAD                                                                           \
	"@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n"  \
	"session [success=ok ignore=ignore module_unknown=ignore default=bad]        "             \
	"pam_selinux.so close\n"
#define DEBIAN_SSHD_MID                                                                            \
	"session    optional     pam_keyinit.so force revoke\n@include common-session\n"           \
	"session    optional     pam_motd.so  motd=/run/motd.dynamic\n"                            \
	"session    optional     pam_motd.so noupdate\n"                                           \
	"session    optional     pam_mail.so standard noenv # [1]\n"                               \
	"session    required     pam_limits.so\nsession    required     pam_env.so # [1]\n"
#define DEBIAN_SSHD_TAIL                                                                           \
	"session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale\n"
#define DEBIAN_SSHD_END                                                                            \
	"session [success=ok ignore=ignore module_unknown=ignore default=bad]        "             \
	"pam_selinux.so open\n@include common-password\n"
/* Without what reads the users' files. */
#define DEBIAN_SSHD_SAFE_TAIL "session    required     pam_env.so envfile=/etc/default/locale\n"
#define DEBIAN_LOGIN                                                                               \
	"auth       optional   pam_faildelay.so  delay=3000000\n"                                  \
	"auth       requisite  pam_nologin.so\n"                                                   \
	"session [success=ok ignore=ignore module_unknown=ignore default=bad] "                    \
	"pam_selinux.so close\n"                                                                   \
	"session    required     pam_loginuid.so\n%s"                                              \
	"session    optional   pam_motd.so motd=/run/motd.dynamic\n"                               \
	"session       required   pam_env.so readenv=1\n"                                          \
	"@include common-auth\nauth       optional   pam_group.so\n"                               \
	"session    required   pam_limits.so\n@include common-session\n"
#define DEBIAN_SUDO                                                                                \
	"#%%PAM-1.0\n\nsession    required   pam_limits.so\n\n@include common-auth\n"              \
	"@include common-account\n%s@include common-session-noninteractive\n"
#define UBUNTU_SUDO                                                                                \
	"#%%PAM-1.0\n\n# Set up user limits from /etc/security/limits.conf.\n"                     \
	"session    required   pam_limits.so\n\n"                                                  \
	"session    required   pam_env.so readenv=1 user_readenv=0\n"                              \
	"session    required   pam_env.so readenv=1 envfile=/etc/default/locale user_readenv=0\n"  \
	"@include common-auth\n@include common-account\n%s@include common-session-noninteractive\n"
#define DEBIAN_SU                                                                                  \
	"auth       sufficient pam_rootok.so\nsession       required   pam_env.so readenv=1\n"     \
	"session       required   pam_env.so readenv=1 envfile=/etc/default/locale\n"              \
	"session    optional   pam_mail.so nopen\nsession    required   pam_limits.so\n"           \
	"@include common-auth\n@include common-account\n@include common-session\n%s"
#define RHEL_PASSWORD_AUTH                                                                          \
	"auth        required      pam_env.so\n"                                                    \
	"auth        sufficient    pam_unix.so nullok\nauth        required      pam_deny.so\n"     \
	"session     optional      pam_keyinit.so revoke\n"                                         \
	"session     required      pam_limits.so\n-session     optional      pam_systemd.so\n"      \
	"session     [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid\n" \
	"session     required      pam_unix.so\n"
#define RHEL_POSTLOGIN                                                                             \
	"session     optional      pam_umask.so silent\n"                                          \
	"session     [success=1 default=ignore] pam_succeed_if.so service !~ gdm* "                \
	"service !~ su* quiet\n"                                                                   \
	"session     [default=1]   pam_lastlog.so nowtmp showfailed\n"                             \
	"session     optional      pam_lastlog.so silent noupdate showfailed\n"
#define RHEL_SSHD_HEAD                                                                             \
	"#%PAM-1.0\nauth       substack     password-auth\nauth       include      postlogin\n"    \
	"account    required     pam_sepermit.so\naccount    required     pam_nologin.so\n"        \
	"account    include      password-auth\npassword   include      password-auth\n"           \
	"# pam_selinux.so close should be the first session rule\n"                                \
	"session    required     pam_selinux.so close\n"
#define RHEL_SSHD_MID                                                                              \
	"session    required     pam_selinux.so open env_params\n"                                 \
	"session    required     pam_namespace.so\n"                                               \
	"session    optional     pam_keyinit.so force revoke\n"                                    \
	"session    optional     pam_motd.so\nsession    include      password-auth\n"
#define RHEL_SSHD_END "session    include      postlogin\n"
#define RHEL_SUDO                                                                                  \
	"#%%PAM-1.0\nauth       include      system-auth\naccount    include      system-auth\n"   \
	"%ssession    include      system-auth\n"
#define RHEL_SU                                                                                    \
	"#%%PAM-1.0\nauth\t\trequired\tpam_env.so\nauth\t\tsufficient\tpam_rootok.so\n"            \
	"auth\t\tsubstack\tsystem-auth\nauth\t\tinclude\t\tpostlogin\n"                            \
	"%ssession\t\tinclude\t\tsystem-auth\nsession\t\tinclude\t\tpostlogin\n"                   \
	"session\t\toptional\tpam_xauth.so\n"
#define RHEL_LOGIN                                                                                  \
	"#%%PAM-1.0\nauth       substack     system-auth\nauth       include      postlogin\n"      \
	"session    required     pam_selinux.so close\nsession    required     pam_loginuid.so\n%s" \
	"session    optional     pam_console.so\nsession    required     pam_selinux.so open\n"     \
	"session    required     pam_namespace.so\nsession    optional     pam_keyinit.so force "   \
	"revoke\nsession    include      system-auth\nsession    include      postlogin\n"

#define NO_UID PAM_STACK_NO_LOGINUID
#define ENV PAM_STACK_AFTER_ENV
#define OPT PAM_STACK_OPTIONAL
#define SKIP PAM_STACK_SKIPPED
#define UNREAD PAM_STACK_UNREAD
#define OTHERS PAM_STACK_AFTER_OTHERS

static char dir[] = "/tmp/test_pam_stack-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0)
		tap_ok(false, "put %s", path);
}

struct place {
	const char *name, *text;
	unsigned findings;
	unsigned line;    /* of our line; 0: there is none */
	const char *what; /* after the directory */
};

static const struct place places[] = {
	{"Debian and Ubuntu sshd: after pam_loginuid",
	 DEBIAN_SSHD_HEAD LOGINUID US DEBIAN_SSHD_MID DEBIAN_SSHD_TAIL DEBIAN_SSHD_END, 0, 6, ""},
	{"Debian and Ubuntu sshd: before pam_loginuid",
	 DEBIAN_SSHD_HEAD US LOGINUID DEBIAN_SSHD_MID DEBIAN_SSHD_TAIL DEBIAN_SSHD_END, NO_UID, 5,
	 ""},
	{"Debian and Ubuntu sshd: after common-session",
	 DEBIAN_SSHD_HEAD LOGINUID DEBIAN_SSHD_MID US DEBIAN_SSHD_TAIL DEBIAN_SSHD_END, OTHERS, 13,
	 "/common-session:4"},
	{"Debian and Ubuntu sshd: at the end",
	 DEBIAN_SSHD_HEAD LOGINUID DEBIAN_SSHD_MID DEBIAN_SSHD_TAIL DEBIAN_SSHD_END US,
	 ENV | OTHERS, 16, "/case:13"},
	{"Debian and Ubuntu sshd: no line",
	 DEBIAN_SSHD_HEAD LOGINUID DEBIAN_SSHD_MID DEBIAN_SSHD_TAIL DEBIAN_SSHD_END, 0, 0, ""},
	{"Debian sshd without user_readenv: after pam_loginuid",
	 DEBIAN_SSHD_HEAD LOGINUID US DEBIAN_SSHD_MID DEBIAN_SSHD_SAFE_TAIL DEBIAN_SSHD_END, 0, 6,
	 ""},
	{"Debian sshd without user_readenv: at the end",
	 DEBIAN_SSHD_HEAD LOGINUID DEBIAN_SSHD_MID DEBIAN_SSHD_SAFE_TAIL DEBIAN_SSHD_END US, OTHERS,
	 16, "/common-session:4"},
	{"RHEL sshd: after pam_loginuid", RHEL_SSHD_HEAD LOGINUID US RHEL_SSHD_MID RHEL_SSHD_END, 0,
	 11, ""},
	{"RHEL sshd: at the end", RHEL_SSHD_HEAD LOGINUID RHEL_SSHD_MID RHEL_SSHD_END US, OTHERS,
	 17, "/case:12"},
	{"RHEL sshd: after password-auth", RHEL_SSHD_HEAD LOGINUID RHEL_SSHD_MID US RHEL_SSHD_END,
	 OTHERS, 16, "/case:12"},
};

/* The file has our line where %s stands. */
static const struct place shapes[] = {
	{"Debian login", DEBIAN_LOGIN, 0, 5, ""},
	{"Debian sudo", DEBIAN_SUDO, NO_UID | OTHERS, 7, "/case:3"},
	{"Ubuntu sudo", UBUNTU_SUDO, NO_UID | OTHERS, 10, "/case:4"},
	{"Debian su", DEBIAN_SU, NO_UID | OTHERS, 9, "/case:2"},
	{"RHEL sudo", RHEL_SUDO, NO_UID, 4, ""},
	{"RHEL su", RHEL_SU, NO_UID, 6, ""},
	{"RHEL login", RHEL_LOGIN, 0, 6, ""},
};

/* Alone in a file, behind pam_loginuid. */
static const struct place rules[] = {
	{"a path before the module", "session required /usr/lib/security/pam_sessaudit.so\n", 0, 2,
	 ""},
	{"upper case", "SESSION Required pam_sessaudit.so\n", 0, 2, ""},
	{"a dash", "-session required pam_sessaudit.so\n", 0, 2, ""},
	{"with a list", "session [success=ok default=bad] pam_sessaudit.so\n", 0, 2, ""},
	{"with die", "session [success=ok perm_denied=die default=ignore] pam_sessaudit.so\n", 0, 2,
	 ""},
	{"requisite", "session requisite pam_sessaudit.so\n", 0, 2, ""},
	{"optional", "session optional pam_sessaudit.so\n", OPT, 2, ""},
	{"sufficient", "session sufficient pam_sessaudit.so\n", OPT, 2, ""},
	{"a list that ignores", "session [success=ok default=ignore] pam_sessaudit.so\n", OPT, 2,
	 ""},
	{"a list that ignores denials",
	 "session [success=ok perm_denied=ignore default=bad] pam_sessaudit.so\n", OPT, 2, ""},
	{"a list with blanks and breaks",
	 "session [ success = ok \\\n  default = bad ] \\\n pam_sessaudit.so\n", 0, 2, ""},
	{"a comment behind", "session required pam_sessaudit.so # ours\n", 0, 2, ""},
	{"a comment is no continuation", "# session required x \\\n" US, 0, 3, ""},
	{"commented out", "#session required pam_sessaudit.so\n", 0, 0, ""},
	{"another type", "account required pam_sessaudit.so\n", 0, 0, ""},
	{"another module", "session required pam_sessaudit.so.bak\n", 0, 0, ""},
	{"no newline at the end", "session required pam_sessaudit.so", 0, 2, ""},
	{"CR LF", "session required pam_sessaudit.so\r\n", 0, 2, ""},
	{"user_readenv=1", "session required pam_env.so user_readenv=1\n" US, ENV, 3, "/case:2"},
	{"user_readenv=1 in brackets", "session required pam_env.so [user_readenv=1]\n" US, ENV, 3,
	 "/case:2"},
	{"user_readenv=0 last", "session required pam_env.so user_readenv=1 user_readenv=0\n" US,
	 OTHERS, 3, "/case:2"},
	{"pam_env", "session required pam_env.so\n" US, OTHERS, 3, "/case:2"},
	{"pam_env of another type", "auth required pam_env.so user_readenv=1\n" US, 0, 3, ""},
	{"pam_env behind us", US "session required pam_env.so user_readenv=1\n", 0, 2, ""},
	{"the worst of two",
	 "session required pam_x.so\nsession required pam_env.so user_readenv=1\n" US, ENV | OTHERS,
	 4, "/case:3"},
	{"modules that set nothing",
	 "session required pam_selinux.so\nsession required pam_keyinit.so\nsession required "
	 "pam_permit.so\nsession required pam_nologin.so\nsession required pam_deny.so\n" US,
	 0, 7, ""},
	{"sufficient before us", "session sufficient pam_permit.so\n" US, SKIP, 3, "/case:2"},
	{"done before us", "session [default=done] pam_permit.so\n" US, SKIP, 3, "/case:2"},
	{"die before us", "session requisite pam_permit.so\n" US, 0, 3, ""},
	{"a jump over us", "session [default=1] pam_permit.so\n" US US, SKIP, 3, "/case:2"},
	{"a jump in front of us",
	 "session [default=1] pam_permit.so\nsession required "
	 "pam_permit.so\n" US,
	 0, 4, ""},
	{"a long jump",
	 "session [success=2 default=1] pam_permit.so\nsession required pam_permit.so\n" US, SKIP,
	 4, "/case:2"},
	{"sufficient in a substack", "session substack quick\n" US, 0, 3, ""},
	{"sufficient in an include", "session include quick\n" US, SKIP, 3, "/quick:1"},
	{"a jump out of a substack ends there", "session substack jumps\n" US, 0, 3, ""},
	{"a jump out of an include", "session include jumps\n" US, SKIP, 3, "/jumps:1"},
	{"a jump over a substack", "session [default=1] pam_permit.so\nsession substack quick\n" US,
	 0, 4, ""},
	{"a jump over a substack and us",
	 "session [default=2] pam_permit.so\nsession substack quick\n" US, SKIP, 4, "/case:2"},
	{"we are in an include", "session include ours\n", 0, 1, ""},
	{"we are in a substack that may end", "session substack late\n", SKIP, 2, "/late:1"},
	{"an include of all types", "@include ours\n", 0, 1, ""},
	{"no such include behind us", US "session include nowhere\n", UNREAD, 2, "/case:3"},
	{"no such include before us", "@include nowhere\n" US, UNREAD, 3, "/case:2"},
	{"an include of itself", US "@include loop\n", UNREAD, 2, "/loop:1"},
	{"an absolute include of nothing", "session include /nonexistent/x\n" US, UNREAD, 3,
	 "/case:2"},
};

static void check_place(const struct place *p, const char *text)
{
	struct pam_stack s;
	struct sa_err err = {0};
	char where[256] = "", what[256] = "";
	size_t skip = strlen(dir);

	put("case", text);
	if (!tap_int(pam_stack_read(dir, "case", &s, &err), 0, "%s: read %s", p->name, err.msg))
		return;
	tap_int(s.has_session, p->line > 0, "%s: is it there", p->name);
	tap_int(s.findings, p->findings, "%s: findings", p->name);
	snprintf(where, sizeof(where), ":%u", p->line);
	tap_str(s.has_session ? strrchr(s.where, ':') : ":0", where, "%s: where", p->name);
	snprintf(what, sizeof(what), "%s", s.what[0] ? s.what + skip : "");
	tap_str(what, p->what, "%s: what", p->name);
}

static void check_shape(const struct place *p)
{
	char text[4096];
	const char *at = strstr(p->text, "%s"), *percent = strstr(p->text, "%%");

	/* Ours in the place of %s; %% is %. */
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - p->text), p->text, US, at + 2);
	if (percent)
		memmove(strstr(text, "%%"), strstr(text, "%%") + 1,
			strlen(strstr(text, "%%") + 1) + 1);
	check_place(p, text);
}

static void check_rule(const struct place *p)
{
	char text[4096];

	snprintf(text, sizeof(text), LOGINUID "%s", p->text);
	check_place(p, text);
}

static void check_rest(void)
{
	struct pam_stack s = {.findings = 77};
	struct sa_err err = {0};

	tap_int(pam_stack_read(dir, "nowhere", &s, &err), SA_ERR_NOTFOUND, "no such service");
	tap_int(s.findings, 77, "no such service: out untouched");
	tap_int(pam_stack_read(dir, ".", &s, NULL), SA_ERR_INVALID, "a directory");
	put("case", "auth optional pam_sessaudit.so\n" LOGINUID
		    "session required pam_sessaudit.so quiet on_none=deny\n");
	tap_int(pam_stack_read(dir, "case", &s, NULL), 0, "both stacks");
	tap_ok(s.has_auth && s.has_session && s.denies, "both stacks, and it denies");
	put("case", "auth include authonly\n" LOGINUID US);
	tap_int(pam_stack_read(dir, "case", &s, NULL), 0, "auth by include");
	tap_ok(s.has_auth && !s.denies, "auth by include: found, and it does not deny");
	for (unsigned i = 0; i < PAM_STACK_FINDINGS; i++)
		tap_ok(strlen(pam_stack_advice((enum pam_stack_finding)(1U << i))) > 40,
		       "advice for finding %u", i);
}

struct heard {
	char text[1024];
};

static void hear(void *ctx, const struct pam_service *s)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s%s %u/%u;", s->name,
		 s->stack.has_session ? "" : " none", s->faults, s->grave);
}

static void check_services(const char *conf, const char *want)
{
	struct settings s = {0};
	struct heard h = {""};
	struct sa_err err = {0};

	tap_int(settings_parse("conf", slice_of(conf), &s, &err), 0, "settings %s", err.msg);
	tap_int(pam_services_each(dir, &s, hear, &h, &err), 0, "services are listed %s", err.msg);
	tap_str(h.text, want, "services: %s", conf);
	settings_free(&s);
}

static void clean(void)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			remove(path);
	}
}

static void check_all_services(void)
{
	struct settings s = {0};
	struct sa_err err = {0};

	clean();
	put("common-session", US);
	put("sshd", LOGINUID "session optional pam_env.so user_readenv=1\n"
			     "session optional pam_sessaudit.so\n");
	put("sshd.dpkg-old", US);
	put("sudo", "session required pam_env.so user_readenv=1\nsession optional "
		    "pam_sessaudit.so\n");
	put("login", "@include common-session\n");
	put("cron", "session required pam_permit.so\n");
	check_services("", "login 1/0;sshd 2/2;sudo 0/0;");
	check_services("[policy]\ndeny = dba\n", "login 1/0;sshd 6/6;sudo 4/4;");
	check_services("[policy]\non_none = deny\n[pam]\nssh_services = cron\n",
		       "cron none 0/0;login 1/0;sshd 4/4;sudo 4/4;");
	put("sudo", "session optional pam_sessaudit.so on_none=deny\n");
	check_services("", "login 1/0;sshd 2/2;sudo 4/4;");
	tap_int(pam_services_each("/nonexistent", &s, hear, NULL, &err), SA_ERR_NOTFOUND,
		"no directory");
	tap_str(err.msg, "open /nonexistent: No such file or directory", "no directory: message");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 99;
	put("common-auth", DEBIAN_COMMON_AUTH);
	put("common-account", "account required pam_permit.so\n");
	put("common-password", "password required pam_deny.so\n");
	put("common-session", DEBIAN_COMMON_SESSION);
	put("common-session-noninteractive", DEBIAN_COMMON_SESSION);
	put("password-auth", RHEL_PASSWORD_AUTH);
	put("system-auth", RHEL_PASSWORD_AUTH);
	put("postlogin", RHEL_POSTLOGIN);
	put("quick", "session sufficient pam_permit.so\nsession required pam_deny.so\n");
	put("jumps", "session [default=1] pam_permit.so\n");
	put("ours", US);
	put("late", "session sufficient pam_permit.so\n" US);
	put("loop", "@include loop\n");
	put("authonly", "auth optional pam_sessaudit.so\n");
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		check_place(&places[i], places[i].text);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		check_shape(&shapes[i]);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		check_rule(&rules[i]);
	check_rest();
	check_all_services();
	clean();
	tap_int(rmdir(dir), 0, "nothing is left behind");
	return tap_done();
}
