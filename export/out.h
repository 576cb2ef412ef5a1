/*
 * The tree of files that a run makes. It grows beside its final name and gets that by one rename, or
 * is removed: nothing that is not complete is ever seen there. Each file's SHA-256 is taken while it
 * is written, for the manifest (bag.h). Any number of files may be open, each in one thread.
 *
 * Names are relative to the export, made of [A-Za-z0-9._=/~-] only ("data/html/index.html"); what
 * belongs to the payload begins with "data/".
 */
#ifndef EXPORT_OUT_H
#define EXPORT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

struct export_out;
struct export_file;

enum export_pack {
	EXPORT_PLAIN,
	EXPORT_ZSTD, /* level 3, one frame, with checksum */
};

/*
 * A new file; its folders are made (0700, the file 0600). A name that was there in this run is a bug.
 * pack  applied to what is written; the name is taken as it is (".zst" is the caller's)
 */
enum ark_rc export_file_begin(struct export_out *out, const char *name, enum export_pack pack,
                              struct export_file **file, struct ark_err *err);
enum ark_rc export_file_write(struct export_file *file, const void *data, size_t len,
                              struct ark_err *err);
/* Everything is there: flush, close, into the manifest. *file is NULL afterwards, in any case. */
enum ark_rc export_file_end(struct export_file **file, struct ark_err *err);
/* Give up: the file is removed. For ark_auto; a no-op after export_file_end. */
void export_file_drop(struct export_file **file);

/* In one go. */
enum ark_rc export_file_put(struct export_out *out, const char *name, enum export_pack pack,
                            struct ark_str content, struct ark_err *err);

/*
 * `name` as one component of a path: [a-z0-9._-] stay, every other byte becomes ~ and two hex digits,
 * a leading dot or an empty name too ("~" alone). Different names give different components, also on
 * file systems that do not tell upper from lower case.
 */
void export_path_safe(struct ark_buf *to, struct ark_str name);

#endif
