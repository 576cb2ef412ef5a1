/*
 * Numbers as people read them, for progress lines and summaries. Not for JSON and other files for
 * programs: those get plain numbers.
 */
#ifndef ARK_CLI_HUMAN_H
#define ARK_CLI_HUMAN_H

#include "common/base/buf.h"

/* "1,234,567" */
void ark_human_count(struct ark_buf *out, uint64_t n);
/* "0 B", "1023 B", "12.3 MiB"; three significant digits, rounded to nearest */
void ark_human_bytes(struct ark_buf *out, uint64_t bytes);
/* "0:41", "12:05", "3:02:11" */
void ark_human_duration(struct ark_buf *out, int64_t ms);

#endif
