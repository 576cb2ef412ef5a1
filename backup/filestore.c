#include "backup/filestore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/repo/local.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/io/spool.h"
#include "common/store/store.h"

#include "common/base/banned.h"

#define DEPTH 24 /* folders within folders; Mattermost makes at most ten */

extern char **environ;

struct filestore {
	char *name;
	int fd;              /* -1: not a folder */
	struct store *store; /* NULL: a folder */
};

static void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* As the room store finds it: the same names in two object stores are two places. */
static const char *endpoint_of(const struct mm_files *files, const struct store_s3_options *s3)
{
	const char *const SAID[] = { files->endpoint, s3->endpoint, getenv("AWS_ENDPOINT_URL_S3"),
		                     getenv("AWS_ENDPOINT_URL") };
	for (size_t i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++) {
		if (SAID[i] == NULL || SAID[i][0] == '\0')
			continue;
		const char *host = strstr(SAID[i], "://");
		return host != NULL ? host + 3 : SAID[i];
	}
	return "s3.amazonaws.com";
}

void filestore_bucket_text(const struct mm_files *files, const struct store_s3_options *s3, struct ark_buf *out)
{
	ark_buf_fmt(out, "s3://%s/%s/%s", endpoint_of(files, s3), files->bucket, files->path);
}

static enum ark_rc open_bucket(const struct mm_files *files, const struct store_s3_options *s3,
                               struct filestore **out, struct ark_err *err)
{
	struct store_options opt = { .modes = STORE_MATTERMOST, .interrupted = ark_interrupted, .s3 = s3,
		                     .environ = environ };
	struct store *store = NULL;
	enum ark_rc rc = store_open(files, &opt, &store, err);
	if (rc < 0)
		return rc;
	ark_auto(ark_buf_release) struct ark_buf name = { 0 };
	ark_buf_init(&name, 8192);
	filestore_bucket_text(files, s3, &name);
	struct filestore *f = ark_calloc(1, sizeof(*f));
	f->fd = -1;
	f->store = store;
	f->name = ark_strdup(ark_buf_view(&name));
	*out = f;
	return ARK_OK;
}

enum ark_rc filestore_open(const struct mm_files *files, const struct store_s3_options *s3,
                           struct filestore **out, struct ark_err *err)
{
	if (files->kind == MM_FILES_S3)
		return open_bucket(files, s3, out, err);
	int fd = open(files->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ?
		           ark_err_set(err, ARK_KIND_MISSING, "there is no file store '%s'", files->path) :
		           ark_err_errno(err, errno, "cannot open the file store '%s'", files->path);
	struct filestore *f = ark_calloc(1, sizeof(*f));
	f->fd = fd;
	f->name = realpath(files->path, NULL);
	if (f->name == NULL)
		f->name = ark_strdupz(files->path);
	*out = f;
	return ARK_OK;
}

void filestore_close(struct filestore *f)
{
	if (f == NULL)
		return;
	close_fdp(&f->fd);
	store_close(f->store);
	free(f->name);
	free(f);
}

const char *filestore_name(const struct filestore *f)
{
	return f->name;
}

/* Relative, without ".." and empty parts: what a row says must not lead out of the store. */
static bool stays_inside(const char *path)
{
	struct ark_str rest = ark_str_z(path);
	if (rest.len == 0 || rest.ptr[0] == '/')
		return false;
	for (;;) {
		size_t end = ark_str_find(rest, '/', 0);
		struct ark_str part = ark_str_first(rest, end);
		if (part.len == 0 || ark_str_eqz(part, "..") || ark_str_eqz(part, "."))
			return false;
		if (end == SIZE_MAX)
			return true;
		rest = ark_str_from(rest, end + 1);
	}
}

static enum ark_rc to_spool(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	return io_spool_add(ctx, io_temp_dir(), ptr, len, err);
}

static enum ark_rc fetch_object(struct filestore *f, const char *path, struct pack_tools *tools,
                                struct repo_id *id, uint64_t *size_bytes, struct ark_err *err)
{
	struct io_spool body = IO_SPOOL_NONE;
	enum ark_rc rc = store_read(f->store, path, 0, UINT64_MAX, (struct ark_sink){ to_spool, &body }, NULL, err);
	if (rc == ARK_OK && body.fd < 0)
		rc = io_spool_add(&body, io_temp_dir(), "", 0, err);
	*size_bytes = 0;
	if (rc == ARK_OK && body.fd >= 0)
		rc = pack_put_file(tools, body.fd, id, size_bytes, err);
	else if (rc == ARK_OK)
		rc = pack_put(tools, ARK_LIT(""), 0, id, err);
	io_spool_close(&body);
	return rc;
}

enum ark_rc filestore_fetch(struct filestore *f, const char *path, struct pack_tools *tools,
                            struct repo_id *id, uint64_t *size_bytes, struct ark_err *err)
{
	if (!stays_inside(path))
		return ark_err_set(err, ARK_KIND_MISSING, "the path '%s' leads out of the file store", path);
	if (f->store != NULL)
		return fetch_object(f, path, tools, id, size_bytes, err);
	ark_auto(close_fdp) int fd = openat(f->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	struct stat st;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG))
		return ark_err_set(err, ARK_KIND_MISSING, "there is no file '%s'", path);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s' of the file store", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' is no file", path);
	enum ark_rc rc = pack_put_file(tools, fd, id, size_bytes, err);
	return rc < 0 ? ark_err_in(err, rc, "file '%s'", path) : rc;
}

