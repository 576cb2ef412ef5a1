/*
 * What is left to do when rows have gone: matterark.purge_work and what imports remember. Each piece is a
 * transaction of its own, and is done once more by the next run if this one ends in between.
 */
#ifndef PURGE_SETTLE_H
#define PURGE_SETTLE_H

#include "common/store/store.h"
#include "purge/app.h"

/* Threads that lost a reply, times of channels, what undo of an import would have put back. */
enum ark_rc settle_rows(struct purge_app *a, const char *plan, struct ark_err *err);

struct settle_objects {
	uint64_t removed;
	uint64_t shared;  /* stay: another row names the same path */
	uint64_t refused; /* stay: the path is none of a message's file */
	uint64_t failed;  /* stay in the queue: the store said no */
};

/*
 * Bodies of files whose rows went. A path that any row names stays: all rows of fileinfo are gone through once, in
 * portions, and what came meanwhile is looked at again right before a body is removed.
 */
enum ark_rc settle_objects(struct purge_app *a, struct store *store, struct settle_objects *out, struct ark_err *err);
/* How many wait. */
enum ark_rc settle_waiting(struct db_conn *conn, uint64_t *objects, struct ark_err *err);

#endif
