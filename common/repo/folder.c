/*
 * A repository in a folder. A key becomes visible by rename, after its bytes are durable. What a killed run
 * left half written is a ".new-" file that nothing looks at; folder_tidy removes it. Who writes one holds a
 * kernel lock on it, so that the file of a dead process can be told from one that is being written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/crypt/seal.h"
#include "common/repo/private.h"

#include "common/base/banned.h"

#define PIECE (256u << 10)
#define HALF ".new-" /* start of a name that is not final yet */

struct folder {
	struct repo_keep keep;
	int fd;
};

static void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static void folder_close(struct repo_keep *k)
{
	struct folder *f = (struct folder *)k;
	close_fdp(&f->fd);
	free(k->name);
	free(f);
}

static enum ark_rc step(const char *what, const char *key, struct ark_err *err)
{
	int e = ark_fail_step(what);
	return e == 0 ? ARK_OK : ark_err_errno(err, e, "%s '%s'", what, key);
}

static enum ark_rc sync_folder(int dir, const char *key, struct ark_err *err)
{
	enum ark_rc rc = step("sync folder of", key, err);
	if (rc == ARK_OK && fsync(dir) != 0)
		rc = ark_err_errno(err, errno, "cannot make the folder of '%s' durable", key);
	return rc;
}

/* The folder in which `key` stands, and the name in it; made (durably) when `make`. */
static enum ark_rc parent_open(const struct folder *f, const char *key, bool make, int *out,
                               const char **name, struct ark_err *err)
{
	ark_auto(close_fdp) int dir = dup(f->fd);
	if (dir < 0)
		return ark_err_errno(err, errno, "repository '%s'", f->keep.name);
	const char *slash;
	while ((slash = strchr(key, '/')) != NULL) {
		char part[256];
		if ((size_t)(slash - key) >= sizeof(part))
			return ark_err_set(err, ARK_KIND_LIMIT, "the key '%s' is too long", key);
		memcpy(part, key, (size_t)(slash - key));
		part[slash - key] = '\0';
		int next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0 && errno == ENOENT && make) {
			if (step("make folder", part, err) < 0)
				return ARK_STOP;
			if (mkdirat(dir, part, 0700) != 0 && errno != EEXIST)
				return ark_err_errno(err, errno, "cannot make '%s' in '%s'", part, f->keep.name);
			enum ark_rc rc = sync_folder(dir, part, err);
			if (rc < 0)
				return rc;
			next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		}
		if (next < 0)
			return errno == ENOENT ? ark_err_set(err, ARK_KIND_MISSING, "there is no '%s' in '%s'", part,
			                                     f->keep.name) :
			                         ark_err_errno(err, errno, "'%s' in '%s'", part, f->keep.name);
		close(dir);
		dir = next;
		key = slash + 1;
	}
	*name = key;
	*out = dir;
	dir = -1;
	return ARK_OK;
}

