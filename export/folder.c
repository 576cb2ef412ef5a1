/* A bucket is read in ranges; what lies at the top of it is listed once, when it is opened. */
#include "export/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/io/zstd.h"
#include "export/upload.h"

#include "common/base/banned.h"

#define PIECE_BYTES (128u << 10)
#define RANGE_BYTES (1u << 20) /* of one request to a bucket */
#define DEPTH_MAX 16 /* folders in folders; exports have four */

/* A store, and how many folders are in it. */
struct held {
	struct store *store;
	unsigned folders;
};

struct export_folder {
	char *name;
	int fd;              /* -1: a bucket */
	struct held *held;   /* of a bucket */
	char *prefix;        /* "" or "run-000001/" */
	struct ark_map top;  /* of a bucket: names at the top, folders too */
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
	f->prefix = ark_strdupz("");
	f->fd = fd;
	*out = f;
	return ARK_OK;
}

/* --- buckets ----------------------------------------------------------------------------------- */

static enum ark_rc on_top(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	struct export_folder *f = ctx;
	(void)err;
	struct ark_str name = ark_str_from(entry->path, strlen(f->prefix));
	if (entry->is_folder && name.len > 0)
		name.len--; /* its '/' */
	ark_map_put(&f->top, name, entry->is_folder);
	return ARK_OK;
}

/* Runs whose upload never ended are none. */
static enum ark_rc without_unfinished(struct export_folder *f, struct ark_err *err)
{
	struct ark_map whole = { 0 };
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < f->top.count && rc == ARK_OK; i++) {
		struct ark_str name = ark_map_key(&f->top, i);
		struct store_stat st;
		ark_auto(ark_buf_release) struct ark_buf marker;
		ark_buf_init(&marker, SIZE_MAX / 2);
		ark_buf_fmt(&marker, "%s%.*s/" EXPORT_UPLOADING, f->prefix, ARK_FMT(name));
		bool run = ark_map_get(&f->top, name) != 0 && ark_str_starts(name, ARK_LIT("run-"));
		rc = run ? store_stat(f->held->store, marker.data, &st, err) : ARK_FAIL;
		if (rc == ARK_FAIL && (!run || err->kind == ARK_KIND_MISSING)) {
			ark_map_put(&whole, name, 0);
			rc = ARK_OK;
		}
	}
	ark_map_release(&f->top);
	f->top = whole;
	return rc;
}

static enum ark_rc open_bucket(struct held *held, const char *prefix, const char *shown, struct export_folder **out,
                               struct ark_err *err)
{
	ark_auto(export_folder_closep) struct export_folder *f = ark_calloc(1, sizeof(*f));
	f->name = ark_strdupz(shown);
	f->fd = -1;
	f->held = held;
	held->folders++;
	f->prefix = ark_strdupz(prefix);
	enum ark_rc rc = store_list(held->store, prefix, NULL, STORE_BY_FOLDER, on_top, f, err);
	if (rc >= 0 && ark_map_get(&f->top, ARK_LIT(EXPORT_UPLOADING)) != ARK_MAP_NONE)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no export in '%s': an upload to it never ended", shown);
	if (rc >= 0)
		rc = without_unfinished(f, err);
	if (rc < 0)
		return rc;
	*out = f;
	f = NULL;
	return ARK_OK;
}

enum ark_rc export_folder_open(const char *path, const struct store_s3_options *s3, struct export_folder **out,
                               struct ark_err *err)
{
	if (!export_is_bucket(path))
		return open_at(AT_FDCWD, path, path, out, err);
	struct store_options opt = { .modes = STORE_PRIVATE, .interrupted = ark_interrupted, .s3 = s3, .environ = environ };
	struct store *store = NULL;
	enum ark_rc rc = store_open_text(path, &opt, &store, err);
	if (rc < 0)
		return rc;
	struct held *held = ark_calloc(1, sizeof(*held));
	held->store = store;
	return open_bucket(held, "", path, out, err);
}

enum ark_rc export_folder_inside(const struct export_folder *f, const char *name,
                                 struct export_folder **out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, SIZE_MAX / 2);
	ark_buf_fmt(&shown, "%s/%s", f->name, name);
	if (f->fd < 0) {
		ark_auto(ark_buf_release) struct ark_buf prefix;
		ark_buf_init(&prefix, SIZE_MAX / 2);
		ark_buf_fmt(&prefix, "%s%s/", f->prefix, name);
		return open_bucket(f->held, prefix.data, shown.data, out, err);
	}
	return open_at(f->fd, name, shown.data, out, err);
}

