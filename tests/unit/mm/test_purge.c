#include "common/mm/purge.h"

#include <unistd.h>

#include "common/base/mem.h"
#include "common/mm/ledger.h"
#include "common/mm/schema.h"
#include "common/mm/state.h"
#include "tests/harness/pg.h"

/* What tests/harness/mm_schema.py prints for a level; the caller frees it. */
static char *schema_of(const char *level)
{
	char command[4096];
	snprintf(command, sizeof(command), "'%s/tests/harness/mm_schema.py' %s", getenv("ARK_SOURCE_ROOT"), level);
	FILE *p = popen(command, "r");
	char *text = ark_calloc(1, 1u << 20);
	size_t n = p != NULL ? fread(text, 1, (1u << 20) - 1, p) : 0;
	CHECK(p != NULL && pclose(p) == 0 && n > 0);
	return text;
}

/* An id that shows what it is. */
#define ID(name) "rpad('" name "', 26, '0')"

#define POST(name, at, root, original, deleted, edited, extra)                                            \
	"INSERT INTO posts (id, createat, updateat, deleteat, userid, channelid, rootid, originalid, message, type, " \
	"props, hashtags, filenames, fileids, hasreactions, editat, ispinned) VALUES (" ID(name) ", " #at ", greatest(" \
	#at ", " #deleted ", " #edited "), " #deleted ", " ID("anna") ", " ID("town") ", " root ", " original          \
	", 'text of " name "', '', '{}', '', '[]', " extra ", false, " #edited ", false);"

/*
 * gone: a deleted root with a reply, an earlier text of each, and one row of everything that can hang on
 * it. stay: a thread that loses one live reply (lost) and keeps one (kept). new: the newest of all.
 */
static const char WORLD[] =
	"INSERT INTO channels (id, createat, updateat, deleteat, teamid, type, displayname, name, header, purpose, "
	"lastpostat, totalmsgcount, extraupdateat, creatorid, totalmsgcountroot, lastrootpostat) SELECT n, 1, 1, 0, '', "
	"'P', 'x', n, '', '', t, 9, 0, '', 9, t FROM (VALUES (" ID("town") ", 70), (" ID("other") ", 5)) v(n, t);"
	POST("gone", 10, "''", "''", 50, 0, "'[\"" "file0000000000000000000000" "\"]'")
	POST("gonereply", 11, ID("gone"), "''", 50, 20, "'[]'")
	POST("goneold", 10, "''", ID("gone"), 15, 0, "'[]'")
	POST("replyold", 11, ID("gone"), ID("gonereply"), 20, 0, "'[]'")
	POST("stay", 30, "''", "''", 0, 45, "'[]'")
	POST("stayold", 30, "''", ID("stay"), 45, 0, "'[]'")
	POST("kept", 31, ID("stay"), "''", 0, 0, "'[]'")
	POST("lost", 70, ID("stay"), "''", 0, 0, "'[]'")
	POST("staydeleted", 33, ID("stay"), "''", 60, 0, "'[]'")
	"INSERT INTO threads (postid, replycount, lastreplyat, participants, channelid, threadteamid) VALUES "
	"(" ID("gone") ", 1, 11, '[]', " ID("town") ", ''), (" ID("stay") ", 2, 70, '[\"x\"]', " ID("town") ", '');";

/* table, columns, values with %s for the id of a post. Where a level lacks the table, nothing is put. */
static const struct {
	const char *table, *columns, *values;
} HANG[] = {
	{ "reactions", "userid, postid, emojiname, createat, updateat, deleteat, channelid",
	  "'u', %s, 'tada', 1, 1, 0, 'c'" },
	{ "threadmemberships", "postid, userid, following, lastviewed, lastupdated, unreadmentions",
	  "%s, 'u', true, 1, 1, 0" },
	{ "postspriority", "postid, channelid, priority", "%s, 'c', 'urgent'" },
	{ "postacknowledgements", "postid, userid, acknowledgedat", "%s, 'u', 1" },
	{ "persistentnotifications", "postid, createat, lastsentat, deleteat, sentcount", "%s, 1, 1, 0, 1" },
	{ "postreminders", "postid, userid, targettime", "%s, 'u', 1" },
	{ "temporaryposts", "postid, type, expireat, message, fileids", "%s, '', 1, 'secret', '[]'" },
	{ "readreceipts", "postid, userid, expireat", "%s, 'u', 1" },
	{ "preferences", "userid, category, name, value", "'u', 'flagged_post', %s, 'true'" },
	{ "propertyvalues", "id, targetid, targettype, groupid, fieldid, value, createat, updateat, deleteat",
	  "reverse(%1$s), %1$s, 'post', 'g', 'f', '{}', 1, 1, 0" },
	{ "translations", "objectid, objecttype, dstlang, providerid, normhash, text, state, updateat, channelid",
	  "%s, 'post', 'de', 'p', 'h', 'secret', 'ready', 1, 'c'" },
	{ "drafts", "createat, updateat, deleteat, userid, channelid, rootid, message, props, fileids",
	  "1, 1, 0, 'u', 'c', %s, 'answer', '{}', '[\"draftfile00000000000000000\"]'" },
	{ "scheduledposts",
	  "id, createat, updateat, userid, channelid, rootid, message, props, fileids, priority, scheduledat, processedat, "
	  "errorcode", "reverse(%1$s), 1, 1, 'u', 'c', %1$s, 'later', '{}', '[]', '', 1, 0, ''" },
};

