#include "import/report/private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fail.h"

#include "common/base/banned.h"

/* Enough to make system calls rare, little enough to forget in the budget of memory. */
#define GATHER_BYTES (64u << 10)

enum ark_rc report_file_create(int folder_fd, const char *name, struct report_file *out,
                               struct ark_err *err)
{
	int errnum = ark_fail_step(name);
	if (errnum != 0)
		return ark_err_errno(err, errnum, "cannot create '%s'", name);
	int fd =
	    openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot create '%s'", name);
	*out = (struct report_file){ .fd = fd, .name = name };
	ark_buf_init(&out->text, SIZE_MAX / 2);
	return ARK_OK;
}

static void write_out(struct report_file *f)
{
	size_t at = 0;
	while (at < f->text.len && f->errnum == 0) {
		size_t piece = f->text.len - at;
		errno = ark_fail_write("write to the report", &piece);
		ssize_t n = errno == 0 ? write(f->fd, f->text.data + at, piece) : -1;
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			f->errnum = errno;
	}
	ark_buf_reset(&f->text);
}

void report_file_drain(struct report_file *f)
{
	if (f->text.len >= GATHER_BYTES)
		write_out(f);
}

enum ark_rc report_file_finish(struct report_file *f, struct ark_err *err)
{
	write_out(f);
	if (f->errnum == 0)
		f->errnum = ark_fail_step("sync a file of the report");
	if (f->errnum == 0 && fsync(f->fd) != 0)
		f->errnum = errno;
	int fd = f->fd;
	f->fd = -1;
	if (close(fd) != 0 && f->errnum == 0)
		f->errnum = errno;
	ark_buf_release(&f->text);
	if (f->errnum != 0)
		return ark_err_errno(err, f->errnum, "cannot write '%s'", f->name);
	return ARK_OK;
}

void report_file_release(struct report_file *f)
{
	if (f->fd >= 0) {
		close(f->fd);
		ark_buf_release(&f->text);
	}
	f->fd = -1;
}
