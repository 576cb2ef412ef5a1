#include "common/mm/schema.h"

#include "tests/harness/tsv.h"

#define FIXTURES "fixtures/mattermost/schema/"

/* Written as the fixtures are, see their README. */
static const char COLUMNS[] =
    "SELECT table_name, ordinal_position, column_name,"
    "       CASE WHEN data_type = 'USER-DEFINED' THEN udt_name"
    "            WHEN character_maximum_length IS NOT NULL"
    "            THEN data_type || '(' || character_maximum_length || ')' ELSE data_type END,"
    "       is_nullable, coalesce(column_default, '')"
    "  FROM information_schema.columns JOIN information_schema.tables"
    "       USING (table_schema, table_name)"
    " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    "   AND table_name NOT IN ('db_migrations', 'db_lock')";
static const char INDEXES[] =
    "SELECT t.relname, i.relname, CASE WHEN x.indisprimary THEN 'primary'"
    "       WHEN x.indisunique THEN 'unique' ELSE '' END, am.amname,"
    "       (SELECT string_agg(pg_get_indexdef(i.oid, k, true)"
    "               || CASE WHEN opc.opcdefault THEN '' ELSE ' ' || opc.opcname END"
    "               || CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY k)"
    "          FROM generate_series(1, x.indnkeyatts) k"
    "          JOIN pg_opclass opc ON opc.oid = x.indclass[k - 1]),"
    "       coalesce(pg_get_expr(x.indpred, x.indrelid), ''),"
    "       CASE t.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END"
    "  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
    "  JOIN pg_am am ON am.oid = i.relam"
    " WHERE t.relnamespace = current_schema()::regnamespace AND x.indisvalid"
    "   AND t.relname NOT IN ('db_migrations', 'db_lock')";
static const char CONSTRAINTS[] =
    "SELECT c.relname, k.conname, CASE contype WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'"
    "       ELSE contype::text END, pg_get_constraintdef(k.oid)"
    "  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
    " WHERE k.connamespace = current_schema()::regnamespace AND contype NOT IN ('p', 'n')";
static const char ENUMS[] =
    "SELECT typname, string_agg(enumlabel, ',' ORDER BY enumsortorder)"
    "  FROM pg_enum JOIN pg_type t ON t.oid = enumtypid"
    " WHERE t.typnamespace = current_schema()::regnamespace GROUP BY 1";

static void compare_all(struct db_conn *c)
{
	CHECK_TSV(c, COLUMNS, FIXTURES "columns-11.6.tsv");
	CHECK_TSV(c, INDEXES, FIXTURES "indexes-11.6.tsv");
	CHECK_TSV(c, CONSTRAINTS, FIXTURES "constraints-11.6.tsv");
	CHECK_TSV(c, ENUMS, FIXTURES "enums-11.6.tsv");
	CHECK_TSV(c, "SELECT version, name FROM db_migrations", FIXTURES "migrations.tsv");
}

static void schema_is_that_of_a_real_server(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_fresh("schema");
	CHECK_OK(mm_schema_create(c, &err));
	compare_all(c);
}

static struct ark_str one(struct db_conn *c, const char *sql, struct db_result **res)
{
	struct ark_err err = { 0 };
	db_result_freep(res);
	CHECK_OK(db_query_one(c, sql, DB_NO_PARAMS, res, &err));
	return *res != NULL ? db_value(*res, 0, 0) : ARK_STR_NONE;
}

