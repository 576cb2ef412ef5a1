/*
 * The right to write to a target: the import's locks and temporary databases (common/mm/claim.h says how
 * they work), and the connection to the maintenance database for a target that is not there yet.
 */
#ifndef IMPORT_LOAD_CLAIM_H
#define IMPORT_LOAD_CLAIM_H

#include "import/load/run.h"

/* Databases of this prefix are being made, or are what is left of that. */
#define CLAIM_TEMP_PREFIX "matterark_tmp_"

/* A connection to the maintenance database of the same server. */
enum ark_rc claim_connect(const struct load_job *job, struct db_conn **out, struct ark_err *err);

/*
 * The lock for making a database of this name, held until `maintenance` is closed; or that on
 * importing into the database of `conn`, held until the end of its transaction. A session whose
 * program was just killed still holds it until the server has noticed, so both wait for some seconds.
 * FAIL with kind LOCKED when somebody else keeps it.
 */
enum ark_rc claim_name(struct db_conn *maintenance, struct ark_str name, struct ark_err *err);
enum ark_rc claim_database(struct db_conn *conn, struct ark_err *err);

/* Drop the temporary databases whose lock nobody holds, ending sessions of ours in them. What another
 * role owns, or somebody looks into, stays. `dropped` is how many. */
enum ark_rc claim_drop_rests(struct db_conn *maintenance, uint64_t *dropped, struct ark_err *err);

#endif
