/*
 * The records of one channel in ts order: sorted in memory while they fit, else as sorted runs in a
 * temporary file that are merged while they are read (an external merge sort).
 */
#ifndef IMPORT_LOAD_SPILL_H
#define IMPORT_LOAD_SPILL_H

#include "common/base/buf.h"
#include "common/io/spool.h"
#include "import/translate/record.h"

struct load_spill;

/* Sort what `records` holds and write it out as one run; `*spill` is made when it is NULL. `file` is
 * shared by all channels of a run. records is empty afterwards and its memory given back. */
enum ark_rc load_spill_run(struct load_spill **spill, struct io_spool *file, const char *dir,
                           struct ark_buf *records, struct ark_err *err);
void load_spill_free(struct load_spill *spill); /* NULL is fine */

/* A walk over the records of a channel in order, as often as needed. */
struct load_walk;

/* `records`: those in memory, without runs (`spill` NULL), or none (all was spilled). */
struct load_walk *load_walk_open(struct load_spill *spill, const struct io_spool *file,
                                 const struct ark_buf *records);
void load_walk_close(struct load_walk *w);
void load_walk_closep(struct load_walk **w);
/* Begin at the first record (again). */
enum ark_rc load_walk_rewind(struct load_walk *w, struct ark_err *err);
/* ARK_END behind the last; the record is borrowed until the next call. */
enum ark_rc load_walk_next(struct load_walk *w, const struct record **out, struct ark_err *err);

#endif
