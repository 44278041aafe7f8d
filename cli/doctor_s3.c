/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/aws/sigv4.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/store/store_s3.h"
#include "common/xml.h"

#define VALUE_MAX 1024
#define RETENTION "ObjectLockConfiguration/Rule/DefaultRetention/"
#define AUDITOR "ask with an admin's or the auditor's credentials"

static int seen_root(void *ctx, const char *path, struct slice text)
{
	const char *root = ctx;
	size_t n = strcspn(path, "/");

	(void)text;
	return n >= strlen(root) && strncmp(path + n - strlen(root), root, strlen(root)) == 0 ? 1
											      : 2;
}

/* Stores answer questions that they do not know with something else, even with a list of keys. The
 * name counts from its end: Ceph RGW 16 says BlockPublicAccessBlockConfiguration. */
static bool has_root(struct slice body, const char *root)
{
	const struct xml_handler h = {.leaf = seen_root};
	char name[128];

	snprintf(name, sizeof(name), "%s", root);
	return xml_read(body, &h, name, NULL) == 1;
}

static enum doctor_asked said(struct doctor *d, enum doctor_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static enum doctor_asked said(struct doctor *d, enum doctor_status status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doctor_say(d, status, "%s", text);
	return DOCTOR_SAID;
}

enum doctor_asked doctor_ask(struct doctor *d, const char *query, const char *root,
			     const char *action, struct s3_reply *out)
{
	struct sa_err err = {0};

	if (store_s3_ask(d->store, "GET", NULL, query, out, &err) != 0)
		return said(d, DOCTOR_FAIL, "%s", err.msg);
	if (out->status == 403)
		return said(d, DOCTOR_UNKNOWN, "not allowed (%s): " AUDITOR, action);
	if (out->status == 404 && strcmp(out->code, "NoSuchBucket") != 0)
		return DOCTOR_NOTHING;
	if (out->status == 200 && (!root || has_root(buf_slice(&out->body), root)))
		return DOCTOR_ANSWER;
	return said(d, DOCTOR_UNKNOWN,
		    "this store does not know the question (%.*s, HTTP status %d)",
		    (int)strcspn(query, "="), query, out->status);
}

/* The text at path in the answer, "" when it is not there. */
static const char *value_at(const struct s3_reply *r, const char *path, char out[VALUE_MAX])
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, VALUE_MAX - 1);
	if (xml_find(buf_slice(&r->body), path, &text, NULL) != 0)
		buf_clear(&text);
	snprintf(out, VALUE_MAX, "%s", buf_cstr(&text));
	return out;
}

static void check_transport(struct doctor *d)
{
	const struct s3_location *l = store_s3_location(d->store);

	if (strncmp(l->origin, "https:", 6) == 0)
		doctor_say(d, DOCTOR_OK, "%s, with TLS", l->origin);
	else
		doctor_say(d, DOCTOR_WARN,
			   "%s without TLS: all on the way can read the transcripts; use https",
			   l->origin);
}

/* The first question; all others wait for its answer. */
static void check_reach(struct doctor *d)
{
	const struct s3_location *l = store_s3_location(d->store);
	_cleanup_s3_reply_ struct s3_reply r = {0};
	struct sa_err err = {0};

	if (store_s3_ask(d->store, "GET", NULL, "versioning=", &r, &err) != 0) {
		doctor_say(d, DOCTOR_FAIL, "%s", err.msg);
		return;
	}
	d->reached = r.status == 200 || (r.status == 403 && strcmp(r.code, "AccessDenied") == 0) ||
		     r.status == 405 || r.status == 501;
	if (d->reached)
		doctor_say(d, DOCTOR_OK, "%s answers, region %s", store_name(d->store), l->region);
	else if (strcmp(r.code, "NoSuchBucket") == 0)
		doctor_say(d, DOCTOR_FAIL,
			   "there is no bucket %s: make it with the commands that `sessaudit "
			   "bucket-policy` prints, or correct store.s3_url",
			   l->bucket);
	else if (r.status == 403)
		doctor_say(d, DOCTOR_FAIL,
			   "the store does not accept the credentials (%s): renew or correct them",
			   r.code[0] ? r.code : "no reason given");
	else if (r.code[0])
		doctor_say(d, DOCTOR_FAIL, "the store refuses the question: %s, HTTP status %d",
			   r.code, r.status);
	else
		doctor_say(d, DOCTOR_FAIL, "%s answers with HTTP status %d: is it an S3 store?",
			   l->origin, r.status);
}

static void check_credentials(struct doctor *d)
{
	const char *source = store_s3_credentials(d->store);

	if (!source || strcmp(source, "none") == 0)
		doctor_say(
			d, DOCTOR_FAIL,
			"none that can be used: sessauditd.conf(5) says where they are looked for");
	else
		doctor_say(d, DOCTOR_OK, "from the %s", source);
}

