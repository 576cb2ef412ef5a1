#include "common/crypt/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

/* Without 0 O 1 l I: people type these. Some of each kind, so that a server's rules for passwords are
 * met as a rule; those count only when somebody chooses one. */
static const char ALPHABET[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

void crypt_password_random(char out[CRYPT_PASSWORD_LEN + 1])
{
	const unsigned letters = sizeof(ALPHABET) - 1, fair = 256 - 256 % letters;
	for (int n = 0; n < CRYPT_PASSWORD_LEN;) {
		unsigned char byte;
		if (RAND_bytes(&byte, 1) != 1)
			ark_bug("no random bytes");
		if (byte < fair)
			out[n++] = ALPHABET[byte % letters];
	}
	out[CRYPT_PASSWORD_LEN] = '\0';
}

static void data_freep(struct crypt_data **data)
{
	OPENSSL_cleanse(*data, sizeof(**data));
	free(*data);
}

enum ark_rc crypt_password_hash(const char *password, char out[CRYPT_BCRYPT_LEN + 1], struct ark_err *err)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	ark_auto(data_freep) struct crypt_data *data = ark_calloc(1, sizeof(*data));
	unsigned char random[16];
	if (RAND_bytes(random, sizeof(random)) != 1)
		ark_bug("no random bytes");
	const char *hash = NULL;
	if (crypt_gensalt_rn("$2b$", 10, (const char *)random, sizeof(random), salt, sizeof(salt)) != NULL)
		hash = crypt_r(password, salt, data);
	if (hash == NULL || strlen(hash) != CRYPT_BCRYPT_LEN)
		return ark_err_stop(err, ARK_KIND_IO, "the system's libcrypt makes no bcrypt hashes");
	memcpy(out, hash, CRYPT_BCRYPT_LEN + 1);
	return ARK_OK;
}

bool crypt_password_check(const char *password, const char *hash)
{
	ark_auto(data_freep) struct crypt_data *data = ark_calloc(1, sizeof(*data));
	const char *again = crypt_r(password, hash, data);
	return again != NULL && strlen(again) == strlen(hash) &&
	       CRYPTO_memcmp(again, hash, strlen(hash)) == 0;
}
