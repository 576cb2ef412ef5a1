/*
 * Statements, results, streams. Why each result is read to its end even after an error: the
 * connection is then idle and takes the next statement, whatever happened to this one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/db/private.h"

#include "common/base/banned.h"

/* --- sending and receiving ------------------------------------------------------------------- */

/* Before each statement: idle, alive, not interrupted. */
static enum ark_rc db_ready(struct db_conn *c, struct ark_err *err)
{
	if (c->busy != DB_IDLE)
		ark_bug("statement while the connection is busy (%d)", (int)c->busy);
	if (c->dead || PQstatus(c->pg) != CONNECTION_OK)
		return ark_err_stop(err, ARK_KIND_DB, "the connection to the database is gone");
	if (!c->shielded && c->interrupted != NULL && c->interrupted())
		return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
	c->cancelled = false;
	return ARK_OK;
}

/* NUL-ended copies of the values, behind the pointers to them in one block. */
static enum ark_rc params_copy(struct db_params params, char ***out, struct ark_err *err)
{
	size_t bytes = params.count * sizeof(char *);
	for (size_t i = 0; i < params.count; i++)
		bytes += params.values[i].len + 1;
	char **list = ark_malloc(bytes);
	char *at = (char *)(list + params.count);
	for (size_t i = 0; i < params.count; i++) {
		struct ark_str v = params.values[i];
		list[i] = NULL;
		if (!ark_str_has(v))
			continue;
		if (v.len > 0 && memchr(v.ptr, '\0', v.len) != NULL) {
			free(list);
			return ark_err_set(err, ARK_KIND_INPUT,
			                   "a value for the database holds a zero byte");
		}
		list[i] = at;
		if (v.len > 0)
			memcpy(at, v.ptr, v.len);
		at[v.len] = '\0';
		at += v.len + 1;
	}
	*out = list;
	return ARK_OK;
}

/*
 * Fail point in front of a statement (common/base/fail.h): a lost connection is a socket that is shut,
 * a full disk a statement with which the server says so; everything behind it is what happens to
 * real errors. Returns the statement to send: `sql` when all goes well.
 */
static const char *db_fail_point(struct db_conn *c, const char *sql)
{
	int errnum = ark_fail_step(sql);
	if (errnum == ENOSPC)
		return "DO $$BEGIN RAISE 'could not extend file: No space left on device' "
		       "USING ERRCODE = 'disk_full', HINT = 'Check free disk space.'; END$$";
	if (errnum != 0)
		(void)shutdown(PQsocket(c->pg), SHUT_RDWR);
	return sql;
}

enum ark_rc db_send(struct db_conn *c, const char *sql, struct db_params params,
                    struct ark_err *err)
{
	enum ark_rc rc = db_ready(c, err);
	if (rc < 0)
		return rc;
	const char *real = db_fail_point(c, sql);
	if (params.count == 0 || real != sql)
		return PQsendQuery(c->pg, real) == 1 ? ARK_OK : db_fail(c, NULL, err);
	ark_auto(ark_freep) char **values = NULL;
	rc = params_copy(params, &values, err);
	if (rc < 0)
		return rc;
	int sent = PQsendQueryParams(c->pg, sql, (int)params.count, NULL,
	                             (const char *const *)values, NULL, NULL, 0);
	return sent == 1 ? ARK_OK : db_fail(c, NULL, err);
}

enum ark_rc db_next_result(struct db_conn *c, PGresult **out, struct ark_err *err)
{
	/* A failed write is told by the result that follows. */
	for (int left = PQflush(c->pg); left == 1; left = PQflush(c->pg)) {
		enum ark_rc rc = db_wait(c, POLLIN | POLLOUT, err);
		if (rc < 0)
			return rc;
		if (PQconsumeInput(c->pg) != 1)
			break;
	}
	while (PQisBusy(c->pg) != 0) {
		enum ark_rc rc = db_wait(c, POLLIN, err);
		if (rc < 0)
			return rc;
		if (PQconsumeInput(c->pg) != 1)
			return db_fail(c, NULL, err);
	}
	*out = PQgetResult(c->pg);
	return ARK_OK;
}

