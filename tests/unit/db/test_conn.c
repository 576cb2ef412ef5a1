#include "common/db/conn.h"

#include <pthread.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "tests/harness/pg.h"

static void rows_and_values(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	char num[DB_NUM];
	CHECK_OK(db_query(c,
	                  "SELECT $1::bigint AS a, $2::text AS b, $3::text AS c, true, -7 UNION ALL "
	                  "SELECT -9223372036854775808, '', 'x', false, 5 ORDER BY 5",
	                  DB_PARAMS(db_num(INT64_MAX, num), ARK_LIT("h\xc3\xa9"), ARK_STR_NONE), &res,
	                  &err));
	if (res == NULL)
		return;
	CHECK_I64(db_rows(res), 2);
	CHECK_I64(db_cols(res), 5);
	CHECK_I64(db_col(res, "b"), 1);
	CHECK(db_col(res, "nope") == SIZE_MAX);
	CHECK_STR(db_col_name(res, 0), "a");
	CHECK_I64(db_i64(res, 0, 0), INT64_MAX);
	CHECK_I64(db_i64(res, 1, 0), INT64_MIN);
	CHECK_I64(db_i64(res, 0, 4), -7);
	CHECK_STR(db_value(res, 0, 1), "h\xc3\xa9");
	CHECK(db_null(res, 0, 2) && !ark_str_has(db_value(res, 0, 2)) && db_i64(res, 0, 2) == 0);
	CHECK(ark_str_has(db_value(res, 1, 1)) && db_value(res, 1, 1).len == 0);
	CHECK(db_bool(res, 0, 3) && !db_bool(res, 1, 3));
	CHECK(db_server_version(c) >= 120000);
	CHECK(db_is_local(c));
	CHECK_STR(db_name(c), "postgres");
}

static void one_row_or_an_error(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK(db_query_one(c, "SELECT 1 WHERE false", DB_NO_PARAMS, &res, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_MISSING && res == NULL);
	CHECK(db_query_one(c, "VALUES (1), (2)", DB_NO_PARAMS, &res, &err) == ARK_FAIL);
	CHECK_OK(db_query_one(c, "VALUES (1)", DB_NO_PARAMS, &res, &err));
}

static void connections_have_the_same_settings(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	static const char *const WANT[][2] = {
		{ "application_name", "test" },  { "client_encoding", "UTF8" },
		{ "statement_timeout", "0" },    { "TimeZone", "UTC" },
		{ "row_security", "off" },       { "client_min_messages", "warning" },
		{ "bytea_output", "hex" },
	};
	for (size_t i = 0; i < sizeof(WANT) / sizeof(WANT[0]); i++) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		CHECK_OK(db_query_one(c, "SELECT current_setting($1)", DB_PARAMS(ark_str_z(WANT[i][0])),
		                      &res, &err));
		CHECK_STR(db_value(res, 0, 0), WANT[i][1]);
	}
}

