/*
 * What makes a finished tree an export: manifests, signature, time stamp, and then its name. Used by a run
 * and by merging.
 */
#ifndef EXPORT_SEAL_H
#define EXPORT_SEAL_H

#include "export/app.h"
#include "export/bag.h"

#define EXPORT_TIMESTAMP "tagmanifest-sha256.txt.tsr"

/* Before the work begins: the key of --sign, so that a wrong password is told at once. */
enum ark_rc export_seal_prepare(struct export_app *a, struct ark_err *err);
/* Manifests, signature and time stamp about what a->out has; then everything on disk and named. When the
 * authority gives no time stamp, nothing is named. */
enum ark_rc export_seal(struct export_app *a, const struct export_bag_info *info, struct ark_err *err);

#endif
