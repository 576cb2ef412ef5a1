/* Any bytes as the answer of a time stamping authority: refused, unless it is about the digest that was asked
 * about; requests can always be made. */
#include <string.h>

#include "common/crypt/tsa.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

/* What tests/fuzz/corpus/tsa/granted is about. */
static const unsigned char DIGEST[CRYPT_SHA256_BYTES] = {
	0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e, 0x26, 0xe8, 0x3b, 0x2a, 0xc5, 0xb9, 0xe2, 0x9e,
	0x1b, 0x16, 0x1e, 0x5c, 0x1f, 0xa7, 0x42, 0x5e, 0x73, 0x04, 0x33, 0x62, 0x93, 0x8b, 0x98, 0x24,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char other[CRYPT_SHA256_BYTES] = { 1 };
	struct ark_str answer = { (const char *)data, size };
	struct crypt_tsa_claim claim;
	struct ark_err err = { 0 };
	enum ark_rc rc = crypt_tsa_read(answer, DIGEST, &claim, &err);
	FUZZ_CLAIM(rc == ARK_OK || err.kind == ARK_KIND_INPUT);
	if (rc == ARK_OK)
		FUZZ_CLAIM(crypt_tsa_read(answer, other, &claim, &err) < 0);
	FUZZ_CLAIM(crypt_tsa_verify(answer, DIGEST, "/dev/null", &err) < 0);
	return 0;
}
