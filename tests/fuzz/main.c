/*
 * Runs a fuzz target over its seeds without libFuzzer: every file named, every file below every folder
 * named, a few inputs that are always tried, and inputs made of all these. What breaks the target ends the
 * program.
 *
 *	fuzz_json [--runs N FILE] SEED-FILE-OR-FOLDER...
 *
 * --runs makes N inputs, the same ones each time (mutate.h); the one that is being tried is in FILE, so what
 * broke the target is there. Three minutes are the most they may take; how many there were is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include "common/base/banned.h"

#define SEED_BYTES_MAX (8u << 20)
#define RUNS_SECONDS_MAX 180

static const char *const ALWAYS[] = { "", "[", "{", "\"", "null", "[null]", "[{}]", "\xff", "<", "<@U" };
#define ALWAYS_COUNT (sizeof(ALWAYS) / sizeof(ALWAYS[0]))

struct seed {
	char *path; /* NULL: one of ALWAYS */
	struct ark_str bytes;
};

struct seeds {
	struct seed *list;
	uint32_t count;
};

/* nftw gives its function no context */
static struct seeds seeds;

static void try_bytes(struct ark_str bytes)
{
	/* ends where its block ends, so that reading behind it is seen */
	uint8_t *exact = ark_malloc(bytes.len > 0 ? bytes.len : 1);
	if (bytes.len > 0)
		memcpy(exact, bytes.ptr, bytes.len);
	LLVMFuzzerTestOneInput(exact, bytes.len);
	free(exact);
}

static void add_seed(const char *path, struct ark_str bytes)
{
	seeds.list = ark_realloc(seeds.list, seeds.count + 1, sizeof(*seeds.list));
	seeds.list[seeds.count++] = (struct seed){ path == NULL ? NULL : ark_strdupz(path), bytes };
}

static int add_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const char *name = path + where->base;
	if (type != FTW_F || st->st_size > SEED_BYTES_MAX)
		return 0;
	/* what fixtures say about themselves */
	if (strcmp(name, "README.md") == 0 || strncmp(name, "expect.", 7) == 0)
		return 0;
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return 0;
	char *bytes = ark_malloc((size_t)st->st_size + 1);
	size_t len = fread(bytes, 1, (size_t)st->st_size, f);
	fclose(f);
	add_seed(path, ark_str_n(bytes, len));
	return 0;
}

/* Shortest first; equally long ones in an order that no file system decides. */
static int by_length(const void *a, const void *b)
{
	const struct seed *x = a, *y = b;
	if (x->bytes.len != y->bytes.len)
		return x->bytes.len < y->bytes.len ? -1 : 1;
	return memcmp(x->bytes.ptr, y->bytes.ptr, x->bytes.len);
}

static void try_seeds(void)
{
	for (uint32_t i = 0; i < seeds.count; i++) {
		if (seeds.list[i].path != NULL)
			printf("# %s\n", seeds.list[i].path);
		fflush(stdout);
		try_bytes(seeds.list[i].bytes);
	}
	printf("ok 1 - %zu inputs that are always tried, %zu seeds\n", ALWAYS_COUNT, seeds.count - ALWAYS_COUNT);
}

static void note_input(int fd, struct ark_str input)
{
	if (pwrite(fd, input.ptr, input.len, 0) != (ssize_t)input.len || ftruncate(fd, (off_t)input.len) != 0)
		ark_bug("cannot write down the input: %s", strerror(errno));
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void try_made(uint64_t runs, const char *path)
{
	struct ark_str *texts = ark_calloc(seeds.count, sizeof(*texts));
	for (uint32_t i = 0; i < seeds.count; i++)
		texts[i] = seeds.list[i].bytes;
	struct mutator m;
	mutator_init(&m, texts, seeds.count);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		ark_bug("cannot open '%s': %s", path, strerror(errno));
	printf("# when this is the last line, the input is in %s\n", path);
	fflush(stdout);
	double end = now_s() + RUNS_SECONDS_MAX;
	uint64_t n = 0;
	for (; n < runs && (n % 64 != 0 || now_s() < end); n++) {
		struct ark_str input = mutator_next(&m);
		note_input(fd, input);
		try_bytes(input);
	}
	close(fd);
	(void)unlink(path);
	printf("ok 2 - %llu inputs made of them%s\n", (unsigned long long)n, n < runs ? ", then time was up" : "");
	mutator_release(&m);
	free(texts);
}

int main(int argc, char **argv)
{
	uint64_t runs = 0;
	const char *path = "";
	int at = 1;
	if (argc > 3 && strcmp(argv[1], "--runs") == 0) {
		char *end;
		runs = strtoull(argv[2], &end, 10);
		path = argv[3];
		if (*end != '\0' || runs == 0)
			return 2;
		at = 4;
	}
	for (size_t i = 0; i < ALWAYS_COUNT; i++)
		add_seed(NULL, ark_str_z(ark_strdupz(ALWAYS[i])));
	for (int i = at; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && nftw(argv[i], add_file, 16, FTW_PHYS) != 0)
			return 1;
	}
	qsort(seeds.list, seeds.count, sizeof(*seeds.list), by_length);
	try_seeds();
	if (runs > 0)
		try_made(runs, path);
	printf("1..%d\n", runs > 0 ? 2 : 1);
	for (uint32_t i = 0; i < seeds.count; i++) {
		free(seeds.list[i].path);
		free((char *)(uintptr_t)seeds.list[i].bytes.ptr);
	}
	free(seeds.list);
	return 0;
}
