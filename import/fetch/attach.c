#include "import/fetch/attach.h"

#include "common/base/limits.h"
#include "common/mm/state.h"
#include "import/load/change.h"

#include "common/base/banned.h"

/* Posts with files that came, and what they are to say then: text and notes are told apart by the
 * length of the notes as they were written. */
static const char WORK[] =
    "CREATE TEMP TABLE ark_attach ON COMMIT DROP AS "
    "SELECT x.post_id, x.ids, x.note, w.note AS old_note, w.part, w.run, %lld AS now, p.id IS NOT NULL AND p.deleteat = 0 AND "
    MM_POST_WRITTEN_SQL " = w.written AND (w.note IS NULL OR right(p.message, length(w.note)) = w.note) "
    "AS ours, CASE WHEN w.note IS NULL THEN p.message WHEN length(p.message) > length(w.note) + 1 THEN "
    "left(p.message, length(p.message) - length(w.note) - 2) ELSE '' END AS body FROM "
    "(SELECT f.post_id, string_agg(f.note, E'\\n' ORDER BY f.place, f.file_id) FILTER (WHERE f.state <> "
    "'stored') AS note, '[\"' || string_agg(f.file_id, '\",\"' ORDER BY f.place, f.file_id) FILTER (WHERE "
    "f.state = 'stored') || '\"]' AS ids FROM matterark.slack_file f WHERE f.post_id IN (SELECT post_id "
    "FROM ark_attach_file) GROUP BY f.post_id) x "
    "JOIN matterark.slack_post w ON w.post_id = x.post_id LEFT JOIN posts p ON p.id = x.post_id";

/*
 * The files that came. By themselves and analysed: the ledger's statistics know of no file that is stored and not
 * attached, so every join that asks for those walks through all of them for each post.
 */
static const char FILES_SQL[] = "CREATE TEMP TABLE ark_attach_file ON COMMIT DROP AS SELECT file_id, post_id FROM "
                                "matterark.slack_file WHERE state = 'stored' AND NOT attached; ANALYZE ark_attach_file";
#define FILES "ark_attach_file x ON x.post_id = a.post_id"

#define NEW_MESSAGE                                                                                 \
	"a.body || CASE WHEN a.note IS NULL THEN '' WHEN a.body = '' THEN a.note ELSE E'\\n\\n' || a.note END"
#define OURS "a.ours AND a.run <> a.now"

/* Columns of fileinfo and what goes in; those that this database does not have are left out. */
static const char *const COLUMNS[][2] = {
	{ "id", "f.file_id" },
	{ "creatorid", "p.userid" },
	{ "postid", "p.id" },
	{ "channelid", "p.channelid" },
	/* files are shown in this order; `place` counts over all posts of the message */
	{ "createat", "greatest(p.createat, p.createat + f.place - a.part)" },
	{ "updateat", "greatest(p.createat, p.createat + f.place - a.part)" },
	{ "deleteat", "0" },
	{ "path", "f.path" },
	{ "thumbnailpath", "f.thumbnail" },
	{ "previewpath", "f.preview" },
	{ "name", "f.name" },
	{ "extension", "CASE WHEN f.name ~ '[.][^.]{1,64}$' THEN lower(substring(f.name from "
	               "'[.]([^.]{1,64})$')) ELSE '' END" },
	{ "size", "f.stored_size" },
	{ "mimetype", "f.mime" },
	{ "width", "f.width" },
	{ "height", "f.height" },
	{ "haspreviewimage", "f.has_preview" },
	{ "minipreview", "f.mini" },
	{ "content", "''" },
	{ "remoteid", "NULL" },
	{ "archived", "false" },
};

/* "INSERT INTO fileinfo ... SELECT ... WHERE <which> ON CONFLICT DO NOTHING" */
static enum ark_rc insert_sql(struct db_conn *conn, const char *which, struct ark_buf *sql, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn,
	                          "SELECT attname FROM pg_attribute WHERE attrelid = 'fileinfo'::regclass AND "
	                          "attnum > 0 AND NOT attisdropped", DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	ark_auto(ark_buf_release) struct ark_buf names;
	ark_auto(ark_buf_release) struct ark_buf values;
	ark_buf_init(&names, 64u << 10);
	ark_buf_init(&values, 64u << 10);
	for (size_t c = 0; c < sizeof(COLUMNS) / sizeof(COLUMNS[0]); c++) {
		bool there = false;
		for (size_t i = 0; i < db_rows(res); i++)
			there = there || ark_str_eqz(db_value(res, i, 0), COLUMNS[c][0]);
		if (!there)
			continue;
		ark_buf_fmt(&names, "%s%s", names.len > 0 ? ", " : "", COLUMNS[c][0]);
		ark_buf_fmt(&values, "%s%s", values.len > 0 ? ", " : "", COLUMNS[c][1]);
	}
	ark_buf_fmt(sql,
	            "INSERT INTO fileinfo (%s) SELECT %s FROM ark_attach a JOIN posts p ON p.id = a.post_id JOIN "
	            FILES " JOIN matterark.slack_file f ON f.file_id = x.file_id WHERE %s ON CONFLICT DO NOTHING",
	            names.data, values.data, which);
	return ARK_OK;
}

