/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include "common/digest.h"
#include "tests/unit/tap.h"

/* FIPS 180-2, appendix B */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TWO_BLOCKS "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static const struct slice two_blocks =
	SLICE_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");

static void test_one_shot(void)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(SLICE_LIT(""), hex);
	tap_str(hex, EMPTY, "nothing");
	digest_hex(SLICE_NONE, hex);
	tap_str(hex, EMPTY, "absent");
	digest_hex(SLICE_LIT("abc"), hex);
	tap_str(hex, ABC, "abc");
	digest_hex(two_blocks, hex);
	tap_str(hex, TWO_BLOCKS, "two blocks");
}

static void test_running(void)
{
	_cleanup_digest_ struct digest *d = digest_new();
	static char thousand[1000];
	char hex[DIGEST_HEX_SIZE];

	memset(thousand, 'a', sizeof(thousand));
	digest_final_hex(d, hex);
	tap_str(hex, EMPTY, "running: nothing added");
	digest_add(d, SLICE_LIT("a"));
	digest_add(d, SLICE_NONE);
	digest_add(d, SLICE_LIT("bc"));
	digest_final_hex(d, hex);
	tap_str(hex, ABC, "running: pieces, after another hash");
	for (int i = 0; i < 1000; i++)
		digest_add(d, (struct slice){thousand, sizeof(thousand)});
	digest_final_hex(d, hex);
	tap_str(hex, MILLION, "running: a million");
	digest_add(d, SLICE_LIT("left over"));
	digest_free(NULL);
}

int main(void)
{
	test_one_shot();
	test_running();
	return tap_done();
}
