/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/control.h"

#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector/rules.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#define STATE_NAME "audit"
#define REPLY_TIMEOUT_MS 2000

struct control {
	int fd;
	int64_t enabled_before, backlog_before; /* -1: not ours to put back */
};

int control_open(struct control **out, struct sa_err *err)
{
	int fd = audit_open();

	if (fd < 0)
		return sa_fail_errno(err, "netlink audit socket");
	*out = malloc(sizeof(**out));
	if (!*out) {
		audit_close(fd);
		return sa_fail(err, SA_ERR_NOMEM, "control: out of memory");
	}
	**out = (struct control){fd, -1, -1};
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	audit_close(c->fd);
	free(c);
}

static int get_status(struct control *c, struct audit_status *out, struct sa_err *err)
{
	int64_t deadline = clock_mono_ms() + REPLY_TIMEOUT_MS;
	int seq = audit_request_status(c->fd);

	if (seq <= 0)
		return sa_fail_errno(err, "kernel audit: ask for its status");
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		struct audit_reply reply;

		if (left <= 0)
			return sa_fail(err, SA_ERR_IO, "kernel audit does not answer");
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		memset(&reply, 0, sizeof(reply));
		if (audit_get_reply(c->fd, &reply, GET_REPLY_NONBLOCKING, 0) <= 0)
			continue;
		if (reply.type == AUDIT_GET && reply.status) {
			*out = *reply.status;
			return 0;
		}
		if (reply.type == NLMSG_ERROR && reply.error->error)
			return sa_fail(err, SA_ERR_PERM, "kernel audit refused: %s",
				       strerror(-reply.error->error));
	}
}

int control_status(struct control *c, uint32_t *lost, uint32_t *pid, struct sa_err *err)
{
	struct audit_status st;
	int rc = get_status(c, &st, err);

	if (rc)
		return rc;
	*lost = st.lost;
	*pid = st.pid;
	return 0;
}

/* An agent that was killed left its note: what it found counts, not what it made of it. */
static bool read_note(struct control *c, struct spool *spool, const char *boot_id)
{
	_cleanup_json_ struct json *j = NULL;
	_cleanup_buf_ struct buf text = {0};

	buf_init(&text, SPOOL_STATE_MAX_BYTES);
	return spool_state_read(spool, STATE_NAME, &text, NULL) == 0 &&
	       json_parse(text.data, text.len, &j, NULL) == 0 &&
	       slice_is(json_get_str(j, "boot_id"), boot_id) &&
	       json_int(json_get(j, "enabled"), &c->enabled_before) == 0 &&
	       json_int(json_get(j, "backlog_limit"), &c->backlog_before) == 0;
}

static int write_note(struct control *c, struct spool *spool, const char *boot_id,
		      struct sa_err *err)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "{\"boot_id\":\"%.40s\",\"enabled\":%lld,\"backlog_limit\":%lld}", boot_id,
			 (long long)c->enabled_before, (long long)c->backlog_before);

	return spool_state_write(spool, STATE_NAME, (struct slice){text, (size_t)n}, err);
}

int control_begin(struct control *c, struct spool *spool, const char *boot_id,
		  const struct settings *set, struct sa_err *err)
{
	struct audit_status st;
	int rc = get_status(c, &st, err);

	if (rc)
		return rc;
	if (!read_note(c, spool, boot_id)) {
		c->enabled_before = st.enabled;
		c->backlog_before = st.backlog_limit;
		rc = write_note(c, spool, boot_id, err);
		if (rc)
			return rc;
	}
	if (st.enabled == 2) {
		log_warn(
			"event=rules_immutable action=\"audit is locked until reboot: these rules cannot be added "
			"now, put them into /etc/audit/rules.d\"");
		rules_print(set);
		return 0;
	}
	if (st.enabled == 0 && audit_set_enabled(c->fd, 1) <= 0)
		return sa_fail_errno(err, "kernel audit: enable");
	if (set->capture_backlog_limit > (int64_t)st.backlog_limit &&
	    audit_set_backlog_limit(c->fd, (uint32_t)set->capture_backlog_limit) <= 0)
		log_warn("event=backlog_limit reason=\"%s\"", strerror(errno));
	return rules_install(c->fd, set, err);
}

void control_remove_rules(struct control *c)
{
	rules_remove(c->fd);
}

void control_restore(struct control *c, struct spool *spool)
{
	struct audit_status st;

	if (get_status(c, &st, NULL) || st.enabled == 2)
		return;
	if (c->backlog_before >= 0 && (int64_t)st.backlog_limit != c->backlog_before)
		audit_set_backlog_limit(c->fd, (uint32_t)c->backlog_before);
	if (c->enabled_before == 0)
		audit_set_enabled(c->fd, 0);
	spool_state_remove(spool, STATE_NAME);
}
