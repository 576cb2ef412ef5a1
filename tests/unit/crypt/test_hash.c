#include "common/crypt/hash.h"

#include "common/base/err.h"
#include "tests/harness/tap.h"

/* Computed with Python's hashlib and big integers (an independent way to the same digits). */
static const struct {
	const char *text;
	const char *hex;
	const char *id;
} KNOWN[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "hqaceowa9oqbjgz56urj1573ro" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "zjhbpxhxy886wokbedxf5mtnrc" },
	{ "T01/post/C01/1577836800.000100/0/0",
	  "5da57f2e976f3466eb43dfc13763ec24675eb36cd23ef5dbdc5a6274e4c5213e",
	  "ms1z6mwzph4gp44d59yuqa9cro" },
};

static void known_digests_and_ids(void)
{
	ark_auto(crypt_hash_freep) struct crypt_hash *h = crypt_hash_new();
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		unsigned char digest[CRYPT_SHA256_BYTES];
		char hex[CRYPT_SHA256_HEX], id[MM_ID_LEN];
		crypt_sha256(h, KNOWN[i].text, strlen(KNOWN[i].text), digest);
		crypt_hex(digest, sizeof(digest), hex);
		crypt_mm_id(digest, id);
		CHECK_STR(ark_str_z(hex), KNOWN[i].hex);
		CHECK_STR(ark_str_n(id, sizeof(id)), KNOWN[i].id);
	}
}

static void ids_at_the_ends_of_the_range(void)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	char id[MM_ID_LEN];
	memset(digest, 0xff, sizeof(digest));
	crypt_mm_id(digest, id);
	CHECK_STR(ark_str_n(id, sizeof(id)), "9999999999999999999999999h");
	memset(digest, 0, sizeof(digest));
	crypt_mm_id(digest, id);
	CHECK_STR(ark_str_n(id, sizeof(id)), "yyyyyyyyyyyyyyyyyyyyyyyyyy");
}

static void pieces_give_the_same_as_one_go(void)
{
	ark_auto(crypt_hash_freep) struct crypt_hash *h = crypt_hash_new();
	unsigned char digest[CRYPT_SHA256_BYTES];
	char hex[CRYPT_SHA256_HEX];
	char block[1000];
	memset(block, 'a', sizeof(block));
	crypt_hash_begin(h);
	crypt_hash_add(h, "left over", 9); /* begin drops what was not ended */
	crypt_hash_begin(h);
	for (int i = 0; i < 1000; i++)
		crypt_hash_add(h, block, sizeof(block));
	crypt_hash_end(h, digest);
	crypt_hex(digest, sizeof(digest), hex);
	CHECK_STR(ark_str_z(hex),
	          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	TAP_RUN(known_digests_and_ids);
	TAP_RUN(ids_at_the_ends_of_the_range);
	TAP_RUN(pieces_give_the_same_as_one_go);
	return tap_done();
}
