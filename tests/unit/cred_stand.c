/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/cred_stand.h"
#include "tests/unit/tap.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define SLOW_MS 1000 /* a try has a tenth of its time in tests that wait for its end */

static struct stand *current; /* for the wrapper, which gets no context */

int __real_http_perform(struct http *h, const struct http_request *r, struct http_answer *out,
			struct sa_err *err);
int __wrap_http_perform(struct http *h, const struct http_request *r, struct http_answer *out,
			struct sa_err *err);

int __wrap_http_perform(struct http *h, const struct http_request *r, struct http_answer *out,
			struct sa_err *err)
{
	struct http_request there = *r;
	const char *host = strstr(r->url, "://") + 3;
	char url[4096];

	buf_printf(&current->calls, "%s %s%s %" PRId64 "\n", r->method, r->url,
		   r->direct ? " direct" : "", r->total_ms);
	current->called++;
	if (current->elsewhere)
		return __real_http_perform(h, r, out, err);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", httpd_port(current->httpd),
		 host + strcspn(host, "/"));
	there.url = url;
	if (current->fault == FAULT_SLOW)
		there.total_ms /= 10;
	return __real_http_perform(h, &there, out, err);
}

static const char *header(const struct httpd_request *r, const char *name)
{
	const char *value = headers_get(&r->headers, name);

	return value ? value : "-";
}

static enum stand_step step_of(const struct httpd_request *r)
{
	if (strcmp(r->method, "PUT") == 0)
		return STEP_IMDS_TOKEN;
	if (strcmp(r->method, "POST") == 0)
		return STEP_STS;
	if (strcmp(r->target, ROLES) == 0)
		return STEP_IMDS_ROLES;
	if (strncmp(r->target, ROLES, strlen(ROLES)) == 0)
		return STEP_IMDS_ROLE;
	if (strcmp(r->target, "/latest/meta-data/placement/region") == 0)
		return STEP_IMDS_REGION;
	return STEP_CONTAINER;
}

static void write_down(struct stand *s, const struct httpd_request *r, enum stand_step step)
{
	buf_printf(&s->asked, "%s %s", r->method, r->target);
	if (step == STEP_IMDS_TOKEN)
		buf_printf(&s->asked, " ttl=%s", header(r, "x-aws-ec2-metadata-token-ttl-seconds"));
	else if (step == STEP_CONTAINER)
		buf_printf(&s->asked, " auth=%s accept=%s", header(r, "Authorization"),
			   header(r, "Accept"));
	else if (step == STEP_STS)
		buf_printf(&s->asked, " auth=%s type=%s %.*s", header(r, "Authorization"),
			   header(r, "Content-Type"), (int)r->body.len, r->body.ptr);
	else
		buf_printf(&s->asked, " token=%s", header(r, "x-aws-ec2-metadata-token"));
	buf_putc(&s->asked, '\n');
}

static void say(struct httpd_reply *out, int status, const char *type, const char *body)
{
	httpd_answer(out, status, body);
	headers_add(&out->headers, "Content-Type", slice_of(type));
}

static void give_json(struct stand *s, struct httpd_reply *out, const char *end)
{
	static const char format[] = "{\n  \"Code\" : \"Success\",\n"
				     "  \"LastUpdated\" : \"2026-11-21T08:55:00Z\",\n"
				     "  \"Type\" : \"AWS-HMAC\",\n"
				     "  \"AccessKeyId\" : \"ASIA%s%u\",\n"
				     "  \"%s\" : \"HUSH/key+%u\",\n"
				     "  \"Token\" : \"HUSH/session==%u\",\n"
				     "  \"Expiration\" : \"%s\"\n}";
	bool missing = s->fault == FAULT_INCOMPLETE;
	char text[1024];

	s->given++;
	snprintf(text, sizeof(text), format, s->fault == FAULT_BAD_KEY ? " HUSH " : "JSON",
		 s->given, missing ? "Secret" : "SecretAccessKey", s->given, s->given, end);
	say(out, 200, "application/json", text);
}

static void give_xml(struct stand *s, struct httpd_reply *out, const char *end)
{
	static const char format[] =
		"<AssumeRoleWithWebIdentityResponse "
		"xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
		"  <AssumeRoleWithWebIdentityResult>\n"
		"    <SubjectFromWebIdentityToken>system:serviceaccount:a:b"
		"</SubjectFromWebIdentityToken>\n"
		"    <Audience>sts.amazonaws.com</Audience>\n"
		"    <AssumedRoleUser>\n"
		"      <Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>\n"
		"      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:s</AssumedRoleId>\n"
		"    </AssumedRoleUser>\n"
		"    <Credentials>\n"
		"      <SessionToken>HUSH/session==%u</SessionToken>\n"
		"      <%s>HUSH/key+%u</%s>\n"
		"      <Expiration>%s</Expiration>\n"
		"      <AccessKeyId>ASIA%s%u</AccessKeyId>\n"
		"    </Credentials>\n"
		"    <Provider>https://oidc.example/id/1</Provider>\n"
		"  </AssumeRoleWithWebIdentityResult>\n"
		"  <ResponseMetadata><RequestId>ad4156e9</RequestId></ResponseMetadata>\n"
		"</AssumeRoleWithWebIdentityResponse>\n";
	const char *secret = s->fault == FAULT_INCOMPLETE ? "Secret" : "SecretAccessKey";
	char text[2048];

	s->given++;
	snprintf(text, sizeof(text), format, s->given, secret, s->given, secret, end,
		 s->fault == FAULT_BAD_KEY ? " HUSH " : "XML", s->given);
	say(out, 200, "text/xml", text);
}

