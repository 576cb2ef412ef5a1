/*
 * Second step of the writer (markup.h): what becomes of each slot. Private to this room.
 */
#ifndef IMPORT_TRANSLATE_RESOLVE_H
#define IMPORT_TRANSLATE_RESOLVE_H

#include <stdbool.h>

#include "common/base/buf.h"

/* What a slot becomes, in its third byte. No byte of a slot but the first is SLOT_MARK. */
enum action {
	AS_IT_IS = 0,
	BACKSLASH = 2,
	ENTITY,
	BEHIND_ZWSP,
	BEHIND_LINE, /* an empty line before it */
	NOTHING,
	MARK_STAR, /* italic as *…* */
	MARK_STAR_ZWSP,
	MARK_UNDER, /* italic as _…_ */
};

/* Replace the slots of `out` from byte `start` on, in place; `links`: a [label](URL) is among it.
 */
void resolve_slots(struct ark_buf *out, size_t start, bool links);
/* The second half of that: write out what was decided. */
void resolve_write(struct ark_buf *out, size_t start, bool links);
/* The same for text without markup: literals as they are, nothing else. */
void resolve_plain(struct ark_buf *out, size_t start);

#endif
