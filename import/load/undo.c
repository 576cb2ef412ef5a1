#include "import/load/undo.h"

#include <stdio.h>

#include "common/base/time.h"
#include "common/mm/state.h"
#include "import/load/behind.h"
#include "import/load/restore.h"

#include "common/base/banned.h"

struct undo {
	const struct undo_job *job;
	struct undo_outcome *out;
	struct db_conn *conn;
	int64_t run_no, started_ms;
	bool has_login;
	struct restore_count counts[CHANGE_TABLES];
	struct db_result *bodies;
};

static void undo_release(struct undo *u)
{
	db_result_free(u->bodies);
	db_close(u->conn);
}

static void tell(struct undo *u, enum undo_line kind, const char *what, uint64_t n, uint64_t *sum)
{
	if (n == 0)
		return;
	*sum += n;
	if (u->job->line != NULL)
		u->job->line(u->job->ctx, kind, what, n);
}

/* ---- which run ---- */

static enum ark_rc find_run(struct undo *u, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	bool state = false;
	enum ark_rc rc = mm_state_exists(u->conn, &state, err);
	if (rc == ARK_OK && state)
		rc = db_query(u->conn,
		              "SELECT r.run_no, r.started, coalesce(r.undone, 0), r.options ->> 'created_database' = "
		              "'true', (SELECT n.run FROM matterark.run n WHERE n.undone IS NULL AND n.run_no > "
		              "r.run_no ORDER BY n.run_no DESC LIMIT 1) FROM matterark.run r WHERE r.run = $1",
		              DB_PARAMS(ark_str_z(u->job->run)), &res, err);
	if (rc < 0)
		return rc;
	if (!state || db_rows(res) == 0) {
		ark_err_set(err, ARK_KIND_REFUSED, "there is no run '%s' in database '%s'", u->job->run,
		            u->out->database);
		ark_err_hint(err, "'matter-import runs' lists them");
		return ARK_FAIL;
	}
	u->run_no = db_i64(res, 0, 0);
	u->started_ms = db_i64(res, 0, 1);
	u->out->created_database = db_bool(res, 0, 3);
	if (db_i64(res, 0, 2) > 0) {
		char iso[ARK_TIME_ISO];
		ark_time_iso(db_i64(res, 0, 2), iso);
		return ark_err_set(err, ARK_KIND_REFUSED, "run '%s' was undone before, at %s", u->job->run, iso);
	}
	if (!db_null(res, 0, 4)) {
		ark_err_set(err, ARK_KIND_REFUSED, "run '%s' is not the newest one", u->job->run);
		ark_err_hint(err, "later runs stand on it: undo '%.*s' first", ARK_FMT(db_value(res, 0, 4)));
		return ARK_FAIL;
	}
	return ARK_OK;
}

/* ---- what goes ---- */

static enum ark_rc run_sql(struct undo *u, const char *sql, uint64_t *n, struct ark_err *err)
{
	return db_run(u->conn, sql, DB_NO_PARAMS, n, err);
}

/* The same with the run's number as $1. */
static enum ark_rc run_of(struct undo *u, const char *sql, uint64_t *n, struct ark_err *err)
{
	char no[DB_NUM];
	return db_run(u->conn, sql, DB_PARAMS(db_num(u->run_no, no)), n, err);
}

