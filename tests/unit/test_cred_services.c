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
#include "tests/unit/cred_stand.h"
#include "tests/unit/tap.h"

#define DEAD_PROXY "http://127.0.0.1:9" /* whoever uses it gets nowhere */
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define ASKED_TOKEN "PUT /latest/api/token ttl=21600\n"
#define ASKED_ROLES(n) "GET " ROLES " token=HUSH-imds-" n "==\n"
#define ASKED_ROLE(n) "GET " ROLES "web token=HUSH-imds-" n "==\n"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define ROLE_ARN "arn:aws:iam::123456789012:role/r"
#define ENCODED_ARN "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr"
#define ENCODED_JWT "HUSH.jwt-0123456789.abcdef%2F%2B%3D"
#define NOTHING_ELSE                                                                               \
	"no AWS credentials in $CREDENTIALS_DIRECTORY/aws-credentials, AWS_ACCESS_KEY_ID, "        \
	"AWS_WEB_IDENTITY_TOKEN_FILE, ~/.aws/credentials, ~/.aws/config (profile default), "       \
	"AWS_CONTAINER_CREDENTIALS_FULL_URI"

static char dir[] = "/tmp/test_cred_services.XXXXXX";

static const char *put_file(const char *name, const char *text)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (fdio_replace_file(AT_FDCWD, path, text, strlen(text), 0600, NULL) < 0)
		abort();
	return path;
}

static void test_imds(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, DEAD_PROXY);
	stand_chain(&s, NULL, NULL, NULL);
	tap_str(aws_chain_source(s.chain), "none", "imds: no source yet");
	stand_gives(&s, "ASIAJSON1", "instance metadata (role web)", "imds");
	stand_has_asked(&s, ASKED_TOKEN ASKED_ROLES("1") ASKED_ROLE("1"), "imds");
	stand_has_called(&s,
			 "PUT http://169.254.169.254/latest/api/token direct 1000\n"
			 "GET http://169.254.169.254" ROLES " direct 1000\n"
			 "GET http://169.254.169.254" ROLES "web direct 1000\n",
			 "imds");
	stand_gives(&s, "ASIAJSON1", NULL, "imds, again");
	stand_has_asked(&s, "", "imds, again");

	clock_fake_advance(5 * STAND_HOUR_MS + 46 * STAND_MINUTE_MS);
	stand_gives(&s, "ASIAJSON2", NULL, "imds, renewed");
	stand_has_asked(&s, ASKED_ROLES("1") ASKED_ROLE("1"), "imds, renewed: the token is kept");

	clock_fake_advance(6 * STAND_HOUR_MS);
	stand_gives(&s, "ASIAJSON3", NULL, "imds, much later");
	stand_has_asked(&s, ASKED_TOKEN ASKED_ROLES("2") ASKED_ROLE("2"),
			"imds, much later: a new token");

	s.imds_token = 7; /* the instance was moved: tokens are no longer known */
	clock_fake_advance(5 * STAND_HOUR_MS);
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAJSON4", NULL, "imds, 401");
	stand_has_asked(&s, ASKED_ROLES("2") ASKED_TOKEN ASKED_ROLES("8") ASKED_ROLE("8"),
			"imds, 401: a new token");
}

