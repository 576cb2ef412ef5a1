#include "import/load/growth.h"

#include "common/base/limits.h"
#include "import/load/change.h"

#include "common/base/banned.h"

#define GROWN                                                                                      \
	"(SELECT p.id, x.* FROM ark_portion p CROSS JOIN LATERAL jsonb_to_record(p.what) AS x (n bigint, roots " \
	"bigint, newest bigint, newest_root bigint)) g"

/* By how much they grew, never what they are. Members are locked by what notes them: that is what the next statement
 * finds. Channels last: every new post needs their rows. */
void growth_apply_sql(int64_t run_no, struct ark_buf *sql)
{
	static const struct change_set counts[] = {
		{ "totalmsgcount", "t.totalmsgcount + g.n" },
		{ "totalmsgcountroot", "t.totalmsgcountroot + g.roots" },
		{ "lastpostat", "greatest(t.lastpostat, g.newest)" },
		{ "lastrootpostat", "greatest(t.lastrootpostat, g.newest_root)" },
		{ NULL, NULL }
	};
	static const struct change_update channels = { "channels", counts, GROWN, "t.id = g.id" };
	ark_buf_fmt(sql,
	            "INSERT INTO matterark.change (run, tbl, key, before, after) SELECT %lld, 'channelmembers', "
	            "ARRAY[x.channelid::text], jsonb_object_agg(x.userid, x.lastviewedat), jsonb_build_object('n', x.n, "
	            "'roots', x.roots, 'newest', x.newest) FROM (SELECT t.channelid, t.userid, t.lastviewedat, g.n, g.roots, "
	            "g.newest FROM " GROWN " JOIN channelmembers t ON t.channelid = g.id FOR UPDATE OF t) x GROUP BY "
	            "x.channelid, x.n, x.roots, x.newest; UPDATE channelmembers t SET msgcount = t.msgcount + g.n, "
	            "msgcountroot = t.msgcountroot + g.roots, lastviewedat = CASE WHEN t.msgcount >= c.totalmsgcount THEN "
	            "greatest(t.lastviewedat, g.newest) ELSE t.lastviewedat END FROM " GROWN " JOIN channels c ON c.id = g.id "
	            "WHERE t.channelid = g.id; ", (long long)run_no);
	change_update_sql(run_no, &channels, sql);
}

/* A line for each member that was counted up; the notes of earlier versions have two parts in their key. */
#define NOTES                                                                                      \
	"(SELECT c.key[1] AS channelid, b.key AS userid, b.value::bigint AS was, (c.after ->> 'n')::bigint " \
	"AS n, (c.after ->> 'roots')::bigint AS roots, (c.after ->> 'newest')::bigint AS newest FROM "       \
	"ark_back_change c CROSS JOIN LATERAL jsonb_each_text(c.before) b WHERE c.tbl = 'channelmembers' AND " \
	"cardinality(c.key) = 1)"

enum ark_rc growth_take_back(struct db_conn *conn, uint64_t *restored, uint64_t *kept, struct ark_err *err)
{
	uint64_t n = 0;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT count(*) FROM " NOTES " b JOIN channelmembers t USING (channelid, "
	                              "userid) WHERE t.lastviewedat IS DISTINCT FROM b.was AND t.lastviewedat IS "
	                              "DISTINCT FROM b.newest",
	                              DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "UPDATE channelmembers t SET msgcount = greatest(0, t.msgcount - b.n), msgcountroot = "
		            "greatest(0, t.msgcountroot - b.roots), lastviewedat = CASE WHEN t.lastviewedat = b.newest "
		            "THEN b.was ELSE t.lastviewedat END FROM " NOTES " b WHERE t.channelid = b.channelid AND "
		            "t.userid = b.userid", DB_NO_PARAMS, &n, err);
	if (rc < 0)
		return ark_err_in(err, rc, "read state of members");
	*restored += n;
	*kept += (uint64_t)db_i64(res, 0, 0);
	return ARK_OK;
}
