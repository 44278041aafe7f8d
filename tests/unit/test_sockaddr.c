/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "agent/collector/sockaddr.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define X8 "7878787878787878"
#define X104 X8 X8 X8 X8 X8 X8 X8 X8 X8 X8 X8 X8 X8
#define L8 "xxxxxxxx"
#define L104 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8

/* Most of these are what a kernel wrote, with the call that led to it. */
static const struct {
	const char *name, *hex, *type, *ip;
	unsigned port;
	struct slice address;
} cases[] = {
	{"connect to an IPv4 port", "0200DE057F0000010000000000000000", "ipv4", "127.0.0.1", 56837,
	 SLICE_LIT("127.0.0.1")},
	{"bind to any port", "020000007F0000010000000000000000", "ipv4", "127.0.0.1", 0,
	 SLICE_LIT("127.0.0.1")},
	{"lower case, highest port, no padding", "0200ffff0a000001", "ipv4", "10.0.0.1", 65535,
	 SLICE_LIT("10.0.0.1")},
	{"IPv6", "0A008CFE000000000000000000000000000000000000000100000000", "ipv6", "::1", 36094,
	 SLICE_LIT("::1")},
	{"link-local IPv6", "0A00001600000000FE80000000000000000000000000000102000000", "ipv6",
	 "fe80::1", 22, SLICE_LIT("fe80::1%2")},
	{"IPv6 without a scope", "0A000016000000002001056700000000000000000000ABCD", "ipv6",
	 "2001:567::abcd", 22, SLICE_LIT("2001:567::abcd")},
	{"v4-mapped", "0A00DE050000000000000000000000000000FFFF7F00000100000000", "ipv4",
	 "127.0.0.1", 56837, SLICE_LIT("127.0.0.1")},
	{"v4-compatible is IPv6", "0A0000500000000000000000000000000000000001020304", "ipv6",
	 "::1.2.3.4", 80, SLICE_LIT("::1.2.3.4")},
	{"unix path", "01002F746D702F7300", "unix", "", 0, SLICE_LIT("/tmp/s")},
	{"unix path without its NUL", "01002F746D702F73", "unix", "", 0, SLICE_LIT("/tmp/s")},
	{"bytes behind the NUL are not part of it", "01002F7300616263", "unix", "", 0,
	 SLICE_LIT("/s")},
	{"the longest unix path", "0100" X104 "2F2F2F2F", "unix", "", 0, SLICE_LIT(L104 "////")},
	{"a longer one", "0100" X104 "2F2F2F2F2F", NULL, "", 0, SLICE_NONE},
	{"abstract name", "010000616273206E616D65", "unix", "", 0, SLICE_LIT("@abs name")},
	{"abstract name with NULs", "01000000610000", "unix", "", 0, SLICE_LIT("@\0a\0\0")},
	{"accept from a nameless unix socket", "0100", "unix", "", 0, SLICE_NONE},
	{"unspec: a connect that undoes another", "00000000000000000000000000000000", "unspec", "",
	 0, SLICE_NONE},
	{"netlink", "1000944F0000000000000000", "netlink", "", 0, SLICE_LIT("0")},
	{"netlink of a process", "100000000401000000000000", "netlink", "", 0, SLICE_LIT("260")},
	{"packet", "110000000100000000000000F67F000028A0AEEC", "packet", "", 0, SLICE_LIT("1")},
	{"vsock", "28000000D20400000100000000000000", "vsock", "", 1234, SLICE_LIT("1")},
	{"another family", "1F00112233445566", "other", "", 0, SLICE_NONE},
	{"a machine with the other byte order", "00020050C0A80001", "ipv4", "192.168.0.1", 80,
	 SLICE_LIT("192.168.0.1")},
	{"vsock of such a one", "00280000000004D20000000200000000", "vsock", "", 1234,
	 SLICE_LIT("2")},
	{"IPv4, seven bytes", "02000050010203", NULL, "", 0, SLICE_NONE},
	{"IPv6, 23 bytes", "0A00005000000000000000000000000000000000010203", NULL, "", 0,
	 SLICE_NONE},
	{"netlink, eight bytes", "1000000004010000", NULL, "", 0, SLICE_NONE},
	{"packet, seven bytes", "11000000010000", NULL, "", 0, SLICE_NONE},
	{"vsock, 12 bytes", "28000000D204000001000000", NULL, "", 0, SLICE_NONE},
	{"one byte", "02", NULL, "", 0, SLICE_NONE},
	{"nothing", "", NULL, "", 0, SLICE_NONE},
	{"an odd digit", "0200DE057F00000", NULL, "", 0, SLICE_NONE},
	{"no hex", "(null)", NULL, "", 0, SLICE_NONE},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sockaddr_text t = {.type = "untouched"};
		int rc = sockaddr_parse(slice_of(cases[i].hex), &t);

		if (!cases[i].type) {
			tap_int(rc, SA_ERR_INVALID, "%s", cases[i].name);
			tap_str(t.type, "untouched", "%s: out", cases[i].name);
			continue;
		}
		tap_int(rc, 0, "%s", cases[i].name);
		tap_str(t.type, cases[i].type, "%s: type", cases[i].name);
		tap_str(t.ip, cases[i].ip, "%s: ip", cases[i].name);
		tap_int(t.port, cases[i].port, "%s: port", cases[i].name);
		tap_bytes((struct slice){t.address_len ? t.address : NULL, t.address_len},
			  cases[i].address, "%s: address", cases[i].name);
		tap_int(t.address[t.address_len], '\0', "%s: its end", cases[i].name);
	}
}

static void test_longest(void)
{
	char hex[2 * SOCKADDR_MAX_BYTES + 3];
	struct sockaddr_text t = {0};

	memset(hex, '1', sizeof(hex));
	tap_int(sockaddr_parse((struct slice){hex, 2 * SOCKADDR_MAX_BYTES}, &t), 0, "128 bytes");
	tap_int(sockaddr_parse((struct slice){hex, 2 * SOCKADDR_MAX_BYTES + 2}, &t), SA_ERR_INVALID,
		"129 bytes");
}

int main(void)
{
	test_cases();
	test_longest();
	return tap_done();
}
