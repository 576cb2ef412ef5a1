#include "common/mm/detect.h"

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/mm/schema.h"
#include "tests/harness/pg.h"

/* What tests/harness/mm_schema.py prints for `arg`; the caller frees it. */
static char *script(const char *arg)
{
	char command[4096];
	snprintf(command, sizeof(command), "'%s/tests/harness/mm_schema.py' %s",
	         getenv("ARK_SOURCE_ROOT"), arg);
	FILE *p = popen(command, "r");
	char *text = ark_calloc(1, 1u << 20);
	size_t n = p != NULL ? fread(text, 1, (1u << 20) - 1, p) : 0;
	CHECK(p != NULL && pclose(p) == 0 && n > 0);
	return text;
}

static struct db_conn *at_level(const char *level)
{
	struct ark_err err = { 0 };
	ark_auto(ark_freep) char *sql = script(level);
	struct db_conn *c = pg_fresh("detect");
	CHECK_OK(db_exec(c, sql, &err));
	CHECK_OK(db_exec(c, "SET default_text_search_config = 'pg_catalog.english'", &err));
	return c;
}

static const struct {
	const char *level;
	int migration;
	bool file_channel, last_login, banner, autotranslation;
} LEVELS[] = {
	{ "7.8", 101, false, false, false, false }, { "8.1", 111, true, false, false, false },
	{ "9.5", 115, true, true, false, false },   { "9.11", 126, true, true, false, false },
	{ "10.5", 129, true, true, false, false },  { "10.11", 141, true, true, true, false },
	{ "11.6", 159, true, true, true, true },
};

static void every_known_level_is_usable(void)
{
	struct ark_err err = { 0 };
	for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
		ark_auto(db_closep) struct db_conn *c = at_level(LEVELS[i].level);
		ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
		CHECK_OK(mm_detect(c, &info, &err));
		CHECK_OK(mm_db_usable(info, &err));
		CHECK(!mm_db_is_empty(info));
		CHECK_I64(mm_db_level(info), LEVELS[i].migration);
		CHECK_I64(mm_db_warning_count(info), 0);
		CHECK_I64(mm_db_post_runes(info), 16383);
		CHECK(mm_has_column(info, "fileinfo", "channelid") == LEVELS[i].file_channel);
		CHECK(mm_has_column(info, "users", "lastlogin") == LEVELS[i].last_login);
		CHECK(mm_has_column(info, "channels", "bannerinfo") == LEVELS[i].banner);
		CHECK(mm_has_column(info, "channels", "autotranslation") == LEVELS[i].autotranslation);
		CHECK(!mm_has_column(info, "posts", "parentid") && !mm_has_table(info, "posts.id"));
	}
}

static void our_own_schema_is_usable(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_fresh("detect");
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	CHECK_OK(mm_detect(c, &info, &err));
	CHECK(mm_db_is_empty(info));
	CHECK(mm_db_usable(info, &err) == ARK_FAIL && err.kind == ARK_KIND_REFUSED);
	mm_db_info_freep(&info);
	CHECK_OK(mm_schema_create(c, &err));
	CHECK_OK(mm_detect(c, &info, &err));
	CHECK_OK(mm_db_usable(info, &err));
	CHECK_I64(mm_db_level(info), MM_SCHEMA_LEVEL);
}

/* Detect after `change`, made and taken back. */
static enum ark_rc after(struct db_conn *c, const char *change, struct mm_db_info **info,
                         struct ark_err *out)
{
	struct ark_err err = { 0 };
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	mm_db_info_freep(info);
	CHECK_OK(db_txn_begin(&txn, c, "", &err));
	CHECK_OK(db_exec(c, change, &err));
	CHECK_OK(mm_detect(c, info, &err));
	return mm_db_usable(*info, out);
}

