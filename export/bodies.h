/*
 * The bytes of attachments: read from Mattermost's file store, hashed, and copied into the export where
 * that was asked for, each content once. One per thread.
 */
#ifndef EXPORT_BODIES_H
#define EXPORT_BODIES_H

#include <stdatomic.h>

#include "common/store/store.h"
#include "export/out.h"
#include "export/record.h"

struct export_bodies;

/*
 * out      where copies go; NULL: nothing is copied
 * missing  counts files that were not there; shared by all threads
 * Returns  ARK_OK; FAIL as store_open, with kind MISSING when `files` says no place
 */
enum ark_rc export_bodies_new(const struct mm_files *files, const struct store_s3_options *s3,
                              struct export_out *out, _Atomic uint64_t *missing,
                              struct export_bodies **bodies, struct ark_err *err);
void export_bodies_free(struct export_bodies *b); /* NULL is fine */

#define EXPORT_COPY_PATH 96

/*
 * Look at the file at `store_path`. Sets *bytes; with REFERENCED and COPIED the SHA-256 in hex (64
 * characters and a NUL), with COPIED the path of the copy, "data/files/ab/abcd...".
 * Returns  ARK_OK also for a file that is MISSING; STOP when the export cannot be written or the store
 *          cannot go on
 */
enum ark_rc export_bodies_look(struct export_bodies *b, struct ark_str store_path,
                               enum export_bytes *bytes, char sha256[65], char copy[EXPORT_COPY_PATH],
                               struct ark_err *err);

#endif