static void check_versioning(struct doctor *d)
{
	_cleanup_s3_reply_ struct s3_reply r = {0};
	char status[VALUE_MAX];
	enum doctor_asked asked = doctor_ask(d, "versioning=", "VersioningConfiguration",
					     "s3:GetBucketVersioning", &r);

	if (asked == DOCTOR_SAID)
		return;
	if (asked == DOCTOR_ANSWER &&
	    strcmp(value_at(&r, "VersioningConfiguration/Status", status), "Enabled") == 0)
		doctor_say(d, DOCTOR_OK, "on: what is written over or deleted stays as a version");
	else
		doctor_say(d, DOCTOR_FAIL,
			   "off: what is written over or deleted is gone; put-bucket-versioning "
			   "Status=Enabled");
}

/* "365 days", "" when the answer has neither days nor years. */
static void retention_text(const struct s3_reply *r, char out[VALUE_MAX])
{
	static const char *const units[] = {"Days", "Years"};
	char path[128], number[VALUE_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(units) && !out[0]; i++) {
		snprintf(path, sizeof(path), RETENTION "%s", units[i]);
		if (value_at(r, path, number)[0])
			snprintf(out, VALUE_MAX, "%.20s %s", number, i == 0 ? "day(s)" : "year(s)");
	}
}

static void say_retention(struct doctor *d, const struct s3_reply *r)
{
	char mode[VALUE_MAX], how_long[VALUE_MAX];

	value_at(r, RETENTION "Mode", mode);
	retention_text(r, how_long);
	if (strcmp(mode, "COMPLIANCE") == 0)
		doctor_say(d, DOCTOR_OK, "COMPLIANCE for %s: nobody can delete a version before",
			   how_long);
	else if (strcmp(mode, "GOVERNANCE") == 0)
		doctor_say(d, DOCTOR_WARN,
			   "GOVERNANCE for %s: who has s3:BypassGovernanceRetention can delete; "
			   "use COMPLIANCE",
			   how_long);
	else if (d->settings->store_s3_lock_mode && d->settings->store_s3_lock_mode[0])
		doctor_say(d, DOCTOR_WARN,
			   "no default retention; each object gets its own from the agent "
			   "(store.s3_lock_mode), which needs s3:PutObjectRetention for that: a "
			   "default in COMPLIANCE mode is safer");
	else
		doctor_say(d, DOCTOR_FAIL,
			   "no default retention: every version can be deleted; "
			   "put-object-lock-configuration with mode COMPLIANCE");
}

static void check_lock(struct doctor *d)
{
	_cleanup_s3_reply_ struct s3_reply r = {0};
	char enabled[VALUE_MAX];
	enum doctor_asked asked = doctor_ask(d, "object-lock=", "ObjectLockConfiguration",
					     "s3:GetBucketObjectLockConfiguration", &r);

	if (asked == DOCTOR_SAID)
		return;
	if (asked == DOCTOR_ANSWER &&
	    strcmp(value_at(&r, "ObjectLockConfiguration/ObjectLockEnabled", enabled), "Enabled") ==
		    0)
		say_retention(d, &r);
	else
		doctor_say(d, DOCTOR_FAIL,
			   "off: every version can be deleted; put-object-lock-configuration with "
			   "mode COMPLIANCE");
}

static void check_encryption(struct doctor *d)
{
	static const char rule[] = "ServerSideEncryptionConfiguration/Rule/"
				   "ApplyServerSideEncryptionByDefault/SSEAlgorithm";
	const char *own = d->settings->store_s3_encryption;
	_cleanup_s3_reply_ struct s3_reply r = {0};
	char name[VALUE_MAX] = "";
	enum doctor_asked asked;

	if (own && own[0]) {
		doctor_say(d, DOCTOR_OK, "the agent asks for %s with each object", own);
		return;
	}
	asked = doctor_ask(d, "encryption=", "ServerSideEncryptionConfiguration",
			   "s3:GetEncryptionConfiguration", &r);
	if (asked == DOCTOR_ANSWER)
		value_at(&r, rule, name);
	if (asked != DOCTOR_SAID && name[0])
		doctor_say(d, DOCTOR_OK, "%s by default", name);
	else if (asked != DOCTOR_SAID)
		doctor_say(d, DOCTOR_WARN,
			   "none: the disks hold plain transcripts; put-bucket-encryption, or set "
			   "store.s3_encryption");
}

static void check_public_access(struct doctor *d)
{
	static const char *const blocks[] = {"BlockPublicAcls", "IgnorePublicAcls",
					     "BlockPublicPolicy", "RestrictPublicBuckets"};
	char path[128], value[VALUE_MAX], missing[256] = "";
	_cleanup_s3_reply_ struct s3_reply r = {0};
	enum doctor_asked asked =
		doctor_ask(d, "publicAccessBlock=", "PublicAccessBlockConfiguration",
			   "s3:GetBucketPublicAccessBlock", &r);
	const char *odd =
		has_root(buf_slice(&r.body), "BlockPublicAccessBlockConfiguration") ? "Block" : "";

	if (asked == DOCTOR_SAID)
		return;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		snprintf(path, sizeof(path), "%sPublicAccessBlockConfiguration/%s", odd, blocks[i]);
		if (asked == DOCTOR_ANSWER && strcasecmp(value_at(&r, path, value), "true") == 0)
			continue;
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s",
			 missing[0] ? ", " : "", blocks[i]);
	}
	if (missing[0])
		doctor_say(d, DOCTOR_FAIL, "%s not set: put-public-access-block", missing);
	else
		doctor_say(d, DOCTOR_OK, "all four blocks are set");
}

