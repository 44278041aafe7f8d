/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fdio.h"
#include "common/log.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/cred_stand.h"
#include "tests/unit/tap.h"

#define PAIR(id) "aws_access_key_id = AKIA" id "\naws_secret_access_key = HUSH+" id "\n"

static char dir[] = "/tmp/test_credentials.XXXXXX";

static char *path_of(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return strdup(path);
}

/* Lives until the test program ends: the environment of a stand borrows it. */
static const char *put_mode(const char *name, const char *text, mode_t mode)
{
	static char *paths[64];
	static size_t len;
	char *path = path_of(name);

	if (!path || len == ARRAY_LEN(paths) ||
	    fdio_replace_file(AT_FDCWD, path, text, strlen(text), mode, NULL) < 0)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (strcmp(paths[i], path) == 0) {
			free(path);
			return paths[i];
		}
	}
	return paths[len++] = path;
}

static const char *put_file(const char *name, const char *text)
{
	return put_mode(name, text, 0600);
}

static void remove_all(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		abort();
}

/* All sources at once; then the first is taken away, and so on. */
static void test_order(void)
{
	static const struct {
		const char *name, *access, *source;
		const char *gone[3]; /* before the next row */
	} rows[] = {
		{"systemd", "AKIASYSTEM", "profile default of ", {"CREDENTIALS_DIRECTORY"}},
		{"environment",
		 "AKIAENV",
		 "environment",
		 {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
		{"web identity",
		 "ASIAXML1",
		 "web identity (arn:aws:iam::1:role/r)",
		 {"AWS_WEB_IDENTITY_TOKEN_FILE"}},
		{"credentials file",
		 "AKIASHARED",
		 "profile default of ",
		 {"AWS_SHARED_CREDENTIALS_FILE"}},
		{"config file", "AKIACONFIG", "profile default of ", {"AWS_CONFIG_FILE"}},
		{"ECS",
		 "ASIAJSON2",
		 "container (169.254.170.2)",
		 {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}},
		{"EKS",
		 "ASIAJSON3",
		 "container (169.254.170.23)",
		 {"AWS_CONTAINER_CREDENTIALS_FULL_URI"}},
		{"instance", "ASIAJSON4", "instance metadata (role web)", {NULL}},
	};
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	put_file("aws-credentials", "[default]\n" PAIR("SYSTEM"));
	stand_env(&s, "CREDENTIALS_DIRECTORY", dir);
	stand_env(&s, "AWS_ACCESS_KEY_ID", "AKIAENV");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH+env");
	stand_env(&s, "AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
	stand_env(&s, "AWS_WEB_IDENTITY_TOKEN_FILE", put_file("jwt", STAND_JWT));
	stand_env(&s, "AWS_REGION", "eu-west-1");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE",
		  put_file("credentials", "[default]\n" PAIR("SHARED")));
	stand_env(&s, "AWS_CONFIG_FILE", put_file("config", "[default]\n" PAIR("CONFIG")));
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		stand_chain(&s, NULL, NULL, NULL);
		stand_gives(&s, rows[i].access, NULL, rows[i].name);
		tap_ok(strncmp(aws_chain_source(s.chain), rows[i].source, strlen(rows[i].source)) ==
			       0,
		       "%s: source: %s", rows[i].name, aws_chain_source(s.chain));
		for (size_t j = 0; j < ARRAY_LEN(rows[i].gone) && rows[i].gone[j]; j++)
			stand_env(&s, rows[i].gone[j], NULL);
	}
}

/* What is configured and fails is the answer. */
static void test_no_falling_through(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x");
	stand_fail(&s, STEP_CONTAINER, FAULT_404);
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID, "container credentials: answer 404: NoSuchTask...",
		      "container fails");
	stand_has_called(&s, "GET http://127.0.0.1/x direct 1000\n", "the instance is not asked");
	tap_str(aws_chain_source(s.chain), "none", "container fails: no source");
}

/* Once a source has given credentials, another one is not asked, even when it is gone. */
static void test_stays(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "AWS_ACCESS_KEY_ID", "AKIAENV");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH+env");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "AKIAENV", "environment", "stays: at first");
	stand_env(&s, "AWS_ACCESS_KEY_ID", NULL);
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", NULL);
	clock_fake_advance(STAND_MINUTE_MS);
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIAENV", "environment", "stays: the old ones");
	stand_has_called(&s, "", "stays: nobody else is asked");
}

