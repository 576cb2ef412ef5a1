/*
 * A column goes back only when it still says what the run wrote. Counters go back by what the run added,
 * whoever counted since. What a run did to one row in several steps is taken back at once: the first
 * `before`, the last `after` of each column.
 */
#include "import/load/restore.h"

#include "common/base/limits.h"
#include "common/mm/thread.h"
#include "import/load/growth.h"

#include "common/base/banned.h"

static enum ark_rc run(struct db_conn *conn, const struct ark_buf *sql, uint64_t *affected,
                       struct ark_err *err)
{
	return db_run(conn, sql->data, DB_NO_PARAMS, affected, err);
}

/* ---- made ---- */

/* A thread that people replied in since stays, and whoever replied follows it. */
static const char *unless(const struct change_table *table)
{
	if (strcmp(table->name, "threads") == 0)
		return " AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.rootid = t.postid AND p.deleteat = 0)";
	if (strcmp(table->name, "threadmemberships") == 0)
		return " AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.rootid = t.postid AND p.deleteat = 0 AND "
		       "p.userid = t.userid AND NOT EXISTS (SELECT 1 FROM matterark.slack_post w WHERE w.post_id = "
		       "p.id))";
	return "";
}

static enum ark_rc remove_made(struct db_conn *conn, const struct change_table *table,
                               uint64_t *n, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "DELETE FROM %s t USING ark_back_change c WHERE c.tbl = '%s' AND c.before IS NULL AND ",
	            table->name, table->name);
	change_match_sql(table, "t.", "c.key", &sql);
	ark_buf_z(&sql, unless(table));
	return run(conn, &sql, n, err);
}

/* ---- deleted ---- */

/* Columns of `before` that the table still has. */
static enum ark_rc columns_of(struct db_conn *conn, const struct change_table *table, const char *which,
                              struct db_result **out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = '%s'::regclass AND a.attnum > 0 "
	            "AND NOT a.attisdropped AND a.attname IN (SELECT DISTINCT k FROM ark_back_change c, "
	            "jsonb_object_keys(c.before) k WHERE c.tbl = '%s' AND %s) ORDER BY a.attnum",
	            table->name, table->name, which);
	return db_query(conn, sql.data, DB_NO_PARAMS, out, err);
}

static void list(const struct db_result *columns, const char *prefix, struct ark_buf *sql)
{
	for (size_t i = 0; i < db_rows(columns); i++)
		ark_buf_fmt(sql, "%s%s%.*s", i > 0 ? ", " : "", prefix, ARK_FMT(db_value(columns, i, 0)));
}

/* A reaction needs its post: one that somebody purged meanwhile takes them along. */
static enum ark_rc return_deleted(struct db_conn *conn, const struct change_table *table, uint64_t *n,
                                  struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *columns = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = columns_of(conn, table, "c.after IS NULL", &columns, err);
	if (rc < 0 || db_rows(columns) == 0)
		return rc;
	ark_buf_fmt(&sql, "INSERT INTO %s (", table->name);
	list(columns, "", &sql);
	ark_buf_z(&sql, ") SELECT ");
	list(columns, "r.", &sql);
	ark_buf_fmt(&sql, " FROM ark_back_change c CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, c.before) r "
	            "WHERE c.tbl = '%s' AND c.before IS NOT NULL AND c.after IS NULL%s ON "
	            "CONFLICT DO NOTHING", table->name, table->name,
	            strcmp(table->name, "reactions") == 0
	                ? " AND EXISTS (SELECT 1 FROM posts p WHERE p.id = r.postid)" : "");
	return run(conn, &sql, n, err);
}

/* ---- changed ---- */

static bool is_counter(struct ark_str column)
{
	return ark_str_eqz(column, "totalmsgcount") || ark_str_eqz(column, "totalmsgcountroot") ||
	       ark_str_eqz(column, "msgcount") || ark_str_eqz(column, "msgcountroot");
}

/* ark_back: one line per row, its columns before the run and as the run left them. */
static enum ark_rc gather_back(struct db_conn *conn, const struct change_table *table, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "CREATE TEMP TABLE ark_back ON COMMIT DROP AS SELECT key, jsonb_object_agg(col, was) AS before, "
	            "jsonb_object_agg(col, became) AS after, false AS clash FROM (SELECT DISTINCT key, col, "
	            "first_value(b) OVER w AS was, last_value(a) OVER w AS became FROM (SELECT c.no, c.key, x.key "
	            "AS col, x.value AS b, c.after -> x.key AS a FROM ark_back_change c, jsonb_each(c.before) x "
	            "WHERE c.tbl = '%s' AND c.after IS NOT NULL) y WINDOW w AS (PARTITION BY key, "
	            "col ORDER BY no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) z GROUP BY key",
	            table->name);
	return run(conn, &sql, NULL, err);
}

