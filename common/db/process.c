/*
 * Why not pg_ctl: it puts folder names into a shell command, and waits in steps of its own. Why not
 * su or runuser: they are not everywhere and want a terminal or a log entry.
 */
#include "common/db/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#include "common/base/banned.h"

#define STEP_US 10000
#define TAIL 700 /* bytes of a failed program's words that go into the error */

enum ark_rc db_user_find(struct db_user *out, struct ark_err *err)
{
	*out = (struct db_user){ .uid = geteuid(), .gid = getegid() };
	if (out->uid != 0)
		return ARK_OK;
	errno = 0;
	const struct passwd *pw = getpwnam("postgres");
	if (pw == NULL) {
		ark_err_set(err, ARK_KIND_MISSING,
		            "PostgreSQL does not run as root and there is no user 'postgres'");
		ark_err_hint(err, "install the PostgreSQL server package, or run as an ordinary user");
		return ARK_FAIL;
	}
	*out = (struct db_user){ .other = true, .uid = pw->pw_uid, .gid = pw->pw_gid,
		                 .group_count = DB_USER_GROUPS };
	snprintf(out->name, sizeof(out->name), "%s", pw->pw_name);
	if (getgrouplist(out->name, out->gid, out->groups, &out->group_count) < 0)
		out->group_count = 0; /* more than there is room for: the main group will do */
	return ARK_OK;
}

/* In a child, before exec: only calls that are safe there. */
static bool become(const struct db_user *user)
{
	return !user->other || (setgroups((size_t)user->group_count, user->groups) == 0 &&
	                        setgid(user->gid) == 0 && setuid(user->uid) == 0);
}

int db_process_reap(pid_t pid)
{
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

bool db_user_can(const struct db_user *user, const char *path, int mode)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(become(user) && access(path, mode) == 0 ? 0 : 1);
	return db_process_reap(pid) == 0;
}

/* --- children -------------------------------------------------------------------------------- */

/*
 * In the child: descriptors, signals, folder, user, program. Does not return.
 * ends_with_us  signal it gets when we die before it, or 0
 */
static void child_exec(const struct db_user *user, const char *const *argv, const char *cwd, int out,
                       int keep, int ends_with_us)
{
	/* what we were started with does not reach the server: its variables would change it */
	static const char *const ENV[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL };
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	int in = open("/dev/null", O_RDONLY);
	if (in < 0 || dup2(out, 2) < 0 || dup2(in, 0) < 0 || dup2(2, 1) < 0)
		_exit(126);
	if (keep >= 0 && keep != 3 && dup2(keep, 3) < 0)
		_exit(126);
	if (keep == 3 && fcntl(3, F_SETFD, 0) < 0)
		_exit(126);
	close_range(keep >= 0 ? 4 : 3, ~0U, 0);
	umask(077);
	if (!become(user) || chdir(cwd) != 0 || prctl(PR_SET_PDEATHSIG, ends_with_us) != 0)
		_exit(125);
	execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)ENV);
	_exit(127);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The last lines a program wrote, as one. */