static void test_imds_options(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, DEAD_PROXY);
	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "True");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_NOTFOUND,
		      NOTHING_ELSE ", instance metadata (AWS_EC2_METADATA_DISABLED)", "disabled");
	stand_has_called(&s, "", "disabled");

	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "false");
	stand_env(&s, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
	s.role = "a+b=c,d.e@f_g-h";
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON1", "instance metadata (role a+b=c,d.e@f_g-h)", "IPv6");
	stand_has_called(&s,
			 "PUT http://[fd00:ec2::254]/latest/api/token direct 1000\n"
			 "GET http://[fd00:ec2::254]" ROLES " direct 1000\n"
			 "GET http://[fd00:ec2::254]" ROLES "a+b=c,d.e@f_g-h direct 1000\n",
			 "IPv6");

	stand_env(&s, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://imds.test:1338/");
	s.role = "web\nother";
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON2", "instance metadata (role web)", "endpoint");
	stand_has_called(&s,
			 "PUT http://imds.test:1338/latest/api/token direct 1000\n"
			 "GET http://imds.test:1338" ROLES " direct 1000\n"
			 "GET http://imds.test:1338" ROLES "web direct 1000\n",
			 "endpoint");
	s.role = "../../x";
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_AGAIN,
		      NOTHING_ELSE ": instance metadata: what it calls a role is none",
		      "a role that is a path");
	stand_env(&s, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ftp://x");
	stand_chain(&s, NULL, NULL, NULL);
	s.elsewhere = true;
	stand_refuses(&s, SA_ERR_INVALID, NOTHING_ELSE ": instance metadata: not an http...",
		      "an endpoint that is no URL");
}

struct fault_case {
	const char *name;
	enum stand_step step;
	enum stand_fault fault;
	int code;
	unsigned called; /* http.h, with all tries */
	const char *msg; /* behind the case's prefix */
};

static void check_fault(struct stand *s, const struct fault_case *f, const char *prefix)
{
	char msg[600];

	snprintf(msg, sizeof(msg), "%s%s", prefix, f->msg);
	stand_fail(s, f->step, f->fault);
	stand_chain(s, NULL, "eu-west-1", NULL);
	stand_refuses(s, f->code, msg, f->name);
	tap_int(s->called, f->called, "%s: requests", f->name);
	stand_refuses(s, f->code, msg, f->name);
	tap_int(s->called, f->called, "%s: none for a minute", f->name);
	clock_fake_advance(STAND_MINUTE_MS);
	stand_fail(s, STEP_NONE, FAULT_NONE);
	s->given = 0;
	stand_gives(s, f->step == STEP_STS ? "ASIAXML1" : "ASIAJSON1", NULL, f->name);
}

static const struct fault_case imds_faults[] = {
	{"token: no answer", STEP_IMDS_TOKEN, FAULT_SILENT, SA_ERR_AGAIN, 3,
	 ": instance metadata: ..."},
	{"token: slow", STEP_IMDS_TOKEN, FAULT_SLOW, SA_ERR_AGAIN, 3, ": instance metadata: ..."},
	{"token: 400", STEP_IMDS_TOKEN, FAULT_400, SA_ERR_NOTFOUND, 1,
	 ", instance metadata (no version 2)"},
	{"token: 403", STEP_IMDS_TOKEN, FAULT_403, SA_ERR_PERM, 1,
	 ": instance metadata: answer 403; is it switched off for this instance?"},
	{"token: 404, as version 1 answers", STEP_IMDS_TOKEN, FAULT_404, SA_ERR_NOTFOUND, 1,
	 ", instance metadata (no version 2)"},
	{"token: 500", STEP_IMDS_TOKEN, FAULT_500, SA_ERR_AGAIN, 3,
	 ": instance metadata: answer 500"},
	{"token: empty", STEP_IMDS_TOKEN, FAULT_EMPTY, SA_ERR_NOTFOUND, 1,
	 ", instance metadata (no version 2)"},
	{"roles: no answer", STEP_IMDS_ROLES, FAULT_SILENT, SA_ERR_AGAIN, 4,
	 ": instance metadata: ..."},
	{"roles: 401 for ever", STEP_IMDS_ROLES, FAULT_401, SA_ERR_PERM, 4,
	 ": instance metadata: answer 401"},
	{"roles: 404", STEP_IMDS_ROLES, FAULT_404, SA_ERR_NOTFOUND, 2,
	 ", instance metadata (the instance has no role)"},
	{"roles: empty", STEP_IMDS_ROLES, FAULT_EMPTY, SA_ERR_NOTFOUND, 2,
	 ", instance metadata (the instance has no role)"},
	{"roles: 403", STEP_IMDS_ROLES, FAULT_403, SA_ERR_PERM, 2,
	 ": instance metadata: answer 403"},
	{"roles: 500", STEP_IMDS_ROLES, FAULT_500, SA_ERR_AGAIN, 4,
	 ": instance metadata: answer 500"},
	{"roles: HTML", STEP_IMDS_ROLES, FAULT_HTML, SA_ERR_AGAIN, 2,
	 ": instance metadata: what it calls a role is none"},
	{"role: no answer", STEP_IMDS_ROLE, FAULT_SILENT, SA_ERR_AGAIN, 5,
	 ": instance metadata: ..."},
	{"role: slow", STEP_IMDS_ROLE, FAULT_SLOW, SA_ERR_AGAIN, 5, ": instance metadata: ..."},
	{"role: cut", STEP_IMDS_ROLE, FAULT_CUT, SA_ERR_AGAIN, 5, ": instance metadata: ..."},
	{"role: 403", STEP_IMDS_ROLE, FAULT_403, SA_ERR_PERM, 3, ": instance metadata: answer 403"},
	{"role: 404", STEP_IMDS_ROLE, FAULT_404, SA_ERR_INVALID, 3,
	 ": instance metadata: answer 404"},
	{"role: 429", STEP_IMDS_ROLE, FAULT_429, SA_ERR_AGAIN, 5,
	 ": instance metadata: answer 429"},
	{"role: 500", STEP_IMDS_ROLE, FAULT_500, SA_ERR_AGAIN, 5,
	 ": instance metadata: answer 500"},
	{"role: HTML", STEP_IMDS_ROLE, FAULT_HTML, SA_ERR_AGAIN, 3,
	 ": instance metadata: the answer is not a JSON object"},
	{"role: empty", STEP_IMDS_ROLE, FAULT_EMPTY, SA_ERR_AGAIN, 3,
	 ": instance metadata: the answer is not a JSON object"},
	{"role: incomplete", STEP_IMDS_ROLE, FAULT_INCOMPLETE, SA_ERR_AGAIN, 3,
	 ": instance metadata: the answer has no AccessKeyId or no SecretAccessKey"},
	{"role: an error in a 200", STEP_IMDS_ROLE, FAULT_CODE, SA_ERR_PERM, 3,
	 ": instance metadata: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role web."},
	{"role: expired", STEP_IMDS_ROLE, FAULT_EXPIRED, SA_ERR_AGAIN, 3,
	 ": instance metadata: its credentials had expired when it gave them (2026-11-21T..."},
	{"role: no time", STEP_IMDS_ROLE, FAULT_NOT_A_TIME, SA_ERR_AGAIN, 3,
	 ": instance metadata: the answer's Expiration is not a time"},
	{"role: the token comes back", STEP_IMDS_ROLE, FAULT_ECHO, SA_ERR_INVALID, 3,
	 ": instance metadata: answer 400"},
	{"role: a key with blanks", STEP_IMDS_ROLE, FAULT_BAD_KEY, SA_ERR_INVALID, 3,
	 ": instance metadata: an access key or secret key with blanks or strange characters"},
};

static void test_imds_faults(void)
{
	for (size_t i = 0; i < ARRAY_LEN(imds_faults); i++) {
		_cleanup_stand_ struct stand s = {0};

		stand_start(&s, DEAD_PROXY);
		check_fault(&s, &imds_faults[i], NOTHING_ELSE);
	}
}

static void test_container(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, DEAD_PROXY);
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/HUSH-uuid?a=b");
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/other");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON1", "container (169.254.170.2)", "ECS");
	stand_has_asked(&s, "GET /v2/credentials/HUSH-uuid?a=b auth=- accept=application/json\n",
			"ECS");
	stand_has_called(&s, "GET http://169.254.170.2/v2/credentials/HUSH-uuid?a=b direct 1000\n",
			 "ECS");

	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL);
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
	stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic HUSH-value");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON2", "container (169.254.170.23)", "token");
	stand_has_asked(&s, "GET /v1/credentials auth=Basic HUSH-value accept=application/json\n",
			"token");

	stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put_file("token", "HUSH-file-1"));
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAJSON3", NULL, "token file");
	stand_has_asked(&s, "GET /v1/credentials auth=HUSH-file-1 accept=application/json\n",
			"token file goes first");
	put_file("token", "HUSH-file-2");
	clock_fake_advance(STAND_MINUTE_MS);
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAJSON4", NULL, "token file, later");
	stand_has_asked(&s, "GET /v1/credentials auth=HUSH-file-2 accept=application/json\n",
			"token file is read anew");
}

