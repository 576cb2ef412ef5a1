/*
 * Incremental runs: a series of bags in one folder, each with the state that the next one compares with.
 * What an earlier run saw is compared post by post, because nothing in the database tells what changed
 * since: commits come late, imports date back, rows are deleted for good, clocks jump.
 */
#ifndef EXPORT_CHAIN_H
#define EXPORT_CHAIN_H

#include "common/crypt/hash.h"
#include "export/app.h"
#include "export/folder.h"

struct export_chain {
	unsigned number;                    /* of this run, from 1 */
	struct export_folder *previous;     /* NULL for the first */
	char previous_sha256[CRYPT_SHA256_HEX]; /* of its tag manifest */
	struct ark_buf group;               /* Bag-Group-Identifier */
	struct ark_buf out;                 /* DIR/run-000002 */
};
void export_chain_release(struct export_chain *c); /* `= {0}` is fine */

/*
 * Which run this is. REFUSED when DIR is a single export, or something else, or the run before had
 * another scope.
 */
enum ark_rc export_chain_open(struct export_app *a, struct export_chain *c, struct ark_err *err);
/* Write state.zst, and for all but the first run find what differs (compare.h). Needs a->out. */
enum ark_rc export_chain_compare(struct export_app *a, struct export_chain *c, struct ark_err *err);

#endif