static void test_env(void)
{
	const struct aws_credentials *c = NULL;
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "AWS_ACCESS_KEY_ID", "AKIAENV");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", "no secret");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH+env");
	stand_env(&s, "AWS_ACCESS_KEY_ID", "");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not", "no key");
	stand_env(&s, "AWS_ACCESS_KEY_ID", "AKIAENV");
	stand_env(&s, "AWS_SESSION_TOKEN", "");
	stand_chain(&s, NULL, NULL, NULL);
	tap_int(aws_chain_get(s.chain, &c, NULL), 0, "static");
	tap_str(c->access_key, "AKIAENV", "static: access key");
	tap_str(c->secret_key, "HUSH+env", "static: secret key");
	tap_str(c->session_token, NULL, "static: no session token");
	tap_int(c->expires_ms, 0, "static: for ever");
	stand_env(&s, "AWS_SESSION_TOKEN", "HUSH/token==");
	stand_chain(&s, NULL, NULL, NULL);
	tap_int(aws_chain_get(s.chain, &c, NULL), 0, "session");
	tap_str(c->session_token, "HUSH/token==", "session: token");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH\nenv");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "environment: an access key or secret key with blanks or strange characters",
		      "a line end in the secret");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH+env");
	stand_env(&s, "AWS_SESSION_TOKEN", "HUSH token");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "environment: a session token with blanks or strange characters",
		      "a blank in the token");
}

static void test_env_of_process(void)
{
	const struct aws_chain_options o = {0};
	_cleanup_aws_chain_ struct aws_chain *chain = NULL;
	const struct aws_credentials *c = NULL;

	setenv("AWS_ACCESS_KEY_ID", "AKIAPROCESS", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "HUSH+process", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	tap_int(aws_chain_new(&o, &chain, NULL), 0, "the process's environment");
	tap_int(aws_chain_get(chain, &c, NULL), 0, "the process's environment: given");
	tap_str(c->access_key, "AKIAPROCESS", "the process's environment: access key");
}

static const char files_text[] =
	"[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = HUSH+default\n"
	"[one]\naws_access_key_id = AKIAONE\naws_secret_access_key = HUSH+one\n"
	"aws_session_token = HUSH/one==\n"
	"[half]\naws_access_key_id = AKIAHALF\n"
	"[empty]\n";
static const char config_text[] =
	"[default]\nregion = eu-west-1\nca_bundle = /etc/ca.pem\n"
	"[profile two]\nendpoint_url = https://s3.test\n"
	"aws_access_key_id = AKIATWO\naws_secret_access_key = HUSH+two\n"
	"[profile half]\naws_secret_access_key = HUSH+half\n"
	"[profile region]\nregion = eu-west-2\n"
	"[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
	"[profile web]\nrole_arn = arn:aws:iam::1:role/w\n"
	"role_session_name = me\nendpoint_url = http://sts.test\n"
	"web_identity_token_file = %s\n"
	"[profile token]\nweb_identity_token_file = %s\n"
	"[profile sso]\nsso_session = s\nsso_account_id = 1\n"
	"[profile process]\ncredential_process = /bin/HUSH\n";

static void set_files(struct stand *s)
{
	const char *jwt = put_file("jwt", STAND_JWT);
	char config[2048];

	snprintf(config, sizeof(config), config_text, jwt, jwt);
	stand_env(s, "AWS_SHARED_CREDENTIALS_FILE", put_file("credentials", files_text));
	stand_env(s, "AWS_CONFIG_FILE", put_file("config", config));
	stand_env(s, "AWS_EC2_METADATA_DISABLED", "true");
}

static void test_profiles(void)
{
	const struct aws_credentials *c = NULL;
	_cleanup_stand_ struct stand s = {0};
	char source[300];

	stand_start(&s, "");
	set_files(&s);
	stand_chain(&s, NULL, NULL, NULL);
	snprintf(source, sizeof(source), "profile default of %s/credentials", dir);
	stand_gives(&s, "AKIADEFAULT", source, "default");
	stand_env(&s, "AWS_PROFILE", "one");
	stand_chain(&s, "", NULL, NULL);
	stand_gives(&s, "AKIAONE", NULL, "AWS_PROFILE");
	tap_int(aws_chain_get(s.chain, &c, NULL), 0, "AWS_PROFILE, again");
	tap_str(c->session_token, "HUSH/one==", "AWS_PROFILE: session token");
	stand_chain(&s, "two", NULL, NULL);
	snprintf(source, sizeof(source), "profile two of %s/config", dir);
	stand_gives(&s, "AKIATWO", source, "option before AWS_PROFILE");
	tap_bytes(aws_profile_value(s.chain, "endpoint_url"), SLICE_LIT("https://s3.test"),
		  "value");
	tap_bytes(aws_profile_value(s.chain, "region"), SLICE_NONE, "no value of another profile");

	stand_env(&s, "AWS_ACCESS_KEY_ID", "AKIAENV");
	stand_env(&s, "AWS_SECRET_ACCESS_KEY", "HUSH+env");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "AKIAENV", "environment", "the environment before AWS_PROFILE");
	stand_chain(&s, "two", NULL, NULL);
	stand_gives(&s, "AKIATWO", source, "the profile of the option before the environment");
	stand_has_called(&s, "", "profiles: nobody was asked");

	stand_chain(&s, "web", NULL, NULL);
	stand_gives(&s, "ASIAXML1", "web identity (arn:aws:iam::1:role/w)", "web identity");
	stand_has_called(&s, "POST http://sts.test/ 5000\n", "web identity of a profile");
	tap_ok(strstr(buf_cstr(&s.asked), "RoleSessionName=me&") != NULL, "its session name");
}

