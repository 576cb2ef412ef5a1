/*
 * The bytes of attachments: read from Mattermost's file store, hashed, and copied into the export where
 * that was asked for, each content once. Any number of threads.
 */
#ifndef EXPORT_BODIES_H
#define EXPORT_BODIES_H

#include "common/mm/where.h"
#include "export/out.h"
#include "export/record.h"

struct export_bodies;

/*
 * out   where copies go; NULL: nothing is copied
 * Returns  ARK_OK; FAIL with kind MISSING when `files` says no place (files->problem tells why)
 */
enum ark_rc export_bodies_new(const struct mm_files *files, struct export_out *out,
                              struct export_bodies **bodies, struct ark_err *err);
void export_bodies_free(struct export_bodies *b); /* NULL is fine */

#define EXPORT_COPY_PATH 96

/*
 * Look at the file at `store_path`. Sets *bytes; with REFERENCED and COPIED the SHA-256 in hex (64
 * characters and a NUL), with COPIED the path of the copy, "data/files/ab/abcd...".
 * Returns  ARK_OK also for a file that is MISSING; STOP when the export cannot be written
 */
enum ark_rc export_bodies_look(struct export_bodies *b, struct ark_str store_path,
                               enum export_bytes *bytes, char sha256[65], char copy[EXPORT_COPY_PATH],
                               struct ark_err *err);
/* Files that were not there, so far. */
uint64_t export_bodies_missing(const struct export_bodies *b);

#endif
