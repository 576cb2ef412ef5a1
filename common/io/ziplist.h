/*
 * The list of a large zip, handed to the library a part at a time: libarchive keeps 160 bytes for each
 * entry, a workspace of many years has a million day files. For the library the archive ends behind the
 * part: there stands an end record of our making that names nothing else. Only for archive.c.
 *
 * Fact  PKWARE APPNOTE 6.3.10, 4.3.12 (headers of the list), 4.3.14 to 4.3.16 (end records)
 */
#ifndef ARK_IO_ZIPLIST_H
#define ARK_IO_ZIPLIST_H

#include <stdbool.h>
#include <stdint.h>

#define ZIPLIST_TAIL 98 /* end record and locator of zip64, end record */

struct ziplist {
	int fd;
	uint64_t at, end;           /* what of the list was not in a part yet */
	uint64_t part_at, part_end; /* the part */
	unsigned char tail[ZIPLIST_TAIL]; /* what stands behind it */
};

/* Does the file hold a list that is worth being cut: longer than a part, where its end record says it
 * is? Everything else, damage too, is left to the library. */
bool ziplist_find(int fd, int64_t size_bytes, struct ziplist *out);

/* The next part, of up to LIMIT_ZIP_PART entries; false when there is none. */
bool ziplist_next(struct ziplist *z);

#endif