struct names {
	char **items;
	size_t count, cap;
};

static void names_release(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a folder in order; folders with their slash, as they stand in a path. */
static enum ark_rc read_names(int fd, const char *path, struct names *out, struct ark_err *err)
{
	DIR *d = fdopendir(fd);
	if (d == NULL) {
		int e = errno;
		close(fd);
		return ark_err_errno(err, e, "cannot list '%s' of the file store", path);
	}
	struct dirent *e;
	while (errno = 0, (e = readdir(d)) != NULL) {
		struct stat st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		bool folder = S_ISDIR(st.st_mode);
		if (!folder && !S_ISREG(st.st_mode))
			continue;
		size_t len = strlen(e->d_name);
		char *name = ark_malloc(len + 2);
		memcpy(name, e->d_name, len);
		name[len] = folder ? '/' : '\0';
		name[len + 1] = '\0';
		if (out->count == out->cap) {
			out->cap = out->cap == 0 ? 64 : 2 * out->cap;
			out->items = ark_realloc(out->items, out->cap, sizeof(*out->items));
		}
		out->items[out->count++] = name;
	}
	int failed = errno;
	closedir(d);
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), by_bytes);
	return failed == 0 ? ARK_OK : ark_err_errno(err, failed, "cannot list '%s' of the file store", path);
}

static enum ark_rc walk(struct filestore *f, struct ark_buf *path, unsigned depth, filestore_each_fn *each,
                        void *ctx, struct ark_err *err)
{
	ark_auto(names_release) struct names names = { 0 };
	int fd = openat(f->fd, path->len > 0 ? path->data : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return ARK_OK;
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s' of the file store", path->data);
	enum ark_rc rc = read_names(fd, path->data, &names, err);
	size_t before = path->len;
	for (size_t i = 0; i < names.count && rc == ARK_OK; i++) {
		struct filestore_entry e = { 0 };
		struct stat st;
		ark_buf_cut(path, before);
		ark_buf_z(path, names.items[i]);
		if (path->data[path->len - 1] == '/') {
			if (depth > 0)
				rc = walk(f, path, depth - 1, each, ctx, err);
			continue;
		}
		if (path->failed || fstatat(f->fd, path->data, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		e.path = path->data;
		e.size_bytes = (uint64_t)st.st_size;
		snprintf(e.stamp, sizeof(e.stamp), "%lld.%09ld-%llu", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		         (unsigned long long)st.st_ino);
		rc = each(ctx, &e, err);
	}
	ark_buf_cut(path, before);
	return rc;
}

struct listing_objects {
	filestore_each_fn *each;
	void *ctx;
	struct ark_buf text; /* names, with their ends, of what is told after the listing */
	struct found {
		size_t at;
		uint64_t size;
		char etag[STORE_ETAG];
	} *items;
	size_t count, cap;
};

static enum ark_rc note_object(void *ctx, const struct store_entry *e, struct ark_err *err)
{
	struct listing_objects *l = ctx;
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 256 : 2 * l->cap;
		l->items = ark_realloc(l->items, l->cap, sizeof(*l->items));
	}
	struct found *x = &l->items[l->count++];
	x->at = l->text.len;
	x->size = e->stat.size;
	snprintf(x->etag, sizeof(x->etag), "%s", e->stat.etag);
	ark_buf_str(&l->text, e->path);
	ark_buf_c(&l->text, '\0');
	return ark_buf_ok(&l->text, "a listing of the file store", err);
}

/* All names, then what is done with them: a store does one thing at a time. */
static enum ark_rc list_objects(struct filestore *f, const char *prefix, filestore_each_fn *each, void *ctx,
                                struct ark_err *err)
{
	struct listing_objects l = { .each = each, .ctx = ctx };
	ark_buf_init(&l.text, 1u << 30);
	enum ark_rc rc = store_list(f->store, prefix, NULL, 0, note_object, &l, err);
	for (size_t i = 0; i < l.count && rc >= 0; i++) {
		struct filestore_entry e = { .path = l.text.data + l.items[i].at, .size_bytes = l.items[i].size };
		snprintf(e.stamp, sizeof(e.stamp), "%s", l.items[i].etag);
		rc = each(ctx, &e, err);
	}
	ark_buf_release(&l.text);
	free(l.items);
	return rc < 0 ? rc : ARK_OK;
}

enum ark_rc filestore_list(struct filestore *f, const char *prefix, filestore_each_fn *each, void *ctx,
                           struct ark_err *err)
{
	if (f->store != NULL)
		return list_objects(f, prefix, each, ctx, err);
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	ark_buf_init(&path, 65536);
	ark_buf_z(&path, prefix);
	return walk(f, &path, DEPTH, each, ctx, err);
}
