/*
 * Bodies on their way into the file store, in threads of their own: what writing, waiting for a disk or for a
 * bucket takes, is taken while the next bodies arrive. Each thread has a store of its own, because a store is for
 * one thread. Not for the ledger: what is stored is told to who ordered it, in his thread.
 *
 * Everything an order points to stays where it is, untouched, until the order was taken back.
 */
#ifndef IMPORT_FETCH_PORTER_H
#define IMPORT_FETCH_PORTER_H

#include "common/store/store.h"

/* Opens one more store of the same place, for writing in batches. */
struct porter_store {
	enum ark_rc (*open)(void *ctx, struct store **out, struct ark_err *err);
	void *ctx;
};

/* One file of the store. */
struct porter_load {
	const char *path;
	struct ark_body body;
};

struct porter_order {
	struct porter_load *loads;
	size_t count;
	enum ark_rc rc;          /* how it went */
	struct ark_err err;
	struct porter_order *next; /* not for others */
};

struct porters;

/* Threads and stores are there from the first order on. */
struct porters *porters_new(const struct porter_store *store);
/* Orders that nobody began are dropped; those under way come to their end. NULL is fine. */
void porters_free(struct porters *p);

enum ark_rc porters_give(struct porters *p, struct porter_order *order, struct ark_err *err);
/* An order that is done, or NULL: none (yet). Waits for one when `wait` and any is out. */
struct porter_order *porters_take(struct porters *p, bool wait);

/*
 * Bring to disk what was taken back until now, beside everything else.
 * Returns  its number, for porters_synced
 */
uint64_t porters_sync(struct porters *p);
/* ARK_OK: it is on disk; ARK_END: not yet (never when `wait`). */
enum ark_rc porters_synced(struct porters *p, uint64_t number, bool wait, struct ark_err *err);

#endif
