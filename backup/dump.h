/*
 * The schema as SQL, through the pg_dump that fits the server, from an exported snapshot. Not for rows.
 *
 * pg_dump reads the catalogues once, into an archive in a temporary file; the pg_restore beside it writes
 * that as SQL: what comes before the rows, what comes behind them, and who owns and may use what.
 */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include <stdatomic.h>

#include "common/base/buf.h"

struct dump_program {
	char path[512];    /* pg_dump */
	char restore[512]; /* the pg_restore in the same folder */
	int major;
};

/* said: a path that the user named, or NULL. The server's own major version is preferred, then the next
 * newer one. FAIL: REFUSED when none fits. */
enum ark_rc dump_find(const char *said, int server_major, struct dump_program *out, struct ark_err *err);

enum dump_text {
	DUMP_PRE_DATA,  /* neither owners nor privileges */
	DUMP_POST_DATA,
	DUMP_OWNERS,    /* ALTER ... OWNER TO, GRANT, REVOKE: to be run behind the other two */
	DUMP_TEXTS,
};

struct dump_job {
	const struct dump_program *program;
	const char *dsn;
	const char *snapshot;
	_Atomic bool *stop;  /* set by anybody: the program is ended */
	struct ark_buf out[DUMP_TEXTS]; /* caller's, with their ceilings */
};

/* Run it to its end. FAIL: DB with what it said. */
enum ark_rc dump_run(struct dump_job *job, struct ark_err *err);

#endif
