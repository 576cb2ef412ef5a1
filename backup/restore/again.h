/*
 * What was purged after the snapshot was taken is purged from what is restored, too: by the ledgers of the
 * snapshot itself, of the newest one, and of a file.
 */
#ifndef BACKUP_RESTORE_AGAIN_H
#define BACKUP_RESTORE_AGAIN_H

#include "backup/restore/restore.h"

struct again {
	uint64_t posts;     /* purged once more */
	uint64_t entries;   /* in all ledgers together */
	int64_t newest_ms;  /* of the newest entry; 0: there is none */
	uint64_t files;     /* rows of files that went; their bodies are not wanted */
};

/* In the loaded, compared database. ledger: a file, or NULL. */
enum ark_rc again_purge(struct restore *r, const char *ledger, struct again *out, struct ark_err *err);

#endif