/* Posts that this run brought: they go as a whole when it is taken back, so nothing is noted. */
static enum ark_rc attach_new(struct db_conn *conn, const struct attach_how *how, struct attach_count *count,
                              struct ark_err *err)
{
	static const char POSTS[] = "UPDATE posts p SET message = " NEW_MESSAGE ", fileids = a.ids, updateat = "
	                            "greatest(p.updateat, $1::bigint) FROM ark_attach a WHERE p.id = a.post_id "
	                            "AND a.ours AND a.run = a.now";
	static const char KNOWN[] = "UPDATE matterark.slack_post w SET note = a.note, written = "
	                            MM_POST_WRITTEN_SQL " FROM ark_attach a JOIN posts p ON p.id = a.post_id "
	                            "WHERE w.post_id = a.post_id AND a.ours AND a.run = a.now";
	static const char DONE[] = "UPDATE matterark.slack_file f SET attached = true FROM ark_attach a JOIN " FILES
	                           " WHERE f.file_id = x.file_id AND a.ours AND a.run = a.now";
	char now[DB_NUM];
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	uint64_t posts = 0, files = 0;
	enum ark_rc rc = db_run(conn, POSTS, DB_PARAMS(db_num(how->update_ms, now)), &posts, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, KNOWN, err);
	if (rc == ARK_OK)
		rc = insert_sql(conn, "a.ours AND a.run = a.now", &sql, err);
	if (rc == ARK_OK)
		rc = db_run(conn, sql.data, DB_NO_PARAMS, &files, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, DONE, err);
	count->posts += posts;
	count->files += files;
	return rc;
}

/* Posts of earlier runs: what they were before is noted under this one. */
static enum ark_rc attach_old(struct db_conn *conn, const struct attach_how *how, struct attach_count *count,
                              struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf update;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&update, 256);
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&update, "greatest(t.updateat, %lld)", (long long)how->update_ms);
	const struct change_set post[] = { { "message", NEW_MESSAGE }, { "fileids", "a.ids" },
		                           { "updateat", update.data }, { NULL, NULL } };
	static const struct change_set KNOWN[] = { { "note", "a.note" }, { "written", MM_POST_WRITTEN_SQL },
		                                   { NULL, NULL } };
	static const struct change_set DONE[] = { { "attached", "true" }, { NULL, NULL } };
	const struct change_update steps[] = {
		{ "posts", post, "ark_attach a", "t.id = a.post_id AND " OURS },
		{ "matterark.slack_post", KNOWN, "ark_attach a JOIN posts p ON p.id = a.post_id",
		  "t.post_id = a.post_id AND " OURS },
		{ "matterark.slack_file", DONE, "ark_attach a JOIN " FILES, "t.file_id = x.file_id AND " OURS },
	};
	enum ark_rc rc = change_update(conn, how->run_no, &steps[0], &count->posts, err);
	if (rc == ARK_OK)
		rc = change_update(conn, how->run_no, &steps[1], NULL, err);
	if (rc == ARK_OK)
		rc = insert_sql(conn, OURS, &sql, err);
	if (rc == ARK_OK)
		rc = change_insert(conn, how->run_no, "fileinfo", sql.data, NULL, &count->files, err);
	return rc < 0 ? rc : change_update(conn, how->run_no, &steps[2], NULL, err);
}

enum ark_rc attach_files(struct db_conn *conn, const struct attach_how *how, struct attach_count *count,
                         struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf work;
	ark_buf_init(&work, LIMIT_SQL);
	ark_buf_fmt(&work, WORK, (long long)how->run_no);
	enum ark_rc rc = db_exec(conn, FILES_SQL, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, work.data, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, "ANALYZE ark_attach", err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, "SELECT count(*) FILTER (WHERE NOT ours), count(*) FILTER (WHERE ours AND run = "
		                        "now), count(*) FILTER (WHERE ours AND run <> now) FROM ark_attach",
		                  DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK && db_i64(res, 0, 1) > 0)
		rc = attach_new(conn, how, count, err);
	if (rc == ARK_OK && db_i64(res, 0, 2) > 0)
		rc = attach_old(conn, how, count, err);
	if (rc == ARK_OK)
		rc = db_exec(conn, "DROP TABLE ark_attach, ark_attach_file", err);
	if (rc < 0)
		return ark_err_in(err, rc, "attaching files");
	count->kept = (uint64_t)db_i64(res, 0, 0); /* they stay what they are: not added up */
	return ARK_OK;
}