/* As RFC 3339 without a fraction. */
static void end_of_life(const struct stand *s, char end[CLOCK_TEXT_SIZE])
{
	int64_t life = s->fault == FAULT_EXPIRED ? -1000 : s->life_ms;

	clock_format_utc(clock_real_ms() + life, end);
	memcpy(end + strlen(end) - 5, "Z", 2);
	if (s->fault == FAULT_NOT_A_TIME)
		memcpy(end, "soon", 5);
}

static void give(struct stand *s, enum stand_step step, const struct httpd_request *r,
		 struct httpd_reply *out)
{
	char token[64], end[CLOCK_TEXT_SIZE];

	end_of_life(s, end);
	snprintf(token, sizeof(token), "HUSH-imds-%u==", s->imds_token);
	if (step == STEP_IMDS_TOKEN) {
		snprintf(token, sizeof(token), "HUSH-imds-%u==", ++s->imds_token);
		say(out, 200, "text/plain", token);
		headers_add(&out->headers, "x-aws-ec2-metadata-token-ttl-seconds",
			    slice_of(header(r, "x-aws-ec2-metadata-token-ttl-seconds")));
	} else if (step == STEP_CONTAINER) {
		give_json(s, out, end);
	} else if (step == STEP_STS) {
		give_xml(s, out, end);
	} else if (strcmp(header(r, "x-aws-ec2-metadata-token"), token) != 0) {
		say(out, 401, "text/html", "<html>Unauthorized</html>");
	} else if (step == STEP_IMDS_REGION) {
		say(out, 200, "text/plain", "eu-south-2");
	} else if (!s->role) {
		say(out, 404, "text/html", "<html>Not Found</html>");
	} else if (step == STEP_IMDS_ROLES) {
		say(out, 200, "text/plain", s->role);
	} else {
		give_json(s, out, end);
	}
}

static void fail_status(enum stand_step step, int status, struct httpd_reply *out)
{
	if (step == STEP_STS)
		say(out, status, "text/xml",
		    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
		    "<Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to\n"
		    "perform sts:AssumeRoleWithWebIdentity</Message></Error>"
		    "<RequestId>4f4b</RequestId></ErrorResponse>");
	else if (step == STEP_CONTAINER)
		say(out, status, "application/json",
		    "{\"code\":\"NoSuchTask\",\"message\":\"no such\\u001b task\"}");
	else
		say(out, status, "text/html", "<html><body>no</body></html>");
}

static void fail_code(enum stand_step step, struct httpd_reply *out)
{
	if (step == STEP_STS)
		say(out, 400, "text/xml",
		    "<ErrorResponse><Error><Code>IDPCommunicationError</Code>"
		    "<Message>not reached</Message></Error></ErrorResponse>");
	else
		say(out, 200, "application/json",
		    "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume "
		    "the role web.\",\"LastUpdated\":\"2026-11-21T08:55:00Z\"}");
}

static void fail_echo(const struct httpd_request *r, enum stand_step step, struct httpd_reply *out)
{
	char text[512];

	snprintf(text, sizeof(text), "bad token %s",
		 step == STEP_STS         ? STAND_JWT
		 : step == STEP_CONTAINER ? header(r, "Authorization")
					  : header(r, "x-aws-ec2-metadata-token"));
	say(out, 400, "text/plain", text);
}

static int status_of(enum stand_fault fault)
{
	switch (fault) {
	case FAULT_400:
		return 400;
	case FAULT_401:
		return 401;
	case FAULT_403:
		return 403;
	case FAULT_404:
		return 404;
	case FAULT_429:
		return 429;
	case FAULT_500:
		return 500;
	default:
		return 0;
	}
}

static void misbehave(struct stand *s, enum stand_step step, const struct httpd_request *r,
		      struct httpd_reply *out)
{
	int status = status_of(s->fault);

