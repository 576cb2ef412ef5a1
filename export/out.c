/* Why one flat list of finished files and no tree: the manifest is all that is asked for later. */
#include "export/out.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/io/zstd.h"
#include "export/upload.h"

#include "common/base/banned.h"

#define LEVEL 3
#define PLAIN_BUFFER (64u << 10)
#define IDLE_MAX 8 /* compressors kept for the next file */

struct export_out {
	char *final, *work;
	const struct store_s3_options *s3;
	int work_fd; /* holds the lock */
	bool published;
	pthread_mutex_t lock; /* of everything below */
	struct export_listed *list;
	size_t count, cap;
	bool sorted;
	struct io_zstd_out *idle[IDLE_MAX];
	size_t idle_count;
	_Atomic uint64_t plain, written;
	_Atomic uint64_t unnamed; /* how many there have been */
};

struct export_file {
	struct export_out *out;
	char *name;
	int fd;
	struct crypt_hash *hash;
	struct io_zstd_out *z; /* NULL: plain */
	char *buffer;          /* plain: PLAIN_BUFFER */
	size_t buffered;
	uint64_t plain, written;
};

/* --- names ------------------------------------------------------------------------------------- */

void export_path_safe(struct ark_buf *to, struct ark_str name)
{
	if (name.len == 0)
		ark_buf_c(to, '~');
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		             (c == '.' && i > 0);
		if (plain)
			ark_buf_c(to, (char)c);
		else
			ark_buf_fmt(to, "~%02x", c);
	}
}

bool export_name_fits(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		bool fine = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		            strchr("._=/~-", *c) != NULL;
		if (!fine)
			return false;
	}
	return name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL && strstr(name, "//") == NULL;
}

/* Names are made by us: a bad one is a bug. */
static void check_name(const char *name)
{
	if (!export_name_fits(name))
		ark_bug("file name '%s' in an export", name);
}

/* --- the tree ---------------------------------------------------------------------------------- */

/* Everything below the top, deepest first. */
static int remove_below(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	if (ftw->level == 0)
		return 0;
	return remove(path) != 0 && errno != ENOENT ? errno : 0;
}

static int empty_folder(const char *path)
{
	int failed = nftw(path, remove_below, 16, FTW_DEPTH | FTW_PHYS);
	return failed > 0 ? failed : failed < 0 ? errno : 0;
}

static char *work_name(const char *final)
{
	const char *slash = strrchr(final, '/');
	int folder = slash != NULL ? (int)(slash - final) + 1 : 0;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, SIZE_MAX / 2);
	ark_buf_fmt(&b, "%.*s.%s.matter-export", folder, final, final + folder);
	return ark_strdup(ark_buf_view(&b));
}

