/*
 * Deleting posts for good, with everything that hangs on them. The statements only: which posts, in what
 * portions, under whose eyes is the caller's business, and so are the transactions. Bodies of files are
 * named here, not touched.
 *
 * What the server itself forgets at a permanent deletion goes too: replies, earlier texts, rows of files,
 * reactions, threads and who follows them, priority, acknowledgements, reminders, notifications, saved
 * messages, drafts and scheduled replies, property values, translations; and what matterark remembers of
 * an imported post's files. A file that a live bookmark shows keeps its row. Rows of matterark.slack_post
 * stay, so that an import does not bring the post back. Not covered: tables of plugins, search engines
 * outside the database, recaps, jobs and audits, materialised views (the server refreshes them).
 *
 * Fact  docs/mattermost-facts.md "What hangs on a post"
 */
#ifndef ARK_MM_PURGE_H
#define ARK_MM_PURGE_H

#include "common/mm/detect.h"

struct mm_purge {
	struct db_conn *conn;
	const struct mm_db_info *info; /* of conn's database */
	const char *ids;               /* relation with a column `id varchar(26)` that has a unique key; changed by
	                                * mm_purge_expand */
	const char *plan;              /* for the ledger; "" for none */
	int64_t now_ms;                /* time of the purge */
};

struct mm_purge_counts {
	uint64_t posts;      /* rows of posts, earlier texts not counted */
	uint64_t earlier;    /* earlier texts */
	uint64_t reactions;
	uint64_t files;      /* rows of fileinfo */
	uint64_t file_bytes; /* what these say of their sizes */
	uint64_t files_kept; /* rows that stay because a bookmark shows the file */
	uint64_t hanging;    /* rows of all other tables */
};

/*
 * Ledger (ledger.h) and work queue, nothing where they are already.
 *
 *	matterark.purge_work   kind 'thread' (root that lost a live reply), 'channel' (that lost posts; `at`: the
 *	                       newest time in one), 'object' (path in the file store whose row went)
 */
enum ark_rc mm_purge_create(struct db_conn *conn, struct ark_err *err);

/* Add to p->ids the replies and earlier texts of what is in it. Repeated until nothing is added: again is
 * harmless. `added` may be NULL. */
enum ark_rc mm_purge_expand(const struct mm_purge *p, uint64_t *added, struct ark_err *err);

/*
 * Delete the posts of p->ids, which must be complete (mm_purge_expand), and what hangs on them; write the
 * ledger and the work queue. In a transaction of the caller's, who has locked the posts where others
 * write. ids without a post are no error: what hangs on them goes too. Adds to `counts`.
 */
enum ark_rc mm_purge_rows(const struct mm_purge *p, struct mm_purge_counts *counts, struct ark_err *err);

/*
 * Work of the queue, `limit` pieces of it at a time; ARK_END when there was none. In a transaction of the
 * caller's, since rows of threads, channels and roots stay locked until its end.
 *
 * _threads   counts anew, and raises the root's updateat, so that clients look again
 * _channels  lastpostat and lastrootpostat, where they came from what went. Totals stay: members' counts are
 *            relative to them
 */
enum ark_rc mm_purge_threads(const struct mm_purge *p, unsigned limit, struct ark_err *err);
enum ark_rc mm_purge_channels(const struct mm_purge *p, unsigned limit, struct ark_err *err);

/*
 * All at once, for a database in which nobody else writes: every post of its ledger, and the queue but
 * for objects, which are dropped from it: their bodies are the caller's. One transaction, the caller's.
 * Where there is no ledger, nothing is done.
 */
enum ark_rc mm_purge_again(struct db_conn *conn, const struct mm_db_info *info, int64_t now_ms,
                           struct mm_purge_counts *counts, struct ark_err *err);

/* Tables of the server's schema, unknown here, with a column `postid`: their rows stay. One name a row. */
enum ark_rc mm_purge_unknown(struct db_conn *conn, struct db_result **out, struct ark_err *err);

#endif
