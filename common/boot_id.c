/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "common/boot_id.h"

#include <fcntl.h>

#include "common/fdio.h"

int boot_id_read(char out[BOOT_ID_SIZE], struct sa_err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc;

	buf_init(&text, 64);
	rc = fdio_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, err);
	if (rc < 0)
		return rc;
	if (text.len != BOOT_ID_SIZE || text.data[text.len - 1] != '\n')
		return sa_fail(err, SA_ERR_INVALID, "boot_id: not a UUID");
	memcpy(out, text.data, BOOT_ID_SIZE - 1);
	out[BOOT_ID_SIZE - 1] = 0;
	return 0;
}
