/*
 * --archived-in: is everything that a plan names kept elsewhere, as it reads now? In a snapshot of a repository
 * of matter-backup, or in an export of matter-export with its JSON lines (one, or a series; in a folder or an
 * object store).
 */
#ifndef PURGE_ARCHIVE_H
#define PURGE_ARCHIVE_H

#include "purge/app.h"
#include "purge/planfile.h"

struct archive_found {
	uint64_t rows;              /* compared */
	bool is_repo;
	char snapshot[64];          /* its name */
	uint64_t snapshots_holding; /* of the repository: taken since the oldest message of the plan was written */
	int64_t newest_ms;          /* when the newest of these was taken */
};

/*
 * Whether a row is there and has the same time of its last edit. In an export, earlier texts stand with their
 * message. Memory does not depend on the length of the plan: it is gone through in portions.
 *
 * FAIL: REFUSED when something is not there (the text says how much, and what first), or PLACE is neither.
 */
enum ark_rc archive_check(struct purge_app *a, struct plan *plan, struct archive_found *out, struct ark_err *err);

#endif
