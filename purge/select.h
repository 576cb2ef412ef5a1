/*
 * Which messages go: one statement over the whole database, read row by row. The rules are in
 * docs/purge.md. Not for the file that holds the answer: planfile.h.
 */
#ifndef PURGE_SELECT_H
#define PURGE_SELECT_H

#include "purge/planfile.h"
#include "purge/scope.h"

struct purge_picked {
	struct ark_str channel_id; /* borrowed during the call, as the row's id is */
	struct ark_str unit;       /* the same for all that go together; such rows come one after the other */
	struct plan_row row;
	bool of_others;            /* not what --channel and --user asked for: it hangs on what they did */
};
typedef enum ark_rc purge_pick_fn(void *ctx, const struct purge_picked *p, struct ark_err *err);

/* Messages that the times were true of and that stay: for what their thread holds. */
struct purge_left {
	uint64_t held;
	uint64_t pinned;
	uint64_t in_use; /* something in the thread is younger, or a deleted root has replies that are not */
};

/* The connection takes no other statement meanwhile. Order: channel, time, unit; the root of a thread, or the
 * message itself, before what hangs on it. */
enum ark_rc purge_select(struct db_conn *conn, const struct purge_scope *scope, purge_pick_fn *pick, void *ctx,
                         struct purge_left *left, struct ark_err *err);

#endif
