/* Zips whose list is read in parts. */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/io/archive.h"
#include "common/io/zip.h"
#include "common/io/ziplist.h"
#include "tests/harness/tap.h"

#define MANY (2 * LIMIT_ZIP_PART + 17)

static char path[] = "/tmp/ark-ziplist-XXXXXX";

static int text_of(uint32_t n, char *to, size_t size)
{
	return snprintf(to, size, "room/%u.json", n);
}

/* Each body is the entry's name, some larger than what is read at once. */
static bool make(void)
{
	struct ark_err err = { 0 };
	struct io_zip *z = NULL;
	static char large[400000];
	memset(large, 'x', sizeof(large));
	bool ok = io_zip_create(path, &z, &err) == ARK_OK;
	for (uint32_t i = 0; i < MANY && ok; i++) {
		char name[32];
		int len = text_of(i, name, sizeof(name));
		ok = io_zip_entry(z, ark_str_n(name, (size_t)len), IO_ZIP_STORE, &err) == ARK_OK &&
		     io_zip_write(z, name, (size_t)len, &err) == ARK_OK &&
		     (i % 10000 != 0 || io_zip_write(z, large, sizeof(large), &err) == ARK_OK);
	}
	ok = ok && io_zip_finish(z, &err) == ARK_OK;
	io_zip_free(z);
	return ok;
}

/* Entries that come out right; *last is what the call behind them said. */
static uint32_t read_all(enum ark_rc *last)
{
	struct ark_err err = { 0 };
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	ark_auto(ark_buf_release) struct ark_buf body;
	ark_buf_init(&body, 1u << 20);
	struct io_entry e;
	uint32_t right = 0;
	*last = io_archive_open(path, &a, &err);
	for (uint32_t i = 0; *last == ARK_OK && (*last = io_archive_next(a, &e, &err)) == ARK_OK; i++) {
		char name[32];
		size_t len = (size_t)text_of(i, name, sizeof(name));
		ark_buf_reset(&body);
		right += io_archive_slurp(a, &body, &err) == ARK_OK && ark_str_eqz(e.name, name) &&
		         body.len == len + (i % 10000 == 0 ? 400000 : 0) && memcmp(body.data, name, len) == 0;
	}
	return right;
}

static void every_entry_comes_once_and_in_order(void)
{
	enum ark_rc last;
	CHECK_I64(read_all(&last), MANY);
	CHECK(last == ARK_END);
}

static void it_was_read_in_parts(void)
{
	struct stat st;
	struct ziplist z;
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && ziplist_find(fd, st.st_size, &z));
	CHECK(ziplist_next(&z) && ziplist_next(&z) && ziplist_next(&z));
	CHECK(!ziplist_next(&z));
	CHECK(z.part_end == z.end);
	/* without its last byte it has no end record: the library is to say so */
	CHECK(!ziplist_find(fd, st.st_size - 1, &z));
	close(fd);
}

/* At the first header of the second part. */
static void damage_in_the_list_is_told(void)
{
	struct stat st;
	struct ziplist z;
	int fd = open(path, O_RDWR);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && ziplist_find(fd, st.st_size, &z));
	CHECK(ziplist_next(&z));
	CHECK(pwrite(fd, "XXXX", 4, (off_t)z.part_end) == 4);
	close(fd);
	enum ark_rc last;
	CHECK_I64(read_all(&last), LIMIT_ZIP_PART);
	CHECK(last == ARK_STOP);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	int fd = mkstemp(path);
	if (fd < 0 || close(fd) != 0 || !make())
		return 99;
	TAP_RUN(every_entry_comes_once_and_in_order);
	TAP_RUN(it_was_read_in_parts);
	TAP_RUN(damage_in_the_list_is_told);
	unlink(path);
	return tap_done();
}