static void check_ownership(struct doctor *d)
{
	_cleanup_s3_reply_ struct s3_reply r = {0};
	char owner[VALUE_MAX] = "ObjectWriter";
	enum doctor_asked asked = doctor_ask(d, "ownershipControls=", "OwnershipControls",
					     "s3:GetBucketOwnershipControls", &r);

	if (asked == DOCTOR_SAID)
		return;
	if (asked == DOCTOR_ANSWER)
		value_at(&r, "OwnershipControls/Rule/ObjectOwnership", owner);
	if (strcmp(owner, "BucketOwnerEnforced") == 0)
		doctor_say(d, DOCTOR_OK, "BucketOwnerEnforced: ACLs count for nothing");
	else
		doctor_say(d, DOCTOR_FAIL,
			   "%s: who writes an object may open it to others by ACL; "
			   "put-bucket-ownership-controls BucketOwnerEnforced",
			   owner);
}

/* Are our credentials those of the agent on this host? As far as their names tell. */
static bool we_are_the_agent(const struct doctor *d)
{
	const char *source = store_s3_credentials(d->store);

	return source && slice_is(json_get_str(d->shipper.json, "credentials"), source);
}

/* Harmless: lists one key at most, and never deletes to find out. */
static void check_reading(struct doctor *d)
{
	const struct s3_location *l = store_s3_location(d->store);
	_cleanup_s3_reply_ struct s3_reply r = {0};
	_cleanup_buf_ struct buf query = {0};
	struct sa_err err = {0};

	buf_init(&query, 4096);
	buf_puts(&query, "list-type=2&max-keys=1&prefix=");
	sigv4_encode_query(&query, slice_of(l->prefix));
	if (store_s3_ask(d->store, "GET", NULL, buf_cstr(&query), &r, &err) != 0)
		doctor_say(d, DOCTOR_FAIL, "%s", err.msg);
	else if (r.status == 403)
		doctor_say(d, DOCTOR_OK, "these credentials cannot list: right for an agent");
	else if (r.status != 200)
		doctor_say(d, DOCTOR_UNKNOWN, "HTTP status %d %s to a list", r.status, r.code);
	else if (we_are_the_agent(d))
		doctor_say(d, DOCTOR_WARN,
			   "the agent's credentials can list the bucket: leave them s3:PutObject "
			   "only (`sessaudit bucket-policy`)");
	else
		doctor_say(d, DOCTOR_OK,
			   "these credentials can list: right for an auditor, too much for an "
			   "agent");
}

static void say_append_only(struct doctor *d, struct slice state, const char *who)
{
	if (slice_is(state, "proven"))
		doctor_say(d, DOCTOR_OK, "a second write to a key was refused (%s)", who);
	else if (slice_is(state, "unproven"))
		doctor_say(d, DOCTOR_FAIL,
			   "a second write to a key was taken (%s): the store ignores "
			   "If-None-Match; what is stored can be written over",
			   who);
	else
		doctor_say(d, DOCTOR_UNKNOWN,
			   "nobody has tried to write over an object: --probe does, with one of "
			   "its own");
}

void doctor_append_only(struct doctor *d)
{
	enum store_append_only state = STORE_UNKNOWN;
	char host[256], who[96], when[CLOCK_TEXT_SIZE];
	int64_t probed = doctor_status_number(&d->shipper, "probed");
	struct sa_err err = {0};

	if (d->probe) {
		if (gethostname(host, sizeof(host)) != 0)
			snprintf(host, sizeof(host), "unknown");
		host[sizeof(host) - 1] = '\0';
		if (store_probe(d->store, host, &state, &err) != 0)
			doctor_say(d, DOCTOR_UNKNOWN, "the probe failed: %s", err.msg);
		else
			say_append_only(d, slice_of(store_append_only_name(state)), "probed now");
		return;
	}
	clock_format_utc(probed * 1000, when);
	snprintf(who, sizeof(who), "by the shipper, %s", when);
	say_append_only(d, json_get_str(d->shipper.json, "append_only"), who);
}

const struct doctor_check doctor_s3_first[] = {
	{"transport", check_transport},
	{"store", check_reach},
	{"credentials", check_credentials},
	DOCTOR_END,
};

const struct doctor_check doctor_s3[] = {
	{"versioning", check_versioning},        {"object-lock", check_lock},
	{"encryption", check_encryption},        {"public-access", check_public_access},
	{"ownership", check_ownership},          {"policy-tls", doctor_policy_tls},
	{"policy-delete", doctor_policy_delete}, {"policy-overwrite", doctor_policy_overwrite},
	{"policy-public", doctor_policy_public}, {"reading", check_reading},
	{"append-only", doctor_append_only},     DOCTOR_END,
};
