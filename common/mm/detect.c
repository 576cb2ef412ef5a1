/*
 * Why pg_attribute and not information_schema: the latter shows a role only what it has rights on,
 * and "no such table" is a poor way to say "permission denied".
 */
#include "common/mm/detect.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/mm/schema.h"

#include "common/base/banned.h"

struct table {
	const char *name;
	const char *always; /* columns of every release from 7.8 on, between blanks */
	const char *some;   /* of some releases; "" for none */
};

/* Tables that tools write. Fact  fixtures/mattermost/schema/columns-*.tsv */
static const struct table TABLES[] = {
	{ "users",
	  " id createat updateat deleteat username password authdata authservice email emailverified "
	  "nickname firstname lastname roles allowmarketing props notifyprops lastpasswordupdate "
	  "lastpictureupdate failedattempts locale mfaactive mfasecret position timezone remoteid ",
	  " lastlogin mfausedtimestamps " },
	{ "bots", " userid description ownerid createat updateat deleteat lasticonupdate ", "" },
	{ "teams",
	  " id createat updateat deleteat displayname name description email type companyname "
	  "alloweddomains inviteid schemeid allowopeninvite lastteamiconupdate groupconstrained "
	  "cloudlimitsarchived ", "" },
	{ "teammembers",
	  " teamid userid roles deleteat schemeuser schemeadmin schemeguest createat ", "" },
	{ "channels",
	  " id createat updateat deleteat teamid type displayname name header purpose lastpostat "
	  "totalmsgcount extraupdateat creatorid schemeid groupconstrained shared totalmsgcountroot "
	  "lastrootpostat ", " bannerinfo defaultcategoryname autotranslation discoverable " },
	{ "publicchannels", " id deleteat teamid displayname name header purpose ", "" },
	{ "channelmembers",
	  " channelid userid roles lastviewedat msgcount mentioncount notifyprops lastupdateat "
	  "schemeuser schemeadmin schemeguest mentioncountroot msgcountroot urgentmentioncount ",
	  " autotranslation autotranslationdisabled " },
	{ "channelmemberhistory", " channelid userid jointime leavetime ", "" },
	{ "posts",
	  " id createat updateat deleteat userid channelid rootid originalid message type props "
	  "hashtags filenames fileids hasreactions editat ispinned remoteid ", "" },
	{ "threads",
	  " postid replycount lastreplyat participants channelid threaddeleteat threadteamid ", "" },
	{ "threadmemberships",
	  " postid userid following lastviewed lastupdated unreadmentions ", "" },
	{ "reactions",
	  " userid postid emojiname createat updateat deleteat remoteid channelid ", "" },
	{ "emoji", " id createat updateat deleteat creatorid name ", "" },
	{ "fileinfo",
	  " id creatorid postid createat updateat deleteat path thumbnailpath previewpath name "
	  "extension size mimetype width height haspreviewimage minipreview content remoteid "
	  "archived ", " channelid " },
	{ "preferences", " userid category name value ", "" },
	{ "usergroups",
	  " id name displayname description source remoteid createat updateat deleteat "
	  "allowreference ", "" },
	{ "groupmembers", " groupid userid createat deleteat ", "" },
	{ "sidebarcategories",
	  " id userid teamid sortorder sorting type displayname muted collapsed ", "" },
	{ "sidebarchannels", " channelid userid categoryid sortorder ", "" },
};
#define TABLE_COUNT (sizeof(TABLES) / sizeof(TABLES[0]))

struct column {
	size_t length;  /* characters; 0: no limit */
	bool must_say;  /* NOT NULL without a default */
	bool is_table;  /* not a column: the entry of the table itself */
};

struct mm_db_info {
	struct ark_map index; /* "table" and "table.column" to columns */
	struct column *columns;
	uint32_t tables;
	int64_t level;
	bool utf8;
	char encoding[64];
	char **warnings;
	size_t warning_count;
};

void mm_db_info_free(struct mm_db_info *info)
{
	if (info == NULL)
		return;
	for (size_t i = 0; i < info->warning_count; i++)
		free(info->warnings[i]);
	free(info->warnings);
	free(info->columns);
	ark_map_release(&info->index);
	free(info);
}

