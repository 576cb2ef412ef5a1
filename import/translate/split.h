/*
 * Long Markdown into parts that each fit into one post. Pure.
 */
#ifndef IMPORT_TRANSLATE_SPLIT_H
#define IMPORT_TRANSLATE_SPLIT_H

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * Cut the first part off `*rest`: at most `limit_runes` runes, cut at a paragraph, else a line, else
 * a blank, else a rune; never inside a link or mention; a code fence is closed at the end of the part
 * and opened again at the start of the next (`carry` is how the next part must start; give the same
 * buffer, empty at first, to each call). Appends the part to `part`, moves `*rest` behind it.
 * Returns false when nothing was left.
 */
bool split_next(struct ark_str *rest, size_t limit_runes, struct ark_buf *carry, struct ark_buf *part);

#endif