static void test_container_token(void)
{
	static const char *const bad[] = {"HUSH\r\nX-Evil: 1", "HUSH\n", "HUSH\r"};
	_cleanup_stand_ struct stand s = {0};
	char msg[256];

	stand_start(&s, DEAD_PROXY);
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN", bad[i]);
		stand_chain(&s, NULL, NULL, NULL);
		stand_refuses(&s, SA_ERR_INVALID,
			      "container credentials: the authorization token holds a line end",
			      "token with a line end");
		stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put_file("token", bad[i]));
		stand_chain(&s, NULL, NULL, NULL);
		snprintf(
			msg, sizeof(msg),
			"container credentials: the authorization token in %s/token holds a line end",
			dir);
		stand_refuses(&s, SA_ERR_INVALID, msg, "token file with a line end");
		stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL);
	}
	stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "HUSH\x01");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "container credentials: the authorization token is too long or holds a "
		      "control byte",
		      "token with a control byte");
	stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent/token");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_NOTFOUND,
		      "container credentials: open /nonexistent/token: No such file or directory",
		      "no token file");
	stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", dir);
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID, "container credentials: /tmp/test_cred_services...",
		      "a directory as token file");
	stand_has_called(&s, "", "no request was made");
}

static void test_container_hosts(void)
{
	static const char *const allowed[] = {
		"https://any.example/x",      "https://10.1.2.3:8443/x", "http://127.0.0.1/x",
		"http://127.255.255.254:1/x", "http://[::1]:8080/x",     "http://localhost/x",
		"http://LocalHost:80/x",      "http://169.254.170.2/x",  "http://169.254.170.23/x",
		"http://[fd00:ec2::23]/x",    "http://127.0.0.1?x",      "HTTP://127.0.0.1/x",
	};
	static const char *const refused[] = {
		"http://example.com/x",
		"http://169.254.169.254/x",
		"http://169.254.170.22/x",
		"http://128.0.0.1/x",
		"http://127.0.0.1.example.com/x",
		"http://127.1/x",
		"http://2130706433/x",
		"http://0x7f000001/x",
		"http://localhost.example.com/x",
		"http://[::2]/x",
		"http://[::ffff:127.0.0.1]/x",
		"http://[::1]example.com/x",
		"http://[::1/x",
		"http://127.0.0.1@example.com/x",
		"http://127.0.0.1:80@example.com/x",
		"http://127.0.0.1\\@example.com/x",
		"http://127.0.0.1%2f@example.com/x",
		"http://127.0.0.1:http/x",
		"https://user@example.com/x",
		"http:///x",
		"http://",
		"127.0.0.1/x",
		"ftp://127.0.0.1/x",
		"file:///etc/passwd",
	};
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, DEAD_PROXY);
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", allowed[i]);
		stand_chain(&s, NULL, NULL, NULL);
		s.given = 0;
		stand_gives(&s, "ASIAJSON1", NULL, allowed[i]);
	}
	stand_forget(&s);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", refused[i]);
		stand_chain(&s, NULL, NULL, NULL);
		stand_refuses(&s, SA_ERR_INVALID, "AWS_CONTAINER_CREDENTIALS_FULL_URI...",
			      refused[i]);
	}
	stand_env(&s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /",
		      "relative without /");
	stand_has_called(&s, "", "no request was made");
}

