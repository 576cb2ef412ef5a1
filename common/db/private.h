/*
 * What the files of room db share; the only header that knows libpq. Not for other rooms.
 */
#ifndef ARK_DB_PRIVATE_H
#define ARK_DB_PRIVATE_H

#include <libpq-fe.h>

#include "common/base/limits.h"
#include "common/db/conn.h"

/* What the connection is in the middle of. */
enum db_busy {
	DB_IDLE,
	DB_STARTED, /* db_start */
	DB_STREAM,
	DB_COPY_IN,
	DB_COPY_OUT,
};

struct db_result {
	PGresult *pg;
};

struct db_conn {
	PGconn *pg;
	PGcancel *cancel;
	bool (*interrupted)(void);
	void (*waiting)(void *ctx);
	void *waiting_ctx;
	enum db_busy busy;
	bool shielded;          /* commit and rollback: not to be interrupted */
	bool cancelled;         /* the present statement was cancelled by us */
	bool dead;              /* gave up waiting for an answer */
	int64_t cancel_ms;      /* when */
	char sqlstate[6];
	bool copy_heard;        /* the server said something during the present COPY in */
	struct db_result row;   /* present row of a stream */
	char *copy_line;        /* present line of a COPY out */
	char *notices[LIMIT_DB_NOTICES];
	size_t notice_count;
};

/* Wait until the socket is ready for `events` (poll's); cancels when interrupted. */
enum ark_rc db_wait(struct db_conn *c, short events, struct ark_err *err);
/* The next result of the present statement, NULL at its end. */
enum ark_rc db_next_result(struct db_conn *c, PGresult **out, struct ark_err *err);
/* Send one statement; with parameters through the extended protocol. */
enum ark_rc db_send(struct db_conn *c, const char *sql, struct db_params params,
                    struct ark_err *err);
/* Read results to the end: the last one in `out` (NULL: not wanted), the first error wins. */
enum ark_rc db_collect(struct db_conn *c, PGresult **out, struct ark_err *err);
/* Fill err from a failed result (NULL: from the connection). */
enum ark_rc db_fail(struct db_conn *c, const PGresult *res, struct ark_err *err);
/* Whatever is under way is given up; afterwards the connection is idle (or dead). */
void db_settle(struct db_conn *c);
void db_cancel(struct db_conn *c);

static inline void db_pg_clearp(PGresult **res)
{
	PQclear(*res);
	*res = NULL;
}

#endif
