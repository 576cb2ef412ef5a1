#include "import/load/reply.h"

#include "common/base/limits.h"
#include "import/load/change.h"

#include "common/base/banned.h"

/* Of a root r: replies, newest, people. */
#define REPLIES                                                                                    \
	"(SELECT sum(y.n) AS replies, max(y.newest) AS newest, coalesce(jsonb_agg(y.userid ORDER BY " \
	"y.newest), '[]') AS people FROM (SELECT p.userid, count(*) AS n, max(p.createat) AS newest " \
	"FROM posts p WHERE p.rootid = r.id AND p.deleteat = 0 GROUP BY p.userid) y) x"

/* "INSERT INTO table (columns) SELECT columns FROM <rows> v ON CONFLICT DO NOTHING", of `names` those that are there.
 * Fact: docs/mattermost-facts.md "Tables" */
static enum ark_rc insert_sql(struct db_conn *conn, const char *table, const char *names, const char *rows,
                              struct ark_buf *sql, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE "
	                              "a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname "
	                              "= ANY ($2::text[])",
	                              DB_PARAMS(ark_str_z(table), ark_str_z(names)), &res, err);
	if (rc < 0)
		return rc;
	struct ark_str columns = db_value(res, 0, 0);
	ark_buf_fmt(sql, "INSERT INTO %s (%.*s) SELECT %.*s FROM %s v ON CONFLICT DO NOTHING", table, ARK_FMT(columns),
	            ARK_FMT(columns), rows);
	return ARK_OK;
}

static enum ark_rc make_sql(struct db_conn *conn, const char *roots, struct ark_buf *sql, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf which;
	ark_buf_init(&which, LIMIT_SQL);
	ark_buf_fmt(&which,
	            "(SELECT r.id AS postid, x.replies AS replycount, x.newest AS lastreplyat, x.people AS participants, "
	            "root.channelid, 0 AS threaddeleteat, c.teamid AS threadteamid FROM %s r JOIN posts root ON root.id = r.id "
	            "JOIN channels c ON c.id = root.channelid CROSS JOIN LATERAL " REPLIES " WHERE x.replies > 0 AND NOT "
	            "EXISTS (SELECT 1 FROM threads t WHERE t.postid = r.id))", roots);
	return insert_sql(conn, "threads", "{postid,replycount,lastreplyat,participants,channelid,threaddeleteat,threadteamid}",
	                  which.data, sql, err);
}

enum ark_rc reply_make(struct db_conn *conn, const char *roots, uint64_t *rows, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	uint64_t n = 0;
	enum ark_rc rc = make_sql(conn, roots, &sql, err);
	if (rc == ARK_OK)
		rc = db_run(conn, sql.data, DB_NO_PARAMS, &n, err);
	*rows += n;
	return rc < 0 ? ark_err_in(err, rc, "merge into threads") : rc;
}

/* Whoever left a channel meanwhile does not follow. */
enum ark_rc reply_columns_find(struct db_conn *conn, struct reply_columns *c, struct ark_err *err)
{
	ark_buf_init(&c->threads, LIMIT_SQL);
	ark_buf_init(&c->followers, LIMIT_SQL);
	enum ark_rc rc = make_sql(conn, "ark_portion", &c->threads, err);
	if (rc == ARK_OK)
		rc = insert_sql(conn, "threadmemberships", "{postid,userid,following,lastviewed,lastupdated,unreadmentions}",
		                "(SELECT m.* FROM ark_portion r CROSS JOIN LATERAL jsonb_populate_recordset("
		                "NULL::threadmemberships, r.what) m JOIN posts p ON p.id = r.id JOIN channelmembers c ON "
		                "c.channelid = p.channelid AND c.userid = m.userid)", &c->followers, err);
	return rc;
}

void reply_columns_release(struct reply_columns *c)
{
	ark_buf_release(&c->threads);
	ark_buf_release(&c->followers);
}

void reply_portion_sql(const struct reply_columns *c, int64_t run_no, struct ark_buf *sql)
{
	static const struct change_set counts[] = { { "replycount", "x.replies" },
		                                    { "lastreplyat", "x.newest" },
		                                    { "participants", "x.people" },
		                                    { NULL, NULL } };
	/* counted once more when their rows are locked: people may have replied meanwhile */
	static const struct change_update threads = {
		"threads", counts, "ark_portion r, LATERAL " REPLIES,
		"t.postid = r.id AND x.replies > 0 AND (t.replycount, t.lastreplyat, t.participants) IS DISTINCT FROM "
		"(x.replies, x.newest, x.people)"
	};
	change_insert_sql(run_no, "threads", c->threads.data, sql);
	change_update_sql(run_no, &threads, sql);
	change_insert_sql(run_no, "threadmemberships", c->followers.data, sql);
}
