/*
 * Paths of files in a temporary file, read again from the start as often as needed; sorted, they say which
 * files of a sorted list are wanted. Not for bodies: bodies.h.
 */
#ifndef BACKUP_RESTORE_PATHS_H
#define BACKUP_RESTORE_PATHS_H

#include "common/db/conn.h"
#include "common/io/spool.h"

/* The one column of a COPY (...) TO STDOUT. */
enum ark_rc paths_copy(struct db_conn *conn, const char *copy, struct io_spool *to, struct ark_err *err);
enum ark_rc paths_add(struct io_spool *to, struct ark_str path, struct ark_err *err);

struct paths {
	const struct io_spool *spool;
	uint64_t at;          /* of what was not read yet */
	struct ark_buf held;
	size_t used;
	struct ark_str path;  /* where it stands; borrowed until the next step */
	bool begun, ended;
};

void paths_begin(struct paths *p, const struct io_spool *spool);
void paths_release(struct paths *p); /* also for ark_auto */
/* ARK_END behind the last. */
enum ark_rc paths_next(struct paths *p, struct ark_err *err);
/* Is `path` among them? Both are asked in the order of their bytes. */
enum ark_rc paths_has(struct paths *p, struct ark_str path, bool *found, struct ark_err *err);

#endif