static void errors_tell_what_the_server_said(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "");
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int UNIQUE, b text NOT NULL)", &err));
	CHECK_OK(db_exec(c, "INSERT INTO t VALUES (1, 'x')", &err));
	CHECK(db_exec(c, "INSERT INTO t VALUES (1, 'y')", &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_DB);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "23505");
	CHECK_STR(ark_str_z(err.text), "duplicate key value violates unique constraint \"t_a_key\": "
	                               "Key (a)=(1) already exists.");
	CHECK(db_exec(c, "SELECT lengt('x')", &err) == ARK_FAIL);
	CHECK(err.hint[0] != '\0');
	/* the row itself stays out of the text */
	CHECK(db_exec(c, "INSERT INTO t VALUES (4711, NULL)", &err) == ARK_FAIL);
	CHECK(strstr(err.text, "4711") == NULL);
	/* several statements: the first error, and the connection goes on */
	CHECK(db_exec(c, "SELECT 1; SELECT 1/0; SELECT nonsense", &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "22012");
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	CHECK(db_run(c, "SELECT $1::text", DB_PARAMS(ark_str_n("a\0b", 3)), NULL, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_INPUT);
}

static void rows_are_counted(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	uint64_t n = 0;
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t AS SELECT generate_series(1, 100) AS a", &err));
	CHECK_OK(db_run(c, "DELETE FROM t WHERE a <= $1::int", DB_PARAMS(ARK_LIT("40")), &n, &err));
	CHECK_I64(n, 40);
}

static void passwords_stay_out_of_errors(void)
{
	struct ark_err err = { 0 };
	struct db_conn *c = NULL;
	CHECK(db_open("host=/nonexistent password=s3cret dbname=x", &(struct db_options){ .app = "t" },
	              &c, &err) == ARK_STOP);
	CHECK(err.kind == ARK_KIND_DB && strstr(err.text, "/nonexistent") != NULL);
	CHECK(strstr(err.text, "s3cret") == NULL && strchr(err.text, '?') == strrchr(err.text, '?'));
	char dsn[1024];
	snprintf(dsn, sizeof(dsn), "%s dbname=absent password=s3cret", pg_dsn());
	CHECK(db_open(dsn, &(struct db_options){ .app = "t" }, &c, &err) == ARK_STOP);
	CHECK(err.kind == ARK_KIND_MISSING);
	CHECK(strstr(err.text, "s3cret") == NULL);
	CHECK(c == NULL);
}

static void notices_are_collected(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	CHECK_OK(db_exec(c, "DO $$ BEGIN RAISE NOTICE 'low'; RAISE WARNING 'high %', chr(7); END $$",
	                 &err));
	CHECK_I64(db_notice_count(c), 1);
	CHECK_STR(db_notice(c, 0), "high ?");
	CHECK_OK(db_exec(c, "DO $$ BEGIN FOR i IN 1..1000 LOOP RAISE WARNING 'again'; END LOOP; END $$",
	                 &err));
	CHECK(db_notice_count(c) < 100);
	db_notices_clear(c);
	CHECK_I64(db_notice_count(c), 0);
}

static void streams_bring_row_by_row(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	const struct db_result *row = NULL;
	int64_t sum = 0, rows = 0;
	enum ark_rc rc;
	CHECK_OK(db_stream_begin(c, "SELECT i, $1 || i FROM generate_series(1, 50000) i",
	                         DB_PARAMS(ARK_LIT("x")), &err));
	while ((rc = db_stream_next(c, &row, &err)) == ARK_OK) {
		sum += db_i64(row, 0, 0);
		rows++;
	}
	CHECK(rc == ARK_END);
	CHECK_I64(rows, 50000);
	CHECK_I64(sum, 50000LL * 50001 / 2);
	/* an error in the middle */
	CHECK_OK(db_stream_begin(c, "SELECT 10 / (3 - i) FROM generate_series(1, 5) i", DB_NO_PARAMS,
	                         &err));
	CHECK(db_stream_next(c, &row, &err) == ARK_OK);
	CHECK_I64(db_i64(row, 0, 0), 5);
	CHECK(db_stream_next(c, &row, &err) == ARK_OK);
	CHECK(db_stream_next(c, &row, &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(c)), "22012");
	/* stopped early: the rest is not waited for */
	int64_t begin_ms = ark_time_tick_ms();
	CHECK_OK(db_stream_begin(c, "SELECT generate_series(1, 100000000000)", DB_NO_PARAMS,
	                         &err));
	CHECK(db_stream_next(c, &row, &err) == ARK_OK);
	db_stream_end(c);
	CHECK(ark_time_tick_ms() - begin_ms < 3000);
	CHECK_OK(db_exec(c, "SELECT 1", &err));
}

static void statements_run_side_by_side(void)
{
	struct ark_err err = { 0 };
	struct db_conn *c[3] = { pg_open(NULL), NULL, pg_open(NULL) };
	size_t which = 99;
	CHECK(db_wait_any(c, 3, &which, &err) == ARK_FAIL);
	int64_t begin_ms = ark_time_tick_ms();
	CHECK_OK(db_start(c[0], "SELECT pg_sleep(0.4)", &err));
	CHECK_OK(db_start(c[2], "SELECT pg_sleep(0.2); SELECT 1/0", &err));
	CHECK_OK(db_wait_any(c, 3, &which, &err));
	CHECK_I64(which, 2);
	CHECK(db_finish(c[2], &err) == ARK_FAIL);
	CHECK_STR(ark_str_z(db_sqlstate(c[2])), "22012");
	CHECK_OK(db_wait_any(c, 3, &which, &err));
	CHECK_I64(which, 0);
	CHECK_OK(db_finish(c[0], &err));
	CHECK(ark_time_tick_ms() - begin_ms < 590);
	db_close(c[0]);
	db_close(c[2]);
}

static _Atomic int stop_now;

static bool stop_asked(void)
{
	return stop_now != 0;
}

static void *stop_soon(void *arg)
{
	(void)arg;
	usleep(300000);
	stop_now = 1;
	return NULL;
}

static void interruption_cancels_the_statement(void)
{
	struct ark_err err = { 0 };
	struct db_conn *c = NULL;
	ark_auto(db_closep) struct db_conn *watch = pg_open(NULL);
	char pid[DB_NUM];
	stop_now = 0;
	CHECK_OK(db_open(pg_dsn(), &(struct db_options){ .app = "t", .interrupted = stop_asked }, &c,
	                 &err));
	ark_auto(db_result_freep) struct db_result *res = NULL;
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK_OK(db_txn_begin(&txn, c, "", &err));
		pthread_t thread;
		CHECK(pthread_create(&thread, NULL, stop_soon, NULL) == 0);
		int64_t begin_ms = ark_time_tick_ms();
		CHECK(db_exec(c, "SELECT pg_sleep(30)", &err) == ARK_STOP);
		CHECK(err.kind == ARK_KIND_SIGNAL);
		CHECK(ark_time_tick_ms() - begin_ms < 2000);
		pthread_join(thread, NULL);
		CHECK(db_exec(c, "SELECT 1", &err) == ARK_STOP); /* nothing new is begun */
		CHECK(err.kind == ARK_KIND_SIGNAL);
	}
	/* the rollback still went out, and the server does nothing any more */
	CHECK_OK(db_query_one(watch, "SELECT state FROM pg_stat_activity WHERE pid = $1::int",
	                      DB_PARAMS(db_num(db_backend_pid(c), pid)), &res, &err));
	CHECK_STR(db_value(res, 0, 0), "idle");
	stop_now = 0;
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	db_close(c);
}

