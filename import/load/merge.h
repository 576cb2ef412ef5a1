/*
 * Staged rows into the tables of a database that is in use: set-based, relative where counters are
 * concerned, and nothing at all where nothing is new.
 */
#ifndef IMPORT_LOAD_MERGE_H
#define IMPORT_LOAD_MERGE_H

#include "import/load/run.h"
#include "import/load/sink.h"

/* Small tables: accounts, team, channels, members, preferences. Only rows that are not there yet. */
enum ark_rc merge_people_and_channels(struct load *l, struct db_conn *conn, const struct sink *s,
                                      struct load_outcome *out, struct ark_err *err);
/* Posts, reactions and threads of a workspace that was imported before. */
enum ark_rc merge_messages(struct load *l, struct db_conn *conn, const struct sink *s,
                           struct load_outcome *out, struct ark_err *err);
/* People who are new in a channel that was there have read all of it: last of all. */
enum ark_rc merge_read_state(struct db_conn *conn, struct load_outcome *out, struct ark_err *err);
/* Give strangers the names that turned up late, in the posts that mention them (loaded or staged,
 * wherever the sink put them) and in what is kept about these. Before indexes are built. */
enum ark_rc merge_renames(struct load *l, struct db_conn *conn, struct sink *s, struct ark_err *err);

#endif
