/*
 * In three parts. New rows first: they touch nothing that is there, however many they are. Then, in one go and as the
 * last thing before the commit, what people see of rows that others write to as well (texts of posts, topics): from
 * their first lock to the commit writes to the same rows wait. Everything else about such rows comes behind the commit,
 * in portions (behind.h).
 */
#include "import/load/merge.h"

#include "common/mm/state.h"
#include "import/load/behind.h"
#include "import/load/change.h"
#include "import/load/follow.h"
#include "import/load/reply.h"

#include "common/base/banned.h"

static enum ark_rc run(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	return db_run(conn, sql, DB_NO_PARAMS, NULL, err);
}

static enum ark_rc insert(struct db_conn *conn, const struct sink *s, enum sink_table table,
                          const char *target, const char *rest, uint64_t *affected, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	merge_insert_sql(s, table, target, rest, &sql);
	enum ark_rc rc = db_run(conn, sql.data, DB_NO_PARAMS, affected, err);
	return rc < 0 ? ark_err_in(err, rc, "merge into %s", target) : rc;
}

/* ---- what is new, what changed ---- */

/* New messages; but not under a root that was deleted here, nor by an account that was. */
static enum ark_rc find_new(struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
	uint64_t left = 0;
	enum ark_rc rc = merge_make(conn, "ark_new",
	                            "SELECT k.post_id AS id FROM ark_stage_slack_post k LEFT JOIN "
	                            "matterark.slack_post p ON p.post_id = k.post_id WHERE p.post_id IS NULL",
	                            err);
	if (rc == ARK_OK)
		rc = run(conn, "ANALYZE ark_new", err);
	if (rc == ARK_OK)
		rc = db_run(conn, "DELETE FROM ark_new n USING ark_stage_posts s WHERE s.id = n.id AND NOT EXISTS "
		                  "(SELECT 1 FROM users u WHERE u.id = s.userid)", DB_NO_PARAMS, &left, err);
	out->posts_orphaned += left;
	if (rc == ARK_OK)
		rc = db_run(conn,
		            "DELETE FROM ark_new n USING ark_stage_posts s WHERE s.id = n.id AND s.rootid <> '' AND "
		            "NOT EXISTS (SELECT 1 FROM ark_new r WHERE r.id = s.rootid) AND NOT EXISTS (SELECT 1 "
		            "FROM posts r WHERE r.id = s.rootid AND r.deleteat = 0)", DB_NO_PARAMS, &left, err);
	out->posts_orphaned += left;
	return rc;
}

/*
 * What Slack says differently now, and whether the row is still as we wrote it. A placeholder in the
 * archive says nothing; the root that comes for one that was written takes its place, however old the
 * archive is.
 */
static enum ark_rc find_changed(const struct load *l, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql,
	            "SELECT x.*, x.alive AND (x.untouched OR %s) AS ours FROM (SELECT k.post_id AS id, "
	            "k.source, k.note, k.ordinal, k.written AS will_be, w.ordinal = %d AS stood_in, "
	            "p.id IS NOT NULL AS there, p.id IS NOT NULL AND p.deleteat = 0 AS alive, p.id IS NOT NULL "
	            "AND p.deleteat = 0 AND " MM_POST_WRITTEN_SQL " = w.written AS untouched FROM "
	            "ark_stage_slack_post k JOIN matterark.slack_post w ON w.post_id = k.post_id LEFT JOIN posts "
	            "p ON p.id = k.post_id WHERE k.ordinal <> %d AND (w.source <> k.source%s) AND (w.ordinal = "
	            "%d OR NOT EXISTS (SELECT 1 FROM ark_older o WHERE o.channel_id = w.channel_id))) x",
	            l->set.overwrite ? "true" : "false", MM_ORDINAL_PLACEHOLDER, MM_ORDINAL_PLACEHOLDER,
	            l->set.overwrite ? " OR (p.deleteat = 0 AND " MM_POST_WRITTEN_SQL " <> w.written)" : "",
	            MM_ORDINAL_PLACEHOLDER);
	enum ark_rc rc = merge_make(conn, "ark_changed", sql.data, err);
	return rc == ARK_OK ? run(conn, "ANALYZE ark_changed", err) : rc;
}

