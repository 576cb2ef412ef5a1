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
#include "common/io/spool.h"

#include "common/base/banned.h"

#define SAID_MAX 65536 /* of what it says when it fails */
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

/* in  its standard input, from where that stands; -1: nothing */
static enum ark_rc spawn(char *const argv[], char *const env[], int in, struct child *c, struct ark_err *err)
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
	if (in < 0)
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, in, 0);
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
	if (access(path, X_OK) != 0 || spawn(argv, environ, -1, &c, &err) < 0 ||
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
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path) + 1 : 0;
	if ((size_t)snprintf(out->restore, sizeof(out->restore), "%.*spg_restore", dir, path) >= sizeof(out->restore) ||
	    access(out->restore, X_OK) != 0)
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
		                   major == 0                ? "no pg_dump; wanted is one for" :
		                   major >= server_major ? "without the pg_restore that belongs beside it, for" :
		                                           "too old for", server_major);
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

/* One program to its end, its output into `out`. */
static enum ark_rc run(char *const argv[], char *const env[], int in, struct dump_job *job, struct ark_buf *out,
                       struct ark_err *err)
{
	ark_auto(child_release) struct child c = { .out = -1, .err = -1 };
	ark_auto(ark_buf_release) struct ark_buf said = { 0 };
	int status = 0;
	ark_buf_init(&said, SAID_MAX);
	enum ark_rc rc = spawn(argv, env, in, &c, err);
	if (rc == ARK_OK)
		rc = collect(&c, out, &said, job->stop, &status, err);
	if (rc < 0)
		return rc;
	last_line(&said);
	if (status != 0)
		return ark_err_set(err, ARK_KIND_DB, "%s failed: %s", in < 0 ? "pg_dump" : "pg_restore", said.data);
	return ark_buf_ok(out, "the schema", err);
}

/* The catalogues, as pg_dump's archive. */
static enum ark_rc read_catalogues(struct dump_job *job, struct ark_buf *archive, struct ark_err *err)
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
	char snapshot[128];
	snprintf(snapshot, sizeof(snapshot), "--snapshot=%s", job->snapshot);
	char format[] = "--format=custom", plain[] = "--compress=0", only[] = "--schema-only",
	     mark[] = "--exclude-table=matterark.test_copy", quiet[] = "--no-subscriptions", encoding[] = "--encoding=UTF8";
	ark_auto(ark_freep) char *program = ark_strdupz(job->program->path);
	char *argv[] = { program, format, plain, only, snapshot, mark, quiet, encoding, text.data, NULL };
	char **env = with_password(password != NULL ? ark_str_z(password) : ARK_STR_NONE);
	rc = run(argv, env, -1, job, archive, err);
	free_environment(env, password != NULL);
	return rc;
}

/* A section of the archive as SQL. owners  and who owns and may use what */
static enum ark_rc write_sql(struct dump_job *job, const struct io_spool *archive, const char *section, bool owners,
                             struct ark_buf *out, struct ark_err *err)
{
	char part[64], to[] = "--file=-", no_owner[] = "--no-owner", no_acl[] = "--no-privileges";
	ark_auto(ark_freep) char *program = ark_strdupz(job->program->restore);
	snprintf(part, sizeof(part), "--section=%s", section);
	char *argv[] = { program, to, part, owners ? NULL : no_owner, no_acl, NULL };
	if (lseek(archive->fd, 0, SEEK_SET) != 0)
		return ark_err_errno(err, errno, "cannot read a temporary file");
	enum ark_rc rc = run(argv, environ, archive->fd, job, out, err);
	if (rc == ARK_OK)
		drop_guards(out);
	return rc;
}

/* A line of `text` from *at on, with its end. */
static struct ark_str line_at(struct ark_str text, size_t *at)
{
	struct ark_str rest = ark_str_from(text, *at);
	size_t end = ark_str_find(rest, '\n', 0);
	struct ark_str line = ark_str_first(rest, end == SIZE_MAX ? rest.len : end + 1);
	*at += line.len;
	return line;
}

static struct ark_str without_owner(struct ark_str line)
{
	static const char OWNER[] = "; Owner: ";
	if (!ark_str_starts(line, ARK_LIT("-- Name: ")))
		return line;
	for (size_t i = line.len; i-- > sizeof(OWNER) - 1;)
		if (memcmp(line.ptr + i - (sizeof(OWNER) - 1), OWNER, sizeof(OWNER) - 1) == 0)
			return ark_str_first(line, i);
	return line;
}

/*
 * What `with` has and `without` has not, line by line: both are one script, the second without owners and
 * privileges. Comments are compared without the owner that they name.
 */
static enum ark_rc dump_owners(struct ark_str with, struct ark_str without, struct ark_buf *out, struct ark_err *err)
{
	size_t at = 0, other = 0;
	struct ark_str want = line_at(without, &other);
	while (at < with.len) {
		struct ark_str line = line_at(with, &at);
		if (ark_str_eq(without_owner(line), without_owner(want)))
			want = line_at(without, &other);
		else if (!ark_str_starts(line, ARK_LIT("--")) && !ark_str_eqz(line, "\n"))
			ark_buf_str(out, line);
	}
	/* all of the second has to be in the first, or what is left over is something else */
	if (want.len > 0)
		return ark_err_set(err, ARK_KIND_DB, "pg_restore wrote the schema in two different orders");
	return ark_buf_ok(out, "owners and privileges", err);
}

/* One section, and what is said about owners and privileges in it. */
static enum ark_rc write_section(struct dump_job *job, const struct io_spool *archive, const char *section,
                                 enum dump_text which, struct ark_err *err)
{
	struct ark_buf *plain = &job->out[which];
	ark_auto(ark_buf_release) struct ark_buf with = { 0 };
	ark_buf_init(&with, plain->ceil);
	enum ark_rc rc = write_sql(job, archive, section, false, plain, err);
	if (rc == ARK_OK)
		rc = write_sql(job, archive, section, true, &with, err);
	if (rc == ARK_OK)
		rc = dump_owners(ark_buf_view(&with), ark_buf_view(plain), &job->out[DUMP_OWNERS], err);
	return rc;
}

enum ark_rc dump_run(struct dump_job *job, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf archive = { 0 };
	ark_auto(io_spool_close) struct io_spool spool = IO_SPOOL_NONE;
	ark_buf_init(&archive, 2 * job->out[DUMP_PRE_DATA].ceil);
	enum ark_rc rc = read_catalogues(job, &archive, err);
	if (rc == ARK_OK)
		rc = io_spool_add(&spool, io_temp_dir(), archive.data, archive.len, err);
	ark_buf_release(&archive);
	if (rc == ARK_OK)
		rc = write_section(job, &spool, "pre-data", DUMP_PRE_DATA, err);
	return rc < 0 ? rc : write_section(job, &spool, "post-data", DUMP_POST_DATA, err);
}
