/*
 * Behind the commit of a run: rows that people write to all the time (threads that got replies, updateat
 * of their roots, counters of channels, read state of members) in portions, each a short transaction of
 * its own, so that nobody waits long for any of them. What is left to do is written down by the run's own
 * transaction (matterark.pending; for an undone run its rows in matterark.change) and taken away by the
 * portion that does it: who finds some does it first, whoever died before.
 *
 * What people see meanwhile: messages are all there, or gone. A thread that got replies shows them with its
 * next count, a channel is as read or unread as before all the time, since its total and its members' change
 * together.
 */
#ifndef IMPORT_LOAD_BEHIND_H
#define IMPORT_LOAD_BEHIND_H

#include "import/load/change.h"
#include "import/load/restore.h"
#include "import/load/run.h"

/* In the run's transaction, when its posts are in (ark_new, ark_root, ark_grown) and rows of followers are
 * staged: what is to be done for threads and channels that were there. */
enum ark_rc behind_note(const struct load *l, struct db_conn *conn, struct ark_err *err);
/* These posts get the run's time as updateat: `which` selects their ids. */
enum ark_rc behind_note_posts(const struct load *l, struct db_conn *conn, const char *which, struct ark_err *err);

/* SQL over a row `c` of matterark.change: it is taken back in portions, behind the commit of undo. */
#define BEHIND_TAKEN_BACK_SQL                                                                       \
	"(c.tbl IN ('threads', 'threadmemberships') OR (c.tbl = 'posts' AND c.after IS NOT NULL AND "     \
	"c.before - 'updateat' = '{}') OR (c.tbl = 'channelmembers' AND cardinality(c.key) = 1) OR "       \
	"(c.tbl = 'channels' AND c.after IS NOT NULL AND c.before ? 'totalmsgcount'))"

struct behind_outcome {
	uint64_t portions;
	uint64_t rows;       /* of Mattermost's that were written */
	int64_t longest_ms;  /* portion, from its first lock to its commit */
};

/*
 * Do what is left of all runs, in the order in which they were.
 *
 * dry   inside the caller's transaction, each portion taken back at once: what would be written
 * back  told of each table that something was taken back in; may be NULL
 * An error leaves the rest to whoever calls this next.
 */
enum ark_rc behind_finish(struct db_conn *conn, bool dry, void (*back)(void *ctx, const char *table,
                          const struct restore_count *n), void *ctx, struct behind_outcome *out,
                          struct ark_err *err);

/*
 * Begin a transaction that has the right to write to the database (load/claim.h), and in which nothing is left of
 * earlier runs.
 *
 * dry       nothing is finished: the transaction will be rolled back
 * finished  something was left, and is done now
 */
enum ark_rc behind_claim(struct db_conn *conn, bool dry, struct db_txn *txn, bool *finished, struct ark_err *err);

#endif
