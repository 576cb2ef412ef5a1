#include "common/base/fail.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/tap.h"

/* The counter is one for the process, so each claim has a process of its own. */
static int in_child(const char *at, int (*fn)(void))
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (at != NULL)
			setenv("ARK_FAIL_AT", at, 1);
		else
			unsetenv("ARK_FAIL_AT");
		_exit(fn());
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

/* Which of three steps went wrong, and how: 10 * step + 1 (ENOSPC), 2 (EIO), 3 (EINTR), 4 (short). */
static int three_writes(void)
{
	for (int i = 1; i <= 3; i++) {
		size_t len = 100;
		int errnum = ark_fail_write("three", &len);
		int how = errnum == ENOSPC ? 1 : errnum == EIO ? 2 : errnum == EINTR ? 3 : len != 100 ? 4 : 0;
		if (how != 0)
			return 10 * i + how;
	}
	return 0;
}

static int three_steps(void)
{
	for (int i = 1; i <= 3; i++) {
		int errnum = ark_fail_step("three");
		if (errnum != 0)
			return 10 * i + (errnum == ENOSPC ? 1 : errnum == EIO ? 2 : 9);
	}
	return 0;
}

static void the_step_that_was_named_goes_wrong(void)
{
	static const struct {
		const char *at;
		int write, step;
	} CASES[] = {
		{ NULL, 0, 0 },        { "", 0, 0 },          { "0:eio", 0, 0 },      { "4:eio", 0, 0 },
		{ "1:enospc", 11, 11 }, { "2:eio", 22, 22 },   { "3:eintr", 33, 0 },   { "2:short", 24, 0 },
		{ "x:eio", 0, 0 },
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		int status = in_child(CASES[i].at, three_writes);
		CHECK(WIFEXITED(status));
		CHECK_I64(WEXITSTATUS(status), CASES[i].write);
		status = in_child(CASES[i].at, three_steps);
		CHECK(WIFEXITED(status));
		CHECK_I64(WEXITSTATUS(status), CASES[i].step);
	}
}

static void a_process_dies_at_its_step(void)
{
	int status = in_child("2", three_steps);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = in_child("3:kill", three_writes);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void steps_are_listed(void)
{
	char path[] = "/tmp/ark-fail-XXXXXX", text[200];
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	setenv("ARK_FAIL_LOG", path, 1);
	CHECK_I64(in_child(NULL, three_steps), 0);
	unsetenv("ARK_FAIL_LOG");
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	CHECK_STR(ark_str_z(text), "1 three\n2 three\n3 three\n");
	close(fd);
	unlink(path);
}

int main(void)
{
	TAP_RUN(the_step_that_was_named_goes_wrong);
	TAP_RUN(a_process_dies_at_its_step);
	TAP_RUN(steps_are_listed);
	return tap_done();
}
