/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "tests/unit/entry_feed.h"
#include "tests/unit/tap.h"

/* What programs say of authentication, and changes of the audit system itself. */

#define START "session_start success sshd service=sshd"
#define SUDO "exe=\"/usr/bin/sudo\" hostname=? addr=? terminal=/dev/pts/1 "
#define MSG(type, text) "type=" type " msg=@ pid=90 uid=1001 auid=1001 ses=1 msg='" text "'"

static struct settings settings;

struct one {
	const char *line, *want; /* NULL: no entry */
};

static void expect(struct feed *f, unsigned ses, size_t *seen, const char *want, const char *name)
{
	const char *list[] = {want, NULL};

	feed_expect(f, ses, seen, list, name);
}

static void run(const struct one *cases, size_t n)
{
	struct feed f;
	size_t seen = 0;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	expect(&f, 1, &seen, START, "login");
	for (size_t i = 0; i < n; i++) {
		feed_line(&f, cases[i].line);
		expect(&f, 1, &seen, cases[i].want, cases[i].line);
	}
	feed_close(&f);
}

static void test_auth(void)
{
	static const struct one cases[] = {
		{MSG("USER_AUTH", "op=PAM:authentication grantors=? acct=\"root\" "
				  "exe=\"/usr/bin/su\" hostname=? addr=? terminal=? res=failed"),
		 "auth user_auth failure root for=root service=su cause=PAM:authentication"},
		{MSG("USER_ACCT",
		     "op=PAM:accounting grantors=pam_permit acct=\"root\" " SUDO "res=success"),
		 "auth user_acct success root for=root service=sudo cause=PAM:accounting"},
		{MSG("USER_CMD", "cwd=\"/work\" cmd=\"id\" exe=\"/usr/bin/sudo\" terminal=? "
				 "res=failed"),
		 "auth user_cmd failure id service=sudo command=id"},
		{MSG("USER_CMD", "cwd=\"/work\" cmd=7368202D63206563686F2022612062223B2074727565 "
				 "exe=\"/usr/bin/sudo\" terminal=? res=success"),
		 "auth user_cmd success sh -c echo \"a b\"; true service=sudo "
		 "command=sh -c echo \"a b\"; true"},
		{MSG("CRED_REFR", "op=PAM:setcred grantors=pam_permit,pam_cap acct=\"root\" " SUDO
				  "res=success"),
		 "auth cred_refr success root for=root service=sudo cause=PAM:setcred"},
		{MSG("CRED_DISP",
		     "op=PAM:setcred grantors=pam_permit acct=\"root\" " SUDO "res=success"),
		 "auth cred_disp success root for=root service=sudo cause=PAM:setcred"},
		{MSG("USER_ERR", "op=PAM:bad_ident grantors=? acct=\"?\" " SUDO "res=failed"),
		 "auth user_err failure null service=sudo cause=PAM:bad_ident"},
		{MSG("ADD_USER", "op=adding home directory id=1001 exe=\"/usr/sbin/useradd\" "
				 "hostname=? addr=? terminal=? res=success"),
		 "auth add_user success al for=al service=useradd cause=adding home directory"},
		{MSG("ADD_USER", "op=adding user id=1002 exe=\"/usr/sbin/useradd\" hostname=? "
				 "addr=? terminal=? res=success"),
		 "auth add_user success 1002 for=1002 service=useradd cause=adding user"},
		{MSG("DEL_GROUP", "op=removing group from /etc/group id=1001 "
				  "exe=\"/usr/sbin/groupdel\" hostname=? addr=? terminal=? "
				  "res=success"),
		 "auth del_group success 1001 for=1001 service=groupdel "
		 "cause=removing group from /etc/group"},
		{MSG("ADD_GROUP", "op= id=1002 exe=\"/usr/sbin/groupadd\" hostname=? addr=? "
				  "terminal=? res=success"),
		 "auth add_group success 1002 for=1002 service=groupadd"},
		{MSG("USER_ACCT",
		     "op=changing /etc/group; group g/1002, new name: h acct=\"g\" "
		     "exe=\"/usr/sbin/groupmod\" hostname=? addr=? terminal=? res=success"),
		 "auth user_acct success g for=g service=groupmod "
		 "cause=changing /etc/group; group g/1002, new name: h"},
		{MSG("USER_MGMT", "op=add-user-to-group grp=\"wheel\" acct=\"bob\" "
				  "exe=\"/usr/sbin/usermod\" hostname=? addr=? terminal=? "
				  "res=success"),
		 "auth user_mgmt success bob for=bob service=usermod cause=add-user-to-group"},
		{MSG("GRP_MGMT", "op=delete-group grp=\"wheel\" exe=\"/usr/sbin/groupdel\" "
				 "hostname=? addr=? terminal=? res=success"),
		 "auth grp_mgmt success wheel service=groupdel cause=delete-group"},
		{MSG("USER_CHAUTHTOK", "op=PAM:chauthtok grantors=pam_permit acct=\"bob\" "
				       "exe=\"/usr/sbin/chpasswd\" hostname=? addr=? terminal=? "
				       "res=success"),
		 "auth user_chauthtok success bob for=bob service=chpasswd cause=PAM:chauthtok"},
		{MSG("USER_LOGIN", "op=login id=1001 exe=\"/usr/sbin/sshd\" hostname=10.0.0.9 "
				   "addr=10.0.0.9 terminal=/dev/pts/1 res=success"),
		 "auth user_login success al for=al service=sshd cause=login"},
		{MSG("ANOM_LOGIN_FAILURES", "pam_tally2 uid=0 tty=? exe=\"/bin/x\" res=1"),
		 "auth anom_login_failures success null service=x"},
		{MSG("USER_AUTH", "op=PAM:authentication acct=6120276220723D exe=\"/bin/x\" "
				  "res=unknown"),
		 "auth user_auth unknown a 'b r= for=a 'b r= service=x cause=PAM:authentication"},
		{MSG("USER_AUTH", "acct=\"a\" op=\"more words\""),
		 "auth user_auth unknown a for=a cause=more words"},
		{MSG("USER_AUTH", "op="), "auth user_auth unknown null"},
		{MSG("CRYPTO_KEY_USER", "op=destroy kind=server exe=\"/usr/sbin/sshd\" "
					"res=success"),
		 NULL},
		{MSG("USER_TTY", "data=\"secret\""), NULL},
		{"type=USER_AUTH msg=@ pid=90 uid=1001 auid=1001 ses=1", NULL},
		{"type=USER_ACCT msg=@ pid=1 uid=0 auid=4294967295 ses=4294967295 "
		 "msg='op=PAM:accounting acct=\"root\" exe=\"/usr/sbin/cron\" res=success'",
		 NULL},
	};

	run(cases, ARRAY_LEN(cases));
}

