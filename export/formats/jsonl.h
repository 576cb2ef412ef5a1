/*
 * The canonical line of a record, for whoever needs it besides the format: matter-history keeps the
 * same objects in git.
 */
#ifndef EXPORT_FORMATS_JSONL_H
#define EXPORT_FORMATS_JSONL_H

#include "common/base/buf.h"
#include "export/record.h"

/* Append the line, its newline included. has_match as in struct export_run. */
void export_jsonl_line(struct ark_buf *b, const struct export_record *r, bool has_match);

#endif