/* Times that are taken: a new post moves on by a millisecond until its place is free. */
static enum ark_rc make_room(struct db_conn *conn, struct ark_err *err)
{
	for (int round = 0; round < 1000; round++) {
		uint64_t moved = 0;
		enum ark_rc rc = db_run(conn,
		                        "UPDATE ark_stage_posts s SET createat = s.createat + 1 FROM (SELECT x.id "
		                        "FROM (SELECT o.id, o.channelid, o.createat, row_number() OVER (PARTITION BY "
		                        "o.channelid, o.createat ORDER BY o.id) AS nth FROM ark_new n JOIN "
		                        "ark_stage_posts o ON o.id = n.id) x LEFT JOIN posts p ON p.channelid = "
		                        "x.channelid AND p.createat = x.createat AND p.deleteat = 0 WHERE x.nth > 1 "
		                        "OR p.id IS NOT NULL) m WHERE m.id = s.id",
		                        DB_NO_PARAMS, &moved, err);
		if (rc < 0 || moved == 0)
			return rc;
	}
	return ARK_OK;
}

static enum ark_rc add_posts(struct db_conn *conn, const struct sink *s, struct load_outcome *out,
                             struct ark_err *err)
{
	enum ark_rc rc = make_room(conn, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_POSTS, "posts",
		            "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.id)", &out->posts_new, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_ARK_POST, "matterark.slack_post",
		            "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.post_id)", NULL, err);
	out->rows_written += out->posts_new;
	return rc;
}

/* ---- posts that changed ---- */

/* What Slack says of the files of new and changed posts. A body that is here stays whatever became of
 * it there; its note stands in the text again until it is attached again. */
static enum ark_rc merge_files(const struct load *l, struct db_conn *conn, const struct sink *s,
                               struct ark_err *err)
{
	static const struct change_set all[] = { { "place", "s.place" }, { "name", "s.name" },
		                                 { "mime", "s.mime" },   { "size", "s.size" },
		                                 { "may_be_html", "s.may_be_html" },
		                                 { "link", "s.link" },   { "note", "s.note" },
		                                 { "state", "s.state" }, { "reason", "s.reason" },
		                                 { NULL, NULL } };
	static const struct change_set few[] = { { "place", "s.place" }, { "note", "s.note" },
		                                 { "attached", "false" }, { NULL, NULL } };
#define FROM_CHANGED "ark_stage_slack_file s JOIN ark_changed c ON c.id = s.post_id AND c.ours"
	static const struct change_update steps[] = {
		{ "matterark.slack_file", all, FROM_CHANGED, "t.file_id = s.file_id AND t.state <> 'stored'" },
		{ "matterark.slack_file", few, FROM_CHANGED, "t.file_id = s.file_id AND t.state = 'stored'" },
	};
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	merge_insert_sql(s, SINK_ARK_FILE, "matterark.slack_file",
	                 "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.post_id) OR EXISTS (SELECT 1 FROM "
	                 "ark_changed c WHERE c.id = s.post_id AND c.ours) ON CONFLICT DO NOTHING", &sql);
	enum ark_rc rc = change_insert(conn, l->run_no, "matterark.slack_file", sql.data,
	                               "NOT EXISTS (SELECT 1 FROM ark_new n JOIN ark_stage_slack_file s ON "
	                               "s.post_id = n.id WHERE s.file_id = m.file_id)", NULL, err);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == ARK_OK; i++)
		rc = change_update(conn, l->run_no, &steps[i], NULL, err);
	return rc;
}