static const struct fault_case container_faults[] = {
	{"no answer", STEP_CONTAINER, FAULT_SILENT, SA_ERR_AGAIN, 3, ": 127.0.0.1:..."},
	{"slow", STEP_CONTAINER, FAULT_SLOW, SA_ERR_AGAIN, 3, ": 127.0.0.1:..."},
	{"cut", STEP_CONTAINER, FAULT_CUT, SA_ERR_AGAIN, 3, ": 127.0.0.1:..."},
	{"400", STEP_CONTAINER, FAULT_400, SA_ERR_INVALID, 1,
	 ": answer 400: NoSuchTask: no such\\e task"},
	{"401", STEP_CONTAINER, FAULT_401, SA_ERR_PERM, 1,
	 ": answer 401: NoSuchTask: no such\\e task"},
	{"403", STEP_CONTAINER, FAULT_403, SA_ERR_PERM, 1,
	 ": answer 403: NoSuchTask: no such\\e task"},
	{"404", STEP_CONTAINER, FAULT_404, SA_ERR_INVALID, 1,
	 ": answer 404: NoSuchTask: no such\\e task"},
	{"429", STEP_CONTAINER, FAULT_429, SA_ERR_AGAIN, 3,
	 ": answer 429: NoSuchTask: no such\\e task"},
	{"500", STEP_CONTAINER, FAULT_500, SA_ERR_AGAIN, 3,
	 ": answer 500: NoSuchTask: no such\\e task"},
	{"HTML", STEP_CONTAINER, FAULT_HTML, SA_ERR_AGAIN, 1, ": the answer is not a JSON object"},
	{"empty", STEP_CONTAINER, FAULT_EMPTY, SA_ERR_AGAIN, 1,
	 ": the answer is not a JSON object"},
	{"incomplete", STEP_CONTAINER, FAULT_INCOMPLETE, SA_ERR_AGAIN, 1,
	 ": the answer has no AccessKeyId or no SecretAccessKey"},
	{"an error in a 200", STEP_CONTAINER, FAULT_CODE, SA_ERR_PERM, 1,
	 ": AssumeRoleUnauthorizedAccess: EC2 cannot assume the role web."},
	{"expired", STEP_CONTAINER, FAULT_EXPIRED, SA_ERR_AGAIN, 1,
	 ": its credentials had expired when it gave them (2026-11-21T08:59:59Z); is the clock "
	 "right?"},
	{"no time", STEP_CONTAINER, FAULT_NOT_A_TIME, SA_ERR_AGAIN, 1,
	 ": the answer's Expiration is not a time"},
	{"the token comes back", STEP_CONTAINER, FAULT_ECHO, SA_ERR_INVALID, 1, ": answer 400"},
	{"a key with blanks", STEP_CONTAINER, FAULT_BAD_KEY, SA_ERR_INVALID, 1,
	 ": an access key or secret key with blanks or strange characters"},
};

