/* COPY in both directions, and transactions. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/fail.h"
#include "common/db/private.h"

#include "common/base/banned.h"

/* Handed to libpq at once: what the socket takes in one go when it says that it takes something.
 * A send that stops halfway makes libpq read and keep what the server says (see copy_refused). */
#define COPY_PIECE (32u << 10)

static enum ark_rc copy_start(struct db_conn *c, const char *sql, ExecStatusType want,
                              enum db_busy busy, struct ark_err *err)
{
	enum ark_rc rc = db_send(c, sql, DB_NO_PARAMS, err);
	ark_auto(db_pg_clearp) PGresult *res = NULL;
	if (rc == ARK_OK)
		rc = db_next_result(c, &res, err);
	if (rc < 0)
		return rc;
	if (PQresultStatus(res) == want) {
		c->busy = busy;
		return ARK_OK;
	}
	if (PQresultStatus(res) != PGRES_FATAL_ERROR)
		ark_bug("not a COPY in this direction: %s", sql);
	rc = db_fail(c, res, err);
	struct ark_err ignored = { 0 };
	(void)db_collect(c, NULL, &ignored);
	return rc;
}

/* The copy ended early: the result says why. */
static enum ark_rc copy_broken(struct db_conn *c, struct ark_err *err)
{
	c->busy = DB_IDLE;
	enum ark_rc rc = db_collect(c, NULL, err);
	if (rc == ARK_OK)
		rc = ark_err_set(err, ARK_KIND_DB, "the server ended the COPY early");
	return rc;
}

enum ark_rc db_copy_begin(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	conn->copy_heard = false;
	return copy_start(conn, sql, PGRES_COPY_IN, DB_COPY_IN, err);
}

/*
 * What the server says during the COPY is read, so that neither side waits for the other. True when
 * it is an error: libpq would tell only after the last byte was sent, which may be gigabytes later.
 * Every message starts with its kind, so one byte says it, as long as nothing else came before and
 * the bytes are not encrypted.
 */
