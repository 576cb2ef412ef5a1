/* What the phases of a run share. Made in main.c, used by the files that do one phase each. */
#ifndef EXPORT_HISTORY_HISTORY_H
#define EXPORT_HISTORY_HISTORY_H

#include "common/base/map.h"
#include "export/app.h"
#include "export/history/forest.h"
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

struct history {
	struct export_app app; /* first: formats are given this */
	const struct history_config *config;
	struct history_repo *repo;
	struct history_packs *packs;
	struct history_press *press; /* of the main thread */

	/* First run: day files until they are in order. */
	struct history_sort *sort; /* under app.lock */
	/* Later ones. */
	struct history_forest *forest; /* NULL in a first run */
	struct history_counts *counts; /* by channel */
	struct ark_str (*paths)[2];    /* by channel: team, conversation; NONE: nowhere */
	size_t channels;               /* length of both */
	size_t now;                    /* conversations that are there; behind them those that only the state knows */
	int64_t newest_ms;             /* the greatest time of a change */
	uint64_t conversations_changed, people_changed;
	struct ark_pool strings;
	uint64_t commits;
};

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

/* push.c */
enum ark_rc history_push(struct history *h, struct ark_err *err);

/* pager.c: standard output through $PAGER where it is a terminal; wait for it at the end. */
struct history_pager {
	int pid;
};
enum ark_rc history_pager_begin(struct history_pager *p, bool wanted, struct ark_err *err);
void history_pager_end(struct history_pager *p, struct ark_talk *talk);

#endif
