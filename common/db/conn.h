/*
 * A connection to PostgreSQL: statements, results, COPY, transactions. Over libpq, none of whose
 * types leaves this room. Not for knowledge about Mattermost's tables: that is common/mm.
 *
 * Every call waits in poll(), so that an interruption (the callback given at db_open) cancels what
 * the server is doing. A connection belongs to one thread at a time.
 *
 * Errors: kind DB with the server's message, its detail (unless that quotes a whole row) and its
 * hint; db_sqlstate() has the code. ARK_STOP when the connection is gone or the server cannot go
 * on (shutdown, disk full, out of memory); kind SIGNAL, ARK_STOP when interrupted. No error text
 * holds a password. Nothing is printed: notices are collected (db_notice).
 */
#ifndef ARK_DB_CONN_H
#define ARK_DB_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

struct db_conn;
struct db_result;

struct db_options {
	const char *app;           /* application_name, as pg_stat_activity shows it */
	bool (*interrupted)(void); /* asked while waiting; NULL: never */
	void (*waiting)(void *ctx); /* told while waiting, some times a second, by who waits; NULL: nobody */
	void *waiting_ctx;
};

/*
 * dsn   libpq URI or key=value text; Mattermost's extra parameters are understood (dsn.h)
 * opt   copied (`app` is sent at once)
 *
 * What every connection has: client_encoding UTF8, TimeZone UTC, ISO dates, bytea as hex, only
 * warnings as notices, no statement, lock or idle time limits, row security never filtering
 * silently, a connect time limit of 10 s unless the name says another, signs of life when idle (so
 * that no firewall forgets it), and the server ends what it does within some seconds after this
 * process is gone (PostgreSQL 14 and later).
 */
enum ark_rc db_open(const char *dsn, const struct db_options *opt, struct db_conn **out,
                    struct ark_err *err);
void db_close(struct db_conn *conn); /* NULL is fine */
void db_closep(struct db_conn **conn); /* for ark_auto */

/* Major * 10000 + minor, e.g. 150018. */
int db_server_version(const struct db_conn *conn);
/* Server process on the other side, as it introduced itself. */
int db_backend_pid(const struct db_conn *conn);
/* Host (or socket folder), port, database and role that the connection really has; borrowed. */
struct ark_str db_host(const struct db_conn *conn);
struct ark_str db_port(const struct db_conn *conn);
struct ark_str db_name(const struct db_conn *conn);
struct ark_str db_user(const struct db_conn *conn);
/* The server is reached through a Unix socket or a loopback address: it shares this machine. */
bool db_is_local(const struct db_conn *conn);
/* Memory for index builds of this session: a share of this machine's when the server is on it, else
 * what the server says itself. */
enum ark_rc db_index_memory(struct db_conn *conn, struct ark_err *err);
/* False once the connection is gone; it does not come back. */
bool db_alive(const struct db_conn *conn);

/* The five-character code of the last error of this connection, "" before the first one. */
const char *db_sqlstate(const struct db_conn *conn);
/* Notices since the last db_notices_clear, LIMIT_DB_NOTICES at most; borrowed. */
size_t db_notice_count(const struct db_conn *conn);
struct ark_str db_notice(const struct db_conn *conn, size_t n);
void db_notices_clear(struct db_conn *conn);

/*
 * A pooler between us and the server breaks what the tools rely on (session advisory locks,
 * exported snapshots, temporary tables). Recognised by the process id announced at the start not
 * being that of the process which answers.
 *
 * is_pooler  out
 * reason     out, for people; empty when there is none
 */
enum ark_rc db_is_pooler(struct db_conn *conn, bool *is_pooler, struct ark_buf *reason,
                         struct ark_err *err);
/* REFUSED where that is a pooler; `what` needs the direct connection: "a snapshot". */
enum ark_rc db_refuse_pooler(struct db_conn *conn, const char *what, struct ark_err *err);

/* --- statements ------------------------------------------------------------------------------ */

/* One or more statements without parameters; results are dropped. */
enum ark_rc db_exec(struct db_conn *conn, const char *sql, struct ark_err *err);

/* Values for $1, $2, ...: text as PostgreSQL reads it, ARK_STR_NONE is NULL. Copied. */
struct db_params {
	size_t count;
	const struct ark_str *values;
};
#define DB_NO_PARAMS ((struct db_params){ 0, NULL })
/* DB_PARAMS(a, b): at least one struct ark_str. Lives as long as the block it stands in. */
#define DB_PARAMS(...)                                                                     \
	((struct db_params){ sizeof((struct ark_str[]){ __VA_ARGS__ }) / sizeof(struct ark_str), \
	                     (struct ark_str[]){ __VA_ARGS__ } })
#define DB_NUM 24
/* The number as text in `space`, for DB_PARAMS. */
struct ark_str db_num(int64_t value, char space[DB_NUM]);

