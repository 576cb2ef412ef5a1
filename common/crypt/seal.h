/*
 * Encrypting to a public key, over libsodium: who writes needs the public key only, and cannot read what
 * was written before. Not for passwords or signatures.
 *
 *	recipient   "matterark-recipient-" and 64 hex digits: public, stays where things are written
 *	identity    "matterark-identity-" and 64 hex digits: secret, kept elsewhere
 *
 * A writer makes a random stream key per run, keeps it only in memory, and stores it sealed (sealed box,
 * X25519). Data is then encrypted in pieces (secretstream, XChaCha20-Poly1305) under it.
 */
#ifndef ARK_CRYPT_SEAL_H
#define ARK_CRYPT_SEAL_H

#include <stdbool.h>

#include "common/base/buf.h"

#define CRYPT_KEY_BYTES 32
#define CRYPT_SEALED_KEY_BYTES 80
#define CRYPT_RECIPIENT "matterark-recipient-"
#define CRYPT_IDENTITY "matterark-identity-"

struct crypt_identity {
	unsigned char pub[CRYPT_KEY_BYTES];
	unsigned char secret[CRYPT_KEY_BYTES];
};

void crypt_random(void *out, size_t len);
/* Overwrite, even where the compiler thinks that nobody looks. */
void crypt_wipe(void *secret, size_t len);

void crypt_identity_make(struct crypt_identity *out);
void crypt_recipient_text(const unsigned char pub[CRYPT_KEY_BYTES], struct ark_buf *out);
void crypt_identity_text(const struct crypt_identity *id, struct ark_buf *out);
/* Lines that begin with # and blanks around are passed over. FAIL with kind INPUT; quotes nothing. */
enum ark_rc crypt_recipient_read(struct ark_str text, unsigned char pub[CRYPT_KEY_BYTES],
                                 struct ark_err *err);
enum ark_rc crypt_identity_read(struct ark_str text, struct crypt_identity *out, struct ark_err *err);

void crypt_key_seal(const unsigned char pub[CRYPT_KEY_BYTES], const unsigned char key[CRYPT_KEY_BYTES],
                    unsigned char out[CRYPT_SEALED_KEY_BYTES]);
/* False when it is not for this identity, or damaged. */
bool crypt_key_open(const struct crypt_identity *id, const unsigned char sealed[CRYPT_SEALED_KEY_BYTES],
                    unsigned char key[CRYPT_KEY_BYTES]);

/* --- names --------------------------------------------------------------------------------------- */

/* Keyed BLAKE2b-256: a name that tells nothing to who does not have the key. */
struct crypt_named;
struct crypt_named *crypt_named_new(const unsigned char key[CRYPT_KEY_BYTES]);
void crypt_named_free(struct crypt_named *n); /* NULL is fine */
void crypt_named_begin(struct crypt_named *n);
void crypt_named_add(struct crypt_named *n, const void *data, size_t len);
void crypt_named_end(struct crypt_named *n, unsigned char out[32]);

/* --- streams ------------------------------------------------------------------------------------- */

#define CRYPT_STREAM_HEAD 24
#define CRYPT_PIECE (1u << 20)  /* plain bytes of every piece but the last */
#define CRYPT_PIECE_MORE 17     /* what encryption adds to each */

struct crypt_stream;

struct crypt_stream *crypt_stream_new(void);
void crypt_stream_free(struct crypt_stream *s); /* NULL is fine; wipes */
/* `bound` names what is encrypted: it cannot stand in for something else. Borrowed until the end. */
void crypt_stream_seal(struct crypt_stream *s, const unsigned char key[CRYPT_KEY_BYTES],
                       struct ark_str bound, unsigned char head[CRYPT_STREAM_HEAD]);
/* Append one encrypted piece; `last` ends the stream. */
void crypt_stream_push(struct crypt_stream *s, struct ark_str plain, bool last, struct ark_buf *out);
enum ark_rc crypt_stream_open(struct crypt_stream *s, const unsigned char key[CRYPT_KEY_BYTES],
                              struct ark_str bound, const unsigned char head[CRYPT_STREAM_HEAD],
                              struct ark_err *err);
/* Append the plain bytes of one piece. FAIL with kind INPUT: damaged, cut off, of another object. */
enum ark_rc crypt_stream_pull(struct crypt_stream *s, struct ark_str piece, bool last,
                              struct ark_buf *out, struct ark_err *err);

#endif
