/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * The index as a file (grant_index_file.c) and how it is made (grant_index_sweep.c). Only for them
 * and grant_index.c.
 *
 * Head, keys sorted by hash, records in order of directory and name, names of groups; in the form
 * of this machine, since the file never leaves it. A login reads the head, the keys of a few
 * buckets and the records they point at. Each of these has a checksum, so that no garbage is taken
 * for "no such grant"; numbers are checked against the file's bounds besides. Never mapped: a file
 * that shrinks would kill the login.
 */
#ifndef SA_GRANT_INDEX_INTERNAL_H
#define SA_GRANT_INDEX_INTERNAL_H

#include <limits.h>

#include "common/access/file_stamp.h"
#include "common/access/grant_index.h"

#define INDEX_MAX_DIRS 8
#define INDEX_BUCKETS 256
#define INDEX_MAX_BYTES (64 << 20)

struct index_head {
	char magic[8];
	int64_t sweep_ms; /* CLOCK_BOOTTIME; replaced in place, so not in sum */
	uint64_t sum;     /* of all that follows */
	uint64_t identity;
	uint64_t records_len;
	uint64_t groups_len, groups_sum;
	uint32_t n_dirs;
	uint32_t settled; /* directories and records, all of them */
	struct file_stamp dirs[INDEX_MAX_DIRS];
	uint32_t dir_settled[INDEX_MAX_DIRS];
	uint64_t bucket_sum[INDEX_BUCKETS];
	uint32_t bucket_end[INDEX_BUCKETS]; /* in keys; a bucket begins where the last one ends */
};

struct index_key {
	uint64_t hash;
	uint32_t at, len; /* of the record, among the records */
};

/* Followed by its keys' hashes, the name with a NUL, groups that it is found by, each with a NUL,
 * and zeros up to a multiple of 8. */
struct index_record {
	uint64_t sum; /* of all that follows */
	struct file_stamp stamp;
	uint16_t dir, name_len, n_keys;
	uint8_t unfit;   /* no grant that is believed: it has no keys */
	uint8_t settled; /* a later change would change the stamp */
	uint32_t groups_len, unused;
};

struct index {
	int fd; /* -1: all is in image */
	struct slice image;
	struct index_head head; /* n_dirs 0: there is no index */
};

/* What grant_index_load was asked. */
struct index_run {
	const char *const *dirs;
	size_t n_dirs;
	const struct grants_trust *trust;
	int64_t now_boot_ms;
	grants_skip_fn skip;
	void *ctx;
};

uint64_t index_hash(uint64_t seed, const void *p, size_t n);
/* What the login or the grant has; kind: 'u' user, 'g' group, 'r' request id. */
uint64_t index_key_hash(char kind, const char *text);

/* Opens an index that was made by this program for the same directories and trust. False: there is
 * none that can be used. */
bool index_open(struct index *ix, const char *path, const struct index_run *run);
void index_close(struct index *ix);
uint64_t index_identity(const struct index_run *run);
/* Fills in what says that the rest is right. */
void index_head_finish(struct index_head *head);

/* Appends the keys (struct index_key) with this hash. SA_ERR_INVALID: a broken index. */
int index_find(const struct index *ix, uint64_t hash, struct buf *out);
/* The record of len bytes at p; NULL when it is broken. */
const struct index_record *index_record_check(const struct index_head *head, const char *p,
					      size_t len);
const char *index_record_name(const struct index_record *r);
const uint64_t *index_record_keys(const struct index_record *r);
size_t index_record_size(const struct index_record *r);
const char *index_record_groups(const struct index_record *r);
/* The names of all groups, each with a NUL, appended to out. SA_ERR_INVALID: a broken index. */
int index_read_groups(const struct index *ix, struct buf *out);
/* len bytes of the records, appended to out. */
int index_read_records(const struct index *ix, uint64_t at, uint64_t len, struct buf *out);

/* A query, and what in_group has said. */
struct index_query {
	const struct grant_query *q;
	struct buf asked; /* '+' or '-', the group, a NUL; to be freed */
};
bool index_query_wants(struct index_query *iq, const struct grant *g);
/* Appends the keys (struct index_key) of the records that may be wanted, in their order. */
int index_query_find(struct index_query *iq, const struct index *ix, struct buf *found);

/* What a sweep found. */
struct index_swept {
	bool changed;     /* image is the index now; else the old one still holds */
	bool partial;     /* something could not be read just now: not to be kept */
	struct buf image; /* to be freed */
};

/* Compares directories and files with old (may be none) and reads what is new. Reports what is
 * newly unfit. SA_ERR_NOMEM, SA_ERR_TOOBIG. */
int index_sweep(const struct index_run *run, const struct index *old, struct index_swept *out);
/* The index of these records; head has all but what depends on them. image is to be freed.
 * SA_ERR_TOOBIG. */
int index_make_image(const struct index_head *head, const struct buf *records, struct buf *image);
/* An index that is all in memory, as index_sweep made it; borrows image. */
struct index index_in_memory(const struct buf *image);
int index_write(const char *path, const struct buf *image, struct sa_err *err);
/* Notes in the file that it was compared just now. */
void index_touch(const struct index *ix, int64_t now_boot_ms);

#endif
