/* Which database this is, so that a plan made for one is never carried out in another. */
#ifndef PURGE_IDENTITY_H
#define PURGE_IDENTITY_H

#include "common/db/conn.h"
#include "common/json/out.h"
#include "common/json/small.h"

/* Add the members of "database": system (identifier of the cluster), name, schema, migration, tables (digest of
 * their columns), diagnostic_id. Whatever the role may not see is null. */
enum ark_rc purge_identity_json(struct db_conn *conn, struct json_out *o, struct ark_err *err);
/* REFUSED when a plan's head names another database, or another schema in it. */
enum ark_rc purge_identity_check(struct db_conn *conn, const struct json_small *head, struct ark_err *err);

#endif
