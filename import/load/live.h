/*
 * Import into a database that exists: one transaction, whatever else happens in it meanwhile.
 */
#ifndef IMPORT_LOAD_LIVE_H
#define IMPORT_LOAD_LIVE_H

#include "import/load/run.h"
#include "import/load/sink.h"

enum ark_rc load_live(const struct load_job *job, struct load *l, struct db_conn *conn,
                      struct load_outcome *out, struct ark_err *err);

/*
 * Everything up to and with staging inside the caller's transaction, nothing merged: for verify.
 * `sink` is initialised; the stage tables are there afterwards.
 */
enum ark_rc load_stage(const struct load_job *job, struct load *l, struct db_conn *conn,
                       struct sink *sink, struct load_outcome *out, struct ark_err *err);

#endif
