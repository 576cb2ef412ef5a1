/*
 * A store in a folder: opening, reading, deleting. Every path is opened from the folder's descriptor
 * by openat2 without symbolic links; on kernels without it, part by part, which is the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/store/private.h"

#include "common/base/banned.h"

static void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

enum ark_rc store_interrupt(const struct store *s, struct ark_err *err)
{
	if (s->interrupted != NULL && s->interrupted())
		return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
	return ARK_OK;
}

enum ark_rc (local_errno)(const struct local *l, int e, const char *verb, const char *path,
                          struct ark_err *err)
{
	const char *name = l->base.name;
	switch (e) {
	case ENOENT:
	case ENOTDIR:
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' is not in '%s'", path, name);
	case ELOOP:
		return ark_err_set(err, ARK_KIND_REFUSED,
		                   "'%s' in '%s' leads over a symbolic link, which is not followed", path,
		                   name);
	case EACCES:
	case EPERM:
		ark_err_errno(err, e, "cannot %s '%s' in '%s'", verb, path, name);
		err->kind = ARK_KIND_REFUSED;
		return ARK_FAIL;
	case ENAMETOOLONG:
	case EISDIR:
		ark_err_errno(err, e, "cannot %s '%s' in '%s'", verb, path, name);
		err->kind = ARK_KIND_INPUT;
		return ARK_FAIL;
	default:
		return ark_err_errno(err, e, "cannot %s '%s' in '%s'", verb, path, name);
	}
}

/* --- paths ------------------------------------------------------------------------------------- */

