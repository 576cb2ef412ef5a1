#include "import/load/known.h"

#include <stdio.h>

#include "tests/harness/tap.h"

static struct ark_str name(unsigned n, char to[27])
{
	return ark_str_n(to, (size_t)snprintf(to, 27, "%026u", n));
}

static void digest_of(unsigned n, uint8_t digest[KNOWN_DIGEST])
{
	memset(digest, 0, KNOWN_DIGEST);
	memcpy(digest, &n, sizeof(n));
}

/* Each of the last bytes counts, of the name and of the digest. */
static void what_was_added_is_known_and_nothing_else(void)
{
	enum { MANY = 20000 };
	struct known *k = known_new(1u << 20);
	char id[27];
	uint8_t digest[KNOWN_DIGEST];
	unsigned added = 0, same = 0, other_name = 0, other_digest = 0;
	for (unsigned i = 0; i < MANY; i++) {
		digest_of(i, digest);
		added += known_add(k, name(i, id), digest);
	}
	for (unsigned i = 0; i < MANY; i++) {
		digest_of(i, digest);
		same += known_same(k, name(i, id), digest);
		other_name += known_same(k, name(i + MANY, id), digest);
		digest[KNOWN_DIGEST - 1] ^= 1;
		other_digest += known_same(k, name(i, id), digest);
	}
	CHECK_I64(added, MANY);
	CHECK_I64(same, MANY);
	CHECK_I64(other_name, 0);
	CHECK_I64(other_digest, 0);
	known_free(k);
}

static void there_is_an_end(void)
{
	struct known *k = known_new(24u << 10);
	char id[27];
	uint8_t digest[KNOWN_DIGEST] = { 0 };
	unsigned n = 0;
	while (n < 100000 && known_add(k, name(n, id), digest))
		n++;
	CHECK_I64(n, 1536); /* three quarters of the largest that leaves room for one half as large */
	CHECK(known_same(k, name(0, id), digest));
	known_free(k);
}

int main(void)
{
	TAP_RUN(what_was_added_is_known_and_nothing_else);
	TAP_RUN(there_is_an_end);
	return tap_done();
}
