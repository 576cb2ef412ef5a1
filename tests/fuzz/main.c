/*
 * Runs a fuzz target over its seeds without libFuzzer: every file named, every file below every folder
 * named, and a few inputs that are always tried. A seed that breaks the target ends the program.
 *
 *	fuzz_json SEED-FILE-OR-FOLDER...
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define SEED_BYTES_MAX (8u << 20)

static const char *const ALWAYS[] = { "", "[", "{", "\"", "null", "[null]", "[{}]", "\xff", "<", "<@U" };

/* nftw gives its function no context */
static int seeds_run;

static void try_bytes(const char *bytes, size_t len)
{
	uint8_t *exact = ark_malloc(len > 0 ? len : 1);
	if (len > 0)
		memcpy(exact, bytes, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static int try_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type != FTW_F || st->st_size > SEED_BYTES_MAX)
		return 0;
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return 0;
	char *bytes = ark_malloc((size_t)st->st_size + 1);
	size_t len = fread(bytes, 1, (size_t)st->st_size, f);
	fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	try_bytes(bytes, len);
	free(bytes);
	seeds_run++;
	return 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ALWAYS) / sizeof(ALWAYS[0]); i++)
		try_bytes(ALWAYS[i], strlen(ALWAYS[i]));
	printf("ok 1 - inputs that are always tried\n");
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && nftw(argv[i], try_file, 16, FTW_PHYS) != 0)
			return 1;
	}
	printf("ok 2 - %d seeds\n1..2\n", seeds_run);
	return 0;
}