/* Part by part; each is opened without following a link. */
static int walk_open(int root_fd, const char *path, int flags)
{
	ark_auto(close_fdp) int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	while (at >= 0) {
		char part[256];
		size_t n = strcspn(path, "/");
		if (n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		bool last = path[n] == '\0';
		int next = openat(at, part, last ? flags | O_NOFOLLOW | O_CLOEXEC
		                                 : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;
		if (next < 0 && errno == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			errno = ELOOP;
		if (next < 0 || last)
			return next;
		close(at);
		at = next;
		path += n + 1;
	}
	return -1;
}

int local_openat(const struct local *l, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
		                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	if (path[0] == '\0')
		path = ".";
	for (unsigned tries = 0; tries < 16; tries++) {
		long fd = syscall(SYS_openat2, l->root_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN) /* a rename beside us */
			break;
	}
	/* EPERM: filters of containers that do not know the call */
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN)
		return walk_open(l->root_fd, path, flags);
	return -1;
}

/* The owner that Mattermost needs; only root can give files away. */
static int give_away(const struct local *l, int fd)
{
	return l->uid == (uid_t)-1 ? 0 : fchown(fd, l->uid, l->gid);
}

static int make_folder(const struct local *l, int at, const char *part)
{
	int bad = ark_fail_step("make a folder of the store");
	if (bad != 0) {
		errno = bad;
		return -1;
	}
	if (mkdirat(at, part, l->folder_mode) != 0 && errno != EEXIST)
		return -1;
	int fd = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (give_away(l, fd) != 0 || (!l->batch && fsync(at) != 0))) {
		int e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static int make_folders(const struct local *l, const char *path)
{
	ark_auto(close_fdp) int at = openat(l->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0) {
		char part[256];
		size_t n = strcspn(path, "/");
		if (n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT)
			next = make_folder(l, at, part);
		if (next < 0 || path[n] == '\0')
			return next;
		close(at);
		at = next;
		path += n + 1;
	}
	return -1;
}

int local_parent(const struct local *l, const char *path, bool make, const char **name)
{
	const char *slash = strrchr(path, '/');
	*name = slash != NULL ? slash + 1 : path;
	if (slash == NULL)
		return openat(l->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ark_auto(ark_freep) char *folder = ark_strdup(ark_str_n(path, (size_t)(slash - path)));
	int fd = local_openat(l, folder, O_RDONLY | O_DIRECTORY);
	return fd < 0 && errno == ENOENT && make ? make_folders(l, folder) : fd;
}

/* --- reading ----------------------------------------------------------------------------------- */

void local_stat_fill(const struct stat *st, struct store_stat *out)
{
	*out = (struct store_stat){ .size = (uint64_t)st->st_size,
		                    .mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 +
		                                st->st_mtim.tv_nsec / 1000000 };
	snprintf(out->etag, sizeof(out->etag), "%llx-%llx.%09lx-%llx", (unsigned long long)st->st_size,
	         (unsigned long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	         (unsigned long long)st->st_ino);
}

/* A regular file open for reading, or an error. Never waits for a named pipe. */
static enum ark_rc open_file(struct local *l, const char *path, int *out, struct stat *st,
                             struct ark_err *err)
{
	if (local_is_pending(l, path)) {
		enum ark_rc rc = local_flush(l, err);
		if (rc < 0)
			return rc;
	}
	int fd = local_openat(l, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return local_errno(l, errno, "open", path, err);
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' in '%s' is no file", path, l->base.name);
	}
	*out = fd;
	return ARK_OK;
}

static enum ark_rc local_stat(struct store *s, const char *path, struct store_stat *out,
                              struct ark_err *err)
{
	struct local *l = (struct local *)s;
	const char *name;
	struct stat st;
	if (local_is_pending(l, path)) {
		enum ark_rc rc = local_flush(l, err);
		if (rc < 0)
			return rc;
	}
	ark_auto(close_fdp) int parent = local_parent(l, path, false, &name);
	if (parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return local_errno(l, errno, "look at", path, err);
	if (!S_ISREG(st.st_mode))
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' in '%s' is no file", path, s->name);
	local_stat_fill(&st, out);
	return ARK_OK;
}

static enum ark_rc local_read(struct store *s, const char *path, uint64_t from, uint64_t len,
                              struct ark_sink sink, struct store_stat *out, struct ark_err *err)
{
	struct local *l = (struct local *)s;
	ark_auto(close_fdp) int fd = -1;
	struct stat st;
	enum ark_rc rc = open_file(l, path, &fd, &st, err);
	if (l->space == NULL)
		l->space = ark_malloc(LOCAL_SPACE);
	while (rc == ARK_OK && len > 0 && from <= INT64_MAX) {
		size_t want = len < LOCAL_SPACE ? (size_t)len : LOCAL_SPACE;
		ssize_t n = pread(fd, l->space, want, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return local_errno(l, errno, "read", path, err);
		if (n == 0)
			break;
		rc = sink.take != NULL ? sink.take(sink.ctx, l->space, (size_t)n, err) : ARK_OK;
		from += (uint64_t)n;
		len -= (uint64_t)n;
		if (rc >= 0)
			rc = store_interrupt(s, err);
	}
	if (rc == ARK_OK && out != NULL)
		local_stat_fill(&st, out);
	return rc;
}

/* --- deleting ---------------------------------------------------------------------------------- */

/* The folder that held `path`, if it became empty. Only that one: folders above are shared with
 * writers, who make theirs anew but not those above. */
static void remove_empty(struct local *l, const char *path)
{
	const char *slash = strrchr(path, '/'), *name;
	if (slash == NULL)
		return;
	ark_auto(ark_freep) char *folder = ark_strdup(ark_str_n(path, (size_t)(slash - path)));
	ark_auto(close_fdp) int above = local_parent(l, folder, false, &name);
	if (above >= 0)
		unlinkat(above, name, AT_REMOVEDIR);
}

static enum ark_rc local_delete(struct store *s, const char *path, struct ark_err *err)
{
	struct local *l = (struct local *)s;
	const char *name;
	enum ark_rc rc = local_is_pending(l, path) ? local_flush(l, err) : ARK_OK;
	if (rc < 0)
		return rc;
	ark_auto(close_fdp) int parent = local_parent(l, path, false, &name);
	if (parent < 0)
		return errno == ENOENT || errno == ENOTDIR ? ARK_OK
		                                           : local_errno(l, errno, "delete", path, err);
	int bad = ark_fail_step("delete from the store");
	if (bad != 0)
		return local_errno(l, bad, "delete", path, err);
	if (unlinkat(parent, name, 0) != 0)
		return errno == ENOENT ? ARK_OK : local_errno(l, errno, "delete", path, err);
	if (!l->batch && fsync(parent) != 0)
		return local_errno(l, errno, "delete", path, err);
	remove_empty(l, path);
	return ARK_OK;
}

/* --- opening ----------------------------------------------------------------------------------- */

static enum ark_rc local_sync(struct store *s, struct ark_err *err)
{
	return local_flush((struct local *)s, err);
}

static enum ark_rc local_probe(struct store *s, bool *honoured, struct ark_err *err)
{
	(void)s;
	(void)err;
	*honoured = true;
	return ARK_OK;
}

static void local_close(struct store *s)
{
	struct local *l = (struct local *)s;
	for (size_t i = 0; i < l->pending_count; i++)
		free(l->pending[i].path);
	local_forget(l);
	close_fdp(&l->root_fd);
	free(l->space);
}

static const struct store_verbs LOCAL_VERBS = {
	.close = local_close,
	.stat = local_stat,
	.read = local_read,
	.list = local_list,
	.put = local_put,
	.begin = local_begin,
	.add = local_add,
	.end = local_end,
	.drop = local_drop,
	.delete = local_delete,
	.sync = local_sync,
	.probe = local_probe,
};

static enum ark_rc open_root(struct local *l, const char *dir, const struct store_options *opt,
                             struct ark_err *err)
{
	struct stat st;
	if (opt->create && mkdir(dir, l->folder_mode) != 0 && errno != EEXIST)
		return ark_err_errno(err, errno, "cannot make the folder '%s'", dir);
	l->root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->root_fd < 0 && errno == ENOENT)
		return ark_err_set(err, ARK_KIND_MISSING, "the folder '%s' is not there", dir);
	if (l->root_fd < 0 && errno == EACCES) {
		ark_err_set(err, ARK_KIND_REFUSED, "the folder '%s' may not be read", dir);
		ark_err_hint(err, "run this as root or as the user it belongs to");
		return ARK_FAIL;
	}
	if (l->root_fd < 0 || fstat(l->root_fd, &st) != 0)
		return ark_err_errno(err, errno, "cannot open the folder '%s'", dir);
	if (opt->modes == STORE_MATTERMOST && geteuid() == 0 && st.st_uid != 0) {
		l->uid = st.st_uid;
		l->gid = st.st_gid;
	}
	return ARK_OK;
}

enum ark_rc local_open_store(const char *dir, const struct store_options *opt, struct store **out,
                             struct ark_err *err)
{
	struct local *l = ark_calloc(1, sizeof(*l));
	l->base = (struct store){ .verbs = &LOCAL_VERBS, .kind = STORE_LOCAL, .name = ark_strdupz(dir) };
	l->root_fd = l->temp_fd = -1;
	l->uid = (uid_t)-1;
	l->gid = (gid_t)-1;
	l->folder_mode = opt->modes == STORE_MATTERMOST ? 0750 : 0700;
	l->batch = opt->batch;
	ark_auto(store_closep) struct store *s = &l->base;
	enum ark_rc rc = open_root(l, dir, opt, err);
	if (rc < 0)
		return rc;
	if (opt->write)
		local_sweep(l);
	*out = s;
	s = NULL;
	return ARK_OK;
}
