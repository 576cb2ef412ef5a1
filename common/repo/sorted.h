/*
 * Entries of an index that do not fit into memory: sorted stretches in an unlinked temporary file. Not for
 * other rooms: index.h is what they see.
 *
 * In memory are eight bytes for each 128 entries; a search reads one block of 4 KiB for each stretch.
 */
#ifndef ARK_REPO_SORTED_H
#define ARK_REPO_SORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SORTED_KEPT 16 /* bytes of an id that are kept: nobody finds two such by accident or work */

struct sorted_slot {
	unsigned char id[SORTED_KEPT];
	uint32_t pack;
	uint32_t offset;
	uint32_t length;
	unsigned char codec;
	unsigned char unused[3];
};

struct sorted;

struct sorted *sorted_new(void);
void sorted_free(struct sorted *s); /* NULL is fine */
/* Take `count` slots, which are put in order. False when there is no room on the disk: nothing was taken. */
bool sorted_add(struct sorted *s, struct sorted_slot *slots, size_t count);
/* Make finding cheaper, as far as the disk allows. */
void sorted_settle(struct sorted *s);
uint64_t sorted_count(const struct sorted *s);
/*
 * The entries of this id one after the other; `*at` is 0 for the first, and not to be looked at. `place` is
 * the entry's number, which holds until the next add. False: no more, or the file cannot be read.
 */
bool sorted_find(struct sorted *s, const unsigned char id[SORTED_KEPT], uint64_t *at, struct sorted_slot *out,
                 uint64_t *place);
/* Entry number `place`. */
bool sorted_at(struct sorted *s, uint64_t place, struct sorted_slot *out);

#endif
