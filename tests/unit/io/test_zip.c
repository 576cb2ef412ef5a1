#include "common/io/zip.h"

#include <dirent.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/io/archive.h"
#include "tests/harness/tap.h"

static char folder[] = "/tmp/ark-zip-XXXXXX";

static void path_of(const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", folder, name);
}

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

/* Three entries: text, an empty one, one that is larger than any buffer and not compressed. */
static bool fill(struct io_zip *z)
{
	static char block[1 << 20];
	struct ark_err err = { 0 };
	bool ok = io_zip_entry(z, ARK_LIT("import.jsonl"), IO_ZIP_DEFLATE, &err) == ARK_OK &&
	          io_zip_write(z, "{}\n{}\n", 6, &err) == ARK_OK &&
	          io_zip_entry(z, ARK_LIT("data/empty"), IO_ZIP_STORE, &err) == ARK_OK &&
	          io_zip_entry(z, ARK_LIT("data/gr\xc3\xbc\xc3\x9f" "e.bin"), IO_ZIP_STORE, &err) == ARK_OK;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7);
	for (int i = 0; i < 3; i++)
		ok = ok && io_zip_write(z, block, sizeof(block), &err) == ARK_OK;
	return ok;
}

static void slurp(const char *path, struct ark_buf *out)
{
	FILE *f = fopen(path, "rb");
	char block[4096];
	for (size_t n; f != NULL && (n = fread(block, 1, sizeof(block), f)) > 0;)
		ark_buf_add(out, block, n);
	if (f != NULL)
		fclose(f);
}

static void what_goes_in_comes_out(void)
{
	static const struct {
		const char *name;
		size_t len;
	} WANT[] = { { "import.jsonl", 6 }, { "data/empty", 0 }, { "data/gr\xc3\xbc\xc3\x9f" "e.bin", 3 << 20 } };
	struct ark_err err = { 0 };
	char path[256];
	path_of("a.zip", path, sizeof(path));
	struct io_zip *z = NULL;
	CHECK(io_zip_create(path, &z, &err) == ARK_OK);
	CHECK(fill(z) && io_zip_finish(z, &err) == ARK_OK);
	io_zip_free(z);
	struct stat st;
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	CHECK(io_archive_open(path, &a, &err) == ARK_OK);
	for (size_t i = 0; i < 3; i++) {
		struct io_entry e;
		ark_auto(ark_buf_release) struct ark_buf body;
		ark_buf_init(&body, 8u << 20);
		CHECK(io_archive_next(a, &e, &err) == ARK_OK);
		CHECK_STR(e.name, WANT[i].name);
		CHECK(io_archive_slurp(a, &body, &err) == ARK_OK);
		CHECK_I64(body.len, WANT[i].len);
		CHECK(body.len < 100 || body.data[1000003] == (char)((1000003u % (1u << 20)) * 7));
	}
	struct io_entry e;
	CHECK(io_archive_next(a, &e, &err) == ARK_END);
}

static void the_same_entries_give_the_same_bytes(void)
{
	struct ark_err err = { 0 };
	ark_auto(ark_buf_release) struct ark_buf one;
	ark_auto(ark_buf_release) struct ark_buf two;
	ark_buf_init(&one, 16u << 20);
	ark_buf_init(&two, 16u << 20);
	char path[256];
	path_of("b.zip", path, sizeof(path));
	for (int i = 0; i < 2; i++) {
		struct io_zip *z = NULL;
		/* the clock's zone must not show */
		setenv("TZ", i == 0 ? "Asia/Tokyo" : "America/Los_Angeles", 1);
		CHECK(io_zip_create(path, &z, &err) == ARK_OK);
		CHECK(fill(z) && io_zip_finish(z, &err) == ARK_OK);
		io_zip_free(z);
		slurp(path, i == 0 ? &one : &two);
	}
	setenv("TZ", "UTC", 1);
	CHECK(one.len > (3u << 20));
	CHECK(ark_str_eq(ark_buf_view(&one), ark_buf_view(&two)));
}

static void giving_up_leaves_what_was_there(void)
{
	struct ark_err err = { 0 };
	char path[256];
	path_of("a.zip", path, sizeof(path));
	ark_auto(ark_buf_release) struct ark_buf before;
	ark_auto(ark_buf_release) struct ark_buf after;
	ark_buf_init(&before, 16u << 20);
	ark_buf_init(&after, 16u << 20);
	slurp(path, &before);
	unsigned there = files_there();
	struct io_zip *z = NULL;
	CHECK(io_zip_create(path, &z, &err) == ARK_OK && fill(z));
	io_zip_free(z);
	slurp(path, &after);
	CHECK(before.len > 0 && ark_str_eq(ark_buf_view(&before), ark_buf_view(&after)));
	CHECK_I64(files_there(), there);
}

static void a_folder_that_is_not_there_is_named(void)
{
	struct ark_err err = { 0 };
	struct io_zip *z = NULL;
	CHECK(io_zip_create("/nowhere/at/all.zip", &z, &err) < 0);
	CHECK(err.kind == ARK_KIND_MISSING && strstr(err.text, "/nowhere/at/all.zip") != NULL);
	CHECK(z == NULL);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (mkdtemp(folder) == NULL)
		return 99;
	TAP_RUN(what_goes_in_comes_out);
	TAP_RUN(the_same_entries_give_the_same_bytes);
	TAP_RUN(giving_up_leaves_what_was_there);
	TAP_RUN(a_folder_that_is_not_there_is_named);
	char path[256];
	path_of("a.zip", path, sizeof(path));
	unlink(path);
	path_of("b.zip", path, sizeof(path));
	unlink(path);
	rmdir(folder);
	return tap_done();
}
