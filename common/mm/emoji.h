/*
 * The emoji that Mattermost 11.6 has by itself: their names, and the characters they stand for. Tables
 * only. Custom emoji are rows of the database.
 * Fact  facts of the server as seen, version 11.6; the names and characters are common/mm/emoji-names.txt
 */
#ifndef ARK_MM_EMOJI_H
#define ARK_MM_EMOJI_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

struct mm_emoji_slot {
	const char *name;    /* NULL: free */
	const char *unicode; /* UTF-8; "" when no character stands for it */
	unsigned char len;   /* of name */
};

/* A table written by emoji_table.py; slots is a power of two. NULL: no such name. */
const struct mm_emoji_slot *mm_emoji_find(const struct mm_emoji_slot *table, uint32_t slots,
                                          struct ark_str name);
/* The same in Mattermost's own table. `name` without colons. */
const struct mm_emoji_slot *mm_emoji(struct ark_str name);

#endif
