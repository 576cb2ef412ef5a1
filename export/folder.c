#include "export/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/io/zstd.h"

#include "common/base/banned.h"

#define PIECE_BYTES (128u << 10)
#define DEPTH_MAX 16 /* folders in folders; exports have four */

struct export_folder {
	char *name;
	int fd;
};

/* --- folders ----------------------------------------------------------------------------------- */

static enum ark_rc open_at(int parent, const char *path, const char *shown, struct export_folder **out,
                           struct ark_err *err)
{
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no folder '%s'", shown);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open folder '%s'", shown);
	struct export_folder *f = ark_calloc(1, sizeof(*f));
	f->name = ark_strdupz(shown);
	f->fd = fd;
	*out = f;
	return ARK_OK;
}

enum ark_rc export_folder_open(const char *path, struct export_folder **out, struct ark_err *err)
{
	return open_at(AT_FDCWD, path, path, out, err);
}

enum ark_rc export_folder_inside(const struct export_folder *f, const char *name,
                                 struct export_folder **out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, SIZE_MAX / 2);
	ark_buf_fmt(&shown, "%s/%s", f->name, name);
	return open_at(f->fd, name, shown.data, out, err);
}

void export_folder_close(struct export_folder *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f->name);
	free(f);
}

void export_folder_closep(struct export_folder **f)
{
	export_folder_close(*f);
	*f = NULL;
}

const char *export_folder_name(const struct export_folder *f)
{
	return f->name;
}

/* A name from a manifest may say anything. */
static bool leads_inside(const char *name)
{
	for (struct ark_str rest = ark_str_z(name); rest.len > 0;) {
		size_t end = ark_str_find(rest, '/', 0);
		struct ark_str part = ark_str_first(rest, end);
		if (ark_str_eqz(part, "..") || ark_str_eqz(part, ".") || part.len == 0)
			return false;
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
	}
	return name[0] != '\0';
}

static int open_file(const struct export_folder *f, const char *name)
{
	if (!leads_inside(name)) {
		errno = ENOENT;
		return -1;
	}
	int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = ENOENT; /* no file, as far as exports go */
		return -1;
	}
	return fd;
}

static enum ark_rc cannot_open(const struct export_folder *f, const char *name, struct ark_err *err)
{
	if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' is missing", name);
	return ark_err_errno(err, errno, "cannot open '%s/%s'", f->name, name);
}

bool export_folder_has(const struct export_folder *f, const char *name)
{
	int fd = open_file(f, name);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

enum ark_rc export_folder_small(const struct export_folder *f, const char *name, struct ark_buf *out,
                                struct ark_err *err)
{
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	enum ark_rc rc = export_stream_open(f, name, false, &s, err);
	struct ark_str piece;
	while (rc == ARK_OK && (rc = export_stream_next(s, &piece, err)) == ARK_OK && !out->failed)
		ark_buf_str(out, piece);
	return rc < 0 ? rc : ark_buf_ok(out, name, err);
}

static enum ark_rc walk(int fd, struct ark_buf *path, unsigned depth, struct ark_map *names, struct ark_err *err)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL || depth > DEPTH_MAX) {
		int failed = dir == NULL ? errno : ELOOP;
		if (dir == NULL)
			close(fd);
		else
			closedir(dir);
		return ark_err_errno(err, failed, "cannot list '%s'", path->data);
	}
	enum ark_rc rc = ARK_OK;
	size_t len = path->len;
	for (struct dirent *e; rc == ARK_OK && (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || (depth == 0 && e->d_name[0] == '.'))
			continue;
		ark_buf_fmt(path, "%s%s", len > 0 ? "/" : "", e->d_name);
		int below = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (below >= 0)
			rc = walk(below, path, depth + 1, names, err);
		else
			ark_map_put(names, ark_buf_view(path), 0);
		ark_buf_cut(path, len);
	}
	closedir(dir);
	return rc;
}

enum ark_rc export_folder_files(const struct export_folder *f, struct ark_map *names, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot list '%s'", f->name);
	return walk(fd, &path, 0, names, err);
}

