#include "import/load/sink.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/text.h"

#include "common/base/banned.h"

#define FLUSH_BYTES (256u << 10)

/* Columns in the order in which rows are written. Fact: docs/mattermost-facts.md "Tables". */
static const char *const TEAMS[] = { "id", "createat", "updateat", "deleteat", "displayname", "name",
	"description", "email", "type", "companyname", "alloweddomains", "inviteid", "allowopeninvite",
	"lastteamiconupdate", "cloudlimitsarchived", NULL };
static const char *const USERS[] = { "id", "createat", "updateat", "deleteat", "username", "password",
	"authdata", "authservice", "email", "emailverified", "nickname", "firstname", "lastname",
	"position", "roles", "allowmarketing", "props", "notifyprops", "lastpasswordupdate",
	"lastpictureupdate", "failedattempts", "locale", "timezone", "mfaactive", "mfasecret", "remoteid",
	"lastlogin", NULL };
static const char *const BOTS[] = { "userid", "description", "ownerid", "createat", "updateat",
	"deleteat", "lasticonupdate", NULL };
static const char *const TEAMMEMBERS[] = { "teamid", "userid", "roles", "deleteat", "schemeuser",
	"schemeadmin", "schemeguest", "createat", NULL };
static const char *const CHANNELS[] = { "id", "createat", "updateat", "deleteat", "teamid", "type",
	"displayname", "name", "header", "purpose", "lastpostat", "totalmsgcount", "extraupdateat",
	"creatorid", "totalmsgcountroot", "lastrootpostat", "defaultcategoryname", NULL };
static const char *const PUBLICCHANNELS[] = { "id", "deleteat", "teamid", "displayname", "name",
	"header", "purpose", NULL };
static const char *const CHANNELMEMBERS[] = { "channelid", "userid", "roles", "lastviewedat",
	"msgcount", "mentioncount", "notifyprops", "lastupdateat", "schemeuser", "schemeadmin",
	"schemeguest", "mentioncountroot", "msgcountroot", "urgentmentioncount", NULL };
static const char *const HISTORY[] = { "channelid", "userid", "jointime", "leavetime", NULL };
static const char *const POSTS[] = { "id", "createat", "updateat", "deleteat", "userid", "channelid",
	"rootid", "parentid", "originalid", "message", "type", "props", "hashtags", "filenames", "fileids",
	"hasreactions", "editat", "ispinned", "remoteid", NULL };
static const char *const REACTIONS[] = { "userid", "postid", "emojiname", "createat", "updateat",
	"deleteat", "remoteid", "channelid", NULL };
static const char *const THREADS[] = { "postid", "replycount", "lastreplyat", "participants",
	"channelid", "threaddeleteat", "threadteamid", NULL };
static const char *const THREADMEMBERSHIPS[] = { "postid", "userid", "following", "lastviewed",
	"lastupdated", "unreadmentions", NULL };
static const char *const PREFERENCES[] = { "userid", "category", "name", "value", NULL };
static const char *const CATEGORIES[] = { "id", "userid", "teamid", "sortorder", "sorting", "type",
	"displayname", "muted", "collapsed", NULL };
static const char *const ARK_POST[] = { "post_id", "channel_id", "ts", "ordinal", "part", "run",
	"source", "written", "note", NULL };
static const char *const ARK_REACTION[] = { "post_id", "user_id", "emoji", NULL };
static const char *const ARK_USER[] = { "workspace", "slack_id", "user_id", "matched", "run", NULL };
static const char *const ARK_CHANNEL[] = { "workspace", "slack_id", "channel_id", "run", "newest_us",
	"displayname", "header", "purpose", "archived", NULL };
static const char *const ARK_FILE[] = { "workspace", "slack_id", "file_id", "post_id", "place", "name",
	"mime", "size", "may_be_html", "link", "note", "state", "reason", "run", NULL };
static const char *const RENAME[] = { "post_id", "old_name", NULL };
static const char *const SEEN[] = { "post_id", "source", "post_no", NULL };

