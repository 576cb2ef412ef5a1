/*
 * Rows of all tables into the repository: some connections read COPY from one exported snapshot, some
 * threads compress and hash, each table's list is built in order. Segments that the list of the snapshot
 * before has are not compressed again.
 *
 * A large table can be read in two halves at the same time. What is stored is the same: where the halves meet, the
 * rows behind the last cut of the first one and those up to the first cut of the second become one segment.
 *
 * Not for which tables there are: source.h; not for locks.
 */
#ifndef BACKUP_ROWS_COPY_H
#define BACKUP_ROWS_COPY_H

#include <stdatomic.h>

#include "backup/repo/pack.h"
#include "backup/rows/segment.h"
#include "common/db/conn.h"

struct copy_table {
	struct ark_str label;        /* for errors: "public.posts" */
	const char *sql;             /* COPY (...) TO STDOUT; of its first half, when there is a second */
	const char *second[2];       /* what comes behind it, in order, read beside it; NULL: nothing */
	struct segment_key key;
	uint64_t weight;             /* large ones begin first */
	bool has_previous;
	struct repo_id previous;     /* its list in the snapshot before, made with the same dictionary */
	/* out */
	bool empty;
	struct repo_id list;
	struct repo_id digest;
	uint64_t rows, bytes;
	uint64_t reused; /* segments that were there */
};

struct copy_job {
	struct repo *r;
	struct pack_writer *writer;
	const char *dsn;
	const struct db_options *db;
	const char *snapshot;        /* of pg_export_snapshot */
	struct copy_table *tables;
	size_t count;
	unsigned readers, workers;
	_Atomic bool stop;           /* set by anybody: everything ends soon, with the error of who set it */
	_Atomic uint64_t rows_done, bytes_done;
	_Atomic int pids[16];        /* server processes of the readers, 0 when there is none */
};

struct copy_run;

/* Starts threads and returns; the owner watches the job until copy_done. */
enum ark_rc copy_start(struct copy_job *job, struct copy_run **out, struct ark_err *err);
/* Wait at most `wait_ms`; true when every thread has ended. */
bool copy_done(struct copy_run *run, unsigned wait_ms);
/* Waits for the threads and gives back the first error. Frees `run`. */
enum ark_rc copy_finish(struct copy_run *run, struct ark_err *err);

#endif
