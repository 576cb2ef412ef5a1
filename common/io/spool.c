#include "common/io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/fail.h"

#include "common/base/banned.h"

const char *io_temp_dir(void)
{
	const char *dir = getenv("TMPDIR");
	return dir != NULL && dir[0] != '\0' ? dir : "/tmp";
}

/* Without a name from the beginning where the file system has that; else it loses its name at once. */
int io_temp_file(const char *dir)
{
	if ((errno = ark_fail_step("make a temporary file")) != 0)
		return -1;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/matterark-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

enum ark_rc io_spool_add(struct io_spool *s, const char *dir, const char *ptr, size_t len,
                           struct ark_err *err)
{
	if (s->fd < 0) {
		s->fd = io_temp_file(dir);
		if (s->fd < 0)
			return ark_err_errno(err, errno, "cannot make a temporary file in '%s'", dir);
		s->len = 0;
	}
	while (len > 0) {
		size_t piece = len;
		errno = ark_fail_write("write to a temporary file", &piece);
		ssize_t n = errno == 0 ? pwrite(s->fd, ptr, piece, (off_t)s->len) : -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ark_err_errno(err, n == 0 ? ENOSPC : errno,
			                     "cannot write to a temporary file in '%s'", dir);
		ptr += n;
		len -= (size_t)n;
		s->len += (uint64_t)n;
	}
	return ARK_OK;
}

enum ark_rc io_spool_read(const struct io_spool *s, uint64_t at, char *to, size_t len,
                            struct ark_err *err)
{
	while (len > 0) {
		ssize_t n = pread(s->fd, to, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ark_err_errno(err, n == 0 ? EIO : errno, "cannot read a temporary file back");
		to += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return ARK_OK;
}

void io_spool_close(struct io_spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	*s = IO_SPOOL_NONE;
}
