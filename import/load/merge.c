/*
 * Why set-based: a million rows are compared with what is there in one join instead of a million
 * look-ups, and every statement that finds nothing to do writes nothing.
 */
#include "import/load/merge.h"

#include "common/db/text.h"
#include "common/mm/state.h"
#include "import/load/account.h"
#include "import/load/change.h"

#include "common/base/banned.h"

struct step {
	enum sink_table table;
	const char *target;
	const char *rest;
	const char *noted; /* see insert */
};

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

void merge_insert_sql(const struct sink *s, enum sink_table table, const char *target, const char *rest,
                      struct ark_buf *sql)
{
	ark_buf_fmt(sql, "INSERT INTO %s (", target);
	columns(s, table, "", sql);
	ark_buf_z(sql, ") SELECT ");
	columns(s, table, "s.", sql);
	ark_buf_fmt(sql, " FROM %s s %s", s->streams[table].table, rest);
}

enum ark_rc merge_make(struct db_conn *conn, const char *table, const char *as, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "CREATE TEMP TABLE %s ON COMMIT DROP AS %s", table, as);
	return db_run(conn, sql.data, DB_NO_PARAMS, NULL, err);
}

/* INSERT INTO target (columns) SELECT columns FROM stage s <rest>; the rows `m` that `noted` is true for
 * are written down as made by the run (NULL: none). Adds the number of rows to *affected. */
static enum ark_rc insert(struct load *l, struct db_conn *conn, const struct sink *s,
                          const struct step *step, uint64_t *affected, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	merge_insert_sql(s, step->table, step->target, step->rest, &sql);
	if (step->noted != NULL)
		return change_insert(conn, l->run_no, step->target, sql.data, step->noted, affected, err);
	uint64_t n = 0;
	enum ark_rc rc = db_run(conn, sql.data, DB_NO_PARAMS, &n, err);
	*affected += n;
	return rc < 0 ? ark_err_in(err, rc, "merge into %s", step->target) : rc;
}

/* What there is to be made. An account that an earlier run brought and somebody took away stays away. */
static enum ark_rc find_new(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = merge_make(conn, "ark_new_user",
	                            "SELECT s.id FROM ark_stage_users s WHERE NOT EXISTS (SELECT 1 FROM "
	                            "matterark.slack_user k WHERE k.user_id = s.id) AND NOT EXISTS (SELECT 1 "
	                            "FROM users u WHERE u.id = s.id)", err);
	if (rc == ARK_OK)
		rc = merge_make(conn, "ark_new_channel",
		                "SELECT s.id, s.name, s.type::text AS type FROM ark_stage_channels s WHERE NOT "
		                "EXISTS (SELECT 1 FROM channels c WHERE c.id = s.id)", err);
	/* channels that were imported from a newer archive than this one: nothing in them changes */
	if (rc == ARK_OK)
		rc = merge_make(conn, "ark_older",
		                "SELECT DISTINCT k.channel_id FROM ark_stage_slack_channel s JOIN "
		                "matterark.slack_channel k USING (workspace, slack_id) WHERE k.newest_us > "
		                "s.newest_us", err);
	return rc;
}

/* Members, as soon as the accounts are there. A membership that somebody ended stays ended: what
 * channelmemberhistory knows is not made again, nor anything for who was removed from the team. */
static enum ark_rc find_new_members(struct db_conn *conn, struct ark_err *err)
{
	enum ark_rc rc = merge_make(conn, "ark_new_member",
	                            "SELECT s.* FROM ark_stage_teammembers s JOIN users u ON u.id = s.userid "
	                            "WHERE NOT EXISTS (SELECT 1 FROM teammembers m WHERE m.teamid = s.teamid "
	                            "AND m.userid = s.userid)", err);
	static const char MEMBERS_SQL[] =
	            "SELECT s.channelid, s.userid FROM ark_stage_channelmembers s JOIN users u ON u.id = "
	            "s.userid WHERE NOT EXISTS (SELECT 1 FROM channelmemberhistory h WHERE h.channelid = "
	            "s.channelid AND h.userid = s.userid) AND NOT EXISTS (SELECT 1 FROM channelmembers m WHERE "
	            "m.channelid = s.channelid AND m.userid = s.userid) AND NOT EXISTS (SELECT 1 FROM ark_older "
	            "o WHERE o.channel_id = s.channelid) AND NOT EXISTS (SELECT 1 FROM channels c JOIN "
	            "teammembers g ON g.teamid = c.teamid WHERE c.id = s.channelid AND g.userid = s.userid AND "
	            "g.deleteat > 0)";
	return rc == ARK_OK ? merge_make(conn, "ark_new_channelmember", MEMBERS_SQL, err) : rc;
}

/* Rows of a new account or channel go with it and are not noted one by one. */
#define OLD_USER "NOT EXISTS (SELECT 1 FROM ark_new_user x WHERE x.id = m.userid)"
#define OLD_CHANNEL "NOT EXISTS (SELECT 1 FROM ark_new_channel x WHERE x.id = m.channelid)"
#define IS_NEW_CHANNELMEMBER                                                                      \
	"WHERE EXISTS (SELECT 1 FROM ark_new_channelmember n WHERE n.channelid = s.channelid AND " \
	"n.userid = s.userid) ON CONFLICT DO NOTHING"
