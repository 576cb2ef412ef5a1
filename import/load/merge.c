/*
 * Why set-based: a million rows are compared with what is there in one join instead of a million
 * look-ups, and every statement that finds nothing to do writes nothing.
 */
#include "import/load/merge.h"

#include "common/mm/state.h"
#include "import/load/account.h"
#include "common/db/text.h"

#include "common/base/banned.h"

static void columns(const struct sink *s, enum sink_table table, const char *prefix, struct ark_buf *sql)
{
	const struct sink_stream *x = &s->streams[table];
	bool any = false;
	for (unsigned c = 0; x->columns[c] != NULL; c++) {
		if (!x->present[c])
			continue;
		ark_buf_z(sql, any ? ", " : "");
		ark_buf_z(sql, prefix);
		ark_buf_z(sql, x->columns[c]);
		any = true;
	}
}

/* INSERT INTO target (columns) SELECT columns FROM stage s <rest>; adds the rows to *affected. */
static enum ark_rc insert(struct db_conn *conn, const struct sink *s, enum sink_table table,
                          const char *target, const char *rest, uint64_t *affected,
                          struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 64u << 10);
	ark_buf_fmt(&sql, "INSERT INTO %s (", target);
	columns(s, table, "", &sql);
	ark_buf_z(&sql, ") SELECT ");
	columns(s, table, "s.", &sql);
	ark_buf_fmt(&sql, " FROM %s s %s", s->streams[table].table, rest);
	uint64_t n = 0;
	enum ark_rc rc = db_run(conn, sql.data, DB_NO_PARAMS, &n, err);
	*affected += n;
	return rc < 0 ? ark_err_in(err, rc, "merge into %s", target) : rc;
}

static enum ark_rc run(struct db_conn *conn, const char *sql, struct db_params params,
                       uint64_t *affected, struct ark_err *err)
{
	uint64_t n = 0;
	enum ark_rc rc = db_run(conn, sql, params, &n, err);
	if (affected != NULL)
		*affected += n;
	return rc;
}

struct step {
	enum sink_table table;
	const char *target;
	const char *rest;
};

/* Names and topics follow Slack as long as nobody changed them here. */
static enum ark_rc merge_channel_texts(struct load *l, struct db_conn *conn, struct load_outcome *out,
                                       struct ark_err *err)
{
	char now[DB_NUM];
	enum ark_rc rc = run(conn,
	                     "CREATE TEMP TABLE ark_retitled ON COMMIT DROP AS SELECT k.workspace, k.slack_id, "
	                     "k.channel_id, s.displayname, s.header, s.purpose, c.type::text <> 'D' AND "
	                     "c.type::text <> 'G' AND (c.displayname, c.header, c.purpose) = "
	                     "(k.displayname, k.header, k.purpose) AS untouched FROM "
	                     "ark_stage_slack_channel s JOIN matterark.slack_channel k USING (workspace, slack_id) "
	                     "JOIN channels c ON c.id = k.channel_id WHERE s.newest_us >= k.newest_us AND "
	                     "(s.displayname, s.header, s.purpose) <> (k.displayname, k.header, k.purpose)",
	                     DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE channels c SET displayname = r.displayname, header = r.header, purpose = "
		         "r.purpose, updateat = $1::bigint FROM ark_retitled r WHERE c.id = r.channel_id AND "
		         "r.untouched", DB_PARAMS(db_num(l->start_ms, now)), &out->rows_written, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE publicchannels c SET displayname = r.displayname, header = r.header, "
		         "purpose = r.purpose FROM ark_retitled r WHERE c.id = r.channel_id AND r.untouched",
		         DB_NO_PARAMS, &out->rows_written, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE matterark.slack_channel k SET newest_us = s.newest_us, displayname = CASE WHEN "
		         "r.untouched THEN r.displayname ELSE k.displayname END, header = CASE WHEN r.untouched "
		         "THEN r.header ELSE k.header END, purpose = CASE WHEN r.untouched THEN r.purpose ELSE "
		         "k.purpose END FROM ark_stage_slack_channel s LEFT JOIN ark_retitled r USING "
		         "(workspace, slack_id) WHERE k.workspace = s.workspace AND k.slack_id = s.slack_id AND "
		         "(s.newest_us > k.newest_us OR r.untouched)", DB_NO_PARAMS, NULL, err);
	return rc;
}