/* Teams, accounts, channels and posts; `ours` is false for what people put into them. */
static enum ark_rc find_things(struct undo *u, struct ark_err *err)
{
#define MADE(table)                                                                                \
	"SELECT t.id FROM " table " t JOIN matterark.change c ON c.run = $1::int AND c.tbl = '" table   \
	"' AND c.before IS NULL AND t.id = c.key[1]"
#define NOT_YET "NOT EXISTS (SELECT 1 FROM ark_doomed d WHERE d.id = p.id)"
	static const char *const STEPS[] = {
		"CREATE TEMP TABLE ark_undo_channel (id varchar(26) PRIMARY KEY, ours boolean) ON COMMIT DROP",
		"INSERT INTO ark_undo_channel SELECT c.id, false FROM channels c WHERE c.teamid IN (SELECT id FROM "
		"ark_undo_team) ON CONFLICT DO NOTHING",
		"CREATE TEMP TABLE ark_doomed (id varchar(26) PRIMARY KEY, ours boolean) ON COMMIT DROP",
		"ANALYZE ark_doomed",
		"ANALYZE matterark.change", /* written at once by the run: nothing is known of it otherwise */
		"INSERT INTO ark_doomed SELECT p.id, false FROM posts p WHERE (p.channelid IN (SELECT id FROM "
		"ark_undo_channel) OR p.userid IN (SELECT id FROM ark_undo_user)) AND " NOT_YET,
		"INSERT INTO ark_doomed SELECT p.id, false FROM posts p JOIN ark_doomed r ON r.id = p.rootid WHERE "
		NOT_YET,
		"INSERT INTO ark_doomed SELECT p.id, false FROM posts p JOIN ark_doomed r ON r.id = p.originalid WHERE "
		NOT_YET,
		"ANALYZE ark_doomed",
	};
	enum ark_rc rc = run_of(u, "CREATE TEMP TABLE ark_undo_team ON COMMIT DROP AS " MADE("teams"), NULL, err);
	if (rc == ARK_OK)
		rc = run_of(u, "CREATE TEMP TABLE ark_undo_user ON COMMIT DROP AS " MADE("users"), NULL, err);
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && rc == ARK_OK; i++) {
		rc = run_sql(u, STEPS[i], NULL, err);
		if (rc == ARK_OK && i == 0)
			rc = run_of(u, "INSERT INTO ark_undo_channel SELECT x.id, true FROM (" MADE("channels") ") x",
			            NULL, err);
		if (rc == ARK_OK && i == 2)
			rc = run_of(u, "INSERT INTO ark_doomed SELECT p.id, true FROM matterark.slack_post w JOIN posts p "
			               "ON p.id = w.post_id WHERE w.run = $1::int AND NOT EXISTS (SELECT 1 FROM "
			               "matterark.slack_adopted a WHERE a.post_id = w.post_id)", NULL, err);
	}
	return rc;
}

/* Tables with rows that name what goes, and how: those of Mattermost's that an import writes to, or that
 * only hold an account's own settings. Fact: docs/mattermost-facts.md "References" */
#define OF_USER "EXISTS (SELECT 1 FROM ark_undo_user x WHERE x.id = t.userid)"
#define OF_CHANNEL "EXISTS (SELECT 1 FROM ark_undo_channel x WHERE x.id = t.channelid)"
#define OF_TEAM "EXISTS (SELECT 1 FROM ark_undo_team x WHERE x.id = t.teamid)"
#define OF_POST "EXISTS (SELECT 1 FROM ark_doomed x WHERE x.id = t.postid)"
static const struct {
	const char *table, *which;
} HANGING[] = {
	{ "reactions", OF_POST " OR " OF_USER },
	{ "threadmemberships", OF_POST " OR " OF_USER },
	{ "threads", OF_POST },
	{ "fileinfo", OF_POST },
	{ "posts", "EXISTS (SELECT 1 FROM ark_doomed x WHERE x.id = t.id)" },
	{ "bots", OF_USER },
	{ "preferences", OF_USER " OR (t.category IN ('group_channel_show', 'channel_open_time', "
	                 "'channel_approximate_view_time', 'favorite_channel') AND EXISTS (SELECT 1 FROM "
	                 "ark_undo_channel x WHERE x.id = t.name)) OR (t.category = 'direct_channel_show' AND "
	                 "EXISTS (SELECT 1 FROM ark_undo_user x WHERE x.id = t.name)) OR (t.category = "
	                 "'flagged_post' AND EXISTS (SELECT 1 FROM ark_doomed x WHERE x.id = t.name))" },
	{ "sidebarchannels", OF_USER " OR " OF_CHANNEL },
	{ "sidebarcategories", OF_USER " OR " OF_TEAM },
	{ "status", OF_USER },
	{ "sessions", OF_USER },
	{ "channelmemberhistory", OF_USER " OR " OF_CHANNEL },
	{ "channelmembers", OF_USER " OR " OF_CHANNEL },
	{ "teammembers", OF_USER " OR " OF_TEAM },
	{ "publicchannels", "EXISTS (SELECT 1 FROM ark_undo_channel x WHERE x.id = t.id)" },
};

static bool is_hanging(struct ark_str table)
{
	for (size_t i = 0; i < sizeof(HANGING) / sizeof(HANGING[0]); i++)
		if (ark_str_eqz(table, HANGING[i].table))
			return true;
	return false;
}

