/* As git does it: $PAGER, else less, and only where people look. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cli/signal.h"
#include "export/history/history.h"

#include "common/base/banned.h"

enum ark_rc history_pager_begin(struct history_pager *p, bool wanted, struct ark_err *err)
{
	const char *pager = getenv("PAGER");
	int ends[2];
	p->pid = -1;
	if (!wanted || !isatty(STDOUT_FILENO) || (pager != NULL && (pager[0] == '\0' || strcmp(pager, "cat") == 0)))
		return ARK_OK;
	if (pipe(ends) != 0)
		return ark_err_errno(err, errno, "cannot start the pager");
	pid_t pid = fork();
	if (pid < 0)
		return ark_err_errno(err, errno, "cannot start the pager");
	if (pid == 0) {
		ark_signal_default();
		(void)dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		(void)setenv("LESS", "FRX", 0);
		execl("/bin/sh", "sh", "-c", pager != NULL ? pager : "less || more || cat", (char *)NULL);
		_exit(127);
	}
	(void)dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
	p->pid = pid;
	return ARK_OK;
}

void history_pager_end(struct history_pager *p, struct ark_talk *talk)
{
	if (p->pid < 0)
		return;
	(void)fflush(talk->out);
	close(STDOUT_FILENO);
	(void)open("/dev/null", O_WRONLY);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	p->pid = -1;
}
