/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <arpa/inet.h>
#include <strings.h>

#include "common/access/match.h"
#include "common/cleanup.h"

#define ADDRESS_MAX 63 /* characters; INET6_ADDRSTRLEN and a scope id are less */
#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

/* An address is a network of all its bits. IPv4 that is written as IPv6 (::ffff:10.0.0.1) is IPv4.
 */
struct network {
	bool v4;
	unsigned bits;
	unsigned char bytes[16];
};

const char *match_reason_text(enum match_reason r)
{
	static const char *const texts[] = {
		[MATCH_OK] = "fits",
		[MATCH_USER] = "is for other users",
		[MATCH_HOST] = "is for other hosts",
		[MATCH_SERVICE] = "is for other services",
		[MATCH_SOURCE] = "is for other source addresses",
		[MATCH_KEY] = "is for other keys or certificates",
		[MATCH_REVOKED] = "revoked",
		[MATCH_NOT_YET] = "not valid yet",
		[MATCH_EXPIRED] = "expired",
	};

	return texts[r];
}

static bool list_has(const struct grant_list *l, const char *value)
{
	for (size_t i = 0; i < l->len; i++)
		if (strcmp(l->items[i], value) == 0)
			return true;
	return false;
}

/* The part before the first dot is the short name. */
static bool is_host(const char *name, const char *host)
{
	size_t n = strcspn(host, ".");

	return strcasecmp(name, host) == 0 ||
	       (n > 0 && strlen(name) == n && strncasecmp(name, host, n) == 0);
}

bool match_hosts(const struct grant_list *hosts, const char *host)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (is_host(hosts->items[i], host))
			return true;
	return false;
}

static bool hosts_fit(const struct grant_list *hosts, const char *host)
{
	return hosts->len == 0 || list_has(hosts, "*") || match_hosts(hosts, host);
}

static int parse_address(struct slice text, struct network *out)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct network n = {.bits = 128};
	char copy[ADDRESS_MAX + 1] = "";

	if (text.len > ADDRESS_MAX)
		return SA_ERR_INVALID;
	memcpy(copy, text.ptr, text.len);
	if (inet_pton(AF_INET, copy, n.bytes) == 1) {
		n.v4 = true;
		n.bits = 32;
	} else if (inet_pton(AF_INET6, copy, n.bytes) != 1) {
		return SA_ERR_INVALID;
	} else if (memcmp(n.bytes, mapped, sizeof(mapped)) == 0) {
		n = (struct network){.v4 = true,
				     .bits = 32,
				     .bytes = {n.bytes[12], n.bytes[13], n.bytes[14], n.bytes[15]}};
	}
	*out = n;
	return 0;
}

/* "8": no sign, no blank, no leading zero. */
static int parse_bits(const char *text, unsigned max, unsigned *out)
{
	unsigned n = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return SA_ERR_INVALID;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return SA_ERR_INVALID;
		n = 10 * n + (unsigned)(*text - '0');
	}
	*out = n;
	return n <= max ? 0 : SA_ERR_INVALID;
}

