#include "backup/restore/part.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/text.h"
#include "common/mm/detect.h"
#include "common/mm/thread.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

/* --- rows and their columns ---------------------------------------------------------------------------- */

/* What decides about a row of a table. */
enum rule {
	RULE_NONE,    /* the table stays empty */
	RULE_ALL,
	RULE_CHANNEL, /* its channel is one of those */
	RULE_SQUARE,  /* the same, or it is a town square */
	RULE_TEAM,    /* its team is one of those, or it has none */
	RULE_POST,    /* by channel, time and thread */
};

static const struct {
	const char *table, *column;
	enum rule rule;
} RULES[] = {
	{ "posts", "channelid", RULE_POST },
	{ "channels", "id", RULE_SQUARE },
	{ "publicchannels", "id", RULE_SQUARE },
	{ "channelmembers", "channelid", RULE_SQUARE },
	{ "channelmemberhistory", "channelid", RULE_CHANNEL },
	{ "sidebarchannels", "channelid", RULE_CHANNEL },
	{ "channelbookmarks", "channelid", RULE_CHANNEL },
	{ "threads", "channelid", RULE_CHANNEL },
	{ "postspriority", "channelid", RULE_CHANNEL },
	{ "teams", "id", RULE_TEAM },
	{ "teammembers", "teamid", RULE_TEAM },
	{ "sidebarcategories", "teamid", RULE_TEAM },
	{ "threadmemberships", NULL, RULE_ALL },
	{ "postacknowledgements", NULL, RULE_ALL },
	{ "reactions", NULL, RULE_ALL },
	{ "fileinfo", NULL, RULE_ALL },
	{ "users", NULL, RULE_ALL },
	{ "bots", NULL, RULE_ALL },
	{ "preferences", NULL, RULE_ALL },
	{ "status", NULL, RULE_ALL },
	{ "emoji", NULL, RULE_ALL },
	{ "roles", NULL, RULE_ALL },
	{ "schemes", NULL, RULE_ALL },
	{ "systems", NULL, RULE_ALL },
	{ "licenses", NULL, RULE_ALL },
	{ "configurations", NULL, RULE_ALL },
	{ "db_migrations", NULL, RULE_ALL },
	{ "db_config_migrations", NULL, RULE_ALL },
	{ "purge_ledger", NULL, RULE_ALL },
};

#define NO_COLUMN SIZE_MAX

struct part_column {
	enum rule rule;
	size_t at;                   /* of what RULES names */
	size_t id, createat, rootid; /* of posts */
};

/* Position of a column in the list of a part; NO_COLUMN. */
static size_t column_of(const struct repo_part *p, const char *name)
{
	struct ark_str rest = p->columns;
	for (size_t n = 0; rest.len > 0; n++) {
		size_t end = ark_str_search(rest, ARK_LIT(", "), 0);
		if (ark_str_eqz(ark_str_first(rest, end), name))
			return n;
		rest = end == SIZE_MAX ? ark_str_from(rest, rest.len) : ark_str_from(rest, end + 2);
	}
	return NO_COLUMN;
}

/* Ids and times have no escapes. */
static struct ark_str field(struct ark_str line, size_t n)
{
	for (; n > 0; n--) {
		size_t tab = ark_str_find(line, '\t', 0);
		if (tab == SIZE_MAX)
			return ARK_LIT("");
		line = ark_str_from(line, tab + 1);
	}
	return ark_str_first(line, ark_str_find(line, '\t', 0));
}

static bool has(const struct ark_map *m, struct ark_str key)
{
	return ark_map_get(m, key) != ARK_MAP_NONE;
}

static struct part_column rule_of(const struct repo_part *p)
{
	struct part_column c = { RULE_NONE, NO_COLUMN, NO_COLUMN, NO_COLUMN, NO_COLUMN };
	for (size_t i = 0; p->kind == REPO_PART_TABLE && i < sizeof(RULES) / sizeof(RULES[0]); i++) {
		if (!ark_str_eqz(p->name, RULES[i].table))
			continue;
		c.rule = RULES[i].rule;
		c.at = RULES[i].column != NULL ? column_of(p, RULES[i].column) : NO_COLUMN;
		if (RULES[i].column != NULL && c.at == NO_COLUMN)
			c.rule = RULE_NONE;
	}
	if (c.rule == RULE_POST) {
		c.id = column_of(p, "id");
		c.createat = column_of(p, "createat");
		c.rootid = column_of(p, "rootid");
	}
	return c;
}

static bool is_since(const struct part *p, const struct part_column *c, struct ark_str line)
{
	uint64_t at = 0;
	return !p->opt->since.has || (ark_str_u64(field(line, c->createat), &at) && (int64_t)at >= p->opt->since.ms);
}