/* A folder that nobody else holds. The lock goes with the process, whatever becomes of it. */
static enum ark_rc take_work(struct export_out *o, struct ark_err *err)
{
	int failed = ark_fail_step("make the work folder");
	if (failed != 0 || (mkdir(o->work, 0700) != 0 && errno != EEXIST))
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot make folder '%s'", o->work);
	o->work_fd = open(o->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (o->work_fd < 0)
		return ark_err_errno(err, errno, "cannot open folder '%s'", o->work);
	struct stat mine, there;
	if (flock(o->work_fd, LOCK_EX | LOCK_NB) != 0 || fstat(o->work_fd, &mine) != 0 ||
	    stat(o->work, &there) != 0 || mine.st_ino != there.st_ino) {
		close(o->work_fd); /* the other run's: not ours to remove */
		o->work_fd = -1;
		return ark_err_set(err, ARK_KIND_LOCKED, "another run is writing '%s'", o->final);
	}
	if (mine.st_uid != geteuid() || (mine.st_mode & 077) != 0) { /* others may write where temporary files go */
		close(o->work_fd);
		o->work_fd = -1;
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is somebody else's", o->work);
	}
	failed = empty_folder(o->work);
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot remove what a dead run left in '%s'", o->work);
	return ARK_OK;
}

enum ark_rc export_out_open(const char *final, const struct store_s3_options *s3, struct export_out **out,
                            struct ark_err *err)
{
	struct stat st;
	if (!export_is_bucket(final) && lstat(final, &st) == 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there already", final);
	ark_auto(export_out_freep) struct export_out *o = ark_calloc(1, sizeof(*o));
	o->work_fd = -1;
	o->final = ark_strdupz(final);
	for (size_t n = strlen(final); n > 1 && o->final[n - 1] == '/'; n--)
		o->final[n - 1] = '\0';
	o->s3 = s3;
	o->work = export_is_bucket(o->final) ? export_upload_folder(o->final) : work_name(o->final);
	pthread_mutex_init(&o->lock, NULL);
	enum ark_rc rc = take_work(o, err);
	if (rc == ARK_OK) {
		*out = o;
		o = NULL;
	}
	return rc;
}

static enum ark_rc sync_parent(const char *path, struct ark_err *err)
{
	const char *slash = strrchr(path, '/');
	ark_auto(ark_freep) char *folder = slash == NULL ? ark_strdupz(".")
	                                   : slash == path ? ark_strdupz("/")
	                                                   : ark_strdup(ark_str_n(path, (size_t)(slash - path)));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 ? errno : ark_fail_step("sync the folder around the export");
	if (failed == 0 && fsync(fd) != 0)
		failed = errno;
	if (fd >= 0)
		close(fd);
	return failed != 0 ? ark_err_errno(err, failed, "cannot write folder '%s' to disk", folder) : ARK_OK;
}

enum ark_rc export_out_publish(struct export_out *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf unnamed;
	ark_buf_init(&unnamed, SIZE_MAX / 2);
	ark_buf_fmt(&unnamed, "%s/unnamed", out->work);
	if (rmdir(unnamed.data) != 0 && errno != ENOENT)
		return ark_err_errno(err, errno, "cannot remove '%s'", unnamed.data);
	int failed = ark_fail_step("sync the export");
	if (failed == 0 && syncfs(out->work_fd) != 0)
		failed = errno;
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot write '%s' to disk", out->work);
	if (export_is_bucket(out->final)) {
		size_t count;
		const struct export_listed *list = export_out_list(out, &count);
		return export_upload(out->final, out->s3, out->work, list, count, err);
	}
	failed = ark_fail_step("name the export");
	if (failed == 0 && renameat2(AT_FDCWD, out->work, AT_FDCWD, out->final, RENAME_NOREPLACE) != 0)
		failed = errno;
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot name the finished export '%s'", out->final);
	out->published = true;
	return sync_parent(out->final, err);
}

void export_out_free(struct export_out *out)
{
	if (out == NULL)
		return;
	if (!out->published && out->work_fd >= 0 && empty_folder(out->work) == 0)
		(void)rmdir(out->work);
	if (out->work_fd >= 0)
		close(out->work_fd);
	for (size_t i = 0; i < out->idle_count; i++)
		io_zstd_out_free(out->idle[i]);
	for (size_t i = 0; i < out->count; i++)
		free(out->list[i].name);
	free(out->list);
	pthread_mutex_destroy(&out->lock);
	free(out->final);
	free(out->work);
	free(out);
}

void export_out_freep(struct export_out **out)
{
	export_out_free(*out);
	*out = NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct export_listed *)a)->name, ((const struct export_listed *)b)->name);
}

const struct export_listed *export_out_list(struct export_out *out, size_t *count)
{
	if (!out->sorted && out->count > 0)
		qsort(out->list, out->count, sizeof(out->list[0]), by_name);
	out->sorted = true;
	for (size_t i = 1; i < out->count; i++)
		if (strcmp(out->list[i - 1].name, out->list[i].name) == 0)
			ark_bug("two files '%s' in one export", out->list[i].name);
	*count = out->count;
	return out->list;
}

void export_out_bytes(struct export_out *out, uint64_t *plain, uint64_t *written)
{
	*plain = atomic_load_explicit(&out->plain, memory_order_relaxed);
	*written = atomic_load_explicit(&out->written, memory_order_relaxed);
}

/* --- files ------------------------------------------------------------------------------------- */

static struct io_zstd_out *take_packer(struct export_out *o)
{
	pthread_mutex_lock(&o->lock);
	struct io_zstd_out *z = o->idle_count > 0 ? o->idle[--o->idle_count] : NULL;
	pthread_mutex_unlock(&o->lock);
	return z != NULL ? z : io_zstd_out_new(LEVEL);
}

