/*
 * Candidates are messages that a time is true of. What is known of a whole thread is found once per
 * thread, not once per candidate: a thread may have ten thousand of them.
 *
 * whole   roots that go, and their threads with them
 * single  replies that go alone, because their root stays (or is not there)
 * lone    earlier texts whose message is gone, as the server's own permanent deletion leaves them
 */
#include "purge/select.h"

#include <stdio.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

static void candidates_sql(const struct purge_scope *s, struct ark_buf *sql)
{
	ark_buf_z(sql, "cand AS MATERIALIZED (SELECT p.id, p.rootid, p.channelid, p.createat, ");
	purge_scope_deleted(s, "p", sql);
	ark_buf_z(sql, " AS del, ");
	purge_scope_old(s, "p", sql);
	ark_buf_z(sql, " AS old FROM posts p WHERE p.originalid = '' AND ");
	purge_scope_narrow(s, "p", sql);
	ark_buf_z(sql, " AND (");
	purge_scope_deleted(s, "p", sql);
	ark_buf_z(sql, " OR ");
	purge_scope_old(s, "p", sql);
	ark_buf_z(sql, "))");
}

/* One row for each thread that has a candidate: may its root go for being deleted, its newest live message,
 * and what keeps it. */
static void threads_sql(const struct purge_scope *s, struct ark_buf *sql)
{
	ark_buf_z(sql, ", thread AS MATERIALIZED (SELECT u.root, a.* FROM (SELECT DISTINCT CASE WHEN rootid = '' THEN id ELSE "
	               "rootid END AS root FROM cand) u CROSS JOIN LATERAL (SELECT coalesce(bool_and(");
	purge_scope_deleted(s, "q", sql);
	ark_buf_z(sql, "), false) AS deleted, coalesce(max(q.createat) FILTER (WHERE q.deleteat = 0), 0) AS newest, ");
	ark_buf_z(sql, s->keep_pinned ? "coalesce(bool_or(q.ispinned AND q.deleteat = 0), false)" : "false");
	ark_buf_z(sql, " AS pinned, coalesce(bool_or(");
	purge_hold_sql(&s->hold, "q", sql);
	ark_buf_z(sql, "), false) AS held FROM (SELECT * FROM posts WHERE id = u.root UNION ALL SELECT * FROM posts WHERE "
	               "rootid = u.root) q WHERE q.originalid = '') a)");
}

static void chosen_sql(const struct purge_scope *s, struct ark_buf *sql)
{
	char quiet[64] = "false";
	if (s->older_than.has)
		snprintf(quiet, sizeof(quiet), "t.newest < %lld", (long long)s->older_than.ms);
	ark_buf_fmt(sql,
	            ", whole AS MATERIALIZED (SELECT c.id, c.channelid, c.createat FROM cand c JOIN thread t ON t.root = c.id "
	            "WHERE c.rootid = '' AND NOT t.pinned AND NOT t.held AND (c.del AND t.deleted OR c.old AND %s))"
	            ", single AS MATERIALIZED (SELECT c.id, c.channelid, c.createat FROM cand c JOIN thread t ON t.root = "
	            "c.rootid WHERE c.rootid <> '' AND NOT t.pinned AND NOT t.held AND (c.del OR c.old AND %s) AND NOT EXISTS "
	            "(SELECT 1 FROM whole w WHERE w.id = c.rootid))"
	            ", lone AS (SELECT h.id, h.channelid, h.createat FROM posts h WHERE h.originalid <> '' AND ", quiet, quiet);
	purge_scope_narrow(s, "h", sql);
	ark_buf_z(sql, " AND (");
	purge_scope_deleted(s, "h", sql);
	ark_buf_z(sql, " OR ");
	purge_scope_old(s, "h", sql);
	ark_buf_z(sql, ") AND NOT ");
	purge_hold_sql(&s->hold, "h", sql);
	ark_buf_z(sql, " AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = h.originalid) AND NOT EXISTS (SELECT 1 FROM whole w "
	               "WHERE w.id = h.rootid)");
	if (s->keep_pinned || s->hold.sql.len > 0) {
		ark_buf_z(sql, " AND NOT EXISTS (SELECT 1 FROM posts q WHERE (q.id = h.rootid OR q.rootid = h.rootid AND "
		               "h.rootid <> '') AND q.originalid = '' AND (");
		ark_buf_z(sql, s->keep_pinned ? "q.ispinned AND q.deleteat = 0 OR " : "");
		purge_hold_sql(&s->hold, "q", sql);
		ark_buf_z(sql, "))");
	}
	ark_buf_z(sql, ")");
	/* whoever is a candidate and not chosen, and why; a reply whose root goes is chosen with it */
	ark_buf_z(sql, ", kept AS (SELECT CASE WHEN t.held THEN 0 WHEN t.pinned THEN 1 ELSE 2 END AS why, count(*) AS n FROM "
	               "cand c JOIN thread t ON t.root = CASE WHEN c.rootid = '' THEN c.id ELSE c.rootid END WHERE NOT EXISTS "
	               "(SELECT 1 FROM whole w WHERE w.id = t.root) AND NOT EXISTS (SELECT 1 FROM single x WHERE x.id = c.id) "
	               "GROUP BY 1)");
}

