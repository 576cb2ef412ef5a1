#include "common/io/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/base/str.h"

#include "common/base/banned.h"

enum ark_rc io_publish_begin(const char *path, struct io_publish *out, struct ark_err *err)
{
	size_t size = strlen(path) + sizeof(".part-XXXXXX");
	ark_auto(ark_freep) char *temp = ark_malloc(size);
	snprintf(temp, size, "%s.part-XXXXXX", path);
	if ((errno = ark_fail_step("make a file")) != 0)
		return ark_err_errno(err, errno, "cannot write '%s'", path);
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		ark_err_set(err, ARK_KIND_MISSING, "the folder that is to hold '%s' is not there", path);
		ark_err_hint(err, "create it first");
		return ARK_FAIL;
	}
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot write '%s'", path);
	*out = (struct io_publish){ .fd = fd, .path = ark_strdupz(path), .temp = temp };
	temp = NULL;
	return ARK_OK;
}

enum ark_rc io_publish_write(struct io_publish *p, const void *data, size_t len, struct ark_err *err)
{
	const char *at = data;
	while (len > 0) {
		size_t n = len;
		int errnum = ark_fail_write("write to a file", &n);
		ssize_t done = errnum != 0 ? -1 : write(p->fd, at, n);
		if (done < 0) {
			errnum = errnum != 0 ? errnum : errno;
			if (errnum == EINTR)
				continue;
			return ark_err_errno(err, errnum, "cannot write '%s'", p->path);
		}
		at += done;
		len -= (size_t)done;
	}
	return ARK_OK;
}

static enum ark_rc sync_folder(const char *path, struct ark_err *err)
{
	const char *slash = strrchr(path, '/');
	ark_auto(ark_freep) char *folder =
	    slash == NULL ? ark_strdupz(".")
	    : slash == path ? ark_strdupz("/") : ark_strdup(ark_str_n(path, (size_t)(slash - path)));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int errnum = fd < 0 ? errno : ark_fail_step("sync the folder of a file");
	if (errnum == 0 && fsync(fd) != 0)
		errnum = errno;
	if (fd >= 0)
		close(fd);
	return errnum == 0 ? ARK_OK : ark_err_errno(err, errnum, "cannot write the folder of '%s'", path);
}

enum ark_rc io_publish_finish(struct io_publish *p, struct ark_err *err)
{
	if ((errno = ark_fail_step("sync a file")) != 0 || fsync(p->fd) != 0)
		return ark_err_errno(err, errno, "cannot write '%s'", p->path);
	if ((errno = ark_fail_step("give a file its name")) != 0 || rename(p->temp, p->path) != 0)
		return ark_err_errno(err, errno, "cannot write '%s'", p->path);
	free(p->temp);
	p->temp = NULL;
	return sync_folder(p->path, err);
}

void io_publish_release(struct io_publish *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->temp != NULL)
		(void)unlink(p->temp);
	free(p->temp);
	free(p->path);
	*p = IO_PUBLISH_NONE;
}
