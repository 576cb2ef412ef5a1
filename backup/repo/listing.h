/*
 * Building the list of a table or of files: items in order, cut into nodes where the name of an item says
 * so, nodes into nodes above them. Equal runs of items give equal nodes, so that a list costs what
 * changed. Reading them: common/repo/walk.h.
 */
#ifndef BACKUP_REPO_LISTING_H
#define BACKUP_REPO_LISTING_H

#include "backup/repo/pack.h"
#include "common/repo/walk.h"

struct listing;

/* tools: of the thread that builds; borrowed. */
struct listing *listing_new(struct pack_tools *tools);
void listing_free(struct listing *l); /* NULL is fine */
void listing_freep(struct listing **l);
/* A segment, an object, or a list (kind LIST); rows and bytes are summed up. */
enum ark_rc listing_add(struct listing *l, const struct repo_item *item, struct ark_err *err);
/* Behind a segment: what one of its rows names; missing: nothing. */
void listing_ref(struct listing *l, const struct repo_id *id, bool missing);
/* The root; *empty when nothing was added (and no root is written). The listing is as new. */
enum ark_rc listing_finish(struct listing *l, struct repo_id *root, uint64_t *rows, uint64_t *bytes,
                           bool *empty, struct ark_err *err);

#endif
