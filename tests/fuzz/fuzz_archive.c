/*
 * Any bytes as an archive: no name comes out that could be taken for a place outside, unless it is
 * marked so; reading ends; bodies stay under what was asked for.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/utf8.h"
#include "common/io/archive.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define ENTRIES_MAX 200
#define BODY_MAX (1u << 20)

static bool has_dots(struct ark_str name)
{
	for (size_t at = 0; at < name.len;) {
		size_t end = ark_str_find(name, '/', at);
		if (end > name.len)
			end = name.len;
		if (end - at == 2 && name.ptr[at] == '.' && name.ptr[at + 1] == '.')
			return true;
		at = end + 1;
	}
	return false;
}

static void read_all(struct io_archive *a)
{
	struct ark_err err = { 0 };
	struct io_entry entry;
	for (int i = 0; i < ENTRIES_MAX; i++) {
		enum ark_rc rc = io_archive_next(a, &entry, &err);
		if (rc == ARK_FAIL)
			continue;
		if (rc != ARK_OK)
			return;
		FUZZ_CLAIM(ark_utf8_valid(entry.name));
		FUZZ_CLAIM(entry.unsafe || !ark_str_starts(entry.name, ARK_LIT("/")));
		FUZZ_CLAIM(entry.unsafe || !has_dots(entry.name));
		FUZZ_CLAIM(entry.unsafe || ark_str_find(entry.name, '\0', 0) == SIZE_MAX);
		struct ark_buf body;
		ark_buf_init(&body, BODY_MAX);
		(void)io_archive_slurp(a, &body, &err);
		FUZZ_CLAIM(body.len <= BODY_MAX);
		ark_buf_release(&body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct ark_err err = { 0 };
	int fd = memfd_create("archive", MFD_CLOEXEC);
	FUZZ_CLAIM(fd >= 0 && (size == 0 || write(fd, data, size) == (ssize_t)size));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct io_archive *a = NULL;
	if (io_archive_open(path, &a, &err) == ARK_OK) {
		read_all(a);
		io_archive_close(a);
	} else {
		FUZZ_CLAIM(a == NULL && err.text[0] != '\0');
	}
	close(fd);
	return 0;
}
