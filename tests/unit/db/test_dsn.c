#include "common/db/dsn.h"

#include <stdlib.h>

#include "tests/harness/tap.h"

static const struct {
	enum db_dsn_kind kind;
	const char *text;
	const char *want; /* of db_dsn_text */
} GOOD[] = {
	{ DB_DSN_MATTERMOST,
	  "postgres://mmuser:mostest@localhost/mattermost_test?sslmode=disable&connect_timeout=10"
	  "&binary_parameters=yes",
	  "user=mmuser password=mostest host=localhost dbname=mattermost_test sslmode=disable "
	  "connect_timeout=10" },
	{ DB_DSN_MATTERMOST, "postgres://u:p@ss@db:5433/mm",
	  "user=u password=p@ss host=db port=5433 dbname=mm sslmode=require" },
	{ DB_DSN_LIBPQ, "postgresql://u:a%2Fb%40%3F%25@[::1]:5433/m%20m",
	  "user=u password=a/b@?% host=::1 port=5433 dbname='m m'" },
	{ DB_DSN_LIBPQ, "postgres://%2Fvar%2Frun%2Fpg/mm?user=me",
	  "host=/var/run/pg dbname=mm user=me" },
	{ DB_DSN_LIBPQ, "postgres://a:1,b:2/mm?target_session_attrs=any",
	  "host=a,b port=1,2 dbname=mm target_session_attrs=any" },
	{ DB_DSN_MATTERMOST, "postgres://h/d?search_path=my%20app,public&sslmode=disable&statement_timeout=5",
	  "host=h dbname=d sslmode=disable "
	  "options='-c search_path=my\\\\ app,public -c statement_timeout=5'" },
	{ DB_DSN_MATTERMOST, "postgres://h/d?options=-c+geqo%3Doff&timezone=UTC&sslmode=allow",
	  "host=h dbname=d options='-c geqo=off -c timezone=UTC' sslmode=allow" },
	{ DB_DSN_LIBPQ, "postgres://h/d?options=-c%20a.b%3D1+2", "host=h dbname=d options='-c a.b=1+2'" },
	{ DB_DSN_LIBPQ, "postgres://", "" },
	{ DB_DSN_MATTERMOST, "dbname=x", "dbname=x sslmode=require host=localhost" },
	{ DB_DSN_MATTERMOST, " host = /run/pg\tdbname='it''s' ", NULL },
	{ DB_DSN_LIBPQ, " host = /run/pg\tdbname='it\\'s' password=a\\ b\\\\c user='' ",
	  "host=/run/pg dbname='it\\'s' password='a b\\\\c' user=''" },
	{ DB_DSN_LIBPQ, "dbname=a dbname=b krbspn=x sslinline=false", "dbname=b" },
	{ DB_DSN_LIBPQ, "", "" },
	{ DB_DSN_LIBPQ, "postgres://h/d?ssl=true", "host=h dbname=d sslmode=require" },
};

static void names_become_what_libpq_understands(void)
{
	struct ark_err err = { 0 };
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
		ark_auto(ark_buf_release) struct ark_buf out;
		ark_buf_init(&out, 10000);
		enum ark_rc rc = db_dsn_parse(ark_str_z(GOOD[i].text), GOOD[i].kind, &dsn, &err);
		if (GOOD[i].want == NULL) {
			CHECK(rc == ARK_FAIL);
			continue;
		}
		CHECK(rc == ARK_OK);
		if (rc < 0) {
			printf("# %s: %s\n", GOOD[i].text, err.text);
			continue;
		}
		db_dsn_text(dsn, &out);
		CHECK_STR(ark_buf_view(&out), GOOD[i].want);
	}
}

static void the_text_reads_back_as_itself(void)
{
	struct ark_err err = { 0 };
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
		ark_auto(ark_buf_release) struct ark_buf out;
		ark_buf_init(&out, 10000);
		if (GOOD[i].want == NULL)
			continue;
		CHECK(db_dsn_parse(ark_str_z(GOOD[i].want), DB_DSN_LIBPQ, &dsn, &err) == ARK_OK);
		db_dsn_text(dsn, &out);
		CHECK_STR(ark_buf_view(&out), GOOD[i].want);
	}
}

static void bad_names_fail_without_being_quoted(void)
{
	static const char *const BAD[] = {
		"s3cret",
		"host=h s3cret",
		"password='s3cret",
		"postgres://u:s3cret%zz@h/d",
		"postgres://u:s3cret%2@h/d",
		"postgres://u:s3cret%00@h/d",
		"postgres://h/d?s3cret",
		"postgres://h/d?password=s3cret%",
		"postgres://h/d?s3cret%20x=1",
		"postgres://[::1/s3cret",
		"sslinline=true sslcert=s3cret",
	};
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct ark_err err = { 0 };
		ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
		CHECK(db_dsn_parse(ark_str_z(BAD[i]), DB_DSN_LIBPQ, &dsn, &err) == ARK_FAIL);
		CHECK(err.kind == ARK_KIND_USAGE);
		CHECK(strstr(err.text, "s3cret") == NULL && strstr(err.hint, "s3cret") == NULL);
		CHECK(err.hint[0] != '\0');
	}
}

static void secrets_are_masked(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, 10000);
	CHECK(db_dsn_parse(ARK_LIT("postgres://u:s3cret@h/d?sslpassword=s3cret&sslmode=prefer"),
	                   DB_DSN_LIBPQ, &dsn, &err) == ARK_OK);
	db_dsn_masked(dsn, &out);
	CHECK_STR(ark_buf_view(&out),
	          "user=u password=*** host=h dbname=d sslpassword=*** sslmode=prefer");
}

static void parts_can_be_changed(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, 10000);
	CHECK(db_dsn_parse(ARK_LIT("postgres://u@h/d"), DB_DSN_LIBPQ, &dsn, &err) == ARK_OK);
	CHECK_STR(db_dsn_part(dsn, "dbname"), "d");
	CHECK(!ark_str_has(db_dsn_part(dsn, "port")));
	db_dsn_set(dsn, "dbname", ARK_LIT("other"));
	db_dsn_set(dsn, "user", ARK_STR_NONE);
	db_dsn_text(dsn, &out);
	CHECK_STR(ark_buf_view(&out), "host=h dbname=other");
}

int main(void)
{
	unsetenv("PGSSLMODE");
	unsetenv("PGHOST");
	TAP_RUN(names_become_what_libpq_understands);
	TAP_RUN(the_text_reads_back_as_itself);
	TAP_RUN(bad_names_fail_without_being_quoted);
	TAP_RUN(secrets_are_masked);
	TAP_RUN(parts_can_be_changed);
	return tap_done();
}
