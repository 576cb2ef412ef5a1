#include "purge/batch.h"

#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/db/text.h"
#include "purge/record.h"
#include "purge/retry.h"

#include "common/base/banned.h"

/* ---- rows ---- */

void batch_init(struct batch *b)
{
	struct ark_buf *const ALL[] = { &b->first, &b->ids, &b->updates, &b->edits, &b->guards };
	b->count = 0;
	for (size_t i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++)
		ark_buf_init(ALL[i], LIMIT_SQL);
	batch_clear(b);
}

void batch_release(struct batch *b)
{
	ark_buf_release(&b->first);
	ark_buf_release(&b->ids);
	ark_buf_release(&b->updates);
	ark_buf_release(&b->edits);
	ark_buf_release(&b->guards);
}

void batch_clear(struct batch *b)
{
	struct ark_buf *const ALL[] = { &b->first, &b->ids, &b->updates, &b->edits, &b->guards };
	for (size_t i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++) {
		ark_buf_reset(ALL[i]);
		ark_buf_z(ALL[i], "{}");
	}
	b->count = 0;
}

static void value(struct ark_buf *array, bool is_first, struct ark_str text)
{
	ark_buf_cut(array, array->len - 1);
	ark_buf_fmt(array, "%s%.*s}", is_first ? "" : ",", ARK_FMT(text));
}

void batch_add(struct batch *b, struct ark_str first, const struct plan_row *row, bool guard)
{
	char update[DB_NUM], edit[DB_NUM];
	bool is_first = b->count++ == 0;
	snprintf(b->last, sizeof(b->last), "%.*s", ARK_FMT(first));
	value(&b->first, is_first, first);
	value(&b->ids, is_first, row->id);
	value(&b->updates, is_first, db_num(row->update_ms, update));
	value(&b->edits, is_first, db_num(row->edit_ms, edit));
	value(&b->guards, is_first, guard ? ARK_LIT("t") : ARK_LIT("f"));
}

/* ---- the transaction ---- */

enum ark_rc batch_prepare(const struct batch_job *job, struct ark_err *err)
{
	/* Some hundred rows against tables of any size: always by their indexes, or by that of the batch where a table
	 * has none for it. The planner would read whole tables as soon as they are not much larger than a batch. */
	return db_exec(job->conn,
	               "SET jit = off; SET max_parallel_workers_per_gather = 0; SET enable_hashjoin = off; SET "
	               "enable_mergejoin = off;"
	               "CREATE TEMP TABLE ark_batch (id varchar(26) PRIMARY KEY, first varchar(26), updateat bigint, editat "
	               "bigint, guard boolean) ON COMMIT DELETE ROWS", err);
}

static enum ark_rc fill(const struct batch_job *job, const struct batch *b, struct ark_err *err)
{
	enum ark_rc rc = db_run(job->conn,
	                        "INSERT INTO ark_batch SELECT i, f, u, e, g FROM unnest($1::varchar[], $2::varchar[], "
	                        "$3::bigint[], $4::bigint[], $5::boolean[]) x(f, i, u, e, g)",
	                        DB_PARAMS(ark_buf_view(&b->first), ark_buf_view(&b->ids), ark_buf_view(&b->updates),
	                                  ark_buf_view(&b->edits), ark_buf_view(&b->guards)), NULL, err);
	return rc == ARK_OK ? db_exec(job->conn, "ANALYZE ark_batch", err) : rc;
}

/* In the order of ids, as everybody who locks several should. */
static enum ark_rc lock_rows(const struct batch_job *job, struct ark_err *err)
{
	return db_exec(job->conn,
	               "SELECT count(*) FROM (SELECT 1 FROM posts p JOIN ark_batch b ON b.id = p.id ORDER BY p.id FOR UPDATE "
	               "OF p) x", err);
}

/* A table of ours, or one without rows in its place. */
static const char *ours(const struct batch_job *job, const char *table)
{
	return job->has_tables ? table : "(SELECT ''::varchar AS post_id, ''::text AS plan WHERE false)";
}

/* What is not there any more: by us, or by others. */
static enum ark_rc drop_gone(const struct batch_job *job, struct batch_counts *n, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "WITH gone AS (DELETE FROM ark_batch b WHERE NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = b.id) RETURNING "
	            "b.id, b.guard) SELECT count(*), count(l.post_id) FROM gone g LEFT JOIN %s l ON l.post_id = g.id AND l.plan = "
	            "$1 WHERE NOT g.guard", ours(job, "matterark.purge_ledger"));
	enum ark_rc rc = db_query_one(job->conn, sql.data, DB_PARAMS(ark_str_z(job->plan)), &res, err);
	if (rc < 0)
		return rc;
	n->before += (uint64_t)db_i64(res, 0, 1);
	n->gone += (uint64_t)(db_i64(res, 0, 0) - db_i64(res, 0, 1));
	return ARK_OK;
}

