/* Checking what lies in a folder, for verify and for merging. */
#ifndef EXPORT_VERIFY_H
#define EXPORT_VERIFY_H

#include "common/crypt/minisign.h"
#include "export/app.h"
#include "export/folder.h"

#define EXPORT_MANIFEST "manifest-sha256.txt"

/* One run: signature (key may be NULL: not looked at), time stamp, manifests, counts. The first thing that is
 * off is the error, with kind INPUT. Says nothing when all is well. */
enum ark_rc export_check(struct export_app *a, const struct export_folder *f, const struct crypt_public_key *key,
                         struct ark_err *err);
/* The key of --public-key: a file, or the text itself. */
enum ark_rc export_public_key(const char *said, struct crypt_public_key *key, struct ark_err *err);

#endif
