/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/sockaddr.h"

/* The input as a record's text, and as the address's bytes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *hex, size_t len)
{
	struct sockaddr_text t = {.type = NULL, .port = 77};

	if (sockaddr_parse((struct slice){hex, len}, &t)) {
		if (t.type || t.port != 77)
			abort();
		return;
	}
	if (!t.type || t.address_len >= sizeof(t.address) || t.address[t.address_len] != '\0' ||
	    strnlen(t.ip, sizeof(t.ip)) == sizeof(t.ip) || (t.ip[0] && t.address_len == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	char *hex = malloc(2 * size + 1);

	if (!hex)
		return 0;
	parse((const char *)data, size);
	for (size_t i = 0; i < size; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	hex = realloc(hex, size ? 2 * size : 1); /* no byte behind it */
	if (hex)
		parse(hex, 2 * size);
	free(hex);
	return 0;
}
