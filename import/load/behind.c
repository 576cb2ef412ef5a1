#include "import/load/behind.h"

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/mm/state.h"
#include "import/load/claim.h"
#include "import/load/growth.h"
#include "import/load/merge.h"
#include "import/load/reply.h"

#include "common/base/banned.h"

/* ---- writing it down ---- */

enum ark_rc behind_note(const struct load *l, struct db_conn *conn, struct ark_err *err)
{
	char no[DB_NUM], at[DB_NUM];
	struct db_params mine = DB_PARAMS(db_num(l->run_no, no), db_num(l->start_ms, at));
	enum ark_rc rc = db_run(conn,
	                        "INSERT INTO matterark.pending (run, kind, id, at, what) SELECT $1::int, 'thread', r.id, "
	                        "$2::bigint, coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.userid) FILTER (WHERE s.userid IS "
	                        "NOT NULL), '[]') FROM ark_root r LEFT JOIN ark_stage_threadmemberships s ON s.postid = "
	                        "r.id AND NOT EXISTS (SELECT 1 FROM threadmemberships m WHERE m.postid = s.postid AND "
	                        "m.userid = s.userid) WHERE NOT r.made GROUP BY r.id",
	                        mine, NULL, err);
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "INSERT INTO matterark.pending (run, kind, id, at, what) SELECT $1::int, 'channel', g.id, "
		            "$2::bigint, jsonb_build_object('n', g.n, 'roots', g.roots, 'newest', g.newest, "
		            "'newest_root', g.newest_root) FROM ark_grown g",
		            mine, NULL, err);
	return rc < 0 ? ark_err_in(err, rc, "what is left to do") : rc;
}

enum ark_rc behind_note_posts(const struct load *l, struct db_conn *conn, const char *which, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "INSERT INTO matterark.pending (run, kind, id, at, what) SELECT %lld, 'post', x.id, %lld, '{}' FROM "
	            "(%s) x (id) ON CONFLICT DO NOTHING", (long long)l->run_no, (long long)l->start_ms, which);
	return db_run(conn, sql.data, DB_NO_PARAMS, NULL, err);
}

/* ---- the queue ---- */

/*
 * ark_behind: what is left, in order, `reach` being the sum of the weights up to there. A row of posts weighs ten, for
 * its indexes, one of channelmembers one. What one thread or channel needs is one row, hence never in two portions.
 */
static const char QUEUE[] =
    "CREATE TEMP TABLE ark_behind AS SELECT sum(x.weight) OVER (ORDER BY x.run, x.undo, x.kind, x.id) AS reach, x.run, "
    "x.undo, x.kind, x.id, x.nos FROM (SELECT p.run, false AS undo, p.kind, p.id::text AS id, CASE p.kind WHEN 'thread' "
    "THEN 20 + jsonb_array_length(p.what) WHEN 'post' THEN 10 ELSE 5 + (SELECT count(*) FROM channelmembers m WHERE "
    "m.channelid = p.id) END AS weight, NULL::bigint[] AS nos FROM matterark.pending p UNION ALL SELECT c.run, true, CASE "
    "c.tbl WHEN 'posts' THEN 'post' WHEN 'channelmembers' THEN 'channel' WHEN 'channels' THEN 'channel' ELSE 'thread' END, "
    "c.key[1], sum(CASE WHEN c.tbl = 'channelmembers' THEN (SELECT count(*) FROM jsonb_object_keys(c.before)) WHEN c.tbl = "
    "'threadmemberships' THEN 2 ELSE 10 END), array_agg(c.no) FROM matterark.change c JOIN matterark.run r ON r.run_no = "
    "c.run WHERE r.undone IS NOT NULL GROUP BY 1, 2, 3, 4) x";

/* And what portions work with: made once, because making tables is half of the work of a small portion. */
static const char TABLES[] =
    "CREATE INDEX ON ark_behind (reach); ANALYZE ark_behind; CREATE TEMP TABLE ark_noted AS SELECT DISTINCT b.run, coalesce("
    "(SELECT max(c.no) FROM matterark.change c WHERE c.run = b.run), 0) AS no FROM ark_behind b WHERE NOT b.undo; CREATE TEMP "
    "TABLE ark_portion (LIKE matterark.pending); CREATE TEMP TABLE ark_back_change (LIKE matterark.change); CREATE TEMP TABLE "
    "ark_recount (id varchar(26))";

struct portion {
	int64_t from, to; /* of reach: above, up to */
	int64_t run_no;
	bool undo;
	struct ark_str kind;
	struct db_result *row; /* what `kind` borrows from */
};

struct behind {
	struct db_conn *conn;
	bool dry;
	void (*back)(void *ctx, const char *table, const struct restore_count *n);
	void *ctx;
	struct reply_columns columns;
	struct behind_outcome *out;
};

/* Is anything left? A schema without the table is of an earlier version, which left nothing. */
static enum ark_rc left(struct db_conn *conn, bool *any, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = mm_state_has_pending(conn, any, err);
	if (rc < 0 || !*any)
		return rc;
	rc = db_query_one(conn, "SELECT EXISTS (SELECT 1 FROM matterark.run r WHERE " MM_STATE_LEFT_SQL " > 0)", DB_NO_PARAMS,
	                  &res, err);
	if (rc == ARK_OK)
		*any = db_bool(res, 0, 0);
	return rc;
}

