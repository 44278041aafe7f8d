/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/transcript/chain.h"
#include "tests/unit/tap.h"

int main(void)
{
	/* h=$(printf '%s%s\n' "$h" "$line" | sha256sum | cut -c1-64) for each line in turn */
	static const struct {
		const char *name;
		struct slice line;
		const char *head;
	} steps[] = {
		{"first line", SLICE_LIT("alpha"),
		 "b6a98d9ce9a2d9149288fa3df42d377c3e42737afdcdaf714e33c0a100b51060"},
		{"second line", SLICE_LIT("beta"),
		 "ba9d1f81455c8cf9b07441643f8c3e5cac2be4b04f981f5b6ab5800df37332f8"},
		{"empty line", SLICE_LIT(""),
		 "d9c1f62f20742047b72d976a49476466fc19b0baa5518d78acf2cd3c1c1718b4"},
		{"NUL inside", SLICE_LIT("a\0b"),
		 "93374202aa4b51ef990e0b14d76db7cd863f7c4ee523c2f84886f5ef0ad6b2e0"},
	};
	_cleanup_digest_ struct digest *d = digest_new();
	struct chain c = {.head = ""};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		chain_add(&c, d, steps[i].line);
		tap_str(c.head, steps[i].head, "%s", steps[i].name);
	}
	return tap_done();
}
