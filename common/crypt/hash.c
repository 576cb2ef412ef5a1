/*
 * Why EVP with a kept context: SHA256() fetches the algorithm on every call in OpenSSL 3, and the
 * low-level SHA256_Init family is deprecated. A failing digest call after a successful fetch can
 * only be a bug of ours, hence no result codes.
 */
#include "common/crypt/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

static const char MM_ALPHABET[] = "ybndrfg8ejkmcpqxot1uwisza345h769";

#define MM_ID_BYTES 16

struct crypt_hash {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static struct crypt_hash *hash_new(const char *algorithm)
{
	struct crypt_hash *h = ark_calloc(1, sizeof(*h));
	h->md = EVP_MD_fetch(NULL, algorithm, NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->md == NULL || h->ctx == NULL)
		ark_bug("libcrypto offers no %s", algorithm);
	return h;
}

struct crypt_hash *crypt_hash_new(void)
{
	return hash_new("SHA256");
}

struct crypt_hash *crypt_hash_new_sha1(void)
{
	return hash_new("SHA1");
}

void crypt_hash_free(struct crypt_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

void crypt_hash_freep(struct crypt_hash **h)
{
	crypt_hash_free(*h);
	*h = NULL;
}

void crypt_sha256(struct crypt_hash *h, const void *data, size_t len,
                  unsigned char out[CRYPT_SHA256_BYTES])
{
	crypt_hash_begin(h);
	crypt_hash_add(h, data, len);
	crypt_hash_end(h, out);
}

void crypt_hash_begin(struct crypt_hash *h)
{
	if (EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
		ark_bug("a digest does not start");
}

void crypt_hash_add(struct crypt_hash *h, const void *data, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		ark_bug("a digest does not go on");
}

void crypt_hash_end(struct crypt_hash *h, unsigned char *out)
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		ark_bug("a digest does not end");
}

void crypt_sha1(const void *data, size_t len, unsigned char out[CRYPT_SHA1_BYTES])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) != 1)
		ark_bug("SHA-1 failed");
}

void crypt_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                       unsigned char out[CRYPT_SHA256_BYTES])
{
	if (HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) == NULL)
		ark_bug("libcrypto has no HMAC");
}

void crypt_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char DIGITS[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = DIGITS[bytes[i] >> 4];
		out[2 * i + 1] = DIGITS[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

void crypt_mm_id(const unsigned char digest[CRYPT_SHA256_BYTES], char out[MM_ID_LEN])
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t at = 0;
	for (size_t i = 0; i < MM_ID_BYTES; i++) {
		bits = bits << 8 | digest[i];
		for (held += 8; held >= 5; held -= 5)
			out[at++] = MM_ALPHABET[bits >> (held - 5) & 31];
	}
	out[at] = MM_ALPHABET[bits << (5 - held) & 31];
}