static enum ark_rc count_kept(struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT count(*) FILTER (WHERE alive), count(*) FILTER (WHERE there AND NOT "
	                              "alive), count(*) FILTER (WHERE NOT there) FROM ark_changed WHERE NOT ours",
	                              DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	out->kept_changed = (uint64_t)db_i64(res, 0, 0);
	out->kept_deleted = (uint64_t)db_i64(res, 0, 1);
	out->kept_purged = (uint64_t)db_i64(res, 0, 2);
	out->posts_kept = out->kept_changed + out->kept_deleted + out->kept_purged;
	return rc;
}

/* Our own records of them: nobody waits for these. */
static enum ark_rc note_changed(const struct load *l, struct db_conn *conn, const struct sink *s,
                                struct load_outcome *out, struct ark_err *err)
{
	static const struct change_set ours[] = { { "source", "c.source" }, { "written", "c.will_be" },
		                                  { "note", "c.note" },     { "ordinal", "c.ordinal" },
		                                  { NULL, NULL } };
	static const struct change_update marks = { "matterark.slack_post", ours, "ark_changed c",
		                                    "t.post_id = c.id AND c.ours" };
	enum ark_rc rc = change_update(conn, l->run_no, &marks, NULL, err);
	if (rc == ARK_OK)
		rc = merge_files(l, conn, s, err);
	return rc == ARK_OK ? count_kept(conn, out, err) : rc;
}

static enum ark_rc change_posts(const struct load *l, struct db_conn *conn, struct load_outcome *out,
                                struct ark_err *err)
{
	char now[DB_NUM];
	db_num(l->start_ms, now);
	const struct change_set texts[] = { { "message", "s.message" }, { "props", "s.props" },
		                            { "hashtags", "s.hashtags" }, { "type", "s.type" },
		                            { "editat", "s.editat" },   { "ispinned", "s.ispinned" },
		                            { "userid", "s.userid" },   { "updateat", now },
		                            { NULL, NULL } };
	/* the author is another one only where the root comes for its placeholder */
	const struct change_update posts = {
		"posts", texts, "ark_stage_posts s JOIN ark_changed c ON c.id = s.id AND c.ours",
		"t.id = s.id AND (t.userid = s.userid OR c.stood_in) AND (t.message, t.props, t.hashtags, t.type, "
		"t.editat, t.ispinned, t.userid) IS DISTINCT FROM (s.message, s.props, s.hashtags, s.type, "
		"s.editat, s.ispinned, s.userid)"
	};
	enum ark_rc rc = change_update(conn, l->run_no, &posts, &out->posts_updated, err);
	out->rows_written += out->posts_updated;
	return rc;
}

/* ---- reactions ---- */

#define NEW_POST "SELECT 1 FROM ark_new n WHERE n.id = m.postid"

/* Those that are there already are somebody's own; only what we add is marked as ours. */
static enum ark_rc add_reactions(const struct load *l, struct db_conn *conn, const struct sink *s,
                                 struct load_outcome *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = merge_make(conn, "ark_new_reaction",
	                            "SELECT r.* FROM ark_stage_slack_reaction r JOIN posts p ON p.id = "
	                            "r.post_id AND p.deleteat = 0 LEFT JOIN matterark.slack_reaction k USING "
	                            "(post_id, user_id, emoji) WHERE k.post_id IS NULL AND (EXISTS (SELECT 1 "
	                            "FROM ark_new n WHERE n.id = p.id) OR NOT EXISTS (SELECT 1 FROM ark_older o "
	                            "WHERE o.channel_id = p.channelid)) AND EXISTS (SELECT 1 FROM users u WHERE "
	                            "u.id = r.user_id) AND NOT EXISTS (SELECT 1 FROM reactions x WHERE x.postid = "
	                            "r.post_id AND x.userid = r.user_id AND x.emojiname = r.emoji)", err);
	ark_buf_z(&sql, "WITH made AS (");
	merge_insert_sql(s, SINK_REACTIONS, "reactions",
	                 "WHERE EXISTS (SELECT 1 FROM ark_new_reaction n WHERE n.post_id = s.postid AND n.user_id "
	                 "= s.userid AND n.emoji = s.emojiname) ON CONFLICT DO NOTHING RETURNING postid, userid, "
	                 "emojiname", &sql);
	ark_buf_fmt(&sql,
	            "), marked AS (INSERT INTO matterark.slack_reaction SELECT * FROM made ON CONFLICT DO "
	            "NOTHING), noted AS (INSERT INTO matterark.change (run, tbl, key) SELECT %lld, x.tbl, "
	            "ARRAY[m.postid, m.userid, m.emojiname] FROM made m, (VALUES ('reactions'), "
	            "('matterark.slack_reaction')) x (tbl) WHERE NOT EXISTS (" NEW_POST ")) SELECT count(*) FROM "
	            "made", (long long)l->run_no);
	if (rc == ARK_OK)
		rc = db_query_one(conn, sql.data, DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		out->reactions_new = (uint64_t)db_i64(res, 0, 0);
	return rc;
}

static enum ark_rc remove_reactions(const struct load *l, struct db_conn *conn, struct load_outcome *out,
                                    struct ark_err *err)
{
	enum ark_rc rc = merge_make(conn, "ark_gone_reaction",
	                            "SELECT k.* FROM matterark.slack_reaction k JOIN ark_changed c ON c.id = "
	                            "k.post_id LEFT JOIN ark_stage_slack_reaction r USING (post_id, user_id, "
	                            "emoji) WHERE r.post_id IS NULL AND c.alive", err);
	if (rc == ARK_OK)
		rc = change_delete(conn, l->run_no, "reactions", "ark_gone_reaction g",
		                   "t.postid = g.post_id AND t.userid = g.user_id AND t.emojiname = g.emoji",
		                   &out->reactions_removed, err);
	if (rc == ARK_OK)
		rc = change_delete(conn, l->run_no, "matterark.slack_reaction", "ark_gone_reaction g",
		                   "t.post_id = g.post_id AND t.user_id = g.user_id AND t.emoji = g.emoji", NULL, err);
	return rc;
}

#define REACTED                                                                                    \
	"SELECT x.post_id FROM (SELECT post_id FROM ark_new_reaction UNION SELECT post_id FROM "      \
	"ark_gone_reaction) x WHERE NOT EXISTS (SELECT 1 FROM ark_new n WHERE n.id = x.post_id)"

static enum ark_rc merge_reactions(const struct load *l, struct db_conn *conn, const struct sink *s,
                                   struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = add_reactions(l, conn, s, out, err);
	if (rc == ARK_OK)
		rc = remove_reactions(l, conn, out, err);
	if (rc == ARK_OK)
		rc = behind_note_posts(l, conn, REACTED, err);
	/* a reaction of somebody whose account is gone */
	if (rc == ARK_OK)
		rc = run(conn, "UPDATE posts p SET hasreactions = false FROM ark_new n JOIN ark_stage_posts s ON s.id "
		               "= n.id AND s.hasreactions WHERE p.id = n.id AND NOT EXISTS (SELECT 1 FROM reactions r "
		               "WHERE r.postid = p.id)", err);
	out->rows_written += out->reactions_new + out->reactions_removed;
	return rc;
}

/* Posts that had no reaction, or have none any more: only then people see a difference. */
static enum ark_rc mark_reacted(const struct load *l, struct db_conn *conn, struct load_outcome *out,
                                struct ark_err *err)
{
	char now[DB_NUM];
	db_num(l->start_ms, now);
	const struct change_set set[] = { { "hasreactions", "x.has" }, { "updateat", now }, { NULL, NULL } };
	const struct change_update posts = {
		"posts", set,
		"(SELECT p.id, EXISTS (SELECT 1 FROM reactions r WHERE r.postid = p.id AND coalesce(r.deleteat, 0) = "
		"0) AS has FROM posts p WHERE p.id IN (" REACTED ")) x",
		"t.id = x.id AND t.hasreactions IS DISTINCT FROM x.has"
	};
	return change_update(conn, l->run_no, &posts, &out->rows_written, err);
}

/* ---- threads ---- */

/* Those of new roots are all ours. The rest comes behind the commit: people reply in them meanwhile. */
static enum ark_rc merge_threads(struct db_conn *conn, const struct sink *s,
                                 struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = merge_make(conn, "ark_root",
	                            "SELECT DISTINCT p.rootid AS id, EXISTS (SELECT 1 FROM ark_new m WHERE m.id = "
	                            "p.rootid) AS made FROM ark_new n JOIN ark_stage_posts p ON p.id = n.id WHERE "
	                            "p.rootid <> ''", err);
	if (rc == ARK_OK)
		rc = reply_make(conn, "(SELECT id FROM ark_root WHERE made)", &out->rows_written, err);
	uint64_t n = 0;
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_THREADMEMBERSHIPS, "threadmemberships",
		            "WHERE EXISTS (SELECT 1 FROM ark_root r WHERE r.id = s.postid AND r.made) AND EXISTS (SELECT 1 "
		            "FROM posts p JOIN channelmembers m ON m.channelid = p.channelid WHERE p.id = s.postid AND "
		            "m.userid = s.userid) ON CONFLICT DO NOTHING", &n, err);
	out->rows_written += n;
	return rc;
}

/* ---- counters ---- */

/* New channels came with their counters already. */
static enum ark_rc find_grown(struct db_conn *conn, struct ark_err *err)
{
#define SILENT                                                                                    \
	"'system_join_leave','system_add_remove','system_join_channel','system_leave_channel',"   \
	"'system_join_team','system_leave_team','system_add_to_channel',"                         \
	"'system_remove_from_channel','system_add_to_team','system_remove_from_team'"
	return merge_make(conn, "ark_grown",
	                  "SELECT p.channelid AS id, count(*) FILTER (WHERE p.type NOT IN (" SILENT ")) AS n, "
	                  "count(*) FILTER (WHERE p.rootid = '' AND p.type NOT IN (" SILENT ")) AS roots, "
	                  "max(p.createat) AS newest, coalesce(max(p.createat) FILTER (WHERE p.rootid = ''), 0) "
	                  "AS newest_root FROM ark_new n JOIN ark_stage_posts p ON p.id = n.id WHERE NOT EXISTS (SELECT 1 "
	                  "FROM ark_new_channel c WHERE c.id = p.channelid) GROUP BY p.channelid", err);
}

/* ---- all of it ---- */

enum ark_rc merge_messages(struct load *l, struct db_conn *conn, const struct sink *s,
                           struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = find_new(conn, out, err);
	if (rc == ARK_OK)
		rc = find_changed(l, conn, err);
	if (rc == ARK_OK)
		rc = add_posts(conn, s, out, err);
	if (rc == ARK_OK)
		rc = note_changed(l, conn, s, out, err);
	if (rc == ARK_OK)
		rc = merge_reactions(l, conn, s, out, err);
	if (rc == ARK_OK)
		rc = merge_threads(conn, s, out, err);
	if (rc == ARK_OK)
		rc = find_grown(conn, err);
	return rc == ARK_OK ? behind_note(l, conn, err) : rc;
}

static enum ark_rc shared(struct load *l, struct db_conn *conn, const struct sink *s, bool messages,
                          struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = messages ? change_posts(l, conn, out, err) : ARK_OK;
	if (rc == ARK_OK && messages)
		rc = mark_reacted(l, conn, out, err);
	return rc == ARK_OK ? follow_slack(l, conn, s, out, err) : rc;
}

#define TRIES 10

enum ark_rc merge_shared(struct load *l, struct db_conn *conn, const struct sink *s, bool messages, bool dry,
                         struct load_outcome *out, struct ark_err *err)
{
	/* people take the same locks in another order: whoever the server picks to solve that tries again */
	for (int i = 1;; i++) {
		struct load_outcome before = *out;
		enum ark_rc rc = db_exec(conn, "SAVEPOINT ark_shared", err);
		if (rc == ARK_OK)
			rc = shared(l, conn, s, messages, out, err);
		if (rc == ARK_OK)
			return dry ? db_exec(conn, "ROLLBACK TO SAVEPOINT ark_shared", err) : ARK_OK;
		if (i == TRIES || !db_alive(conn) || strcmp(db_sqlstate(conn), "40P01") != 0)
			return rc;
		*out = before;
		if ((rc = db_exec(conn, "ROLLBACK TO SAVEPOINT ark_shared", err)) < 0)
			return rc;
	}
}
