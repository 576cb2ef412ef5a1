#include "backup/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/db/dsn.h"

#include "common/base/banned.h"

#define SAID_MAX 4096 /* of what it says when it fails */
#define NEWEST 40     /* major versions are looked for up to this one */

extern char **environ;

/* A running program: its standard output and error. Left before it ended: ended here. */
struct child {
	pid_t pid;
	int out, err;
};

static void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void child_release(struct child *c)
{
	close_fdp(&c->out);
	close_fdp(&c->err);
	if (c->pid > 0) {
		kill(c->pid, SIGTERM);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

static enum ark_rc spawn(char *const argv[], char *const env[], struct child *c, struct ark_err *err)
{
	int out[2], errs[2];
	if (pipe2(out, O_CLOEXEC) != 0)
		return ark_err_errno(err, errno, "cannot make a pipe");
	if (pipe2(errs, O_CLOEXEC) != 0) {
		int e = errno;
		close(out[0]);
		close(out[1]);
		return ark_err_errno(err, e, "cannot make a pipe");
	}
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, errs[1], 2);
	int failed = posix_spawn(&c->pid, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(errs[1]);
	c->out = out[0];
	c->err = errs[0];
	if (failed != 0) {
		c->pid = 0;
		return ark_err_errno(err, failed, "cannot run '%s'", argv[0]);
	}
	return ARK_OK;
}

/* What is there to be read now, appended; closes the pipe at its end. */
static void drain(int *fd, struct ark_buf *to)
{
	char space[65536];
	ssize_t n = read(*fd, space, sizeof(space));
	if (n > 0)
		ark_buf_add(to, space, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		close_fdp(fd);
}

/* Both outputs to their ends and the exit code. */
static enum ark_rc collect(struct child *c, struct ark_buf *out, struct ark_buf *said, _Atomic bool *stop,
                           int *status, struct ark_err *err)
{
	while (c->out >= 0 || c->err >= 0) {
		struct pollfd fds[2] = { { .fd = c->out, .events = POLLIN }, { .fd = c->err, .events = POLLIN } };
		if (stop != NULL && *stop)
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
		if (poll(fds, 2, 200) < 0 && errno != EINTR)
			return ark_err_errno(err, errno, "cannot wait for a program");
		if (c->out >= 0 && fds[0].revents != 0)
			drain(&c->out, out);
		if (c->err >= 0 && fds[1].revents != 0)
			drain(&c->err, said);
	}
	while (waitpid(c->pid, status, 0) < 0)
		if (errno != EINTR)
			return ark_err_errno(err, errno, "cannot wait for a program");
	c->pid = 0;
	return ARK_OK;
}

/* --- which program -------------------------------------------------------------------------------- */

/* "pg_dump (PostgreSQL) 15.20 (Debian ...)": 15, or 0. */
static int major_of(const char *path)
{
	ark_auto(child_release) struct child c = { .out = -1, .err = -1 };
	ark_auto(ark_buf_release) struct ark_buf out = { 0 };
	ark_auto(ark_buf_release) struct ark_buf said = { 0 };
	struct ark_err err = { 0 };
	int status = 0;
	ark_auto(ark_freep) char *program = ark_strdupz(path);
	char version[] = "--version";
	char *argv[] = { program, version, NULL };
	ark_buf_init(&out, SAID_MAX);
	ark_buf_init(&said, SAID_MAX);
	if (access(path, X_OK) != 0 || spawn(argv, environ, &c, &err) < 0 ||
	    collect(&c, &out, &said, NULL, &status, &err) < 0 || status != 0)
		return 0;
	struct ark_str start = ARK_LIT("pg_dump (PostgreSQL) ");
	int major = 0;
	for (size_t at = ark_str_starts(ark_buf_view(&out), start) ? start.len : out.len; at < out.len && out.data[at] >= '0' && out.data[at] <= '9'; at++)
		major = major * 10 + (out.data[at] - '0');
	return major;
}

static bool take(const char *path, int major, struct dump_program *out)
{
	if (strlen(path) >= sizeof(out->path) || major_of(path) != major)
		return false;
	snprintf(out->path, sizeof(out->path), "%s", path);
	out->major = major;
	return true;
}

/* The first pg_dump of PATH. */
static bool in_path(char out[512])
{
	const char *path = getenv("PATH");
	struct ark_str rest = ark_str_z(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, ':', 0);
		struct ark_str dir = ark_str_first(rest, end);
		rest = end == SIZE_MAX ? ark_str_from(rest, rest.len) : ark_str_from(rest, end + 1);
		snprintf(out, 512, "%.*s/pg_dump", ARK_FMT(dir));
		if (dir.len > 0 && access(out, X_OK) == 0)
			return true;
	}
	return false;
}

enum ark_rc dump_find(const char *said, int server_major, struct dump_program *out, struct ark_err *err)
{
	char path[512];
	if (said != NULL) {
		int major = major_of(said);
		if (major >= server_major && take(said, major, out))
			return ARK_OK;
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is %s PostgreSQL %d", said,
		                   major == 0 ? "no pg_dump; wanted is one for" : "too old for", server_major);
	}
	for (int major = server_major; major < NEWEST; major++) {
		for (size_t i = 0; i < 2; i++) {
			if (i == 0)
				snprintf(path, sizeof(path), "/usr/lib/postgresql/%d/bin/pg_dump", major);
			else
				snprintf(path, sizeof(path), "/usr/pgsql-%d/bin/pg_dump", major);
			if (take(path, major, out))
				return ARK_OK;
		}
		if (in_path(path) && take(path, major, out))
			return ARK_OK;
	}
	ark_err_set(err, ARK_KIND_REFUSED, "there is no pg_dump for PostgreSQL %d here", server_major);
	ark_err_hint(err, "install postgresql-client-%d, or name the program with --pg-dump", server_major);
	return ARK_FAIL;
}

/* --- running it ----------------------------------------------------------------------------------- */

/* The environment with the password, which must not stand in argv. Free the list and its last item. */
static char **with_password(struct ark_str password)
{
	size_t count = 0, kept = 0;
	while (environ[count] != NULL)
		count++;
	char **env = ark_calloc(count + 3, sizeof(*env));
	for (size_t i = 0; i < count; i++)
		if (!ark_str_starts(ark_str_z(environ[i]), ARK_LIT("PGPASSWORD=")) || !ark_str_has(password))
			env[kept++] = environ[i];
	if (ark_str_has(password)) {
		ark_auto(ark_buf_release) struct ark_buf text = { 0 };
		ark_buf_init(&text, 65536);
		ark_buf_z(&text, "PGPASSWORD=");
		ark_buf_str(&text, password);
		env[kept++] = ark_strdup(ark_buf_view(&text));
	}
	return env;
}

static void free_environment(char **env, bool own_last)
{
	size_t count = 0;
	while (env[count] != NULL)
		count++;
	if (own_last && count > 0)
		free(env[count - 1]);
	free(env);
}

static void last_line(struct ark_buf *said)
{
	struct ark_str all = ark_str_trim(ark_buf_view(said));
	said->data[all.ptr - said->data + (ptrdiff_t)all.len] = '\0';
}

/*
 * Lines "\\restrict KEY" guard psql against a hostile server's dump, with a key that is another each time.
 * What is stored is read by libpq, too, and has to be the same when the schema is.
 */
static void drop_guards(struct ark_buf *out)
{
	size_t kept = 0;
	for (size_t at = 0; at < out->len;) {
		struct ark_str rest = ark_str_from(ark_buf_view(out), at);
		size_t end = ark_str_find(rest, '\n', 0);
		size_t len = end == SIZE_MAX ? rest.len : end + 1;
		bool guard = ark_str_starts(rest, ARK_LIT("\\restrict ")) || ark_str_starts(rest, ARK_LIT("\\unrestrict "));
		if (!guard) {
			memmove(out->data + kept, out->data + at, len);
			kept += len;
		}
		at += len;
	}
	ark_buf_cut(out, kept);
}

enum ark_rc dump_run(struct dump_job *job, struct ark_err *err)
{
	ark_auto(db_dsn_freep) struct db_dsn *dsn = NULL;
	enum ark_rc rc = db_dsn_parse(ark_str_z(job->dsn), DB_DSN_LIBPQ, &dsn, err);
	if (rc < 0)
		return rc;
	struct ark_str secret = db_dsn_part(dsn, "password");
	ark_auto(ark_freep) char *password = ark_str_has(secret) ? ark_strdup(secret) : NULL;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, 65536);
	db_dsn_set(dsn, "password", ARK_STR_NONE);
	ark_buf_z(&text, "--dbname=");
	db_dsn_text(dsn, &text);
	ark_auto(ark_freep) char *snapshot = ark_calloc(1, 128), *section = ark_calloc(1, 64);
	snprintf(snapshot, 128, "--snapshot=%s", job->snapshot);
	snprintf(section, 64, "--section=%s", job->section);
	char schema[] = "--no-blobs", owner[] = "--no-owner", acl[] = "--no-privileges",
	     mark[] = "--exclude-table=matterark.test_copy", encoding[] = "--encoding=UTF8";
	ark_auto(ark_freep) char *program = ark_strdupz(job->program->path);
	char *argv[] = { program, schema, section, snapshot, owner, acl, mark, encoding, text.data, NULL };
	char **env = with_password(password != NULL ? ark_str_z(password) : ARK_STR_NONE);
	ark_auto(child_release) struct child c = { .out = -1, .err = -1 };
	ark_auto(ark_buf_release) struct ark_buf said = { 0 };
	int status = 0;
	ark_buf_init(&said, SAID_MAX);
	rc = spawn(argv, env, &c, err);
	free_environment(env, password != NULL);
	if (rc == ARK_OK)
		rc = collect(&c, &job->out, &said, job->stop, &status, err);
	if (rc < 0)
		return rc;
	last_line(&said);
	if (status != 0)
		return ark_err_set(err, ARK_KIND_DB, "pg_dump failed: %s", said.data);
	drop_guards(&job->out);
	return ark_buf_ok(&job->out, "the schema", err);
}
