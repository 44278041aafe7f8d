/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Two directories of grants and an index for them, for tests of grant_index.h. Link with
 * -Wl,--wrap=fstat,--wrap=fstatat: looks at files are counted, and stamps can be blurred.
 */
#ifndef SA_GRANT_DIRS_H
#define SA_GRANT_DIRS_H

#include "common/access/grant_index.h"
#include "tests/unit/broker_key.h"
#include "tests/unit/tap.h"

extern char dir_a[80], dir_b[80], index_path[80], base[64];
extern const char *const dirs[];
extern struct signers signers; /* key 1 of broker_key.h */
extern struct grants_trust trust;
extern int64_t boot_ms;
/* Kernels before 6.13 stamp files with the time of the last tick; newer ones are finer, so what
 * fstat says is made as coarse as that. 0: left alone. */
extern long tick_ns;

/* Makes and removes all of it. */
void begin(void);
void end(void);
/* Empties the directories, forgets the index. */
void start(void);
/* So that what was written is older than a tick. */
void settle(void);

#define DBA "\"users\":[\"dba\"]"
#define EVE "\"users\":[\"eve\"]"
/* who: the members of match. */
void grant_text(char out[1024], const char *id, const char *who);
void in_dir(char out[512], const char *dir, const char *name);
void write_file(const char *path, struct slice text);
/* Writes a grant: in place, by renaming. */
void put(const char *dir, const char *name, const char *id, const char *who);
void put_over(const char *dir, const char *name, const char *id, const char *who);
void drop(const char *dir, const char *name);

/* What was reported, a line each, without the name of the base. */
struct said {
	char text[4096];
	size_t lines;
};
void ids_of(const struct grants *g, struct buf *out);
/* The request ids that user (and ids) get, joined by blanks; what was reported goes to said. */
const char *load_at(const char *index, const char *user, const char *id, struct said *said);
const char *load(const char *user);
/* How many names load("dba") looked at, which shows whether the index was used. Before glibc 2.33
 * fstatat is inlined, and so is not counted. */
void check_looks(unsigned long want, const char *name);

#endif