enum ark_rc merge_people_and_channels(struct load *l, struct db_conn *conn, const struct sink *s,
                                      struct load_outcome *out, struct ark_err *err)
{
	/* An account or membership that an earlier run brought and somebody took away stays away: what
	 * slack_user and channelmemberhistory know is not made again. */
	static const struct step STEPS[] = {
		{ SINK_TEAMS, "teams", "ON CONFLICT DO NOTHING" },
		{ SINK_USERS, "users",
		  "WHERE NOT EXISTS (SELECT 1 FROM matterark.slack_user k WHERE k.user_id = s.id) "
		  "AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.id)" },
		{ SINK_BOTS, "bots",
		  "WHERE NOT EXISTS (SELECT 1 FROM matterark.slack_user k WHERE k.user_id = s.userid) "
		  "ON CONFLICT DO NOTHING" },
		{ SINK_CHANNELS, "channels", "ON CONFLICT DO NOTHING" },
		{ SINK_PUBLICCHANNELS, "publicchannels", "ON CONFLICT DO NOTHING" },
		{ SINK_CHANNELMEMBERS, "channelmembers",
		  "WHERE EXISTS (SELECT 1 FROM ark_new_channelmember n WHERE n.channelid = s.channelid "
		  "AND n.userid = s.userid) ON CONFLICT DO NOTHING" },
		{ SINK_CHANNELMEMBERHISTORY, "channelmemberhistory",
		  "WHERE EXISTS (SELECT 1 FROM ark_new_channelmember n WHERE n.channelid = s.channelid "
		  "AND n.userid = s.userid) ON CONFLICT DO NOTHING" },
		{ SINK_ARK_USER, "matterark.slack_user", "ON CONFLICT DO NOTHING" },
		{ SINK_ARK_CHANNEL, "matterark.slack_channel", "ON CONFLICT DO NOTHING" },
	};
	enum ark_rc rc = run(conn,
	                     "CREATE TEMP TABLE ark_new_member ON COMMIT DROP AS SELECT s.* FROM "
	                     "ark_stage_teammembers s WHERE NOT EXISTS (SELECT 1 FROM teammembers m "
	                     "WHERE m.teamid = s.teamid AND m.userid = s.userid)",
	                     DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "CREATE TEMP TABLE ark_new_channel ON COMMIT DROP AS SELECT s.id FROM "
		         "ark_stage_channels s WHERE NOT EXISTS (SELECT 1 FROM channels c WHERE c.id = s.id)",
		         DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "CREATE TEMP TABLE ark_new_channelmember ON COMMIT DROP AS SELECT s.channelid, "
		         "s.userid FROM ark_stage_channelmembers s WHERE NOT EXISTS (SELECT 1 FROM "
		         "channelmemberhistory h WHERE h.channelid = s.channelid AND h.userid = s.userid) AND "
		         "NOT EXISTS (SELECT 1 FROM channelmembers m WHERE m.channelid = s.channelid AND "
		         "m.userid = s.userid)",
		         DB_NO_PARAMS, NULL, err);
	/* channels that were imported from a newer archive than this one: nothing in them changes */
	if (rc == ARK_OK)
		rc = run(conn,
		         "CREATE TEMP TABLE ark_older ON COMMIT DROP AS SELECT k.channel_id FROM "
		         "ark_stage_slack_channel s JOIN matterark.slack_channel k USING (workspace, slack_id) "
		         "WHERE k.newest_us > s.newest_us", DB_NO_PARAMS, NULL, err);
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && rc == ARK_OK; i++) {
		uint64_t n = 0;
		rc = insert(conn, s, STEPS[i].table, STEPS[i].target, STEPS[i].rest, &n, err);
		if (STEPS[i].table == SINK_USERS)
			out->users_new += n;
		if (STEPS[i].table == SINK_CHANNELS)
			out->channels_new += n;
		if (STEPS[i].table != SINK_ARK_USER && STEPS[i].table != SINK_ARK_CHANNEL)
			out->rows_written += n;
	}
	if (rc == ARK_OK)
		rc = merge_channel_texts(l, conn, out, err);
	if (rc < 0)
		return rc;
	rc = insert(conn, s, SINK_TEAMMEMBERS, "teammembers",
	            "WHERE EXISTS (SELECT 1 FROM ark_new_member n WHERE n.userid = s.userid)",
	            &out->rows_written, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_PREFERENCES, "preferences",
		            "WHERE EXISTS (SELECT 1 FROM matterark.slack_user k WHERE k.user_id = s.userid "
		            "AND k.run = (SELECT max(run) FROM ark_stage_slack_user)) "
		            "ON CONFLICT DO NOTHING", &out->rows_written, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_SIDEBARCATEGORIES, "sidebarcategories",
		            "WHERE EXISTS (SELECT 1 FROM ark_new_member n WHERE n.userid = s.userid) "
		            "ON CONFLICT DO NOTHING", &out->rows_written, err);
	return rc;
}

