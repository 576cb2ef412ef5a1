#include "common/mm/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/db/text.h"
#include "common/json/out.h"
#include "common/json/small.h"

#include "common/base/banned.h"

enum ark_rc mm_ledger_create(struct db_conn *conn, struct ark_err *err)
{
	return db_exec(conn,
	               "CREATE SCHEMA IF NOT EXISTS matterark;\n"
	               "CREATE TABLE IF NOT EXISTS matterark.purge_ledger (\n"
	               "	post_id varchar(26) PRIMARY KEY,\n"
	               "	channel_id varchar(26) NOT NULL,\n"
	               "	purged_at bigint NOT NULL,\n"
	               "	plan text NOT NULL)", err);
}

enum ark_rc mm_ledger_exists(struct db_conn *conn, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT to_regclass('matterark.purge_ledger') IS NOT NULL", DB_NO_PARAMS,
	                              &res, err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

enum ark_rc mm_ledger_each(struct db_conn *conn, mm_ledger_fn *each, void *ctx, struct ark_err *err)
{
	bool is_there = false;
	enum ark_rc rc = mm_ledger_exists(conn, &is_there, err);
	if (rc < 0 || !is_there)
		return rc;
	rc = db_stream_begin(conn,
	                     "SELECT post_id, channel_id, purged_at, plan FROM matterark.purge_ledger ORDER BY "
	                     "purged_at, post_id COLLATE \"C\"", DB_NO_PARAMS, err);
	const struct db_result *row;
	while (rc == ARK_OK && (rc = db_stream_next(conn, &row, err)) == ARK_OK) {
		const struct mm_ledger_entry entry = { db_value(row, 0, 0), db_value(row, 0, 1), db_i64(row, 0, 2),
			                               db_value(row, 0, 3) };
		rc = each(ctx, &entry, err);
	}
	if (rc < 0)
		db_stream_end(conn);
	return rc < 0 ? rc : ARK_OK;
}

/* ---- file form ---- */

void mm_ledger_line(struct ark_buf *out, const struct mm_ledger_entry *entry)
{
	struct json_out o;
	json_out_begin(&o, out, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "message_type", ARK_LIT("purged"));
	json_out_text(&o, "msgid", ARK_LIT("purge.post"));
	json_out_text(&o, "post_id", entry->post_id);
	json_out_text(&o, "channel_id", entry->channel_id);
	json_out_i64(&o, "purged_at", entry->purged_ms);
	json_out_text(&o, "plan", entry->plan);
	json_out_end(&o);
}

static bool is_id(struct ark_str s)
{
	if (s.len != MM_ID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return false;
	return true;
}

static enum ark_rc read_line(struct ark_str line, mm_ledger_fn *each, void *ctx, struct ark_err *err)
{
	ark_auto(json_small_freep) struct json_small *doc = NULL;
	enum ark_rc rc = json_small_parse(line, &doc, err);
	if (rc < 0 || !json_small_has(doc, "post_id"))
		return rc;
	struct mm_ledger_entry entry = { json_small_str(doc, "post_id"), json_small_str(doc, "channel_id"), 0,
		                         json_small_str(doc, "plan") };
	if (!is_id(entry.post_id))
		return ark_err_set(err, ARK_KIND_INPUT, "\"post_id\" is no id");
	if (!is_id(entry.channel_id))
		return ark_err_set(err, ARK_KIND_INPUT, "\"channel_id\" is no id");
	if (!json_small_i64(doc, "purged_at", &entry.purged_ms) || entry.purged_ms < 0)
		return ark_err_set(err, ARK_KIND_INPUT, "\"purged_at\" is no time in milliseconds");
	if (!ark_str_has(entry.plan))
		entry.plan = ARK_LIT("");
	return each(ctx, &entry, err);
}

static void close_file(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

enum ark_rc mm_ledger_file(const char *path, mm_ledger_fn *each, void *ctx, struct ark_err *err)
{
	ark_auto(close_file) FILE *f = fopen(path, "re");
	if (f == NULL && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (f == NULL)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	char line[LIMIT_LEDGER_LINE];
	enum ark_rc rc = ARK_OK;
	for (size_t n = 1; rc == ARK_OK && fgets(line, sizeof(line), f) != NULL; n++) {
		struct ark_str text = ark_str_z(line);
		if (text.len + 1 == sizeof(line) && text.ptr[text.len - 1] != '\n')
			rc = ark_err_set(err, ARK_KIND_LIMIT, "longer than %d bytes", LIMIT_LEDGER_LINE - 2);
		else if (ark_str_trim(text).len > 0)
			rc = read_line(ark_str_trim(text), each, ctx, err);
		if (rc < 0)
			return ark_err_in(err, rc, "ledger '%s': line %zu", path, n);
	}
	return ferror(f) ? ark_err_errno(err, errno, "cannot read '%s'", path) : ARK_OK;
}

/* ---- putting ---- */

enum ark_rc mm_ledger_put_begin(struct mm_ledger_put *put, struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = db_exec(conn, "CREATE TEMP TABLE ark_ledger_put (post_id varchar(26), channel_id varchar(26), "
	                               "purged_at bigint, plan text) ON COMMIT DROP", err);
	if (rc == ARK_OK)
		rc = db_copy_begin(conn, "COPY ark_ledger_put FROM STDIN", err);
	if (rc < 0)
		return rc;
	put->conn = conn;
	ark_buf_init(&put->line, LIMIT_LEDGER_LINE);
	return ARK_OK;
}

enum ark_rc mm_ledger_put_add(void *ctx, const struct mm_ledger_entry *e, struct ark_err *err)
{
	struct mm_ledger_put *put = ctx;
	ark_buf_reset(&put->line);
	db_copy_text(&put->line, e->post_id);
	ark_buf_c(&put->line, '\t');
	db_copy_text(&put->line, e->channel_id);
	ark_buf_c(&put->line, '\t');
	ark_buf_i64(&put->line, e->purged_ms);
	ark_buf_c(&put->line, '\t');
	db_copy_text(&put->line, e->plan);
	ark_buf_c(&put->line, '\n');
	enum ark_rc rc = ark_buf_ok(&put->line, "an entry of the ledger", err);
	return rc == ARK_OK ? db_copy_data(put->conn, put->line.data, put->line.len, err) : rc;
}

enum ark_rc mm_ledger_put_finish(struct mm_ledger_put *put, uint64_t *added, struct ark_err *err)
{
	uint64_t rows = 0;
	enum ark_rc rc = db_copy_finish(put->conn, &rows, err);
	if (rc == ARK_OK)
		rc = db_run(put->conn,
		            "INSERT INTO matterark.purge_ledger SELECT DISTINCT ON (post_id) post_id, channel_id, "
		            "purged_at, plan FROM ark_ledger_put ORDER BY post_id, purged_at ON CONFLICT DO NOTHING",
		            DB_NO_PARAMS, added, err);
	if (rc == ARK_OK)
		rc = db_exec(put->conn, "DROP TABLE ark_ledger_put", err);
	put->conn = NULL;
	ark_buf_release(&put->line);
	return rc;
}

void mm_ledger_put_release(struct mm_ledger_put *put)
{
	if (put->conn == NULL)
		return;
	db_copy_abort(put->conn);
	put->conn = NULL;
	ark_buf_release(&put->line);
}
