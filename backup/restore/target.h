/*
 * The database that a restore makes: what is there under its name and whether that may go, the temporary
 * database that is loaded, and its getting the name, which is the commit. Not for rows: load.h; not for
 * files: bodies.h.
 */
#ifndef BACKUP_RESTORE_TARGET_H
#define BACKUP_RESTORE_TARGET_H

#include "common/cli/option.h"
#include "common/db/conn.h"
#include "common/db/dsn.h"
#include "common/db/embedded.h"
#include "common/repo/snapshot.h"

struct target_options {
	const char *database;        /* URL of the database that is made */
	struct ark_maybe embedded;   /* instead: a private PostgreSQL in this folder */
	bool scratch_server;         /* ... which is for this purpose only */
	const char *maintenance_db;
	const char *owner;           /* NULL: whom the URL names */
	bool scratch;                /* any name will do, and the database is dropped at the end */
	bool production;
	const char *confirm_host;
	bool disconnect;
};

#define TARGET_ID 128

struct target {
	const struct target_options *opt;
	struct db_options db;
	struct db_embedded *embedded;
	struct db_dsn *dsn;
	struct db_conn *maintenance;
	char *name;
	char *temp_dsn;           /* for db_open, with its password */
	char temp_name[64];
	char temp_oid[16];        /* it keeps that when it gets its name */
	bool made;                /* the temporary database exists, or half of it */
	bool exists, empty;
	bool marked;              /* it carries a mark that holds: */
	char diagnostic_id[TARGET_ID];
	char system_identifier[TARGET_ID]; /* of the server */
};

/* Connect to the server. FAIL: USAGE (no database named), REFUSED (a pooler), DB. */
enum ark_rc target_open(struct target *t, const struct target_options *opt, struct ark_err *err);
/* Drops a temporary database that got no name; also for ark_auto; `= {0}` is closed. */
void target_release(struct target *t);

/* The oid of the database that has the name now, "" for none. */
enum ark_rc target_oid(struct target *t, const char *name, char out[16], struct ark_err *err);

/* "database copy at localhost" */
void target_text(const struct target *t, struct ark_buf *out);

/*
 * What is there under the name may go: nothing, an empty database, or a test installation whose mark
 * holds. FAIL with kind REFUSED otherwise, and when it is the snapshot's source, when the server is older
 * than the source's, when somebody is connected to it.
 */
enum ark_rc target_check(struct target *t, const struct repo_contents *contents, struct ark_err *err);
/* The temporary database; what killed runs left goes first. */
enum ark_rc target_make(struct target *t, struct ark_err *err);
/* Give everything in it to --owner; nothing to do without. */
enum ark_rc target_own(struct target *t, struct ark_err *err);
/* It gets its name, in place of what had it. No connection to it may be open. */
enum ark_rc target_publish(struct target *t, struct ark_err *err);

/* The data source of the database as Mattermost is to be told, with its password: a URL. */
enum ark_rc target_mattermost(const struct target *t, struct ark_buf *out, struct ark_err *err);

#endif
