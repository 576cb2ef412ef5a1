/* One notice to one receiver. */
#ifndef ARK_NOTIFY_SEND_H
#define ARK_NOTIFY_SEND_H

#include "common/notify/address.h"
#include "common/notify/render.h"

/* Does this receiver want to know that a run begins? */
bool notify_wants_begin(enum notify_kind kind);

/*
 * end_ms   on ark_time_tick_ms: then it is given up
 * Returns  FAIL with a text that names the receiver as people may see it
 */
enum ark_rc notify_send(const struct notify_address *a, const struct notify_run *run,
                        const struct notify_moment *at, int64_t end_ms, struct ark_err *err);

#endif