/* ---- names that turned up late ---- */

struct renaming {
	struct ark_buf values; /* ('old', 'new'), ... */
	struct load *l;
};

static void on_rename(void *ctx, uint32_t person, struct ark_str old)
{
	struct renaming *r = ctx;
	ark_buf_z(&r->values, r->values.len > 0 ? ", (" : "(");
	db_literal(&r->values, old);
	ark_buf_z(&r->values, ", ");
	db_literal(&r->values, r->l->x->people.list[person].username);
	ark_buf_c(&r->values, ')');
}

enum ark_rc merge_renames(struct load *l, struct db_conn *conn, struct sink *s, struct ark_err *err)
{
	struct renaming r = { .l = l };
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&r.values, SIZE_MAX / 2);
	ark_buf_init(&sql, SIZE_MAX / 2);
	accounts_settle(l, on_rename, &r);
	if (r.values.len == 0 || s->streams[SINK_RENAME].count == 0) {
		ark_buf_release(&r.values);
		return ARK_OK;
	}
	const char *posts = s->streams[SINK_POSTS].table, *kept = s->streams[SINK_ARK_POST].table;
	enum ark_rc rc = run(conn, "CREATE TEMP TABLE ark_rename (post_id varchar(26), old_name text)",
	                     DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = sink_flush(s, SINK_RENAME, conn, err);
	/* one name at a time: a post may name several */
	ark_buf_fmt(&sql,
	            "DO $do$ DECLARE n record; BEGIN "
	            "FOR n IN SELECT * FROM (VALUES %.*s) AS v (old, new) LOOP "
	            "UPDATE %s p SET message = replace(p.message, n.old, n.new), props = "
	            "replace(p.props::text, '\"' || n.old || '\"', '\"' || n.new || '\"')::jsonb "
	            "FROM ark_rename r WHERE r.post_id = p.id AND r.old_name = n.old; "
	            "END LOOP; END $do$", ARK_FMT(ark_buf_view(&r.values)), posts);
	ark_buf_release(&r.values);
	if (rc == ARK_OK)
		rc = run(conn, sql.data, DB_NO_PARAMS, NULL, err);
	ark_buf_reset(&sql);
	ark_buf_fmt(&sql,
	            "UPDATE %s k SET written = %s FROM %s p WHERE p.id = k.post_id AND "
	            "p.id IN (SELECT post_id FROM ark_rename)", kept, MM_POST_WRITTEN_SQL, posts);
	if (rc == ARK_OK)
		rc = run(conn, sql.data, DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn, "DROP TABLE ark_rename", DB_NO_PARAMS, NULL, err);
	return rc;
}

/* ---- messages ---- */

/* Times that are taken: a new post moves on by a millisecond until its place is free. */
static enum ark_rc make_room(struct db_conn *conn, struct ark_err *err)
{
	for (int round = 0; round < 1000; round++) {
		uint64_t moved = 0;
		enum ark_rc rc = run(conn,
		                     "UPDATE ark_stage_posts s SET createat = s.createat + 1 FROM ark_new n "
		                     "WHERE n.id = s.id AND (EXISTS (SELECT 1 FROM posts p WHERE "
		                     "p.channelid = s.channelid AND p.createat = s.createat AND "
		                     "p.deleteat = 0) OR EXISTS (SELECT 1 FROM ark_new m "
		                     "JOIN ark_stage_posts o ON o.id = m.id WHERE o.channelid = s.channelid "
		                     "AND o.createat = s.createat AND o.id < s.id))",
		                     DB_NO_PARAMS, &moved, err);
		if (rc < 0 || moved == 0)
			return rc;
	}
	return ARK_OK;
}

/* What Slack says of the files of new and changed posts. A body that is here stays whatever became of
 * it there. */
