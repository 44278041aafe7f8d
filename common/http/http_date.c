/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/http/http.h"

/* '0' stands for a digit, 'A' for a capital, 'a' for a small letter, the rest for itself. */
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++) {
		char c = *text;

		if (c >= '0' && c <= '9')
			c = '0';
		else if (c >= 'A' && c <= 'Z' && *form == 'A')
			c = 'A';
		else if (c >= 'a' && c <= 'z' && *form == 'a')
			c = 'a';
		if (c != *form)
			return false;
	}
	return *text == '\0';
}

/* The obsolete forms of RFC 7231, 7.1.1.1, are not read: no service sends them. */
int http_date(const char *text, int64_t *real_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[sizeof("1994-11-06T08:49:37Z")];

	if (!text || !has_form(text, "Aaa, 00 Aaa 0000 00:00:00 GMT"))
		return SA_ERR_INVALID;
	for (int m = 0; m < 12; m++) {
		if (memcmp(&months[m * 3], text + 8, 3) != 0)
			continue;
		snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + 12, m + 1, text + 5,
			 text + 17);
		return clock_parse_utc(slice_of(iso), real_ms);
	}
	return SA_ERR_INVALID;
}