enum { CHANNEL, AT, UNIT, KIND, ID, UPDATE, EDIT, OTHERS };
enum { KIND_FIRST, KIND_EARLIER, KIND_MEMBER, KIND_KEPT };

#define COLUMNS "id, originalid, updateat, editat, channelid, userid"

static void rows_sql(const struct purge_scope *s, struct ark_buf *sql)
{
	ark_buf_z(sql, " SELECT ch, at, unit, kind, id, updateat, editat, others FROM ("
	               "SELECT w.channelid AS ch, w.createat AS at, w.id AS unit, CASE WHEN x.id = w.id THEN 0 WHEN "
	               "x.originalid <> '' THEN 1 ELSE 2 END AS kind, x.id, coalesce(x.updateat, 0) AS updateat, coalesce(x.editat, 0) AS "
	               "editat, NOT ");
	purge_scope_narrow(s, "x", sql);
	ark_buf_z(sql, " AS others FROM whole w CROSS JOIN LATERAL (SELECT " COLUMNS " FROM posts WHERE id = w.id UNION ALL SELECT "
	               COLUMNS " FROM posts WHERE rootid = w.id UNION ALL SELECT " COLUMNS " FROM posts WHERE originalid = w.id AND "
	               "rootid = '') x "
	               "UNION ALL SELECT s.channelid, s.createat, s.id, CASE WHEN x.id = s.id THEN 0 ELSE 1 END, x.id, "
	               "coalesce(x.updateat, 0), coalesce(x.editat, 0), false FROM single s CROSS JOIN LATERAL (SELECT " COLUMNS
	               " FROM posts WHERE id = s.id UNION ALL SELECT " COLUMNS " FROM posts WHERE originalid = s.id) x "
	               "UNION ALL SELECT l.channelid, l.createat, l.id, 1, l.id, coalesce(h.updateat, 0), coalesce(h.editat, 0), "
	               "false FROM lone l JOIN posts h ON h.id = l.id "
	               "UNION ALL SELECT NULL, n, '', 3, '', why, 0, false FROM kept"
	               ") y ORDER BY ch COLLATE \"C\", at, unit COLLATE \"C\", kind, id COLLATE \"C\"");
}

static void count_kept(const struct db_result *row, struct purge_left *left)
{
	uint64_t *const REASONS[] = { &left->held, &left->pinned, &left->in_use };
	*REASONS[db_i64(row, 0, UPDATE)] = (uint64_t)db_i64(row, 0, AT);
}

enum ark_rc purge_select(struct db_conn *conn, const struct purge_scope *scope, purge_pick_fn *pick, void *ctx,
                         struct purge_left *left, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "WITH ");
	candidates_sql(scope, &sql);
	threads_sql(scope, &sql);
	chosen_sql(scope, &sql);
	rows_sql(scope, &sql);
	*left = (struct purge_left){ 0 };
	enum ark_rc rc = ark_buf_ok(&sql, "the statement", err);
	if (rc == ARK_OK)
		rc = db_stream_begin(conn, sql.data, DB_NO_PARAMS, err);
	const struct db_result *row;
	while (rc == ARK_OK && (rc = db_stream_next(conn, &row, err)) == ARK_OK) {
		int64_t kind = db_i64(row, 0, KIND);
		if (kind == KIND_KEPT) {
			count_kept(row, left);
			continue;
		}
		const struct purge_picked p = {
			.channel_id = db_value(row, 0, CHANNEL),
			.unit = db_value(row, 0, UNIT),
			.row = { db_value(row, 0, ID), db_i64(row, 0, UPDATE), db_i64(row, 0, EDIT), kind == KIND_EARLIER },
			.of_others = db_bool(row, 0, OTHERS),
		};
		rc = pick(ctx, &p, err);
	}
	if (rc < 0)
		db_stream_end(conn);
	return rc < 0 ? rc : ARK_OK;
}
