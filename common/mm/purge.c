#include "common/mm/purge.h"

#include <string.h>

#include "common/base/limits.h"
#include "common/mm/ledger.h"
#include "common/mm/thread.h"

#include "common/base/banned.h"

/* Tables whose rows name a post and go with it. `which` narrows where the column names other things too,
 * and needs the column `kind` for that. */
static const struct hanging {
	const char *table, *column, *kind, *which;
} HANGING[] = {
	{ "reactions", "postid", NULL, "" },
	{ "threads", "postid", NULL, "" },
	{ "threadmemberships", "postid", NULL, "" },
	{ "postspriority", "postid", NULL, "" },
	{ "postacknowledgements", "postid", NULL, "" },
	{ "persistentnotifications", "postid", NULL, "" },
	{ "postreminders", "postid", NULL, "" },
	{ "temporaryposts", "postid", NULL, "" },
	{ "readreceipts", "postid", NULL, "" },
	{ "preferences", "name", "category", " AND t.category = 'flagged_post'" },
	{ "propertyvalues", "targetid", "targettype", " AND t.targettype = 'post'" },
	{ "translations", "objectid", "objecttype", " AND t.objecttype = 'post'" },
	{ "drafts", "rootid", NULL, "" },
	{ "scheduledposts", "rootid", NULL, "" },
};
#define HANGING_COUNT (sizeof(HANGING) / sizeof(HANGING[0]))

/* Of these, tables that hold file ids of their own, as text; the files belong to no post yet. */
static const char *const WITH_FILES[] = { "drafts", "scheduledposts", "temporaryposts" };

static bool is_there(const struct mm_purge *p, const struct hanging *h)
{
	return mm_has_column(p->info, h->table, h->column) &&
	       (h->kind == NULL || mm_has_column(p->info, h->table, h->kind));
}

enum ark_rc mm_purge_create(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = mm_ledger_create(conn, err);
	return rc < 0 ? rc
	              : db_exec(conn,
	                        "CREATE TABLE IF NOT EXISTS matterark.purge_work (\n"
	                        "	kind text NOT NULL,\n"
	                        "	id text NOT NULL,\n"
	                        "	at bigint NOT NULL,\n"
	                        "	PRIMARY KEY (kind, id))", err);
}

static enum ark_rc run(const struct mm_purge *p, const struct ark_buf *sql, uint64_t *n, struct ark_err *err)
{
	return db_run(p->conn, sql->data, DB_NO_PARAMS, n, err);
}

/* ---- what belongs together ---- */

enum ark_rc mm_purge_expand(const struct mm_purge *p, uint64_t *added, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	/* A reply's earlier texts name the root as well; those of a root name it as the original only. Row by row
	 * through the indexes: most posts have '' in both columns, which misleads the estimates of a join. */
	ark_buf_fmt(&sql,
	            "INSERT INTO %s (id) SELECT y.id FROM (SELECT q.id FROM %s x CROSS JOIN LATERAL (SELECT id FROM posts WHERE "
	            "rootid = x.id OFFSET 0) q UNION SELECT h.id FROM %s x CROSS JOIN LATERAL (SELECT id FROM posts WHERE "
	            "originalid = x.id OFFSET 0) h) y WHERE NOT EXISTS (SELECT 1 FROM %s z WHERE z.id = y.id)", p->ids, p->ids,
	            p->ids, p->ids);
	uint64_t sum = 0, n = 0;
	enum ark_rc rc;
	while ((rc = run(p, &sql, &n, err)) == ARK_OK && n > 0)
		sum += n;
	if (rc == ARK_OK && added != NULL)
		*added = sum;
	return rc;
}

/* ---- files ---- */