static void test_container_faults(void)
{
	for (size_t i = 0; i < ARRAY_LEN(container_faults); i++) {
		_cleanup_stand_ struct stand s = {0};

		stand_start(&s, DEAD_PROXY);
		stand_env(&s, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/HUSH");
		stand_env(&s, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "HUSH-short");
		check_fault(&s, &container_faults[i], "container credentials");
	}
}

static void sts_env(struct stand *s)
{
	stand_env(s, "AWS_ROLE_ARN", ROLE_ARN);
	stand_env(s, "AWS_WEB_IDENTITY_TOKEN_FILE", put_file("jwt", STAND_JWT "\n"));
	stand_env(s, "AWS_ROLE_SESSION_NAME", "host@1");
}

static void test_sts(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	sts_env(&s);
	stand_env(&s, "AWS_REGION", "eu-west-1");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAXML1", "web identity (" ROLE_ARN ")", "STS");
	stand_has_asked(&s,
			"POST / auth=- type=" FORM " Action=AssumeRoleWithWebIdentity"
			"&Version=2011-06-15&RoleArn=" ENCODED_ARN
			"&RoleSessionName=host%401&WebIdentityToken=" ENCODED_JWT "\n",
			"STS");
	stand_has_called(&s, "POST https://sts.eu-west-1.amazonaws.com/ 5000\n", "STS");

	put_file("jwt", "HUSH-other");
	stand_env(&s, "AWS_ENDPOINT_URL", "http://minio.test:9000");
	clock_fake_advance(STAND_MINUTE_MS);
	aws_chain_refused(s.chain);
	stand_gives(&s, "ASIAXML2", NULL, "STS, later");
	stand_has_asked(&s,
			"POST / auth=- type=" FORM " Action=AssumeRoleWithWebIdentity"
			"&Version=2011-06-15&RoleArn=" ENCODED_ARN
			"&RoleSessionName=host%401&WebIdentityToken=HUSH-other\n",
			"STS, later: the token is read anew");
	stand_has_called(&s, "POST http://minio.test:9000/ 5000\n", "STS, later");
}

/* Where it goes; region is the chain's option. */
static void check_sts_url(const char *region, const char *variable, const char *value,
			  const char *calls, const char *name)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	sts_env(&s);
	stand_env(&s, variable, value);
	stand_chain(&s, NULL, region, NULL);
	stand_gives(&s, "ASIAXML1", NULL, name);
	stand_has_called(&s, calls, name);
}

