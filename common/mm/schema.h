/*
 * A complete, empty Mattermost 11.6 schema, with its record of migrations, so that a real server
 * starts on it; and the databases that hold it. Not for recognising an existing one: detect.h.
 *
 * For loading, tables come first, bare (mm_schema_tables); then the data; then the indexes
 * (mm_index_at, side by side over several connections if wanted) and the views
 * (mm_schema_views_sql); then what stands on finished tables (mm_schema_finish). Everything lands in the first schema of search_path.
 *
 * Fact  fixtures/mattermost/schema (level 159); docs/mattermost-facts.md "Schema versions"
 */
#ifndef ARK_MM_SCHEMA_H
#define ARK_MM_SCHEMA_H

#include "common/base/err.h"
#include "common/base/str.h"
#include "common/db/conn.h"

/* Last migration of the schema that is made here. */
#define MM_SCHEMA_LEVEL 159

enum mm_index_kind {
	MM_INDEX_PLAIN,
	MM_INDEX_PRIMARY, /* becomes the primary key in mm_schema_finish */
	MM_INDEX_UNIQUE,  /* becomes a unique constraint in mm_schema_finish */
};

struct mm_index {
	const char *table;
	const char *name;
	const char *sql; /* CREATE [UNIQUE] INDEX ..., takes no lock that another one would wait for */
	enum mm_index_kind kind;
	bool is_gin; /* full text: takes as long as all others of its table together */
};

/* In the order in which building them pays: longest first. */
size_t mm_index_count(void);
const struct mm_index *mm_index_at(size_t n);

/* Types and bare tables. */
enum ark_rc mm_schema_tables(struct db_conn *conn, struct ark_err *err);
/* Materialised views, filled from the tables; may run while indexes are built. */
const char *mm_schema_views_sql(void);
/* Primary keys and constraints out of the indexes, which must all be there; foreign keys,
 * db_migrations. */
enum ark_rc mm_schema_finish(struct db_conn *conn, struct ark_err *err);
/* All of it at once; the caller has begun a transaction if it wants one. */
enum ark_rc mm_schema_create(struct db_conn *conn, struct ark_err *err);
/* Make `role` the owner of every table, view, sequence and type in the first schema of search_path
 * and of schema `matterark` with its tables. */
enum ark_rc mm_schema_owner(struct db_conn *conn, struct ark_str role, struct ark_err *err);

/* --- databases; `maintenance` is a connection to another one of the same server ---------------- */

enum ark_rc mm_database_exists(struct db_conn *maintenance, struct ark_str name, bool *exists,
                               struct ark_err *err);
/*
 * An empty database: template0, UTF8 (locale C where the server's own fits another encoding only),
 * english as default text search configuration, whatever the locale, because the indexes are.
 * owner  NONE: the current role
 */
enum ark_rc mm_database_create(struct db_conn *maintenance, struct ark_str name,
                               struct ark_str owner, struct ark_err *err);
/* Not possible while sessions are in it: FAIL with kind LOCKED. */
enum ark_rc mm_database_rename(struct db_conn *maintenance, struct ark_str from, struct ark_str to,
                               struct ark_err *err);
/* The same; no error when it is not there. */
enum ark_rc mm_database_drop(struct db_conn *maintenance, struct ark_str name,
                             struct ark_err *err);

#endif