/* text with the directory for DIR */
static void with_dir(struct buf *out, const char *text)
{
	buf_init(out, 1024);
	for (; *text; text++) {
		if (strncmp(text, "DIR", 3) == 0) {
			buf_puts(out, dir);
			text += 2;
		} else {
			buf_putc(out, *text);
		}
	}
}

static void test_wrong_profiles(void)
{
	static const struct {
		const char *profile, *msg;
	} rows[] = {
		{"three", "AWS profile three is neither in DIR/credentials nor in DIR/config"},
		{"half", "DIR/credentials: profile half has no aws_secret_access_key"},
		{"role", "AWS profile role: role_arn without web_identity_token_file is not "
			 "supported; use an instance role, a web identity or static keys"},
		{"token", "AWS profile token: web_identity_token_file without role_arn"},
		{"sso",
		 "AWS profile sso: sso_session is not supported; use an instance role, a web "
		 "identity or static keys"},
		{"process", "AWS profile process: credential_process is not supported; use an "
			    "instance role, a web identity or static keys"},
	};
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	set_files(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf msg = {0};

		with_dir(&msg, rows[i].msg);
		stand_chain(&s, rows[i].profile, NULL, NULL);
		stand_refuses(&s, SA_ERR_INVALID, buf_cstr(&msg), rows[i].profile);
	}
	stand_chain(&s, "region", NULL, NULL);
	stand_refuses(&s, SA_ERR_NOTFOUND, "no AWS credentials in ...", "a profile without keys");
	stand_chain(&s, "empty", NULL, NULL);
	stand_refuses(&s, SA_ERR_NOTFOUND, "no AWS credentials in ...", "an empty profile");
	stand_has_called(&s, "", "wrong profiles: nobody was asked");
}

static void check_new(struct stand *s, int code, const char *msg, const char *name)
{
	_cleanup_buf_ struct buf want = {0};
	struct sa_err err = {0};

	with_dir(&want, msg);
	tap_int(stand_chain(s, NULL, NULL, &err), code, "%s", name);
	stand_says(err.msg, buf_cstr(&want), name);
}

static void test_bad_files(void)
{
	_cleanup_free_ char *big = malloc(65537 + 1), *link = path_of("link");
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "true");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE",
		  put_file("credentials", "[default]\n\naws_secret_access_key HUSH\n"));
	check_new(&s, SA_ERR_INVALID, "DIR/credentials:3: neither [section] nor key = value",
		  "syntax");
	memset(big, '\n', 65537);
	big[65537] = '\0';
	put_file("credentials", big);
	check_new(&s, SA_ERR_INVALID, "DIR/credentials: more than 65536 bytes", "too big");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", dir);
	check_new(&s, SA_ERR_INVALID, "DIR: not a regular file", "a directory");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", "/dev/zero");
	check_new(&s, SA_ERR_INVALID, "/dev/zero: not a regular file", "a device");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", "~/x");
	check_new(&s, SA_ERR_INVALID, "AWS_SHARED_CREDENTIALS_FILE: ~ without HOME",
		  "~ without HOME");

	put_file("credentials", "[default]\n" PAIR("LINKED"));
	if (symlink("credentials", link) < 0)
		abort();
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", link);
	check_new(&s, 0, "", "a link");
	stand_gives(&s, "AKIALINKED", NULL, "a link");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", "~/link");
	stand_env(&s, "HOME", dir);
	check_new(&s, 0, "", "~");
	stand_gives(&s, "AKIALINKED", NULL, "~");
}

