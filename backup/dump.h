/*
 * The schema as SQL, through the pg_dump that fits the server, from an exported snapshot. Not for rows.
 */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include <stdatomic.h>

#include "common/base/buf.h"

struct dump_program {
	char path[512];
	int major;
};

/* said: a path that the user named, or NULL. The server's own major version is preferred, then the next
 * newer one. FAIL: REFUSED when none fits. */
enum ark_rc dump_find(const char *said, int server_major, struct dump_program *out, struct ark_err *err);

struct dump_job {
	const struct dump_program *program;
	const char *dsn;
	const char *snapshot;
	const char *section; /* "pre-data", "post-data" */
	_Atomic bool *stop;  /* set by anybody: the program is ended */
	struct ark_buf out;  /* caller's, with its ceiling */
};

/* Run it to its end. FAIL: DB with what it said. */
enum ark_rc dump_run(struct dump_job *job, struct ark_err *err);

#endif
