/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/deaths.h"

#include <stdlib.h>

void deaths_free(struct deaths *d)
{
	free(d->items);
	*d = (struct deaths){0};
}

void deaths_add(struct deaths *d, const struct death *death, int64_t came_ms)
{
	if (!d->items)
		d->items = calloc(DEATHS_MAX, sizeof(*d->items));
	if (!d->items || d->n == DEATHS_MAX)
		d->dropped++;
	if (!d->items)
		return;
	if (d->n == DEATHS_MAX) {
		d->first = (d->first + 1) % DEATHS_MAX;
		d->n--;
	}
	d->items[(d->first + d->n++) % DEATHS_MAX] = (struct deaths_waiting){*death, came_ms};
}

void deaths_take(struct deaths *d, int64_t event_ms, int64_t came_ms,
		 void (*fn)(void *ctx, const struct death *death), void *ctx)
{
	while (d->n > 0) {
		const struct deaths_waiting *w = &d->items[d->first];

		if (w->death.time_ms >= event_ms && w->came_ms >= came_ms)
			return;
		fn(ctx, &w->death);
		d->first = (d->first + 1) % DEATHS_MAX;
		d->n--;
	}
}
