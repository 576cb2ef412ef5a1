/*
 * Signing the tag manifest of an export, and making the keys for it. The signature is minisign's, so
 * `minisign -V -p KEY.pub -m tagmanifest-sha256.txt` checks it without us.
 */
#ifndef EXPORT_SIGN_H
#define EXPORT_SIGN_H

#include "common/base/buf.h"
#include "common/crypt/minisign.h"

#define EXPORT_SIGNATURE "tagmanifest-sha256.txt.minisig"

/* Read before the run begins, so that a wrong password is told at once.
 * password_file  its first line; NULL: none */
enum ark_rc export_sign_key(const char *path, const char *password_file, struct crypt_secret_key *key,
                            struct ark_err *err);
/* A small file as it is; MISSING when it is not there. */
enum ark_rc export_read_file(const char *path, struct ark_buf *out, struct ark_err *err);
/*
 * Make PATH (0600) and PATH.pub; neither may be there.
 * id  out: the key's number as minisign shows it
 */
enum ark_rc export_keygen(const char *path, const char *password_file, char id[CRYPT_KEY_ID_HEX],
                          struct ark_err *err);

#endif