static bool copy_refused(struct db_conn *c)
{
	char kind = '\0';
	if (recv(PQsocket(c->pg), &kind, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return false;
	if (kind == 'E' && !c->copy_heard && PQsslInUse(c->pg) == 0 && PQgssEncInUse(c->pg) == 0)
		return true;
	c->copy_heard = true;
	return PQconsumeInput(c->pg) != 1;
}

/* End the COPY from our side to get at the error. */
static enum ark_rc copy_give_up(struct db_conn *c, struct ark_err *err)
{
	(void)PQputCopyEnd(c->pg, "given up");
	return copy_broken(c, err);
}

static bool is_writable(const struct db_conn *c)
{
	struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLOUT };
	return poll(&p, 1, 0) > 0;
}

/* Wait until libpq has handed everything to the socket, and that takes more. */
static enum ark_rc copy_flush(struct db_conn *c, struct ark_err *err)
{
	for (;;) {
		if (copy_refused(c))
			return copy_give_up(c, err);
		if (is_writable(c)) {
			int left = PQflush(c->pg);
			if (left < 0)
				return copy_give_up(c, err);
			if (left == 0)
				return ARK_OK;
		}
		enum ark_rc rc = db_wait(c, POLLIN | POLLOUT, err);
		if (rc < 0)
			return rc;
	}
}

/* A fail point's full disk of the server: its statement fails, the connection is whole. */
static enum ark_rc copy_full(struct db_conn *conn, struct ark_err *err)
{
	(void)PQputCopyEnd(conn->pg, "No space left on device");
	return copy_broken(conn, err);
}

enum ark_rc db_copy_data(struct db_conn *conn, const char *ptr, size_t len, struct ark_err *err)
{
	if (conn->busy != DB_COPY_IN)
		ark_bug("COPY data without a COPY");
	int errnum = ark_fail_step("COPY data");
	if (errnum == ENOSPC)
		return copy_full(conn, err);
	if (errnum != 0)
		(void)shutdown(PQsocket(conn->pg), SHUT_RDWR);
	while (len > 0) {
		if (!conn->cancelled && conn->interrupted != NULL && conn->interrupted()) {
			db_settle(conn);
			return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		}
		enum ark_rc rc = copy_flush(conn, err);
		if (rc < 0)
			return rc;
		size_t piece = len < COPY_PIECE ? len : COPY_PIECE;
		int put = PQputCopyData(conn->pg, ptr, (int)piece);
		if (put < 0)
			return copy_broken(conn, err);
		ptr += put * piece;
		len -= put * piece;
	}
	return ARK_OK;
}

enum ark_rc db_copy_finish(struct db_conn *conn, uint64_t *rows, struct ark_err *err)
{
	if (conn->busy != DB_COPY_IN)
		ark_bug("end of a COPY that was not begun");
	int errnum = ark_fail_step("COPY end");
	if (errnum == ENOSPC)
		return copy_full(conn, err);
	if (errnum != 0)
		(void)shutdown(PQsocket(conn->pg), SHUT_RDWR);
	int put;
	while ((put = PQputCopyEnd(conn->pg, NULL)) == 0) {
		enum ark_rc rc = copy_flush(conn, err);
		if (rc < 0)
			return rc;
	}
	if (put < 0)
		return copy_broken(conn, err);
	conn->busy = DB_IDLE;
	ark_auto(db_pg_clearp) PGresult *res = NULL;
	enum ark_rc rc = db_collect(conn, &res, err);
	if (rc < 0)
		return rc;
	uint64_t n = 0;
	(void)ark_str_u64(ark_str_z(PQcmdTuples(res)), &n);
	if (rows != NULL)
		*rows = n;
	return ARK_OK;
}

void db_copy_abort(struct db_conn *conn)
{
	if (conn->busy == DB_COPY_IN)
		db_settle(conn);
}

enum ark_rc db_copy_out_begin(struct db_conn *conn, const char *sql, struct ark_err *err)
{
	return copy_start(conn, sql, PGRES_COPY_OUT, DB_COPY_OUT, err);
}

enum ark_rc db_copy_out_next(struct db_conn *conn, struct ark_str *line, struct ark_err *err)
{
	if (conn->busy != DB_COPY_OUT)
		ark_bug("next line without a COPY");
	PQfreemem(conn->copy_line);
	conn->copy_line = NULL;
	for (;;) {
		int n = PQgetCopyData(conn->pg, &conn->copy_line, 1);
		if (n > 0) {
			*line = ark_str_n(conn->copy_line, (size_t)n);
			return ARK_OK;
		}
		if (n < 0)
			break;
		enum ark_rc rc = db_wait(conn, POLLIN, err);
		if (rc < 0)
			return rc;
		if (PQconsumeInput(conn->pg) != 1)
			break;
	}
	conn->busy = DB_IDLE;
	enum ark_rc rc = db_collect(conn, NULL, err);
	return rc == ARK_OK ? ARK_END : rc;
}

void db_copy_out_end(struct db_conn *conn)
{
	if (conn->busy == DB_COPY_OUT)
		db_settle(conn);
}

/* --- transactions ---------------------------------------------------------------------------- */

enum ark_rc db_txn_begin(struct db_txn *txn, struct db_conn *conn, const char *modes,
                         struct ark_err *err)
{
	if (txn->conn != NULL || PQtransactionStatus(conn->pg) == PQTRANS_INTRANS)
		ark_bug("transaction inside a transaction");
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "BEGIN %s", modes);
	enum ark_rc rc = db_exec(conn, sql.data, err);
	if (rc == ARK_OK)
		txn->conn = conn;
	return rc;
}

enum ark_rc db_txn_commit(struct db_txn *txn, struct ark_err *err)
{
	struct db_conn *c = txn->conn;
	if (c == NULL)
		ark_bug("commit without a transaction");
	ark_auto(db_pg_clearp) PGresult *res = NULL;
	c->shielded = true;
	enum ark_rc rc = db_send(c, "COMMIT", DB_NO_PARAMS, err);
	bool sent = rc == ARK_OK;
	if (sent)
		rc = db_collect(c, &res, err);
	c->shielded = false;
	if (rc < 0 && sent && !db_alive(c))
		return ark_err_in(err, rc, "it is not known whether the transaction was committed");
	if (rc < 0)
		return rc;
	txn->conn = NULL;
	if (strcmp(PQcmdStatus(res), "COMMIT") != 0)
		return ark_err_set(err, ARK_KIND_DB,
		                   "the transaction was rolled back because of an earlier error");
	return ARK_OK;
}

void db_txn_end(struct db_txn *txn)
{
	struct db_conn *c = txn->conn;
	if (c == NULL)
		return;
	txn->conn = NULL;
	db_settle(c);
	if (!db_alive(c) || PQtransactionStatus(c->pg) == PQTRANS_IDLE)
		return;
	struct ark_err ignored = { 0 };
	char state[sizeof(c->sqlstate)];
	memcpy(state, c->sqlstate, sizeof(state)); /* of the error that led here */
	c->shielded = true;
	(void)db_exec(c, "ROLLBACK", &ignored);
	c->shielded = false;
	memcpy(c->sqlstate, state, sizeof(state));
}