static bool in_channel(const struct part *p, struct ark_str id)
{
	return p->all_channels || has(&p->channels, id);
}

bool part_keeps(void *ctx, const struct repo_part *table, struct ark_str line)
{
	const struct part *p = ctx;
	const struct part_column *c = &p->columns[table - p->contents->parts];
	struct ark_str value = c->at != NO_COLUMN ? field(line, c->at) : ARK_LIT("");
	switch (c->rule) {
	case RULE_ALL:
		return true;
	case RULE_CHANNEL:
		return in_channel(p, value);
	case RULE_SQUARE:
		return in_channel(p, value) || has(&p->squares, value);
	case RULE_TEAM:
		return p->all_channels || value.len == 0 || has(&p->teams, value);
	case RULE_POST:
		return in_channel(p, value) && (is_since(p, c, line) || has(&p->roots, field(line, c->id)));
	default:
		return false;
	}
}

/* --- what is asked for ----------------------------------------------------------------------------------- */

static const struct repo_part *table_of(const struct repo_contents *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->parts[i].kind == REPO_PART_TABLE && ark_str_eqz(c->parts[i].name, name) &&
		    !ark_str_eqz(c->parts[i].schema, "matterark"))
			return &c->parts[i];
	return NULL;
}

typedef enum ark_rc row_fn(struct part *p, const struct repo_part *table, struct ark_str line, struct ark_err *err);

static enum ark_rc each_row(struct part *p, struct repo *r, const char *name, row_fn *each, struct ark_err *err)
{
	const struct repo_part *table = table_of(p->contents, name);
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(r);
	struct ark_str text;
	enum ark_rc rc = ARK_OK;
	if (table == NULL)
		return ark_err_set(err, ARK_KIND_INPUT, "the snapshot has no table '%s'", name);
	repo_rows_begin(rows, table);
	while (rc == ARK_OK && (rc = repo_rows_next(rows, &text, err)) == ARK_OK)
		while (text.len > 0 && rc == ARK_OK) {
			size_t end = ark_str_find(text, '\n', 0);
			rc = each(p, table, ark_str_first(text, end), err);
			text = end == SIZE_MAX ? ark_str_from(text, text.len) : ark_str_from(text, end + 1);
		}
	return rc == ARK_END ? ARK_OK : rc;
}

/* Names of teams are needed for TEAM/NAME, so all teams are looked at: `teams` then holds which were asked for. */
static enum ark_rc see_team(struct part *p, const struct repo_part *t, struct ark_str line, struct ark_err *err)
{
	struct ark_str id = field(line, column_of(t, "id")), name = field(line, column_of(t, "name"));
	(void)err;
	for (size_t i = 0; i < p->opt->teams.count; i++)
		if (ark_str_eqz(id, p->opt->teams.items[i]) || ark_str_eqz(name, p->opt->teams.items[i])) {
			ark_map_put(&p->teams, id, 0);
			p->found[i] = true;
		}
	/* squares: for a moment the ids of the teams that --channel names */
	for (size_t i = 0; i < p->opt->channels.count; i++) {
		struct ark_str said = ark_str_z(p->opt->channels.items[i]);
		size_t slash = ark_str_find(said, '/', 0);
		if (slash != SIZE_MAX && ark_str_eq(name, ark_str_first(said, slash))) {
			ark_auto(ark_buf_release) struct ark_buf key;
			ark_buf_init(&key, LIMIT_REPO_SMALL);
			ark_buf_str(&key, id);
			ark_buf_str(&key, ark_str_from(said, slash));
			ark_map_put(&p->squares, ark_buf_view(&key), (uint32_t)i);
		}
	}
	return ARK_OK;
}

static enum ark_rc see_channel(struct part *p, const struct repo_part *t, struct ark_str line, struct ark_err *err)
{
	struct ark_str id = field(line, column_of(t, "id")), team = field(line, column_of(t, "teamid")),
	               name = field(line, column_of(t, "name"));
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, LIMIT_REPO_SMALL);
	ark_buf_fmt(&key, "%.*s/%.*s", ARK_FMT(team), ARK_FMT(name));
	if (team.len > 0 && has(&p->teams, team) && p->opt->channels.count == 0)
		ark_map_put(&p->channels, id, 0);
	for (size_t i = 0; i < p->opt->channels.count; i++) {
		const char *said = p->opt->channels.items[i];
		bool by_id = ark_str_eqz(id, said), by_team = ark_map_get(&p->squares, ark_buf_view(&key)) == i;
		bool by_name = ark_str_eqz(name, said) && (p->opt->teams.count == 0 || has(&p->teams, team));
		if (!by_id && !by_team && !by_name)
			continue;
		bool *found = &p->found[p->opt->teams.count + i];
		if (!by_id && *found)
			return ark_err_set(err, ARK_KIND_USAGE, "several channels are called '%s'; write TEAM/%s", said, said);
		*found = true;
		ark_map_put(&p->channels, id, 0);
	}
	return ARK_OK;
}

