/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * A SOCKADDR record's saddr: the bytes of a struct sockaddr as the kernel saw it, in hex
 * (kernel/auditsc.c audit_log_exit). What it is made of is an attacker's to choose.
 */
#ifndef SA_SOCKADDR_H
#define SA_SOCKADDR_H

#include <arpa/inet.h>
#include <stdint.h>

#include "common/err.h"
#include "common/slice.h"

#define SOCKADDR_MAX_BYTES 128 /* struct sockaddr_storage: more the kernel does not take */

struct sockaddr_text {
	const char
		*type; /* "ipv4", "ipv6", "unix", "netlink", "packet", "vsock", "unspec"; "other" */
	char ip[INET6_ADDRSTRLEN]; /* "" when it is no IP address; v4-mapped ones as IPv4 */
	uint32_t port;             /* of ip and vsock; 0: none */
	/* The IP address; of a unix socket its path or "@" and its abstract name, which may hold
	 * NUL; of vsock the context id, of netlink the port id, of packet the interface's number.
	 * NUL-ended. */
	char address[SOCKADDR_MAX_BYTES];
	size_t address_len; /* 0: none */
};

/* SA_ERR_INVALID: no hex, or not of a length that its family can have; out is untouched then. */
int sockaddr_parse(struct slice hex, struct sockaddr_text *out);

#endif