/* One statement; `affected` (may be NULL) is the number of rows it inserted, changed, deleted. */
enum ark_rc db_run(struct db_conn *conn, const char *sql, struct db_params params,
                   uint64_t *affected, struct ark_err *err);
/* One statement with its whole result in memory. */
enum ark_rc db_query(struct db_conn *conn, const char *sql, struct db_params params,
                     struct db_result **out, struct ark_err *err);
/* As db_query, for exactly one row; FAIL with kind MISSING when there is none. */
enum ark_rc db_query_one(struct db_conn *conn, const char *sql, struct db_params params,
                         struct db_result **out, struct ark_err *err);

void db_result_free(struct db_result *res); /* NULL is fine */
void db_result_freep(struct db_result **res); /* for ark_auto */
size_t db_rows(const struct db_result *res);
size_t db_cols(const struct db_result *res);
/* Position of the column with this name, or SIZE_MAX. */
size_t db_col(const struct db_result *res, const char *name);
struct ark_str db_col_name(const struct db_result *res, size_t col);
/* Row or column out of range is a bug. Values are borrowed from the result. */
struct ark_str db_value(const struct db_result *res, size_t row, size_t col); /* NULL: NONE */
bool db_null(const struct db_result *res, size_t row, size_t col);
/* A whole number; 0 for NULL and for what is none. */
int64_t db_i64(const struct db_result *res, size_t row, size_t col);
bool db_bool(const struct db_result *res, size_t row, size_t col); /* NULL: false */

/* --- big results, row by row ----------------------------------------------------------------- */

/*
 * Until db_stream_next returned ARK_END or db_stream_end was called, the connection takes no other
 * statement. `row` holds one row (number 0) and is borrowed until the next call.
 */
enum ark_rc db_stream_begin(struct db_conn *conn, const char *sql, struct db_params params,
                            struct ark_err *err);
enum ark_rc db_stream_next(struct db_conn *conn, const struct db_result **row,
                           struct ark_err *err);
/* Stop early: cancels the statement. Nothing to do (and harmless) after ARK_END or an error. */
void db_stream_end(struct db_conn *conn);

/* From here on interrupts are not asked for on this connection: for cleaning up after one. */
void db_shield(struct db_conn *conn);

/* --- statements on several connections at the same time --------------------------------------- */

/* Send and return at once. The connection takes nothing else before db_finish. */
enum ark_rc db_start(struct db_conn *conn, const char *sql, struct ark_err *err);
/* Wait for one of `conns` (NULLs are skipped) that has its answer; `which` is its index. FAIL with
 * kind MISSING when none has anything under way. When interrupted, all are cancelled first. */
enum ark_rc db_wait_any(struct db_conn *const *conns, size_t count, size_t *which,
                        struct ark_err *err);
/* Wait for the end of what db_start began; its result. */
enum ark_rc db_finish(struct db_conn *conn, struct ark_err *err);

/* --- COPY ------------------------------------------------------------------------------------ */

/*
 * sql  "COPY t (a, b) FROM STDIN"
 * Data may be cut anywhere. Memory stays bounded: db_copy_data waits until the server takes it.
 * After an error the copy is over. db_copy_abort gives up without an error (so do the rollback of a
 * transaction and db_close).
 */
enum ark_rc db_copy_begin(struct db_conn *conn, const char *sql, struct ark_err *err);
enum ark_rc db_copy_data(struct db_conn *conn, const char *ptr, size_t len, struct ark_err *err);
enum ark_rc db_copy_finish(struct db_conn *conn, uint64_t *rows, struct ark_err *err);
void db_copy_abort(struct db_conn *conn);

/* sql "COPY (...) TO STDOUT". Each call of _next gives one line with its newline (text and CSV
 * format) or one message (binary), borrowed until the next call; ARK_END behind the last. */
enum ark_rc db_copy_out_begin(struct db_conn *conn, const char *sql, struct ark_err *err);
enum ark_rc db_copy_out_next(struct db_conn *conn, struct ark_str *line, struct ark_err *err);
void db_copy_out_end(struct db_conn *conn); /* stop early, as db_stream_end */

/* --- transactions ---------------------------------------------------------------------------- */

struct db_txn {
	struct db_conn *conn; /* NULL: not begun, committed or rolled back */
};

/* modes  what stands behind BEGIN: "", "ISOLATION LEVEL REPEATABLE READ, READ ONLY", ... */
enum ark_rc db_txn_begin(struct db_txn *txn, struct db_conn *conn, const char *modes,
                         struct ark_err *err);
/* Not interruptible. FAIL when the server rolled back instead. When the connection is lost here,
 * the text says that the outcome is unknown. */
enum ark_rc db_txn_commit(struct db_txn *txn, struct ark_err *err);
/* Roll back unless committed: falling out of scope means giving up. For ark_auto. */
void db_txn_end(struct db_txn *txn);

#endif
