#include "purge/settle.h"

#include <stdio.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/mm/purge.h"
#include "purge/retry.h"

#include "common/base/banned.h"

#define THREADS_AT_ONCE 50
#define CHANNELS_AT_ONCE 1
#define CHANGES_AT_ONCE "5000"
#define FILES_AT_ONCE "5000"
#define OBJECTS_AT_ONCE "500"
#define CLOCKS_MS 600000 /* by which the clocks of servers may differ */

/* ---- rows ---- */

struct step {
	struct mm_purge purge;
	bool ended;
};

static enum ark_rc threads_once(void *ctx, struct ark_err *err)
{
	struct step *s = ctx;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, s->purge.conn, "", err);
	if (rc == ARK_OK)
		rc = mm_purge_threads(&s->purge, THREADS_AT_ONCE, err);
	s->ended = rc == ARK_END;
	return rc < 0 ? rc : db_txn_commit(&txn, err);
}

static enum ark_rc channels_once(void *ctx, struct ark_err *err)
{
	struct step *s = ctx;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	enum ark_rc rc = db_txn_begin(&txn, s->purge.conn, "", err);
	if (rc == ARK_OK)
		rc = mm_purge_channels(&s->purge, CHANNELS_AT_ONCE, err);
	s->ended = rc == ARK_END;
	return rc < 0 ? rc : db_txn_commit(&txn, err);
}

static enum ark_rc all_of(struct purge_app *a, const char *plan, purge_step_fn *once, struct ark_err *err)
{
	struct step s = { .purge = { a->conn, a->info, "", plan, ark_time_now_ms() } };
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && !s.ended) {
		rc = ark_interrupt_check(err);
		if (rc == ARK_OK)
			rc = purge_retry(a->conn, ark_interrupted, once, &s, err);
	}
	return rc;
}

/* Rows as they were before an import changed them hold texts and names too. */
static enum ark_rc forget_changes(struct purge_app *a, struct ark_err *err)
{
	static const char SQL[] =
		"WITH page AS MATERIALIZED (SELECT run, no, tbl, CASE tbl WHEN 'posts' THEN key[1] WHEN 'fileinfo' THEN "
		"coalesce(before, after) ->> 'postid' WHEN 'matterark.slack_file' THEN coalesce(before, after) ->> 'post_id' END AS "
		"post FROM matterark.change WHERE (run, no) > ($1::int, $2::bigint) ORDER BY run, no LIMIT " CHANGES_AT_ONCE "), "
		"gone AS (DELETE FROM matterark.change c USING page p JOIN matterark.purge_ledger l ON l.post_id = p.post WHERE c.run "
		"= p.run AND c.no = p.no) SELECT run, no FROM page ORDER BY run DESC, no DESC LIMIT 1";
	ark_auto(db_result_freep) struct db_result *there = NULL;
	enum ark_rc rc = db_query_one(a->conn, "SELECT to_regclass('matterark.change') IS NOT NULL", DB_NO_PARAMS, &there, err);
	if (rc < 0 || !db_bool(there, 0, 0))
		return rc;
	char run[DB_NUM], no[DB_NUM];
	int64_t last_run = -1, last_no = -1;
	for (;;) {
		ark_auto(db_result_freep) struct db_result *page = NULL;
		rc = db_query(a->conn, SQL, DB_PARAMS(db_num(last_run, run), db_num(last_no, no)), &page, err);
		if (rc < 0 || db_rows(page) == 0)
			return rc;
		last_run = db_i64(page, 0, 0);
		last_no = db_i64(page, 0, 1);
		if ((rc = ark_interrupt_check(err)) < 0)
			return rc;
	}
}

enum ark_rc settle_rows(struct purge_app *a, const char *plan, struct ark_err *err)
{
	/* whole tables from here on, not some hundred rows of them (batch_prepare) */
	enum ark_rc rc = db_exec(a->conn, "RESET enable_hashjoin; RESET enable_mergejoin", err);
	if (rc == ARK_OK)
		rc = all_of(a, plan, threads_once, err);
	if (rc == ARK_OK)
		rc = all_of(a, plan, channels_once, err);
	return rc == ARK_OK ? forget_changes(a, err) : rc;
}

