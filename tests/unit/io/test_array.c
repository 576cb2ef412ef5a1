#include "common/io/array.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/harness/tap.h"

#define LIMIT (256u << 10)
#define MANY (1u << 20) /* items of eight bytes: 8 MiB */

static char folder[] = "/var/tmp/ark-array-XXXXXX";

static unsigned files_there(void)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static bool fill(struct io_array *a, uint64_t count)
{
	struct ark_err err = { 0 };
	for (uint64_t i = 0; i < count; i++) {
		void *item;
		if (io_array_add(a, &item, &err) < 0 || *(uint64_t *)item != 0)
			return false;
		*(uint64_t *)item = i * 0x9e3779b97f4a7c15u;
	}
	return true;
}

static uint64_t wrong(struct io_array *a, uint64_t step, uint64_t times)
{
	uint64_t n = 0;
	for (uint64_t i = 0, at = 0; i < times; i++, at = (at + step) % a->count)
		n += *(const uint64_t *)io_array_at(a, at) != at * 0x9e3779b97f4a7c15u;
	return n;
}

static void a_small_one_makes_no_file(void)
{
	struct io_array a;
	io_array_init(&a, sizeof(uint64_t), LIMIT, "/nowhere/at/all");
	CHECK(fill(&a, LIMIT / sizeof(uint64_t)));
	CHECK_I64(a.fd, -1);
	CHECK_I64(wrong(&a, 7919, a.count), 0);
	io_array_release(&a);
}

/* Pages of the process, as the kernel counts them now. */
static long resident(void)
{
	long all = 0, now = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f == NULL || fscanf(f, "%ld %ld", &all, &now) != 2)
		now = 0;
	if (f != NULL)
		fclose(f);
	return now * (sysconf(_SC_PAGESIZE) >> 10);
}

static void a_large_one_keeps_everything_and_little_memory(void)
{
	struct io_array a;
	io_array_init(&a, sizeof(uint64_t), LIMIT, folder);
	long before = resident();
	CHECK(fill(&a, MANY));
	CHECK(a.fd >= 0);
	CHECK_I64(files_there(), 0);
	long filled = resident();
	CHECK_I64(wrong(&a, 1, a.count), 0);
	CHECK_I64(wrong(&a, 104729, 5000), 0);
	long read = resident();
	/* of 8 MiB */
	CHECK(filled - before < 2048);
	CHECK(read - before < 2048);
	io_array_release(&a);
}

static void what_was_written_far_away_stays(void)
{
	struct io_array a;
	io_array_init(&a, sizeof(uint64_t), LIMIT, folder);
	CHECK(fill(&a, MANY / 4));
	for (size_t i = 0, at = 0; i < 5000; i++, at = (at + 52) % a.count)
		*(uint64_t *)io_array_at(&a, i % 2 == 0 ? at : a.count - 1 - at) += 5;
	CHECK_I64(wrong(&a, 1, a.count), 5000);
	for (size_t i = 0, at = 0; i < 5000; i++, at = (at + 52) % a.count)
		*(uint64_t *)io_array_at(&a, i % 2 == 0 ? at : a.count - 1 - at) -= 5;
	CHECK_I64(wrong(&a, 1, a.count), 0);
	io_array_release(&a);
}

static void no_room_is_an_error(void)
{
	struct io_array a;
	struct ark_err err = { 0 };
	void *item;
	enum ark_rc rc = ARK_OK;
	io_array_init(&a, 1u << 10, LIMIT, folder);
	struct rlimit small = { 1u << 20, RLIM_INFINITY };
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	size_t n = 0;
	for (; n < 10000 && (rc = io_array_add(&a, &item, &err)) == ARK_OK; n++)
		memset(item, 'x', 1u << 10);
	CHECK(rc < 0 && n >= 256 && n <= 1024);
	CHECK(strstr(err.text, folder) != NULL);
	io_array_release(&a);
	struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 99;
	signal(SIGXFSZ, SIG_IGN);
	TAP_RUN(a_small_one_makes_no_file);
	TAP_RUN(a_large_one_keeps_everything_and_little_memory);
	TAP_RUN(what_was_written_far_away_stays);
	TAP_RUN(no_room_is_an_error);
	rmdir(folder);
	return tap_done();
}
