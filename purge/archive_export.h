/* The messages of an export of matter-export, out of its JSON lines. Fact: docs/format-jsonl.md */
#ifndef PURGE_ARCHIVE_EXPORT_H
#define PURGE_ARCHIVE_EXPORT_H

#include "common/store/store.h"
#include "purge/keptset.h"

/*
 * Tell `set` of every message and earlier text of the export, or of the runs of a series, at `place`. `files`: how many
 * files of lines there were; none is no export. FAIL: INPUT when a file is damaged (it is named), MISSING, IO.
 */
enum ark_rc archive_export_see(const char *place, const struct store_options *opt, struct kept_set *set,
                               uint64_t *files, struct ark_err *err);

#endif
