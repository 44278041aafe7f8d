/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/sockaddr.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/if_packet.h>
#include <linux/netlink.h>

/* struct sockaddr is in the byte order of the machine that recorded it, but for ports and IP
 * addresses. Families are below 256: the byte that is not 0 tells which order that is. */
static uint32_t number(const unsigned char *p, size_t n, bool big)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint32_t)p[big ? n - 1 - i : i] << (8 * i);
	return v;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(struct slice hex, unsigned char *out)
{
	for (size_t i = 0; i < hex.len; i += 2) {
		int high = digit(hex.ptr[i]), low = digit(hex.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void set_digits(struct sockaddr_text *t, uint32_t v)
{
	t->address_len = (size_t)snprintf(t->address, sizeof(t->address), "%u", v);
}

static void set_ip(struct sockaddr_text *t, int family, const void *addr, const unsigned char *port)
{
	t->port = (uint32_t)port[0] << 8 | port[1];
	inet_ntop(family, addr, t->ip, sizeof(t->ip));
	t->address_len = strlen(t->ip);
	memcpy(t->address, t->ip, t->address_len + 1);
}

static void set_ipv6(struct sockaddr_text *t, const unsigned char *p, size_t len, bool big)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	const unsigned char *addr = p + offsetof(struct sockaddr_in6, sin6_addr);
	uint32_t scope = len >= sizeof(struct sockaddr_in6)
				 ? number(p + offsetof(struct sockaddr_in6, sin6_scope_id), 4, big)
				 : 0;

	if (memcmp(addr, mapped, sizeof(mapped)) == 0) {
		t->type = "ipv4";
		set_ip(t, AF_INET, addr + sizeof(mapped), p + 2);
		return;
	}
	t->type = "ipv6";
	set_ip(t, AF_INET6, addr, p + 2);
	if (scope)
		t->address_len +=
			(size_t)snprintf(t->address + t->address_len,
					 sizeof(t->address) - t->address_len, "%%%u", scope);
}

/* unix(7): a path ends at its NUL or at the end, an abstract name begins with one. */
static void set_unix(struct sockaddr_text *t, const unsigned char *path, size_t len)
{
	t->type = "unix";
	if (len > 0 && path[0] == '\0') {
		memcpy(t->address, path, len);
		t->address[0] = '@';
		t->address_len = len;
	} else {
		t->address_len = strnlen((const char *)path, len);
		memcpy(t->address, path, t->address_len);
	}
	t->address[t->address_len] = '\0';
}

static int parse(const unsigned char *p, size_t len, struct sockaddr_text *t)
{
	bool big = p[0] == 0 && p[1] != 0;

	switch (number(p, 2, big)) {
	case AF_UNSPEC:
		t->type = "unspec";
		return 0;
	case AF_UNIX:
		if (len > sizeof(struct sockaddr_un))
			return SA_ERR_INVALID;
		set_unix(t, p + 2, len - 2);
		return 0;
	case AF_INET:
		if (len < 8)
			return SA_ERR_INVALID;
		t->type = "ipv4";
		set_ip(t, AF_INET, p + 4, p + 2);
		return 0;
	case AF_INET6:
		if (len < 24) /* RFC 2133 had no scope */
			return SA_ERR_INVALID;
		set_ipv6(t, p, len, big);
		return 0;
	case AF_NETLINK:
		if (len < sizeof(struct sockaddr_nl))
			return SA_ERR_INVALID;
		t->type = "netlink";
		set_digits(t, number(p + offsetof(struct sockaddr_nl, nl_pid), 4, big));
		return 0;
	case AF_PACKET:
		if (len < offsetof(struct sockaddr_ll, sll_hatype))
			return SA_ERR_INVALID;
		t->type = "packet";
		set_digits(t, number(p + offsetof(struct sockaddr_ll, sll_ifindex), 4, big));
		return 0;
	case AF_VSOCK:
		if (len < sizeof(struct sockaddr_vm))
			return SA_ERR_INVALID;
		t->type = "vsock";
		t->port = number(p + offsetof(struct sockaddr_vm, svm_port), 4, big);
		set_digits(t, number(p + offsetof(struct sockaddr_vm, svm_cid), 4, big));
		return 0;
	default:
		t->type = "other";
		return 0;
	}
}

int sockaddr_parse(struct slice hex, struct sockaddr_text *out)
{
	unsigned char bytes[SOCKADDR_MAX_BYTES];
	struct sockaddr_text t = {0};

	if (hex.len % 2 != 0 || hex.len < 4 || hex.len / 2 > sizeof(bytes) || !unhex(hex, bytes) ||
	    parse(bytes, hex.len / 2, &t))
		return SA_ERR_INVALID;
	*out = t;
	return 0;
}
