/*
 * The rows that a run made, changed and deleted (matterark.change) put back, table by table. For
 * undo.c, which knows what else goes.
 */
#ifndef IMPORT_LOAD_RESTORE_H
#define IMPORT_LOAD_RESTORE_H

#include "common/db/conn.h"
#include "import/load/change.h"

struct restore_count {
	uint64_t removed;  /* made by the run */
	uint64_t returned; /* deleted by the run */
	uint64_t restored; /* changed by the run */
	uint64_t kept;     /* of these, changed by others as well */
};

/* Threads to count again go into the temporary table ark_recount (id). */
enum ark_rc restore_table(struct db_conn *conn, int64_t run_no, const struct change_table *table,
                          struct restore_count *out, struct ark_err *err);

/* Reply counts of threads that lost a reply, or that others wrote to since. */
enum ark_rc restore_threads(struct db_conn *conn, struct ark_err *err);

#endif
