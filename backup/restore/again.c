#include "backup/restore/again.h"

#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/db/text.h"
#include "common/mm/ledger.h"
#include "common/mm/purge.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define LEDGER "purge_ledger"

static const struct repo_part *ledger_of(const struct repo_contents *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->parts[i].kind == REPO_PART_TABLE && ark_str_eqz(c->parts[i].schema, "matterark") &&
		    ark_str_eqz(c->parts[i].name, LEDGER))
			return &c->parts[i];
	return NULL;
}

/* The rows of another snapshot's ledger, those that are not here yet. */
static enum ark_rc take_rows(struct db_conn *conn, struct repo *repo, const struct repo_part *p, struct ark_err *err)
{
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(repo);
	ark_auto(ark_buf_release) struct ark_buf sql;
	struct ark_str text;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = mm_ledger_create(conn, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, "CREATE TEMP TABLE newest_ledger (LIKE matterark." LEDGER ") ON COMMIT DROP", err);
	ark_buf_fmt(&sql, "COPY pg_temp.newest_ledger (%.*s) FROM STDIN", ARK_FMT(p->columns));
	if (rc == ARK_OK)
		rc = db_copy_begin(conn, sql.data, err);
	repo_rows_begin(rows, p);
	while (rc == ARK_OK && (rc = repo_rows_next(rows, &text, err)) == ARK_OK)
		rc = db_copy_data(conn, text.ptr, text.len, err);
	if (rc == ARK_END)
		rc = db_copy_finish(conn, NULL, err);
	return rc == ARK_OK ? db_exec(conn, "INSERT INTO matterark." LEDGER " SELECT * FROM pg_temp.newest_ledger ON CONFLICT "
	                              "DO NOTHING", err) : rc;
}

/* The newest snapshot knows of purges that this one does not. */
static enum ark_rc take_newest(struct restore *r, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(repo_contents_release) struct repo_contents c = { 0 };
	ark_auto(repo_closep) struct repo *repo = NULL;
	struct repo_snapshot newest;
	enum ark_rc rc = repo_open(&r->repo, &repo, err);
	if (rc == ARK_OK)
		rc = repo_snapshot_find(repo, NULL, &newest, err);
	if (rc < 0 || strcmp(newest.name, r->snapshot.name) == 0)
		return rc;
	rc = repo_contents_read(repo, &newest, &c, err);
	const struct repo_part *p = rc == ARK_OK ? ledger_of(&c) : NULL;
	return p != NULL && p->has_id ? take_rows(conn, repo, p, err) : rc;
}

static enum ark_rc take_file(struct db_conn *conn, const char *path, struct ark_err *err)
{
	ark_auto(mm_ledger_put_release) struct mm_ledger_put put = { 0 };
	uint64_t added = 0;
	enum ark_rc rc = mm_ledger_create(conn, err);
	if (rc == ARK_OK)
		rc = mm_ledger_put_begin(&put, conn, err);
	if (rc == ARK_OK)
		rc = mm_ledger_file(path, mm_ledger_put_add, &put, err);
	return rc == ARK_OK ? mm_ledger_put_finish(&put, &added, err) : rc;
}

static enum ark_rc count(struct db_conn *conn, struct again *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	bool there = false;
	enum ark_rc rc = mm_ledger_exists(conn, &there, err);
	if (rc < 0 || !there)
		return rc;
	rc = db_query_one(conn, "SELECT count(*), coalesce(max(purged_at), 0) FROM matterark." LEDGER, DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK) {
		out->entries = (uint64_t)db_i64(res, 0, 0);
		out->newest_ms = db_i64(res, 0, 1);
	}
	return rc;
}

enum ark_rc again_purge(struct restore *r, const char *ledger, struct again *out, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	struct mm_purge_counts counts = { 0 };
	*out = (struct again){ 0 };
	enum ark_rc rc = restore_connect(r, &conn, err);
	if (rc == ARK_OK)
		rc = db_txn_begin(&txn, conn, "", err);
	if (rc == ARK_OK)
		rc = take_newest(r, conn, err);
	if (rc == ARK_OK && ledger != NULL)
		rc = take_file(conn, ledger, err);
	if (rc == ARK_OK)
		rc = count(conn, out, err);
	if (rc == ARK_OK && out->entries > 0)
		rc = mm_detect(conn, &info, err);
	if (rc == ARK_OK && out->entries > 0)
		rc = mm_purge_again(conn, info, ark_time_now_ms(), &counts, err);
	if (rc == ARK_OK && ark_fail_step("purge once more") != 0)
		rc = ark_err_stop(err, ARK_KIND_IO, "cannot purge once more");
	if (rc == ARK_OK)
		rc = db_txn_commit(&txn, err);
	out->posts = counts.posts;
	out->files = counts.files;
	return rc < 0 ? ark_err_in(err, rc, "purging what was purged") : rc;
}