static void test_sts_urls(void)
{
	check_sts_url("us-gov-west-1", "AWS_REGION", "eu-west-1",
		      "POST https://sts.us-gov-west-1.amazonaws.com/ 5000\n",
		      "region: option first");
	check_sts_url("", "AWS_DEFAULT_REGION", "eu-west-3",
		      "POST https://sts.eu-west-3.amazonaws.com/ 5000\n", "region: default");
	check_sts_url(NULL, "AWS_REGION", "cn-northwest-1",
		      "POST https://sts.cn-northwest-1.amazonaws.com.cn/ 5000\n", "region: China");
	check_sts_url("eu-west-1", "AWS_ENDPOINT_URL_STS", "https://sts.test/base/",
		      "POST https://sts.test/base/ 5000\n", "endpoint of STS");
	check_sts_url(NULL, "AWS_ENDPOINT_URL", "https://all.test/base",
		      "POST https://all.test/base/ 5000\n", "endpoint of all");
	check_sts_url(NULL, "AWS_EC2_METADATA_DISABLED", "false",
		      "PUT http://169.254.169.254/latest/api/token direct 1000\n"
		      "GET http://169.254.169.254/latest/meta-data/placement/region direct 1000\n"
		      "POST https://sts.eu-south-2.amazonaws.com/ 5000\n",
		      "region: the instance's");
}

/* STS is not metadata: it is reached through the proxy. */
static void test_sts_proxy(void)
{
	_cleanup_stand_ struct stand proxy = {0}, s = {0};
	char url[64];

	stand_start(&proxy, "");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", httpd_port(proxy.httpd));
	stand_start(&s, url);
	s.elsewhere = true;
	sts_env(&s);
	stand_env(&s, "AWS_ENDPOINT_URL_STS", "http://sts.test");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAXML1", NULL, "proxy");
	stand_has_asked(&s, "", "proxy: not directly");
	stand_has_asked(&proxy,
			"POST http://sts.test/ auth=- type=" FORM
			" Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" ENCODED_ARN
			"&RoleSessionName=host%401&WebIdentityToken=" ENCODED_JWT "\n",
			"proxy");
}

