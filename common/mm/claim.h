/*
 * Databases that are being made: the locks that keep two runs of a tool apart, and what runs that died
 * left behind. Not for loading them.
 *
 * Advisory locks, so they go with the session that holds them. They are looked for in every database of
 * the server, because two runs may be given different maintenance databases.
 *
 *	(hash of `lock`, hash of NAME)   making the database NAME, writing into it; or, NAME being a
 *	                                 temporary one: its run is alive
 */
#ifndef ARK_MM_CLAIM_H
#define ARK_MM_CLAIM_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/db/conn.h"

struct mm_claim {
	const char *lock;   /* "matterark import"; no quotes in it */
	const char *prefix; /* of databases that are being made, or are what is left of that */
	const char *app;    /* application_name of the tool */
	const char *what;   /* for people: "import into" */
};

/* A connection to another database of the server that `dsn` names. */
enum ark_rc mm_claim_connect(const char *dsn, const char *maintenance_db, const struct db_options *opt,
                             struct db_conn **out, struct ark_err *err);

/*
 * The lock for making a database of this name, held until `maintenance` is closed; or that on the
 * database of `conn`, held until the end of its transaction. A session whose program was just killed
 * still holds it until the server has noticed, so both wait for some seconds.
 * FAIL with kind LOCKED when somebody else keeps it.
 */
enum ark_rc mm_claim_name(struct db_conn *maintenance, const struct mm_claim *kind, struct ark_str name,
                          struct ark_err *err);
enum ark_rc mm_claim_database(struct db_conn *conn, const struct mm_claim *kind, struct ark_err *err);

/* Drop the temporary databases whose lock nobody holds, ending sessions of ours in them. What another
 * role owns, or somebody looks into, stays. `dropped` is how many. */
enum ark_rc mm_claim_drop_rests(struct db_conn *maintenance, const struct mm_claim *kind, uint64_t *dropped,
                                struct ark_err *err);

#endif
