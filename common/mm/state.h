/*
 * What matterark keeps for itself beside Mattermost's tables: schema `matterark`. Which run brought
 * which Slack thing, under which id, and what it looked like when it was written.
 *
 *	run             one row per import
 *	slack_user      Slack id (or "B…|name" of a bot) to account
 *	slack_channel   Slack conversation to channel
 *	slack_post      one row per post: digest of the Slack source, digest of the row as we wrote it
 *	slack_reaction  the reactions that an import brought
 *	slack_file      one row per file of a post: what Slack says of it, what became of its body. `state`
 *	                is wanted (not looked for, or not found yet), gone (Slack has no body), missing
 *	                (looked for, and why not) or stored (in the file store at `path`); `attached`: its
 *	                row in fileinfo was written. `link` never holds a token; `place` counts the files of the
 *	                message, over all of its posts
 *	slack_adopted   posts that were there under another id: the id a message would have, and its post
 *	change          what a run did to rows besides its posts and what hangs on them, in order:
 *	                before and after NULL: the row was made; both: these columns were changed;
 *	                only before: the row, deleted. `key` is the row's primary key
 *
 *	pending         what a run has left to do behind its commit: `kind` thread (the root `id` got replies:
 *	                its row in threads, who follows it, updateat), post (updateat), channel (counters and
 *	                its members' read state). `at` is what updateat becomes; `what` the rows of followers,
 *	                or by how much a channel grew. In the same way rows of `change` whose run is undone are
 *	                what is left to take back
 *
 * slack_post.ordinal is MM_ORDINAL_PLACEHOLDER where the post stands for a root that no archive had
 * yet. slack_channel.archived is channels.deleteat as an import wrote it.
 */
#ifndef ARK_MM_STATE_H
#define ARK_MM_STATE_H

#include "common/base/err.h"
#include "common/db/conn.h"

/* Schema and bare tables, nothing where they are already. */
enum ark_rc mm_state_create(struct db_conn *conn, struct ark_err *err);
/* Primary keys, nothing where they are already. */
enum ark_rc mm_state_keys(struct db_conn *conn, struct ark_err *err);
/* What earlier versions of us did not make yet: into a schema that is there. */
enum ark_rc mm_state_upgrade(struct db_conn *conn, struct ark_err *err);
/* Is the table `pending` there? An earlier version may have made the schema. */
enum ark_rc mm_state_has_pending(struct db_conn *conn, bool *out, struct ark_err *err);
/* Statements of mm_state_keys one by one, for building side by side. */
size_t mm_state_key_count(void);
const char *mm_state_key_sql(size_t n);
/* Is the schema there? */
enum ark_rc mm_state_exists(struct db_conn *conn, bool *out, struct ark_err *err);

#define MM_ORDINAL_PLACEHOLDER (-1)

/* SQL expression over rows `r` of matterark.run: how many things are left to do, or to take back. */
#define MM_STATE_LEFT_SQL                                                                        \
	"(SELECT count(*) FROM matterark.pending p WHERE p.run = r.run_no) + CASE WHEN r.undone IS NULL THEN " \
	"0 ELSE (SELECT count(*) FROM matterark.change c WHERE c.run = r.run_no) END"

/* SQL expression over a row `p` of posts: the digest that slack_post.written holds. */
#define MM_POST_WRITTEN_SQL                                                                      \
	"encode(substring(sha256(convert_to(p.message || E'\\x1f' || p.type || E'\\x1f' || "      \
	"p.editat::text || E'\\x1f' || CASE WHEN p.ispinned THEN 't' ELSE 'f' END, 'UTF8')) "     \
	"from 1 for 16), 'hex')::uuid"

#endif
