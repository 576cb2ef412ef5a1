#include "import/load/growth.h"

#include "common/base/limits.h"

#include "common/base/banned.h"

#define WHO                                                                                        \
	"t.channelid = g.id AND NOT EXISTS (SELECT 1 FROM ark_new_channelmember x WHERE x.channelid = " \
	"t.channelid AND x.userid = t.userid)"

enum ark_rc growth_apply(struct db_conn *conn, int64_t run_no, uint64_t *affected, struct ark_err *err)
{
	char no[DB_NUM];
	uint64_t n = 0;
	/* locks them: what is noted is what the next statement finds */
	enum ark_rc rc = db_run(conn,
	                        "INSERT INTO matterark.change (run, tbl, key, before, after) SELECT $1::int, "
	                        "'channelmembers', ARRAY[x.channelid::text], jsonb_object_agg(x.userid, "
	                        "x.lastviewedat), jsonb_build_object('n', x.n, 'roots', x.roots, 'newest', x.newest) "
	                        "FROM (SELECT t.channelid, t.userid, t.lastviewedat, g.n, g.roots, g.newest FROM "
	                        "ark_grown g JOIN channelmembers t ON " WHO " FOR UPDATE OF t) x GROUP BY "
	                        "x.channelid, x.n, x.roots, x.newest",
	                        DB_PARAMS(db_num(run_no, no)), NULL, err);
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "UPDATE channelmembers t SET msgcount = t.msgcount + g.n, msgcountroot = t.msgcountroot + "
		            "g.roots, lastviewedat = CASE WHEN t.msgcount >= c.totalmsgcount THEN "
		            "greatest(t.lastviewedat, g.newest) ELSE t.lastviewedat END FROM ark_grown g JOIN "
		            "channels c ON c.id = g.id WHERE " WHO, DB_NO_PARAMS, &n, err);
	*affected += n;
	return rc < 0 ? ark_err_in(err, rc, "read state of members") : rc;
}

/* A line for each member that was counted up; the notes of earlier versions have two parts in their key. */
#define NOTES                                                                                      \
	"(SELECT c.key[1] AS channelid, b.key AS userid, b.value::bigint AS was, (c.after ->> 'n')::bigint " \
	"AS n, (c.after ->> 'roots')::bigint AS roots, (c.after ->> 'newest')::bigint AS newest FROM "       \
	"matterark.change c CROSS JOIN LATERAL jsonb_each_text(c.before) b WHERE c.run = $1::int AND c.tbl = " \
	"'channelmembers' AND cardinality(c.key) = 1)"

enum ark_rc growth_take_back(struct db_conn *conn, int64_t run_no, uint64_t *restored, uint64_t *kept,
                             struct ark_err *err)
{
	char no[DB_NUM];
	uint64_t n = 0;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT count(*) FROM " NOTES " b JOIN channelmembers t USING (channelid, "
	                              "userid) WHERE t.lastviewedat IS DISTINCT FROM b.was AND t.lastviewedat IS "
	                              "DISTINCT FROM b.newest",
	                              DB_PARAMS(db_num(run_no, no)), &res, err);
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "UPDATE channelmembers t SET msgcount = greatest(0, t.msgcount - b.n), msgcountroot = "
		            "greatest(0, t.msgcountroot - b.roots), lastviewedat = CASE WHEN t.lastviewedat = b.newest "
		            "THEN b.was ELSE t.lastviewedat END FROM " NOTES " b WHERE t.channelid = b.channelid AND "
		            "t.userid = b.userid",
		            DB_PARAMS(db_num(run_no, no)), &n, err);
	if (rc < 0)
		return ark_err_in(err, rc, "read state of members");
	*restored += n;
	*kept += (uint64_t)db_i64(res, 0, 0);
	return ARK_OK;
}
