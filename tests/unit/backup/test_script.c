#include "backup/restore/script.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

static struct ark_err err;

static bool all_plain(void *ctx, struct ark_str schema, struct ark_str table)
{
	(void)ctx;
	(void)schema;
	return !ark_str_eqz(table, "parts");
}

static bool reads(const char *text, struct script *out)
{
	return script_read(ark_str_z(text), all_plain, NULL, out, &err) == ARK_OK;
}

static void test_statements_end_where_they_end(void)
{
	struct script s;
	CHECK(reads("-- Name: x; Type: Y;\nSET a = 'b;c';\nCREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);\n"
	            "CREATE TRIGGER t EXECUTE FUNCTION f('it''s;', E'\\';', \"a;\"\"b\");\nCOMMENT ON INDEX i IS $x$;$y$;$x$;\n"
	            "/* a; /* b; */ c; */ ALTER TABLE a CLUSTER ON b;\n", &s));
	CHECK(s.count == 5);
	CHECK_STR(ark_str_z(s.items[0].sql), "SET a = 'b;c'");
	CHECK_STR(ark_str_z(s.items[1].sql), "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)");
	CHECK_STR(ark_str_z(s.items[2].sql), "CREATE TRIGGER t EXECUTE FUNCTION f('it''s;', E'\\';', \"a;\"\"b\")");
	CHECK_STR(ark_str_z(s.items[3].sql), "COMMENT ON INDEX i IS $x$;$y$;$x$");
	CHECK(s.items[0].kind == SCRIPT_SETTING && s.items[1].kind == SCRIPT_LATER && s.items[4].kind == SCRIPT_LATER);
	script_release(&s);
	CHECK(reads("", &s) && s.count == 0);
	script_release(&s);
	CHECK(reads("-- only this", &s) && s.count == 0);
	script_release(&s);
	CHECK(!reads("SELECT 1; SELECT 2", &s) && err.kind == ARK_KIND_INPUT);
	CHECK(!reads("SELECT 'a;", &s) && !reads("SELECT \"a;", &s) && !reads("SELECT $$;", &s) && !reads("/* ;", &s));
}

static void test_indexes_are_known(void)
{
	struct script s;
	CHECK(reads("CREATE INDEX a ON public.posts USING btree (x);\n"
	            "CREATE UNIQUE INDEX \"B b\" ON ONLY \"My \"\"schema\".\"T;\" USING gin (to_tsvector('english', y));\n"
	            "CREATE INDEXING a ON public.posts;\nCREATE INDEX CONCURRENTLY ON x;\n", &s));
	CHECK(s.count == 4);
	CHECK(s.items[0].kind == SCRIPT_INDEX && ark_str_eqz(s.items[0].schema, "public") && ark_str_eqz(s.items[0].table, "posts"));
	CHECK(!s.items[0].full_text && s.items[1].full_text);
	CHECK(ark_str_eqz(s.items[1].schema, "My \"schema") && ark_str_eqz(s.items[1].table, "T;"));
	CHECK(s.items[2].kind == SCRIPT_LATER && s.items[3].kind == SCRIPT_LATER);
	script_release(&s);
}

static void test_keys_become_indexes_first(void)
{
	struct script s;
	CHECK(reads("ALTER TABLE ONLY public.posts\n    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);\n"
	            "ALTER TABLE ONLY a.b ADD CONSTRAINT \"U 1\" UNIQUE (x, \"Y\");\n"
	            "ALTER TABLE ONLY a.b ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (x);\n"
	            "ALTER TABLE ONLY a.b ADD CONSTRAINT u PRIMARY KEY (x) INCLUDE (y);\n"
	            "ALTER TABLE ONLY a.b ADD CONSTRAINT u UNIQUE (x) DEFERRABLE;\n"
	            "ALTER TABLE ONLY a.parts ADD CONSTRAINT u PRIMARY KEY (x);\n"
	            "ALTER TABLE ONLY a.b ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES c.d(y);\n", &s));
	CHECK(s.count == 9);
	CHECK(s.items[0].kind == SCRIPT_INDEX && ark_str_eqz(s.items[0].table, "posts"));
	CHECK_STR(ark_str_z(s.items[0].sql), "CREATE UNIQUE INDEX posts_pkey ON public.posts USING btree (id)");
	CHECK_STR(ark_str_z(s.items[1].sql), "ALTER TABLE ONLY public.posts ADD CONSTRAINT posts_pkey PRIMARY KEY USING INDEX posts_pkey");
	CHECK_STR(ark_str_z(s.items[2].sql), "CREATE UNIQUE INDEX \"U 1\" ON a.b USING btree (x, \"Y\")");
	CHECK_STR(ark_str_z(s.items[3].sql), "ALTER TABLE ONLY a.b ADD CONSTRAINT \"U 1\" UNIQUE USING INDEX \"U 1\"");
	for (size_t i = 4; i < s.count; i++)
		CHECK(s.items[i].kind == SCRIPT_LATER);
	script_release(&s);
}

int main(void)
{
	TAP_RUN(test_statements_end_where_they_end);
	TAP_RUN(test_indexes_are_known);
	TAP_RUN(test_keys_become_indexes_first);
	return tap_done();
}
