/*
 * Threads whose roots got replies: their rows, counted from the posts, and who follows them. In columns that this
 * database has.
 */
#ifndef IMPORT_LOAD_REPLY_H
#define IMPORT_LOAD_REPLY_H

#include "common/base/buf.h"
#include "common/db/conn.h"

/* Rows of threads for those of `roots` (a relation with a column `id`) that have replies and no row. */
enum ark_rc reply_make(struct db_conn *conn, const char *roots, uint64_t *rows, struct ark_err *err);

/* Which columns of the two tables there are; kept while portions are done. */
struct reply_columns {
	struct ark_buf threads, followers; /* INSERT statements, for those of ark_portion */
};

enum ark_rc reply_columns_find(struct db_conn *conn, struct reply_columns *c, struct ark_err *err);
void reply_columns_release(struct reply_columns *c);

/* Statements for the threads of ark_portion (rows of matterark.pending): made or counted anew, and followed; with "; "
 * behind. */
void reply_portion_sql(const struct reply_columns *c, int64_t run_no, struct ark_buf *sql);

#endif
