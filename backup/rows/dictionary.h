/*
 * The dictionary that rows are compressed with: trained once from some megabytes of rows of the largest
 * tables, kept as an object, used until everything is written anew. It holds messages verbatim.
 */
#ifndef BACKUP_ROWS_DICTIONARY_H
#define BACKUP_ROWS_DICTIONARY_H

#include "backup/source.h"

#define DICTIONARY_BYTES (110u << 10)
#define DICTIONARY_SAMPLE (4u << 20)

/* ARK_END: too few rows for one; go on without. Within the frozen transaction. */
enum ark_rc dictionary_train(struct source *s, struct ark_buf *out, struct ark_err *err);

#endif