void mm_db_info_freep(struct mm_db_info **info)
{
	mm_db_info_free(*info);
	*info = NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

static const char COLUMNS[] =
    "SELECT c.relname, a.attname,"
    "       CASE WHEN a.atttypid = 'varchar'::regtype AND a.atttypmod > 4"
    "            THEN a.atttypmod - 4 ELSE 0 END,"
    "       a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''"
    "  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    "   AND a.attnum > 0 AND NOT a.attisdropped"
    " ORDER BY c.relname, a.attnum";

static void add(struct mm_db_info *info, const struct ark_buf *key, struct column column)
{
	uint32_t at = info->index.count;
	ark_map_put(&info->index, ark_buf_view(key), at);
	if (info->index.count > at)
		info->columns[at] = column;
}

static enum ark_rc read_columns(struct db_conn *conn, struct mm_db_info *info, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, 256);
	enum ark_rc rc = db_query(conn, COLUMNS, DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	info->columns = ark_calloc(2 * db_rows(res) + 1, sizeof(*info->columns));
	struct ark_str last = ARK_STR_NONE;
	for (size_t i = 0; i < db_rows(res); i++) {
		struct ark_str table = db_value(res, i, 0);
		ark_buf_reset(&key);
		ark_buf_str(&key, table);
		if (i == 0 || !ark_str_eq(table, last)) {
			add(info, &key, (struct column){ .is_table = true });
			info->tables++;
			last = table;
		}
		ark_buf_c(&key, '.');
		ark_buf_str(&key, db_value(res, i, 1));
		add(info, &key, (struct column){ .length = (size_t)db_i64(res, i, 2),
		                                 .must_say = db_bool(res, i, 3) });
	}
	return ARK_OK;
}

static void warn(struct mm_db_info *info, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct mm_db_info *info, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ark_text_defuse(text);
	info->warnings = ark_realloc(info->warnings, info->warning_count + 1, sizeof(char *));
	info->warnings[info->warning_count++] = ark_strdupz(text);
}

static enum ark_rc read_place(struct db_conn *conn, struct mm_db_info *info, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn,
	                              "SELECT current_schema() IS NULL,"
	                              "       current_setting('server_encoding'),"
	                              "       (SELECT setting FROM pg_settings"
	                              "         WHERE name = 'default_text_search_config')",
	                              DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return rc;
	if (db_bool(res, 0, 0)) {
		ark_err_set(err, ARK_KIND_REFUSED, "no schema of search_path exists in database '%.*s'",
		            ARK_FMT(db_name(conn)));
		ark_err_hint(err, "name one with search_path=... in the data source name");
		return ARK_FAIL;
	}
	struct ark_str encoding = db_value(res, 0, 1), search = db_value(res, 0, 2);
	info->utf8 = ark_str_eqz(encoding, "UTF8");
	snprintf(info->encoding, sizeof(info->encoding), "%.*s", ARK_FMT(encoding));
	/* Fact  docs/mattermost-facts.md "Indexes": queries use this name, the indexes are english */
	if (!ark_str_eqz(search, "pg_catalog.english") && !ark_str_eqz(search, "english"))
		warn(info, "default_text_search_config is '%.*s': Mattermost's search indexes, which are "
		           "'pg_catalog.english', will not be used", ARK_FMT(search));
	return ARK_OK;
}

static enum ark_rc read_migration(struct db_conn *conn, struct mm_db_info *info,
                                  struct ark_err *err)
{
	if (!mm_has_column(info, "db_migrations", "version"))
		return ARK_OK;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT max(version) FROM db_migrations", DB_NO_PARAMS, &res,
	                              err);
	if (rc < 0)
		return rc;
	info->level = db_i64(res, 0, 0);
	if (info->level > MM_SCHEMA_LEVEL)
		warn(info, "the schema (migration %lld) is newer than the newest known here (%d): continuing "
		           "with the columns that are known", (long long)info->level, MM_SCHEMA_LEVEL);
	return ARK_OK;
}

/* --- judging --------------------------------------------------------------------------------- */

static bool in_words(const char *words, struct ark_str word)
{
	char padded[256];
	int n = snprintf(padded, sizeof(padded), " %.*s ", ARK_FMT(word));
	return n > 2 && (size_t)n < sizeof(padded) && strstr(words, padded) != NULL;
}

/* The table whose column the key is, or NULL; `column` is the part behind the dot. */
static const struct table *table_of(struct ark_str key, struct ark_str *column)
{
	size_t dot = ark_str_find(key, '.', 0);
	if (dot >= key.len)
		return NULL;
	*column = ark_str_from(key, dot + 1);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (ark_str_eqz(ark_str_first(key, dot), TABLES[i].name))
			return &TABLES[i];
	return NULL;
}

/* The n-th column at or after `from` that is unknown here; its number, or UINT32_MAX. */
static uint32_t next_unknown(const struct mm_db_info *info, uint32_t from, struct ark_str *key)
{
	for (uint32_t i = from; i < info->index.count; i++) {
		struct ark_str column;
		*key = ark_map_key(&info->index, i);
		const struct table *t = table_of(*key, &column);
		if (t != NULL && !in_words(t->always, column) && !in_words(t->some, column))
			return i;
	}
	return UINT32_MAX;
}