#define BEFORE(type, pid, rest)                                                                    \
	"type=" type " msg=@ pid=" #pid " uid=0 auid=4294967295 ses=4294967295 msg='" rest         \
	" exe=\"/usr/sbin/sshd\" hostname=10.0.0.9 addr=10.0.0.9 terminal=ssh res=success'"

/* What the login's process says before it has a session. */
static void test_early(void)
{
	static const char *const want[] = {
		START,
		"auth user_auth success al user=root for=al service=sshd cause=PAM:authentication",
		"auth user_acct success al user=root for=al service=sshd cause=PAM:accounting",
		"auth cred_acq success al user=root for=al service=sshd cause=PAM:setcred",
		NULL,
	};
	size_t seen = 0, two = 0;
	struct feed f;

	feed_open(&f, &settings, NULL);
	feed_line(&f, BEFORE("USER_AUTH", 51, "op=PAM:authentication acct=\"al\""));
	feed_line(&f, BEFORE("USER_AUTH", 99, "op=PAM:authentication acct=\"other\""));
	feed_line(&f, BEFORE("CRYPTO_SESSION", 51, "op=start direction=from-server"));
	feed_line(&f, BEFORE("USER_ACCT", 51, "op=PAM:accounting acct=\"al\""));
	feed_line(&f, "type=LOGIN msg=@ pid=51 uid=0 old-auid=4294967295 auid=1001 "
		      "old-ses=4294967295 ses=1 res=1");
	feed_line(&f, "type=CRED_ACQ msg=@ pid=55 uid=0 auid=1001 ses=1 msg='op=PAM:setcred "
		      "acct=\"al\" exe=\"/usr/sbin/sshd\" res=success'");
	feed_line(&f, "type=USER_START msg=@ pid=51 uid=0 auid=1001 ses=1 msg='op=PAM:session_open "
		      "acct=\"al\" exe=\"/usr/sbin/sshd\" addr=10.0.0.9 terminal=ssh res=success'");
	feed_expect(&f, 1, &seen, want, "its own messages, in their order");
	feed_login(&f, 2);
	expect(&f, 2, &two, START, "another login takes none of them");
	feed_close(&f);
}

