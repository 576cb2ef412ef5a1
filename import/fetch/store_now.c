#include "import/fetch/store_now.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/limits.h"

#include "common/base/banned.h"

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Folders of `full` behind its first `from` bytes, as the server makes them. */
static enum ark_rc make_folders(char *full, size_t from, struct ark_err *err)
{
	for (char *p = full + from; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		bool bad = mkdir(full, 0750) != 0 && errno != EEXIST;
		if (bad)
			return ark_err_errno(err, errno, "cannot make folder '%s'", full);
		*p = '/';
	}
	return ARK_OK;
}

static enum ark_rc write_all(int fd, struct ark_str body, const char *name, struct ark_err *err)
{
	for (size_t at = 0; at < body.len;) {
		size_t len = body.len - at;
		int fail = ark_fail_write("write file", &len);
		ssize_t n = fail == 0 ? write(fd, body.ptr + at, len) : -1;
		if (n < 0 && fail == 0)
			fail = errno;
		if (n < 0 && fail != EINTR)
			return ark_err_errno(err, fail, "cannot write '%s'", name);
		at += n > 0 ? (size_t)n : 0;
	}
	int fail = ark_fail_step("fsync file");
	if (fail == 0 && fsync(fd) != 0)
		fail = errno;
	return fail == 0 ? ARK_OK : ark_err_errno(err, fail, "cannot write '%s'", name);
}

enum ark_rc store_put(struct store *s, const char *path, struct ark_str body, struct ark_err *err)
{
	char full[LIMIT_ENTRY_NAME], temp[LIMIT_ENTRY_NAME + 8];
	int n = snprintf(full, sizeof(full), "%s/%s", s->dir, path);
	if (n < 0 || (size_t)n >= sizeof(full))
		return ark_err_set(err, ARK_KIND_LIMIT, "path '%s' is too long", path);
	snprintf(temp, sizeof(temp), "%s.tmp", full);
	enum ark_rc rc = make_folders(full, 1, err);
	if (rc < 0)
		return rc;
	ark_auto(closep) int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot write '%s'", full);
	rc = write_all(fd, body, full, err);
	int fail = rc == ARK_OK ? ark_fail_step("rename file") : 0;
	if (rc == ARK_OK && fail == 0 && rename(temp, full) != 0)
		fail = errno;
	if (fail != 0)
		rc = ark_err_errno(err, fail, "cannot name '%s'", full);
	if (rc < 0)
		unlink(temp);
	return rc;
}