static enum ark_rc queue(struct db_conn *conn, bool *any, struct ark_err *err)
{
	enum ark_rc rc = left(conn, any, err);
	if (rc < 0 || !*any)
		return rc;
	rc = db_exec(conn, "DROP TABLE IF EXISTS ark_behind, ark_noted, ark_portion, ark_back_change, ark_recount", err);
	if (rc == ARK_OK)
		rc = db_exec(conn, QUEUE, err);
	return rc < 0 ? rc : db_exec(conn, TABLES, err);
}

/* As many as weigh `budget`, one at least, all of one run and kind. ARK_END behind the last. */
static enum ark_rc next(struct db_conn *conn, int64_t budget, struct portion *p, struct ark_err *err)
{
	char from[DB_NUM], most[DB_NUM];
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn,
	                          "WITH f AS (SELECT * FROM ark_behind WHERE reach > $1::numeric ORDER BY reach LIMIT 1) SELECT "
	                          "f.run, f.undo, f.kind, coalesce((SELECT max(b.reach) FROM ark_behind b WHERE b.reach > "
	                          "f.reach AND b.reach <= $1::numeric + $2::numeric AND (b.run, b.undo, b.kind) = (f.run, "
	                          "f.undo, f.kind)), f.reach) FROM f",
	                          DB_PARAMS(db_num(p->to, from), db_num(budget, most)), &res, err);
	if (rc < 0)
		return rc;
	if (db_rows(res) == 0)
		return ARK_END;
	db_result_free(p->row);
	p->row = res;
	res = NULL;
	p->from = p->to;
	p->run_no = db_i64(p->row, 0, 0);
	p->undo = db_bool(p->row, 0, 1);
	p->kind = db_value(p->row, 0, 2);
	p->to = db_i64(p->row, 0, 3);
	return ARK_OK;
}

/* The marks go first: whoever else would do the same waits here, and finds nothing. */
static void take_sql(const struct portion *p, struct ark_buf *sql)
{
	/* few rows, found by keys: nobody has to read a whole table for them */
	ark_buf_z(sql, "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; ");
	if (p->undo)
		ark_buf_fmt(sql,
		            "TRUNCATE ark_back_change, ark_recount; WITH taken AS (DELETE FROM matterark.change c USING "
		            "(SELECT unnest(nos) AS no FROM ark_behind WHERE reach > %lld AND reach <= %lld) b WHERE c.run = %lld AND "
		            "c.no = b.no RETURNING c.*) INSERT INTO ark_back_change SELECT * FROM taken; ANALYZE "
		            "ark_back_change; ",
		            (long long)p->from, (long long)p->to, (long long)p->run_no);
	else
		ark_buf_fmt(sql,
		            "TRUNCATE ark_portion; WITH taken AS (DELETE FROM matterark.pending p USING ark_behind b WHERE b.reach "
		            "> %lld AND b.reach <= %lld AND p.run = %lld AND p.kind = b.kind AND p.id = b.id RETURNING p.*) INSERT "
		            "INTO ark_portion SELECT * FROM taken; ANALYZE ark_portion; ",
		            (long long)p->from, (long long)p->to, (long long)p->run_no);
}

/* ---- one portion ---- */

static void do_sql(const struct behind *b, const struct portion *p, struct ark_buf *sql)
{
	static const struct change_set seen[] = { { "updateat", "r.at" }, { NULL, NULL } };
	static const struct change_update posts = { "posts", seen, "ark_portion r", "t.id = r.id AND t.updateat < r.at" };
	if (ark_str_eqz(p->kind, "channel")) {
		growth_apply_sql(p->run_no, sql);
		return;
	}
	if (ark_str_eqz(p->kind, "thread"))
		reply_portion_sql(&b->columns, p->run_no, sql);
	change_update_sql(p->run_no, &posts, sql);
}

/* Tables that a kind of thing has rows in, in the order of change_table_at. */
static const struct {
	const char *kind, *table;
} BACK[] = {
	{ "thread", "threadmemberships" }, { "thread", "threads" },  { "post", "posts" },
	{ "channel", "channelmembers" },   { "channel", "channels" },
};

static enum ark_rc take_back_portion(struct behind *b, const struct portion *p, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(BACK) / sizeof(BACK[0]) && rc == ARK_OK; i++) {
		struct restore_count n;
		if (!ark_str_eqz(p->kind, BACK[i].kind))
			continue;
		rc = restore_table(b->conn, change_table(ark_str_z(BACK[i].table)), &n, err);
		if (rc == ARK_OK && strcmp(BACK[i].table, "threads") == 0)
			rc = restore_threads(b->conn, err);
		if (rc == ARK_OK && b->back != NULL)
			b->back(b->ctx, BACK[i].table, &n);
	}
	return rc;
}

