/* The index of a repository: few entries in memory, many in a temporary file, the same answers. */
#include "common/repo/index.h"

#include <stdlib.h>

#include "tests/harness/tap.h"

#include "common/base/banned.h"

/* Entry number n; every third id comes twice, in two packs. */
static struct repo_entry entry(uint64_t n, unsigned copy)
{
	struct repo_entry e = { .offset = n % 1000000, .length = 100 + n % 77, .codec = n % 2 == 0 ? REPO_ZSTD : REPO_RAW };
	uint64_t a = (n + 1) * 0x9e3779b97f4a7c15u, b = a ^ (a >> 29);
	for (unsigned i = 0; i < 8; i++) {
		e.id.b[i] = (unsigned char)(a >> (8 * i));
		e.id.b[8 + i] = (unsigned char)(b >> (8 * i));
	}
	e.pack.b[0] = (unsigned char)(n / 5000);
	e.pack.b[31] = (unsigned char)copy;
	return e;
}

static void fill(struct repo_index *x, uint64_t count)
{
	for (uint64_t n = 0; n < count; n++) {
		struct repo_entry e = entry(n, 0);
		repo_index_add(x, &e);
	}
	for (uint64_t n = 0; n < count; n += 3) {
		struct repo_entry e = entry(n, 1);
		repo_index_add(x, &e);
	}
}

static bool second_copy(void *ctx, const struct repo_entry *e)
{
	++*(unsigned *)ctx;
	return e->pack.b[31] == 1;
}

static void answers(uint64_t count)
{
	struct repo_index *x = repo_index_new();
	uint64_t wrong = 0, marked = 0, step = count > 10000 ? 11 : 1;
	fill(x, count);
	CHECK_I64(repo_index_count(x), count + (count + 2) / 3);
	for (uint64_t n = 0; n < count; n += step) {
		struct repo_entry want = entry(n, 0), e;
		unsigned asked = 0;
		wrong += !repo_index_find(x, &want.id, &e) || e.offset != want.offset || e.length != want.length ||
		         e.codec != want.codec || e.pack.b[0] != want.pack.b[0] || !repo_id_eq(&e.id, &want.id);
		wrong += repo_index_find_in(x, &want.id, second_copy, &asked, &e) != (n % 3 == 0);
		wrong += asked > 2;
	}
	CHECK_I64(wrong, 0);
	for (uint64_t n = count; n < count + 1000; n++) {
		struct repo_entry other = entry(n, 0), e;
		wrong += repo_index_find(x, &other.id, &e) || repo_index_mark(x, &other.id) || repo_index_marked(x, &other.id);
	}
	CHECK_I64(wrong, 0);
	for (int round = 0; round < 2; round++)
		for (uint64_t n = 0; n < count; n += 7) {
			struct repo_entry e = entry(n, 0);
			marked += repo_index_mark(x, &e.id);
		}
	CHECK_I64(marked, (count + 6) / 7);
	for (uint64_t n = 0; n < count; n += step) {
		struct repo_entry e = entry(n, 0);
		wrong += repo_index_marked(x, &e.id) != (n % 7 == 0);
	}
	CHECK_I64(wrong, 0);
	struct repo_index_walk w = { 0 };
	struct repo_entry e;
	uint64_t walked = 0, sum = 0;
	while (repo_index_next(x, &w, &e)) {
		walked++;
		sum += e.length;
	}
	CHECK_I64(walked, repo_index_count(x));
	for (uint64_t n = 0; n < count; n++)
		sum -= (100 + n % 77) * (n % 3 == 0 ? 2 : 1);
	CHECK_I64(sum, 0);
	repo_index_forget_marks(x);
	e = entry(0, 0);
	CHECK(!repo_index_marked(x, &e.id));
	repo_index_free(x);
}

static void in_memory(void)
{
	answers(1000);
}

/* Nine times the table: stretches are merged, too. */
static void in_a_file(void)
{
	answers(850000);
}

static void without_a_place_for_it(void)
{
	setenv("TMPDIR", "/nowhere", 1);
	answers(300000);
	unsetenv("TMPDIR");
}

static void empty(void)
{
	struct repo_index *x = repo_index_new();
	struct repo_entry e = entry(1, 0);
	CHECK(!repo_index_find(x, &e.id, &e));
	CHECK(!repo_index_mark(x, &e.id));
	repo_index_free(x);
}

int main(void)
{
	TAP_RUN(empty);
	TAP_RUN(in_memory);
	TAP_RUN(in_a_file);
	TAP_RUN(without_a_place_for_it);
	return tap_done();
}