#define FILE_ROW(name, post, path)                                                                      \
	"INSERT INTO fileinfo (id, creatorid, postid, createat, updateat, deleteat, path, thumbnailpath, previewpath, " \
	"name, extension, size, mimetype, width, height, haspreviewimage, archived) VALUES (" ID(name) ", 'u', " post    \
	", 1, 1, 0, '" path "', '" path "_thumb', '', 'n', '', 7, '', 0, 0, false, false);"
static const char FILES[] =
	FILE_ROW("file", ID("gone"), "a/1") FILE_ROW("removed", ID("gonereply"), "a/2")
	FILE_ROW("draftfile", "''", "a/3") FILE_ROW("shared", ID("kept"), "a/1") FILE_ROW("upload", "''", "a/4")
	FILE_ROW("mark", ID("gone"), "a/5")
	"INSERT INTO sharedchannelattachments (id, fileid, remoteid, createat, lastsyncat) VALUES ('1', " ID("file")
	", 'r', 1, 1), ('2', " ID("shared") ", 'r', 1, 1);";

static void hang(struct db_conn *c, const struct mm_db_info *info, const char *post)
{
	struct ark_err err = { 0 };
	char sql[2048], values[1024], id[64];
	snprintf(id, sizeof(id), "rpad('%s', 26, '0')", post);
	for (size_t i = 0; i < sizeof(HANG) / sizeof(HANG[0]); i++) {
		if (!mm_has_table(info, HANG[i].table))
			continue;
		size_t at = 0;
		for (const char *v = HANG[i].values; *v != '\0' && at + 80 < sizeof(values);) {
			bool numbered = strncmp(v, "%1$s", 4) == 0;
			if (numbered || strncmp(v, "%s", 2) == 0) {
				at += (size_t)snprintf(values + at, sizeof(values) - at, "%s", id);
				v += numbered ? 4 : 2;
			} else {
				values[at++] = *v++;
			}
		}
		values[at] = '\0';
		snprintf(sql, sizeof(sql), "INSERT INTO %s (%s) VALUES (%s)", HANG[i].table, HANG[i].columns, values);
		CHECK_OK(db_exec(c, sql, &err));
	}
}

static struct db_conn *world(const char *level, struct mm_db_info **info)
{
	struct ark_err err = { 0 };
	ark_auto(ark_freep) char *sql = schema_of(level);
	struct db_conn *c = pg_fresh("purge");
	CHECK_OK(db_exec(c, sql, &err));
	CHECK_OK(mm_detect(c, info, &err));
	CHECK_OK(db_exec(c, WORLD, &err));
	CHECK_OK(db_exec(c, FILES, &err));
	hang(c, *info, "gone");
	hang(c, *info, "kept");
	if (mm_has_table(*info, "channelbookmarks"))
		CHECK_OK(db_exec(c, "INSERT INTO channelbookmarks (id, ownerid, channelid, fileinfoid, createat, updateat, "
		                    "deleteat, displayname, sortorder, type) VALUES ('b', 'u', 'c', " ID("mark") ", 1, 1, 0, "
		                    "'x', 0, 'file')", &err));
	CHECK_OK(mm_purge_create(c, &err));
	CHECK_OK(mm_purge_create(c, &err));
	return c;
}