/*
 * Portions in which something is not as planned leave the batch. A portion that we deleted over the API may
 * have become deleted, and nothing else.
 */
static enum ark_rc drop_changed(const struct batch_job *job, const struct batch *b, struct batch_counts *n, bool *keeps,
                                struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "WITH bad AS (SELECT b.first FROM ark_batch b JOIN posts p ON p.id = b.id WHERE coalesce(p.editat, 0) <> "
	            "b.editat OR (coalesce(p.updateat, 0) <> b.updateat AND NOT (p.deleteat > 0 AND p.deleteat = p.updateat AND "
	            "p.updateat > b.updateat AND EXISTS (SELECT 1 FROM %s d WHERE d.post_id = b.first))) OR ",
	            ours(job, "matterark.purge_deleting"));
	purge_hold_sql(job->hold, "p", &sql);
	ark_buf_z(&sql, " UNION SELECT b.first FROM ark_batch b CROSS JOIN LATERAL (SELECT id FROM posts WHERE rootid = b.id OFFSET "
	                "0) q WHERE NOT b.guard AND NOT EXISTS (SELECT 1 FROM ark_batch c WHERE c.id = q.id)), dropped AS (DELETE FROM ark_batch b USING bad WHERE "
	                "b.first = bad.first RETURNING b.guard, b.first) SELECT count(*) FILTER (WHERE NOT guard), "
	                "coalesce(bool_or(first = $1), false) FROM dropped");
	enum ark_rc rc = db_query_one(job->conn, sql.data, DB_PARAMS(ark_str_z(b->last)), &res, err);
	if (rc < 0)
		return rc;
	n->changed += (uint64_t)db_i64(res, 0, 0);
	*keeps = !db_bool(res, 0, 1);
	return ARK_OK;
}

static struct mm_purge purge_of(const struct batch_job *job)
{
	return (struct mm_purge){ job->conn, job->info, "ark_batch", job->plan, ark_time_now_ms() };
}

static enum ark_rc delete_rows(const struct batch_job *job, struct batch_counts *n, struct ark_err *err)
{
	const struct mm_purge p = purge_of(job);
	struct mm_purge_counts went = { 0 };
	enum ark_rc rc = db_exec(job->conn, "DELETE FROM ark_batch WHERE guard", err);
	if (rc == ARK_OK)
		rc = mm_purge_expand(&p, NULL, err);
	if (rc == ARK_OK)
		rc = mm_purge_rows(&p, &went, err);
	if (rc == ARK_OK)
		rc = db_exec(job->conn, "DELETE FROM matterark.purge_deleting d USING ark_batch b WHERE d.post_id = b.id", err);
	if (rc == ARK_OK)
		rc = purge_record_add(job->conn, job->plan, &went, err);
	if (rc < 0)
		return rc;
	n->went.posts += went.posts;
	n->went.earlier += went.earlier;
	n->went.reactions += went.reactions;
	n->went.files += went.files;
	n->went.file_bytes += went.file_bytes;
	n->went.files_kept += went.files_kept;
	n->went.hanging += went.hanging;
	return ARK_OK;
}

/* What would go, for a dry run. */
static enum ark_rc count_rows(const struct batch_job *job, struct batch_counts *n, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(job->conn,
	                              "SELECT count(*) FILTER (WHERE p.originalid = ''), count(*) FILTER (WHERE p.originalid <> "
	                              "'') FROM ark_batch b JOIN posts p ON p.id = b.id WHERE NOT b.guard",
	                              DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	n->went.posts += (uint64_t)db_i64(res, 0, 0);
	n->went.earlier += (uint64_t)db_i64(res, 0, 1);
	return ARK_OK;
}

struct attempt {
	const struct batch_job *job;
	const struct batch *batch;
	struct batch_counts *counts;
	bool keeps;
};

static enum ark_rc apply_once(void *ctx, struct ark_err *err)
{
	struct attempt *t = ctx;
	const struct batch_job *job = t->job;
	struct batch_counts n = *t->counts;
	const uint64_t before = n.gone + n.before;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, job->conn, "", err);
	if (rc == ARK_OK)
		rc = fill(job, t->batch, err);
	if (rc == ARK_OK && !job->dry_run)
		rc = lock_rows(job, err);
	if (rc == ARK_OK)
		rc = drop_gone(job, &n, err);
	if (rc == ARK_OK && n.gone + n.before - before < t->batch->count) {
		rc = drop_changed(job, t->batch, &n, &t->keeps, err);
		if (rc == ARK_OK)
			rc = job->dry_run ? count_rows(job, &n, err) : delete_rows(job, &n, err);
		if (rc == ARK_OK && !job->dry_run)
			rc = db_txn_commit(&txn, err);
	}
	if (rc == ARK_OK)
		*t->counts = n;
	return rc;
}