/* Which rows of any other table name what goes. */
static void names_sql(struct ark_str column, struct ark_buf *sql)
{
	const char *of = ark_str_eqz(column, "postid") || ark_str_eqz(column, "rootid") ? "ark_doomed"
	                 : ark_str_eqz(column, "channelid")                            ? "ark_undo_channel"
	                 : ark_str_eqz(column, "teamid")                               ? "ark_undo_team"
	                                                                               : "ark_undo_user";
	ark_buf_fmt(sql, "EXISTS (SELECT 1 FROM %s x WHERE x.id = t.%.*s)", of, ARK_FMT(column));
}

/* Every table of Mattermost's that is not listed above: drafts, hooks, saved things, whatever this
 * version has. `each` is called with the condition that holds for rows that name what goes. */
static enum ark_rc other_tables(struct undo *u,
                                enum ark_rc (*each)(struct undo *u, const char *table, const char *which,
                                                    struct ark_err *err),
                                struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(u->conn,
	                          "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
	                          "c.oid WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
	                          "AND a.attnum > 0 AND NOT a.attisdropped AND a.attname IN ('postid', 'rootid', "
	                          "'channelid', 'teamid', 'userid', 'creatorid') AND c.relname NOT IN ('teams', "
	                          "'users', 'channels', 'audits', 'compliances') ORDER BY c.relname, a.attnum",
	                          DB_NO_PARAMS, &res, err);
	ark_auto(ark_buf_release) struct ark_buf which;
	ark_buf_init(&which, LIMIT_SQL);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		struct ark_str table = db_value(res, i, 0);
		if (is_hanging(table))
			continue;
		ark_buf_z(&which, which.len > 0 ? " OR " : "");
		names_sql(db_value(res, i, 1), &which);
		if (i + 1 < db_rows(res) && ark_str_eq(db_value(res, i + 1, 0), table))
			continue;
		char name[64]; /* what PostgreSQL takes for a name */
		snprintf(name, sizeof(name), "%.*s", ARK_FMT(table));
		rc = each(u, name, which.data, err);
		ark_buf_reset(&which);
	}
	return rc;
}

/* ---- what people built on it ---- */

static enum ark_rc count(struct undo *u, const char *what, const char *sql, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(u->conn, sql, DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		tell(u, UNDO_BUILT, what, (uint64_t)db_i64(res, 0, 0), &u->out->built);
	return rc;
}

static enum ark_rc count_others(struct undo *u, const char *table, const char *which, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_auto(ark_buf_release) struct ark_buf what;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_init(&what, 1024);
	ark_buf_fmt(&sql, "SELECT count(*) FROM %s t WHERE %s", table, which);
	ark_buf_fmt(&what, "rows of %s", table);
	return count(u, what.data, sql.data, err);
}

static enum ark_rc refuse_built(const struct undo *u, struct ark_err *err)
{
	if (u->out->built == 0 || u->job->force)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "people built on run '%s': it would go with it", u->job->run);
	ark_err_hint(err, "it is listed above; --force takes it away as well");
	return ARK_FAIL;
}

