/*
 * Rows of a plan that are looked for somewhere else: a portion of them in memory, 26 bytes and two numbers each.
 * Told of everything that is there, it knows what was not.
 */
#ifndef PURGE_KEPTSET_H
#define PURGE_KEPTSET_H

#include "common/base/limits.h"
#include "purge/planfile.h"

struct kept_row {
	char id[MM_ID_LEN];
	bool seen;
	int64_t edit_ms;
};

#define KEPT_MAX 500000 /* rows in memory, 20 MB; a longer plan is compared in several passes */

struct kept_set {
	struct kept_row *rows;
	size_t count;
};

void kept_release(struct kept_set *s); /* also for ark_auto */
void kept_clear(struct kept_set *s);
/* False when it is full. */
bool kept_add(struct kept_set *s, const struct plan_row *row);
/* Before the first kept_see, after the last kept_add. */
void kept_sort(struct kept_set *s);
/* This row is there, and reads as after the edit at that time (0: never edited; KEPT_ANY: it never changes). */
#define KEPT_ANY (-1)
void kept_see(struct kept_set *s, struct ark_str id, int64_t edit_ms);
/* The first row that was not seen, or NULL; `count` is how many. */
const struct kept_row *kept_unseen(const struct kept_set *s, uint64_t *count);

#endif
