/*
 * Writing into a folder. Content grows in a folder of our own below the root (STORE_TEMP-<16 hex>) and
 * gets its path by one rename. A lock on that folder tells a living process from a rest: locks go with
 * their process, so no rest needs a hand.
 *
 * In batch mode the renames wait: one syncfs for the contents, then all renames, then one syncfs for
 * the names. A path thus never shows content that is not on disk.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/store/private.h"

#include "common/base/banned.h"

#define TEMP_PREFIX STORE_TEMP "-"
#define NUMBER 24
#define MEMORY_PIECE (1u << 20) /* between two looks for an interrupt */

struct local_writer {
	struct store_writer base;
	int fd;
	uint64_t number; /* name of the temporary file */
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

static void number_name(uint64_t number, char out[NUMBER])
{
	snprintf(out, NUMBER, "%" PRIu64, number);
}

/* errno of a fail point, set, or 0. */
static int fails(const char *step)
{
	int e = ark_fail_step(step);
	if (e != 0)
		errno = e;
	return e;
}

/* --- the temporary folder ---------------------------------------------------------------------- */

static DIR *list_fd(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	if (d == NULL && own >= 0)
		close(own);
	return d;
}

static void empty_folder(int fd)
{
	ark_auto(closedirp) DIR *d = list_fd(fd);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			unlinkat(fd, e->d_name, 0);
}

void local_sweep(const struct local *l)
{
	ark_auto(closedirp) DIR *d = list_fd(l->root_fd);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct stat st;
		if (strncmp(e->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) != 0)
			continue;
		ark_auto(close_fdp) int fd =
		    openat(l->root_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != geteuid() ||
		    flock(fd, LOCK_EX | LOCK_NB) != 0)
			continue;
		empty_folder(fd);
		unlinkat(l->root_fd, e->d_name, AT_REMOVEDIR);
	}
}

void local_forget(struct local *l)
{
	if (l->temp_fd < 0)
		return;
	empty_folder(l->temp_fd);
	unlinkat(l->root_fd, l->temp_name, AT_REMOVEDIR);
	close(l->temp_fd);
	l->temp_fd = -1;
}

