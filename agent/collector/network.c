/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "agent/collector/sockaddr.h"
#include "agent/collector/transcript_internal.h"
#include "common/cleanup.h"

#define ERESTARTSYS 512 /* linux/errno.h: interrupted, and called again or EINTR */

static const struct {
	const char *name, *action;
	enum entry_endpoint endpoint;
} calls[] = {
	{"connect", "connect", ENTRY_DESTINATION},
	{"sendto", "sendto", ENTRY_DESTINATION},
	{"sendmsg", "sendto", ENTRY_DESTINATION},
	{"sendmmsg", "sendto", ENTRY_DESTINATION}, /* the address is its last message's */
	{"accept", "accept", ENTRY_CLIENT},
	{"accept4", "accept", ENTRY_CLIENT},
	{"bind", "bind", ENTRY_SERVER},
};

/* The connection may still come about; nobody tells. */
static bool goes_on(const struct call *c)
{
	return c->exit == -EINPROGRESS || c->exit == -EALREADY || c->exit == -EINTR ||
	       c->exit == -ERESTARTSYS;
}

/* "10.0.0.1:443", "[::1]:22", "/run/x.sock", "@name", "vsock 2:1024", "packet 2", "unix". */
static struct slice describe(const struct sockaddr_text *a, char *out, size_t size)
{
	struct slice address = {a->address, a->address_len};
	int n;

	if (address.len > 0 && strcmp(a->type, "unix") == 0)
		return address;
	if (a->ip[0])
		n = snprintf(out, size, strchr(a->ip, ':') ? "[%s]:%u" : "%s:%u", a->address,
			     a->port);
	else if (address.len > 0 && a->port)
		n = snprintf(out, size, "%s %s:%u", a->type, a->address, a->port);
	else
		n = snprintf(out, size, address.len > 0 ? "%s %s" : "%s", a->type, a->address);
	return (struct slice){out, (size_t)n};
}

void network_entry(struct transcript *t, struct session *s, const struct event *ev,
		   const struct call *call)
{
	const struct event_record *r = event_find(ev, RECORD_SOCKADDR);
	struct slice hex = r ? record_get(r->body, "saddr") : SLICE_NONE;
	struct sockaddr_text a = {.type = "other"};
	char name[16], object[SOCKADDR_MAX_BYTES + 32];
	struct entry e;
	size_t i = 0;
	bool bad;

	while (i < ARRAY_LEN(calls) && strcmp(calls[i].name, call->name) != 0)
		i++;
	/* Without an address it is sent on a socket that was connected before, or none was taken.
	 */
	if (i == ARRAY_LEN(calls) || !hex.ptr)
		return;
	bad = sockaddr_parse(hex, &a) != 0;
	/* To the kernel, by every login and by all that look up a name. */
	if (strcmp(a.type, "netlink") == 0)
		return;
	transcript_fill_call(t, s, ev, call, ENTRY_NETWORK, name, &e);
	if (!call->success && goes_on(call))
		e.outcome = ENTRY_UNKNOWN;
	e.action = slice_of(calls[i].action);
	e.endpoint = calls[i].endpoint;
	e.object = bad ? hex : describe(&a, object, sizeof(object));
	e.net_type = slice_of(a.type);
	if (a.address_len > 0)
		e.address = (struct slice){a.address, a.address_len};
	if (a.ip[0])
		e.ip = slice_of(a.ip);
	e.port = a.port;
	writer_entry(t->writer, s, &e, t->now_ms);
}
