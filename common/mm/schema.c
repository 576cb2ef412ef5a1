/*
 * Why constraints are made of finished indexes: ALTER TABLE ... ADD PRIMARY KEY would lock the table
 * for itself, while any number of CREATE INDEX run on one table at the same time.
 */
#include "common/mm/schema.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/db/text.h"
#include "common/mm/schema_sql.h"

#include "common/base/banned.h"

size_t mm_index_count(void)
{
	return MM_INDEX_COUNT;
}

const struct mm_index *mm_index_at(size_t n)
{
	if (n >= MM_INDEX_COUNT)
		ark_bug("index %zu of %zu", n, MM_INDEX_COUNT);
	return &MM_INDEXES[n];
}

enum ark_rc mm_schema_tables(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = db_exec(conn, MM_SQL_TABLES, err);
	return rc < 0 ? ark_err_in(err, rc, "cannot create the tables") : rc;
}

/* Build the indexes of `table`, of all tables when it is NULL, one after another. */
static enum ark_rc mm_schema_indexes(struct db_conn *conn, const char *table, struct ark_err *err)
{
	for (size_t i = 0; i < MM_INDEX_COUNT; i++) {
		const struct mm_index *index = &MM_INDEXES[i];
		if (table != NULL && strcmp(table, index->table) != 0)
			continue;
		enum ark_rc rc = db_exec(conn, index->sql, err);
		if (rc < 0)
			return ark_err_in(err, rc, "cannot create index '%s'", index->name);
	}
	return ARK_OK;
}

/* One ALTER TABLE per constraint, all in one statement text. */
static enum ark_rc add_constraints(struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	for (size_t i = 0; i < MM_INDEX_COUNT; i++) {
		const struct mm_index *index = &MM_INDEXES[i];
		if (index->kind == MM_INDEX_PLAIN)
			continue;
		ark_buf_fmt(&sql, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s;\n",
		            index->table, index->name,
		            index->kind == MM_INDEX_PRIMARY ? "PRIMARY KEY" : "UNIQUE", index->name);
	}
	return db_exec(conn, sql.data, err);
}

const char *mm_schema_views_sql(void)
{
	return MM_SQL_VIEWS;
}

enum ark_rc mm_schema_finish(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = add_constraints(conn, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, MM_SQL_FINISH, err);
	return rc < 0 ? ark_err_in(err, rc, "cannot finish the schema") : rc;
}

enum ark_rc mm_schema_create(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = mm_schema_tables(conn, err);
	if (rc == ARK_OK)
		rc = mm_schema_indexes(conn, NULL, err);
	if (rc == ARK_OK && (rc = db_exec(conn, MM_SQL_VIEWS, err)) < 0)
		return ark_err_in(err, rc, "cannot create the views");
	return rc == ARK_OK ? mm_schema_finish(conn, err) : rc;
}

/* The statements that give away what is ours to give: format() quotes every name. Row types of
 * tables go with them; only types made by themselves are listed. */
static const char OWNER_STATEMENTS[] =
    "WITH place AS (SELECT oid, nspname FROM pg_namespace"
    "                WHERE nspname IN (current_schema(), 'matterark'))"
    "SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $1::text)"
    "  FROM place WHERE nspname = 'matterark'"
    " UNION ALL "
    "SELECT format('ALTER %s %I.%I OWNER TO %I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW'"
    "              WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,"
    "              place.nspname, c.relname, $1::text)"
    "  FROM pg_class c JOIN place ON place.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S')"
    "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
    "                      AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))"
    " UNION ALL "
    "SELECT format('ALTER TYPE %I.%I OWNER TO %I', place.nspname, t.typname, $1::text)"
    "  FROM pg_type t JOIN place ON place.oid = t.typnamespace"
    " WHERE t.typtype IN ('e', 'd')"
    "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass"
    "                      AND d.objid = t.oid AND d.deptype = 'e')";

enum ark_rc mm_schema_owner(struct db_conn *conn, struct ark_str role, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = db_query(conn, OWNER_STATEMENTS, DB_PARAMS(role), &res, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < db_rows(res); i++) {
		ark_buf_str(&sql, db_value(res, i, 0));
		ark_buf_z(&sql, ";\n");
	}
	rc = ark_buf_ok(&sql, "the list of objects", err);
	if (rc == ARK_OK)
		rc = db_exec(conn, sql.data, err);
	return rc < 0 ? ark_err_in(err, rc, "owner '%.*s'", ARK_FMT(role)) : rc;
}

/* --- databases ------------------------------------------------------------------------------- */

enum ark_rc mm_database_exists(struct db_conn *maintenance, struct ark_str name, bool *exists,
                               struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(maintenance, "SELECT FROM pg_database WHERE datname = $1",
	                          DB_PARAMS(name), &res, err);
	if (rc == ARK_OK)
		*exists = db_rows(res) > 0;
	return rc;
}

static enum ark_rc create(struct db_conn *maintenance, struct ark_str name, struct ark_str owner,
                          const char *locale, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "CREATE DATABASE ");
	db_ident(&sql, name);
	ark_buf_fmt(&sql, " TEMPLATE template0 ENCODING 'UTF8'%s", locale);
	if (ark_str_has(owner)) {
		ark_buf_z(&sql, " OWNER ");
		db_ident(&sql, owner);
	}
	return db_exec(maintenance, sql.data, err);
}

enum ark_rc mm_database_create(struct db_conn *maintenance, struct ark_str name,
                               struct ark_str owner, struct ark_err *err)
{
	enum ark_rc rc = create(maintenance, name, owner, "", err);
	/* 22023: the locale of the server belongs to an encoding other than UTF8 */
	if (rc == ARK_FAIL && strcmp(db_sqlstate(maintenance), "22023") == 0)
		rc = create(maintenance, name, owner, " LC_COLLATE 'C' LC_CTYPE 'C'", err);
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "ALTER DATABASE ");
	db_ident(&sql, name);
	ark_buf_z(&sql, " SET default_text_search_config = 'pg_catalog.english'");
	if (rc == ARK_OK)
		rc = db_exec(maintenance, sql.data, err);
	return rc < 0 ? ark_err_in(err, rc, "database '%.*s'", ARK_FMT(name)) : rc;
}

static enum ark_rc alter(struct db_conn *maintenance, const struct ark_buf *sql,
                         struct ark_str name, struct ark_err *err)
{
	enum ark_rc rc = db_exec(maintenance, sql->data, err);
	if (rc < 0 && strcmp(db_sqlstate(maintenance), "55006") == 0) /* object_in_use */
		err->kind = ARK_KIND_LOCKED;
	return rc < 0 ? ark_err_in(err, rc, "database '%.*s'", ARK_FMT(name)) : rc;
}

enum ark_rc mm_database_rename(struct db_conn *maintenance, struct ark_str from, struct ark_str to,
                               struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "ALTER DATABASE ");
	db_ident(&sql, from);
	ark_buf_z(&sql, " RENAME TO ");
	db_ident(&sql, to);
	return alter(maintenance, &sql, from, err);
}

enum ark_rc mm_database_drop(struct db_conn *maintenance, struct ark_str name,
                             struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "DROP DATABASE IF EXISTS ");
	db_ident(&sql, name);
	return alter(maintenance, &sql, name, err);
}
