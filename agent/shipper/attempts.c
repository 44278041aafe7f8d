/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/shipper/attempts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "agent/spool.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/log.h"

#define ATTEMPTS_FILE "attempts"
#define ATTEMPTS_MAGIC "sa-tries"
#define ATTEMPTS_VERSION 1
#define BUCKETS 4096
#define NONE UINT16_MAX

/*
 * The file: a header and a slot for each attempt, in the byte order of the machine, changed in
 * place, one pwrite per change. What was written survives a kill -9 in the page cache; nothing
 * needs it to survive a power cut, since another boot id makes the whole table void. No slot lies
 * across two pages, so that a kill never tears one.
 */
struct attempts_header {
	char magic[8];
	uint32_t version, slots;
	int64_t doubt_ms; /* what was made until then may have been tried: before the last reboot */
	char boot_id[40];
};

struct attempts_slot {
	unsigned char hash[DIGEST_SIZE]; /* SHA-256 of the key */
	uint64_t number;                 /* counts up; 0: the slot is free */
	unsigned char unused[24];
};

static_assert(sizeof(struct attempts_header) == 64, "slots begin at a multiple of their size");
static_assert(sizeof(struct attempts_slot) == 64, "a page is a multiple of it");

struct attempts {
	int fd;
	uint64_t number; /* of the newest */
	struct attempts_header header;
	struct attempts_slot slots[ATTEMPTS_MAX];
	bool ours[ATTEMPTS_MAX]; /* begun by this process: never evicted */
	/* Slots by hash, chained; the free ones are a chain too. */
	uint16_t buckets[BUCKETS], next[ATTEMPTS_MAX], free;
};

static_assert(ATTEMPTS_MAX < NONE, "a slot's index fits");

static bool hash_key(const char *key, unsigned char out[DIGEST_SIZE])
{
	return EVP_Digest(key, strlen(key), out, NULL, EVP_sha256(), NULL) == 1;
}

/* A SHA-256 is as evenly spread as any hash of it. */
static size_t bucket_of(const unsigned char *hash)
{
	return (size_t)(hash[0] << 8 | hash[1]) % BUCKETS;
}

static uint16_t find(const struct attempts *a, const unsigned char *hash)
{
	uint16_t i = a->buckets[bucket_of(hash)];

	while (i != NONE && memcmp(a->slots[i].hash, hash, DIGEST_SIZE) != 0)
		i = a->next[i];
	return i;
}

static void link_slot(struct attempts *a, uint16_t i)
{
	uint16_t *head = &a->buckets[bucket_of(a->slots[i].hash)];

	a->next[i] = *head;
	*head = i;
}

static void unlink_slot(struct attempts *a, uint16_t i)
{
	uint16_t *at = &a->buckets[bucket_of(a->slots[i].hash)];

	while (*at != i)
		at = &a->next[*at];
	*at = a->next[i];
}

static void release_slot(struct attempts *a, uint16_t i)
{
	a->slots[i] = (struct attempts_slot){0};
	a->ours[i] = false;
	a->next[i] = a->free;
	a->free = i;
}

/* The slot lies in the page cache of a file of full size: short writes do not happen but by an
 * error. */
static bool write_slot(const struct attempts *a, uint16_t i, const struct attempts_slot *slot)
{
	off_t at = (off_t)(sizeof(a->header) + i * sizeof(*slot));

	return pwrite(a->fd, slot, sizeof(*slot), at) == (ssize_t)sizeof(*slot);
}

/* What an earlier process left, of this boot. */
static void index_slots(struct attempts *a)
{
	memset(a->buckets, 0xff, sizeof(a->buckets));
	a->free = NONE;
	for (int i = ATTEMPTS_MAX - 1; i >= 0; i--) {
		struct attempts_slot *slot = &a->slots[i];

		if (slot->number == 0 || find(a, slot->hash) != NONE) {
			release_slot(a, (uint16_t)i);
			continue;
		}
		link_slot(a, (uint16_t)i);
		if (slot->number > a->number)
			a->number = slot->number;
	}
}

static struct attempts_header header_for(const char *boot_id)
{
	struct attempts_header h = {.version = ATTEMPTS_VERSION, .slots = ATTEMPTS_MAX};

	memcpy(h.magic, ATTEMPTS_MAGIC, sizeof(h.magic));
	memcpy(h.boot_id, boot_id, strnlen(boot_id, sizeof(h.boot_id) - 1));
	return h;
}

/* Reads the table; false when it is not of this boot, or not a table of ours. */
static bool load(struct attempts *a, const char *boot_id)
{
	struct attempts_header want = header_for(boot_id);
	struct stat st;

	if (!*boot_id || fstat(a->fd, &st) != 0 ||
	    st.st_size != (off_t)(sizeof(a->header) + sizeof(a->slots)) ||
	    pread(a->fd, &a->header, sizeof(a->header), 0) != (ssize_t)sizeof(a->header) ||
	    pread(a->fd, a->slots, sizeof(a->slots), sizeof(a->header)) !=
		    (ssize_t)sizeof(a->slots))
		return false;
	want.doubt_ms = a->header.doubt_ms;
	if (memcmp(&a->header, &want, sizeof(want)) != 0)
		return false;
	for (size_t i = 0; i < ATTEMPTS_MAX; i++)
		if (a->slots[i].number > UINT64_MAX / 2) /* nobody counts that far */
			return false;
	return true;
}

