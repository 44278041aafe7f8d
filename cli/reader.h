/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * How the verbs read a store: which sessions there are, and one session's
 * transcript. What is broken is reported with its key and counted, and the rest
 * is given all the same. Nothing that a store holds is trusted: sizes and numbers
 * are bounded.
 */
#ifndef SA_READER_H
#define SA_READER_H

#include "common/store/store.h"
#include "common/transcript/entry.h"
#include "common/transcript/index.h"
#include "common/transcript/page.h"

#define READER_MAX_SESSIONS 200000
#define READER_MAX_SEGMENTS 100000
#define READER_MAX_ENTRIES 4000000
#define READER_MAX_BYTES (1024 * 1024 * 1024) /* of one session, unpacked */
#define READER_MAX_OBJECT (1024 * 1024)       /* an index object */
#define READER_MAX_MANIFEST (64 * 1024 * 1024)

struct reader {
	struct store *store; /* owned */
	unsigned problems;   /* warnings given: the answer is not whole */
	int64_t told_ms;     /* when the user last heard from us, monotonic */
};

/* The settings of config (NULL: the usual file), with where (NULL: as they say) as the store: a
 * directory, s3://bucket/prefix or an ARN. */
int reader_settings(const char *where, const char *config, struct settings *out,
		    struct sa_err *err);
/* Opens the store of reader_settings. */
int reader_open(const char *where, const char *config, struct reader *out, struct sa_err *err);
void reader_close(struct reader *r);
#define _cleanup_reader_ __attribute__((cleanup(reader_close)))
/* Tells the user on stderr about the object key, and counts it. */
void reader_problem(struct reader *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct reader_object { /* an index object or manifest, as read and as stored */
	struct index_read index;
	struct buf text;
};

struct reader_session {
	char sid[LAYOUT_SID_SIZE];
	char *dir;                   /* ".../session=<sid>/", a valid key but for the last '/' */
	struct reader_object *facts; /* the newest: the last end, else the start; NULL: none */
};

struct reader_sessions {
	struct reader_session *items; /* by start, then id */
	size_t len, cap;
};

struct reader_filter {          /* NULL and 0: any */
	const char *request;    /* the request id, also as one of several that a session may have */
	const char *sid_prefix; /* hex digits */
	const char *user, *host;
	int64_t since_ms, until_ms; /* since <= start < until */
	bool by_status;
	enum access_status status;
};

/* All sessions that the index names and the filter lets through. Keys alone say the date and the
 * session id; only objects of sessions that pass so far are read. */
int reader_find(struct reader *r, const struct reader_filter *f, struct reader_sessions *out,
		struct sa_err *err);
/* The sessions that lie in the folder of f->request or that a pointer there names, and that the
 * filter lets through; without reading the index but for theirs. None is no error. One that the
 * index lacks is told as a problem and passes, without facts. */
int reader_find_request(struct reader *r, const struct reader_filter *f,
			struct reader_sessions *out, struct sa_err *err);
/* Sessions without facts, straight from their directories: for what the index lacks. Looks at the
 * key of every object. */
int reader_find_dirs(struct reader *r, const char *sid_prefix, struct reader_sessions *out,
		     struct sa_err *err);
/* Appends *from, which is empty afterwards. */
int reader_sessions_move(struct reader_sessions *to, struct reader_session *from,
			 struct sa_err *err);
void reader_sessions_free(struct reader_sessions *s);
#define _cleanup_sessions_ __attribute__((cleanup(reader_sessions_free)))

/* What sorting needs of an entry; the line is parsed again to show it. */
struct reader_line {
	struct slice line; /* as stored */
	uint64_t seq;
	int64_t pid;
	enum entry_type type;  /* ENTRY_TYPES: of an unknown kind, or not to be understood */
	uint64_t ran_first;    /* of an input: least seq of what it ran, 0: nothing */
	uint64_t at;           /* where it goes for a reader: before this seq */
	uint64_t exec_seq;     /* of an exit: of the exec that it ends; 0: not known */
	bool folded;           /* an exit that its exec's line tells, or that one expects */
	struct page_more more; /* of an exec, and of an exit how */
};

struct reader_ran { /* the exec with this seq comes from that typed line, or from none */
	uint64_t exec, typed;
	bool untyped;
};

struct reader_transcript {
	char sid[LAYOUT_SID_SIZE];
	struct segment_session session; /* of the newest header; slices point into header */
	struct access access;
	struct json *header;
	struct slice header_line;  /* as stored */
	struct slice end_line;     /* the last session_end entry; absent: none */
	struct buf *texts;         /* the segments, unpacked; all slices here point into them */
	size_t n_segments;         /* that could be read */
	struct reader_line *lines; /* in the order of the recording, until reader_sort */
	size_t len, cap;
	struct reader_ran *ran;
	size_t n_ran, ran_cap;
	struct reader_object *ends; /* manifests, by part */
	size_t n_ends;
	uint64_t execs, inputs, gaps, lost, redactions, conflicts;
	bool expired, revoked; /* the approval ended while the session ran */
	bool open;             /* nothing says that it has ended */
	bool chain_ok;
	char problem[256]; /* "at segment 3: ..." */
	char head[DIGEST_HEX_SIZE];
};

/* Reads all segments and manifests of s. SA_ERR_NOTFOUND when no segment can be read. */
int reader_load(struct reader *r, const struct reader_session *s, struct reader_transcript *out,
		struct sa_err *err);
void reader_transcript_free(struct reader_transcript *t);
#define _cleanup_transcript_ __attribute__((cleanup(reader_transcript_free)))

/* Tells execs what other lines say of them (more), and sorts the lines for reading: typed lines go
 * to where they were typed, directly before what they ran where that is known (fills at and typed).
 * Lines whose seqs do not rise stay as they are. */
int reader_sort(struct reader_transcript *t, struct sa_err *err);

#endif
