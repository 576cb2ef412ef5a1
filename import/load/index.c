#include "import/load/index.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/db/text.h"
#include "common/mm/schema.h"
#include "common/mm/state.h"

#include "common/base/banned.h"

static void step(struct index_watch watch)
{
	if (watch.step != NULL)
		watch.step(watch.ctx);
}

/* Run the statements over the connections, each as soon as one is free, in their order. The first
 * `busy` connections have something under way already (db_start). */
static enum ark_rc build(struct db_conn *const *conns, size_t conns_count, size_t busy, const char *const *sql,
                         size_t sql_count, struct index_watch watch, struct ark_err *err)
{
	size_t next = 0, running = busy;
	for (size_t i = busy; i < conns_count && next < sql_count; i++, running++) {
		enum ark_rc rc = db_start(conns[i], sql[next++], err);
		if (rc < 0)
			return rc;
	}
	while (running > 0) {
		size_t which;
		enum ark_rc rc = db_wait_any(conns, conns_count, &which, err);
		if (rc == ARK_OK)
			rc = db_finish(conns[which], err);
		step(watch);
		if (rc == ARK_OK && next < sql_count)
			rc = db_start(conns[which], sql[next++], err);
		else
			running--;
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

enum ark_rc index_start_fresh(struct db_conn *conn, struct ark_err *err)
{
	return db_start(conn, mm_index_at(0)->sql, err);
}

enum ark_rc index_build_fresh(struct db_conn *const *conns, size_t conns_count, const char *const *more,
                              size_t more_count, struct index_watch watch, struct ark_err *err)
{
	size_t indexes = mm_index_count(), keys = mm_state_key_count(), n = 0;
	ark_auto(ark_freep) const char **sql = ark_calloc(indexes + keys + more_count + 1, sizeof(const char *));
	for (size_t i = 0; i < keys; i++) /* ours are long too */
		sql[n++] = mm_state_key_sql(i);
	for (size_t i = 1; i < indexes; i++)
		sql[n++] = mm_index_at(i)->sql;
	sql[n++] = mm_schema_views_sql();
	for (size_t i = 0; i < more_count; i++)
		sql[n++] = more[i];
	return build(conns, conns_count, 1, sql, n, watch, err);
}

size_t index_fresh_steps(void)
{
	return mm_index_count() + mm_state_key_count() + 1; /* the views */
}

/* What other things hang on stays: foreign keys, replica identity, a place of its own. */
static const char DROPPABLE[] =
    "SELECT CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid) ELSE format('ALTER TABLE %s ADD "
    "CONSTRAINT %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) END, "
    "CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass) ELSE "
    "format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, c.conname) END FROM pg_index i "
    "JOIN pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid "
    "AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u', 'x') WHERE i.indrelid = $1::text::regclass "
    "AND i.indisvalid AND NOT i.indisreplident AND NOT i.indisclustered AND x.reltablespace = 0 "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conindid = i.indexrelid AND f.contype = 'f') "
    "AND ($2::text = 't' OR (NOT i.indisprimary AND c.oid IS NULL)) ORDER BY c.oid IS NULL, 2";

enum ark_rc index_drop(struct db_conn *conn, const char *table, bool keys, struct index_saved *saved,
                       struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, DROPPABLE,
	                          DB_PARAMS(ark_str_z(table), ark_str_z(keys ? "t" : "f")), &res, err);
	if (rc < 0)
		return rc;
	saved->sql = ark_realloc(saved->sql, saved->count + db_rows(res) + 1, sizeof(*saved->sql));
	for (size_t i = 0; i < db_rows(res) && rc == ARK_OK; i++) {
		saved->sql[saved->count++] = ark_strdup(db_value(res, i, 0));
		ark_auto(ark_freep) char *drop = ark_strdup(db_value(res, i, 1));
		rc = db_exec(conn, drop, err);
	}
	return rc;
}

enum ark_rc index_restore(struct db_conn *conn, const struct index_saved *saved, struct index_watch watch,
                          struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < saved->count && rc == ARK_OK; i++) {
		rc = db_exec(conn, saved->sql[i], err);
		step(watch);
	}
	return rc;
}

void index_saved_release(struct index_saved *saved)
{
	for (size_t i = 0; i < saved->count; i++)
		free(saved->sql[i]);
	free(saved->sql);
	*saved = (struct index_saved){ 0 };
}
