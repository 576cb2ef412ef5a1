/* Any bytes as key and signature files: refused, never a good signature. */
#include "common/crypt/minisign.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str text = { (const char *)data, size };
	struct ark_err err = { 0 };
	struct crypt_public_key public;
	struct crypt_public_key known = { { 1, 2, 3, 4, 5, 6, 7, 8 }, { 9 } };
	struct ark_str comment;
	if (crypt_minisign_read_public(text, &public, &err) == ARK_OK) {
		ark_auto(ark_buf_release) struct ark_buf out;
		struct crypt_public_key back;
		ark_buf_init(&out, 4096);
		crypt_minisign_write_public(&public, &out);
		FUZZ_CLAIM(crypt_minisign_read_public(ark_buf_view(&out), &back, &err) == ARK_OK);
		FUZZ_CLAIM(memcmp(&back, &public, sizeof(back)) == 0);
	}
	if (!crypt_minisign_is_protected(text)) { /* scrypt takes seconds */
		ark_auto(crypt_secret_key_release) struct crypt_secret_key secret = { 0 };
		(void)crypt_minisign_read_secret(text, ARK_STR_NONE, &secret, &err);
	}
	FUZZ_CLAIM(crypt_minisign_verify(&known, ARK_LIT("data"), text, &comment, &err) == ARK_FAIL);
	return 0;
}