/* SELECT of the ids of rows of fileinfo that go. */
static void gone_files_sql(const struct mm_purge *p, struct ark_buf *sql)
{
	ark_buf_fmt(sql, "SELECT f.id FROM fileinfo f JOIN %s x ON x.id = f.postid", p->ids);
	for (size_t i = 0; i < sizeof(WITH_FILES) / sizeof(WITH_FILES[0]); i++)
		for (size_t k = 0; k < HANGING_COUNT; k++)
			if (strcmp(HANGING[k].table, WITH_FILES[i]) == 0 && is_there(p, &HANGING[k]) &&
			    mm_has_column(p->info, WITH_FILES[i], "fileids"))
				ark_buf_fmt(sql,
				            " UNION SELECT f.id FROM %s t JOIN %s x ON x.id = t.%s CROSS JOIN LATERAL "
				            "regexp_matches(t.fileids::text, '[a-z0-9]{26}', 'g') m JOIN fileinfo f ON f.id "
				            "= m[1] AND f.postid = ''", WITH_FILES[i], p->ids, HANGING[k].column);
}

static void object_sql(const char *from, const char *a, const char *b, const char *c, struct ark_buf *sql)
{
	ark_buf_fmt(sql,
	            "INSERT INTO matterark.purge_work (kind, id, at) SELECT DISTINCT 'object', o.path, 0 FROM %s g "
	            "CROSS JOIN LATERAL (VALUES (%s), (%s), (%s)) o(path) WHERE o.path <> '' ON CONFLICT DO NOTHING",
	            from, a, b, c);
}

/* A bookmark made of a message's file goes on showing it; such rows belong to no post. */
static enum ark_rc keep_bookmarked(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err)
{
	if (!mm_has_column(p->info, "channelbookmarks", "fileinfoid"))
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "UPDATE fileinfo f SET postid = '' FROM %s x WHERE x.id = f.postid AND EXISTS (SELECT 1 FROM "
	            "channelbookmarks b WHERE b.fileinfoid = f.id AND coalesce(b.deleteat, 0) = 0)", p->ids);
	uint64_t n = 0;
	enum ark_rc rc = run(p, &sql, &n, err);
	counts->files_kept += n;
	return rc;
}

/* fileinfo goes, its paths into the queue. */
static enum ark_rc delete_files(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "WITH gone AS (DELETE FROM fileinfo d WHERE d.id IN (");
	gone_files_sql(p, &sql);
	ark_buf_z(&sql, ") RETURNING d.id, d.size, d.path, d.thumbnailpath, d.previewpath), work AS (");
	object_sql("gone", "g.path", "g.thumbnailpath", "g.previewpath", &sql);
	ark_buf_c(&sql, ')');
	if (mm_has_column(p->info, "sharedchannelattachments", "fileid"))
		ark_buf_z(&sql, ", shared AS (DELETE FROM sharedchannelattachments s USING gone g WHERE s.fileid = g.id)");
	ark_buf_z(&sql, " SELECT count(*), coalesce(sum(greatest(size, 0)), 0)::bigint FROM gone");
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(p->conn, sql.data, DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	counts->files += (uint64_t)db_i64(res, 0, 0);
	counts->file_bytes += (uint64_t)db_i64(res, 0, 1);
	return ARK_OK;
}

/* What an import remembers of the files: names, links, and bodies that wait for their message. */
static enum ark_rc delete_slack_files(const struct mm_purge *p, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(p->conn, "SELECT to_regclass('matterark.slack_file') IS NOT NULL", DB_NO_PARAMS,
	                              &res, err);
	if (rc < 0 || !db_bool(res, 0, 0))
		return rc;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "WITH dropped AS (DELETE FROM matterark.slack_file f USING %s x WHERE x.id = f.post_id RETURNING "
	            "f.state, f.path, f.thumbnail, f.preview), gone AS (SELECT * FROM dropped WHERE state = 'stored' AND "
	            "path IS NOT NULL) ", p->ids);
	object_sql("gone", "g.path", "g.thumbnail", "g.preview", &sql);
	return run(p, &sql, NULL, err);
}

/* ---- rows ---- */

