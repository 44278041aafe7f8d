/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>
#include <strings.h>

#include "common/http/headers.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.ptr[0]))
		s = (struct slice){s.ptr + 1, s.len - 1};
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool is_token(const char *name)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* RFC 7230, 3.2.6 */

	return name[0] != '\0' && name[strspn(name, token)] == '\0';
}

static bool is_value(struct slice v)
{
	if (!v.ptr || v.len > HEADERS_MAX_VALUE)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.ptr[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static struct header *find(const struct headers *h, const char *name)
{
	for (size_t i = 0; i < h->len; i++)
		if (strcasecmp(h->items[i].name, name) == 0)
			return (struct header *)&h->items[i];
	return NULL;
}

static void wipe(char *value)
{
	if (value)
		explicit_bzero(value, strlen(value));
	free(value);
}

void headers_add(struct headers *h, const char *name, struct slice value)
{
	struct header new = {NULL, NULL};

	value = trim(value);
	if (h->len < HEADERS_MAX && is_token(name) && is_value(value))
		new = (struct header){strdup(name), slice_dup(value)};
	if (!new.name || !new.value) {
		free(new.name);
		wipe(new.value);
		h->failed = true;
		return;
	}
	h->items[h->len++] = new;
}

void headers_set(struct headers *h, const char *name, struct slice value)
{
	struct header *old = find(h, name);
	char *copy;

	if (!old) {
		headers_add(h, name, value);
		return;
	}
	value = trim(value);
	copy = is_value(value) ? slice_dup(value) : NULL;
	if (!copy) {
		h->failed = true;
		return;
	}
	wipe(old->value);
	old->value = copy;
}

const char *headers_get(const struct headers *h, const char *name)
{
	const struct header *found = find(h, name);

	return found ? found->value : NULL;
}

void headers_clear(struct headers *h)
{
	for (size_t i = 0; i < h->len; i++) {
		free(h->items[i].name);
		wipe(h->items[i].value);
	}
	h->len = 0;
	h->failed = false;
}
