/*
 * Time stamps of RFC 3161 over libcrypto: what is sent to a time stamping authority, and what its answer
 * says. Sending is another room's. Not for trusting a clock: without the authority's certificate an answer
 * only shows which digest and time it names.
 */
#ifndef ARK_CRYPT_TSA_H
#define ARK_CRYPT_TSA_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/crypt/hash.h"

/* DER of a request about a SHA-256 that wants the signer's certificate in the answer. `nonce` makes the
 * answer one to this request: any number that was not used before. */
enum ark_rc crypt_tsa_request(const unsigned char sha256[CRYPT_SHA256_BYTES], uint64_t nonce, struct ark_buf *out,
                              struct ark_err *err);

struct crypt_tsa_claim {
	int64_t time_ms; /* out: when the authority says that it saw the digest */
	bool has_nonce;
	uint64_t nonce;  /* out */
};
/* Whether an answer was granted and is about this digest. FAIL with kind INPUT when not. Its signature is
 * not looked at. */
enum ark_rc crypt_tsa_read(struct ark_str answer, const unsigned char sha256[CRYPT_SHA256_BYTES],
                           struct crypt_tsa_claim *out, struct ark_err *err);
/* Whether an authority under one of the certificates in the PEM file signed it. INPUT when not. */
enum ark_rc crypt_tsa_verify(struct ark_str answer, const unsigned char sha256[CRYPT_SHA256_BYTES],
                             const char *ca_file, struct ark_err *err);

#endif
