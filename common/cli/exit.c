#include "common/cli/exit.h"

#include "common/base/banned.h"

static const struct ark_exit_row TABLE[] = {
	{ ARK_EXIT_DONE, "done; things left out by a rule or an option do not change this" },
	{ ARK_EXIT_FAILED, "failed; standard error says why" },
	{ ARK_EXIT_USAGE, "the command line or the configuration is wrong; nothing was touched" },
	{ ARK_EXIT_LOSSES, "done, but something was lost or is missing; the report says what" },
	{ ARK_EXIT_REFUSED,
	  "refused: wrong version, wrong target or a precondition that does not hold" },
	{ ARK_EXIT_LOCKED, "somebody else holds the lock; try again later" },
	{ ARK_EXIT_INTERRUPTED,
	  "interrupted by SIGINT or SIGTERM; the next run needs no cleaning up" },
};

const struct ark_exit_row *ark_exit_table(size_t *count)
{
	*count = sizeof(TABLE) / sizeof(TABLE[0]);
	return TABLE;
}

enum ark_exit ark_exit_of(enum ark_kind kind)
{
	switch (kind) {
	case ARK_KIND_USAGE: return ARK_EXIT_USAGE;
	case ARK_KIND_REFUSED: return ARK_EXIT_REFUSED;
	case ARK_KIND_LOCKED: return ARK_EXIT_LOCKED;
	case ARK_KIND_SIGNAL: return ARK_EXIT_INTERRUPTED;
	case ARK_KIND_NONE:
	case ARK_KIND_INPUT:
	case ARK_KIND_LIMIT:
	case ARK_KIND_MISSING:
	case ARK_KIND_IO:
	case ARK_KIND_DB:
	case ARK_KIND_MEMORY: break;
	}
	return ARK_EXIT_FAILED;
}
