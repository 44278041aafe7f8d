/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <security/pam_ext.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/escape.h"
#include "pam_sessaudit/ask.h"

#define ANSWER_VARIABLE "SESSAUDIT_BREAKGLASS" /* <hex reason>:<hex ticket> */

struct answer {
	char *reason, *ticket; /* NULL when empty; bounded, valid UTF-8 (access_set) */
};

static void answer_free(struct answer *a)
{
	free(a->reason);
	free(a->ticket);
	*a = (struct answer){0};
}

/* One line typed at a prompt. False when the service cannot prompt. */
static bool prompt(pam_handle_t *pamh, const char *text, char **out)
{
	_cleanup_free_ char *typed = NULL;

	if (pam_prompt(pamh, PAM_PROMPT_ECHO_ON, &typed, "%s", text) != PAM_SUCCESS || !typed)
		return false;
	return access_set(out, slice_of(typed)) == 0;
}

static bool prompt_both(const struct ask *ask, struct answer *out)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, PAM_MAX_MSG_SIZE);
	buf_puts(&text, "No approved access request for ");
	escape_terminal(&text, slice_of(ask->user));
	buf_puts(&text, " on ");
	escape_terminal(&text, slice_of(ask->host));
	buf_puts(&text, ". Reason for emergency access (empty: none): ");
	if (text.failed || !prompt(ask->pamh, buf_cstr(&text), &out->reason))
		return false;
	/* A ticket alone is no reason. */
	if (out->reason)
		prompt(ask->pamh, "Ticket (may be empty): ", &out->ticket);
	return true;
}

static bool unhex(struct slice hex, char **out)
{
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, ACCESS_MAX_FIELD);
	return escape_unhex(&text, hex) == 0 && !text.failed &&
	       !memchr(buf_slice(&text).ptr, 0, text.len) && access_set(out, buf_slice(&text)) == 0;
}

/* False when nothing usable was left: then it may be asked now. */
static bool take_left(pam_handle_t *pamh, struct answer *out)
{
	const char *left = pam_getenv(pamh, ANSWER_VARIABLE);
	const char *colon = left ? strchr(left, ':') : NULL;

	return colon && unhex((struct slice){left, (size_t)(colon - left)}, &out->reason) &&
	       unhex(slice_of(colon + 1), &out->ticket);
}

void ask_ahead(const struct ask *ask)
{
	_cleanup_(answer_free) struct answer a = {0};
	_cleanup_buf_ struct buf text = {0};

	if (!prompt_both(ask, &a))
		return;
	buf_init(&text, sizeof(ANSWER_VARIABLE "=:") + 4 * ACCESS_MAX_FIELD);
	buf_puts(&text, ANSWER_VARIABLE "=");
	escape_hex(&text, slice_of(a.reason));
	buf_putc(&text, ':');
	escape_hex(&text, slice_of(a.ticket));
	if (!text.failed)
		pam_putenv(ask->pamh, buf_cstr(&text));
}

void ask_forget(pam_handle_t *pamh)
{
	if (pam_getenv(pamh, ANSWER_VARIABLE))
		pam_putenv(pamh, ANSWER_VARIABLE);
}

/* Of what was known only who logged in, and why not, stays: the request is not theirs to claim. */
static void become_breakglass(struct access *a, struct answer *answer)
{
	struct access self = {.status = ACCESS_BREAKGLASS,
			      .source = ACCESS_SOURCE_PROMPT,
			      .justification = TAKE_PTR(answer->reason),
			      .ticket = TAKE_PTR(answer->ticket),
			      .key_fp = TAKE_PTR(a->key_fp),
			      .ca_fp = TAKE_PTR(a->ca_fp),
			      .cert_key_id = TAKE_PTR(a->cert_key_id),
			      .cert_serial = TAKE_PTR(a->cert_serial),
			      .cert_profile = TAKE_PTR(a->cert_profile),
			      .reason = TAKE_PTR(a->reason)};

	access_free(a);
	*a = self;
}

bool ask_now(const struct ask *ask, struct access *access)
{
	_cleanup_(answer_free) struct answer a = {0};

	if (!take_left(ask->pamh, &a)) {
		answer_free(&a);
		prompt_both(ask, &a);
	}
	if (!a.reason)
		return false;
	become_breakglass(access, &a);
	return true;
}
