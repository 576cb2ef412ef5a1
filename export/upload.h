/*
 * An export in a bucket. It is made on this machine, in the folder for temporary files, and uploaded when it is
 * complete: first an object EXPORT_UPLOADING, which says that what lies there is no export yet, then everything,
 * bagit.txt last, and then the first one is deleted. What an upload that died left is removed by the next one
 * to the same place; nobody reads it as an export.
 */
#ifndef EXPORT_UPLOAD_H
#define EXPORT_UPLOAD_H

#include "common/store/store.h"
#include "export/out.h"

#define EXPORT_UPLOADING ".uploading"

bool export_is_bucket(const char *place);
/* The folder on this machine in which an export to this place grows; the same for the same place. Ours. */
char *export_upload_folder(const char *place);
/* REFUSED when an export, or anything that is none of ours, lies there. */
enum ark_rc export_upload_check(const char *place, const struct store_s3_options *s3, struct ark_err *err);
/* Everything in the list, out of `folder`. */
enum ark_rc export_upload(const char *place, const struct store_s3_options *s3, const char *folder,
                          const struct export_listed *list, size_t count, struct ark_err *err);

#endif
