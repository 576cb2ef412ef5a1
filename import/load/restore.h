/*
 * The rows that a run made, changed and deleted put back, table by table: those of its notes (matterark.change) that
 * stand in the temporary table ark_back_change. For undo.c and behind.c, which know what else goes, and when.
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

/* Threads that others wrote to since go into the temporary table ark_recount (id). */
enum ark_rc restore_table(struct db_conn *conn, const struct change_table *table, struct restore_count *out,
                          struct ark_err *err);

/* Behind the table `threads`: reply counts of those in ark_recount, of those that stay though the run made them, and of
 * those noted with nothing before ('{}'), because they lost a reply. */
enum ark_rc restore_threads(struct db_conn *conn, struct ark_err *err);

#endif