static void interruption_cancels_all_that_run_side_by_side(void)
{
	struct ark_err err = { 0 };
	struct db_conn *c[2] = { NULL, NULL };
	struct db_options opt = { .app = "t", .interrupted = stop_asked };
	size_t which = 0;
	pthread_t thread;
	stop_now = 0;
	for (int i = 0; i < 2; i++) {
		CHECK_OK(db_open(pg_dsn(), &opt, &c[i], &err));
		CHECK_OK(db_start(c[i], "SELECT pg_sleep(30)", &err));
	}
	CHECK(pthread_create(&thread, NULL, stop_soon, NULL) == 0);
	int64_t begin_ms = ark_time_tick_ms();
	for (int i = 0; i < 2; i++) {
		CHECK_OK(db_wait_any(c, 2, &which, &err));
		CHECK(db_finish(c[which], &err) == ARK_STOP && err.kind == ARK_KIND_SIGNAL);
	}
	CHECK(ark_time_tick_ms() - begin_ms < 3000);
	pthread_join(thread, NULL);
	stop_now = 0;
	for (int i = 0; i < 2; i++) {
		CHECK_OK(db_exec(c[i], "SELECT 1", &err));
		db_close(c[i]);
	}
}

/* COPY and streams see it too, and the connection is fit for use afterwards. */
static void interruption_ends_copies_and_streams(void)
{
	struct ark_err err = { 0 };
	struct db_conn *c = NULL;
	const struct db_result *row;
	struct ark_str line;
	enum ark_rc rc;
	stop_now = 0;
	CHECK_OK(db_open(pg_dsn(), &(struct db_options){ .app = "t", .interrupted = stop_asked }, &c,
	                 &err));
	CHECK_OK(db_exec(c, "CREATE TEMP TABLE t (a int)", &err));
	CHECK_OK(db_copy_begin(c, "COPY t FROM STDIN", &err));
	stop_now = 1;
	CHECK(db_copy_data(c, "1\n", 2, &err) == ARK_STOP && err.kind == ARK_KIND_SIGNAL);
	stop_now = 0;
	CHECK_OK(db_copy_out_begin(c, "COPY (SELECT generate_series(1, 100000000000)) TO STDOUT", &err));
	CHECK(db_copy_out_next(c, &line, &err) == ARK_OK);
	stop_now = 1;
	int64_t begin_ms = ark_time_tick_ms();
	while ((rc = db_copy_out_next(c, &line, &err)) == ARK_OK && ark_time_tick_ms() - begin_ms < 5000)
		;
	CHECK(rc == ARK_STOP && err.kind == ARK_KIND_SIGNAL);
	stop_now = 0;
	CHECK_OK(db_stream_begin(c, "SELECT pg_sleep(30)", DB_NO_PARAMS, &err));
	stop_now = 1;
	CHECK(db_stream_next(c, &row, &err) == ARK_STOP && err.kind == ARK_KIND_SIGNAL);
	stop_now = 0;
	CHECK_OK(db_exec(c, "SELECT 1", &err));
	db_close(c);
}