/* What the fixtures do not say: docs/mattermost-facts.md "Indexes", "Materialised views". */
static void storage_and_views(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open("schema");
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_STR(one(c, "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE reloptions"
	                 " = '{autovacuum_vacuum_scale_factor=0.1,autovacuum_analyze_scale_factor=0.05}'",
	              &res), "fileinfo posts preferences threadmemberships");
	CHECK_STR(one(c, "SELECT string_agg(c.relname || ' ' || a.attname || ' '"
	                 " || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY c.relname, attnum)"
	                 " FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid"
	                 " WHERE relkind = 'm' AND attnum > 0", &res),
	          "attributeview groupid character varying(26), "
	          "attributeview targetid character varying(255), "
	          "attributeview targettype character varying(255), attributeview attributes jsonb, "
	          "bot_posts_by_team_day day date, bot_posts_by_team_day num bigint, "
	          "bot_posts_by_team_day teamid character varying(26), "
	          "file_stats num bigint, file_stats usage numeric, "
	          "posts_by_team_day day date, posts_by_team_day num bigint, "
	          "posts_by_team_day teamid character varying(26), "
	          "poststats userid character varying(26), poststats day date, "
	          "poststats numposts bigint, poststats lastpostdate bigint");
	CHECK_STR(one(c, "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
	                 " WHERE nspname = 'public' AND relkind IN ('S', 'v')", &res), "0");
	CHECK_STR(one(c, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal", &res), "0");
	CHECK_OK(db_exec(c, "INSERT INTO posts (id, userid, channelid, createat) VALUES"
	                    " ('p1', 'u1', 'c1', 1700000000000), ('p2', 'u1', 'c1', 1700000000001),"
	                    " ('p3', 'b1', 'c1', 1700092799999);"
	                    "INSERT INTO bots (userid) VALUES ('b1');"
	                    "INSERT INTO channels (id, teamid, name) VALUES ('c1', 't1', 'c');"
	                    "INSERT INTO fileinfo (id, creatorid, deleteat, size, archived) VALUES"
	                    " ('f1', 'u1', 0, 5, false), ('f2', 'u1', 0, 6, false),"
	                    " ('f3', 'u1', 9, 7, false);"
	                    "INSERT INTO propertyfields (id, groupid, name, type, attrs, createat, updateat,"
	                    " deleteat) VALUES ('pf1', 'g', 'city', 'select',"
	                    " '{\"options\": [{\"id\": \"o1\", \"name\": \"Bern\"}]}', 0, 0, 0),"
	                    " ('pf2', 'g', 'skills', 'multiselect',"
	                    " '{\"options\": [{\"id\": \"o1\", \"name\": \"C\"}, {\"id\": \"o2\","
	                    " \"name\": \"SQL\"}]}', 0, 0, 0), ('pf3', 'g', 'gone', 'text', NULL, 0, 0, 5),"
	                    " ('pf4', 'g', 'note', 'text', NULL, 0, 0, 0);"
	                    "INSERT INTO propertyvalues (id, targetid, targettype, groupid, fieldid, value,"
	                    " createat, updateat, deleteat) VALUES"
	                    " ('v1', 'u1', 'user', 'g', 'pf1', '\"o1\"', 0, 0, 0),"
	                    " ('v2', 'u1', 'user', 'g', 'pf2', '[\"o2\", \"o1\"]', 0, 0, 0),"
	                    " ('v3', 'u1', 'user', 'g', 'pf3', '\"x\"', 0, 0, 0),"
	                    " ('v4', 'u1', 'user', 'g', 'pf4', '\"hi\"', 0, 0, 0),"
	                    " ('v5', 'u1', 'user', 'g', 'absent', '\"x\"', 0, 0, 0)", &err));
	CHECK_OK(db_exec(c, "SET TimeZone = 'Pacific/Auckland'", &err));
	CHECK_OK(db_exec(c, "REFRESH MATERIALIZED VIEW poststats;"
	                    "REFRESH MATERIALIZED VIEW posts_by_team_day;"
	                    "REFRESH MATERIALIZED VIEW bot_posts_by_team_day;"
	                    "REFRESH MATERIALIZED VIEW file_stats;"
	                    "REFRESH MATERIALIZED VIEW attributeview", &err));
	CHECK_STR(one(c, "SELECT string_agg(p::text, ' ' ORDER BY userid) FROM poststats p", &res),
	          "(b1,2023-11-15,1,1700092799999) (u1,2023-11-14,2,1700000000001)");
	CHECK_STR(one(c, "SELECT string_agg(p::text, ' ' ORDER BY day) FROM posts_by_team_day p", &res),
	          "(2023-11-14,2,t1) (2023-11-15,1,t1)");
	CHECK_STR(one(c, "SELECT string_agg(p::text, ' ') FROM bot_posts_by_team_day p", &res),
	          "(2023-11-15,1,t1)");
	CHECK_STR(one(c, "SELECT f::text FROM file_stats f", &res), "(2,11)");
	CHECK_STR(one(c, "SELECT attributes::text FROM attributeview", &res),
	          "{\"city\": \"Bern\", \"note\": \"hi\", \"skills\": [\"SQL\", \"C\"]}");
}

/* As the loader does it: every index of a table on its own connection, at the same time. */
static void indexes_are_built_side_by_side(void)
{
	enum { CONNECTIONS = 4 };
	struct ark_err err = { 0 };
	struct db_conn *c[CONNECTIONS];
	struct db_conn *first = pg_fresh("side");
	CHECK_OK(mm_schema_tables(first, &err));
	for (int i = 0; i < CONNECTIONS; i++)
		c[i] = i == 0 ? first : pg_open("side");
	size_t next = 0, which;
	for (int i = 0; i < CONNECTIONS; i++)
		CHECK_OK(db_start(c[i], mm_index_at(next++)->sql, &err));
	while (db_wait_any(c, CONNECTIONS, &which, &err) == ARK_OK) {
		CHECK_OK(db_finish(c[which], &err));
		if (next < mm_index_count())
			CHECK_OK(db_start(c[which], mm_index_at(next++)->sql, &err));
	}
	CHECK_OK(db_exec(first, mm_schema_views_sql(), &err));
	CHECK_OK(mm_schema_finish(first, &err));
	compare_all(first);
	for (int i = 0; i < CONNECTIONS; i++)
		db_close(c[i]);
}

static void databases_are_made_renamed_dropped(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *m = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	bool there = true;
	struct ark_str name = ARK_LIT("tmp \"x\""), final = ARK_LIT("final");
	CHECK_OK(mm_database_exists(m, name, &there, &err));
	CHECK(!there);
	CHECK_OK(mm_database_create(m, name, ARK_STR_NONE, &err));
	CHECK(mm_database_create(m, name, ARK_STR_NONE, &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(m)), "42P04");
	CHECK_OK(mm_database_rename(m, name, final, &err));
	CHECK_OK(mm_database_exists(m, final, &there, &err));
	CHECK(there);
	ark_auto(db_closep) struct db_conn *inside = pg_open("final");
	CHECK_STR(one(inside, "SHOW default_text_search_config", &res), "pg_catalog.english");
	CHECK_STR(one(inside, "SHOW server_encoding", &res), "UTF8");
	CHECK(mm_database_rename(m, final, name, &err) == ARK_FAIL); /* after 5 s of PostgreSQL's own */
	CHECK(err.kind == ARK_KIND_LOCKED);
	db_closep(&inside);
	for (int i = 0; i < 50 && mm_database_drop(m, final, &err) < 0; i++)
		CHECK_OK(db_exec(m, "SELECT pg_sleep(0.1)", &err)); /* the session is just ending */
	CHECK_OK(mm_database_exists(m, final, &there, &err));
	CHECK(!there);
	CHECK_OK(mm_database_drop(m, final, &err));
}

static void an_owner_owns_everything(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *m = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_OK(db_exec(m, "DROP ROLE IF EXISTS \"mm user\"; CREATE ROLE \"mm user\"", &err));
	CHECK_OK(mm_database_create(m, ARK_LIT("owned"), ARK_LIT("mm user"), &err));
	ark_auto(db_closep) struct db_conn *c = pg_open("owned");
	CHECK_OK(mm_schema_create(c, &err));
	CHECK_OK(db_exec(c, "CREATE SCHEMA matterark; CREATE TABLE matterark.run (id serial, x text)",
	                 &err));
	CHECK_OK(mm_schema_owner(c, ARK_LIT("mm user"), &err));
	CHECK_STR(one(c, "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
	                 " WHERE nspname IN ('public', 'matterark')"
	                 " AND relowner <> '\"mm user\"'::regrole", &res), "0");
	CHECK_STR(one(c, "SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace"
	                 " WHERE nspname IN ('public', 'matterark')"
	                 " AND typowner <> '\"mm user\"'::regrole", &res), "0");
	CHECK_STR(one(c, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'matterark'",
	              &res), "\"mm user\"");
	CHECK_STR(one(c, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'owned'", &res),
	          "\"mm user\"");
	CHECK(mm_schema_owner(c, ARK_LIT("nobody here"), &err) == ARK_FAIL);
}

int main(void)
{
	(void)pg_dsn();
	TAP_RUN(schema_is_that_of_a_real_server);
	TAP_RUN(storage_and_views);
	TAP_RUN(indexes_are_built_side_by_side);
	TAP_RUN(databases_are_made_renamed_dropped);
	TAP_RUN(an_owner_owns_everything);
	return tap_done();
}