static bool is_error(const PGresult *res)
{
	ExecStatusType s = PQresultStatus(res);
	return s == PGRES_FATAL_ERROR || s == PGRES_BAD_RESPONSE || s == PGRES_NONFATAL_ERROR;
}

enum ark_rc db_collect(struct db_conn *c, PGresult **out, struct ark_err *err)
{
	enum ark_rc result = ARK_OK;
	ark_auto(db_pg_clearp) PGresult *last = NULL;
	for (;;) {
		PGresult *res = NULL;
		enum ark_rc rc = db_next_result(c, &res, err);
		if (rc < 0)
			return rc;
		if (res == NULL)
			break;
		PQclear(last);
		last = res;
		ExecStatusType s = PQresultStatus(res);
		if (s == PGRES_COPY_IN || s == PGRES_COPY_OUT || s == PGRES_COPY_BOTH)
			ark_bug("COPY through a call for statements");
		if (is_error(res) && result == ARK_OK)
			result = db_fail(c, res, err);
		if (PQstatus(c->pg) != CONNECTION_OK)
			break;
	}
	if (result == ARK_OK && PQstatus(c->pg) != CONNECTION_OK)
		result = db_fail(c, NULL, err);
	if (result == ARK_OK && out != NULL) {
		*out = last;
		last = NULL;
	}
	return result;
}

/* Empties the connection after something was given up; answers are not waited for for ever. */
static void drain(struct db_conn *c)
{
	struct ark_err ignored = { 0 };
	while (db_alive(c)) {
		ark_auto(db_pg_clearp) PGresult *res = NULL;
		if (db_next_result(c, &res, &ignored) < 0 || res == NULL)
			return;
		ExecStatusType s = PQresultStatus(res);
		if (s == PGRES_COPY_IN)
			(void)PQputCopyEnd(c->pg, "given up");
		char *line = NULL;
		while (s == PGRES_COPY_OUT && PQgetCopyData(c->pg, &line, 1) > 0)
			PQfreemem(line);
	}
}

void db_settle(struct db_conn *c)
{
	if (c->busy == DB_IDLE)
		return;
	bool was = c->shielded;
	c->shielded = true; /* the wait below has its own limit: that of a cancelled statement */
	if (c->busy == DB_COPY_IN)
		(void)PQputCopyEnd(c->pg, "given up");
	db_cancel(c);
	char *line = NULL;
	struct ark_err ignored = { 0 };
	while (c->busy == DB_COPY_OUT) {
		int n = PQgetCopyData(c->pg, &line, 1);
		if (n > 0)
			PQfreemem(line);
		if (n < 0 || (n == 0 && (db_wait(c, POLLIN, &ignored) < 0 ||
		                         PQconsumeInput(c->pg) != 1)))
			break;
	}
	drain(c);
	db_pg_clearp(&c->row.pg);
	PQfreemem(c->copy_line);
	c->copy_line = NULL;
	c->busy = DB_IDLE;
	c->shielded = was;
	c->cancelled = false;
}

/* --- statements ------------------------------------------------------------------------------ */

enum ark_rc db_exec(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	enum ark_rc rc = db_send(conn, sql, DB_NO_PARAMS, err);
	return rc < 0 ? rc : db_collect(conn, NULL, err);
}

enum ark_rc db_run(struct db_conn *conn, const char *sql, struct db_params params,
                   uint64_t *affected, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, sql, params, &res, err);
	if (rc < 0)
		return rc;
	uint64_t rows = 0;
	(void)ark_str_u64(ark_str_z(PQcmdTuples(res->pg)), &rows);
	if (affected != NULL)
		*affected = rows;
	return ARK_OK;
}

