/*
 * A snapshot's database into an empty one: schema, rows over several connections, indexes beside each
 * other as soon as their table is loaded, full-text ones first, sequences, materialised views; and the
 * comparison of what is there afterwards with what was sent. Not for which database that is: target.h.
 */
#ifndef BACKUP_RESTORE_LOAD_H
#define BACKUP_RESTORE_LOAD_H

#include "common/cli/progress.h"
#include "common/db/conn.h"
#include "common/repo/snapshot.h"

/*
 * Of rows in any order: how many, how long, and the sum of the first halves of their SHA-256, so that
 * rows which are the same in another order give the same.
 */
struct load_sum {
	uint64_t rows, bytes;
	uint64_t low, high;
};

/* Which rows are loaded: those that it lets through, as lines of COPY text; `line` without its end. */
typedef bool load_keep_fn(void *ctx, const struct repo_part *table, struct ark_str line);

struct load_job {
	const struct repo_options *repo; /* each connection opens it for itself */
	const struct repo_contents *contents;
	const char *dsn;                 /* the empty database */
	const struct db_options *db;
	unsigned jobs;                   /* connections */
	struct ark_progress *bar;
	load_keep_fn *keep;              /* NULL: all rows */
	void *keep_ctx;
	struct load_sum *sums;           /* one for each part; out of load_rows, in for load_compare */
};

/* Rows that are to be expected in all, for the progress bar. */
uint64_t load_weight(const struct repo_contents *contents, uint64_t *rows);

/* Schema, rows, indexes, constraints, sequences. What is read from the repository is compared with its
 * names; FAIL with kind INPUT where it differs. */
enum ark_rc load_all(struct load_job *job, struct ark_err *err);
/* Read every table again and compare with what was sent; FAIL names the one that differs. */
enum ark_rc load_compare(struct load_job *job, struct ark_err *err);
/*
 * Who owns and who may use what, as at the source. Nothing is changed where roles are missing: ARK_END, and
 * `missing` has their names.
 */
enum ark_rc load_owners(struct load_job *job, struct ark_buf *missing, struct ark_err *err);
/* Fill materialised views, in order, and bring statistics up to date. */
enum ark_rc load_finish(struct load_job *job, struct ark_err *err);

#endif