static const struct {
	const char *name;
	const char *target;
	const char *const *columns;
	bool own; /* a table of ours: all columns are there */
} TABLES[SINK_TABLES] = {
	[SINK_TEAMS] = { "teams", "teams", TEAMS, false },
	[SINK_USERS] = { "users", "users", USERS, false },
	[SINK_BOTS] = { "bots", "bots", BOTS, false },
	[SINK_TEAMMEMBERS] = { "teammembers", "teammembers", TEAMMEMBERS, false },
	[SINK_CHANNELS] = { "channels", "channels", CHANNELS, false },
	[SINK_PUBLICCHANNELS] = { "publicchannels", "publicchannels", PUBLICCHANNELS, false },
	[SINK_CHANNELMEMBERS] = { "channelmembers", "channelmembers", CHANNELMEMBERS, false },
	[SINK_CHANNELMEMBERHISTORY] = { "channelmemberhistory", "channelmemberhistory", HISTORY, false },
	[SINK_POSTS] = { "posts", "posts", POSTS, false },
	[SINK_REACTIONS] = { "reactions", "reactions", REACTIONS, false },
	[SINK_THREADS] = { "threads", "threads", THREADS, false },
	[SINK_THREADMEMBERSHIPS] = { "threadmemberships", "threadmemberships", THREADMEMBERSHIPS, false },
	[SINK_PREFERENCES] = { "preferences", "preferences", PREFERENCES, false },
	[SINK_SIDEBARCATEGORIES] = { "sidebarcategories", "sidebarcategories", CATEGORIES, false },
	[SINK_ARK_POST] = { "slack_post", "matterark.slack_post", ARK_POST, true },
	[SINK_ARK_REACTION] = { "slack_reaction", "matterark.slack_reaction", ARK_REACTION, true },
	[SINK_ARK_USER] = { "slack_user", "matterark.slack_user", ARK_USER, true },
	[SINK_ARK_CHANNEL] = { "slack_channel", "matterark.slack_channel", ARK_CHANNEL, true },
	[SINK_ARK_FILE] = { "slack_file", "matterark.slack_file", ARK_FILE, true },
	[SINK_RENAME] = { "rename", "ark_rename", RENAME, true },
	[SINK_SEEN] = { "seen", "ark_seen", SEEN, true },
};

#define STAGE_NAME(n) "ark_stage_" n
static const char *const STAGED[SINK_TABLES] = {
	[SINK_TEAMS] = STAGE_NAME("teams"),
	[SINK_USERS] = STAGE_NAME("users"),
	[SINK_BOTS] = STAGE_NAME("bots"),
	[SINK_TEAMMEMBERS] = STAGE_NAME("teammembers"),
	[SINK_CHANNELS] = STAGE_NAME("channels"),
	[SINK_PUBLICCHANNELS] = STAGE_NAME("publicchannels"),
	[SINK_CHANNELMEMBERS] = STAGE_NAME("channelmembers"),
	[SINK_CHANNELMEMBERHISTORY] = STAGE_NAME("channelmemberhistory"),
	[SINK_POSTS] = STAGE_NAME("posts"),
	[SINK_REACTIONS] = STAGE_NAME("reactions"),
	[SINK_THREADS] = STAGE_NAME("threads"),
	[SINK_THREADMEMBERSHIPS] = STAGE_NAME("threadmemberships"),
	[SINK_PREFERENCES] = STAGE_NAME("preferences"),
	[SINK_SIDEBARCATEGORIES] = STAGE_NAME("sidebarcategories"),
	[SINK_ARK_POST] = STAGE_NAME("slack_post"),
	[SINK_ARK_REACTION] = STAGE_NAME("slack_reaction"),
	[SINK_ARK_USER] = STAGE_NAME("slack_user"),
	[SINK_ARK_CHANNEL] = STAGE_NAME("slack_channel"),
	[SINK_ARK_FILE] = STAGE_NAME("slack_file"),
	[SINK_RENAME] = "ark_rename",
	[SINK_SEEN] = "ark_seen",
};

/* Messages and what hangs on them: large, and new as a whole at a first import. */
static bool is_message_table(int t)
{
	return t == SINK_POSTS || t == SINK_REACTIONS || t == SINK_THREADS ||
	       t == SINK_THREADMEMBERSHIPS || t == SINK_ARK_POST || t == SINK_ARK_REACTION ||
	       t == SINK_ARK_FILE;
}