static enum ark_rc delete_hanging(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < HANGING_COUNT && rc == ARK_OK; i++) {
		const struct hanging *h = &HANGING[i];
		if (!is_there(p, h))
			continue;
		uint64_t n = 0;
		ark_buf_reset(&sql);
		ark_buf_fmt(&sql, "DELETE FROM %s t USING %s x WHERE t.%s = x.id%s", h->table, p->ids, h->column,
		            h->which);
		rc = run(p, &sql, &n, err);
		if (rc < 0)
			return ark_err_in(err, rc, "table %s", h->table);
		*(i == 0 ? &counts->reactions : &counts->hanging) += n;
	}
	return rc;
}

/*
 * The posts themselves, and in the same statement what is to be remembered of them. A thread is counted
 * anew when a live reply went and the root did not.
 */
static enum ark_rc delete_posts(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "WITH gone AS (DELETE FROM posts d USING %s x WHERE d.id = x.id RETURNING d.id, coalesce(d.channelid, "
	            "'') AS channelid, coalesce(d.rootid, '') AS rootid, coalesce(d.originalid, '') AS originalid, "
	            "coalesce(d.deleteat, 0) AS deleteat, greatest(d.createat, d.editat, 0) AS newest), "
	            "entered AS (INSERT INTO matterark.purge_ledger (post_id, channel_id, purged_at, plan) SELECT id, "
	            "channelid, $1::bigint, $2 FROM gone ON CONFLICT DO NOTHING), "
	            "threads AS (INSERT INTO matterark.purge_work (kind, id, at) SELECT DISTINCT 'thread', g.rootid, 0 "
	            "FROM gone g WHERE g.rootid <> '' AND g.originalid = '' AND g.deleteat = 0 AND NOT EXISTS (SELECT 1 "
	            "FROM %s r WHERE r.id = g.rootid) ON CONFLICT DO NOTHING), "
	            "channels AS (INSERT INTO matterark.purge_work AS w (kind, id, at) SELECT 'channel', channelid, "
	            "max(newest) FROM gone WHERE originalid = '' GROUP BY channelid ON CONFLICT (kind, id) DO UPDATE SET "
	            "at = greatest(w.at, excluded.at)) "
	            "SELECT count(*) FILTER (WHERE originalid = ''), count(*) FILTER (WHERE originalid <> '') FROM gone",
	            p->ids, p->ids);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	char now[DB_NUM];
	enum ark_rc rc = db_query_one(p->conn, sql.data, DB_PARAMS(db_num(p->now_ms, now), ark_str_z(p->plan)), &res,
	                              err);
	if (rc < 0)
		return rc;
	counts->posts += (uint64_t)db_i64(res, 0, 0);
	counts->earlier += (uint64_t)db_i64(res, 0, 1);
	return ARK_OK;
}

enum ark_rc mm_purge_rows(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err)
{
	struct mm_purge_counts sum = *counts;
	enum ark_rc rc = keep_bookmarked(p, &sum, err);
	if (rc == ARK_OK)
		rc = delete_files(p, &sum, err);
	if (rc == ARK_OK)
		rc = delete_slack_files(p, err);
	if (rc == ARK_OK)
		rc = delete_hanging(p, &sum, err);
	if (rc == ARK_OK)
		rc = delete_posts(p, &sum, err);
	if (rc == ARK_OK)
		*counts = sum;
	return rc;
}

/* ---- the queue ---- */

/* {a,b,c}: the next pieces of a kind, taken off. */
static enum ark_rc take_work(const struct mm_purge *p, const char *kind, unsigned limit, struct db_result **out,
                             struct ark_err *err)
{
	char n[DB_NUM];
	enum ark_rc rc = db_query(p->conn,
	                          "DELETE FROM matterark.purge_work WHERE kind = $1 AND id IN (SELECT id FROM "
	                          "matterark.purge_work WHERE kind = $1 ORDER BY id LIMIT $2::int) RETURNING id, at",
	                          DB_PARAMS(ark_str_z(kind), db_num(limit, n)), out, err);
	return rc < 0 ? rc : db_rows(*out) > 0 ? ARK_OK : ARK_END;
}

