/*
 * PostgreSQL's programs as the user they may run as. Not for other rooms.
 */
#ifndef ARK_DB_PROCESS_H
#define ARK_DB_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"

#define DB_USER_GROUPS 64

/* Who runs the server: `postgres` when we are root, else we ourselves. */
struct db_user {
	bool other; /* not ourselves: children change to it */
	uid_t uid;
	gid_t gid;
	gid_t groups[DB_USER_GROUPS];
	int group_count;
	char name[64];
};

enum ark_rc db_user_find(struct db_user *out, struct ark_err *err);
/* access(2) as that user. */
bool db_user_can(const struct db_user *user, const char *path, int mode);

/*
 * Run a program to its end, in `cwd`, with a bare environment. FAIL with the last of what it said
 * when it does not exit with 0. Terminated when interrupted.
 * keep_fd  stays open in it (a lock that must not be free before it ended), or -1
 */
enum ark_rc db_program_run(const struct db_user *user, const char *const *argv, const char *cwd,
                           int keep_fd, bool (*interrupted)(void), struct ark_err *err);
/*
 * Start a program that outlives us, in a session of its own, its output appended to `log`.
 * life_fd  out; a pipe that ends when the program and all its children are gone; close it
 */
enum ark_rc db_program_detach(const struct db_user *user, const char *const *argv, const char *cwd,
                              const char *log, int *life_fd, struct ark_err *err);

/* Collect a child of ours (waits); a pid that is not positive is nothing. */
int db_process_reap(pid_t pid);
/* Whether a process has `path` as its working folder; looked at as that user, because root in a
 * container may not look at what others run. */
enum db_known {
	DB_NO,
	DB_YES,
	DB_UNKNOWN,
};
enum db_known db_process_is(const struct db_user *user, pid_t pid, const char *path);
/* Any process at all (those that cannot be looked at do not count). */
bool db_process_in(const struct db_user *user, const char *path);

#endif