void sink_init(struct sink *s, const char *temp_dir, enum sink_mode mode,
               bool (*has)(void *ctx, const char *table, const char *column), void *ctx)
{
	*s = (struct sink){ .temp_dir = temp_dir, .mode = mode };
	for (int t = 0; t < SINK_TABLES; t++) {
		struct sink_stream *x = &s->streams[t];
		bool stage = mode == SINK_STAGED || (mode == SINK_STAGED_PEOPLE && !is_message_table(t));
		x->table = stage ? STAGED[t] : TABLES[t].target;
		x->columns = TABLES[t].columns;
		x->spool = IO_SPOOL_NONE;
		ark_buf_init(&x->rows, SIZE_MAX / 2);
		for (unsigned c = 0; x->columns[c] != NULL; c++)
			x->present[c] = TABLES[t].own || has(ctx, TABLES[t].name, x->columns[c]);
	}
}

void sink_release(struct sink *s)
{
	for (int t = 0; t < SINK_TABLES; t++) {
		ark_buf_release(&s->streams[t].rows);
		io_spool_close(&s->streams[t].spool);
	}
	free(s->wanted);
	known_free(s->known);
	known_free(s->members);
}

bool sink_has(const struct sink *s, enum sink_table table, const char *column)
{
	const struct sink_stream *x = &s->streams[table];
	for (unsigned c = 0; x->columns[c] != NULL; c++)
		if (strcmp(x->columns[c], column) == 0)
			return x->present[c];
	ark_bug("no column %s in %s", column, x->table);
}

const char *sink_target(enum sink_table table)
{
	return TABLES[table].target;
}

static void column_list(const struct sink_stream *x, struct ark_buf *sql)
{
	bool any = false;
	for (unsigned c = 0; x->columns[c] != NULL; c++) {
		if (!x->present[c])
			continue;
		ark_buf_z(sql, any ? ", " : "");
		ark_buf_z(sql, x->columns[c]);
		any = true;
	}
}

void sink_stage_sql(const struct sink *s, struct ark_buf *sql)
{
	if (s->narrow)
		ark_buf_z(sql, "CREATE TEMP TABLE ark_seen (post_id varchar(26) NOT NULL, source uuid NOT NULL, "
		               "post_no bigint NOT NULL) ON COMMIT DROP;\n");
	for (int t = 0; t < SINK_KEPT; t++) {
		if (s->streams[t].table != STAGED[t] || t == SINK_THREADS) /* nobody would read them */
			continue;
		ark_buf_fmt(sql, "CREATE TEMP TABLE %s ON COMMIT DROP AS SELECT ", STAGED[t]);
		column_list(&s->streams[t], sql);
		ark_buf_fmt(sql, " FROM %s WHERE false;\n", TABLES[t].target);
	}
}

/* Frozen rows are never visited again for marking who can see them. */
static enum ark_rc copy_begin(const struct sink_stream *x, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 64u << 10);
	ark_buf_fmt(&sql, "COPY %s (", x->table);
	column_list(x, &sql);
	ark_buf_z(&sql, x->freeze ? ") FROM STDIN (FREEZE)" : ") FROM STDIN");
	return db_copy_begin(conn, sql.data, err);
}

enum ark_rc sink_open(struct sink *s, enum sink_table table, struct db_conn *conn,
                      struct ark_err *err)
{
	struct sink_stream *x = &s->streams[table];
	enum ark_rc rc = copy_begin(x, conn, err);
	if (rc == ARK_OK)
		x->conn = conn;
	return rc;
}

static enum ark_rc pass_on(struct sink *s, struct sink_stream *x, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (x->rows.len > 0 && s->mode != SINK_NOWHERE)
		rc = x->conn != NULL ? db_copy_data(x->conn, x->rows.data, x->rows.len, err)
		                     : io_spool_add(&x->spool, s->temp_dir, x->rows.data, x->rows.len, err);
	ark_buf_reset(&x->rows);
	return rc < 0 ? ark_err_in(err, rc, "table %s", x->table) : rc;
}