static void what_does_not_fit_is_named(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = at_level("9.11");
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	CHECK(after(c, "ALTER TABLE posts DROP remoteid", &info, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && strstr(err.text, "'posts'") != NULL &&
	      strstr(err.text, "'remoteid'") != NULL);
	CHECK(after(c, "DROP TABLE threadmemberships", &info, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && strstr(err.text, "'threadmemberships'") != NULL);
	CHECK(after(c, "ALTER TABLE posts ADD mood integer NOT NULL", &info, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && strstr(err.text, "'posts.mood'") != NULL);
	CHECK_I64(mm_db_warning_count(info), 0);
	/* somebody else's tables */
	CHECK(after(c, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.users (id int)",
	            &info, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && !mm_db_is_empty(info));
}

static void newer_schemas_are_accepted_with_a_warning(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = at_level("11.6");
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	CHECK_OK(after(c, "ALTER TABLE posts ADD mood integer NOT NULL DEFAULT 0, ADD taste text;"
	                  "ALTER TABLE bots ADD n integer GENERATED ALWAYS AS IDENTITY;"
	                  "ALTER TABLE channels ADD discoverable boolean NOT NULL DEFAULT false;"
	                  "ALTER TABLE audits ADD foreign_thing integer NOT NULL;"
	                  "INSERT INTO db_migrations VALUES (187, 'later')", &info, &err));
	CHECK_I64(mm_db_warning_count(info), 2);
	CHECK(strstr(mm_db_warning(info, 0), "187") != NULL);
	CHECK_STR(ark_str_z(mm_db_warning(info, 1)),
	          "columns unknown here keep their defaults: bots.n, posts.mood, posts.taste");
	/* numbers that back-ports brought do not disturb */
	CHECK_OK(after(c, "DELETE FROM db_migrations WHERE version BETWEEN 142 AND 155;"
	                  "ALTER TABLE posts ALTER message TYPE varchar(100000)", &info, &err));
	CHECK_I64(mm_db_warning_count(info), 0);
	CHECK_I64(mm_db_post_runes(info), 25000);
	CHECK_OK(after(c, "ALTER TABLE posts ALTER message TYPE text", &info, &err));
	CHECK_I64(mm_db_post_runes(info), MM_POST_RUNES_MIN);
	CHECK_OK(after(c, "SET LOCAL default_text_search_config = 'pg_catalog.simple'", &info, &err));
	CHECK_I64(mm_db_warning_count(info), 1);
	CHECK_I64(mm_column_length(info, "users", "username"), 64);
	CHECK_I64(mm_column_length(info, "users", "nothing"), 0);
}

static void other_schemas_and_encodings(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = at_level("11.6");
	ark_auto(mm_db_info_freep) struct mm_db_info *info = NULL;
	CHECK_OK(db_exec(c, "ALTER SCHEMA public RENAME TO chat; CREATE SCHEMA public", &err));
	CHECK(after(c, "SELECT 1", &info, &err) == ARK_FAIL && mm_db_is_empty(info));
	CHECK_OK(after(c, "SET LOCAL search_path = chat", &info, &err));
	mm_db_info_freep(&info);
	CHECK_OK(db_exec(c, "SET search_path = nowhere", &err));
	CHECK(mm_detect(c, &info, &err) == ARK_FAIL && err.kind == ARK_KIND_REFUSED);
	ark_auto(db_closep) struct db_conn *m = pg_open(NULL);
	CHECK_OK(db_exec(m, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' "
	                    "LC_CTYPE 'C'", &err));
	ark_auto(db_closep) struct db_conn *latin = pg_open("latin");
	CHECK_OK(mm_schema_create(latin, &err));
	CHECK_OK(mm_detect(latin, &info, &err));
	CHECK(mm_db_usable(info, &err) == ARK_FAIL && strstr(err.text, "'LATIN1'") != NULL);
}

int main(void)
{
	(void)pg_dsn();
	TAP_RUN(every_known_level_is_usable);
	TAP_RUN(our_own_schema_is_usable);
	TAP_RUN(what_does_not_fit_is_named);
	TAP_RUN(newer_schemas_are_accepted_with_a_warning);
	TAP_RUN(other_schemas_and_encodings);
	return tap_done();
}
