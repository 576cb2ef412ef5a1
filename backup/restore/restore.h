/*
 * What restore and drill share: the snapshot's database loaded under a temporary name and compared with
 * what was sent. Their phases stand in backup/restore.c and backup/drill.c.
 */
#ifndef BACKUP_RESTORE_RESTORE_H
#define BACKUP_RESTORE_RESTORE_H

#include "backup/app.h"
#include "backup/restore/load.h"
#include "backup/restore/target.h"

struct restore {
	struct app *a;
	struct repo_options repo;
	struct repo_snapshot snapshot;
	struct repo_contents contents;
	struct target_options target_options;
	struct target target;
	struct load_job load;
	uint64_t rows;               /* loaded */
	int64_t load_ms, compare_ms; /* what it took */
};

void restore_release(struct restore *r); /* also for ark_auto */
/* Open the repository and read what the snapshot holds. */
enum ark_rc restore_open(struct restore *r, struct app *a, struct ark_err *err);
/* A connection to the temporary database, with Mattermost's schema first in its search_path. */
enum ark_rc restore_connect(struct restore *r, struct db_conn **out, struct ark_err *err);
/* Make the temporary database, load it, compare every row. target_check was there before. Then comes load_finish. */
enum ark_rc restore_database(struct restore *r, struct ark_err *err);

#endif