enum ark_rc db_query(struct db_conn *conn, const char *sql, struct db_params params,
                     struct db_result **out, struct ark_err *err)
{
	enum ark_rc rc = db_send(conn, sql, params, err);
	PGresult *pg = NULL;
	if (rc == ARK_OK)
		rc = db_collect(conn, &pg, err);
	if (rc < 0)
		return rc;
	if (pg == NULL)
		ark_bug("a statement without a result");
	struct db_result *res = ark_calloc(1, sizeof(*res));
	res->pg = pg;
	*out = res;
	return ARK_OK;
}

enum ark_rc db_query_one(struct db_conn *conn, const char *sql, struct db_params params,
                         struct db_result **out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(conn, sql, params, &res, err);
	if (rc < 0)
		return rc;
	if (db_rows(res) == 0)
		return ark_err_set(err, ARK_KIND_MISSING, "no such row");
	if (db_rows(res) > 1)
		return ark_err_set(err, ARK_KIND_DB, "%zu rows where one was expected", db_rows(res));
	*out = res;
	res = NULL;
	return ARK_OK;
}

struct ark_str db_num(int64_t value, char space[DB_NUM])
{
	int n = snprintf(space, DB_NUM, "%lld", (long long)value);
	return ark_str_n(space, (size_t)n);
}

/* --- results --------------------------------------------------------------------------------- */

void db_result_free(struct db_result *res)
{
	if (res == NULL)
		return;
	PQclear(res->pg);
	free(res);
}

void db_result_freep(struct db_result **res)
{
	db_result_free(*res);
	*res = NULL;
}

size_t db_rows(const struct db_result *res)
{
	return (size_t)PQntuples(res->pg);
}

size_t db_cols(const struct db_result *res)
{
	return (size_t)PQnfields(res->pg);
}

size_t db_col(const struct db_result *res, const char *name)
{
	for (size_t i = 0; i < db_cols(res); i++)
		if (strcmp(PQfname(res->pg, (int)i), name) == 0)
			return i;
	return SIZE_MAX;
}

struct ark_str db_col_name(const struct db_result *res, size_t col)
{
	if (col >= db_cols(res))
		ark_bug("column %zu of %zu", col, db_cols(res));
	return ark_str_z(PQfname(res->pg, (int)col));
}

struct ark_str db_value(const struct db_result *res, size_t row, size_t col)
{
	if (db_null(res, row, col))
		return ARK_STR_NONE;
	return ark_str_n(PQgetvalue(res->pg, (int)row, (int)col),
	                 (size_t)PQgetlength(res->pg, (int)row, (int)col));
}

bool db_null(const struct db_result *res, size_t row, size_t col)
{
	if (row >= db_rows(res) || col >= db_cols(res))
		ark_bug("row %zu of %zu, column %zu of %zu", row, db_rows(res), col, db_cols(res));
	return PQgetisnull(res->pg, (int)row, (int)col) == 1;
}

int64_t db_i64(const struct db_result *res, size_t row, size_t col)
{
	struct ark_str s = db_value(res, row, col);
	bool minus = s.len > 0 && s.ptr[0] == '-';
	uint64_t v;
	if (!ark_str_u64(minus ? ark_str_from(s, 1) : s, &v))
		return 0;
	if (v > (uint64_t)INT64_MAX)
		return minus && v == (uint64_t)INT64_MAX + 1 ? INT64_MIN : 0;
	return minus ? -(int64_t)v : (int64_t)v;
}

bool db_bool(const struct db_result *res, size_t row, size_t col)
{
	return ark_str_eq(db_value(res, row, col), ARK_LIT("t"));
}

/* --- streams --------------------------------------------------------------------------------- */

enum ark_rc db_stream_begin(struct db_conn *conn, const char *sql, struct db_params params,
                            struct ark_err *err)
{
	enum ark_rc rc = db_send(conn, sql, params, err);
	if (rc < 0)
		return rc;
	if (PQsetSingleRowMode(conn->pg) != 1)
		ark_bug("single row mode refused");
	conn->busy = DB_STREAM;
	return ARK_OK;
}

