/*
 * A part of a snapshot: teams, channels, what was written since some time, with the people, memberships and
 * files that belong to it, and nothing else of anybody. Rows are left out on their way into the database, what
 * hangs on them afterwards. Not for targets: a part is always a new test installation.
 *
 * Fact  docs/mattermost-facts.md "What hangs on a post"; tables that are not named here stay empty
 */
#ifndef BACKUP_RESTORE_PART_H
#define BACKUP_RESTORE_PART_H

#include "backup/restore/load.h"
#include "common/base/map.h"
#include "common/cli/option.h"

struct part_options {
	struct ark_list teams;    /* by name or id */
	struct ark_list channels; /* NAME, TEAM/NAME or id */
	struct ark_when since;
};

struct part {
	const struct part_options *opt;
	bool all_channels;
	struct ark_map teams;     /* ids; empty and all_channels: all */
	struct ark_map channels;
	struct ark_map squares;   /* town squares of these teams, without their messages */
	struct ark_map roots;     /* older messages that kept replies hang on */
	bool *found;              /* teams, then channels of `opt`: is there */
	struct part_column *columns; /* where in a row what is asked for stands; one for each part of the contents */
	const struct repo_contents *contents;
};

static inline bool part_wanted(const struct part_options *o)
{
	return o->teams.count > 0 || o->channels.count > 0 || o->since.has;
}

/* Find teams and channels in the snapshot. FAIL: MISSING, USAGE (a name that several teams have). */
enum ark_rc part_open(struct part *p, const struct part_options *opt, struct repo *r, const struct repo_contents *c,
                      struct ark_err *err);
void part_release(struct part *p); /* also for ark_auto */
/* A load_keep_fn; ctx is the struct part. Threads may ask side by side. */
bool part_keeps(void *ctx, const struct repo_part *table, struct ark_str line);
/* In the loaded database: what belongs to messages and people that are not in it goes; threads are counted. */
enum ark_rc part_finish(const struct part *p, struct db_conn *conn, struct ark_err *err);
/* COPY of the sorted paths of files that belong to it. */
extern const char PART_FILES_SQL[];

#endif