#define IS_NEW_MEMBER "WHERE EXISTS (SELECT 1 FROM ark_new_member n WHERE n.teamid = s.teamid AND n.userid = s.userid) "
/* A direct or group channel shows in the sidebar by a preference: for people and channels that are new. */
#define IS_NEW_PREFERENCE                                                                         \
	"WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = s.userid) AND (EXISTS (SELECT 1 FROM "   \
	"matterark.slack_user k WHERE k.user_id = s.userid AND k.run = (SELECT max(run) FROM "     \
	"ark_stage_slack_user)) OR (s.category = 'group_channel_show' AND EXISTS (SELECT 1 FROM "  \
	"ark_new_channel c WHERE c.id = s.name)) OR (s.category = 'direct_channel_show' AND "      \
	"EXISTS (SELECT 1 FROM ark_new_channel c WHERE c.type = 'D' AND c.name IN (s.userid || "   \
	"'__' || s.name, s.name || '__' || s.userid)))) ON CONFLICT DO NOTHING"

static const struct step THINGS[] = {
	{ SINK_TEAMS, "teams", "ON CONFLICT DO NOTHING", "true" },
	{ SINK_USERS, "users", "WHERE EXISTS (SELECT 1 FROM ark_new_user n WHERE n.id = s.id)", "true" },
	{ SINK_BOTS, "bots",
	  "WHERE EXISTS (SELECT 1 FROM ark_new_user n WHERE n.id = s.userid) ON CONFLICT DO NOTHING", NULL },
	{ SINK_CHANNELS, "channels", "ON CONFLICT DO NOTHING", "true" },
	{ SINK_PUBLICCHANNELS, "publicchannels", "ON CONFLICT DO NOTHING", NULL },
};
static const struct step OWN[] = {
	{ SINK_ARK_USER, "matterark.slack_user", "ON CONFLICT DO NOTHING", NULL },
	{ SINK_ARK_CHANNEL, "matterark.slack_channel", "ON CONFLICT DO NOTHING", NULL },
};
static const struct step MEMBERS[] = {
	{ SINK_CHANNELMEMBERS, "channelmembers", IS_NEW_CHANNELMEMBER, OLD_USER " AND " OLD_CHANNEL },
	{ SINK_CHANNELMEMBERHISTORY, "channelmemberhistory", IS_NEW_CHANNELMEMBER,
	  OLD_USER " AND " OLD_CHANNEL },
	{ SINK_TEAMMEMBERS, "teammembers", IS_NEW_MEMBER, OLD_USER },
	{ SINK_PREFERENCES, "preferences", IS_NEW_PREFERENCE, OLD_USER },
	{ SINK_SIDEBARCATEGORIES, "sidebarcategories", IS_NEW_MEMBER "ON CONFLICT DO NOTHING", OLD_USER },
};

enum ark_rc merge_people_and_channels(struct load *l, struct db_conn *conn, const struct sink *s,
                                      struct load_outcome *out, struct ark_err *err)
{
	enum ark_rc rc = find_new(conn, err);
	for (size_t i = 0; i < sizeof(THINGS) / sizeof(THINGS[0]) && rc == ARK_OK; i++) {
		uint64_t n = 0;
		rc = insert(l, conn, s, &THINGS[i], &n, err);
		if (THINGS[i].table == SINK_USERS)
			out->users_new += n;
		if (THINGS[i].table == SINK_CHANNELS)
			out->channels_new += n;
		out->rows_written += n;
	}
	if (rc == ARK_OK)
		rc = find_new_members(conn, err);
	uint64_t own = 0;
	for (size_t i = 0; i < sizeof(OWN) / sizeof(OWN[0]) && rc == ARK_OK; i++)
		rc = insert(l, conn, s, &OWN[i], &own, err);
	for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]) && rc == ARK_OK; i++)
		rc = insert(l, conn, s, &MEMBERS[i], &out->rows_written, err);
	return rc;
}

/* ---- names that turned up late ---- */

static enum ark_rc run(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	return db_run(conn, sql, DB_NO_PARAMS, NULL, err);
}

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
	                     err);
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
		rc = run(conn, sql.data, err);
	ark_buf_reset(&sql);
	ark_buf_fmt(&sql,
	            "UPDATE %s k SET written = %s FROM %s p WHERE p.id = k.post_id AND "
	            "p.id IN (SELECT post_id FROM ark_rename)", kept, MM_POST_WRITTEN_SQL, posts);
	if (rc == ARK_OK)
		rc = run(conn, sql.data, err);
	if (rc == ARK_OK)
		rc = run(conn, "DROP TABLE ark_rename", err);
	return rc;
}

/* ---- the last of all ---- */

enum ark_rc merge_read_state(struct db_conn *conn, struct load_outcome *out, struct ark_err *err)
{
	uint64_t n = 0;
	enum ark_rc rc = db_run(conn,
	                        "UPDATE channelmembers m SET msgcount = c.totalmsgcount, msgcountroot = "
	                        "c.totalmsgcountroot, lastviewedat = greatest(m.lastviewedat, c.lastpostat) "
	                        "FROM ark_new_channelmember x JOIN channels c ON c.id = x.channelid WHERE "
	                        "m.channelid = x.channelid AND m.userid = x.userid AND (m.msgcount, "
	                        "m.msgcountroot) IS DISTINCT FROM (c.totalmsgcount, c.totalmsgcountroot)",
	                        DB_NO_PARAMS, &n, err);
	out->rows_written += n;
	return rc;
}