enum ark_rc db_stream_next(struct db_conn *conn, const struct db_result **row,
                           struct ark_err *err)
{
	if (conn->busy != DB_STREAM)
		ark_bug("next row without a stream");
	db_pg_clearp(&conn->row.pg);
	enum ark_rc rc = db_next_result(conn, &conn->row.pg, err);
	if (rc == ARK_OK && PQresultStatus(conn->row.pg) == PGRES_SINGLE_TUPLE) {
		*row = &conn->row;
		return ARK_OK;
	}
	if (rc == ARK_OK && conn->row.pg != NULL && is_error(conn->row.pg))
		rc = db_fail(conn, conn->row.pg, err);
	else if (rc == ARK_OK)
		rc = ARK_END;
	db_pg_clearp(&conn->row.pg);
	drain(conn);
	conn->busy = DB_IDLE;
	return rc;
}

void db_stream_end(struct db_conn *conn)
{
	if (conn->busy == DB_STREAM)
		db_settle(conn);
}

/* --- side by side ---------------------------------------------------------------------------- */

enum ark_rc db_start(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	enum ark_rc rc = db_send(conn, sql, DB_NO_PARAMS, err);
	if (rc == ARK_OK)
		conn->busy = DB_STARTED;
	return rc;
}

/* Its answer has begun, or it is gone. */
static bool has_answer(struct db_conn *c)
{
	if (PQflush(c->pg) < 0 || PQconsumeInput(c->pg) != 1)
		return true;
	return PQisBusy(c->pg) == 0;
}

static void cancel_interrupted(struct db_conn *const *conns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct db_conn *c = conns[i];
		if (c != NULL && c->busy == DB_STARTED && c->interrupted != NULL && c->interrupted())
			db_cancel(c);
	}
}

/* One word for all: whoever waits for several gave each the same. */
static void tell_waiting(struct db_conn *const *conns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct db_conn *c = conns[i];
		if (c != NULL && c->busy == DB_STARTED && c->waiting != NULL) {
			c->waiting(c->waiting_ctx);
			return;
		}
	}
}

enum ark_rc db_wait_any(struct db_conn *const *conns, size_t count, size_t *which,
                        struct ark_err *err)
{
	struct pollfd fds[LIMIT_DB_CONNECTIONS];
	if (count > LIMIT_DB_CONNECTIONS)
		ark_bug("%zu connections at once", count);
	for (;;) {
		nfds_t n = 0;
		cancel_interrupted(conns, count);
		for (size_t i = 0; i < count; i++) {
			struct db_conn *c = conns[i];
			if (c == NULL || c->busy != DB_STARTED)
				continue;
			if (has_answer(c) || c->cancelled) {
				*which = i;
				return ARK_OK;
			}
			fds[n++] = (struct pollfd){ .fd = PQsocket(c->pg), .events = POLLIN };
		}
		if (n == 0)
			return ark_err_set(err, ARK_KIND_MISSING, "no statement is under way");
		if (poll(fds, n, 200) == 0)
			tell_waiting(conns, count);
	}
}

enum ark_rc db_finish(struct db_conn *conn, struct ark_err *err)
{
	if (conn->busy != DB_STARTED)
		ark_bug("nothing was started");
	conn->busy = DB_IDLE;
	return db_collect(conn, NULL, err);
}

enum ark_rc db_index_memory(struct db_conn *conn, struct ark_err *err)
{
	if (!db_is_local(conn))
		return ARK_OK;
	int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int64_t mb = bytes / (1 << 20) / 16;
	if (mb < 64)
		mb = 64;
	if (mb > 1024)
		mb = 1024;
	char sql[96];
	snprintf(sql, sizeof(sql), "SET maintenance_work_mem = '%lldMB'", (long long)mb);
	return db_exec(conn, sql, err);
}