/* Of a home directory. */
static void test_home(void)
{
	_cleanup_free_ char *aws = path_of(".aws");
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "HOME", dir);
	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "true");
	check_new(&s, 0, "", "no files");
	stand_refuses(&s, SA_ERR_NOTFOUND,
		      "no AWS credentials in $CREDENTIALS_DIRECTORY/aws-credentials, "
		      "AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, /tmp/test_credentials...",
		      "no files");
	if (mkdir(aws, 0700) < 0)
		abort();
	put_file(".aws/credentials", "[default]\n" PAIR("HOME"));
	put_file(".aws/config", "[default]\nregion = home-1\n");
	clock_fake_advance(STAND_MINUTE_MS);
	stand_gives(&s, "AKIAHOME", NULL, "files that have come");
	tap_bytes(aws_profile_value(s.chain, "region"), SLICE_NONE, "values are as at the start");
	check_new(&s, 0, "", "home");
	tap_bytes(aws_profile_value(s.chain, "region"), SLICE_LIT("home-1"), "region of home");
	if (geteuid() == 0) {
		tap_skip("root may read anything", "unreadable files");
		return;
	}
	put_mode(".aws/credentials", "[default]\n" PAIR("HOME"), 0);
	check_new(&s, 0, "", "unreadable");
	stand_refuses(&s, SA_ERR_NOTFOUND, "no AWS credentials in ...", "unreadable at home");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE", put_mode("credentials", "", 0));
	check_new(&s, SA_ERR_PERM, "AWS_SHARED_CREDENTIALS_FILE: DIR/credentials may not be read",
		  "unreadable where the environment says");
}

/* Keys that the admin changed are taken up when the service refuses the old ones. */
static void test_changed_keys(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	set_files(&s);
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "AKIADEFAULT", NULL, "changed keys: the old ones");
	put_file("credentials", "[default]\n" PAIR("NEW"));
	clock_fake_advance(24 * STAND_HOUR_MS);
	stand_gives(&s, "AKIADEFAULT", NULL, "changed keys: nobody complained");
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIANEW", NULL, "changed keys: refused");
	put_file("credentials", "[default]\naws_access_key_id = AKIANEWER\n");
	clock_fake_advance(10000);
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIANEW", NULL, "changed keys: half written");
	put_file("credentials", "oops\n");
	clock_fake_advance(10000);
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIANEW", NULL, "changed keys: broken");
	tap_bytes(aws_profile_value(s.chain, "ca_bundle"), SLICE_LIT("/etc/ca.pem"),
		  "changed keys: values stay");
}

static void test_system(void)
{
	_cleanup_free_ char *path = path_of("aws-credentials");
	_cleanup_stand_ struct stand s = {0};
	char source[300];

	stand_start(&s, "");
	stand_env(&s, "CREDENTIALS_DIRECTORY", dir);
	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "true");
	put_file("aws-credentials", "[default]\n" PAIR("SYSTEM") "region = sys-1\n[none]\n");
	check_new(&s, 0, "", "systemd");
	unlink(path); /* no longer needed: it was read when the chain was made */
	snprintf(source, sizeof(source), "profile default of %s", path);
	stand_gives(&s, "AKIASYSTEM", source, "systemd");
	tap_bytes(aws_profile_value(s.chain, "region"), SLICE_LIT("sys-1"), "systemd: region");
	clock_fake_advance(10000);
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIASYSTEM", source, "systemd, later");
	check_new(&s, 0, "", "systemd: no such credential");
	stand_refuses(&s, SA_ERR_NOTFOUND, "no AWS credentials in $CREDENTIALS_DIRECTORY/aws-c...",
		      "systemd: no such credential");
	put_file("aws-credentials", "[none]\n");
	check_new(&s, 0, "", "systemd: no profile");
	snprintf(source, sizeof(source), "%s: no keys in profile default", path);
	stand_refuses(&s, SA_ERR_INVALID, source, "systemd: no profile");
	put_file("aws-credentials", "HUSH\n");
	check_new(&s, SA_ERR_INVALID, "DIR/aws-credentials:1: neither [section] nor key = value",
		  "systemd: broken");
	unlink(path);
}