/* 256 others push the oldest out; two minutes later none counts. */
static void test_early_bounds(void)
{
	size_t seen = 0, two = 0;
	char text[256];
	struct feed f;

	feed_open(&f, &settings, NULL);
	feed_line(&f, BEFORE("USER_AUTH", 51, "op=one acct=\"al\""));
	feed_line(&f, BEFORE("USER_ACCT", 51, "op=two acct=\"al\""));
	for (int i = 0; i < 255; i++) {
		snprintf(text, sizeof(text),
			 "type=USER_AUTH msg=@ pid=%d uid=0 auid=4294967295 ses=4294967295 "
			 "msg='op=x acct=\"o\" exe=\"/x\" res=failed'",
			 1000 + i);
		feed_line(&f, text);
	}
	feed_login(&f, 1);
	feed_expect(&f, 1, &seen,
		    (const char *const[]){START,
					  "auth user_acct success al user=root for=al "
					  "service=sshd cause=two",
					  NULL},
		    "the oldest made room");
	feed_line(&f, "type=USER_AUTH msg=audit(1795222679.999:9): pid=52 uid=0 auid=4294967295 "
		      "ses=4294967295 msg='op=long ago, @ exe=\"/x\" res=success'");
	feed_line(&f, BEFORE("USER_ACCT", 52, "op=now acct=\"al\""));
	feed_login(&f, 2);
	feed_expect(&f, 2, &two,
		    (const char *const[]){START,
					  "auth user_acct success al user=root for=al "
					  "service=sshd cause=now",
					  NULL},
		    "what is older than two minutes does not count");
	feed_close(&f);
}

/* sshd's last words must not begin a second part. */
static void test_late(void)
{
	struct session *s;
	struct feed f;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	transcript_end_all(f.p.transcript, "end_of_recording", T0);
	feed_line(&f, "type=CRED_DISP msg=@ pid=51 uid=0 auid=1001 ses=1 msg='op=PAM:setcred "
		      "acct=\"al\" exe=\"/usr/sbin/sshd\" res=success'");
	s = session_find(f.p.sessions, 1);
	tap_ok(s && s->phase == SESSION_CLOSED, "sshd's own message leaves it closed");
	feed_line(&f, MSG("USER_CMD", "cwd=\"/\" cmd=\"id\" exe=\"/usr/bin/sudo\" res=success"));
	tap_ok(s && s->phase != SESSION_CLOSED && s->part == 2, "a sudo opens part 2");
	feed_close(&f);
}

static void test_off(void)
{
	static const struct one cases[] = {
		{MSG("USER_CMD",
		     "cwd=\"/\" cmd=\"id\" exe=\"/usr/bin/sudo\" terminal=pts/1 res=success"),
		 NULL},
	};
	bool before = settings.capture_auth;

	settings.capture_auth = false;
	run(cases, ARRAY_LEN(cases));
	settings.capture_auth = before;
}

/* The hash is HMAC-SHA-256, made with openssl. */
static void test_redacted(void)
{
	static const struct one cases[] = {
		{MSG("USER_CMD",
		     /* mysql -pgeheim -e x */
		     "cwd=\"/\" cmd=6D7973716C202D7067656865696D202D652078 exe=\"/usr/bin/sudo\" "
		     "terminal=pts/1 res=success"),
		 "auth user_cmd success mysql -p[redacted:486d944a:6] -e x service=sudo "
		 "command=mysql -p[redacted:486d944a:6] -e x redacted=1"},
	};
	char file[] = "/tmp/sessaudit-test.XXXXXX", *before = settings.redact_key_file;
	int fd = mkstemp(file);

	if (fd < 0 || write(fd, "0123456789abcdef0123456789abcdef", 32) != 32 || close(fd))
		abort();
	settings.redact_key_file = file;
	settings.redact_enable = true;
	run(cases, ARRAY_LEN(cases));
	settings.redact_enable = false;
	settings.redact_key_file = before;
	unlink(file);
}

#define BY_ROOT "auid=4294967295 ses=4294967295 "
#define BY_1 "auid=1001 ses=1 "
#define CONFIG "type=CONFIG_CHANGE msg=@ "

