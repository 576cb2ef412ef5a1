/*
 * What a run exports: the people, the channels in scope in the order of the stream, how many posts
 * they have, and the pieces of work that threads take one after another. Everything comes from the
 * run's snapshot. Reading the posts themselves is read.h.
 */
#ifndef EXPORT_SELECT_H
#define EXPORT_SELECT_H

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/pool.h"
#include "common/cli/option.h"
#include "common/db/conn.h"
#include "common/mm/detect.h"
#include "export/record.h"

#define EXPORT_SHARDS_MAX 10000

/* What was asked for; borrowed from the options. */
struct export_scope {
	struct ark_list teams;    /* names; empty: all */
	struct ark_list channels; /* globs on names; empty: all; direct ones are not touched */
	struct ark_list users;    /* custodians; empty: everybody's */
	struct ark_list match;    /* texts in messages; empty: all messages */
	int64_t context;          /* neighbours of each hit */
	bool direct;              /* direct and group conversations too */
	bool no_deleted;
	bool has_since, has_until;
	int64_t since_ms, until_ms; /* createat >= since, < until */
	unsigned shard, shards;     /* 1 <= shard <= shards; shards 0: not split */
};

/* Rows of posts that a run does not export as records of their own, by reason. */
enum export_left {
	LEFT_SCOPE,   /* --team, --channel, --user, no --direct */
	LEFT_TIME,    /* --since, --until */
	LEFT_DELETED, /* --no-deleted */
	LEFT_MATCH,   /* --match, or outside a custodian's membership */
	LEFT_SHARD,   /* another shard's */
	LEFT_VERSION, /* edit-history copies: the versions of their post */
	LEFT_SAME,    /* --incremental: unchanged since the run before */
	LEFT_NO_TIME, /* no createat, no channel: nowhere to put them */
	LEFT_COUNT,
};
const char *export_left_name(enum export_left left);

/* A time in which a custodian could read a channel; [from_ms, to_ms). */
struct export_stay {
	uint32_t channel; /* index in channels */
	int64_t from_ms, to_ms;
};

/* Consecutive channels, or one channel between two month borders. */
struct export_task {
	uint32_t first, count;
	int64_t from_ms, to_ms; /* INT64_MIN, INT64_MAX: open */
	uint64_t posts;
};

struct export_selection {
	const struct export_scope *scope;
	const struct mm_db_info *info;
	struct ark_pool strings;
	struct export_person *people; /* by id */
	size_t people_count;
	struct ark_map person_at;        /* id -> index in people */
	struct export_channel *channels; /* in stream order */
	size_t channels_count;
	struct ark_map channel_at;       /* id -> index in channels */
	struct export_stay *stays;       /* by channel; only with scope->users */
	size_t stays_count;
	struct export_task *tasks;
	size_t tasks_count;
	uint64_t rows;                   /* of posts, all of them */
	uint64_t planned;                /* records, as far as the counts can tell */
	uint64_t left[LEFT_COUNT];
	bool in_order;                   /* the channels of a task come in stream order, not in any */
	uint32_t unknown_history;        /* channels in scope whose past members are not known */
};

/*
 * sel    `= {0}` before; release with export_selection_release, also after a failure
 * whole  channels are not cut by month (formats that want it)
 * FAIL   USAGE when a named team or user does not exist; DB
 */
enum ark_rc export_select(struct db_conn *conn, const struct mm_db_info *info,
                          const struct export_scope *scope, bool whole,
                          struct export_selection *sel, struct ark_err *err);
/* The same without counting posts and without tasks: those come from a planner of the caller's. */
enum ark_rc export_select_scope(struct db_conn *conn, const struct mm_db_info *info,
                                const struct export_scope *scope, struct export_selection *sel, struct ark_err *err);
void export_selection_release(struct export_selection *sel);

/*
 * Tasks out of counts that somebody else made: posts in scope per channel (by id, in any order, but all of one
 * together) and stretch of time (createat / stretch_ms, ascending in a channel).
 */
struct export_planner;
struct export_planner *export_planner_new(struct export_selection *sel, bool whole, int64_t stretch_ms);
void export_planner_add(struct export_planner *p, struct ark_str id, int64_t stretch, uint64_t posts);
void export_planner_end(struct export_planner *p);
void export_planner_freep(struct export_planner **p); /* for ark_auto */

/* The condition on posts `p` for a task, without WHERE: channels, time, deleted. */
void export_task_where(const struct export_selection *sel, const struct export_task *task,
                       struct ark_buf *sql);

/* For people.c and plan.c. */
enum ark_rc export_select_people(struct db_conn *conn, struct export_selection *sel,
                                 struct ark_err *err);
enum ark_rc export_plan(struct db_conn *conn, bool whole, struct export_selection *sel,
                        struct ark_err *err);
/* "(p.createat >= 1 AND p.createat < 2)", or nothing. */
void export_scope_time(const struct export_scope *scope, const char *before, struct ark_buf *sql);

#endif