/* Teams of the channels that were found, and their town squares. */
static enum ark_rc see_team_of_channel(struct part *p, const struct repo_part *t, struct ark_str line, struct ark_err *err)
{
	struct ark_str team = field(line, column_of(t, "teamid"));
	(void)err;
	if (team.len > 0 && has(&p->channels, field(line, column_of(t, "id"))))
		ark_map_put(&p->teams, team, 0);
	return ARK_OK;
}

static enum ark_rc see_square(struct part *p, const struct repo_part *t, struct ark_str line, struct ark_err *err)
{
	(void)err;
	if (ark_str_eqz(field(line, column_of(t, "name")), "town-square") && has(&p->teams, field(line, column_of(t, "teamid"))))
		ark_map_put(&p->squares, field(line, column_of(t, "id")), 0);
	return ARK_OK;
}

/* A reply that is kept keeps its root, however old that is. */
static enum ark_rc see_reply(struct part *p, const struct repo_part *t, struct ark_str line, struct ark_err *err)
{
	const struct part_column *c = &p->columns[t - p->contents->parts];
	struct ark_str root = field(line, c->rootid);
	(void)err;
	if (root.len > 0 && in_channel(p, field(line, c->at)) && is_since(p, c, line))
		ark_map_put(&p->roots, root, 0);
	return ARK_OK;
}

static enum ark_rc all_found(struct part *p, struct ark_err *err)
{
	for (size_t i = 0; i < p->opt->teams.count; i++)
		if (!p->found[i])
			return ark_err_set(err, ARK_KIND_MISSING, "there is no team '%s' in the snapshot", p->opt->teams.items[i]);
	for (size_t i = 0; i < p->opt->channels.count; i++)
		if (!p->found[p->opt->teams.count + i])
			return ark_err_set(err, ARK_KIND_MISSING, "there is no channel '%s' in the snapshot", p->opt->channels.items[i]);
	return ARK_OK;
}

enum ark_rc part_open(struct part *p, const struct part_options *opt, struct repo *r, const struct repo_contents *c,
                      struct ark_err *err)
{
	*p = (struct part){ .opt = opt, .contents = c };
	p->all_channels = opt->teams.count == 0 && opt->channels.count == 0;
	p->columns = ark_calloc(c->count + 1, sizeof(*p->columns));
	for (size_t i = 0; i < c->count; i++)
		p->columns[i] = rule_of(&c->parts[i]);
	p->found = ark_calloc(opt->teams.count + opt->channels.count + 1, sizeof(bool));
	enum ark_rc rc = ARK_OK;
	if (!p->all_channels) {
		rc = each_row(p, r, "teams", see_team, err);
		if (rc == ARK_OK)
			rc = each_row(p, r, "channels", see_channel, err);
		if (rc == ARK_OK)
			rc = all_found(p, err);
		ark_map_clear(&p->squares);
		if (rc == ARK_OK && opt->channels.count > 0)
			ark_map_clear(&p->teams);
		if (rc == ARK_OK)
			rc = each_row(p, r, "channels", see_team_of_channel, err);
		if (rc == ARK_OK)
			rc = each_row(p, r, "channels", see_square, err);
	}
	return rc == ARK_OK && opt->since.has ? each_row(p, r, "posts", see_reply, err) : rc;
}

void part_release(struct part *p)
{
	ark_map_release(&p->teams);
	ark_map_release(&p->channels);
	ark_map_release(&p->squares);
	ark_map_release(&p->roots);
	free(p->columns);
	free(p->found);
	*p = (struct part){ 0 };
}

/* --- afterwards -------------------------------------------------------------------------------------------- */

