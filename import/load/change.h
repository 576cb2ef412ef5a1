/*
 * What a run does to rows that are not its own, written down in matterark.change so that it can be
 * taken back: the content before, and what it became. Rows of the run itself need no entry: its posts
 * stand in slack_post, and what hangs on a post, an account or a channel goes with it.
 *
 * Numbers that a statement needs stand in its text: all of them are ours.
 */
#ifndef IMPORT_LOAD_CHANGE_H
#define IMPORT_LOAD_CHANGE_H

#include "common/base/buf.h"
#include "common/db/conn.h"

#define CHANGE_KEYS 3
#define CHANGE_TABLES 21

/* A table whose changes can be taken back. */
struct change_table {
	const char *name;                  /* schema-qualified for our own */
	const char *keys[CHANGE_KEYS + 1]; /* columns of the primary key, NULL-ended */
};

/* NULL for a table that has no entry. */
const struct change_table *change_table(struct ark_str name);
/* All of them, those that people's writes wait for last; NULL behind the last. */
const struct change_table *change_table_at(size_t n);

/* t.a = c.key[1] AND t.b = c.key[2] */
void change_match_sql(const struct change_table *table, const char *prefix, const char *key,
                      struct ark_buf *sql);

struct change_set {
	const char *column, *value; /* SQL; ended by a column NULL */
};

struct change_update {
	const char *table;
	const struct change_set *set;
	const char *from;  /* further tables, or NULL; `t` is the one that is changed */
	const char *where;
};

/*
 * Lock the rows, note them, update them, note what they became.
 *
 * affected  increased by the number of updated rows; may be NULL
 */
enum ark_rc change_update(struct db_conn *conn, int64_t run_no, const struct change_update *u,
                          uint64_t *affected, struct ark_err *err);

/* The same as text with "; " behind it, for many statements at once. */
void change_update_sql(int64_t run_no, const struct change_update *u, struct ark_buf *sql);

/* DELETE FROM table t USING `from` WHERE `where`, noting the whole rows. */
enum ark_rc change_delete(struct db_conn *conn, int64_t run_no, const char *table, const char *from,
                          const char *where, uint64_t *affected, struct ark_err *err);

/*
 * insert  "INSERT INTO table (...) SELECT ... ON CONFLICT DO NOTHING", without RETURNING
 * which   of the new rows `m` are noted: SQL condition, or NULL for all
 */
enum ark_rc change_insert(struct db_conn *conn, int64_t run_no, const char *table, const char *insert,
                          const char *which, uint64_t *affected, struct ark_err *err);
/* The same as text with "; " behind it; all rows are noted. */
void change_insert_sql(int64_t run_no, const char *table, const char *insert, struct ark_buf *sql);

#endif