static enum ark_rc merge_files(struct db_conn *conn, const struct sink *s, struct ark_err *err)
{
	enum ark_rc rc = insert(conn, s, SINK_ARK_FILE, "matterark.slack_file",
	                        "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.post_id) OR EXISTS "
	                        "(SELECT 1 FROM ark_changed c WHERE c.id = s.post_id AND c.untouched) "
	                        "ON CONFLICT DO NOTHING", &(uint64_t){ 0 }, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE matterark.slack_file w SET place = s.place, name = s.name, mime = s.mime, size = "
		         "s.size, may_be_html = s.may_be_html, link = s.link, note = s.note, state = s.state, "
		         "reason = s.reason FROM ark_stage_slack_file s JOIN ark_changed c ON c.id = s.post_id "
		         "WHERE w.file_id = s.file_id AND c.untouched AND w.state <> 'stored'",
		         DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK) /* their notes stand in the text again, for as long as this transaction lasts */
		rc = run(conn,
		         "UPDATE matterark.slack_file w SET place = s.place, note = s.note FROM ark_stage_slack_file "
		         "s JOIN ark_changed c ON c.id = s.post_id WHERE w.file_id = s.file_id AND c.untouched AND "
		         "w.state = 'stored'", DB_NO_PARAMS, NULL, err);
	return rc;
}

