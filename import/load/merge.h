/*
 * Staged rows into the tables of a database that is in use: set-based, relative where counters are
 * concerned, and nothing at all where nothing is new. Whatever is done to rows that were there is noted
 * (load/change.h).
 */
#ifndef IMPORT_LOAD_MERGE_H
#define IMPORT_LOAD_MERGE_H

#include "import/load/run.h"
#include "import/load/sink.h"

/* Small tables: accounts, team, channels, members, preferences. Only rows that are not there yet. */
enum ark_rc merge_people_and_channels(struct load *l, struct db_conn *conn, const struct sink *s,
                                      struct load_outcome *out, struct ark_err *err);
/* Posts, reactions and threads of a workspace that was imported before: all that is new. What is to be done behind
 * the commit is written down (load/behind.h). */
enum ark_rc merge_messages(struct load *l, struct db_conn *conn, const struct sink *s,
                           struct load_outcome *out, struct ark_err *err);
/* People who are new in a channel that was there have read all of it. */
enum ark_rc merge_read_state(struct db_conn *conn, struct load_outcome *out, struct ark_err *err);
/*
 * The last before the commit: what people see of rows that were there. What follows Slack (load/follow.h), and
 *
 * messages  merge_messages was there before
 * dry       taken back at once: only `out` is filled
 */
enum ark_rc merge_shared(struct load *l, struct db_conn *conn, const struct sink *s, bool messages, bool dry,
                         struct load_outcome *out, struct ark_err *err);
/* Give strangers the names that turned up late, in the posts that mention them (loaded or staged,
 * wherever the sink put them) and in what is kept about these. Before indexes are built. */
enum ark_rc merge_renames(struct load *l, struct db_conn *conn, struct sink *s, struct ark_err *err);

/* For the files of this module: INSERT INTO target (columns) SELECT columns FROM stage s <rest>,
 * appended to `sql`; and a temporary table that goes with the transaction. */
void merge_insert_sql(const struct sink *s, enum sink_table table, const char *target, const char *rest,
                      struct ark_buf *sql);
enum ark_rc merge_make(struct db_conn *conn, const char *table, const char *as, struct ark_err *err);

#endif