static enum ark_rc write_all(int fd, const char *ptr, size_t len, const char *key, struct ark_err *err)
{
	while (len > 0) {
		size_t part = len;
		int e = ark_fail_write("write", &part);
		ssize_t n = e == 0 ? write(fd, ptr, part) : -1;
		if (e != 0)
			errno = e;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot write '%s'", key);
		ptr += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

/* A file that is being written: removed when left before `publish`. */
struct half {
	int dir;
	int fd;
	char name[32];
};

static void half_release(struct half *h)
{
	close_fdp(&h->fd);
	if (h->name[0] != '\0')
		unlinkat(h->dir, h->name, 0);
	close_fdp(&h->dir);
}

/* h->fd stays -1 when somebody who tidies was faster than our lock. */
static enum ark_rc half_try(const struct folder *f, const char *key, struct half *h, struct ark_err *err)
{
	uint64_t random;
	struct stat st;
	crypt_random(&random, sizeof(random));
	snprintf(h->name, sizeof(h->name), HALF "%016llx", (unsigned long long)random);
	int fd = openat(h->dir, h->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		h->name[0] = '\0';
		return ark_err_errno(err, errno, "cannot create '%s' in '%s'", key, f->keep.name);
	}
	/* where there are no locks, nobody tidies either */
	(void)flock(fd, LOCK_EX);
	if (fstat(fd, &st) == 0 && st.st_nlink == 0) {
		close(fd);
		return ARK_OK;
	}
	h->fd = fd;
	return ARK_OK;
}

static enum ark_rc half_open(const struct folder *f, const char *key, struct half *h, const char **name,
                             struct ark_err *err)
{
	enum ark_rc rc = parent_open(f, key, true, &h->dir, name, err);
	if (rc < 0)
		return rc;
	rc = step("create", key, err);
	while (rc == ARK_OK && h->fd < 0)
		rc = half_try(f, key, h, err);
	return rc;
}

static enum ark_rc half_publish(struct half *h, const char *name, const char *key,
                                enum repo_keep_how how, struct ark_err *err)
{
	enum ark_rc rc = step("sync", key, err);
	if (rc == ARK_OK && fsync(h->fd) != 0)
		rc = ark_err_errno(err, errno, "cannot make '%s' durable", key);
	if (rc == ARK_OK)
		rc = step("rename", key, err);
	if (rc < 0)
		return rc;
	if (how == REPO_KEEP_FIRST) {
		if (linkat(h->dir, h->name, h->dir, name, 0) != 0)
			return errno == EEXIST ? ark_err_set(err, ARK_KIND_LOCKED, "'%s' is there already", key) :
			                         ark_err_errno(err, errno, "cannot name '%s'", key);
	} else {
		if (renameat(h->dir, h->name, h->dir, name) != 0)
			return ark_err_errno(err, errno, "cannot name '%s'", key);
		h->name[0] = '\0';
	}
	return sync_folder(h->dir, key, err);
}

static bool there(const struct folder *f, const char *key)
{
	struct stat st;
	return fstatat(f->fd, key, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static enum ark_rc folder_put(struct repo_keep *k, const char *key, struct ark_str data,
                              enum repo_keep_how how, struct ark_err *err)
{
	const struct folder *f = (const struct folder *)k;
	ark_auto(half_release) struct half h = { .dir = -1, .fd = -1 };
	const char *name;
	enum ark_rc rc = half_open(f, key, &h, &name, err);
	if (rc == ARK_OK)
		rc = write_all(h.fd, data.ptr, data.len, key, err);
	if (rc == ARK_OK)
		rc = half_publish(&h, name, key, how, err);
	return rc;
}

static enum ark_rc folder_put_file(struct repo_keep *k, const char *key, int fd, uint64_t len,
                                   const char *sha256_hex, struct ark_err *err)
{
	const struct folder *f = (const struct folder *)k;
	(void)sha256_hex;
	ark_auto(half_release) struct half h = { .dir = -1, .fd = -1 };
	const char *name;
	enum ark_rc rc = half_open(f, key, &h, &name, err);
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	for (uint64_t at = 0; rc == ARK_OK && at < len;) {
		size_t want = len - at < PIECE ? (size_t)(len - at) : PIECE;
		ssize_t n = pread(fd, space, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read what is to become '%s'", key);
		if (n == 0)
			return ark_err_set(err, ARK_KIND_IO, "what is to become '%s' got shorter", key);
		rc = write_all(h.fd, space, (size_t)n, key, err);
		at += (uint64_t)n;
	}
	if (rc == ARK_OK)
		rc = half_publish(&h, name, key, REPO_KEEP_SAME, err);
	return rc;
}

static enum ark_rc folder_read(struct repo_keep *k, const char *key, uint64_t at, uint64_t len,
                               repo_take_fn *take, void *ctx, struct ark_err *err)
{
	const struct folder *f = (const struct folder *)k;
	ark_auto(close_fdp) int fd = openat(f->fd, key, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ark_err_set(err, ARK_KIND_MISSING, "there is no '%s' in '%s'", key, k->name);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s' in '%s'", key, k->name);
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	while (len > 0) {
		size_t want = len < PIECE ? (size_t)len : PIECE;
		ssize_t n = pread(fd, space, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read '%s' in '%s'", key, k->name);
		if (n == 0)
			break;
		enum ark_rc rc = take(ctx, space, (size_t)n, err);
		if (rc < 0)
			return rc;
		at += (uint64_t)n;
		if (len != REPO_KEEP_ALL)
			len -= (uint64_t)n;
	}
	return ARK_OK;
}

/* `key` is the folder's key with its slash, and has room for names behind it. */
static enum ark_rc list_folder(const struct folder *f, const char *key, unsigned depth, repo_key_fn *take,
                               void *ctx, struct ark_err *err)
{
	int fd = openat(f->fd, key[0] != '\0' ? key : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ARK_OK;
	ark_auto(closedirp) DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return ark_err_errno(err, errno, "cannot list '%s' in '%s'", key, f->keep.name);
	struct dirent *e;
	while (errno = 0, (e = readdir(d)) != NULL) {
		char full[512];
		struct stat st;
		if (e->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(full, sizeof(full) - 1, "%s%s", key, e->d_name) >= sizeof(full) - 1)
			continue; /* no key of ours is as long */
		if (fstatat(f->fd, full, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* went away meanwhile */
		enum ark_rc rc = ARK_OK;
		if (S_ISDIR(st.st_mode) && depth > 0) {
			size_t len = strlen(full);
			full[len] = '/';
			full[len + 1] = '\0';
			rc = list_folder(f, full, depth - 1, take, ctx, err);
		} else if (S_ISREG(st.st_mode)) {
			rc = take(ctx, full, (uint64_t)st.st_size, err);
		}
		if (rc < 0)
			return rc;
	}
	return errno == 0 ? ARK_OK : ark_err_errno(err, errno, "cannot list '%s' in '%s'", key, f->keep.name);
}

static enum ark_rc folder_list(struct repo_keep *k, const char *prefix, repo_key_fn *take, void *ctx,
                               struct ark_err *err)
{
	return list_folder((const struct folder *)k, prefix, 2, take, ctx, err);
}

static enum ark_rc folder_remove(struct repo_keep *k, const char *key, struct ark_err *err)
{
	const struct folder *f = (const struct folder *)k;
	ark_auto(close_fdp) int dir = -1;
	const char *name;
	if (!there(f, key))
		return ARK_OK;
	enum ark_rc rc = parent_open(f, key, false, &dir, &name, err);
	if (rc == ARK_OK)
		rc = step("remove", key, err);
	if (rc == ARK_OK && unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		rc = ark_err_errno(err, errno, "cannot remove '%s' from '%s'", key, k->name);
	if (rc == ARK_OK)
		rc = sync_folder(dir, key, err);
	return rc;
}

/* --- what killed runs left ------------------------------------------------------------------------ */

static enum ark_rc tidy_file(int dir, const char *name, uint64_t *count, struct ark_err *err)
{
	ark_auto(close_fdp) int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	/* somebody else's, or somebody writes it: not ours to remove */
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) != 0)
		return ARK_OK;
	/* under a name that is not the last one nothing is lost: a finished key has another */
	enum ark_rc rc = step("remove half of", name, err);
	if (rc == ARK_OK && unlinkat(dir, name, 0) == 0)
		++*count;
	return rc;
}

static enum ark_rc tidy_folder(int parent, const char *name, unsigned depth, uint64_t *count, struct ark_err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	ark_auto(closedirp) DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return ARK_OK; /* gone, or not ours to read: whoever needs it says so */
	struct dirent *e;
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, HALF, sizeof(HALF) - 1) == 0)
			rc = tidy_file(fd, e->d_name, count, err);
		else if (e->d_name[0] != '.' && depth > 0 && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
			rc = tidy_folder(fd, e->d_name, depth - 1, count, err);
	}
	return rc;
}

static enum ark_rc folder_tidy(struct repo_keep *k, uint64_t *count, struct ark_err *err)
{
	return tidy_folder(((struct folder *)k)->fd, ".", 2, count, err);
}

static const struct keep_ops FOLDER = {
	.is_folder = true,
	.close = folder_close,
	.put = folder_put,
	.put_file = folder_put_file,
	.read = folder_read,
	.list = folder_list,
	.remove = folder_remove,
	.tidy = folder_tidy,
};

enum ark_rc folder_open(const struct repo_keep_options *opt, struct repo_keep **out, struct ark_err *err)
{
	if (opt->create && mkdir(opt->place, 0700) != 0 && errno != EEXIST)
		return ark_err_errno(err, errno, "cannot make '%s'", opt->place);
	int fd = open(opt->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ark_err_set(err, ARK_KIND_MISSING, "there is no folder '%s'", opt->place);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", opt->place);
	char *name = realpath(opt->place, NULL);
	if (name == NULL) {
		int e = errno;
		close(fd);
		return ark_err_errno(err, e, "cannot resolve '%s'", opt->place);
	}
	struct folder *f = ark_calloc(1, sizeof(*f));
	f->keep = (struct repo_keep){ .ops = &FOLDER, .name = name, .interrupted = opt->interrupted };
	f->fd = fd;
	*out = &f->keep;
	return ARK_OK;
}
