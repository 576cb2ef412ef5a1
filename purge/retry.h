/*
 * A transaction of ours that waited for somebody's lock gives up and is done once more: people come first, and
 * a wait of ours would be one of all that come behind us.
 */
#ifndef PURGE_RETRY_H
#define PURGE_RETRY_H

#include "common/db/conn.h"

/* Session settings that this stands on: short waits, shorter than the server's look for deadlocks, so that it is
 * never somebody else's transaction that is ended for ours. */
enum ark_rc purge_retry_prepare(struct db_conn *conn, struct ark_err *err);

/* One whole transaction; leaves nothing behind when it fails. */
typedef enum ark_rc purge_step_fn(void *ctx, struct ark_err *err);

/* What `step` says; FAIL with kind LOCKED when locks are in the way for a minute. */
enum ark_rc purge_retry(struct db_conn *conn, bool (*interrupted)(void), purge_step_fn *step, void *ctx,
                        struct ark_err *err);

#endif
