/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A broker's answer: all grants for this host, each signed.
 *   {"schema":"sessaudit.grants/1","grants":[{"grant":"<base64>","signature":"<base64>"},...]}
 * Untrusted until the signatures are checked. Strict: a key that is not known may
 * change what the others mean. Fuzzed.
 */
#ifndef SA_ANSWER_H
#define SA_ANSWER_H

#include "common/access/signed.h"
#include "common/json.h"

#define ANSWER_MAX_BYTES (4 << 20)
#define ANSWER_MAX_GRANTS 4096

struct answer {
	struct json *root;
	const struct json *grants;
	size_t len;
};

/* SA_ERR_INVALID or SA_ERR_TOOBIG for what is no answer; then none of it counts. */
int answer_parse(struct slice body, struct answer *out, struct sa_err *err);
void answer_free(struct answer *a);
#define _cleanup_broker_answer_ __attribute__((cleanup(answer_free))) /* always with = {0} */

/* Grant i as an envelope (signed.h), appended to out. SA_ERR_INVALID when it is none; SA_ERR_NOMEM.
 */
int answer_envelope(const struct answer *a, size_t i, struct buf *out, struct sa_err *err);

#endif
