/*
 * Signatures that minisign(1) makes and checks: Ed25519 over the BLAKE2b digest of the data, with a
 * comment that is signed too. Over libsodium. Not for large data: the whole is in memory.
 *
 * Fact  minisign's own description of its formats (jedisct1.github.io/minisign, "Signature format",
 *       "Public key format", "Secret key format"); minisign 0.11 reads what this writes and the other
 *       way round (tests/cli/export/sign)
 */
#ifndef ARK_CRYPT_MINISIGN_H
#define ARK_CRYPT_MINISIGN_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

#define CRYPT_KEY_ID_BYTES 8
#define CRYPT_KEY_ID_HEX (2 * CRYPT_KEY_ID_BYTES + 1)

struct crypt_public_key {
	unsigned char id[CRYPT_KEY_ID_BYTES];
	unsigned char key[32];
};

/* Zeroed by crypt_secret_key_release. */
struct crypt_secret_key {
	unsigned char id[CRYPT_KEY_ID_BYTES];
	unsigned char key[64];
};
void crypt_secret_key_release(struct crypt_secret_key *key); /* for ark_auto */

/* A new pair from the system's random numbers. */
enum ark_rc crypt_minisign_generate(struct crypt_secret_key *secret, struct crypt_public_key *public,
                                    struct ark_err *err);

/*
 * The key files. password  protects the secret key (scrypt, 32 MiB while it is computed); NONE: the file
 * alone is enough to sign
 */
enum ark_rc crypt_minisign_write_secret(const struct crypt_secret_key *key, struct ark_str password,
                                        struct ark_buf *out, struct ark_err *err);
void crypt_minisign_write_public(const struct crypt_public_key *key, struct ark_buf *out);

/* Does the secret key file ask for a password? False also for what is no key file. */
bool crypt_minisign_is_protected(struct ark_str file);
/*
 * FAIL: INPUT for what is no such key, REFUSED for a wrong password. Keys that minisign protected take
 * 1 GiB of memory here, as they do there.
 */
enum ark_rc crypt_minisign_read_secret(struct ark_str file, struct ark_str password,
                                       struct crypt_secret_key *key, struct ark_err *err);
/* A key file, or the line of base64 alone. */
enum ark_rc crypt_minisign_read_public(struct ark_str file, struct crypt_public_key *key,
                                       struct ark_err *err);
/* As minisign shows it. */
void crypt_minisign_id(const unsigned char id[CRYPT_KEY_ID_BYTES], char hex[CRYPT_KEY_ID_HEX]);

/* Append a signature file. comment: one line; it is signed */
enum ark_rc crypt_minisign_sign(const struct crypt_secret_key *key, struct ark_str data,
                                struct ark_str comment, struct ark_buf *out, struct ark_err *err);
/*
 * comment  out: the signed comment, borrowed from `signature`
 * FAIL     INPUT for what is no signature file; REFUSED when it is another key's, or does not belong to
 *          the data, or its comment was changed. Signatures of the older kind, over the data themselves, are
 *          checked too.
 */
enum ark_rc crypt_minisign_verify(const struct crypt_public_key *key, struct ark_str data,
                                  struct ark_str signature, struct ark_str *comment, struct ark_err *err);

#endif
