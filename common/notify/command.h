/* A command of the user's that is told about a run: exec:COMMAND. */
#ifndef ARK_NOTIFY_COMMAND_H
#define ARK_NOTIFY_COMMAND_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

/*
 * `sh -c command`, in a process group of its own, with `input` as its standard input, `variables`
 * (NAME=VALUE, each ended by a NUL) beside ours, standard output thrown away and standard error ours.
 * MATTERARK_NOTIFY is taken out of its environment: tools that it calls would tell about themselves.
 *
 * end_ms   on ark_time_tick_ms; then the whole group is ended, first politely
 * Returns  FAIL with kind IO when it cannot run, ends with another code than 0, or takes too long
 */
enum ark_rc notify_command_run(const char *command, struct ark_str input, struct ark_str variables,
                               int64_t end_ms, struct ark_err *err);

#endif