void export_folder_close(struct export_folder *f)
{
	if (f == NULL)
		return;
	if (f->fd >= 0)
		close(f->fd);
	if (f->held != NULL && --f->held->folders == 0) {
		store_close(f->held->store);
		free(f->held);
	}
	ark_map_release(&f->top);
	free(f->prefix);
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
	if (f->fd < 0)
		return ark_map_get(&f->top, ark_str_z(name)) != ARK_MAP_NONE;
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

/* What on_file needs of a listing. */
struct listing {
	size_t skip; /* bytes of the prefix */
	struct ark_map *names;
};

static enum ark_rc on_file(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	struct listing *l = ctx;
	(void)err;
	struct ark_str name = ark_str_from(entry->path, l->skip);
	if (name.len > 0 && name.ptr[0] != '.')
		ark_map_put(l->names, name, 0);
	return ARK_OK;
}

enum ark_rc export_folder_files(const struct export_folder *f, struct ark_map *names, struct ark_err *err)
{
	if (f->fd < 0) {
		struct listing l = { strlen(f->prefix), names };
		enum ark_rc rc = store_list(f->held->store, f->prefix, NULL, 0, on_file, &l, err);
		return rc < 0 ? rc : ARK_OK;
	}
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot list '%s'", f->name);
	return walk(fd, &path, 0, names, err);
}

enum ark_rc export_folder_top(const struct export_folder *f, struct ark_map *names, struct ark_err *err)
{
	for (uint32_t i = 0; i < f->top.count; i++)
		ark_map_put(names, ark_map_key(&f->top, i), 0);
	if (f->fd < 0)
		return ARK_OK;
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
	struct store *store;  /* of a bucket, borrowed; then `path` is in it and `range` what came last */
	char *path;
	struct ark_buf range;
	size_t range_at;      /* bytes of the range that were given */
	struct store_stat stat;
	struct crypt_hash *hash;
	struct io_zstd_in *z; /* NULL: plain */
	char *piece;          /* PIECE_BYTES, plain only */
	uint64_t bytes;
	struct ark_str rest;  /* of the piece, not yet given as lines */
	bool ended;
	struct ark_buf line;  /* one that spans pieces */
};

/* The next range of an object; none at its end. It must stay the same object. */
static enum ark_rc next_range(struct export_stream *s, struct ark_err *err)
{
	struct store_stat now;
	ark_buf_reset(&s->range);
	s->range_at = 0;
	if (s->bytes == s->stat.size)
		return ARK_OK;
	uint64_t left = s->stat.size - s->bytes;
	enum ark_rc rc = store_read(s->store, s->path, s->bytes, left < RANGE_BYTES ? left : RANGE_BYTES,
	                            ark_sink_buf(&s->range), &now, err);
	if (rc == ARK_OK && (strcmp(now.etag, s->stat.etag) != 0 || s->range.len == 0))
		return ark_err_set(err, ARK_KIND_IO, "'%s' changed while it was read", s->name);
	return rc;
}

static enum ark_rc read_object(struct export_stream *s, char *space, size_t cap, size_t *got, struct ark_err *err)
{
	enum ark_rc rc = s->range_at == s->range.len ? next_range(s, err) : ARK_OK;
	if (rc < 0)
		return rc;
	size_t n = s->range.len - s->range_at < cap ? s->range.len - s->range_at : cap;
	memcpy(space, s->range.data + s->range_at, n);
	s->range_at += n;
	crypt_hash_add(s->hash, space, n);
	s->bytes += n;
	*got = n;
	return ARK_OK;
}

static enum ark_rc read_file(void *ctx, void *space, size_t cap, size_t *got, struct ark_err *err)
{
	struct export_stream *s = ctx;
	if (s->store != NULL)
		return read_object(s, space, cap, got, err);
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
	struct store_stat st = { 0 };
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	ark_buf_fmt(&path, "%s%s", f->prefix, name);
	int fd = f->fd >= 0 ? open_file(f, name) : -1;
	if (f->fd >= 0 && fd < 0)
		return cannot_open(f, name, err);
	enum ark_rc rc = f->fd >= 0         ? ARK_OK
	                 : leads_inside(name) ? store_stat(f->held->store, path.data, &st, err)
	                                      : ark_err_set(err, ARK_KIND_MISSING, "'%s' is missing", name);
	if (rc < 0)
		return err->kind == ARK_KIND_MISSING ? ark_err_set(err, ARK_KIND_MISSING, "'%s' is missing", name) : rc;
	struct export_stream *s = ark_calloc(1, sizeof(*s));
	s->name = ark_strdupz(name);
	s->fd = fd;
	s->store = f->held != NULL ? f->held->store : NULL;
	s->path = ark_strdupz(path.data);
	s->stat = st;
	ark_buf_init(&s->range, RANGE_BYTES);
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
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	ark_buf_release(&s->range);
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