enum ark_rc sink_close(struct sink *s, enum sink_table table, struct ark_err *err)
{
	struct sink_stream *x = &s->streams[table];
	if (x->conn == NULL)
		return ARK_OK;
	enum ark_rc rc = pass_on(s, x, err);
	uint64_t rows;
	if (rc == ARK_OK)
		rc = db_copy_finish(x->conn, &rows, err);
	x->conn = NULL;
	return rc;
}

/* In front of each row of a marked stream. */
struct mark {
	uint32_t post_no, len;
};

/* Of the whole rows in `in` those that are wanted go to `out`; what is left begins a row. */
static void pick(const struct sink *s, struct ark_buf *in, struct ark_buf *out)
{
	struct mark m;
	size_t at = 0;
	for (; in->len - at >= sizeof(m); at += sizeof(m) + m.len) {
		memcpy(&m, in->data + at, sizeof(m));
		if (in->len - at - sizeof(m) < m.len)
			break;
		if (s->wanted[m.post_no / 8] >> m.post_no % 8 & 1)
			ark_buf_add(out, in->data + at + sizeof(m), m.len);
	}
	memmove(in->data, in->data + at, in->len - at);
	ark_buf_cut(in, in->len - at);
}

static enum ark_rc send_rows(const struct sink *s, const struct sink_stream *x, struct db_conn *conn,
                             struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf chunk;
	ark_auto(ark_buf_release) struct ark_buf picked;
	ark_buf_init(&chunk, SIZE_MAX / 2);
	ark_buf_init(&picked, SIZE_MAX / 2);
	uint64_t len = x->spool.len + x->rows.len;
	for (uint64_t at = 0; rc == ARK_OK && at < len;) {
		bool spooled = at < x->spool.len;
		uint64_t left = spooled ? x->spool.len - at : len - at;
		size_t n = left < FLUSH_BYTES ? (size_t)left : FLUSH_BYTES;
		char *to = ark_buf_room(&chunk, n);
		if (spooled)
			rc = io_spool_read(&x->spool, at, to, n, err);
		else
			memcpy(to, x->rows.data + (at - x->spool.len), n);
		chunk.len += n;
		at += n;
		struct ark_buf *out = x->marked ? &picked : &chunk;
		if (x->marked)
			pick(s, &chunk, &picked);
		if (rc == ARK_OK && out->len > 0 && (!x->marked || out->len >= FLUSH_BYTES || at == len)) {
			rc = db_copy_data(conn, out->data, out->len, err);
			ark_buf_reset(out);
		}
	}
	return rc;
}

enum ark_rc sink_flush(struct sink *s, enum sink_table table, struct db_conn *conn,
                       struct ark_err *err)
{
	struct sink_stream *x = &s->streams[table];
	if (x->count == 0)
		return ARK_OK;
	enum ark_rc rc = copy_begin(x, conn, err);
	if (rc == ARK_OK)
		rc = send_rows(s, x, conn, err);
	ark_buf_reset(&x->rows);
	io_spool_close(&x->spool);
	uint64_t rows;
	if (rc == ARK_OK)
		rc = db_copy_finish(conn, &rows, err);
	x->count = 0;
	return rc < 0 ? ark_err_in(err, rc, "table %s", x->table) : rc;
}

/* ---- only what is new ---- */

void sink_known(struct sink *s, struct known *posts, struct known *members)
{
	s->known = posts;
	s->members = members;
}

bool sink_member(const struct sink *s, const char *channel, const char *user)
{
	static const uint8_t NO_DIGEST[KNOWN_DIGEST];
	char both[2 * MM_ID_LEN + 1];
	if (s->members == NULL)
		return true;
	int len = snprintf(both, sizeof(both), "%s%s", channel, user);
	return !known_same(s->members, ark_str_n(both, (size_t)len), NO_DIGEST);
}

void sink_narrow(struct sink *s)
{
	static const enum sink_table MARKED[] = { SINK_POSTS, SINK_ARK_POST, SINK_REACTIONS,
		                                  SINK_ARK_REACTION };
	s->narrow = true;
	for (size_t i = 0; i < sizeof(MARKED) / sizeof(MARKED[0]); i++)
		s->streams[MARKED[i]].marked = true;
}

