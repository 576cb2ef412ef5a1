/*
 * Signals, for the main program of a tool. The first SIGINT or SIGTERM only sets a flag, which each
 * long loop asks (ark_interrupted) and then gives up in good order; a second ends the process at
 * once. SIGPIPE is ignored, so a reader that went away is an error of write(). SIGUSR1 asks for the
 * progress line. Handlers restart system calls; poll, select and sleeps return EINTR all the same.
 *
 * The flags are the one piece of process-wide state in the suite: a signal handler has no argument.
 */
#ifndef ARK_CLI_SIGNAL_H
#define ARK_CLI_SIGNAL_H

#include <stdbool.h>

#include "common/base/err.h"

/* Install the handlers, once, before threads are started. SIGINT and SIGTERM that were ignored at
 * the start (nohup, a job in the background) stay ignored. */
void ark_signal_install(void);

/* True from the first SIGINT or SIGTERM on. Costs one relaxed load; any thread may ask. */
bool ark_interrupted(void);

/* FAIL with kind SIGNAL and the text "interrupted" when ark_interrupted, else OK: for loops. */
enum ark_rc ark_interrupt_check(struct ark_err *err);

/* True once per SIGUSR1 that came since the last call; any thread may ask. */
bool ark_signal_progress_wanted(void);

/* Before exec in a child: handlers and the ignored SIGPIPE back to what programs expect. */
void ark_signal_default(void);

#endif
