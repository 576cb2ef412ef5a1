/* Why the variables are read again at each step: only tests set them, and nothing has to be kept. */
#include "common/base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/banned.h"

#define WHAT_BYTES 100

enum { UNKNOWN, OFF, ON };

static atomic_int state;
static atomic_ulong steps;

static void log_step(unsigned long n, const char *what)
{
	const char *path = getenv("ARK_FAIL_LOG");
	char line[WHAT_BYTES + 32];
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	size_t end = strcspn(what, "\n");
	int len = snprintf(line, sizeof(line), "%lu %.*s\n", n, (int)(end < WHAT_BYTES ? end : WHAT_BYTES), what);
	if (write(fd, line, (size_t)len) != len)
		abort(); /* a test that counts wrongly must not pass */
	close(fd);
}

/* HOW of the step that is next, NULL when it is to go well. */
static const char *how_now(const char *what)
{
	if (atomic_load_explicit(&state, memory_order_relaxed) == UNKNOWN)
		atomic_store(&state, getenv("ARK_FAIL_AT") != NULL || getenv("ARK_FAIL_LOG") != NULL ? ON : OFF);
	if (atomic_load_explicit(&state, memory_order_relaxed) == OFF)
		return NULL;
	unsigned long n = atomic_fetch_add(&steps, 1) + 1;
	log_step(n, what);
	const char *at = getenv("ARK_FAIL_AT");
	char *end = NULL;
	if (at == NULL || strtoul(at, &end, 10) != n || end == at)
		return NULL;
	if (*end == '\0' || strcmp(end, ":kill") == 0)
		raise(SIGKILL);
	return end + 1;
}

static int errno_of(const char *how)
{
	if (how == NULL)
		return 0;
	return strcmp(how, "enospc") == 0 ? ENOSPC : strcmp(how, "eio") == 0 ? EIO : 0;
}

int ark_fail_step(const char *what)
{
	return errno_of(how_now(what));
}

int ark_fail_write(const char *what, size_t *len)
{
	const char *how = how_now(what);
	if (how != NULL && strcmp(how, "eintr") == 0)
		return EINTR;
	if (how != NULL && strcmp(how, "short") == 0 && *len > 1)
		*len /= 2;
	return errno_of(how);
}
