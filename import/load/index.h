/*
 * Indexes built side by side, and those of a live table taken off for a large load and put back.
 */
#ifndef IMPORT_LOAD_INDEX_H
#define IMPORT_LOAD_INDEX_H

#include "common/db/conn.h"

/* Who is told that one more statement has ended; step NULL: nobody. */
struct index_watch {
	void (*step)(void *ctx);
	void *ctx;
};

/* Begin with the longest index of a fresh database, as soon as its table is loaded; the connection is
 * busy until index_build_fresh, which must have it as its first. */
enum ark_rc index_start_fresh(struct db_conn *conn, struct ark_err *err);
/* All other indexes and keys of a fresh database (common/mm/schema.h, state.h) over these
 * connections, and what else is to be done as soon as one of them is free; the first one is still at work. */
enum ark_rc index_build_fresh(struct db_conn *const *conns, size_t conns_count, const char *const *more,
                              size_t more_count, struct index_watch watch, struct ark_err *err);
/* How many steps that is, without what else is to be done. */
size_t index_fresh_steps(void);

struct index_saved {
	char **sql; /* CREATE INDEX ... or ALTER TABLE ... of what was dropped */
	size_t count;
};

/* Drop the secondary indexes of a table inside the open transaction, with `keys` primary and unique ones
 * too; how to make them is added to *saved. */
enum ark_rc index_drop(struct db_conn *conn, const char *table, bool keys, struct index_saved *saved,
                       struct ark_err *err);
enum ark_rc index_restore(struct db_conn *conn, const struct index_saved *saved, struct index_watch watch,
                          struct ark_err *err);
void index_saved_release(struct index_saved *saved);

#endif
