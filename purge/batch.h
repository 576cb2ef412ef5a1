/*
 * Some portions of a plan in one transaction: lock, compare with what was planned, delete. What changed stays,
 * with all of its portion.
 *
 * A portion that is larger than a batch comes in several. Its first row, the root, is then looked at with each
 * of them and goes with the last; readers may see a thread grow shorter meanwhile.
 */
#ifndef PURGE_BATCH_H
#define PURGE_BATCH_H

#include "common/base/limits.h"
#include "common/mm/api.h"
#include "common/mm/purge.h"
#include "purge/hold.h"
#include "purge/planfile.h"

struct batch_job {
	struct db_conn *conn;
	const struct mm_db_info *info;
	const char *plan;              /* its SHA-256 */
	const struct purge_hold *hold; /* asked once more: it may be newer than the plan */
	struct mm_api *api;            /* NULL: not told */
	bool dry_run;
	bool has_tables;               /* ours are there: always, except before the first run in a dry one */
	bool (*interrupted)(void);
};

struct batch_counts {
	struct mm_purge_counts went;
	uint64_t changed; /* rows that stay: of portions in which something is not as planned, or held */
	uint64_t gone;    /* rows that somebody else removed */
	uint64_t before;  /* rows that an earlier run of the same plan removed */
	uint64_t late;    /* replies that came while their thread went, and went too */
};

/* Rows of a batch: text of PostgreSQL arrays, one value each. */
struct batch {
	struct ark_buf first, ids, updates, edits, guards;
	char last[MM_ID_LEN + 1]; /* first row of the portion that the batch ends with */
	size_t count;
};
void batch_init(struct batch *b);
void batch_release(struct batch *b); /* also for ark_auto */
void batch_clear(struct batch *b);
/* first: the row that the portion hangs on. guard: looked at, and not deleted now. */
void batch_add(struct batch *b, struct ark_str first, const struct plan_row *row, bool guard);

/* Session settings and the temporary table; once. */
enum ark_rc batch_prepare(const struct batch_job *job, struct ark_err *err);
/*
 * All of it or nothing, again and again while others lock rows (retry.h). Adds to `counts`.
 * keeps  false when the portion that the batch ends with changed: what is left of it stays too
 */
enum ark_rc batch_apply(const struct batch_job *job, const struct batch *b, struct batch_counts *counts, bool *keeps,
                        struct ark_err *err);
/* Later, for the same rows: what came to those that went while they went, goes too. */
enum ark_rc batch_sweep(const struct batch_job *job, const struct batch *b, struct batch_counts *counts,
                        struct ark_err *err);

#endif