static void test_sts_session_name(void)
{
	_cleanup_stand_ struct stand s = {0};
	char host[65] = "", want[256];
	size_t n;

	gethostname(host, sizeof(host) - 1);
	n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	host[n < 50 ? n : 50] = '\0';
	stand_start(&s, "");
	sts_env(&s);
	stand_env(&s, "AWS_ROLE_SESSION_NAME", NULL);
	stand_env(&s, "AWS_ENDPOINT_URL_STS", "http://sts.test");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAXML1", NULL, "session name");
	snprintf(want, sizeof(want), "&RoleSessionName=sessaudit-%s", host);
	tap_ok(strstr(buf_cstr(&s.asked), want) != NULL, "session name: %s", want);
}

static void test_sts_source(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	sts_env(&s);
	stand_env(&s, "AWS_ROLE_ARN", "arn:\xff\n\"");
	stand_env(&s, "AWS_ENDPOINT_URL_STS", "http://sts.test");
	stand_chain(&s, NULL, NULL, NULL);
	stand_gives(&s, "ASIAXML1", "web identity (arn:??\")", "a role of strange bytes");
	tap_ok(strstr(buf_cstr(&s.asked), "&RoleArn=arn%3A%FF%0A%22&") != NULL, "sent as it is");
}

static void test_sts_wrong(void)
{
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, "");
	sts_env(&s);
	stand_env(&s, "AWS_REGION", "evil.example/#");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "web identity: \"evil.example/#\" is not an AWS region; set AWS_REGION, or "
		      "AWS_ENDPOINT_URL_STS",
		      "a region that is none");
	stand_env(&s, "AWS_REGION", "eu-west-1");
	stand_env(&s, "AWS_ROLE_ARN", NULL);
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID,
		      "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not", "no role");
	stand_env(&s, "AWS_ROLE_ARN", ROLE_ARN);
	put_file("jwt", " \n");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_AGAIN, "web identity: /tmp/test_cred_services...",
		      "an empty token");
	stand_env(&s, "AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_NOTFOUND,
		      "web identity: open /nonexistent: No such file or directory", "no token");
	stand_env(&s, "AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/zero");
	stand_chain(&s, NULL, NULL, NULL);
	stand_refuses(&s, SA_ERR_INVALID, "web identity: /dev/zero: not a regular file", "no file");
	stand_has_called(&s, "", "no request was made");
}

static const struct fault_case sts_faults[] = {
	{"no answer", STEP_STS, FAULT_SILENT, SA_ERR_AGAIN, 2, ": 127.0.0.1:..."},
	{"slow", STEP_STS, FAULT_SLOW, SA_ERR_AGAIN, 2, ": 127.0.0.1:..."},
	{"cut", STEP_STS, FAULT_CUT, SA_ERR_AGAIN, 2, ": 127.0.0.1:..."},
	{"400", STEP_STS, FAULT_400, SA_ERR_INVALID, 1,
	 ": answer 400: AccessDenied: Not authorized to\\nperform sts:AssumeRoleWithWebIdentity"},
	{"403", STEP_STS, FAULT_403, SA_ERR_PERM, 1,
	 ": answer 403: AccessDenied: Not authorized to\\nperform sts:AssumeRoleWithWebIdentity"},
	{"404", STEP_STS, FAULT_404, SA_ERR_INVALID, 1, ": answer 404: AccessDenied..."},
	{"500", STEP_STS, FAULT_500, SA_ERR_AGAIN, 2, ": answer 500: AccessDenied..."},
	{"HTML", STEP_STS, FAULT_HTML, SA_ERR_AGAIN, 1,
	 ": the answer is not that of AssumeRoleWithWebIdentity"},
	{"empty", STEP_STS, FAULT_EMPTY, SA_ERR_AGAIN, 1,
	 ": the answer is not that of AssumeRoleWithWebIdentity"},
	{"incomplete", STEP_STS, FAULT_INCOMPLETE, SA_ERR_AGAIN, 1,
	 ": the answer is not that of AssumeRoleWithWebIdentity"},
	{"a 400 that passes", STEP_STS, FAULT_CODE, SA_ERR_AGAIN, 1,
	 ": answer 400: IDPCommunicationError: not reached"},
	{"expired", STEP_STS, FAULT_EXPIRED, SA_ERR_AGAIN, 1,
	 ": its credentials had expired when it gave them (2026-11-21T08:59:59Z); is the clock "
	 "right?"},
	{"no time", STEP_STS, FAULT_NOT_A_TIME, SA_ERR_AGAIN, 1,
	 ": the answer's Expiration is not a time"},
	{"the token comes back", STEP_STS, FAULT_ECHO, SA_ERR_INVALID, 1, ": answer 400"},
	{"a key with blanks", STEP_STS, FAULT_BAD_KEY, SA_ERR_INVALID, 1,
	 ": an access key or secret key with blanks or strange characters"},
};