/* The first column of every row, joined by blanks. */
static void see(struct db_conn *c, const char *sql, const char *want)
{
	struct ark_err err = { 0 };
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf have;
	ark_buf_init(&have, 1u << 20);
	CHECK_OK(db_query(c, sql, DB_NO_PARAMS, &res, &err));
	for (size_t i = 0; res != NULL && i < db_rows(res); i++) {
		ark_buf_z(&have, i > 0 ? " " : "");
		ark_buf_str(&have, db_value(res, i, 0));
	}
	CHECK_STR(ark_buf_view(&have), want);
	if (!ark_str_eqz(ark_buf_view(&have), want))
		printf("# %s\n", sql);
}

static const char *const PLAIN = "0123456789abcdef";

static void purge(struct db_conn *c, const struct mm_db_info *info, const char *posts, struct mm_purge_counts *n)
{
	struct ark_err err = { 0 };
	char sql[512];
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	const struct mm_purge p = { c, info, "doomed", PLAIN, 1000 };
	CHECK_OK(db_txn_begin(&txn, c, "", &err));
	snprintf(sql, sizeof(sql), "CREATE TEMP TABLE doomed (id varchar(26) PRIMARY KEY) ON COMMIT DROP; INSERT INTO doomed "
	                           "SELECT rpad(x, 26, '0') FROM unnest('{%s}'::text[]) x", posts);
	CHECK_OK(db_exec(c, sql, &err));
	CHECK_OK(mm_purge_expand(&p, NULL, &err));
	CHECK_OK(mm_purge_rows(&p, n, &err));
	while (mm_purge_threads(&p, 1, &err) == ARK_OK)
		;
	while (mm_purge_channels(&p, 1, &err) == ARK_OK)
		;
	CHECK_OK(db_txn_commit(&txn, &err));
}

static void nothing_is_left_on_any_schema(void)
{
	static const char *const LEVELS[] = { "7.8", "8.1", "9.5", "9.11", "10.5", "10.11", "11.6" };
	for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
		ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
		ark_auto(db_closep) struct db_conn *c = world(LEVELS[i], &info);
		struct mm_purge_counts n = { 0 };
		purge(c, info, "gone,lost", &n);
		CHECK_I64(n.posts, 3);
		CHECK_I64(n.earlier, 2);
		CHECK_I64(n.reactions, 1);
		bool marks = mm_has_table(info, "channelbookmarks");
		CHECK_I64(n.files, marks ? 3 : 4);
		CHECK_I64(n.file_bytes, 7 * (marks ? 3 : 4));
		CHECK_I64(n.files_kept, marks);
		see(c, "SELECT rtrim(id, '0') FROM posts ORDER BY 1", "kept stay staydeleted stayold");
		for (size_t k = 0; k < sizeof(HANG) / sizeof(HANG[0]); k++) {
			char sql[512];
			if (!mm_has_table(info, HANG[k].table))
				continue;
			snprintf(sql, sizeof(sql), "SELECT count(*), count(*) FILTER (WHERE t::text ~ 'kept') FROM %s t",
			         HANG[k].table);
			see(c, sql, "1"); /* kept's row, and none else */
			snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s t WHERE t::text ~ 'kept'", HANG[k].table);
			see(c, sql, "1");
		}
		see(c, "SELECT rtrim(id, '0') FROM fileinfo ORDER BY 1", marks ? "mark shared upload" : "shared upload");
		if (marks)
			see(c, "SELECT postid FROM fileinfo WHERE id = " ID("mark"), "");
		see(c, "SELECT id FROM sharedchannelattachments", "2");
		see(c, "SELECT rtrim(post_id, '0') || purged_at || plan FROM matterark.purge_ledger ORDER BY 1",
		    "gone10000123456789abcdef goneold10000123456789abcdef gonereply10000123456789abcdef "
		    "lost10000123456789abcdef replyold10000123456789abcdef");
		see(c, "SELECT kind || id FROM matterark.purge_work ORDER BY 1",
		    marks ? "objecta/1 objecta/1_thumb objecta/2 objecta/2_thumb objecta/3 objecta/3_thumb"
		          : "objecta/1 objecta/1_thumb objecta/2 objecta/2_thumb objecta/3 objecta/3_thumb objecta/5 "
		            "objecta/5_thumb");
	}
}

