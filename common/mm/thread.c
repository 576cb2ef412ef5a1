#include "common/mm/thread.h"

#include "common/base/limits.h"

#include "common/base/banned.h"

enum ark_rc mm_threads_recount(struct db_conn *conn, const char *ids, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	/* locked first: who replies at this moment has to be through, or to wait and add to what is counted */
	ark_buf_fmt(&sql, "SELECT 1 FROM threads t WHERE t.postid IN (SELECT id FROM %s) ORDER BY t.postid FOR UPDATE", ids);
	enum ark_rc rc = db_exec(conn, sql.data, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&sql);
	ark_buf_fmt(&sql,
	            "UPDATE threads t SET replycount = x.replies, lastreplyat = x.newest, participants = x.people FROM "
	            "(SELECT r.id, coalesce(sum(y.n), 0) AS replies, coalesce(max(y.newest), 0) AS newest, "
	            "coalesce(jsonb_agg(y.userid ORDER BY y.newest) FILTER (WHERE y.userid IS NOT NULL), '[]') AS people "
	            "FROM (SELECT DISTINCT id FROM %s) r LEFT JOIN LATERAL (SELECT p.userid, count(*) AS n, "
	            "max(p.createat) AS newest FROM posts p WHERE p.rootid = r.id AND p.deleteat = 0 GROUP BY p.userid) y "
	            "ON true GROUP BY r.id) x WHERE t.postid = x.id AND (t.replycount, t.lastreplyat, t.participants) IS DISTINCT "
	            "FROM (x.replies, x.newest, x.people)", ids);
	return db_exec(conn, sql.data, err);
}
