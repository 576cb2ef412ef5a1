/* Read once: the copy gets its name, which is its digest, when its last byte has gone by. */
#include "export/bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

#define PIECE_BYTES (64u << 10)

struct export_bodies {
	int folder; /* the file store */
	struct export_out *out;
	_Atomic uint64_t missing;
};

enum ark_rc export_bodies_new(const struct mm_files *files, struct export_out *out,
                              struct export_bodies **bodies, struct ark_err *err)
{
	if (files->kind != MM_FILES_LOCAL)
		return ark_err_set(err, ARK_KIND_MISSING, "the file store is not known: %s", files->problem);
	int folder = open(files->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file store '%s'", files->path);
	if (folder < 0)
		return ark_err_errno(err, errno, "cannot open the file store '%s'", files->path);
	struct export_bodies *b = ark_calloc(1, sizeof(*b));
	b->folder = folder;
	b->out = out;
	*bodies = b;
	return ARK_OK;
}

void export_bodies_free(struct export_bodies *b)
{
	if (b == NULL)
		return;
	close(b->folder);
	free(b);
}

uint64_t export_bodies_missing(const struct export_bodies *b)
{
	return atomic_load_explicit(&b->missing, memory_order_relaxed);
}

/* A path that leads out of the store is as good as none. */
static bool leads_inside(struct ark_str path)
{
	for (struct ark_str rest = path; rest.len > 0;) {
		size_t end = ark_str_find(rest, '/', 0);
		struct ark_str part = ark_str_first(rest, end);
		if (ark_str_eqz(part, "..") || memchr(part.ptr, '\0', part.len) != NULL)
			return false;
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
	}
	return path.len > 0 && path.ptr[0] != '/';
}

static int open_file(struct export_bodies *b, struct ark_str path)
{
	if (!leads_inside(path))
		return -1;
	ark_auto(ark_freep) char *name = ark_strdup(path);
	int fd = openat(b->folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Through the digest, and into the copy when there is one. False: the store could not give it all. */
static enum ark_rc read_through(int fd, struct crypt_hash *hash, struct export_file *copy, bool *whole,
                                struct ark_err *err)
{
	ark_auto(ark_freep) char *piece = ark_malloc(PIECE_BYTES);
	for (;;) {
		ssize_t n = read(fd, piece, PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		*whole = n == 0;
		if (n <= 0)
			return ARK_OK;
		crypt_hash_add(hash, piece, (size_t)n);
		enum ark_rc rc = copy != NULL ? export_file_write(copy, piece, (size_t)n, err) : ARK_OK;
		if (rc < 0)
			return rc;
	}
}

enum ark_rc export_bodies_look(struct export_bodies *b, struct ark_str store_path,
                               enum export_bytes *bytes, char sha256[65], char copy[EXPORT_COPY_PATH],
                               struct ark_err *err)
{
	*bytes = EXPORT_BYTES_MISSING;
	sha256[0] = copy[0] = '\0';
	int fd = open_file(b, store_path);
	ark_auto(crypt_hash_freep) struct crypt_hash *hash = crypt_hash_new();
	ark_auto(export_file_drop) struct export_file *to = NULL;
	enum ark_rc rc = fd >= 0 && b->out != NULL ? export_file_begin_unnamed(b->out, &to, err) : ARK_OK;
	bool whole = false;
	crypt_hash_begin(hash);
	if (fd >= 0 && rc == ARK_OK)
		rc = read_through(fd, hash, to, &whole, err);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return rc;
	if (!whole) {
		atomic_fetch_add_explicit(&b->missing, 1, memory_order_relaxed);
		return ARK_OK;
	}
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_hash_end(hash, digest);
	crypt_hex(digest, sizeof(digest), sha256);
	*bytes = EXPORT_BYTES_REFERENCED;
	if (to == NULL)
		return ARK_OK;
	snprintf(copy, EXPORT_COPY_PATH, "data/files/%.2s/%s", sha256, sha256);
	*bytes = EXPORT_BYTES_COPIED;
	return export_file_end_as(&to, copy, err);
}
