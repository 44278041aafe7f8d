/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "agent/collector/join.h"
#include "agent/collector/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t bytes;
	bool blank; /* a part had nothing in it */
};

static void see(void *ctx, const struct statement_part *p)
{
	struct seen *s = ctx;

	s->bytes += p->text.len;
	s->blank |= slice_trim(p->text, " \t\r\n").len != p->text.len || p->text.len == 0;
}

static void parse_commands(struct slice line)
{
	struct join_commands c;

	join_parse(line, &c);
	if (c.n > JOIN_MAX_NAMES)
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (c.names[i] == 0)
			abort();
}

/* The first byte chooses the dialect; lines end in LF, an empty one is ^C. Nothing is given twice.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data + 1, size - 1};
	struct statements *s;
	struct seen seen = {0};

	if (size == 0)
		return 0;
	s = statements_new((enum statement_dialect)(STATEMENT_PSQL + data[0] % 3));
	if (!s)
		return 0;
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		parse_commands(line);
		if (line.len > 0)
			statements_line(s, line, see, &seen);
		else
			statements_break(s, see, &seen);
	}
	statements_break(s, see, &seen);
	if (statements_open(s) || seen.blank || seen.bytes > size)
		abort();
	statements_free(s);
	return 0;
}
