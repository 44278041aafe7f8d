/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/circuit.h"

#include <limits.h>

bool circuit_allows(struct circuit *c, int64_t now_ms)
{
	if (!c->open)
		return true;
	if (circuit_next(c, now_ms) > now_ms)
		return false;
	c->trying = true;
	return true;
}

int64_t circuit_next(const struct circuit *c, int64_t now_ms)
{
	if (!c->open)
		return now_ms;
	return c->trying ? INT64_MAX : c->retry.next_ms;
}

bool circuit_failed(struct circuit *c, int64_t now_ms, uint32_t random)
{
	bool opened;

	if (c->in_a_row == 0)
		c->since_ms = now_ms;
	if (c->in_a_row < UINT_MAX)
		c->in_a_row++;
	if (c->in_a_row < CIRCUIT_FAILURES)
		return false;
	opened = !c->open;
	c->open = true;
	c->trying = false;
	retry_failed(&c->retry, &c->policy, now_ms, random);
	return opened;
}

bool circuit_worked(struct circuit *c)
{
	bool closed = c->open;

	*c = (struct circuit){.policy = c->policy};
	return closed;
}

void circuit_not_tried(struct circuit *c)
{
	c->trying = false;
}
