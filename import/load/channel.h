/*
 * One complete channel into rows: order and threads, posts, reactions, thread rows and followers.
 */
#ifndef IMPORT_LOAD_CHANNEL_H
#define IMPORT_LOAD_CHANNEL_H

#include "import/load/post.h"

struct channel_loader;

struct channel_loader *channel_loader_new(struct load *l, struct sink *sink);
void channel_loader_free(struct channel_loader *c);

/* Write the channel `target`, whose records are all there; gives their memory back. `file` is where
 * spilled runs stand. */
enum ark_rc channel_load(struct channel_loader *c, uint32_t target, const struct io_spool *file,
                         struct ark_err *err);

#endif
