/*
 * The day files of a first run, sorted by day although they are made conversation by conversation: in runs
 * of a fixed size in a temporary file, merged while they are read.
 */
#ifndef EXPORT_HISTORY_SORT_H
#define EXPORT_HISTORY_SORT_H

#include "export/history/pack.h"

struct history_file {
	uint32_t day;     /* since 1970 */
	uint32_t channel; /* index */
	struct history_oid id;
	uint32_t posts;
	int64_t last_ms;  /* of its newest post */
};

struct history_sort;
struct history_sort *history_sort_new(void);
void history_sort_free(struct history_sort *s); /* NULL is fine */
enum ark_rc history_sort_add(struct history_sort *s, const struct history_file *file, struct ark_err *err);
/* By (day, channel), after the last add; ARK_END. */
enum ark_rc history_sort_next(struct history_sort *s, struct history_file *out, struct ark_err *err);
uint64_t history_sort_count(const struct history_sort *s);

#endif