static enum ark_rc find_built(struct undo *u, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf accounts;
	ark_auto(ark_buf_release) struct ark_buf members;
	ark_auto(ark_buf_release) struct ark_buf team;
	ark_buf_init(&accounts, LIMIT_SQL);
	ark_buf_init(&members, LIMIT_SQL);
	ark_buf_init(&team, LIMIT_SQL);
	ark_buf_fmt(&accounts,
	            "SELECT count(*) FROM users u JOIN ark_undo_user x ON x.id = u.id WHERE %sEXISTS (SELECT 1 FROM "
	            "sessions s WHERE s.userid = u.id) OR EXISTS (SELECT 1 FROM status s WHERE s.userid = u.id)",
	            u->has_login ? "u.lastlogin > 0 OR " : "");
	ark_buf_fmt(&members,
	            "SELECT count(*) FROM channelmembers m JOIN ark_undo_channel x ON x.id = m.channelid AND x.ours "
	            "WHERE NOT EXISTS (SELECT 1 FROM channelmemberhistory h WHERE h.channelid = m.channelid AND "
	            "h.userid = m.userid AND h.jointime = %lld)", (long long)u->started_ms);
	ark_buf_fmt(&team, "SELECT count(*) FROM teammembers t WHERE t.createat <> %lld AND " OF_TEAM,
	            (long long)u->started_ms);
	const struct {
		const char *what, *sql;
	} KINDS[] = {
		{ "messages and replies of people",
		  "SELECT count(*) FROM ark_doomed d JOIN posts p ON p.id = d.id WHERE NOT d.ours AND p.originalid = '' "
		  "AND p.deleteat = 0" },
		{ "messages that people edited or pinned",
		  "SELECT count(*) FROM ark_doomed d JOIN posts p ON p.id = d.id JOIN matterark.slack_post w ON "
		  "w.post_id = p.id WHERE d.ours AND p.deleteat = 0 AND " MM_POST_WRITTEN_SQL " <> w.written" },
		{ "reactions of people",
		  "SELECT count(*) FROM reactions r JOIN ark_doomed d ON d.id = r.postid AND d.ours LEFT JOIN "
		  "matterark.slack_reaction k ON k.post_id = r.postid AND k.user_id = r.userid AND k.emoji = "
		  "r.emojiname WHERE k.post_id IS NULL AND coalesce(r.deleteat, 0) = 0" },
		{ "messages that people saved",
		  "SELECT count(*) FROM preferences f JOIN ark_doomed d ON d.id = f.name AND d.ours WHERE f.category = "
		  "'flagged_post'" },
		{ "accounts that signed in", accounts.data },
		{ "members who joined a channel", members.data },
		{ "members who joined the team", team.data },
		{ "channels that people made", "SELECT count(*) FROM ark_undo_channel WHERE NOT ours" },
	};
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]) && rc == ARK_OK; i++)
		rc = count(u, KINDS[i].what, KINDS[i].sql, err);
	if (rc == ARK_OK)
		rc = other_tables(u, count_others, err);
	return rc < 0 || u->job->dry_run ? rc : refuse_built(u, err);
}

/* ---- taking it back ---- */

static enum ark_rc delete_from(struct undo *u, const char *table, const char *which, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "DELETE FROM %s t WHERE %s", table, which);
	uint64_t n = 0;
	enum ark_rc rc = run_sql(u, sql.data, &n, err);
	tell(u, UNDO_DELETED, table, n, &u->out->deleted);
	return rc < 0 ? ark_err_in(err, rc, "table %s", table) : rc;
}

/* Before the ledger's rows go: bodies that no other post shows, images of emoji and avatars that nobody has set since. */
static enum ark_rc find_bodies(struct undo *u, struct ark_err *err)
{
	char no[DB_NUM];
	enum ark_rc rc = db_query(u->conn,
	                          "SELECT DISTINCT x.path FROM matterark.slack_file f JOIN ark_doomed d ON d.id = "
	                          "f.post_id CROSS JOIN LATERAL (VALUES (f.path), (f.thumbnail), (f.preview)) x "
	                          "(path) WHERE f.state = 'stored' AND x.path <> '' AND NOT EXISTS (SELECT 1 FROM "
	                          "matterark.slack_file o WHERE o.path = f.path AND NOT EXISTS (SELECT 1 FROM "
	                          "ark_doomed e WHERE e.id = o.post_id)) AND NOT EXISTS (SELECT 1 FROM fileinfo i "
	                          "WHERE i.path = f.path AND NOT EXISTS (SELECT 1 FROM ark_doomed e WHERE e.id = "
	                          "i.postid)) UNION SELECT 'emoji/' || c.key[1] || '/image' FROM matterark.change c WHERE "
	                          "c.run = $1::int AND c.tbl = 'emoji' AND c.before IS NULL UNION SELECT 'users/' || "
	                          "c.key[1] || '/profile.png' FROM matterark.change c JOIN users t ON t.id = c.key[1] "
	                          "WHERE c.run = $1::int AND c.tbl = 'users' AND to_jsonb(t.lastpictureupdate) = c.after "
	                          "-> 'lastpictureupdate'", DB_PARAMS(db_num(u->run_no, no)), &u->bodies, err);
	if (rc == ARK_OK)
		tell(u, UNDO_BODIES, "file bodies", db_rows(u->bodies), &u->out->bodies);
	return rc;
}