/* Made in session 1; what session 2 gets. */
static void test_config(void)
{
	static const struct {
		const char *line, *own, *other;
	} cases[] = {
		{CONFIG "op=set audit_enabled=0 old=1 " BY_1 "res=1",
		 "config config_change success audit_enabled old=1 new=0 cause=set linked",
		 "config config_change success audit_enabled old=1 new=0 cause=set linked"},
		{CONFIG "audit_enabled=0 old=1 " BY_1 "res=0",
		 "config config_change failure audit_enabled old=1 new=0 cause=set linked",
		 "config config_change failure audit_enabled old=1 new=0 cause=set linked"},
		{CONFIG BY_1 "op=remove_rule key=\"sessaudit\" list=4 res=1",
		 "config config_change success rule cause=remove_rule, key sessaudit linked",
		 "config config_change success rule cause=remove_rule, key sessaudit linked"},
		{CONFIG BY_1 "op=remove_rule key=\"sessaudit\" list=4 res=1",
		 "config config_change success rule cause=remove_rule, key sessaudit linked", NULL},
		{CONFIG BY_1 "op=remove_rule key=(null) list=4 res=1",
		 "config config_change success rule cause=remove_rule linked",
		 "config config_change success rule cause=remove_rule linked"},
		{CONFIG BY_1 "op=updated_rules path=\"/etc/passwd\" key=\"id\" list=4 res=1",
		 "config config_change success rule cause=updated_rules, key id, /etc/passwd "
		 "linked",
		 "config config_change success rule cause=updated_rules, key id, /etc/passwd "
		 "linked"},
		{CONFIG "op=set audit_pid=0 old=812 auid=0 ses=4294967295 res=1",
		 "config config_change success audit_pid user=root old=812 new=0 cause=set auid=0",
		 "config config_change success audit_pid user=root old=812 new=0 cause=set "
		 "auid=0"},
		{CONFIG "op=set audit_enabled=0 old=1 " BY_ROOT "res=1",
		 "config config_change success audit_enabled user=null old=1 new=0 cause=set "
		 "auid=unset",
		 "config config_change success audit_enabled user=null old=1 new=0 cause=set "
		 "auid=unset"},
		{CONFIG BY_ROOT "op=remove_rule key=\"sessaudit\" list=4 res=1",
		 "config config_change success rule user=null cause=remove_rule, key sessaudit "
		 "auid=unset",
		 "config config_change success rule user=null cause=remove_rule, key sessaudit "
		 "auid=unset"},
		{CONFIG "op=set audit_backlog_limit=64 old=8192 " BY_ROOT "res=1",
		 "config config_change success audit_backlog_limit user=null old=8192 new=64 "
		 "cause=set auid=unset",
		 "config config_change success audit_backlog_limit user=null old=8192 new=64 "
		 "cause=set auid=unset"},
		{CONFIG "op=set audit_failure=1 old=1 " BY_1 "res=1", NULL, NULL},
		/* what the agent itself does */
		{CONFIG BY_ROOT "op=add_rule key=\"sessaudit\" list=4 res=1", NULL, NULL},
		{CONFIG BY_ROOT "op=add_rule key=\"sessaudit-self\" list=4 res=1", NULL, NULL},
		{CONFIG "op=set audit_enabled=1 old=0 " BY_ROOT "res=1", NULL, NULL},
		{CONFIG "op=set audit_backlog_limit=8192 old=64 " BY_ROOT "res=1", NULL, NULL},
		{CONFIG "op=set audit_pid=300 old=0 " BY_ROOT "res=1", NULL, NULL},
		/* the same by somebody */
		{CONFIG BY_1 "op=add_rule key=\"sessaudit\" list=4 res=1",
		 "config config_change success rule cause=add_rule, key sessaudit linked",
		 "config config_change success rule cause=add_rule, key sessaudit linked"},
		{CONFIG "op=set audit_pid=301 old=0 " BY_ROOT "res=1",
		 "config config_change success audit_pid user=null old=0 new=301 cause=set "
		 "auid=unset",
		 "config config_change success audit_pid user=null old=0 new=301 cause=set "
		 "auid=unset"},
		/* each login's own */
		{CONFIG "pid=51 uid=0 " BY_1 "op=tty_set old-enabled=1 new-enabled=0 "
			"old-log_passwd=0 new-log_passwd=0 res=1",
		 NULL, NULL},
		{CONFIG "pid=99 uid=0 " BY_1 "op=tty_set old-enabled=0 new-enabled=1 "
			"old-log_passwd=0 new-log_passwd=0 res=1",
		 NULL, NULL},
		{CONFIG "pid=99 uid=0 " BY_1 "op=tty_set old-enabled=1 new-enabled=0 "
			"old-log_passwd=0 new-log_passwd=0 res=1",
		 "config config_change success tty_audit old=1 new=0 cause=tty_set linked", NULL},
		{"type=DAEMON_END msg=@ op=terminate auid=1001 uid=0 ses=1 pid=5 subj=x "
		 "res=success",
		 "config daemon_end success audit_daemon cause=terminate linked",
		 "config daemon_end success audit_daemon cause=terminate linked"},
		{"type=DAEMON_START msg=@ op=start ver=3.0.9 format=enriched kernel=6 "
		 "auid=4294967295 pid=9 uid=0 ses=4294967295 subj=x res=success",
		 "config daemon_start success audit_daemon user=null cause=start auid=unset",
		 "config daemon_start success audit_daemon user=null cause=start auid=unset"},
		{"type=DAEMON_ACCEPT msg=@ addr=10.0.0.1:9 port=60 res=success", NULL, NULL},
	};
	struct self_facts self = {.pids = {300}, .n_pids = 1};
	size_t seen = 0, two = 0;
	struct feed f;

	feed_open(&f, &settings, &self);
	feed_login(&f, 1);
	feed_login(&f, 2);
	expect(&f, 1, &seen, START, "login");
	expect(&f, 2, &two, START, "login");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		feed_line(&f, cases[i].line);
		expect(&f, 1, &seen, cases[i].own, cases[i].line);
		expect(&f, 2, &two, cases[i].other, cases[i].line);
	}
	tap_int((long long)transcript_stats(f.p.transcript)->reconfigs, 14, "all but the agent's");
	feed_close(&f);
}