/* Make and lock it. Between the two another process may take it for a rest. */
static enum ark_rc make_temp_folder(struct local *l, struct ark_err *err)
{
	for (unsigned tries = 0; tries < 8; tries++) {
		uint64_t r;
		struct stat st;
		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			return ark_err_errno(err, errno, "cannot get random bytes");
		snprintf(l->temp_name, sizeof(l->temp_name), TEMP_PREFIX "%016" PRIx64, r);
		if (fails("make the temporary folder of the store") != 0 ||
		    mkdirat(l->root_fd, l->temp_name, 0700) != 0)
			return local_errno(l, errno, "make", l->temp_name, err);
		int fd = openat(l->root_fd, l->temp_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* file systems without locks on folders: never swept either */
		bool locked = fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
		if (locked && fstat(fd, &st) == 0 && st.st_nlink > 0) {
			l->temp_fd = fd;
			return ARK_OK;
		}
		close_fdp(&fd);
	}
	return ark_err_stop(err, ARK_KIND_IO, "cannot keep a temporary folder in '%s'", l->base.name);
}

/* --- one path ---------------------------------------------------------------------------------- */

/* Give temporary file `number` its path. ARK_END: something is there already (if_absent). */
static enum ark_rc place(struct local *l, uint64_t number, const char *path, bool if_absent,
                         struct ark_err *err)
{
	char temp[NUMBER];
	number_name(number, temp);
	for (unsigned tries = 0;; tries++) {
		const char *name;
		ark_auto(close_fdp) int parent = local_parent(l, path, true, &name);
		if (parent < 0 || fails("rename into the store") != 0)
			return local_errno(l, errno == ENOENT ? EIO : errno, "put", path, err);
		int done = if_absent ? renameat2(l->temp_fd, temp, parent, name, RENAME_NOREPLACE)
		                     : renameat(l->temp_fd, temp, parent, name);
		if (done != 0 && if_absent && (errno == EINVAL || errno == ENOSYS)) {
			done = linkat(l->temp_fd, temp, parent, name, 0);
			if (done == 0)
				unlinkat(l->temp_fd, temp, 0);
		}
		if (done == 0 && !l->batch && (fails("sync the folder in the store") != 0 || fsync(parent) != 0))
			return local_errno(l, errno, "put", path, err);
		if (done == 0)
			return ARK_OK;
		if (if_absent && errno == EEXIST)
			return ARK_END;
		if (errno == EXDEV)
			return ark_err_set(err, ARK_KIND_REFUSED,
			                   "'%s' in '%s' lies on another file system", path, l->base.name);
		if (errno != ENOENT || tries == 3) /* ENOENT: somebody removed the empty folder */
			return local_errno(l, errno == ENOENT ? EIO : errno, "put", path, err);
	}
}

bool local_is_pending(const struct local *l, const char *path)
{
	for (size_t i = 0; i < l->pending_count; i++)
		if (strcmp(l->pending[i].path, path) == 0)
			return true;
	return false;
}

static enum ark_rc sync_all(struct local *l, const char *step, struct ark_err *err)
{
	if (fails(step) != 0 || syncfs(l->root_fd) != 0)
		return ark_err_errno(err, errno, "cannot bring '%s' to disk", l->base.name);
	return ARK_OK;
}

enum ark_rc local_flush(struct local *l, struct ark_err *err)
{
	if (l->pending_count == 0)
		return ARK_OK;
	enum ark_rc rc = sync_all(l, "sync the contents of the store", err);
	size_t n = 0;
	for (; rc == ARK_OK && n < l->pending_count; n++)
		rc = place(l, l->pending[n].temp, l->pending[n].path, false, err);
	/* what has its path waits no longer; after a failure the rest is given up with the store */
	for (size_t i = 0; i < l->pending_count; i++)
		free(l->pending[i].path);
	l->pending_count = 0;
	return rc == ARK_OK ? sync_all(l, "sync the names of the store", err) : rc;
}

/* --- writers ----------------------------------------------------------------------------------- */

enum ark_rc local_begin(struct store *s, const char *path, unsigned flags, struct store_writer **out,
                        struct ark_err *err)
{
	struct local *l = (struct local *)s;
	char temp[NUMBER];
	enum ark_rc rc = l->temp_fd < 0 ? make_temp_folder(l, err) : ARK_OK;
	if (rc < 0)
		return rc;
	uint64_t number = l->temp_next++;
	number_name(number, temp);
	int fd = fails("make a file of the store") != 0
	             ? -1
	             : openat(l->temp_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && l->uid != (uid_t)-1 && fchown(fd, l->uid, l->gid) != 0) {
		int e = errno;
		close(fd);
		unlinkat(l->temp_fd, temp, 0);
		errno = e;
		fd = -1;
	}
	if (fd < 0)
		return local_errno(l, errno == ENOENT ? EIO : errno, "put", path, err);
	struct local_writer *w = ark_calloc(1, sizeof(*w));
	w->base = (struct store_writer){ s, ark_strdupz(path), flags };
	w->fd = fd;
	w->number = number;
	*out = &w->base;
	return ARK_OK;
}

enum ark_rc local_add(struct store_writer *writer, const char *ptr, size_t len, struct ark_err *err)
{
	struct local_writer *w = (struct local_writer *)writer;
	while (len > 0) {
		size_t now = len;
		int bad = ark_fail_write("write into the store", &now);
		ssize_t n = bad != 0 ? -1 : write(w->fd, ptr, now);
		if (bad != 0)
			errno = bad;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return local_errno((struct local *)writer->store, errno, "write", writer->path, err);
		ptr += n;
		len -= (size_t)n;
	}
	return ARK_OK;
}

/* Into the batch. An earlier put of the same path that still waits comes first. */
static enum ark_rc wait_for_sync(struct local *l, struct local_writer *w, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (l->pending_count == STORE_BATCH || local_is_pending(l, w->base.path))
		rc = local_flush(l, err);
	if (rc < 0)
		return rc;
	l->pending[l->pending_count++] = (struct local_pending){ w->base.path, w->number };
	w->base.path = NULL;
	return ARK_OK;
}

/* On disk and at its path now; also in batch mode, where the folder's descriptor is not synced. */
static enum ark_rc put_now(struct local *l, struct local_writer *w, struct ark_err *err)
{
	bool if_absent = (w->base.flags & STORE_IF_ABSENT) != 0;
	enum ark_rc rc = local_is_pending(l, w->base.path) ? local_flush(l, err) : ARK_OK;
	if (rc < 0)
		return rc;
	if (fails("sync a file of the store") != 0 || fsync(w->fd) != 0)
		return local_errno(l, errno, "write", w->base.path, err);
	bool batch = l->batch;
	l->batch = false;
	rc = place(l, w->number, w->base.path, if_absent, err);
	l->batch = batch;
	return rc;
}

static void release_writer(struct local_writer *w, bool keep)
{
	struct local *l = (struct local *)w->base.store;
	char temp[NUMBER];
	number_name(w->number, temp);
	close_fdp(&w->fd);
	if (!keep)
		unlinkat(l->temp_fd, temp, 0);
	free(w->base.path);
	free(w);
}

enum ark_rc local_end(struct store_writer *writer, struct ark_err *err)
{
	struct local_writer *w = (struct local_writer *)writer;
	struct local *l = (struct local *)writer->store;
	bool waits = l->batch && (writer->flags & STORE_IF_ABSENT) == 0;
	enum ark_rc rc = waits ? wait_for_sync(l, w, err) : put_now(l, w, err);
	release_writer(w, rc == ARK_OK);
	return rc;
}

void local_drop(struct store_writer *w)
{
	release_writer((struct local_writer *)w, false);
}

/* The next piece of a body: where it is in memory, or read into `space`. */
static enum ark_rc next_piece(struct local *l, const struct ark_body *body, uint64_t at, const char **piece,
                              size_t *got, struct ark_err *err)
{
	if (body->fd < 0) {
		*got = body->len - at < MEMORY_PIECE ? (size_t)(body->len - at) : MEMORY_PIECE;
		*piece = body->mem.ptr + at;
		return ARK_OK;
	}
	if (l->space == NULL)
		l->space = ark_malloc(LOCAL_SPACE);
	*piece = l->space;
	return ark_body_read(body, at, l->space, LOCAL_SPACE, got, err);
}

enum ark_rc local_put(struct store *s, const char *path, const struct ark_body *body, unsigned flags,
                      struct ark_err *err)
{
	struct local *l = (struct local *)s;
	struct store_writer *w;
	enum ark_rc rc = local_begin(s, path, flags, &w, err);
	if (rc != ARK_OK)
		return rc;
	for (uint64_t at = 0; rc == ARK_OK && at < body->len;) {
		const char *piece = NULL;
		size_t got = 0; /* stays so when there is no next piece */
		rc = next_piece(l, body, at, &piece, &got, err);
		if (rc == ARK_OK)
			rc = local_add(w, piece, got, err);
		if (rc == ARK_OK)
			rc = store_interrupt(s, err);
		at += got;
	}
	if (rc == ARK_OK)
		return local_end(w, err);
	local_drop(w);
	return rc;
}
