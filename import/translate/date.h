/*
 * Slack's date tokens without a reader's clock: UTC. Private to this room.
 */
#ifndef IMPORT_TRANSLATE_DATE_H
#define IMPORT_TRANSLATE_DATE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* Append `format` with its {tokens} filled in for `unix_s`; an unknown token stays as it is. */
void date_put(int64_t unix_s, struct ark_str format, struct ark_buf *out);

#endif
