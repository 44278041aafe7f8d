/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * libcurl, loaded when the first client is made: thirty libraries come with it, which a host that
 * stores its transcripts in a directory then does not carry. For http.c and transfer.c only.
 */
#ifndef SA_HTTP_CURL_H
#define SA_HTTP_CURL_H

#include <curl/curl.h>

#include "common/err.h"

#define CURL_EACH_FUNCTION(f)                                                                      \
	f(easy_cleanup) f(easy_getinfo) f(easy_init) f(easy_setopt) f(easy_strerror)               \
		f(global_cleanup) f(global_init) f(multi_add_handle) f(multi_cleanup)              \
			f(multi_info_read) f(multi_init) f(multi_perform) CURL_WAIT(f)             \
				f(multi_remove_handle) f(multi_setopt)

/* Before 7.66 it cannot be woken by what is not its own. */
#if LIBCURL_VERSION_NUM >= 0x074200
#define CURL_WAIT(f) f(multi_poll)
#else
#define CURL_WAIT(f) f(multi_wait) f(multi_timeout)
#endif

/* curl.easy_init() is curl_easy_init(), once curl_load said 0. */
#define CURL_POINTER(name) __typeof__(curl_##name) *name;
struct curl {
	CURL_EACH_FUNCTION(CURL_POINTER)
};
extern struct curl curl;

/* SA_ERR_UNSUPPORTED: it is not installed. It stays loaded. */
int curl_load(struct sa_err *err);

#endif
