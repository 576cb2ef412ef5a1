/*
 * Import into a database that does not exist yet; see fresh.c. The name is out->database.
 */
#ifndef IMPORT_LOAD_FRESH_H
#define IMPORT_LOAD_FRESH_H

#include "common/db/dsn.h"
#include "import/load/run.h"

enum ark_rc load_fresh(const struct load_job *job, struct load *l, struct db_conn *maintenance,
                       struct load_outcome *out, struct ark_err *err);

#endif
