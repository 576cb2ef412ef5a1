/*
 * Figures of runs for the textfile collector of Prometheus's node exporter. One file may serve several
 * tools and commands: a run replaces what stands there about its own command and keeps the rest.
 */
#ifndef ARK_NOTIFY_METRICS_H
#define ARK_NOTIFY_METRICS_H

#include "common/notify/render.h"

/*
 * The new text of the file. What a run that failed does not know anew (when the last good one was, and
 * its counts) stays as `old` says, so that no series ever ends.
 * old   what the file holds now, of any making; NONE when there is none
 */
void notify_metrics_render(struct ark_str old, const struct notify_run *run, const struct notify_moment *at,
                           struct ark_buf *out);

/* The file, in place of what is there, as a whole or not at all; readable for the collector's user. */
enum ark_rc notify_metrics_write(const char *path, const struct notify_run *run,
                                 const struct notify_moment *at, struct ark_err *err);

#endif
