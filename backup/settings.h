/*
 * Mattermost's configuration for a snapshot, wherever it is kept: the file (with the others of its
 * folder, certificates for instance), the active row of `configurations`, and the MM_* variables that
 * override either.
 */
#ifndef BACKUP_SETTINGS_H
#define BACKUP_SETTINGS_H

#include "backup/repo/pack.h"
#include "common/db/conn.h"
#include "common/mm/place.h"
#include "common/repo/snapshot.h"

struct settings {
	struct repo_part *parts; /* strings borrow from `text` pieces held here */
	size_t count;
	char **held;
	size_t held_count;
	bool found;             /* a configuration, not only variables */
};

/* conn  the source's, for `configurations` */
enum ark_rc settings_store(struct settings *s, const struct mm_place *place, struct db_conn *conn,
                           struct pack_tools *tools, struct ark_err *err);
void settings_release(struct settings *s); /* also for ark_auto */

#endif
