/* posix_spawn, because other threads tell other receivers meanwhile: nothing of ours runs in the child. */
#include "common/notify/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define LOOK_MS 20
#define GRACE_MS 1000 /* from the request to end until it is ended */
#define OWN_OPTION "MATTERARK_NOTIFY="

extern char **environ;

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A file without a name: unlike a pipe it never fills and nobody has to stay and feed it. */
static enum ark_rc make_input(struct ark_str input, int *out, struct ark_err *err)
{
	ark_auto(closep) int fd = memfd_create("notice", MFD_CLOEXEC);
	for (size_t at = 0; fd >= 0 && at < input.len;) {
		ssize_t n = write(fd, input.ptr + at, input.len - at);
		if (n <= 0)
			return ark_err_set(err, ARK_KIND_IO, "cannot write its input: %s", strerror(errno));
		at += (size_t)n;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return ark_err_set(err, ARK_KIND_IO, "cannot make its input: %s", strerror(errno));
	*out = fd;
	fd = -1;
	return ARK_OK;
}

/* Borrowed strings in an array of ours. */
static char **make_environment(struct ark_str variables)
{
	size_t n = 0, more = 0;
	while (environ[n] != NULL)
		n++;
	for (size_t i = 0; i < variables.len; i++)
		more += variables.ptr[i] == '\0';
	char **all = ark_calloc(n + more + 1, sizeof(all[0]));
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], OWN_OPTION, sizeof(OWN_OPTION) - 1) != 0)
			all[count++] = environ[i];
	}
	for (size_t at = 0; at < variables.len; at += strlen(variables.ptr + at) + 1) {
		union {
			const char *in;
			char *out;
		} v = { variables.ptr + at }; /* posix_spawn changes none of them */
		all[count++] = v.out;
	}
	return all;
}

static int spawn(const char *command, int input, char *const *environment, pid_t *pid)
{
	union {
		const char *in;
		char *out;
	} words[] = { { "sh" }, { "-c" }, { command } };
	char *argv[] = { words[0].out, words[1].out, words[2].out, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE); /* ignored by us; handlers of ours end with exec by themselves */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	int errnum = posix_spawn(pid, "/bin/sh", &actions, &attr, argv, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return errnum;
}

/* True when it ended by `end_ms`. */
static bool wait_until(pid_t pid, int64_t end_ms, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (ark_time_tick_ms() >= end_ms)
			return false;
		struct timespec pause = { 0, LOOK_MS * 1000000L };
		nanosleep(&pause, NULL);
	}
}

static enum ark_rc too_long(pid_t pid, int64_t end_ms, struct ark_err *err)
{
	int status;
	kill(-pid, SIGTERM);
	if (!wait_until(pid, end_ms, &status)) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	return ark_err_set(err, ARK_KIND_IO, "the command took too long and was ended");
}

enum ark_rc notify_command_run(const char *command, struct ark_str input, struct ark_str variables,
                               int64_t end_ms, struct ark_err *err)
{
	ark_auto(closep) int fd = -1;
	int status = 0;
	pid_t pid = 0;
	enum ark_rc rc = make_input(input, &fd, err);
	if (rc < 0)
		return rc;
	char **environment = make_environment(variables);
	int errnum = spawn(command, fd, environment, &pid);
	free(environment);
	if (errnum != 0)
		return ark_err_set(err, ARK_KIND_IO, "the command cannot be started: %s", strerror(errnum));
	if (!wait_until(pid, end_ms - GRACE_MS, &status))
		return too_long(pid, end_ms, err);
	if (WIFSIGNALED(status))
		return ark_err_set(err, ARK_KIND_IO, "the command was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return ark_err_set(err, ARK_KIND_IO, "the command ended with exit code %d", WEXITSTATUS(status));
	return ARK_OK;
}