/* Whether the bits from first on are all zero. */
static bool zero_from(const unsigned char bytes[16], unsigned first)
{
	for (unsigned i = first; i < 128; i++)
		if (bytes[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

static int parse_network(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	struct slice address = {text, slash ? (size_t)(slash - text) : strlen(text)};
	bool as_v6 = memchr(text, ':', address.len) != NULL;
	struct network n;
	unsigned bits;

	if (parse_address(address, &n) < 0)
		return SA_ERR_INVALID;
	if (slash) {
		if (parse_bits(slash + 1, as_v6 ? 128 : 32, &bits) < 0)
			return SA_ERR_INVALID;
		/* Of a mapped network the bits count from the front of the IPv6 address. */
		if (n.v4 && as_v6 && bits < MAPPED_BITS)
			return SA_ERR_INVALID;
		n.bits = n.v4 && as_v6 ? bits - MAPPED_BITS : bits;
	}
	if (!zero_from(n.bytes, n.bits))
		return SA_ERR_INVALID;
	*out = n;
	return 0;
}

int match_check_source(const char *network)
{
	struct network n;

	return parse_network(network, &n);
}

static bool network_has(const struct network *net, const struct network *peer)
{
	struct network cut = *peer;

	if (net->v4 != peer->v4)
		return false;
	for (unsigned i = net->bits; i < 128; i++)
		cut.bytes[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	return memcmp(cut.bytes, net->bytes, sizeof(cut.bytes)) == 0;
}

/* Of a peer that is not known nothing can be said: it fits no network. */
static bool source_fits(const struct grant_list *networks, const char *source)
{
	struct network net, peer;

	if (networks->len == 0)
		return true;
	/* What follows % is the scope: an interface of this host, no part of the address. */
	if (!source || parse_address((struct slice){source, strcspn(source, "%")}, &peer) < 0)
		return false;
	for (size_t i = 0; i < networks->len; i++)
		if (parse_network(networks->items[i], &net) == 0 && network_has(&net, &peer))
			return true;
	return false;
}

bool match_glob(struct slice pattern, const char *text)
{
	const char *p = pattern.ptr, *end = pattern.ptr + pattern.len;
	const char *star = NULL, *from = text; /* the last *, and what it takes begins here */

	while (*text) {
		if (p < end && *p == '*') {
			star = p++;
			from = text;
		} else if (p < end && (*p == '?' || *p == *text)) {
			p++;
			text++;
		} else if (star) { /* let it take one byte more */
			p = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

static bool glob_list_has(const struct grant_list *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->len; i++)
		if (match_glob(slice_of(patterns->items[i]), text))
			return true;
	return false;
}

static bool names_key(const struct grant *g)
{
	return g->key_fp.len || g->ca_fp.len || g->cert_key_id.len || g->cert_serial.len;
}

/* A criterion that the key has no value for is not met. */
static bool key_fits(const struct grant *g, const struct match_key *k)
{
	return (!g->key_fp.len || list_has(&g->key_fp, k->fp)) &&
	       (!g->ca_fp.len || (k->ca_fp && list_has(&g->ca_fp, k->ca_fp))) &&
	       (!g->cert_key_id.len || (k->key_id && glob_list_has(&g->cert_key_id, k->key_id))) &&
	       (!g->cert_serial.len || (k->serial && list_has(&g->cert_serial, k->serial)));
}

const struct match_key *match_which_key(const struct grant *g, const struct match_login *login)
{
	if (!names_key(g))
		return NULL;
	for (size_t i = 0; i < login->n_keys; i++)
		if (key_fits(g, &login->keys[i]))
			return &login->keys[i];
	return NULL;
}

static bool users_fit(const struct grant *g, const struct match_login *login)
{
	return !g->users.len || list_has(&g->users, login->user);
}

static bool groups_fit(const struct grant *g, const struct match_login *login)
{
	if (!g->groups.len)
		return true;
	for (size_t i = 0; login->in_group && i < g->groups.len; i++)
		if (login->in_group(login->group_ctx, login->user, g->groups.items[i]))
			return true;
	return false;
}

bool match_user(const struct grant *g, const struct match_login *login)
{
	return (g->users.len || g->groups.len) && users_fit(g, login) && groups_fit(g, login);
}

/* The user comes first, so that any other reason means "a grant of this user, but"; the times come
 * last, since they pass by themselves. */
enum match_reason match_one(const struct grant *g, const struct match_login *login)
{
	if (!users_fit(g, login))
		return MATCH_USER;
	if (!hosts_fit(&g->hosts, login->host))
		return MATCH_HOST;
	if (g->services.len > 0 && !list_has(&g->services, login->service))
		return MATCH_SERVICE;
	if (!source_fits(&g->source, login->source))
		return MATCH_SOURCE;
	if (names_key(g) && !match_which_key(g, login))
		return MATCH_KEY;
	if (g->revoked)
		return MATCH_REVOKED;
	if (login->now_ms < g->not_before_ms)
		return MATCH_NOT_YET;
	if (login->now_ms >= g->expires_ms)
		return MATCH_EXPIRED;
	/* A look-up that may leave this host. */
	return match_user(g, login) ? MATCH_OK : MATCH_USER;
}

enum match_rank match_rank(const struct grant *g)
{
	if (names_key(g))
		return MATCH_RANK_KEY;
	return g->source.len ? MATCH_RANK_SOURCE : MATCH_RANK_USER;
}
