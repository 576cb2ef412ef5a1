/*
 * image_make in processes of its own. Images come from strangers: a decoder that crashes, eats memory
 * or never ends costs a preview and nothing else, and the program goes on fetching meanwhile.
 *
 * Give work, go on with something else, take results; each painter has one image at a time.
 */
#ifndef IMPORT_FETCH_PAINTER_H
#define IMPORT_FETCH_PAINTER_H

#include "common/base/err.h"
#include "import/fetch/image.h"

struct painters;

struct painted {
	uint64_t tag;
	bool ok;
	struct image_sizes sizes;
	struct ark_str thumb, preview, mini; /* until the next call */
};

/* At most `count` processes; none before the first image. */
struct painters *painters_new(unsigned count);
void painters_free(struct painters *p); /* NULL is fine; what is under way is dropped */
void painters_freep(struct painters **p);

/* Is there one without work? */
bool painters_idle(const struct painters *p);
/* Begin; only when one is idle and body.len <= LIMIT_IMAGE. False: no process could be made. */
bool painters_begin(struct painters *p, uint64_t tag, struct ark_str body, enum image_kind kind);
/* The same for image_square; the PNG is painted.preview. */
bool painters_begin_square(struct painters *p, uint64_t tag, struct ark_str body, enum image_kind kind,
                           int side);
/* A result. Waits for one when `wait`; false: none (yet). */
bool painters_next(struct painters *p, bool wait, struct painted *out);

#endif