enum ark_rc sink_choose(struct sink *s, struct db_conn *conn, struct ark_err *err)
{
	s->wanted = ark_calloc((size_t)s->post_no / 8 + 1, 1);
	enum ark_rc rc = db_copy_out_begin(conn,
	                                   "COPY (SELECT s.post_no FROM ark_seen s LEFT JOIN "
	                                   "matterark.slack_post p ON p.post_id = s.post_id WHERE "
	                                   "p.post_id IS NULL OR p.source <> s.source) TO STDOUT", err);
	struct ark_str line;
	while (rc == ARK_OK && (rc = db_copy_out_next(conn, &line, err)) == ARK_OK) {
		uint64_t no;
		if (!ark_str_u64(ark_str_trim(line), &no) || no > s->post_no)
			ark_bug("no number of a post: %.*s", ARK_FMT(line));
		s->wanted[no / 8] |= (uint8_t)(1u << no % 8);
	}
	return rc < 0 ? rc : ARK_OK;
}

bool sink_post(struct sink *s, const char *id, const uint8_t source[KNOWN_DIGEST], struct ark_str hex)
{
	if (s->known != NULL)
		return !known_same(s->known, ark_str_z(id), source);
	s->post_no++;
	if (!s->narrow)
		return true;
	sink_begin(s, SINK_SEEN);
	sink_z(s, SINK_SEEN, id);
	sink_str(s, SINK_SEEN, hex);
	sink_i64(s, SINK_SEEN, s->post_no);
	sink_end(s, SINK_SEEN);
	return true;
}

enum ark_rc sink_ok(const struct sink *s, struct ark_err *err)
{
	if (s->rc < 0)
		*err = s->err;
	return s->rc;
}

/* ---- rows ---- */

void sink_begin(struct sink *s, enum sink_table table)
{
	struct sink_stream *x = &s->streams[table];
	x->row_at = x->rows.len;
	if (x->marked)
		ark_buf_add(&x->rows, (const char *)&(struct mark){ 0 }, sizeof(struct mark));
	x->column = 0;
	x->first = true;
}

struct ark_buf *sink_raw(struct sink *s, enum sink_table table)
{
	struct sink_stream *x = &s->streams[table];
	if (!x->present[x->column++])
		return NULL;
	if (!x->first)
		ark_buf_c(&x->rows, '\t');
	x->first = false;
	return &x->rows;
}

void sink_str(struct sink *s, enum sink_table table, struct ark_str value)
{
	struct ark_buf *out = sink_raw(s, table);
	if (out == NULL)
		return;
	if (ark_str_has(value))
		db_copy_text(out, value);
	else
		db_copy_null(out);
}

void sink_z(struct sink *s, enum sink_table table, const char *value)
{
	sink_str(s, table, ark_str_z(value));
}

void sink_i64(struct sink *s, enum sink_table table, int64_t value)
{
	struct ark_buf *out = sink_raw(s, table);
	if (out != NULL)
		ark_buf_i64(out, value);
}

void sink_bool(struct sink *s, enum sink_table table, bool value)
{
	struct ark_buf *out = sink_raw(s, table);
	if (out != NULL)
		ark_buf_c(out, value ? 't' : 'f');
}

void sink_end(struct sink *s, enum sink_table table)
{
	struct sink_stream *x = &s->streams[table];
	if (x->columns[x->column] != NULL)
		ark_bug("row of %s ends at column %u", x->table, x->column);
	ark_buf_c(&x->rows, '\n');
	if (x->marked) {
		size_t len = x->rows.len - x->row_at - sizeof(struct mark);
		struct mark m = { .post_no = s->post_no, .len = (uint32_t)len };
		memcpy(x->rows.data + x->row_at, &m, sizeof(m));
	}
	x->count++;
	if (x->rows.len < FLUSH_BYTES)
		return;
	if (s->rc < 0)
		ark_buf_reset(&x->rows);
	else
		s->rc = pass_on(s, x, &s->err);
}