	if (status != 0)
		fail_status(step, status, out);
	else if (s->fault == FAULT_HTML)
		say(out, 200, "text/html", "<html><body>Log in to the guest network</body></html>");
	else if (s->fault == FAULT_EMPTY)
		say(out, 200, "text/plain", "");
	else if (s->fault == FAULT_CODE)
		fail_code(step, out);
	else if (s->fault == FAULT_ECHO)
		fail_echo(r, step, out);
	else
		give(s, step, r, out);
	if (s->fault == FAULT_SILENT)
		out->cut_after = 0;
	else if (s->fault == FAULT_CUT)
		out->cut_after = 90;
	else if (s->fault == FAULT_SLOW)
		out->wait_ms = SLOW_MS;
}

static void handle(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	struct stand *s = ctx;
	enum stand_step step = step_of(r);

	write_down(s, r, step);
	if (s->step == step)
		misbehave(s, step, r, out);
	else
		give(s, step, r, out);
	if (s->date)
		headers_add(&out->headers, "Date", slice_of(s->date));
}

static const char *env_get(void *ctx, const char *name)
{
	const struct stand *s = ctx;

	for (size_t i = 0; i < s->env_len; i++) {
		if (strcmp(s->env[i][0], name) == 0)
			return s->env[i][1];
	}
	return NULL;
}

void stand_env(struct stand *s, const char *name, const char *value)
{
	size_t i = 0;

	while (i < s->env_len && strcmp(s->env[i][0], name) != 0)
		i++;
	if (i == ARRAY_LEN(s->env))
		abort();
	s->env[i][0] = name;
	s->env[i][1] = value;
	if (i == s->env_len)
		s->env_len++;
}

void stand_start(struct stand *s, const char *proxy)
{
	struct http_options o = {.proxy = proxy, .connect_ms = 5000};

	clock_fake(STAND_REAL_MS, STAND_MONO_MS);
	current = s;
	s->life_ms = 6 * STAND_HOUR_MS;
	s->role = "web";
	buf_init(&s->asked, 1 << 20);
	buf_init(&s->calls, 1 << 20);
	s->httpd = httpd_start(handle, s);
	if (http_new(&o, &s->http, NULL) < 0)
		abort();
}

void stand_stop(struct stand *s)
{
	aws_chain_free(s->chain);
	http_free(s->http);
	httpd_stop(s->httpd);
	buf_free(&s->asked);
	buf_free(&s->calls);
	*s = (struct stand){0};
}

void stand_fail(struct stand *s, enum stand_step step, enum stand_fault fault)
{
	httpd_lock(s->httpd);
	s->step = step;
	s->fault = fault;
	httpd_unlock(s->httpd);
}

int stand_chain(struct stand *s, const char *profile, const char *region, struct sa_err *err)
{
	const struct aws_chain_options o = {
		.profile = profile,
		.region = region,
		.http = s->http,
		.env = env_get,
		.env_ctx = s,
	};

	aws_chain_free(s->chain);
	s->chain = NULL;
	return aws_chain_new(&o, &s->chain, err);
}

void stand_forget(struct stand *s)
{
	httpd_lock(s->httpd);
	buf_clear(&s->asked);
	buf_clear(&s->calls);
	httpd_unlock(s->httpd);
}

void stand_has_asked(struct stand *s, const char *asked, const char *name)
{
	httpd_lock(s->httpd);
	tap_str(buf_cstr(&s->asked), asked, "%s: requests", name);
	buf_clear(&s->asked);
	httpd_unlock(s->httpd);
}

void stand_has_called(struct stand *s, const char *calls, const char *name)
{
	tap_str(buf_cstr(&s->calls), calls, "%s: calls", name);
	buf_clear(&s->calls);
}

void stand_gives(struct stand *s, const char *access, const char *source, const char *name)
{
	const struct aws_credentials *c = NULL;
	struct sa_err err = {0};

	if (!tap_int(aws_chain_get(s->chain, &c, &err), 0, "%s: given", name)) {
		tap_str(err.msg, "", "%s: message", name);
		return;
	}
	tap_str(c->access_key, access, "%s: access key", name);
	tap_ok(strncmp(c->secret_key, "HUSH", 4) == 0, "%s: secret key", name);
	if (source)
		tap_str(aws_chain_source(s->chain), source, "%s: source", name);
}

void stand_says(const char *msg, const char *want, const char *name)
{
	size_t n = strlen(want);
	bool begins = n > 3 && strcmp(want + n - 3, "...") == 0;

	if (begins && strncmp(msg, want, n - 3) == 0)
		tap_ok(true, "%s: message", name);
	else
		tap_str(msg, want, "%s: message", name);
	tap_ok(strstr(msg, "HUSH") == NULL, "%s: the message tells no secret", name);
}

void stand_refuses(struct stand *s, int code, const char *msg, const char *name)
{
	const struct aws_credentials *c = NULL;
	struct sa_err err = {0};

	tap_int(aws_chain_get(s->chain, &c, &err), code, "%s: refused", name);
	tap_int(err.code, code, "%s: the message has the code", name);
	stand_says(err.msg, msg, name);
	tap_ok(c == NULL, "%s: nothing is given", name);
}
