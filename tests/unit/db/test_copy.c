#include "common/base/mem.h"
#include "common/db/binary.h"
#include "common/db/conn.h"
#include "common/db/text.h"
#include "tests/harness/pg.h"

static struct ark_str one(struct db_conn *c, const char *sql, struct db_result **res)
{
	struct ark_err err = { 0 };
	db_result_freep(res);
	if (db_query_one(c, sql, DB_NO_PARAMS, res, &err) < 0) {
		CHECK_STR(ark_str_z(err.text), "");
		return ARK_STR_NONE;
	}
	return db_value(*res, 0, 0);
}

static void data_goes_in_as_it_was(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	static const char TEXT[] = "tab\there \\N \\. back\\slash\r\nline \b\f\v end\\";
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int, b text)", &err));
	ark_buf_z(&b, "1\t");
	db_copy_text(&b, ark_str_z(TEXT));
	ark_buf_z(&b, "\n2\t");
	db_copy_null(&b);
	ark_buf_z(&b, "\n");
	uint64_t rows = 0;
	CHECK_OK(db_copy_begin(c, "COPY t (a, b) FROM STDIN", &err));
	for (size_t i = 0; i < b.len; i++) /* cut anywhere */
		CHECK_OK(db_copy_data(c, b.data + i, 1, &err));
	CHECK_OK(db_copy_finish(c, &rows, &err));
	CHECK_I64(rows, 2);
	CHECK_STR(one(c, "SELECT b FROM t WHERE a = 1", &res), TEXT);
	CHECK_STR(one(c, "SELECT (b IS NULL)::text FROM t WHERE a = 2", &res), "true");
}

static void much_data_goes_in(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 4u << 20);
	for (int i = 0; i < 100000; i++)
		ark_buf_fmt(&b, "%d\tmessage number %d\n", i, i);
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int, b text)", &err));
	CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
	for (int i = 0; i < 5; i++)
		CHECK_OK(db_copy_data(c, b.data, b.len, &err));
	uint64_t rows = 0;
	CHECK_OK(db_copy_finish(c, &rows, &err));
	CHECK_I64(rows, 500000);
	CHECK_STR(one(c, "SELECT sum(a)::text FROM t", &res), "24999750000");
}

static void bad_data_names_its_line_but_not_itself(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int, b text)", &err));
	CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
	CHECK_OK(db_copy_data(c, "1\tx\n2\t\\N\nsecret\ty\n", 17, &err));
	CHECK(db_copy_finish(c, NULL, &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "22P02");
	CHECK(strstr(err.text, "(COPY t, line 3, column a)") != NULL);
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	/* the error arrives while data still flows */
	ark_auto(ark_freep) char *big = ark_calloc(1, 8u << 20);
	memset(big, 'z', 8u << 20);
	for (size_t i = 9; i < (8u << 20); i += 10)
		big[i] = '\n';
	CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < 20 && rc == ARK_OK; i++)
		rc = db_copy_data(c, big, 8u << 20, &err);
	CHECK(rc == ARK_FAIL);
	CHECK(db_sqlstate(c)[0] != '\0' && err.kind == ARK_KIND_DB);
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	CHECK(db_copy_begin(c, "COPY nothing FROM STDIN", &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "42P01");
	CHECK_OK(db_exec(c, "SELECT 1", &err));
}

static void a_given_up_copy_leaves_nothing(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int)", &err));
	CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
	CHECK_OK(db_copy_data(c, "1\n", 2, &err));
	db_copy_abort(c);
	CHECK_STR(one(c, "SELECT count(*) FROM t", &res), "0");
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK_OK(db_txn_begin(&txn, c, "", &err));
		CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
		CHECK_OK(db_copy_data(c, "1\n", 2, &err));
	}
	CHECK_STR(one(c, "SELECT count(*) FROM t", &res), "0");
}

static void data_comes_out(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	struct ark_str line;
	size_t lines = 0;
	enum ark_rc rc;
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT i, 'a' || chr(9) FROM generate_series(1, 30000) i) "
	                              "TO STDOUT", &err));
	while ((rc = db_copy_out_next(c, &line, &err)) == ARK_OK)
		if (++lines == 3)
			CHECK_STR(line, "3\ta\\t\n");
	CHECK(rc == ARK_END);
	CHECK_I64(lines, 30000);
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT 5 / (2 - i) FROM generate_series(1, 3) i) TO STDOUT",
	                           &err));
	CHECK(db_copy_out_next(c, &line, &err) == ARK_OK);
	CHECK(db_copy_out_next(c, &line, &err) == ARK_FAIL);
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT generate_series(1, 100000000000)) TO STDOUT",
	                           &err));
	CHECK(db_copy_out_next(c, &line, &err) == ARK_OK);
	db_copy_out_end(c);
	CHECK_OK(db_exec(c, "SELECT 1", &err));
}

static void binary_rows_come_out_as_they_are(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	struct db_binary rows = { 0 };
	struct ark_str f[6];
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT i::bigint * -4000000000, NULL::text, i, i > 1, "
	                              "'{\"a\":1}'::jsonb, repeat('x', i * 100000) "
	                              "FROM generate_series(1, 2) i) TO STDOUT (FORMAT binary)", &err));
	for (int i = 1; i <= 2; i++) {
		CHECK_OK(db_binary_next(&rows, c, f, 6, &err));
		CHECK_I64(db_binary_i64(f[0]), i * -4000000000);
		CHECK(!ark_str_has(f[1]));
		CHECK_STR(db_binary_text(f[1]), "");
		CHECK_I64(db_binary_i64(f[2]), i);
		CHECK(db_binary_bool(f[3]) == (i > 1));
		CHECK_STR(db_binary_jsonb(f[4]), "{\"a\": 1}");
		CHECK_I64(f[5].len, i * 100000);
	}
	CHECK_I64(db_binary_next(&rows, c, f, 6, &err), ARK_END);
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	rows = (struct db_binary){ 0 };
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)", &err));
	CHECK_I64(db_binary_next(&rows, c, f, 1, &err), ARK_END);
	rows = (struct db_binary){ 0 };
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT 1, 2) TO STDOUT (FORMAT binary)", &err));
	CHECK_I64(db_binary_next(&rows, c, f, 3, &err), ARK_STOP);
}

int main(void)
{
	(void)pg_dsn();
	TAP_RUN(data_goes_in_as_it_was);
	TAP_RUN(much_data_goes_in);
	TAP_RUN(bad_data_names_its_line_but_not_itself);
	TAP_RUN(a_given_up_copy_leaves_nothing);
	TAP_RUN(data_comes_out);
	TAP_RUN(binary_rows_come_out_as_they_are);
	return tap_done();
}