/* Threads of others that lose a reply: noted as if nothing of them had been changed (load/restore.h). */
static enum ark_rc find_recount(struct undo *u, struct ark_err *err)
{
	return run_of(u,
	              "INSERT INTO matterark.change (run, tbl, key, before, after) SELECT DISTINCT $1::int, 'threads', "
	              "ARRAY[p.rootid::text], '{}'::jsonb, '{}'::jsonb FROM posts p JOIN ark_doomed d ON d.id = p.id WHERE p.rootid <> '' AND NOT EXISTS (SELECT 1 FROM ark_doomed r WHERE r.id = p.rootid) AND "
	              "p.rootid NOT IN (SELECT c.key[1] FROM matterark.change c WHERE c.run = $1::int AND c.tbl = "
	              "'threads' AND c.after IS NOT NULL)", NULL, err);
}

static enum ark_rc delete_rows(struct undo *u, struct ark_err *err)
{
	enum ark_rc rc = find_recount(u, err);
	if (rc == ARK_OK)
		rc = find_bodies(u, err);
	for (size_t i = 0; i < sizeof(HANGING) / sizeof(HANGING[0]) && rc == ARK_OK; i++)
		rc = delete_from(u, HANGING[i].table, HANGING[i].which, err);
	return rc == ARK_OK ? other_tables(u, delete_from, err) : rc;
}

/* What was done to rows of this table: told when all of it is known. */
static void add(void *ctx, const char *table, const struct restore_count *n)
{
	struct undo *u = ctx;
	size_t i = 0;
	while (strcmp(change_table_at(i)->name, table) != 0)
		i++;
	u->counts[i].removed += n->removed;
	u->counts[i].returned += n->returned;
	u->counts[i].restored += n->restored;
	u->counts[i].kept += n->kept;
}

static void tell_restored(struct undo *u)
{
	const struct change_table *table;
	for (size_t i = 0; (table = change_table_at(i)) != NULL; i++) {
		const struct restore_count *n = &u->counts[i];
		if (strchr(table->name, '.') != NULL) /* our own */
			continue;
		tell(u, UNDO_DELETED, table->name, n->removed, &u->out->deleted);
		tell(u, UNDO_RESTORED, table->name, n->restored + n->returned, &u->out->restored);
		tell(u, UNDO_KEPT, table->name, n->kept, &u->out->kept);
	}
}

/* All but what follows behind the commit (load/behind.h). */
static enum ark_rc restore_rows(struct undo *u, struct ark_err *err)
{
	const struct change_table *table;
	enum ark_rc rc = run_of(u, "CREATE TEMP TABLE ark_back_change ON COMMIT DROP AS SELECT * FROM matterark.change c WHERE "
	                           "c.run = $1::int AND NOT " BEHIND_TAKEN_BACK_SQL, NULL, err);
	if (rc == ARK_OK)
		rc = run_sql(u, "ANALYZE ark_back_change", NULL, err);
	for (size_t i = 0; rc == ARK_OK && (table = change_table_at(i)) != NULL; i++) {
		struct restore_count n;
		rc = restore_table(u->conn, table, &n, err);
		if (rc == ARK_OK)
			add(u, table->name, &n);
	}
	if (rc == ARK_OK)
		rc = run_sql(u, "DROP TABLE ark_back_change", NULL, err);
	return rc == ARK_OK ? delete_from(u, "channels", "t.id IN (SELECT id FROM ark_undo_channel)", err) : rc;
}

static enum ark_rc run_steps(struct undo *u, const char *const *steps, size_t count, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < count && rc == ARK_OK; i++)
		rc = run_of(u, steps[i], NULL, err);
	return rc;
}

/* Our own records of the run's posts: before rows are touched that people wait for. */
static enum ark_rc forget_posts(struct undo *u, struct ark_err *err)
{
	static const char *const STEPS[] = {
		"DELETE FROM matterark.slack_reaction k USING matterark.slack_post w WHERE w.post_id = k.post_id AND "
		"w.run = $1::int",
		"DELETE FROM matterark.slack_file f USING matterark.slack_post w WHERE w.post_id = f.post_id AND w.run = "
		"$1::int",
		"DELETE FROM matterark.slack_adopted WHERE run = $1::int",
		"DELETE FROM matterark.slack_post WHERE run = $1::int",
	};
	return run_steps(u, STEPS, sizeof(STEPS) / sizeof(STEPS[0]), err);
}

