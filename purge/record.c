#include "purge/record.h"

#include "common/base/banned.h"

enum ark_rc purge_record_create(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = mm_purge_create(conn, err);
	return rc < 0 ? rc
	              : db_exec(conn,
	                        "CREATE TABLE IF NOT EXISTS matterark.purge_run (\n"
	                        "	plan text PRIMARY KEY,\n"
	                        "	started bigint NOT NULL,\n"
	                        "	finished bigint,\n"
	                        "	tool text NOT NULL,\n"
	                        "	role text NOT NULL,\n"
	                        "	scope jsonb NOT NULL,\n"
	                        "	posts bigint NOT NULL DEFAULT 0,\n"
	                        "	earlier_texts bigint NOT NULL DEFAULT 0,\n"
	                        "	reactions bigint NOT NULL DEFAULT 0,\n"
	                        "	files bigint NOT NULL DEFAULT 0,\n"
	                        "	file_bytes bigint NOT NULL DEFAULT 0,\n"
	                        "	files_kept bigint NOT NULL DEFAULT 0,\n"
	                        "	other_rows bigint NOT NULL DEFAULT 0,\n"
	                        "	objects bigint NOT NULL DEFAULT 0,\n"
	                        "	changed bigint NOT NULL DEFAULT 0);\n"
	                        "CREATE TABLE IF NOT EXISTS matterark.purge_deleting (\n"
	                        "	post_id varchar(26) PRIMARY KEY)", err);
}

enum ark_rc purge_record_exists(struct db_conn *conn, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT to_regclass('matterark.purge_deleting') IS NOT NULL", DB_NO_PARAMS, &res,
	                              err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

enum ark_rc purge_record_begin(struct db_conn *conn, const char *plan, struct ark_str head, int64_t now_ms,
                               struct ark_err *err)
{
	char now[DB_NUM];
	return db_run(conn,
	              "INSERT INTO matterark.purge_run (plan, started, tool, role, scope) VALUES ($1, $2::bigint, $3, "
	              "current_user, $4::jsonb -> 'scope') ON CONFLICT (plan) DO UPDATE SET finished = NULL",
	              DB_PARAMS(ark_str_z(plan), db_num(now_ms, now), ARK_LIT("matter-purge " MATTERARK_VERSION), head),
	              NULL, err);
}

enum ark_rc purge_record_add(struct db_conn *conn, const char *plan, const struct mm_purge_counts *n, struct ark_err *err)
{
	const uint64_t VALUES[] = { n->posts, n->earlier, n->reactions, n->files, n->file_bytes, n->files_kept, n->hanging };
	enum { COUNT = sizeof(VALUES) / sizeof(VALUES[0]) };
	char space[COUNT][DB_NUM];
	struct ark_str params[COUNT + 1] = { ark_str_z(plan) };
	for (size_t i = 0; i < COUNT; i++)
		params[i + 1] = db_num((int64_t)VALUES[i], space[i]);
	return db_run(conn,
	              "UPDATE matterark.purge_run SET posts = posts + $2::bigint, earlier_texts = earlier_texts + $3::bigint, "
	              "reactions = reactions + $4::bigint, files = files + $5::bigint, file_bytes = file_bytes + $6::bigint, "
	              "files_kept = files_kept + $7::bigint, other_rows = other_rows + $8::bigint WHERE plan = $1",
	              (struct db_params){ COUNT + 1, params }, NULL, err);
}

enum ark_rc purge_record_end(struct db_conn *conn, const char *plan, int64_t now_ms, uint64_t changed, uint64_t objects,
                             struct ark_err *err)
{
	char now[DB_NUM], c[DB_NUM], o[DB_NUM];
	return db_run(conn,
	              "UPDATE matterark.purge_run SET finished = $2::bigint, changed = $3::bigint, objects = objects + "
	              "$4::bigint WHERE plan = $1",
	              DB_PARAMS(ark_str_z(plan), db_num(now_ms, now), db_num((int64_t)changed, c), db_num((int64_t)objects, o)),
	              NULL, err);
}