/* ---- bodies ---- */

enum ark_rc settle_waiting(struct db_conn *conn, uint64_t *objects, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT count(*) FROM matterark.purge_work WHERE kind = 'object'", DB_NO_PARAMS,
	                              &res, err);
	if (rc == ARK_OK)
		*objects = (uint64_t)db_i64(res, 0, 0);
	return rc;
}

#define PATHS(f) "CROSS JOIN LATERAL (VALUES (" f ".path), (" f ".thumbnailpath), (" f ".previewpath)) o(path)"

/* What any row of fileinfo names leaves the queue. */
static enum ark_rc drop_shared(struct purge_app *a, uint64_t *shared, struct ark_err *err)
{
	static const char SQL[] =
		"WITH page AS MATERIALIZED (SELECT id, path, thumbnailpath, previewpath FROM fileinfo WHERE id > $1 ORDER BY id LIMIT "
		FILES_AT_ONCE "), gone AS (DELETE FROM matterark.purge_work w USING (SELECT DISTINCT o.path FROM page f " PATHS("f")
		" WHERE o.path <> '') x WHERE w.kind = 'object' AND w.id = x.path RETURNING 1) SELECT (SELECT id FROM page ORDER BY id "
		"DESC LIMIT 1), (SELECT count(*) FROM page), (SELECT count(*) FROM gone)";
	ark_auto(ark_buf_release) struct ark_buf after;
	ark_buf_init(&after, 1024);
	for (;;) {
		ark_auto(db_result_freep) struct db_result *page = NULL;
		enum ark_rc rc = db_query_one(a->conn, SQL, DB_PARAMS(ark_buf_view(&after)), &page, err);
		if (rc < 0)
			return rc;
		*shared += (uint64_t)db_i64(page, 0, 2);
		ark_progress_add(&a->bar, (uint64_t)db_i64(page, 0, 1), 0);
		if (db_null(page, 0, 0))
			return ARK_OK;
		ark_buf_reset(&after);
		ark_buf_str(&after, db_value(page, 0, 0));
		if ((rc = ark_interrupt_check(err)) < 0)
			return rc;
	}
}

/* Bodies that an import has stored and whose rows are written by its next run. */
static enum ark_rc drop_waiting_imports(struct purge_app *a, uint64_t *shared, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *there = NULL;
	enum ark_rc rc = db_query_one(a->conn, "SELECT to_regclass('matterark.slack_file') IS NOT NULL", DB_NO_PARAMS, &there,
	                              err);
	if (rc < 0 || !db_bool(there, 0, 0))
		return rc;
	uint64_t n = 0;
	rc = db_run(a->conn,
	            "DELETE FROM matterark.purge_work w USING matterark.slack_file f CROSS JOIN LATERAL (VALUES (f.path), "
	            "(f.thumbnail), (f.preview)) o(path) WHERE f.state = 'stored' AND NOT f.attached AND w.kind = 'object' AND "
	            "w.id = o.path", DB_NO_PARAMS, &n, err);
	*shared += n;
	return rc;
}

/* Places of the store that hold no message's file, whatever a row says.
 * Fact: docs/mattermost-facts.md "Files" */
static bool is_foreign(struct ark_str path)
{
	static const char *const FOLDERS[] = { "users/", "emoji/", "brand/", "plugins/" };
	for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++)
		if (ark_str_starts(path, ark_str_z(FOLDERS[i])))
			return true;
	return ark_str_ends(path, ARK_LIT("/teamIcon.png"));
}

/* Of the next paths those that no row has named since `since_ms`. */
static enum ark_rc next_paths(struct purge_app *a, int64_t since_ms, struct ark_str after, struct db_result **out,
                              struct ark_err *err)
{
	char since[DB_NUM];
	return db_query(a->conn,
	                "SELECT w.id, EXISTS (SELECT 1 FROM fileinfo f " PATHS("f") " WHERE f.updateat >= $1::bigint AND o.path = "
	                "w.id) FROM (SELECT id FROM matterark.purge_work WHERE kind = 'object' AND id > $2 ORDER BY id LIMIT "
	                OBJECTS_AT_ONCE ") w ORDER BY w.id", DB_PARAMS(db_num(since_ms, since), after), out, err);
}