static void warn_unknown(struct mm_db_info *info)
{
	char list[600] = "";
	struct ark_str key;
	for (uint32_t i = 0; (i = next_unknown(info, i, &key)) != UINT32_MAX; i++) {
		size_t len = strlen(list);
		if (!info->columns[i].must_say)
			snprintf(list + len, sizeof(list) - len, "%s%.*s", len > 0 ? ", " : "", ARK_FMT(key));
	}
	if (list[0] != '\0')
		warn(info, "columns unknown here keep their defaults: %s", list);
}

static enum ark_rc lacks(const struct mm_db_info *info, const char *table, struct ark_str column,
                         struct ark_err *err)
{
	if (!mm_has_table(info, table))
		ark_err_set(err, ARK_KIND_REFUSED, "the database has no Mattermost table '%s'", table);
	else
		ark_err_set(err, ARK_KIND_REFUSED, "table '%s' lacks column '%.*s' (schema: migration %lld)",
		            table, ARK_FMT(column), (long long)info->level);
	ark_err_hint(err, "Mattermost 7.8 or newer must have been started on the database");
	return ARK_FAIL;
}

enum ark_rc mm_db_usable(const struct mm_db_info *info, struct ark_err *err)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (struct ark_str rest = ark_str_from(ark_str_z(TABLES[i].always), 1); rest.len > 0;) {
			char name[128];
			struct ark_str column = ark_str_first(rest, ark_str_find(rest, ' ', 0));
			snprintf(name, sizeof(name), "%.*s", ARK_FMT(column));
			if (!mm_has_column(info, TABLES[i].name, name))
				return lacks(info, TABLES[i].name, column, err);
			rest = ark_str_from(rest, column.len + 1);
		}
	struct ark_str key;
	for (uint32_t i = 0; (i = next_unknown(info, i, &key)) != UINT32_MAX; i++)
		if (info->columns[i].must_say) {
			ark_err_set(err, ARK_KIND_REFUSED,
			            "column '%.*s' must be filled and is unknown here (schema: migration %lld)",
			            ARK_FMT(key), (long long)info->level);
			ark_err_hint(err, "use a newer matterark");
			return ARK_FAIL;
		}
	if (!info->utf8)
		return ark_err_set(err, ARK_KIND_REFUSED, "the database is in '%s', not in UTF8",
		                   info->encoding);
	return ARK_OK;
}

/* --- asking ---------------------------------------------------------------------------------- */

enum ark_rc mm_detect(struct db_conn *conn, struct mm_db_info **out, struct ark_err *err)
{
	ark_auto(mm_db_info_freep) struct mm_db_info *info = ark_calloc(1, sizeof(*info));
	enum ark_rc rc = read_place(conn, info, err);
	if (rc == ARK_OK)
		rc = read_columns(conn, info, err);
	if (rc == ARK_OK)
		rc = read_migration(conn, info, err);
	if (rc < 0)
		return ark_err_in(err, rc, "cannot look at the database");
	warn_unknown(info);
	*out = info;
	info = NULL;
	return ARK_OK;
}

static const struct column *lookup(const struct mm_db_info *info, const char *table,
                                   const char *column)
{
	char key[160];
	int n = snprintf(key, sizeof(key), "%s%s%s", table, column != NULL ? "." : "",
	                 column != NULL ? column : "");
	uint32_t at = (size_t)n < sizeof(key) ? ark_map_get(&info->index, ark_str_z(key)) : ARK_MAP_NONE;
	return at != ARK_MAP_NONE ? &info->columns[at] : NULL;
}

bool mm_db_is_empty(const struct mm_db_info *info)
{
	return info->tables == 0;
}

bool mm_has_table(const struct mm_db_info *info, const char *table)
{
	const struct column *c = lookup(info, table, NULL);
	return c != NULL && c->is_table;
}

bool mm_has_column(const struct mm_db_info *info, const char *table, const char *column)
{
	return lookup(info, table, column) != NULL;
}

size_t mm_column_length(const struct mm_db_info *info, const char *table, const char *column)
{
	const struct column *c = lookup(info, table, column);
	return c != NULL ? c->length : 0;
}

size_t mm_db_warning_count(const struct mm_db_info *info)
{
	return info->warning_count;
}

const char *mm_db_warning(const struct mm_db_info *info, size_t n)
{
	if (n >= info->warning_count)
		ark_bug("warning %zu of %zu", n, info->warning_count);
	return info->warnings[n];
}

size_t mm_db_post_runes(const struct mm_db_info *info)
{
	size_t runes = mm_column_length(info, "posts", "message") / 4;
	return runes > MM_POST_RUNES_MIN ? runes : MM_POST_RUNES_MIN;
}

int64_t mm_db_level(const struct mm_db_info *info)
{
	return info->level;
}