enum ark_rc mm_purge_threads(const struct mm_purge *p, unsigned limit, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *work = NULL;
	enum ark_rc rc = take_work(p, "thread", limit, &work, err);
	if (rc != ARK_OK)
		return rc;
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, LIMIT_SQL);
	for (size_t i = 0; i < db_rows(work); i++)
		ark_buf_fmt(&ids, "%s%.*s", i > 0 ? "," : "{", ARK_FMT(db_value(work, i, 0)));
	ark_buf_c(&ids, '}');
	/* In the server's order: the root first, then its thread. Counted when both rows are locked. */
	char now[DB_NUM];
	rc = db_run(p->conn,
	            "UPDATE posts SET updateat = greatest(updateat, $2::bigint) WHERE id = ANY ($1::varchar[])",
	            DB_PARAMS(ark_buf_view(&ids), db_num(p->now_ms, now)), NULL, err);
	if (rc == ARK_OK)
		rc = db_run(p->conn, "SELECT 1 FROM threads WHERE postid = ANY ($1::varchar[]) ORDER BY postid FOR UPDATE",
		            DB_PARAMS(ark_buf_view(&ids)), NULL, err);
	ark_auto(ark_buf_release) struct ark_buf relation;
	ark_buf_init(&relation, LIMIT_SQL);
	ark_buf_fmt(&relation, "unnest('%s'::varchar[]) w(id)", ids.data);
	return rc == ARK_OK ? mm_threads_recount(p->conn, relation.data, err) : rc;
}

/*
 * What is newest is found from the ends of two indexes of the channel: the newest live post, then whatever has a later
 * updateat, which is at least createat and editat: deleted posts, and edited ones. Two statements, so that the second
 * is planned knowing the time; a range of deleteat and the order by it leave the first no other index.
 * Fact: docs/mattermost-facts.md "What hangs on a post"
 */
#define NEWEST_LIVE(which)                                                                          \
	"coalesce((SELECT p.createat FROM posts p WHERE p.channelid = $1 AND p.deleteat >= 0 AND p.deleteat < 1" which \
	" ORDER BY p.deleteat DESC, p.createat DESC LIMIT 1), 0)"
#define NEWER(time, than, which)                                                                    \
	"greatest(" than "::bigint, (SELECT max(" time ") FROM posts p WHERE p.channelid = $1 AND p.updateat > " than  \
	"::bigint AND p.originalid = ''" which "))"

static enum ark_rc newest_of(struct db_conn *conn, const char *live_sql, const char *newer_sql, struct ark_str channel,
                             char out[DB_NUM], struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *live = NULL;
	ark_auto(db_result_freep) struct db_result *newer = NULL;
	enum ark_rc rc = db_query_one(conn, live_sql, DB_PARAMS(channel), &live, err);
	if (rc == ARK_OK)
		rc = db_query_one(conn, newer_sql, DB_PARAMS(channel, db_value(live, 0, 0)), &newer, err);
	if (rc == ARK_OK)
		db_num(db_i64(newer, 0, 0), out);
	return rc;
}

struct newest {
	char post[DB_NUM], root[DB_NUM];
};

static enum ark_rc newest(struct db_conn *conn, struct ark_str channel, struct newest *out, struct ark_err *err)
{
	enum ark_rc rc = newest_of(conn, "SELECT " NEWEST_LIVE(""), "SELECT " NEWER("greatest(p.createat, p.editat)", "$2", ""),
	                           channel, out->post, err);
	if (rc == ARK_OK)
		rc = newest_of(conn, "SELECT " NEWEST_LIVE(" AND p.rootid = ''"),
		               "SELECT " NEWER("greatest(p.createat, 0)", "$2", " AND p.rootid = ''"), channel, out->root, err);
	return rc;
}

