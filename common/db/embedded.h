/*
 * A private PostgreSQL cluster in a folder: made when it is not there, started when a tool needs it,
 * stopped when the last one is done. For people who have no server at hand.
 *
 *	DIR/pg          the cluster; DIR/pg.tmp while it is being made
 *	DIR/files       the file store that goes with it
 *	DIR/lock        shared lock of every tool that uses it (kernel lock: nothing to clean up)
 *	DIR/server.log  what the server says
 *	DIR/.s.PGSQL... its socket; in a folder of the run directory when that path would be too long
 *
 * Only over the Unix socket, and all of it closed to other users. As root, for whom PostgreSQL
 * refuses to run, it runs and owns DIR as the user `postgres`.
 *
 * A tool that was killed leaves a running server: the next one uses it, and stops it when it is the
 * last. A power cut needs no manual step either.
 */
#ifndef ARK_DB_EMBEDDED_H
#define ARK_DB_EMBEDDED_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct db_embedded;

struct db_embedded_options {
	const char *dir;           /* NULL: db_embedded_default_dir() */
	bool create;               /* make the cluster when there is none; else FAIL with MISSING */
	bool (*interrupted)(void); /* asked while waiting; NULL: never */
	const char *programs;      /* folder of initdb and postgres; NULL: the newest installed one,
	                              or the one that fits an existing cluster */
	bool scratch;              /* nothing in it is worth keeping: a cluster of another version than
	                              that of the programs is made anew */
};

/* "./matterark-data", or "/var/lib/matterark" as root. */
const char *db_embedded_default_dir(void);

/*
 * A DIR that the server's user cannot reach, or that holds something else, is refused (kind REFUSED)
 * before anything is written; so is one whose PostgreSQL is not installed any more (MISSING).
 * Kind LOCKED when another tool takes minutes to start or stop it.
 */
enum ark_rc db_embedded_open(const struct db_embedded_options *opt, struct db_embedded **out,
                             struct ark_err *err);
/* For db_open: the superuser `postgres` in database `postgres`. Borrowed. */
struct ark_str db_embedded_dsn(const struct db_embedded *e);
/* Absolute path of the folder, and of the file store in it. Borrowed. */
struct ark_str db_embedded_dir(const struct db_embedded *e);
struct ark_str db_embedded_files(const struct db_embedded *e);
/* Close connections first. Stops the server unless another tool uses it. NULL is fine. */
void db_embedded_release(struct db_embedded *e);
void db_embedded_releasep(struct db_embedded **e); /* for ark_auto */

#endif
