/* What the phases of a run share. Made in main.c, used by the files that do one phase each. */
#ifndef EXPORT_HISTORY_HISTORY_H
#define EXPORT_HISTORY_HISTORY_H

#include "common/base/map.h"
#include "export/app.h"
#include "export/history/alike.h"
#include "export/history/digest.h"
#include "export/history/forest.h"
#include "export/history/old.h"
#include "export/history/options.h"
#include "export/history/repo.h"
#include "export/history/sort.h"

struct history_counts {
	uint64_t added, edited, deleted, changed, purged, left;
};
void history_counts_add(struct history_counts *to, const struct history_counts *more);
bool history_counts_any(const struct history_counts *c);
/* "+3 posts, 1 edited"; without the word "posts" when `lone` is false. */
void history_counts_text(const struct history_counts *c, bool head, struct ark_buf *to);

/* Days [from, to) of a conversation, with about so many posts, that may be other than the history has them. */
struct history_range {
	uint32_t channel; /* index in app.sel.channels */
	uint32_t from_day, to_day;
	uint64_t posts;
};

struct history {
	struct export_app app; /* first: formats are given this */
	const struct history_config *config;
	struct history_start start;
	struct history_repo *repo;
	struct history_packs *packs;
	struct history_press *press; /* of the main thread */

	struct ark_buf scope_text; /* what is in the history, as HISTORY_SCOPE says it */

	/* First run: day files until they are in order. */
	struct history_sort *sort; /* under app.lock */
	/* Later ones. */
	struct history_forest *forest; /* NULL in a first run */
	struct history_counts *counts; /* by channel */
	struct ark_str (*paths)[2];    /* by channel: team, conversation; NONE: nowhere */
	size_t channels;               /* length of both */
	size_t now;                    /* conversations that are there; behind them those that only the history knows */
	struct history_range *ranges;  /* by (id of the conversation, day) */
	size_t ranges_count, ranges_cap;
	bool all;                      /* there is no state: every day is looked at */
	int64_t newest_ms;             /* the greatest time of a change */
	uint64_t conversations_changed, people_changed;
	struct ark_pool strings;
	uint64_t commits;
};

/* In our folder, and at the top of the history for those who clone it. */
#define HISTORY_SCOPE "scope.json"

/* "2024", "05", "01.jsonl" behind team and conversation; `names` holds them. */
#define HISTORY_NAMES 48
void history_day_path(enum history_form form, const struct ark_str where[2], uint32_t day, char names[HISTORY_NAMES],
                      struct history_path *out);
uint32_t history_day_of(int64_t ms);

extern const struct export_format HISTORY_DAYS; /* days.c */

/* The commands; each returns an exit code or a negative ark_rc with err set. */
int history_command_update(struct history *h, struct ark_err *err);
int history_command_show(struct history *h, struct ark_err *err);
int history_command_log(struct history *h, struct ark_err *err);
int history_command_rebuild(struct history *h, struct ark_err *err);

/* survey.c: how many messages there are where, and which days may differ; the new state is written. */
enum ark_rc history_survey(struct history *h, bool fresh, struct ark_err *err);
void history_add_all_days(struct history *h, uint32_t channel);
/* The index of a conversation that is not there any more; made when there is none. */
uint32_t history_lost_channel(struct history *h, struct ark_str id);

/* merge.c: the days of h->ranges as they are now. */
enum ark_rc history_merge(struct history *h, struct ark_err *err);

/* first.c, later.c: from the selection to a commit in the packs. Both set *head; ARK_END: nothing changed. */
enum ark_rc history_first(struct history *h, struct history_oid *head, struct ark_err *err);
enum ark_rc history_later(struct history *h, const struct history_oid *parent, struct history_oid *head,
                          struct ark_err *err);
enum ark_rc history_write_commit(struct history *h, const struct history_oid *tree, const struct history_oid *parent,
                                 int64_t when_ms, struct ark_str message, struct history_oid *out,
                                 struct ark_err *err);
enum ark_rc history_write_channel(struct history *h, size_t channel, struct history_oid *out, struct ark_err *err);
/* A history_load_fn over h->repo. */
enum ark_rc history_load(void *history, const struct history_oid *id, struct ark_buf *out, struct ark_err *err);

/* push.c: before anything is done, whether that can be pushed to; and the push. */
enum ark_rc history_push_check(const struct history *h, struct ark_err *err);
enum ark_rc history_push(struct history *h, struct ark_err *err);

/* pager.c: standard output through $PAGER where it is a terminal; wait for it at the end. */
struct history_pager {
	int pid;
};
enum ark_rc history_pager_begin(struct history_pager *p, bool wanted, struct ark_err *err);
void history_pager_end(struct history_pager *p, struct ark_talk *talk);

#endif