static void tail(int fd, char out[TAIL + 1])
{
	struct stat st;
	off_t from = fstat(fd, &st) == 0 && st.st_size > TAIL ? st.st_size - TAIL : 0;
	ssize_t n = pread(fd, out, TAIL, from);
	struct ark_str s = ark_str_trim(ark_str_n(out, n > 0 ? (size_t)n : 0));
	memmove(out, s.ptr, s.len);
	out[s.len] = '\0';
	for (char *p = out; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

static enum ark_rc wait_end(pid_t pid, bool (*interrupted)(void), int *status, struct ark_err *err)
{
	bool told = false;
	for (;;) {
		pid_t n = waitpid(pid, status, WNOHANG);
		if (n == pid)
			break;
		if (n < 0 && errno != EINTR)
			return ark_err_errno(err, errno, "cannot wait for a program");
		if (!told && interrupted != NULL && interrupted()) {
			kill(pid, SIGTERM);
			told = true;
		}
		usleep(STEP_US);
	}
	return told ? ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted") : ARK_OK;
}

enum ark_rc db_program_run(const struct db_user *user, const char *const *argv, const char *cwd,
                           int keep_fd, bool (*interrupted)(void), struct ark_err *err)
{
	ark_auto(close_fd) int out = memfd_create("output", MFD_CLOEXEC);
	if (out < 0)
		return ark_err_errno(err, errno, "cannot keep the output of a program");
	pid_t pid = fork();
	if (pid == 0)
		child_exec(user, argv, cwd, out, keep_fd, SIGKILL);
	if (pid < 0)
		return ark_err_errno(err, errno, "cannot start '%s'", argv[0]);
	int status = 0;
	enum ark_rc rc = wait_end(pid, interrupted, &status, err);
	if (rc < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return rc;
	char words[TAIL + 1];
	tail(out, words);
	return ark_err_set(err, ARK_KIND_DB, "'%s' failed: %s", argv[0], words);
}

enum ark_rc db_program_detach(const struct db_user *user, const char *const *argv, const char *cwd,
                              const char *log, int *life_fd, struct ark_err *err)
{
	ark_auto(close_fd) int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", log);
	int life[2];
	if (pipe2(life, O_CLOEXEC) != 0)
		return ark_err_errno(err, errno, "cannot make a pipe");
	/* Twice, so that nobody has to collect the program when it ends. */
	pid_t pid = fork();
	if (pid == 0) {
		if (setsid() < 0 || (pid = fork()) < 0)
			_exit(126);
		if (pid > 0)
			_exit(0);
		child_exec(user, argv, cwd, out, life[1], 0);
	}
	int saved = errno;
	close(life[1]);
	if (db_process_reap(pid) != 0) {
		close(life[0]);
		return ark_err_errno(err, pid < 0 ? saved : EAGAIN, "cannot start '%s'", argv[0]);
	}
	*life_fd = life[0];
	return ARK_OK;
}

/* --- looking --------------------------------------------------------------------------------- */

/* Dead, and not collected by its parent: PID 1 of many containers never does that. */
static bool is_zombie(const char *proc_entry)
{
	char path[300], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%s/stat", proc_entry);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *name_end = strrchr(text, ')'); /* "PID (NAME) STATE ..." */
	return name_end != NULL && strncmp(name_end, ") Z", 3) == 0;
}

static enum db_known cwd_is(const char *proc_entry, const struct stat *folder)
{
	char cwd[300];
	struct stat st;
	snprintf(cwd, sizeof(cwd), "/proc/%s/cwd", proc_entry);
	if (stat(cwd, &st) != 0)
		return is_zombie(proc_entry) ? DB_NO : DB_UNKNOWN;
	return st.st_dev == folder->st_dev && st.st_ino == folder->st_ino ? DB_YES : DB_NO;
}

/* pid 0: any process. */
static enum db_known look(pid_t pid, const char *path)
{
	struct stat folder;
	char entry[32];
	if (stat(path, &folder) != 0)
		return DB_UNKNOWN;
	snprintf(entry, sizeof(entry), "%ld", (long)pid);
	if (pid != 0)
		return cwd_is(entry, &folder);
	DIR *proc = opendir("/proc");
	bool found = false;
	for (const struct dirent *e; !found && proc != NULL && (e = readdir(proc)) != NULL;)
		found = e->d_name[0] >= '1' && e->d_name[0] <= '9' && cwd_is(e->d_name, &folder) == DB_YES;
	if (proc != NULL)
		closedir(proc);
	return found ? DB_YES : DB_NO;
}

static enum db_known look_as(const struct db_user *user, pid_t pid, const char *path)
{
	if (!user->other)
		return look(pid, path);
	pid_t child = fork();
	if (child == 0)
		_exit(become(user) ? (int)look(pid, path) : (int)DB_UNKNOWN);
	int status = db_process_reap(child);
	return WIFEXITED(status) ? (enum db_known)WEXITSTATUS(status) : DB_UNKNOWN;
}

enum db_known db_process_is(const struct db_user *user, pid_t pid, const char *path)
{
	return look_as(user, pid, path);
}

bool db_process_in(const struct db_user *user, const char *path)
{
	return look_as(user, 0, path) == DB_YES;
}