/* An empty table, in the blocks of the old one: the disk may be full. The header is void until all
 * is in place, should we be killed here. */
static int reset(struct attempts *a, const char *boot_id, struct sa_err *err)
{
	static const struct attempts_header none;
	const off_t size = sizeof(a->header) + sizeof(a->slots);

	memset(a->slots, 0, sizeof(a->slots));
	a->header = header_for(boot_id);
	a->header.doubt_ms = clock_real_ms();
	errno = ENOSPC; /* what a short write means */
	if (pwrite(a->fd, &none, sizeof(none), 0) != (ssize_t)sizeof(none) ||
	    pwrite(a->fd, a->slots, sizeof(a->slots), sizeof(none)) != (ssize_t)sizeof(a->slots) ||
	    ftruncate(a->fd, size) != 0 ||
	    pwrite(a->fd, &a->header, sizeof(none), 0) != (ssize_t)sizeof(none))
		return sa_fail_errno(err, "write ship/" ATTEMPTS_FILE " in the spool");
	return 0;
}

static int open_file(int ship_fd, int *out, struct sa_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_close_ int fd = openat(ship_fd, ATTEMPTS_FILE, flags, 0600);
	struct stat st;
	bool odd = fd < 0 ? errno == ELOOP || errno == ENXIO || errno == EACCES
			  : fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);

	if (odd) { /* a link, a FIFO, a file of root's: none of ours */
		if (fd >= 0)
			close(fd);
		unlinkat(ship_fd, ATTEMPTS_FILE, 0);
		fd = openat(ship_fd, ATTEMPTS_FILE, flags | O_EXCL, 0600);
	}
	if (fd < 0)
		return sa_fail_errno(err, "open ship/" ATTEMPTS_FILE " in the spool");
	*out = TAKE_FD(fd);
	return 0;
}

int attempts_open(int ship_fd, const char *boot_id, struct attempts **out, struct sa_err *err)
{
	struct attempts *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return sa_fail(err, SA_ERR_NOMEM, "out of memory");
	a->fd = -1;
	rc = open_file(ship_fd, &a->fd, err);
	if (rc == 0 && !load(a, boot_id))
		rc = reset(a, boot_id, err);
	if (rc != 0) {
		attempts_close(a);
		return rc;
	}
	index_slots(a);
	*out = a;
	return 0;
}

void attempts_close(struct attempts *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

/* Where the header cannot be written, the next process has a doubt too many. */
void attempts_all_new(struct attempts *a)
{
	a->header.doubt_ms = INT64_MIN;
	(void)!pwrite(a->fd, &a->header, sizeof(a->header), 0);
}

bool attempts_before(const struct attempts *a, const char *key, int64_t made_ms)
{
	unsigned char hash[DIGEST_SIZE];

	return made_ms <= SPOOL_MADE_AGAIN_S * 1000 || made_ms <= a->header.doubt_ms ||
	       !hash_key(key, hash) || find(a, hash) != NONE;
}

/* The oldest of an earlier process: mostly of an object that is long stored. */
static uint16_t oldest_of_others(const struct attempts *a)
{
	uint16_t oldest = NONE;

	for (uint16_t i = 0; i < ATTEMPTS_MAX; i++)
		if (!a->ours[i] && (oldest == NONE || a->slots[i].number < a->slots[oldest].number))
			oldest = i;
	return oldest;
}

/* Takes the slot for the attempt once that is on file; until then it stays what it is. */
static bool fill_slot(struct attempts *a, uint16_t i, const struct attempts_slot *slot)
{
	static struct log_limit limit = {.burst = 1};

	if (!write_slot(a, i, slot)) {
		log_limited(&limit, LOG_LEVEL_ERR, "event=attempts-not-written reason=\"%s\"",
			    strerror(errno));
		return false;
	}
	if (i == a->free)
		a->free = a->next[i];
	else
		unlink_slot(a, i);
	a->slots[i] = *slot;
	a->ours[i] = true;
	a->number = slot->number;
	link_slot(a, i);
	return true;
}

bool attempts_begin(struct attempts *a, const char *key)
{
	struct attempts_slot slot = {.number = a->number + 1};
	uint16_t i;

	if (!hash_key(key, slot.hash))
		return false;
	if ((i = find(a, slot.hash)) != NONE) {
		a->ours[i] = true;
		return true;
	}
	i = a->free != NONE ? a->free : oldest_of_others(a);
	return i != NONE && fill_slot(a, i, &slot);
}

/* A slot that cannot be emptied on file is one attempt too many for the next process: harmless. */
void attempts_end(struct attempts *a, const char *key)
{
	unsigned char hash[DIGEST_SIZE];
	uint16_t i;

	if (!hash_key(key, hash) || (i = find(a, hash)) == NONE)
		return;
	unlink_slot(a, i);
	release_slot(a, i);
	(void)write_slot(a, i, &a->slots[i]);
}
