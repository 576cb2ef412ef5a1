/* Threads as the server counts them. Fact: docs/mattermost-facts.md "Threads" */
#ifndef ARK_MM_THREAD_H
#define ARK_MM_THREAD_H

#include "common/db/conn.h"

/*
 * Count anew, from the posts, the rows of `threads` whose root stands in `ids`: a relation with a column
 * `id`, in which one may stand twice. A thread without replies left keeps its row, as with the server.
 */
enum ark_rc mm_threads_recount(struct db_conn *conn, const char *ids, struct ark_err *err);

#endif
