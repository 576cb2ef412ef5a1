/*
 * Exit codes of every tool, in one table: the tools return them, the man pages print them.
 * Not for `matter-backup check`, which answers as Nagios plugins do.
 */
#ifndef ARK_CLI_EXIT_H
#define ARK_CLI_EXIT_H

#include <stddef.h>

#include "common/base/err.h"

enum ark_exit {
	ARK_EXIT_DONE = 0,
	ARK_EXIT_FAILED = 1,
	ARK_EXIT_USAGE = 2,
	ARK_EXIT_LOSSES = 3,
	ARK_EXIT_REFUSED = 4,
	ARK_EXIT_LOCKED = 5,
	ARK_EXIT_INTERRUPTED = 130,
};

struct ark_exit_row {
	enum ark_exit code;
	const char *meaning; /* one sentence for manuals, lower case, no full stop */
};

/* The table in ascending order; `count` rows. */
const struct ark_exit_row *ark_exit_table(size_t *count);

/* The exit code of a command that ended with an error of this kind; NONE and everything without a
 * code of its own is ARK_EXIT_FAILED. */
enum ark_exit ark_exit_of(enum ark_kind kind);

#endif
