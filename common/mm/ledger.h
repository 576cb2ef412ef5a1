/*
 * The purge ledger: which posts were purged, so that what is older than a purge (a snapshot that is
 * restored, an export's history) can leave them out too. Not for purging: purge.h.
 *
 *	matterark.purge_ledger   post_id (key), channel_id, purged_at (ms), plan (its SHA-256, or '')
 *
 * Earlier texts of edited posts are rows of `posts` of their own and stand in it like posts. As a file
 * it is JSON lines, as `matter-purge log --json` prints them: an object with at least "post_id",
 * "channel_id" and "purged_at"; objects without "post_id" say other things and are passed over.
 */
#ifndef ARK_MM_LEDGER_H
#define ARK_MM_LEDGER_H

#include "common/db/conn.h"

struct mm_ledger_entry {
	struct ark_str post_id, channel_id;
	int64_t purged_ms;
	struct ark_str plan; /* '' where it is not known */
};

/* Schema `matterark` and the table, nothing where they are already. */
enum ark_rc mm_ledger_create(struct db_conn *conn, struct ark_err *err);
enum ark_rc mm_ledger_exists(struct db_conn *conn, bool *out, struct ark_err *err);

/* Is told each entry; its strings are borrowed during the call. A failure ends the reading. */
typedef enum ark_rc mm_ledger_fn(void *ctx, const struct mm_ledger_entry *entry, struct ark_err *err);

/* Every entry of the database, in the order of purging; none where there is no table. The connection
 * takes no other statement meanwhile. */
enum ark_rc mm_ledger_each(struct db_conn *conn, mm_ledger_fn *each, void *ctx, struct ark_err *err);

/* The line of the file form that is an entry, with its newline. */
void mm_ledger_line(struct ark_buf *out, const struct mm_ledger_entry *entry);
/*
 * Every entry of a file. FAIL: MISSING (no such file), INPUT (a line that is no JSON object, or whose
 * "post_id" or "channel_id" is no id or "purged_at" no time: with the line's number), or what `each` said.
 */
enum ark_rc mm_ledger_file(const char *path, mm_ledger_fn *each, void *ctx, struct ark_err *err);

/*
 * Put entries into the table, which must be there; those that it has stay as they are. Between begin and
 * finish the connection takes no other statement, and both stand in one transaction of the caller's.
 *
 *	struct mm_ledger_put put = { 0 };
 *	rc = mm_ledger_put_begin(&put, conn, err);
 *	rc = mm_ledger_file(path, mm_ledger_put_add, &put, err);
 *	rc = mm_ledger_put_finish(&put, &added, err);
 */
struct mm_ledger_put {
	struct db_conn *conn; /* NULL: not begun, or finished */
	struct ark_buf line;
};
enum ark_rc mm_ledger_put_begin(struct mm_ledger_put *put, struct db_conn *conn, struct ark_err *err);
mm_ledger_fn mm_ledger_put_add; /* ctx: the struct mm_ledger_put */
enum ark_rc mm_ledger_put_finish(struct mm_ledger_put *put, uint64_t *added, struct ark_err *err);
void mm_ledger_put_release(struct mm_ledger_put *put); /* gives up; for ark_auto */

#endif
