/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/http/curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"

#define LIBRARY "libcurl.so.4" /* its ABI since 2006 */

struct curl curl;

static bool look_up(void *library, const char *name, void *at)
{
	void *f = dlsym(library, name);

	memcpy(at, &f, sizeof(f)); /* C has no conversion from one to the other */
	return f != NULL;
}

#define NAME_AND_PLACE(name) {"curl_" #name, &curl.name},

int curl_load(struct sa_err *err)
{
	static const struct {
		const char *name;
		void *at;
	} functions[] = {CURL_EACH_FUNCTION(NAME_AND_PLACE)};
	static bool loaded;
	void *library;

	if (loaded)
		return 0;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return sa_fail(err, SA_ERR_UNSUPPORTED, "%s; install libcurl", dlerror());
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (!look_up(library, functions[i].name, functions[i].at))
			return sa_fail(err, SA_ERR_UNSUPPORTED, "%s; install a newer libcurl",
				       dlerror());
	loaded = true;
	return 0;
}
