/*
 * Names that nobody has yet, by a number behind: base, base-2, base-3, ...
 */
#ifndef IMPORT_LOAD_UNIQUE_H
#define IMPORT_LOAD_UNIQUE_H

#include "common/base/buf.h"
#include "common/base/map.h"

/*
 * Append the first of base, base-2, ... that is no key of `taken` or has `self` there (ARK_MAP_NONE:
 * nobody). Does not take it.
 * numbers  beginning of a base to the number that is tried next; empty at first, one for each `taken`:
 *          ten thousand people of one name do not cost the square of that
 */
void unique_name(const struct ark_map *taken, struct ark_map *numbers, uint32_t self,
                 struct ark_str base, struct ark_buf *out);

#endif
