/*
 * The newest run of a database taken back: its rows go, rows that it changed get their content from
 * before, counters are corrected by what the run added to them. When nobody else wrote since, every
 * table of Mattermost's is then what it was before the run.
 *
 * What people built on the run (replies, reactions, ...) would go with it: it is listed, and makes
 * load_undo refuse unless forced. A row that others changed as well keeps what they wrote.
 */
#ifndef IMPORT_LOAD_UNDO_H
#define IMPORT_LOAD_UNDO_H

#include "common/db/conn.h"

enum undo_line {
	UNDO_BUILT,    /* people's, goes with the run */
	UNDO_DELETED,  /* rows of the run, gone */
	UNDO_RESTORED, /* rows that have their content from before again */
	UNDO_KEPT,     /* rows that others changed too: only the run's part was taken out */
	UNDO_BODIES,   /* file bodies that only the run stored */
};

struct undo_job {
	const char *dsn;
	struct db_options db;
	const char *run;  /* id */
	bool force;
	bool dry_run;     /* everything but the commit */
	/* told of each kind of thing: a table, or what people call it */
	void (*line)(void *ctx, enum undo_line kind, const char *what, uint64_t count);
	/* told of each body to delete, after the commit, and of none in a dry run */
	enum ark_rc (*body)(void *ctx, struct ark_str path, struct ark_err *err);
	/* told that an interrupted run was finished first; may be NULL */
	void (*rest)(void *ctx);
	void *ctx;
};

struct undo_outcome {
	uint64_t built, deleted, restored, kept, bodies;
	bool created_database; /* the run made the database: its tables stay */
	char database[64];
};

/*
 * FAIL kinds: REFUSED (not the newest run, undone before, people built on it), MISSING (no such run),
 * LOCKED (an import runs), DB. An error of `body` comes after the commit: the run is undone then.
 */
enum ark_rc load_undo(const struct undo_job *job, struct undo_outcome *out, struct ark_err *err);

#endif