/* The right credentials or none; never those of the next source. */
static void test_no_memory(void)
{
	const struct aws_credentials *c;
	_cleanup_stand_ struct stand s = {0};
	unsigned long n = 0, bad = 0;

	stand_start(&s, "");
	set_files(&s);
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x");
	do {
		struct sa_err err = {0};
		int rc;

		alloc_fail_at(++n);
		rc = stand_chain(&s, "one", NULL, &err);
		if (rc == 0)
			rc = aws_chain_get(s.chain, &c, &err);
		if (rc == 0 && strcmp(c->access_key, "AKIAONE") != 0)
			bad++;
		if (rc != err.code)
			bad++;
	} while (alloc_failed());
	alloc_fail_at(0);
	tap_int((long long)bad, 0, "out of memory at any allocation");
	tap_ok(n > 8, "out of memory: %lu allocations", n - 1);
	stand_has_called(&s, "", "out of memory: nobody was asked");
}

static int64_t expiry(struct stand *s)
{
	const struct aws_credentials *c = NULL;

	return aws_chain_get(s->chain, &c, NULL) == 0 ? c->expires_ms : -1;
}

static void test_renewal(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	s.life_ms = STAND_HOUR_MS;
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON1", NULL, "one hour");
	tap_int(expiry(&s), STAND_REAL_MS + STAND_HOUR_MS, "one hour: its end");
	clock_fake_advance(45 * STAND_MINUTE_MS - 1);
	stand_gives(&s, "ASIAJSON1", NULL, "a moment before the last quarter");
	stand_fail(&s, STEP_IMDS_ROLE, FAULT_500);
	clock_fake_advance(1);
	stand_gives(&s, "ASIAJSON1", NULL, "15 minutes before: fails, the old ones stay");
	stand_forget(&s);
	clock_fake_advance(STAND_MINUTE_MS - 1);
	stand_gives(&s, "ASIAJSON1", NULL, "no other try");
	stand_has_called(&s, "", "no other try within a minute");
	clock_fake_advance(1);
	stand_gives(&s, "ASIAJSON1", NULL, "a minute later: fails again");
	tap_ok(s.calls.len > 0, "a minute later: tried");
	clock_fake_advance(14 * STAND_MINUTE_MS - 1);
	stand_gives(&s, "ASIAJSON1", NULL, "valid to the last moment");
	clock_fake_advance(1);
	stand_refuses(&s, SA_ERR_AGAIN, "instance metadata: answer 500", "expired");
	stand_fail(&s, STEP_NONE, FAULT_NONE);
	stand_refuses(&s, SA_ERR_AGAIN, "instance metadata: answer 500",
		      "expired: one try a minute");
	clock_fake_advance(STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON2", "instance metadata (role web)", "the source is back");
}

static void test_short_lives(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	s.life_ms = 10 * STAND_MINUTE_MS;
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON1", NULL, "ten minutes");
	clock_fake_advance(5 * STAND_MINUTE_MS - 1);
	stand_gives(&s, "ASIAJSON1", NULL, "ten minutes: before the half");
	clock_fake_advance(1);
	stand_gives(&s, "ASIAJSON2", NULL, "ten minutes: at the half");
	s.life_ms = STAND_MINUTE_MS / 2; /* shorter than one try a minute allows */
	clock_fake_advance(5 * STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON3", NULL, "half a minute");
	clock_fake_advance(STAND_MINUTE_MS / 2);
	stand_refuses(&s, SA_ERR_AGAIN,
		      "instance metadata (role web): the credentials have expired",
		      "half a minute: over");
	clock_fake_advance(STAND_MINUTE_MS / 2);
	s.life_ms = STAND_HOUR_MS;
	stand_gives(&s, "ASIAJSON4", NULL, "half a minute: then again");
}

static void test_refused(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_chain(&s, NULL, NULL, NULL);
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAJSON1", NULL, "refused: before the first get");
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAJSON1", NULL, "refused: too soon");
	clock_fake_advance(9999);
	stand_gives(&s, "ASIAJSON1", NULL, "refused: still too soon");
	clock_fake_advance(1);
	stand_gives(&s, "ASIAJSON2", NULL, "refused: ten seconds later");
	clock_fake_advance(STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON2", NULL, "refused: once is once");
	stand_fail(&s, STEP_IMDS_ROLE, FAULT_500);
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAJSON2", NULL, "refused: fails, the old ones stay");
	stand_forget(&s);
	clock_fake_advance(STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON2", NULL, "refused: the old ones still stay");
	stand_has_called(&s, "", "refused: not asked again before it is said again");
}

/* The host's clock is three days ahead, or jumps: what counts is how long they are good for. */
static void test_wrong_clock(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	s.date = "Wed, 18 Nov 2026 09:00:00 GMT";
	s.life_ms = STAND_HOUR_MS - 72 * STAND_HOUR_MS;
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON1", NULL, "clock ahead");
	tap_int(expiry(&s), STAND_REAL_MS + STAND_HOUR_MS, "clock ahead: their end by our clock");
	clock_fake(STAND_REAL_MS + 48 * STAND_HOUR_MS, STAND_MONO_MS + 44 * STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON1", NULL, "clock set: still good");
	clock_fake(STAND_REAL_MS - 48 * STAND_HOUR_MS, STAND_MONO_MS + 46 * STAND_MINUTE_MS);
	s.date = "today";
	s.life_ms = STAND_HOUR_MS;
	stand_gives(&s, "ASIAJSON2", NULL, "clock set back: renewed in time, Date is nonsense");
	tap_int(expiry(&s), STAND_REAL_MS - 47 * STAND_HOUR_MS, "clock set back: their end");
}

static char *log_text(int fd)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, 1 << 20);
	if (lseek(fd, 0, SEEK_SET) < 0 || fdio_read_all(fd, 1 << 20, &text, NULL) < 0)
		abort();
	return slice_dup(buf_slice(&text));
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void test_exposed(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE",
		  put_mode("exposed", "[default]\n" PAIR("OPEN"), 0644));
	stand_env(&s, "AWS_CONFIG_FILE", put_mode("config", "[default]\nregion = a\n", 0644));
	check_new(&s, 0, "", "exposed");
	stand_gives(&s, "AKIAOPEN", NULL, "exposed");
	clock_fake_advance(10000);
	aws_chain_refused(s.chain);
	stand_gives(&s, "AKIAOPEN", NULL, "exposed, again");
	stand_env(&s, "AWS_SHARED_CREDENTIALS_FILE",
		  put_mode("group", "[default]\n" PAIR("GROUP"), 0640));
	check_new(&s, 0, "", "readable by a group");
}

/* What all the tests before have logged. */
static void check_log(int fd)
{
	_cleanup_free_ char *text = log_text(fd);
	char want[400];

	snprintf(want, sizeof(want),
		 "event=credentials_exposed file=%s/exposed mode=0644 reason=\"every user can read "
		 "or change the secrets in it\"",
		 dir);
	tap_int(count(text, want), 1, "exposed: logged once");
	tap_int(count(text, "event=credentials_exposed"), 1, "exposed: nothing else was");
	tap_ok(count(text, "event=credentials_not_renewed reason=\"instance metadata: answer 500\" "
			   "action=\"the old ones are used on\"") == 4,
	       "failed renewals are logged");
	tap_int(count(text, "HUSH"), 0, "the log tells no secret");
}

int main(void)
{
	int fd, saved = dup(STDERR_FILENO);

	if (!mkdtemp(dir) || (fd = open(dir, O_TMPFILE | O_RDWR, 0600)) < 0 ||
	    dup2(fd, STDERR_FILENO) < 0)
		abort();
	log_init("test", LOG_LEVEL_DEBUG);
	test_order();
	test_no_falling_through();
	test_stays();
	test_env();
	test_env_of_process();
	test_profiles();
	test_wrong_profiles();
	test_bad_files();
	test_home();
	test_changed_keys();
	test_system();
	test_no_memory();
	test_renewal();
	test_short_lives();
	test_refused();
	test_wrong_clock();
	test_exposed();
	dup2(saved, STDERR_FILENO);
	check_log(fd);
	remove_all();
	return tap_done();
}
