/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * `sessaudit doctor`: one check, one function, one finding. doctor_local.c looks at
 * this host, doctor_s3.c and doctor_policy.c at a bucket; verb_doctor.c prints.
 * Nothing here changes anything but the probe, which is asked for.
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

struct doctor_shipper { /* what the shipper's status.json says; text NULL: there is none */
	struct json *json;
	const char *why; /* there is none, in words */
	int64_t time_ms;
};

struct doctor {
	const struct settings *settings;
	struct store *store; /* NULL: it cannot be opened */
	struct doctor_shipper shipper;
	bool probe;   /* the user lets us write */
	bool reached; /* the bucket answers */

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

/* Reads <run_dir>/ship/status.json. */
void doctor_shipper_read(const struct settings *s, struct doctor_shipper *out);
/* A number of it, 0 when it has none. */
int64_t doctor_shipper_number(const struct doctor_shipper *s, const char *key);
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
