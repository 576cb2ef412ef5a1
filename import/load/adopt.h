/*
 * Data that another importer brought in before (mmetl and mmctl import): taken over instead of doubled.
 * Accounts by user name where the address does not tell, channels by name, posts by channel, author, time
 * and text. An adopted post keeps its id; matterark.slack_adopted says which message it is, and from then
 * on it is compared and updated like one of ours. Undo does not delete it.
 */
#ifndef IMPORT_LOAD_ADOPT_H
#define IMPORT_LOAD_ADOPT_H

#include "import/load/run.h"

/* Before accounts_assign: who has no account yet gets that of the same name. Administrators' never. */
enum ark_rc adopt_accounts(struct load *l, struct db_conn *conn, struct ark_err *err);
/* Before targets_make: channels of the team with the name of a conversation. */
enum ark_rc adopt_channels(struct load *l, struct db_conn *conn, struct ark_err *err);
/* Is anything adopted in this database? */
enum ark_rc adopt_any(struct db_conn *conn, bool *out, struct ark_err *err);
/* Staged rows get the ids that adopted posts have, and their authors where those are bots of the other importer. */
enum ark_rc adopt_translate(const struct load *l, struct db_conn *conn, struct ark_err *err);
/* Staged messages that nobody brought yet find their posts; then adopt_translate. */
enum ark_rc adopt_posts(const struct load *l, struct db_conn *conn, struct load_outcome *out,
                        struct ark_err *err);

#endif