enum ark_rc export_folder_top(const struct export_folder *f, struct ark_map *names, struct ark_err *err)
{
	struct dirent **list;
	int n = scandirat(f->fd, ".", &list, NULL, alphasort);
	if (n < 0)
		return ark_err_errno(err, errno, "cannot list '%s'", f->name);
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
			ark_map_put(names, ark_str_z(list[i]->d_name), 0);
		free(list[i]);
	}
	free(list);
	return ARK_OK;
}

/* --- streams ----------------------------------------------------------------------------------- */

struct export_stream {
	char *name;
	int fd;
	struct crypt_hash *hash;
	struct io_zstd_in *z; /* NULL: plain */
	char *piece;          /* PIECE_BYTES, plain only */
	uint64_t bytes;
	struct ark_str rest;  /* of the piece, not yet given as lines */
	bool ended;
	struct ark_buf line;  /* one that spans pieces */
};

static enum ark_rc read_file(void *ctx, void *space, size_t cap, size_t *got, struct ark_err *err)
{
	struct export_stream *s = ctx;
	ssize_t n;
	do
		n = read(s->fd, space, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ark_err_errno(err, errno, "cannot read '%s'", s->name);
	crypt_hash_add(s->hash, space, (size_t)n);
	s->bytes += (uint64_t)n;
	*got = (size_t)n;
	return ARK_OK;
}

enum ark_rc export_stream_open(const struct export_folder *f, const char *name, bool unpack,
                               struct export_stream **out, struct ark_err *err)
{
	int fd = open_file(f, name);
	if (fd < 0)
		return cannot_open(f, name, err);
	struct export_stream *s = ark_calloc(1, sizeof(*s));
	s->name = ark_strdupz(name);
	s->fd = fd;
	s->hash = crypt_hash_new();
	crypt_hash_begin(s->hash);
	ark_buf_init(&s->line, LIMIT_RECORD);
	if (unpack) {
		s->z = io_zstd_in_new();
		io_zstd_in_begin(s->z, read_file, s);
	} else {
		s->piece = ark_malloc(PIECE_BYTES);
	}
	*out = s;
	return ARK_OK;
}

void export_stream_close(struct export_stream *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	crypt_hash_free(s->hash);
	io_zstd_in_free(s->z);
	free(s->piece);
	free(s->name);
	ark_buf_release(&s->line);
	free(s);
}

void export_stream_closep(struct export_stream **s)
{
	export_stream_close(*s);
	*s = NULL;
}

enum ark_rc export_stream_next(struct export_stream *s, struct ark_str *piece, struct ark_err *err)
{
	if (s->z != NULL) {
		enum ark_rc rc = io_zstd_in_next(s->z, piece, err);
		return rc < 0 ? ark_err_in(err, rc, "'%s'", s->name) : rc;
	}
	size_t got = 0;
	enum ark_rc rc = read_file(s, s->piece, PIECE_BYTES, &got, err);
	*piece = ark_str_n(s->piece, got);
	return rc == ARK_OK && got == 0 ? ARK_END : rc;
}

enum ark_rc export_stream_line(struct export_stream *s, struct ark_str *line, struct ark_err *err)
{
	ark_buf_reset(&s->line);
	for (;;) {
		size_t end = ark_str_find(s->rest, '\n', 0);
		if (end != SIZE_MAX && s->line.len == 0) {
			*line = ark_str_first(s->rest, end);
			s->rest = ark_str_from(s->rest, end + 1);
			return ARK_OK;
		}
		ark_buf_str(&s->line, ark_str_first(s->rest, end));
		if (s->line.failed)
			return ark_buf_ok(&s->line, "a line", err);
		if (end != SIZE_MAX || (s->ended && s->line.len > 0)) {
			s->rest = end != SIZE_MAX ? ark_str_from(s->rest, end + 1) : ARK_LIT("");
			*line = ark_buf_view(&s->line);
			return ARK_OK;
		}
		s->rest = ARK_LIT("");
		if (s->ended)
			return ARK_END;
		enum ark_rc rc = export_stream_next(s, &s->rest, err);
		if (rc < 0)
			return rc;
		s->ended = rc == ARK_END;
		if (s->ended)
			s->rest = ARK_LIT("");
	}
}

uint64_t export_stream_bytes(const struct export_stream *s)
{
	return s->bytes;
}

void export_stream_sha256(struct export_stream *s, unsigned char out[32])
{
	crypt_hash_end(s->hash, out);
}
