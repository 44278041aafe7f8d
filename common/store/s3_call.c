/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <poll.h>

#include "common/cleanup.h"
#include "common/store/s3_internal.h"

#define READ_TRIES 3
#define READ_PAUSE_MS 200 /* before the second try; the next is twice as long */

static int s3_call_once(struct store_s3 *s3, const struct s3_request *r, size_t max_body,
			struct s3_signed *s, struct http_answer *raw, struct s3_answer *answer,
			struct sa_err *err)
{
	struct http_request h;
	struct sa_err why = {0};
	int rc = s3_sign(s3, r, s, err);

	if (rc != 0)
		return rc;
	http_answer_free(raw);
	h = s3_http_request(s3, r, s, max_body);
	rc = http_perform(s3->http, &h, raw, &why);
	if (rc != 0)
		return s3_unanswered(s3, r->method, rc, &why, err);
	s3_answer_read(raw, s3_now(s3), s->region, answer);
	return 0;
}

int s3_call(struct store_s3 *s3, const struct s3_request *r, size_t max_body,
	    struct http_answer *raw, struct s3_answer *answer, struct sa_err *err)
{
	_cleanup_s3_signed_ struct s3_signed s = {0};
	unsigned repaired = 0;
	int rc;

	do
		rc = s3_call_once(s3, r, max_body, &s, raw, answer, err);
	while (rc == 0 && s3_repair(s3, &s, answer, &repaired));
	return rc;
}

/* False when the caller's turn says to stop. */
static bool s3_pause(const struct store_s3 *s3, int ms)
{
	for (; ms > 0; ms -= 100) {
		if (s3->turn && !s3->turn(s3->turn_ctx))
			return false;
		(void)poll(NULL, 0, ms < 100 ? ms : 100);
	}
	return true;
}

int s3_read_call(struct store_s3 *s3, const struct s3_request *r, size_t max_body,
		 struct http_answer *raw, struct sa_err *err)
{
	int pause = READ_PAUSE_MS, rc;
	struct s3_answer answer;

	for (int i = 1;; i++, pause *= 2) {
		rc = s3_call(s3, r, max_body, raw, &answer, err);
		if (rc != 0 || answer.rc == 0)
			return rc;
		if (answer.rc != SA_ERR_AGAIN || i == READ_TRIES || !s3_pause(s3, pause))
			return s3_refused(s3, r, &answer, err);
	}
}
