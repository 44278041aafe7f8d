/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/ring.h"

#include <sys/mman.h>

struct ring_head {
	uint32_t type, len;
};

/* A message with its head, rounded up so that the next head is aligned. */
static size_t ring_size(size_t len)
{
	return (sizeof(struct ring_head) + len + 7) & ~(size_t)7;
}

int ring_init(struct ring *r, size_t max_bytes, struct sa_err *err)
{
	size_t size = (max_bytes > RING_MIN_BYTES ? max_bytes : RING_MIN_BYTES) & ~(size_t)7;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return sa_fail_errno(err, "memory for a queue of %zu bytes", size);
	/* A huge page would be touched as a whole. Fails where the kernel has none. */
	(void)madvise(base, size, MADV_NOHUGEPAGE);
	/* What the host's users did has no place in a core file. */
	(void)madvise(base, size, MADV_DONTDUMP);
	*r = (struct ring){.base = base, .size = size};
	return 0;
}

void ring_free(struct ring *r)
{
	if (r->base)
		munmap(r->base, r->size);
	*r = (struct ring){0};
}

/* Makes head a place for need bytes. */
static bool ring_make_room(struct ring *r, size_t need)
{
	if (r->wrapped)
		return r->tail - r->head >= need;
	if (r->size - r->head >= need)
		return true;
	if (r->tail < need)
		return false;
	r->limit = r->head;
	r->head = 0;
	r->wrapped = true;
	return true;
}

bool ring_put(struct ring *r, unsigned type, struct slice data)
{
	struct ring_head h = {type, (uint32_t)data.len};
	size_t need = ring_size(data.len);

	if (data.len > UINT32_MAX - 16 || !ring_make_room(r, need))
		return false;
	memcpy(r->base + r->head, &h, sizeof(h));
	if (data.len > 0)
		memcpy(r->base + r->head + sizeof(h), data.ptr, data.len);
	r->head += need;
	r->used += need;
	if (r->head > r->touched)
		r->touched = r->head;
	if (r->used > r->used_max)
		r->used_max = r->used;
	return true;
}

struct slice ring_front(const struct ring *r)
{
	size_t end = r->wrapped ? r->limit : r->head;

	return (struct slice){r->base + r->tail, end - r->tail};
}

bool ring_next(struct slice *run, unsigned *type, struct slice *data)
{
	struct ring_head h;
	size_t size;

	if (run->len == 0)
		return false;
	memcpy(&h, run->ptr, sizeof(h));
	size = ring_size(h.len);
	*type = h.type;
	*data = (struct slice){run->ptr + sizeof(h), h.len};
	*run = (struct slice){run->ptr + size, run->len - size};
	return true;
}

void ring_drop(struct ring *r, size_t n)
{
	r->tail += n;
	r->used -= n;
	if (r->wrapped && r->tail == r->limit) {
		r->tail = 0;
		r->wrapped = false;
	}
	if (r->used == 0)
		r->head = r->tail = 0;
}

void ring_rest(struct ring *r)
{
	if (r->used > 0 || r->touched <= RING_KEEP_BYTES)
		return;
	(void)madvise(r->base + RING_KEEP_BYTES, r->touched - RING_KEEP_BYTES, MADV_DONTNEED);
	r->touched = RING_KEEP_BYTES;
}