/* And of the rest; that there was a run stays known. */
static enum ark_rc forget(struct undo *u, struct ark_err *err)
{
	char now[DB_NUM], no[DB_NUM];
	static const char *const STEPS[] = {
		"DELETE FROM matterark.slack_user WHERE run = $1::int",
		"DELETE FROM matterark.slack_channel WHERE run = $1::int",
		"DELETE FROM matterark.pending WHERE run = $1::int",
		"DELETE FROM matterark.change c WHERE c.run = $1::int AND NOT " BEHIND_TAKEN_BACK_SQL,
	};
	enum ark_rc rc = run_steps(u, STEPS, sizeof(STEPS) / sizeof(STEPS[0]), err);
	return rc < 0 ? rc : db_run(u->conn, "UPDATE matterark.run SET undone = $1::bigint WHERE run_no = $2::int",
	                            DB_PARAMS(db_num(ark_time_now_ms(), now), db_num(u->run_no, no)), NULL, err);
}

static enum ark_rc delete_bodies(struct undo *u, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && u->job->body != NULL && i < db_rows(u->bodies); i++)
		rc = u->job->body(u->job->ctx, db_value(u->bodies, i, 0), err);
	return rc < 0 ? ark_err_in(err, rc, "the run is undone, but not all its file bodies are deleted") : rc;
}

static enum ark_rc look(struct undo *u, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(u->conn,
	                              "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = "
	                              "'users'::regclass AND attname = 'lastlogin' AND NOT attisdropped)",
	                              DB_NO_PARAMS, &res, err);
	if (rc == ARK_OK)
		u->has_login = db_bool(res, 0, 0);
	return rc;
}

/* Did an undo of this very run die behind its commit? */
static enum ark_rc half_undone(struct undo *u, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	bool has = false;
	enum ark_rc rc = mm_state_has_pending(u->conn, &has, err);
	if (rc < 0 || !has)
		return rc;
	rc = db_query_one(u->conn, "SELECT EXISTS (SELECT 1 FROM matterark.run r WHERE r.run = $1 AND r.undone IS NOT NULL "
	                           "AND " MM_STATE_LEFT_SQL " > 0)", DB_PARAMS(ark_str_z(u->job->run)), &res, err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

/* Everything inside the transaction. */
static enum ark_rc take_back(struct undo *u, struct ark_err *err)
{
	enum ark_rc rc = find_run(u, err);
	if (rc == ARK_OK)
		rc = mm_state_upgrade(u->conn, err);
	if (rc == ARK_OK)
		rc = look(u, err);
	if (rc == ARK_OK)
		rc = find_things(u, err);
	if (rc == ARK_OK)
		rc = find_built(u, err);
	if (rc == ARK_OK)
		rc = delete_rows(u, err);
	if (rc == ARK_OK)
		rc = forget_posts(u, err);
	if (rc == ARK_OK)
		rc = restore_rows(u, err);
	return rc == ARK_OK ? forget(u, err) : rc;
}

enum ark_rc load_undo(const struct undo_job *job, struct undo_outcome *out, struct ark_err *err)
{
	*out = (struct undo_outcome){ 0 };
	ark_auto(undo_release) struct undo u = { .job = job, .out = out };
	enum ark_rc rc = db_open(job->dsn, &job->db, &u.conn, err);
	if (rc < 0)
		return rc;
	snprintf(out->database, sizeof(out->database), "%.*s", ARK_FMT(db_name(u.conn)));
	bool finished = false, half = false;
	struct behind_outcome did;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	rc = half_undone(&u, &half, err);
	if (rc == ARK_OK && half && !job->dry_run) {
		rc = behind_finish(u.conn, false, add, &u, &did, err);
		tell_restored(&u);
		return rc;
	}
	if (rc == ARK_OK)
		rc = behind_claim(u.conn, job->dry_run, &txn, &finished, err);
	if (finished && job->rest != NULL)
		job->rest(job->ctx);
	if (rc == ARK_OK)
		rc = take_back(&u, err);
	if (rc < 0)
		return rc;
	if (job->dry_run) {
		rc = behind_finish(u.conn, true, add, &u, &did, err);
		tell_restored(&u);
		return rc < 0 ? rc : refuse_built(&u, err);
	}
	if ((rc = db_txn_commit(&txn, err)) < 0)
		return rc;
	rc = behind_finish(u.conn, false, add, &u, &did, err);
	tell_restored(&u);
	if (rc < 0) {
		rc = ark_err_in(err, rc, "the run is undone, but threads and channels are not all counted again");
		ark_err_hint(err, "run the same command again");
		return rc;
	}
	return delete_bodies(&u, err);
}