static enum ark_rc remove_one(struct purge_app *a, struct store *store, struct ark_str path, struct settle_objects *out,
                              bool *done, struct ark_err *err)
{
	ark_auto(ark_freep) char *name = ark_strdup(path);
	struct ark_err why = { 0 };
	*done = true;
	if (is_foreign(path)) {
		out->refused++;
		ark_warn(a->talk, "purge.foreign_path", "a row of a file names '%s', which is no message's file; it stays", name);
		return ARK_OK;
	}
	enum ark_rc rc = store_delete(store, name, &why);
	if (rc == ARK_OK) {
		out->removed++;
		return rc;
	}
	if (rc == ARK_STOP) {
		*err = why;
		return rc;
	}
	*done = why.kind == ARK_KIND_INPUT || why.kind == ARK_KIND_USAGE; /* no path that a store can have */
	*(*done ? &out->refused : &out->failed) += 1;
	ark_warn(a->talk, "purge.object_failed", "%s; continuing", why.text);
	return ARK_OK;
}

/* "{...}" of paths: in double quotes, since they may hold anything. */
static void add_path(struct ark_buf *array, struct ark_str path)
{
	ark_buf_z(array, array->len > 1 ? ",\"" : "\"");
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '"' || path.ptr[i] == '\\')
			ark_buf_c(array, '\\');
		ark_buf_c(array, path.ptr[i]);
	}
	ark_buf_c(array, '"');
}

static enum ark_rc remove_some(struct purge_app *a, struct store *store, const struct db_result *paths,
                               struct settle_objects *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf done;
	ark_buf_init(&done, LIMIT_SQL);
	ark_buf_c(&done, '{');
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < db_rows(paths) && rc == ARK_OK; i++) {
		bool shared = db_bool(paths, i, 1), off = true;
		out->shared += shared;
		if (!shared)
			rc = remove_one(a, store, db_value(paths, i, 0), out, &off, err);
		if (rc == ARK_OK && off)
			add_path(&done, db_value(paths, i, 0));
		ark_progress_add(&a->bar, 1, 0);
	}
	ark_buf_c(&done, '}');
	struct ark_err first = *err;
	enum ark_rc off = db_run(a->conn, "DELETE FROM matterark.purge_work WHERE kind = 'object' AND id = ANY ($1::text[])",
	                         DB_PARAMS(ark_buf_view(&done)), NULL, err);
	if (rc < 0)
		*err = first;
	return rc < 0 ? rc : off;
}

enum ark_rc settle_objects(struct purge_app *a, struct store *store, struct settle_objects *out, struct ark_err *err)
{
	int64_t since_ms = ark_time_now_ms() - CLOCKS_MS;
	uint64_t waiting = 0;
	*out = (struct settle_objects){ 0 };
	enum ark_rc rc = settle_waiting(a->conn, &waiting, err);
	if (rc < 0 || waiting == 0)
		return rc;
	purge_bar_begin(a, "comparing files", "files", 0);
	rc = drop_shared(a, &out->shared, err);
	if (rc == ARK_OK)
		rc = drop_waiting_imports(a, &out->shared, err);
	ark_auto(ark_buf_release) struct ark_buf after;
	ark_buf_init(&after, 64u << 10);
	purge_bar_begin(a, "removing files", "files", waiting - out->shared);
	while (rc == ARK_OK) {
		ark_auto(db_result_freep) struct db_result *paths = NULL;
		rc = next_paths(a, since_ms, ark_buf_view(&after), &paths, err);
		if (rc < 0 || db_rows(paths) == 0)
			return rc;
		ark_buf_reset(&after);
		ark_buf_str(&after, db_value(paths, db_rows(paths) - 1, 0));
		rc = remove_some(a, store, paths, out, err);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc;
}
