/*
 * Fail points: places where a step is about to change something outside the process, so that a test
 * can let exactly that step go wrong and look at what is left. Not for simulating wrong data.
 *
 *	ARK_FAIL_AT=N[:HOW]   the N-th step (from 1) goes wrong; HOW is kill (default: the process dies
 *	                      there as by kill -9), enospc, eio, eintr or short (writes only: interrupted,
 *	                      a part written)
 *	ARK_FAIL_LOG=FILE     each step is appended to FILE as "N what": how many there are, and which
 *
 * Without these variables a call costs one load. The counter is one for the process, because the
 * steps of a run are counted across rooms.
 */
#ifndef ARK_BASE_FAIL_H
#define ARK_BASE_FAIL_H

#include <stddef.h>

/*
 * Right before the step. `what` names it in the log, up to its first line break.
 * Returns 0: do it; ENOSPC or EIO: do not, and fail as if the system had said that.
 */
int ark_fail_step(const char *what);

/* The same before write(fd, ..., *len) in a loop: may return EINTR too, or make *len smaller. */
int ark_fail_write(const char *what, size_t *len);

#endif