static enum ark_rc merge_posts(struct load *l, struct db_conn *conn, const struct sink *s,
                               struct load_outcome *out, struct ark_err *err)
{
	char now[DB_NUM];
	struct ark_str start = db_num(l->start_ms, now);
	static const char NEW[] =
	    "CREATE TEMP TABLE ark_new ON COMMIT DROP AS SELECT k.post_id AS id FROM "
	    "ark_stage_slack_post k LEFT JOIN matterark.slack_post p ON p.post_id = k.post_id "
	    "WHERE p.post_id IS NULL";
	/* what Slack says differently now, and whether the row is still as we wrote it */
	static const char CHANGED[] =
	    "CREATE TEMP TABLE ark_changed ON COMMIT DROP AS SELECT k.post_id AS id, k.source, k.note, "
	    "k.written AS will_be, p.id IS NOT NULL AND p.deleteat = 0 AND " MM_POST_WRITTEN_SQL
	    " = w.written AS untouched, k.written <> w.written AS differs "
	    "FROM ark_stage_slack_post k JOIN matterark.slack_post w ON w.post_id = k.post_id "
	    "LEFT JOIN posts p ON p.id = k.post_id WHERE w.source <> k.source AND NOT EXISTS (SELECT 1 FROM "
	    "ark_older o WHERE o.channel_id = w.channel_id)";
	enum ark_rc rc = run(conn, NEW, DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn, CHANGED, DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = make_room(conn, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_POSTS, "posts",
		            "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.id)", &out->posts_new, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_ARK_POST, "matterark.slack_post",
		            "WHERE EXISTS (SELECT 1 FROM ark_new n WHERE n.id = s.post_id)",
		            &(uint64_t){ 0 }, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE posts p SET message = s.message, props = s.props, hashtags = s.hashtags, "
		         "type = s.type, editat = s.editat, ispinned = s.ispinned, updateat = $1::bigint "
		         "FROM ark_stage_posts s JOIN ark_changed c ON c.id = s.id "
		         "WHERE p.id = s.id AND c.untouched AND c.differs",
		         DB_PARAMS(start), &out->posts_updated, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE matterark.slack_post w SET source = c.source, written = c.will_be, "
		         "note = c.note FROM ark_changed c WHERE w.post_id = c.id AND c.untouched",
		         DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = merge_files(conn, s, err);
	if (rc < 0)
		return rc;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	rc = db_query_one(conn, "SELECT count(*) FROM ark_changed WHERE NOT untouched", DB_NO_PARAMS, &res,
	                  err);
	if (rc == ARK_OK)
		out->posts_kept = (uint64_t)db_i64(res, 0, 0);
	out->rows_written += out->posts_new + out->posts_updated;
	return rc;
}

static enum ark_rc merge_reactions(struct db_conn *conn, const struct sink *s,
                                   struct load_outcome *out, struct ark_err *err)
{
	static const char NEW[] =
	    "CREATE TEMP TABLE ark_new_reaction ON COMMIT DROP AS SELECT r.* FROM "
	    "ark_stage_slack_reaction r JOIN posts p ON p.id = r.post_id AND p.deleteat = 0 "
	    "LEFT JOIN matterark.slack_reaction k USING (post_id, user_id, emoji) "
	    "WHERE k.post_id IS NULL";
	static const char GONE[] =
	    "CREATE TEMP TABLE ark_gone_reaction ON COMMIT DROP AS SELECT k.* FROM "
	    "matterark.slack_reaction k JOIN ark_changed c ON c.id = k.post_id "
	    "LEFT JOIN ark_stage_slack_reaction r USING (post_id, user_id, emoji) WHERE r.post_id IS NULL";
	enum ark_rc rc = run(conn, NEW, DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn, GONE, DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_REACTIONS, "reactions",
		            "WHERE EXISTS (SELECT 1 FROM ark_new_reaction n WHERE n.post_id = s.postid AND "
		            "n.user_id = s.userid AND n.emoji = s.emojiname) ON CONFLICT DO NOTHING",
		            &out->reactions_new, err);
	if (rc == ARK_OK)
		rc = run(conn, "INSERT INTO matterark.slack_reaction SELECT * FROM ark_new_reaction "
		               "ON CONFLICT DO NOTHING", DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn, "DELETE FROM reactions r USING ark_gone_reaction g WHERE r.postid = g.post_id "
		               "AND r.userid = g.user_id AND r.emojiname = g.emoji",
		         DB_NO_PARAMS, &out->reactions_removed, err);
	if (rc == ARK_OK)
		rc = run(conn, "DELETE FROM matterark.slack_reaction k USING ark_gone_reaction g WHERE "
		               "k.post_id = g.post_id AND k.user_id = g.user_id AND k.emoji = g.emoji",
		         DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE posts p SET hasreactions = x.has FROM (SELECT p2.id, EXISTS (SELECT 1 FROM "
		         "reactions r WHERE r.postid = p2.id AND coalesce(r.deleteat, 0) = 0) AS has FROM posts p2 WHERE "
		         "p2.id IN (SELECT post_id FROM ark_new_reaction UNION SELECT post_id FROM "
		         "ark_gone_reaction)) x WHERE p.id = x.id AND p.hasreactions <> x.has",
		         DB_NO_PARAMS, &out->rows_written, err);
	out->rows_written += out->reactions_new + out->reactions_removed;
	return rc;
}

static enum ark_rc merge_threads(struct load *l, struct db_conn *conn, const struct sink *s,
                                 struct load_outcome *out, struct ark_err *err)
{
	char now[DB_NUM];
	bool has_delete = s->streams[SINK_THREADS].present[5];
	bool has_team = s->streams[SINK_THREADS].present[6];
	enum ark_rc rc = run(conn,
	                     "CREATE TEMP TABLE ark_root ON COMMIT DROP AS SELECT DISTINCT p.rootid AS id "
	                     "FROM ark_new n JOIN posts p ON p.id = n.id WHERE p.rootid <> ''",
	                     DB_NO_PARAMS, NULL, err);
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 64u << 10);
	ark_buf_fmt(&sql,
	            "INSERT INTO threads (postid, replycount, lastreplyat, participants, channelid%s%s) "
	            "SELECT r.id, x.replies, x.newest, x.people, root.channelid%s%s FROM ark_root r "
	            "JOIN posts root ON root.id = r.id JOIN channels c ON c.id = root.channelid "
	            "CROSS JOIN LATERAL (SELECT sum(y.n) AS replies, max(y.newest) AS newest, "
	            "coalesce(jsonb_agg(y.userid ORDER BY y.newest), '[]') AS people FROM (SELECT p.userid, "
	            "count(*) AS n, max(p.createat) AS newest FROM posts p WHERE p.rootid = r.id AND "
	            "p.deleteat = 0 GROUP BY p.userid) y) x "
	            "ON CONFLICT (postid) DO UPDATE SET replycount = excluded.replycount, "
	            "lastreplyat = excluded.lastreplyat, participants = excluded.participants",
	            has_delete ? ", threaddeleteat" : "", has_team ? ", threadteamid" : "",
	            has_delete ? ", 0" : "", has_team ? ", c.teamid" : "");
	if (rc == ARK_OK)
		rc = run(conn, sql.data, DB_NO_PARAMS, &out->rows_written, err);
	if (rc == ARK_OK)
		rc = insert(conn, s, SINK_THREADMEMBERSHIPS, "threadmemberships",
		            "WHERE EXISTS (SELECT 1 FROM ark_root r WHERE r.id = s.postid) AND EXISTS "
		            "(SELECT 1 FROM posts p JOIN channelmembers m ON m.channelid = p.channelid WHERE "
		            "p.id = s.postid AND m.userid = s.userid) ON CONFLICT DO NOTHING",
		            &out->rows_written, err);
	if (rc == ARK_OK)
		rc = run(conn, "UPDATE posts p SET updateat = $1::bigint FROM ark_root r WHERE p.id = r.id AND "
		               "p.updateat < $1::bigint", DB_PARAMS(db_num(l->start_ms, now)),
		         &out->rows_written, err);
	return rc;
}

/* Counters of channels that were there: by how much they grew, never what they are. Members' read
 * state grows along, so nothing turns unread. */
static enum ark_rc merge_counters(struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
#define SILENT                                                                                    \
	"'system_join_leave','system_add_remove','system_join_channel','system_leave_channel',"   \
	"'system_join_team','system_leave_team','system_add_to_channel',"                         \
	"'system_remove_from_channel','system_add_to_team','system_remove_from_team'"
	enum ark_rc rc = run(conn,
	                     "CREATE TEMP TABLE ark_grown ON COMMIT DROP AS SELECT p.channelid AS id, "
	                     "count(*) FILTER (WHERE p.type NOT IN (" SILENT ")) AS n, "
	                     "count(*) FILTER (WHERE p.rootid = '' AND p.type NOT IN (" SILENT ")) AS roots, "
	                     "max(p.createat) AS newest, "
	                     "coalesce(max(p.createat) FILTER (WHERE p.rootid = ''), 0) AS newest_root "
	                     "FROM ark_new n JOIN posts p ON p.id = n.id GROUP BY p.channelid",
	                     DB_NO_PARAMS, NULL, err);
	/* new channels came with their counters already */
	if (rc == ARK_OK)
		rc = run(conn, "DELETE FROM ark_grown g USING ark_new_channel n WHERE n.id = g.id",
		         DB_NO_PARAMS, NULL, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE channels c SET totalmsgcount = c.totalmsgcount + g.n, totalmsgcountroot = "
		         "c.totalmsgcountroot + g.roots, lastpostat = greatest(c.lastpostat, g.newest), "
		         "lastrootpostat = greatest(c.lastrootpostat, g.newest_root) FROM ark_grown g "
		         "WHERE c.id = g.id", DB_NO_PARAMS, &out->rows_written, err);
	if (rc == ARK_OK)
		rc = run(conn,
		         "UPDATE channelmembers m SET msgcount = m.msgcount + g.n, msgcountroot = "
		         "m.msgcountroot + g.roots, lastviewedat = CASE WHEN m.msgcount >= c.totalmsgcount - g.n "
		         "THEN greatest(m.lastviewedat, g.newest) ELSE m.lastviewedat END FROM ark_grown g "
		         "JOIN channels c ON c.id = g.id WHERE m.channelid = g.id AND NOT EXISTS (SELECT 1 FROM "
		         "ark_new_channelmember x WHERE x.channelid = m.channelid AND x.userid = m.userid)",
		         DB_NO_PARAMS, &out->rows_written, err);
	return rc;
}

enum ark_rc merge_messages(struct load *l, struct db_conn *conn, const struct sink *s,
                           struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = merge_posts(l, conn, s, out, err);
	if (rc == ARK_OK)
		rc = merge_reactions(conn, s, out, err);
	if (rc == ARK_OK)
		rc = merge_threads(l, conn, s, out, err);
	return rc == ARK_OK ? merge_counters(conn, out, err) : rc;
}

enum ark_rc merge_read_state(struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
	return run(conn,
	           "UPDATE channelmembers m SET msgcount = c.totalmsgcount, msgcountroot = "
	           "c.totalmsgcountroot, lastviewedat = greatest(m.lastviewedat, c.lastpostat) FROM "
	           "ark_new_channelmember x JOIN channels c ON c.id = x.channelid WHERE m.channelid = "
	           "x.channelid AND m.userid = x.userid AND (m.msgcount, m.msgcountroot) IS DISTINCT FROM "
	           "(c.totalmsgcount, c.totalmsgcountroot)", DB_NO_PARAMS, &out->rows_written, err);
}
