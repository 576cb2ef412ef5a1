/* The list beside this file is data: a newer server's names are one command away. */
#include "common/mm/emoji.h"

#include "common/base/banned.h"

#include "common/mm/emoji_table.inc"

const struct mm_emoji_slot *mm_emoji_find(const struct mm_emoji_slot *table, uint32_t slots,
                                          struct ark_str name)
{
	if (name.len == 0 || name.len > 100)
		return NULL;
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
	for (uint32_t at = h & (slots - 1);; at = (at + 1) & (slots - 1)) {
		const struct mm_emoji_slot *slot = &table[at];
		if (slot->name == NULL)
			return NULL;
		if (slot->len == name.len && memcmp(slot->name, name.ptr, name.len) == 0)
			return slot;
	}
}

const struct mm_emoji_slot *mm_emoji(struct ark_str name)
{
	return mm_emoji_find(MM_EMOJI, MM_EMOJI_SLOTS, name);
}