/* A feature (auditctl --loginuid-immutable) comes with its system call. */
static void test_feature(void)
{
	struct feed f;
	size_t seen = 0;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	expect(&f, 1, &seen, START, "login");
	feed_line(&f, "type=FEATURE_CHANGE msg=@ pid=99 uid=0 auid=1001 tty=pts0 ses=1 "
		      "comm=\"auditctl\" exe=\"/sbin/auditctl\" feature=loginuid_immutable old=0 "
		      "new=1 old_lock=0 new_lock=1 res=1");
	event_flush(f.p.events);
	expect(&f, 1, &seen,
	       "config feature_change success loginuid_immutable old=0 new=1 cause=set linked",
	       "a feature");
	feed_close(&f);
}

/* A session that is not known yet: who changes something there is not lost. */
static void test_adopted(void)
{
	size_t seen = 0;
	struct feed f;

	feed_open(&f, &settings, NULL);
	feed_line(&f, CONFIG "op=set audit_enabled=0 old=1 auid=1001 ses=7 res=1");
	feed_expect(
		&f, 7, &seen,
		(const char *const[]){"session_start success unknown user=1001 "
				      "service=unknown cause=adopted",
				      "config config_change success audit_enabled user=1001 old=1 "
				      "new=0 cause=set linked",
				      NULL},
		"adopted");
	feed_close(&f);
}

static void test_urgent(void)
{
	static const char want[] = "config config_change unknown audit_enabled user=null old=1 "
				   "new=0 cause=found_by_check auid=unset";
	size_t seen = 0;
	struct feed f;

	feed_open(&f, &settings, NULL);
	feed_login(&f, 1);
	expect(&f, 1, &seen, START, "login");
	tap_int(transcript_reconfigured(f.p.transcript), 0, "nothing was changed");
	feed_line(&f, CONFIG BY_ROOT "op=add_rule key=\"sessaudit\" list=4 res=1");
	tap_int(transcript_reconfigured(f.p.transcript), 0, "the agent's own rule");
	feed_line(&f, CONFIG BY_ROOT "op=remove_rule key=\"x\" list=4 res=1");
	tap_int(transcript_reconfigured(f.p.transcript), INT64_C(1795222800000), "when");
	tap_int(transcript_reconfigured(f.p.transcript), 0, "said once");
	expect(&f, 1, &seen,
	       "config config_change success rule user=null cause=remove_rule, key x auid=unset",
	       "the entry");
	transcript_reconfig_found(f.p.transcript, "audit_enabled", "1", "0", T0, 0);
	expect(&f, 1, &seen, want, "a change without a record");
	transcript_reconfig_found(f.p.transcript, "remove_rule", "12", NULL, T0, 0);
	expect(&f, 1, &seen,
	       "config config_change unknown rule user=null old=12 cause=remove_rule auid=unset",
	       "rules that are gone");
	feed_close(&f);
}

int main(void)
{
	log_init("test_messages", LOG_LEVEL_ERR - 1);
	settings_parse("test", SLICE_LIT(""), &settings, NULL);
	settings.redact_enable = false;
	test_auth();
	test_early();
	test_early_bounds();
	test_late();
	test_off();
	test_redacted();
	test_config();
	test_feature();
	test_adopted();
	test_urgent();
	settings_free(&settings);
	return tap_done();
}