/* Rows of which somebody else changed a column that the run changed; counters are no matter. */
static enum ark_rc mark_clashes(struct db_conn *conn, const struct change_table *table,
                                const struct db_result *columns, uint64_t *n, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "UPDATE ark_back b SET clash = true FROM %s t WHERE (false", table->name);
	for (size_t i = 0; i < db_rows(columns); i++) {
		struct ark_str c = db_value(columns, i, 0);
		if (!is_counter(c))
			ark_buf_fmt(&sql, " OR coalesce(to_jsonb(t.%.*s), 'null') <> (b.after -> '%.*s')", ARK_FMT(c),
			            ARK_FMT(c));
	}
	ark_buf_z(&sql, ") AND ");
	change_match_sql(table, "t.", "b.key", &sql);
	return run(conn, &sql, n, err);
}

static void put_back(struct ark_str c, bool first, struct ark_buf *sql)
{
	ark_buf_fmt(sql, "%s%.*s = CASE WHEN NOT b.before ? '%.*s' THEN t.%.*s WHEN coalesce(to_jsonb(t.%.*s), "
	            "'null') = (b.after -> '%.*s') THEN r.%.*s ELSE ", first ? "" : ", ", ARK_FMT(c), ARK_FMT(c),
	            ARK_FMT(c), ARK_FMT(c), ARK_FMT(c), ARK_FMT(c));
	if (is_counter(c))
		ark_buf_fmt(sql, "greatest(0, t.%.*s - ((b.after ->> '%.*s')::bigint - (b.before ->> "
		            "'%.*s')::bigint)) END", ARK_FMT(c), ARK_FMT(c), ARK_FMT(c));
	else
		ark_buf_fmt(sql, "t.%.*s END", ARK_FMT(c));
}

static enum ark_rc restore_changed(struct db_conn *conn, const struct change_table *table,
                                   struct restore_count *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *columns = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = columns_of(conn, table, "c.after IS NOT NULL", &columns, err);
	if (rc < 0 || db_rows(columns) == 0)
		return rc;
	if ((rc = gather_back(conn, table, err)) < 0)
		return rc;
	if ((rc = mark_clashes(conn, table, columns, &out->kept, err)) < 0)
		return rc;
	ark_buf_fmt(&sql, "UPDATE %s t SET ", table->name);
	for (size_t i = 0; i < db_rows(columns); i++)
		put_back(db_value(columns, i, 0), i == 0, &sql);
	ark_buf_fmt(&sql, " FROM ark_back b CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, b.before) r WHERE ",
	            table->name);
	change_match_sql(table, "t.", "b.key", &sql);
	rc = run(conn, &sql, &out->restored, err);
	if (rc == ARK_OK && strcmp(table->name, "threads") == 0)
		/* somebody wrote since: what is there counts, not what can be reckoned */
		rc = db_exec(conn, "INSERT INTO ark_recount SELECT b.key[1] FROM ark_back b JOIN threads t ON t.postid = b.key[1] "
		                   "WHERE b.clash OR (b.before ? 'replycount' AND to_jsonb(t.replycount) <> (b.before -> "
		                   "'replycount'))", err);
	return rc == ARK_OK ? db_exec(conn, "DROP TABLE ark_back", err) : rc;
}

enum ark_rc restore_table(struct db_conn *conn, const struct change_table *table,
                          struct restore_count *out, struct ark_err *err)
{
	*out = (struct restore_count){ 0 };
	enum ark_rc rc = remove_made(conn, table, &out->removed, err);
	if (rc == ARK_OK)
		rc = restore_changed(conn, table, out, err);
	if (rc == ARK_OK)
		rc = return_deleted(conn, table, &out->returned, err);
	if (rc == ARK_OK && strcmp(table->name, "channelmembers") == 0)
		rc = growth_take_back(conn, &out->restored, &out->kept, err);
	return rc < 0 ? ark_err_in(err, rc, "table %s", table->name) : rc;
}

enum ark_rc restore_threads(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = db_exec(conn, "INSERT INTO ark_recount SELECT key[1] FROM ark_back_change WHERE tbl = 'threads' AND "
	                               "(before IS NULL OR before = '{}')", err);
	return rc < 0 ? rc : mm_threads_recount(conn, "ark_recount", err);
}
