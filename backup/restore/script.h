/*
 * What pg_dump writes about finished tables (its section post-data), taken apart: which statements build
 * indexes, and so may run side by side as soon as their table is loaded, and which have to wait for all
 * of these and keep their order. Not for running them: load.h.
 */
#ifndef BACKUP_RESTORE_SCRIPT_H
#define BACKUP_RESTORE_SCRIPT_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/pool.h"

enum script_kind {
	SCRIPT_SETTING, /* of the session: for every connection, first */
	SCRIPT_INDEX,   /* builds an index of `schema`.`table` */
	SCRIPT_LATER,   /* after all indexes, in order */
};

struct script_item {
	enum script_kind kind;
	const char *sql;              /* NUL-ended, without its semicolon */
	struct ark_str schema, table; /* INDEX: their plain names */
	bool full_text;               /* INDEX: takes as long as all others of its table together */
};

struct script {
	struct script_item *items;
	size_t count;
	struct ark_pool pool;
};

/*
 * A primary key or unique constraint becomes two items, an index and what makes the constraint of it:
 * adding the constraint would lock its table against every other index. Only where `plain` says that the
 * table is no partitioned one, which cannot have that.
 */
typedef bool script_plain_fn(void *ctx, struct ark_str schema, struct ark_str table);

/* FAIL with kind INPUT when a statement does not end. */
enum ark_rc script_read(struct ark_str text, script_plain_fn *plain, void *ctx, struct script *out,
                        struct ark_err *err);
void script_release(struct script *s); /* also for ark_auto */

#endif
