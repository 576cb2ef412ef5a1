/*
 * SHA-256 over libcrypto, and the ids that are made of it. Not for passwords or signatures.
 *
 * A crypt_hash is a context that is used again for one digest after another (about 170 ns for 64
 * bytes, most of it the hash itself; fetching the algorithm each time would cost several times
 * that). Not thread-safe: one per thread.
 */
#ifndef ARK_CRYPT_HASH_H
#define ARK_CRYPT_HASH_H

#include <stddef.h>

#include "common/base/limits.h"

#define CRYPT_SHA256_BYTES 32
#define CRYPT_SHA256_HEX (2 * CRYPT_SHA256_BYTES + 1) /* with the NUL */

struct crypt_hash;

struct crypt_hash *crypt_hash_new(void);
void crypt_hash_free(struct crypt_hash *h); /* NULL is fine */
void crypt_hash_freep(struct crypt_hash **h); /* for ark_auto */

/* In one go. What a begun, unfinished stream of `h` holds is dropped. */
void crypt_sha256(struct crypt_hash *h, const void *data, size_t len,
                  unsigned char out[CRYPT_SHA256_BYTES]);

/* In pieces: begin, any number of add, end, which writes CRYPT_SHA256_BYTES. After it the next begin starts anew. */
void crypt_hash_begin(struct crypt_hash *h);
void crypt_hash_add(struct crypt_hash *h, const void *data, size_t len);
void crypt_hash_end(struct crypt_hash *h, unsigned char *out);

/* HMAC of RFC 2104 with SHA-256. */
void crypt_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                       unsigned char out[CRYPT_SHA256_BYTES]);

/* SHA-1, which names group channels in Mattermost and objects in git; for nothing that needs strength. */
#define CRYPT_SHA1_BYTES 20
/* In pieces, as above; crypt_hash_end writes CRYPT_SHA1_BYTES. */
struct crypt_hash *crypt_hash_new_sha1(void);
void crypt_sha1(const void *data, size_t len, unsigned char out[CRYPT_SHA1_BYTES]);

/* Lower-case hex of `len` bytes; `out` takes 2 * len + 1 bytes, NUL-ended. */
void crypt_hex(const unsigned char *bytes, size_t len, char *out);

/*
 * The first 16 bytes of a digest as a Mattermost id: base32, most significant bit first, in the
 * z-base-32 alphabet, without padding. Not NUL-ended.
 *
 * Fact  docs/mattermost-facts.md "Identifiers and time": 26 characters hold 130 bits, so the last
 *       one carries three bits and is one of y r e c o w a h, as in genuine ids
 */
void crypt_mm_id(const unsigned char digest[CRYPT_SHA256_BYTES], char out[MM_ID_LEN]);

#endif