/* In this order; a statement whose table or columns this release does not have is passed over. */
static const struct {
	const char *table, *column, *sql;
} STEPS[] = {
	{ "reactions", "postid", "DELETE FROM reactions x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	{ "threads", "postid", "DELETE FROM threads x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	{ "threadmemberships", "postid",
	  "DELETE FROM threadmemberships x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	{ "postspriority", "postid", "DELETE FROM postspriority x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	{ "postacknowledgements", "postid",
	  "DELETE FROM postacknowledgements x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	{ "channelbookmarks", "fileinfoid",
	  "DELETE FROM fileinfo x WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid) AND NOT EXISTS (SELECT FROM "
	  "channelbookmarks b WHERE b.fileinfoid = x.id)" },
	{ "fileinfo", "postid",
	  "DELETE FROM fileinfo x WHERE x.postid <> '' AND NOT EXISTS (SELECT FROM posts p WHERE p.id = x.postid)" },
	/* people: who wrote, reacted, follows, is a member; of a whole team all who are in it */
	{ "users", "id",
	  "CREATE TEMP TABLE ark_people ON COMMIT DROP AS SELECT userid AS id FROM posts UNION SELECT userid FROM reactions UNION "
	  "SELECT userid FROM threadmemberships UNION SELECT userid FROM channelmembers WHERE NOT EXISTS (SELECT FROM ark_squares s "
	  "WHERE s.id = channelid) UNION SELECT userid FROM teammembers WHERE EXISTS (SELECT FROM ark_teams t WHERE t.id = teamid)" },
	{ "users", "id", "CREATE UNIQUE INDEX ON ark_people (id)" },
	{ "users", "id", "DELETE FROM users x WHERE NOT EXISTS (SELECT FROM ark_people p WHERE p.id = x.id)" },
	{ "bots", "userid", "DELETE FROM bots x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "status", "userid", "DELETE FROM status x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "teammembers", "userid", "DELETE FROM teammembers x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "channelmembers", "userid", "DELETE FROM channelmembers x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "channelmemberhistory", "userid",
	  "DELETE FROM channelmemberhistory x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "sidebarcategories", "userid",
	  "DELETE FROM sidebarcategories x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "sidebarchannels", "userid",
	  "DELETE FROM sidebarchannels x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid)" },
	{ "preferences", "userid",
	  "DELETE FROM preferences x WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = x.userid) OR "
	  "(category = 'flagged_post' AND NOT EXISTS (SELECT FROM posts p WHERE p.id = x.name)) OR "
	  "(category = 'direct_channel_show' AND NOT EXISTS (SELECT FROM users u WHERE u.id = x.name)) OR "
	  "(category IN ('group_channel_show', 'favorite_channel', 'channel_open_time', 'channel_approximate_view_time') AND "
	  "NOT EXISTS (SELECT FROM channels c WHERE c.id = x.name))" },
};

const char PART_FILES_SQL[] =
    "COPY (SELECT p FROM (SELECT path AS p FROM fileinfo UNION SELECT previewpath FROM fileinfo UNION SELECT thumbnailpath "
    "FROM fileinfo UNION SELECT 'users/' || id || '/profile.png' FROM users UNION SELECT 'teams/' || id || '/teamIcon.png' "
    "FROM teams UNION SELECT 'emoji/' || id || '/image' FROM emoji) x WHERE p <> '' ORDER BY p COLLATE \"C\") TO STDOUT";

/* A temporary table with the ids of a map. */
static enum ark_rc ids_table(struct db_conn *conn, const char *name, const struct ark_map *m, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_SQL);
	ark_buf_fmt(&text, "CREATE TEMP TABLE %s (id varchar(26) PRIMARY KEY) ON COMMIT DROP", name);
	enum ark_rc rc = db_exec(conn, text.data, err);
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "COPY %s FROM STDIN", name);
	if (rc == ARK_OK)
		rc = db_copy_begin(conn, text.data, err);
	ark_buf_reset(&text);
	for (uint32_t n = 0; n < m->count; n++) {
		db_copy_text(&text, ark_map_key(m, n));
		ark_buf_c(&text, '\n');
	}
	if (rc == ARK_OK)
		rc = db_copy_data(conn, text.data, text.len, err);
	return rc == ARK_OK ? db_copy_finish(conn, NULL, err) : rc;
}

enum ark_rc part_finish(const struct part *p, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	const struct ark_map none = { 0 };
	bool whole_teams = p->opt->teams.count > 0 && p->opt->channels.count == 0;
	enum ark_rc rc = mm_detect(conn, &info, err);
	if (rc == ARK_OK)
		rc = db_txn_begin(&txn, conn, "", err);
	if (rc == ARK_OK)
		rc = ids_table(conn, "ark_squares", whole_teams ? &none : &p->squares, err);
	if (rc == ARK_OK)
		rc = ids_table(conn, "ark_teams", whole_teams ? &p->teams : &none, err);
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && rc == ARK_OK; i++)
		if (mm_has_column(info, STEPS[i].table, STEPS[i].column))
			rc = db_exec(conn, STEPS[i].sql, err);
	if (rc == ARK_OK && p->opt->since.has && mm_has_table(info, "threads"))
		rc = db_exec(conn, "CREATE TEMP TABLE ark_threads ON COMMIT DROP AS SELECT postid AS id FROM threads", err);
	if (rc == ARK_OK && p->opt->since.has && mm_has_table(info, "threads"))
		rc = mm_threads_recount(conn, "ark_threads", err);
	if (rc == ARK_OK)
		rc = db_txn_commit(&txn, err);
	return rc < 0 ? ark_err_in(err, rc, "what belongs to the part") : rc;
}