static void threads_and_channels_are_counted_anew(void)
{
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
	struct mm_purge_counts n = { 0 };
	purge(c, info, "gone", &n);
	/* nothing newest went, and no live reply */
	see(c, "SELECT lastpostat || ' ' || lastrootpostat || ' ' || totalmsgcount FROM channels ORDER BY 1 DESC",
	    "70 70 9 5 5 9");
	see(c, "SELECT rtrim(postid, '0') || replycount || ' ' || lastreplyat || participants FROM threads",
	    "stay2 70[\"x\"]");
	see(c, "SELECT updateat FROM posts WHERE id = " ID("stay"), "45");
	purge(c, info, "staydeleted", &n);
	see(c, "SELECT updateat FROM posts WHERE id = " ID("stay"), "45");
	see(c, "SELECT replycount || ' ' || lastreplyat FROM threads", "2 70");
	purge(c, info, "lost", &n);
	see(c, "SELECT rtrim(postid, '0') || replycount || ' ' || lastreplyat || participants FROM threads",
	    "stay1 31[\"anna0000000000000000000000\"]");
	see(c, "SELECT updateat FROM posts WHERE id = " ID("stay"), "1000");
	/* an edit counts as a post does; roots by when they were written */
	see(c, "SELECT lastpostat || ' ' || lastrootpostat || ' ' || totalmsgcount FROM channels WHERE id = " ID("town"),
	    "45 30 9");
	purge(c, info, "kept", &n);
	see(c, "SELECT replycount || ' ' || lastreplyat || participants FROM threads", "0 0[]");
	purge(c, info, "stay", &n);
	see(c, "SELECT count(*) FROM posts", "0");
	see(c, "SELECT lastpostat || ' ' || lastrootpostat FROM channels ORDER BY 1", "0 0 5 5");
	see(c, "SELECT count(*) FROM threads", "0");
	see(c, "SELECT count(*) FROM matterark.purge_work WHERE kind <> 'object'", "0");
	see(c, "SELECT count(*) FROM matterark.purge_ledger", "9");
}

static void deleted_posts_are_newest_too(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
	CHECK_OK(db_exec(c, POST("late", 90, "''", "''", 95, 0, "'[]'") POST("later", 92, "''", "''", 0, 0, "'[]'")
	                 "UPDATE channels SET lastpostat = 92, lastrootpostat = 92 WHERE id = " ID("town"), &err));
	struct mm_purge_counts n = { 0 };
	purge(c, info, "later", &n);
	see(c, "SELECT lastpostat || ' ' || lastrootpostat FROM channels WHERE id = " ID("town"), "90 90");
}

static void what_an_import_remembers_of_files_goes(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
	CHECK_OK(mm_state_create(c, &err));
	CHECK_OK(mm_state_keys(c, &err));
	CHECK_OK(db_exec(c, "INSERT INTO matterark.slack_file (workspace, slack_id, file_id, post_id, place, name, mime, size, "
	                    "may_be_html, link, note, state, run, path) SELECT 'w', f, f, p, 0, 'n', '', 1, false, 'secret', "
	                    "'', s, 1, 'b/' || f FROM (VALUES ('1', " ID("gone") ", 'stored'), ('2', " ID("gone") ", 'wanted'), "
	                    "('3', " ID("kept") ", 'stored')) v(f, p, s)", &err));
	struct mm_purge_counts n = { 0 };
	purge(c, info, "gone", &n);
	see(c, "SELECT slack_id FROM matterark.slack_file", "3");
	see(c, "SELECT id FROM matterark.purge_work WHERE id ~ '^b'", "b/1");
}