static void give_packer(struct export_out *o, struct io_zstd_out *z)
{
	pthread_mutex_lock(&o->lock);
	if (z != NULL && o->idle_count < IDLE_MAX) {
		o->idle[o->idle_count++] = z;
		z = NULL;
	}
	pthread_mutex_unlock(&o->lock);
	io_zstd_out_free(z);
}

/* Bytes as they stand in the file. */
static enum ark_rc write_out(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct export_file *f = ctx;
	crypt_hash_add(f->hash, data, len);
	f->written += len;
	const char *at = data;
	while (len > 0) {
		size_t part = len;
		int failed = ark_fail_write("write a file of the export", &part);
		ssize_t n = failed != 0 ? -1 : write(f->fd, at, part);
		if (n < 0 && failed == 0)
			failed = errno;
		if (failed == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, failed, "cannot write '%s/%s'", f->out->work, f->name);
		at += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

/* Make the folders of `path`, which begins with the work folder: the innermost first, because usually
 * the ones around it are there. */
static int make_folders(const char *path, size_t from)
{
	ark_auto(ark_freep) char *copy = ark_strdupz(path);
	char *slash = strrchr(copy + from, '/');
	if (slash == NULL)
		return 0;
	*slash = '\0';
	int failed = ark_fail_step("make a folder of the export");
	if (failed == 0 && mkdir(copy, 0700) != 0)
		failed = errno;
	if (failed == ENOENT && strchr(copy + from, '/') != NULL) {
		failed = make_folders(copy, from);
		if (failed == 0 && mkdir(copy, 0700) != 0)
			failed = errno;
	}
	return failed == EEXIST ? 0 : failed;
}

static int create(const char *path, size_t top, int *fd)
{
	int failed = ark_fail_step("make a file of the export");
	if (failed != 0)
		return failed;
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd < 0 && errno == ENOENT) {
		failed = make_folders(path, top);
		if (failed != 0)
			return failed;
		*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (*fd < 0 && errno == EEXIST)
		ark_bug("file '%s' twice in one export", path);
	return *fd < 0 ? errno : 0;
}

enum ark_rc export_file_begin(struct export_out *out, const char *name, enum export_pack pack,
                              struct export_file **file, struct ark_err *err)
{
	check_name(name);
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	ark_buf_fmt(&path, "%s/%s", out->work, name);
	int fd = -1;
	int failed = create(path.data, strlen(out->work) + 1, &fd);
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot make '%s'", path.data);
	struct export_file *f = ark_calloc(1, sizeof(*f));
	f->out = out;
	f->name = ark_strdupz(name);
	f->fd = fd;
	f->hash = crypt_hash_new();
	crypt_hash_begin(f->hash);
	if (pack == EXPORT_ZSTD) {
		f->z = take_packer(out);
		io_zstd_out_begin(f->z, write_out, f);
	} else {
		f->buffer = ark_malloc(PLAIN_BUFFER);
	}
	*file = f;
	return ARK_OK;
}

/* Hidden below the top, where nothing of the export is. */
enum ark_rc export_file_begin_unnamed(struct export_out *out, struct export_file **file, struct ark_err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "unnamed/%llu", (unsigned long long)atomic_fetch_add(&out->unnamed, 1));
	return export_file_begin(out, name, EXPORT_PLAIN, file, err);
}

enum ark_rc export_file_write(struct export_file *f, const void *data, size_t len, struct ark_err *err)
{
	f->plain += len;
	if (f->z != NULL)
		return io_zstd_out_add(f->z, data, len, err);
	if (len > PLAIN_BUFFER - f->buffered) {
		enum ark_rc rc = write_out(f, f->buffer, f->buffered, err);
		if (rc < 0)
			return rc;
		f->buffered = 0;
	}
	if (len > PLAIN_BUFFER)
		return write_out(f, data, len, err);
	if (len > 0)
		memcpy(f->buffer + f->buffered, data, len);
	f->buffered += len;
	return ARK_OK;
}

static void release_file(struct export_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	give_packer(f->out, f->z);
	crypt_hash_free(f->hash);
	free(f->buffer);
	free(f->name);
	free(f);
}

/* Into the list; the name moves there. */
static void list_file(struct export_file *f)
{
	struct export_out *o = f->out;
	unsigned char sha256[CRYPT_SHA256_BYTES];
	crypt_hash_end(f->hash, sha256);
	pthread_mutex_lock(&o->lock);
	if (o->count == o->cap) {
		o->cap = o->cap > 0 ? o->cap * 2 : 256;
		o->list = ark_realloc(o->list, o->cap, sizeof(o->list[0]));
	}
	struct export_listed *l = &o->list[o->count++];
	*l = (struct export_listed){ .name = f->name, .size_bytes = f->written };
	memcpy(l->sha256, sha256, sizeof(l->sha256));
	o->sorted = false;
	pthread_mutex_unlock(&o->lock);
	f->name = NULL;
	atomic_fetch_add_explicit(&o->plain, f->plain, memory_order_relaxed);
	atomic_fetch_add_explicit(&o->written, f->written, memory_order_relaxed);
}

/* Move to the final name. *taken: it was there. */
static enum ark_rc name_file(struct export_file *f, const char *name, bool *taken, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf from, to;
	ark_buf_init(&from, SIZE_MAX / 2);
	ark_buf_init(&to, SIZE_MAX / 2);
	ark_buf_fmt(&from, "%s/%s", f->out->work, f->name);
	ark_buf_fmt(&to, "%s/%s", f->out->work, name);
	int failed = make_folders(to.data, strlen(f->out->work) + 1);
	if (failed == 0)
		failed = ark_fail_step("name a file of the export");
	if (failed == 0 && renameat2(AT_FDCWD, from.data, AT_FDCWD, to.data, RENAME_NOREPLACE) != 0)
		failed = errno;
	*taken = failed == EEXIST;
	if (*taken)
		failed = unlink(from.data) != 0 ? errno : 0;
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot name '%s'", to.data);
	free(f->name);
	f->name = ark_strdupz(name);
	return ARK_OK;
}

enum ark_rc export_file_end_as(struct export_file **file, const char *name, struct ark_err *err)
{
	struct export_file *f = *file;
	check_name(name);
	bool taken = false;
	enum ark_rc rc = write_out(f, f->buffer, f->buffered, err);
	if (close(f->fd) != 0 && rc == ARK_OK)
		rc = ark_err_errno(err, errno, "cannot write '%s/%s'", f->out->work, f->name);
	f->fd = -1;
	if (rc == ARK_OK)
		rc = name_file(f, name, &taken, err);
	if (rc < 0) {
		export_file_drop(file);
		return rc;
	}
	if (!taken)
		list_file(f);
	release_file(f);
	*file = NULL;
	return ARK_OK;
}

enum ark_rc export_file_end(struct export_file **file, struct ark_err *err)
{
	struct export_file *f = *file;
	enum ark_rc rc = f->z != NULL ? io_zstd_out_finish(f->z, err) : write_out(f, f->buffer, f->buffered, err);
	if (rc == ARK_OK && close(f->fd) != 0)
		rc = ark_err_errno(err, errno, "cannot write '%s/%s'", f->out->work, f->name);
	else if (rc < 0)
		close(f->fd);
	f->fd = -1;
	if (rc == ARK_OK)
		list_file(f);
	release_file(f);
	*file = NULL;
	return rc;
}

void export_file_drop(struct export_file **file)
{
	struct export_file *f = *file;
	if (f == NULL)
		return;
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, SIZE_MAX / 2);
	ark_buf_fmt(&path, "%s/%s", f->out->work, f->name);
	(void)unlink(path.data);
	release_file(f);
	*file = NULL;
}

enum ark_rc export_file_put(struct export_out *out, const char *name, enum export_pack pack,
                            struct ark_str content, struct ark_err *err)
{
	ark_auto(export_file_drop) struct export_file *f = NULL;
	enum ark_rc rc = export_file_begin(out, name, pack, &f, err);
	if (rc == ARK_OK)
		rc = export_file_write(f, content.ptr, content.len, err);
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

enum ark_rc export_out_read(const struct export_out *out, const char *name, export_take *take, void *ctx,
                            struct ark_err *err)
{
	check_name(name);
	ark_auto(ark_freep) char *buffer = ark_malloc(PLAIN_BUFFER);
	int fd = openat(out->work_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s/%s'", out->work, name);
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK) {
		ssize_t n = read(fd, buffer, PLAIN_BUFFER);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = ark_err_errno(err, errno, "cannot read '%s/%s'", out->work, name);
		if (n <= 0)
			break;
		rc = take(ctx, buffer, (size_t)n, err);
	}
	close(fd);
	return rc;
}
