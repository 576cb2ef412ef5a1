/*
 * Where two file stores lie to one another: the same, one inside the other, or apart; whatever links,
 * mounts, endpoints and prefixes they are named by. Not for what is in them.
 */
#ifndef BACKUP_RESTORE_PLACE_H
#define BACKUP_RESTORE_PLACE_H

#include "common/base/buf.h"

enum place_relation {
	PLACE_APART,
	PLACE_SAME,
	PLACE_INSIDE, /* the first inside the second */
	PLACE_AROUND, /* the second inside the first */
};

/* A folder with its links resolved, also where its last parts are not there yet; absolute. */
void place_resolve(const char *folder, struct ark_buf *out);
/* Both resolved; folders that are there are compared by what they are, not by name alone. */
enum place_relation place_folders(const char *a, const char *b);
/* Both as s3://ENDPOINT/BUCKET/PREFIX. Endpoints with an address in common are the same. */
enum place_relation place_buckets(const char *a, const char *b);
/* Both of either kind. */
enum place_relation place_compare(const char *a, const char *b);

#endif