/* ---- over the API ---- */

/* Roots, and replies whose root is not among them, that are live and as planned; remembered first, because what
 * we delete is no more as planned. */
static enum ark_rc announce(const struct batch_job *job, const struct batch *b, struct db_result **out,
                            struct ark_err *err)
{
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	struct batch_counts ignored = { 0 };
	bool keeps = true;
	enum ark_rc rc = db_txn_begin(&txn, job->conn, "", err);
	if (rc == ARK_OK)
		rc = fill(job, b, err);
	if (rc == ARK_OK)
		rc = drop_changed(job, b, &ignored, &keeps, err);
	if (rc == ARK_OK)
		rc = db_exec(job->conn,
		             "INSERT INTO matterark.purge_deleting SELECT DISTINCT b.first FROM ark_batch b JOIN posts p ON p.id = "
		             "b.id WHERE p.deleteat = 0 ON CONFLICT DO NOTHING", err);
	if (rc == ARK_OK)
		rc = db_query(job->conn,
		              "SELECT p.id FROM ark_batch b JOIN posts p ON p.id = b.id WHERE p.deleteat = 0 AND p.originalid = '' "
		              "AND NOT EXISTS (SELECT 1 FROM ark_batch r WHERE r.id = p.rootid) ORDER BY p.id", DB_NO_PARAMS, out,
		              err);
	return rc == ARK_OK ? db_txn_commit(&txn, err) : rc;
}

static enum ark_rc tell_server(const struct batch_job *job, const struct batch *b, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *live = NULL;
	enum ark_rc rc = announce(job, b, &live, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(live); i++) {
		char id[MM_ID_LEN + 1];
		int status = 0;
		snprintf(id, sizeof(id), "%.*s", ARK_FMT(db_value(live, i, 0)));
		rc = mm_api_delete_post(job->api, id, &status, err);
		if (rc < 0)
			return ark_err_in(err, rc, "deleting message '%s' over the API", id);
		if (status == 200 || status == 404)
			continue;
		ark_err_set(err, ARK_KIND_REFUSED, "the server did not delete message '%s': it answered %d", id, status);
		ark_err_hint(err, status == 401 || status == 403 ? "the token must be an administrator's" : "see its log");
		return ARK_FAIL;
	}
	return rc;
}

enum ark_rc batch_apply(const struct batch_job *job, const struct batch *b, struct batch_counts *counts, bool *keeps,
                        struct ark_err *err)
{
	struct attempt t = { job, b, counts, true };
	enum ark_rc rc = ARK_OK;
	*keeps = true;
	if (b->count == 0)
		return rc;
	if (job->api != NULL && !job->dry_run)
		rc = tell_server(job, b, err);
	if (rc == ARK_OK)
		rc = purge_retry(job->conn, job->interrupted, apply_once, &t, err);
	*keeps = t.keeps;
	return rc;
}

/* ---- the second look ---- */

static enum ark_rc sweep_once(void *ctx, struct ark_err *err)
{
	struct attempt *t = ctx;
	const struct batch_job *job = t->job;
	struct batch_counts n = *t->counts;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, job->conn, "", err);
	if (rc == ARK_OK)
		rc = db_run(job->conn,
		            "INSERT INTO ark_batch (id, guard) SELECT i, false FROM unnest($1::varchar[]) x(i) CROSS JOIN LATERAL "
		            "(SELECT 1 FROM matterark.purge_ledger WHERE post_id = x.i AND plan = $2 OFFSET 0) l",
		            DB_PARAMS(ark_buf_view(&t->batch->ids), ark_str_z(job->plan)), NULL, err);
	if (rc == ARK_OK)
		rc = db_exec(job->conn, "ANALYZE ark_batch", err);
	if (rc == ARK_OK)
		rc = delete_rows(job, &n, err);
	if (rc == ARK_OK)
		rc = db_txn_commit(&txn, err);
	if (rc < 0)
		return rc;
	n.late += n.went.posts - t->counts->went.posts;
	*t->counts = n;
	return ARK_OK;
}

enum ark_rc batch_sweep(const struct batch_job *job, const struct batch *b, struct batch_counts *counts,
                        struct ark_err *err)
{
	struct attempt t = { job, b, counts, true };
	return b->count == 0 ? ARK_OK : purge_retry(job->conn, job->interrupted, sweep_once, &t, err);
}
