#include "common/crypt/password.h"

#include "tests/harness/tap.h"

static void a_hash_is_what_mattermost_takes(void)
{
	struct ark_err err = { 0 };
	char plain[CRYPT_PASSWORD_LEN + 1], other[CRYPT_PASSWORD_LEN + 1], hash[CRYPT_BCRYPT_LEN + 1];
	crypt_password_random(plain);
	crypt_password_random(other);
	CHECK_I64(strlen(plain), CRYPT_PASSWORD_LEN);
	CHECK(strcmp(plain, other) != 0);
	CHECK(strpbrk(plain, "0O1lI,\"' ") == NULL);
	CHECK(crypt_password_hash(plain, hash, &err) == ARK_OK);
	CHECK(strncmp(hash, "$2b$10$", 7) == 0 && strlen(hash) == 60);
	CHECK(crypt_password_check(plain, hash));
	CHECK(!crypt_password_check(other, hash));
	CHECK(!crypt_password_check(plain, ""));
}

static void the_older_prefix_is_the_same(void)
{
	/* $2a$, as Go writes it, is the same algorithm */
	char again[CRYPT_BCRYPT_LEN + 1];
	struct ark_err err = { 0 };
	CHECK(crypt_password_hash("test", again, &err) == ARK_OK);
	again[2] = 'a';
	CHECK(crypt_password_check("test", again));
}

int main(void)
{
	TAP_RUN(a_hash_is_what_mattermost_takes);
	TAP_RUN(the_older_prefix_is_the_same);
	return tap_done();
}
