/*
 * The files of a snapshot: which ones the rows name, stored bodies for all of them, what may change, and
 * on wish the rest of the store. Known ones are not read again.
 */
#ifndef BACKUP_FILES_H
#define BACKUP_FILES_H

#include "backup/filestore.h"
#include "common/cli/progress.h"
#include "common/db/conn.h"
#include "common/io/spool.h"
#include "common/repo/snapshot.h"

struct files_job {
	struct repo *r;
	struct pack_tools *tools;
	struct filestore *store;
	const struct repo_contents *previous; /* of the snapshot before; NULL: none */
	struct ark_progress *bar;
	struct ark_talk *talk;
	/* out */
	uint64_t files, bytes, missing, read_files, read_bytes;
};

/* What rows name, in order, into a temporary file: within the snapshot's transaction. */
enum ark_rc files_spool(struct db_conn *conn, struct io_spool *to, uint64_t *count, struct ark_err *err);

/* Each gives one part for the contents. */
enum ark_rc files_referenced(struct files_job *j, const struct io_spool *named, struct repo_part *out,
                             struct ark_err *err);
enum ark_rc files_mutable(struct files_job *j, struct repo_part *out, struct ark_err *err);
/* Whatever else is in the store. */
enum ark_rc files_other(struct files_job *j, const struct io_spool *named, struct repo_part *out,
                        struct ark_err *err);

#endif
