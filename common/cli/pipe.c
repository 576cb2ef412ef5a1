/*
 * Secrets come out of commands too: --api-token-file <(pass show mattermost). Whoever reads the file may do so several
 * times, or look at its mode first; so what the pipe says is kept in memory and named as a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/private.h"

#include "common/base/banned.h"

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int copy(int from, int to)
{
	char piece[4096];
	size_t sum = 0;
	ssize_t n;
	int error = 0;
	while ((n = read(from, piece, sizeof(piece))) > 0 && error == 0) {
		sum += (size_t)n;
		if (sum > LIMIT_SECRET)
			error = EFBIG;
		else if (write(to, piece, (size_t)n) != n)
			error = errno;
	}
	error = n < 0 && error == 0 ? errno : error;
	explicit_bzero(piece, sizeof(piece));
	return error;
}

/* The memory stays open until the process ends: it is what the path leads to. */
static enum ark_rc keep(struct ark_args *args, const char **path, struct ark_err *err)
{
	ark_auto(closep) int from = open(*path, O_RDONLY | O_CLOEXEC);
	int to = from >= 0 ? memfd_create("secret", MFD_CLOEXEC) : -1;
	int error = to < 0 || fchmod(to, 0600) != 0 ? errno : copy(from, to);
	if (error != 0) {
		closep(&to);
		ark_err_errno(err, error, "cannot read '%s'", *path);
		err->kind = ARK_KIND_USAGE;
		return ARK_FAIL;
	}
	*path = ark_args_text(args, "/proc/self/fd/%d", to);
	return ARK_OK;
}

enum ark_rc ark_pipes_read(struct ark_args *args, void *config, struct ark_err *err)
{
	const struct ark_tool *tool = args->tool;
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < tool->option_count && rc == ARK_OK; i++) {
		const struct ark_option *o = &tool->options[i];
		struct stat st;
		if (o->type != ARK_TEXT || (o->flags & ARK_READS_PIPE) == 0)
			continue;
		const char **value = (const char **)(void *)((char *)config + o->at);
		if (*value != NULL && stat(*value, &st) == 0 && S_ISFIFO(st.st_mode))
			rc = keep(args, value, err);
	}
	return rc;
}