static void test_sts_faults(void)
{
	for (size_t i = 0; i < ARRAY_LEN(sts_faults); i++) {
		_cleanup_stand_ struct stand s = {0};

		stand_start(&s, "");
		sts_env(&s);
		check_fault(&s, &sts_faults[i], "web identity");
	}
}

static void check_region(struct stand *s, int code, const char *region, const char *name)
{
	_cleanup_buf_ struct buf out = {0};
	struct sa_err err = {0};

	buf_init(&out, 128);
	tap_int(aws_region(s->chain, &out, &err), code, "%s", name);
	tap_str(buf_cstr(&out), region, "%s: value", name);
	if (code < 0)
		stand_says(err.msg,
			   "no AWS region in AWS_REGION, profile default, and instance "
			   "metadata...",
			   name);
}

static void test_region(void)
{
	static const enum stand_fault faults[] = {FAULT_SILENT, FAULT_404,  FAULT_403,
						  FAULT_500,    FAULT_HTML, FAULT_EMPTY};
	_cleanup_stand_ struct stand s = {0};

	stand_start(&s, DEAD_PROXY);
	stand_chain(&s, NULL, "ignored-1", NULL);
	check_region(&s, 0, "eu-south-2", "region: the instance's");
	stand_has_asked(&s,
			ASKED_TOKEN "GET /latest/meta-data/placement/region token=HUSH-imds-1==\n",
			"region: the instance's");
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		stand_fail(&s, STEP_IMDS_REGION, faults[i]);
		check_region(&s, SA_ERR_NOTFOUND, "", "region: a fault");
	}
	stand_fail(&s, STEP_IMDS_TOKEN, FAULT_404);
	stand_chain(&s, NULL, NULL, NULL);
	check_region(&s, SA_ERR_NOTFOUND, "", "region: no version 2");
	stand_env(&s, "AWS_EC2_METADATA_DISABLED", "true");
	stand_forget(&s);
	check_region(&s, SA_ERR_NOTFOUND, "", "region: switched off");
	stand_env(&s, "AWS_DEFAULT_REGION", "eu-west-3");
	check_region(&s, 0, "eu-west-3", "region: default");
	stand_env(&s, "AWS_REGION", "eu-west-1");
	check_region(&s, 0, "eu-west-1", "region: goes before default");
	stand_has_called(&s, "", "region: no request was made");
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	test_imds();
	test_imds_options();
	test_imds_faults();
	test_container();
	test_container_token();
	test_container_hosts();
	test_container_faults();
	test_sts();
	test_sts_urls();
	test_sts_proxy();
	test_sts_session_name();
	test_sts_source();
	test_sts_wrong();
	test_sts_faults();
	test_region();
	unlink(put_file("token", ""));
	unlink(put_file("jwt", ""));
	rmdir(dir);
	return tap_done();
}