/* ---- the ledger ---- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static enum ark_rc to_lines(void *ctx, const struct mm_ledger_entry *e, struct ark_err *err)
{
	(void)err;
	mm_ledger_line(ctx, e);
	return ARK_OK;
}

static void a_restored_database_is_purged_again(void)
{
	struct ark_err err = { 0 };
	char path[] = "/tmp/ark-ledger.XXXXXX";
	CHECK(mkstemp(path) >= 0);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	{
		ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
		struct mm_purge_counts n = { 0 };
		purge(c, info, "gone,lost", &n);
		ark_buf_z(&text, "{\"message_type\":\"status\"}\n\n");
		CHECK_OK(mm_ledger_each(c, to_lines, &text, &err));
		write_file(path, text.data);
	}
	mm_db_info_freep(&info);
	ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	ark_auto(mm_ledger_put_release) struct mm_ledger_put put = { 0 };
	uint64_t added = 0;
	CHECK_OK(db_txn_begin(&txn, c, "", &err));
	for (int again = 0; again < 2; again++) {
		CHECK_OK(mm_ledger_put_begin(&put, c, &err));
		CHECK_OK(mm_ledger_file(path, mm_ledger_put_add, &put, &err));
		CHECK_OK(mm_ledger_put_finish(&put, &added, &err));
		CHECK_I64(added, again ? 0 : 5);
	}
	struct mm_purge_counts n = { 0 };
	CHECK_OK(mm_purge_again(c, info, 2000, &n, &err));
	CHECK_OK(db_txn_commit(&txn, &err));
	CHECK_I64(n.posts, 3);
	CHECK_I64(n.earlier, 2);
	see(c, "SELECT rtrim(id, '0') FROM posts ORDER BY 1", "kept stay staydeleted stayold");
	see(c, "SELECT count(*) || ' ' || max(purged_at) FROM matterark.purge_ledger", "5 1000");
	see(c, "SELECT count(*) FROM matterark.purge_work", "0");
	see(c, "SELECT replycount || ' ' || lastreplyat FROM threads", "1 31");
	see(c, "SELECT lastpostat FROM channels WHERE id = " ID("town"), "45");
	ark_auto(ark_buf_release) struct ark_buf back;
	ark_buf_init(&back, 1u << 20);
	ark_buf_z(&back, "{\"message_type\":\"status\"}\n\n");
	CHECK_OK(mm_ledger_each(c, to_lines, &back, &err));
	CHECK_STR(ark_buf_view(&back), text.data);
	unlink(path);
}

static void no_ledger_is_no_error(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_fresh("purge");
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	struct mm_purge_counts n = { 0 };
	CHECK_OK(mm_schema_create(c, &err));
	CHECK_OK(mm_detect(c, &info, &err));
	CHECK_OK(mm_ledger_each(c, to_lines, &text, &err));
	CHECK_OK(mm_purge_again(c, info, 1, &n, &err));
	CHECK_I64(text.len, 0);
	see(c, "SELECT count(*) FROM pg_namespace WHERE nspname = 'matterark'", "0");
}

static void bad_lines_are_named(void)
{
#define GOOD "{\"post_id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"channel_id\":\"cccccccccccccccccccccccccc\",\"purged_at\":1}\n"
	static const struct {
		const char *text, *want;
	} CASES[] = {
		{ GOOD "{\"post_id\":\"x\"}\n", "line 2: \"post_id\" is no id" },
		{ GOOD "{\"post_id\":7}\n", "line 2: \"post_id\" is no id" },
		{ "{\"post_id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n", "line 1: \"channel_id\" is no id" },
		{ "{\"post_id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"channel_id\":\"cccccccccccccccccccccccccc\"}\n",
		  "line 1: \"purged_at\" is no time in milliseconds" },
		{ GOOD GOOD "{\n", "line 3: " },
		{ GOOD "'; DROP TABLE posts; --\n", "line 2: " },
	};
	struct ark_err err = { 0 };
	char path[] = "/tmp/ark-ledger.XXXXXX", want[128];
	CHECK(mkstemp(path) >= 0);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		write_file(path, CASES[i].text);
		snprintf(want, sizeof(want), "ledger '%s': %s", path, CASES[i].want);
		CHECK(mm_ledger_file(path, to_lines, &text, &err) == ARK_FAIL && err.kind == ARK_KIND_INPUT);
		CHECK(strncmp(err.text, want, strlen(want)) == 0);
	}
	write_file(path, GOOD);
	ark_buf_reset(&text);
	CHECK_OK(mm_ledger_file(path, to_lines, &text, &err));
	CHECK(text.len > 0);
	unlink(path);
	CHECK(mm_ledger_file(path, to_lines, &text, &err) == ARK_FAIL && err.kind == ARK_KIND_MISSING);
}

static void unknown_tables_are_named(void)
{
	struct ark_err err = { 0 };
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	ark_auto(db_closep) struct db_conn *c = world("11.6", &info);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_OK(mm_purge_unknown(c, &res, &err));
	CHECK_I64(db_rows(res), 0);
	db_result_freep(&res);
	CHECK_OK(db_exec(c, "CREATE TABLE poststars (postid varchar(26), stars int)", &err));
	CHECK_OK(mm_purge_unknown(c, &res, &err));
	CHECK(db_rows(res) == 1 && ark_str_eqz(db_value(res, 0, 0), "poststars"));
}

int main(void)
{
	(void)pg_dsn();
	TAP_RUN(nothing_is_left_on_any_schema);
	TAP_RUN(threads_and_channels_are_counted_anew);
	TAP_RUN(deleted_posts_are_newest_too);
	TAP_RUN(what_an_import_remembers_of_files_goes);
	TAP_RUN(a_restored_database_is_purged_again);
	TAP_RUN(no_ledger_is_no_error);
	TAP_RUN(bad_lines_are_named);
	TAP_RUN(unknown_tables_are_named);
	return tap_done();
}
