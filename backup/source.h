/*
 * The database as the source of a snapshot: which tables there are, locked and frozen at one moment that
 * every connection shares. Not for reading rows: rows/copy.h; not for the schema: dump.h.
 */
#ifndef BACKUP_SOURCE_H
#define BACKUP_SOURCE_H

#include "backup/rows/segment.h"
#include "common/base/pool.h"
#include "common/db/conn.h"

/* COPY of all large objects: oid, position, bytes of each page of them. */
extern const char SOURCE_LARGE_SQL[];
/* What no snapshot holds, for people: names, separated by commas, or NULL. */
extern const char SOURCE_NOT_STORED_SQL[];

struct source_table {
	struct ark_str schema, name;
	struct ark_str columns; /* quoted, separated by ", " */
	struct ark_str order;   /* behind ORDER BY; "" for none */
	struct segment_key key;
	uint64_t weight;        /* bytes on disk */
	bool halves;            /* worth reading over two connections, and an index gives each half */
	int64_t middle;         /* createat where the second half begins, about */
	bool nulls;             /* createat may be NULL: such rows come last */
};

struct source {
	struct db_conn *conn;
	struct db_txn txn;
	struct ark_pool pool;
	char snapshot[64];
	int64_t taken_ms;  /* by the server's clock */
	struct source_table *tables;
	size_t table_count;
	uint64_t large_objects;
};

/* Connect; refuses poolers (REFUSED), and another backup of this database that runs now (LOCKED). */
enum ark_rc source_open(struct source *s, const char *dsn, const struct db_options *opt,
                        struct ark_err *err);
void source_close(struct source *s); /* also for ark_auto; `= {0}` is closed */

/*
 * List, lock, export the snapshot, list again. ARK_END: somebody changes tables just now; nothing is held,
 * try again later.
 * lock_wait_s  for all locks together
 */
enum ark_rc source_freeze(struct source *s, int64_t lock_wait_s, struct ark_err *err);
/*
 * The COPY that reads all rows of a table, or that of its first half and what comes behind it (NULL: nothing). In
 * halves the rows are in the same order as in one: those without createat are its last ones. Texts are of `pool`.
 */
void source_reading(const struct source_table *t, struct ark_pool *pool, const char **first, const char *second[2]);
/*
 * What pg_dump --schema-only leaves out, as SQL to be run behind everything: owners, privileges and comments of large
 * objects; the database's own comment, settings (also of roles in it) and privileges, for whatever name it has then.
 */
enum ark_rc source_extras(struct source *s, struct ark_buf *out, struct ark_err *err);
/* Does anybody wait for a lock because of us? */
enum ark_rc source_waited_for(struct source *s, bool *waited, struct ark_err *err);
enum ark_rc source_thaw(struct source *s, struct ark_err *err);

#endif
