/*
 * Where rows are cut into segments: behind a row whose key's hash says so, about every 32nd. The hash
 * looks at the key alone, so the cuts stay where they are when anything else of a row changes.
 */
#ifndef BACKUP_ROWS_SEGMENT_H
#define BACKUP_ROWS_SEGMENT_H

#include <stdbool.h>

#include "common/base/str.h"

#define SEGMENT_ROWS 32            /* in the mean */
#define SEGMENT_BYTES (256u << 10) /* a segment ends behind the row that passes this */
#define SEGMENT_KEY_MAX 8

/* Which fields of a line of COPY text are the key; none: the whole line is. */
struct segment_key {
	size_t fields[SEGMENT_KEY_MAX]; /* from 0, ascending */
	size_t count;
};

/* line  one row of COPY text, with or without its line end */
bool segment_ends(const struct segment_key *key, struct ark_str line);

#endif
