/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * `sessaudit doctor`: one check, one function, one finding. doctor_local.c and
 * doctor_pam.c look at this host, doctor_s3.c and doctor_policy.c at a bucket; verb_doctor.c
 * prints. Nothing here changes anything but the probe, which is asked for.
 */
#ifndef SA_DOCTOR_H
#define SA_DOCTOR_H

#include "common/json.h"
#include "common/settings.h"
#include "common/store/store.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL,
	DOCTOR_UNKNOWN, /* could not be asked: not our right, or not this store's knowledge */
};

struct doctor_status_file { /* what a role's status.json says */
	struct json *json;  /* NULL: there is none */
	const char *why;    /* there is none, in words */
	int64_t time_ms;
};

struct doctor {
	const struct settings *settings;
	struct store *store; /* NULL: it cannot be opened */
	struct doctor_status_file shipper;
	const char *pam_dir; /* NULL: the system's */
	bool probe;          /* the user lets us write */
	bool reached;        /* the bucket answers */

	/* of the check that runs */
	const char *check;
	void (*say)(void *ctx, const char *check, enum doctor_status status, const char *message);
	void *say_ctx;
};

/* The finding of the check that runs: what is, and where it is not ok what to do. */
void doctor_say(struct doctor *d, enum doctor_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct doctor_check {
	const char *name;
	void (*run)(struct doctor *d);
};
#define DOCTOR_END                                                                                 \
	{                                                                                          \
		NULL, NULL                                                                         \
	}

extern const struct doctor_check doctor_host[];     /* of a host with an agent */
extern const struct doctor_check doctor_dir[];      /* of a directory store */
extern const struct doctor_check doctor_s3_first[]; /* of a bucket: set reached */
extern const struct doctor_check doctor_s3[];       /* of one that answers */

/* Reads <run_dir>/<dir>/status.json; out->json is to be freed. */
void doctor_status_read(const struct settings *s, const char *dir, const char *schema,
			struct doctor_status_file *out);
#define DOCTOR_SHIPPER "ship", "sessaudit.shipper/1"
#define DOCTOR_STATUS_OLD_MS 180000 /* roles write theirs at least once a minute */
/* Where the PAM module's lines stand, in doctor_pam.c. */
void doctor_pam(struct doctor *d);
/* A number of it, 0 when it has none. */
int64_t doctor_status_number(const struct doctor_status_file *s, const char *key);
/* The process that pulls grants, in doctor_broker.c. */
void doctor_broker(struct doctor *d);
/* Is the store append-only: by probe, or as the shipper found. For any store. */
void doctor_append_only(struct doctor *d);

struct s3_reply;
enum doctor_asked {
	DOCTOR_ANSWER,  /* it is in the reply */
	DOCTOR_NOTHING, /* nothing of the kind is set up */
	DOCTOR_SAID,    /* no answer; the finding is out */
};
/* Asks the bucket about query, whose answer has this root element (NULL: is JSON) and needs the
 * right to action. */
enum doctor_asked doctor_ask(struct doctor *d, const char *query, const char *root,
			     const char *action, struct s3_reply *out);

/* The checks that read the bucket policy, in doctor_policy.c. */
void doctor_policy_tls(struct doctor *d);
void doctor_policy_delete(struct doctor *d);
void doctor_policy_overwrite(struct doctor *d);
void doctor_policy_public(struct doctor *d);

#endif