/* All at once, because nobody has to wait for this process to be given a processor between two statements. */
static enum ark_rc work(struct behind *b, const struct portion *p, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	take_sql(p, &sql);
	if (!p->undo)
		do_sql(b, p, &sql);
	enum ark_rc rc = db_exec(b->conn, sql.data, err);
	if (rc < 0)
		return ark_err_in(err, rc, "%.*ss", ARK_FMT(p->kind));
	return p->undo ? take_back_portion(b, p, err) : rc;
}

/* How many rows were written since the queue was made, by what is noted of them. */
static enum ark_rc count_rows(struct behind *b, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(b->conn,
	                              "SELECT coalesce(sum(CASE WHEN c.tbl = 'channelmembers' THEN (SELECT count(*) FROM "
	                              "jsonb_object_keys(c.before)) ELSE 1 END), 0) FROM ark_noted n JOIN matterark.change c ON "
	                              "c.run = n.run AND c.no > n.no",
	                              DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		b->out->rows += (uint64_t)db_i64(res, 0, 0);
	return rc;
}

#define TRIES 10

/* Of its own, or one that is taken back inside the caller's. */
static enum ark_rc transact(struct behind *b, const struct portion *p, struct ark_err *err)
{
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = b->dry ? db_exec(b->conn, "SAVEPOINT ark_portion", err) : db_txn_begin(&txn, b->conn, "", err);
	if (rc == ARK_OK)
		rc = work(b, p, err);
	if (rc == ARK_OK && b->dry)
		rc = count_rows(b, err);
	if (rc < 0)
		return rc;
	return b->dry ? db_exec(b->conn, "ROLLBACK TO SAVEPOINT ark_portion; RELEASE SAVEPOINT ark_portion", err)
	              : db_txn_commit(&txn, err);
}

static enum ark_rc one_portion(struct behind *b, const struct portion *p, int64_t *took_ms, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (int i = 1; i <= TRIES; i++) {
		int64_t began = ark_time_tick_ms();
		rc = transact(b, p, err);
		*took_ms = ark_time_tick_ms() - began;
		/* people take the same locks in another order: whom the server picks to solve that tries again */
		if (rc == ARK_OK || b->dry || !db_alive(b->conn) || strcmp(db_sqlstate(b->conn), "40P01") != 0)
			break;
	}
	return rc;
}

static void portion_release(struct portion *p)
{
	db_result_free(p->row);
}

static void behind_release(struct behind *b)
{
	reply_columns_release(&b->columns);
}

/* The next one is as large as took about LIMIT_BEHIND_MS, whatever else the machine does. */
static int64_t fit(int64_t budget, int64_t took_ms)
{
	if (took_ms > LIMIT_BEHIND_MS)
		return budget / 2 > LIMIT_BEHIND_LEAST ? budget / 2 : LIMIT_BEHIND_LEAST;
	if (took_ms < LIMIT_BEHIND_MS / 2)
		return budget * 2 < LIMIT_BEHIND_MOST ? budget * 2 : LIMIT_BEHIND_MOST;
	return budget;
}

enum ark_rc behind_finish(struct db_conn *conn, bool dry,
                          void (*back)(void *ctx, const char *table, const struct restore_count *n), void *ctx,
                          struct behind_outcome *out, struct ark_err *err)
{
	*out = (struct behind_outcome){ 0 };
	ark_auto(behind_release) struct behind b = { .conn = conn, .dry = dry, .back = back, .ctx = ctx, .out = out };
	ark_auto(portion_release) struct portion p = { 0 };
	int64_t budget = LIMIT_BEHIND_FIRST;
	bool any = false;
	enum ark_rc rc = queue(conn, &any, err);
	if (rc < 0 || !any)
		return rc;
	rc = reply_columns_find(conn, &b.columns, err);
	while (rc == ARK_OK && (rc = next(conn, budget, &p, err)) == ARK_OK) {
		int64_t took = 0;
		rc = one_portion(&b, &p, &took, err);
		out->portions++;
		out->longest_ms = took > out->longest_ms ? took : out->longest_ms;
		budget = fit(budget, took);
	}
	if (rc == ARK_END && !dry)
		rc = count_rows(&b, err);
	if (rc < 0)
		return rc;
	return db_exec(conn, "DROP TABLE ark_behind, ark_noted, ark_portion, ark_back_change, ark_recount", err);
}

enum ark_rc behind_claim(struct db_conn *conn, bool dry, struct db_txn *txn, bool *finished, struct ark_err *err)
{
	for (int i = 0; i < TRIES; i++) {
		struct behind_outcome did;
		enum ark_rc rc = dry ? ARK_OK : behind_finish(conn, false, NULL, NULL, &did, err);
		if (rc < 0)
			return rc;
		*finished = *finished || (!dry && did.portions > 0);
		rc = db_txn_begin(txn, conn, "", err);
		if (rc == ARK_OK)
			rc = claim_database(conn, err);
		bool any = false;
		if (rc == ARK_OK)
			rc = left(conn, &any, err);
		if (rc < 0 || !any || dry)
			return rc;
		db_txn_end(txn); /* another run came to its end between the two */
	}
	return ark_err_set(err, ARK_KIND_LOCKED, "other runs into this database come one after the other");
}