static void a_lost_connection_is_the_end(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(db_closep) struct db_conn *killer = pg_open(NULL);
	ark_auto(db_txn_end) struct db_txn txn = { 0 };
	char pid[DB_NUM];
	CHECK_OK(db_txn_begin(&txn, c, "", &err));
	CHECK_OK(db_run(killer, "SELECT pg_terminate_backend($1::int)",
	                DB_PARAMS(db_num(db_backend_pid(c), pid)), NULL, &err));
	usleep(100000);
	CHECK(db_exec(c, "SELECT 1", &err) == ARK_STOP);
	CHECK(err.kind == ARK_KIND_DB && err.text[0] != '\0');
	CHECK(!db_alive(c));
	CHECK(db_exec(c, "SELECT 1", &err) == ARK_STOP);
	CHECK(db_txn_commit(&txn, &err) == ARK_STOP);
}

static void transactions_roll_back_unless_committed(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_fresh("txn");
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_OK(db_exec(c, "CREATE TABLE t (a int)", &err));
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK_OK(db_txn_begin(&txn, c, "", &err));
		CHECK_OK(db_exec(c, "INSERT INTO t VALUES (1)", &err));
	}
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK_OK(db_txn_begin(&txn, c, "ISOLATION LEVEL SERIALIZABLE", &err));
		CHECK_OK(db_exec(c, "INSERT INTO t VALUES (2)", &err));
		CHECK_OK(db_txn_commit(&txn, &err));
	}
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK_OK(db_txn_begin(&txn, c, "", &err));
		CHECK_OK(db_exec(c, "INSERT INTO t VALUES (3)", &err));
		CHECK(db_exec(c, "SELECT 1/0", &err) == ARK_FAIL);
		CHECK(db_txn_commit(&txn, &err) == ARK_FAIL);
		CHECK(strstr(err.text, "rolled back") != NULL);
	}
	{
		ark_auto(db_txn_end) struct db_txn txn = { 0 };
		CHECK(db_txn_begin(&txn, c, "NONSENSE", &err) == ARK_FAIL);
	}
	CHECK_OK(db_query_one(c, "SELECT string_agg(a::text, ',') FROM t", DB_NO_PARAMS, &res, &err));
	CHECK_STR(db_value(res, 0, 0), "2");
}

static void a_direct_connection_is_no_pooler(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_closep) struct db_conn *c = pg_open(NULL);
	ark_auto(ark_buf_release) struct ark_buf reason;
	ark_buf_init(&reason, 1000);
	bool pooler = true;
	CHECK_OK(db_is_pooler(c, &pooler, &reason, &err));
	CHECK(!pooler && reason.len == 0);
}

int main(void)
{
	(void)pg_dsn();
	TAP_RUN(rows_and_values);
	TAP_RUN(one_row_or_an_error);
	TAP_RUN(connections_have_the_same_settings);
	TAP_RUN(errors_tell_what_the_server_said);
	TAP_RUN(rows_are_counted);
	TAP_RUN(passwords_stay_out_of_errors);
	TAP_RUN(notices_are_collected);
	TAP_RUN(streams_bring_row_by_row);
	TAP_RUN(statements_run_side_by_side);
	TAP_RUN(interruption_cancels_the_statement);
	TAP_RUN(interruption_cancels_all_that_run_side_by_side);
	TAP_RUN(interruption_ends_copies_and_streams);
	TAP_RUN(a_lost_connection_is_the_end);
	TAP_RUN(transactions_roll_back_unless_committed);
	TAP_RUN(a_direct_connection_is_no_pooler);
	return tap_done();
}