/* `lock`: FOR UPDATE or nothing. *wants: one of the channel's times came from what went. */
static enum ark_rc look(struct db_conn *conn, struct ark_str channel, struct ark_str at, const char *lock, bool *wants,
                        struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "SELECT lastpostat <= $2::bigint OR lastrootpostat <= $2::bigint FROM channels WHERE id = $1 %s", lock);
	enum ark_rc rc = db_query(conn, sql.data, DB_PARAMS(channel, at), &res, err);
	if (rc == ARK_OK)
		*wants = db_rows(res) > 0 && db_bool(res, 0, 0);
	return rc;
}

static enum ark_rc correct_channel(struct db_conn *conn, struct ark_str id, struct ark_str at, struct ark_err *err)
{
	struct newest times;
	bool wants = false;
	enum ark_rc rc = look(conn, id, at, "", &wants, err);
	if (rc < 0 || !wants)
		return rc;
	/* Without a lock first: it passes over what went, which may be most of the channel, and marks it in the indexes
	 * as such where it goes through them row by row; under the lock, which who writes there waits for, less is left. */
	rc = newest(conn, id, &times, err);
	if (rc == ARK_OK)
		rc = look(conn, id, at, "FOR UPDATE", &wants, err);
	if (rc < 0 || !wants)
		return rc;
	rc = newest(conn, id, &times, err);
	return rc < 0 ? rc
	              : db_run(conn,
	                       "UPDATE channels SET lastpostat = CASE WHEN lastpostat <= $2::bigint THEN $3::bigint ELSE "
	                       "lastpostat END, lastrootpostat = CASE WHEN lastrootpostat <= $2::bigint THEN $4::bigint ELSE "
	                       "lastrootpostat END WHERE id = $1",
	                       DB_PARAMS(id, at, ark_str_z(times.post), ark_str_z(times.root)), NULL, err);
}

enum ark_rc mm_purge_channels(const struct mm_purge *p, unsigned limit, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *work = NULL;
	enum ark_rc rc = take_work(p, "channel", limit, &work, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(work); i++)
		rc = correct_channel(p->conn, db_value(work, i, 0), db_value(work, i, 1), err);
	return rc;
}

/* ---- all at once ---- */

enum ark_rc mm_purge_again(struct db_conn *conn, const struct mm_db_info *info, int64_t now_ms,
                           struct mm_purge_counts *counts, struct ark_err *err)
{
	bool has_ledger = false;
	enum ark_rc rc = mm_ledger_exists(conn, &has_ledger, err);
	if (rc < 0 || !has_ledger)
		return rc;
	const struct mm_purge p = { conn, info, "ark_purge_again", "", now_ms };
	rc = mm_purge_create(conn, err);
	if (rc == ARK_OK)
		rc = db_exec(conn,
		             "CREATE TEMP TABLE ark_purge_again (id varchar(26) PRIMARY KEY) ON COMMIT DROP;"
		             "INSERT INTO ark_purge_again SELECT post_id FROM matterark.purge_ledger;"
		             "ANALYZE ark_purge_again", err);
	if (rc == ARK_OK)
		rc = mm_purge_expand(&p, NULL, err);
	if (rc == ARK_OK)
		rc = mm_purge_rows(&p, counts, err);
	while (rc == ARK_OK)
		rc = mm_purge_threads(&p, 1000, err);
	if (rc == ARK_END)
		rc = ARK_OK;
	while (rc == ARK_OK)
		rc = mm_purge_channels(&p, 1000, err);
	return rc < 0 ? rc
	              : db_exec(conn, "DELETE FROM matterark.purge_work WHERE kind = 'object';"
	                              "DROP TABLE ark_purge_again", err);
}

enum ark_rc mm_purge_unknown(struct db_conn *conn, struct db_result **out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_z(&sql, "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN "
	                "('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT "
	                "a.attisdropped AND a.attname = 'postid' AND c.relname NOT IN ('fileinfo'");
	for (size_t i = 0; i < HANGING_COUNT; i++)
		ark_buf_fmt(&sql, ", '%s'", HANGING[i].table);
	ark_buf_z(&sql, ") ORDER BY 1");
	return db_query(conn, sql.data, DB_NO_PARAMS, out, err);
}
