/* Why initdb works in another folder first: a rename makes the cluster, so that half of one (killed,
 * disk full, power cut) is never taken for a whole. */
#include "common/db/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/str.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define START_LIMIT_MS 300000 /* after a power cut the server first repeats its log; a stop writes what it has */
#define STOP_LIMIT_MS 120000
#define ORPHAN_LIMIT_MS 10000 /* for processes of a killed server to notice and end */
#define STEP_US 20000
#define LOG_KEEP (8 << 20) /* server.log beyond this starts anew */

/* --- programs -------------------------------------------------------------------------------- */

static bool has_programs(const char *folder)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/initdb", folder);
	if (access(path, X_OK) != 0)
		return false;
	snprintf(path, sizeof(path), "%s/postgres", folder);
	return access(path, X_OK) == 0;
}

/* "postgres (PostgreSQL) 15.18 (Debian ...)", "... 18beta1": the number behind the bracket. */
static int version_of(const char *folder)
{
	char path[512], line[256] = "";
	snprintf(path, sizeof(path), "%s/postgres", folder);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return 0;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		execl(path, path, "--version", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	size_t len = 0;
	for (ssize_t n; pid > 0 && len < sizeof(line) - 1; len += (size_t)n)
		if ((n = read(ends[0], line + len, sizeof(line) - 1 - len)) <= 0)
			break;
	close(ends[0]);
	db_process_reap(pid);
	const char *at = strstr(line, "(PostgreSQL) ");
	return at != NULL ? (int)strtol(at + strlen("(PostgreSQL) "), NULL, 10) : 0;
}

static void consider(struct db_cluster *c, const char *folder, int major)
{
	if (strlen(folder) >= sizeof(c->programs) || !has_programs(folder))
		return;
	int version = version_of(folder);
	if (version > c->major && (major == 0 || version == major)) {
		snprintf(c->programs, sizeof(c->programs), "%s", folder);
		c->major = version;
	}
}

static void consider_pattern(struct db_cluster *c, const char *pattern, int major)
{
	glob_t found;
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			consider(c, found.gl_pathv[i], major);
		globfree(&found);
	}
}

static void consider_path(struct db_cluster *c, int major)
{
	const char *path = getenv("PATH");
	struct ark_str rest = ark_str_z(path != NULL ? path : "");
	while (rest.len > 0) {
		char folder[256];
		struct ark_str one = ark_str_first(rest, ark_str_find(rest, ':', 0));
		rest = ark_str_from(rest, one.len + 1);
		if (one.len == 0 || one.ptr[0] != '/' || one.len >= sizeof(folder))
			continue;
		snprintf(folder, sizeof(folder), "%.*s", ARK_FMT(one));
		consider(c, folder, major);
	}
}

enum ark_rc db_cluster_find(struct db_cluster *c, const char *folder, int major,
                            struct ark_err *err)
{
	c->major = 0;
	if (folder != NULL) {
		consider(c, folder, major);
	} else {
		consider_pattern(c, "/usr/lib/postgresql/*/bin", major);
		consider_pattern(c, "/usr/pgsql-*/bin", major);
		consider_path(c, major);
	}
	if (c->major != 0)
		return ARK_OK;
	if (major == 0) {
		ark_err_set(err, ARK_KIND_MISSING, "PostgreSQL's server programs are not installed");
		ark_err_hint(err, "install the package 'postgresql', or name a server with --database");
		return ARK_FAIL;
	}
	ark_err_set(err, ARK_KIND_MISSING,
	            "the cluster in '%s' is of PostgreSQL %d, whose programs are not installed", c->dir,
	            major);
	ark_err_hint(err, "install the package 'postgresql-%d'", major);
	return ARK_FAIL;
}

int db_cluster_version(const struct db_cluster *c)
{
	char path[sizeof(c->data) + 16], text[16] = "";
	snprintf(path, sizeof(path), "%s/PG_VERSION", c->data);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (int)strtol(text, NULL, 10) : 0;
}

/* --- making ---------------------------------------------------------------------------------- */

/* Memory that we may count on: of the machine, or of the control group. */
static int64_t memory_mib(void)
{
	int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	FILE *f = fopen("/sys/fs/cgroup/memory.max", "re");
	char line[32];
	if (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		uint64_t limit;
		if (ark_str_u64(ark_str_trim(ark_str_z(line)), &limit) && (int64_t)limit < bytes)
			bytes = (int64_t)limit;
	}
	if (f != NULL)
		fclose(f);
	return bytes >> 20;
}

static int64_t between(int64_t low, int64_t value, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* A server for one machine's tools: no replication, room for bulk loads, durable. */
static enum ark_rc write_settings(const struct db_cluster *c, struct ark_err *err)
{
	int64_t mib = memory_mib();
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 4096);
	ark_buf_z(&b, "\n# matterark's private cluster; changes here stay\n"
	              "unix_socket_permissions = 0700\n"
	              "max_connections = 50\n"
	              "wal_level = minimal\n"
	              "max_wal_senders = 0\n"
	              "max_wal_size = 4GB\n"
	              "checkpoint_timeout = 15min\n"
	              "work_mem = 16MB\n"
	              "log_min_error_statement = panic\n"); /* statements hold people's texts */
	ark_buf_fmt(&b, "shared_buffers = %lldMB\n", (long long)between(64, mib / 8, 4096));
	ark_buf_fmt(&b, "maintenance_work_mem = %lldMB\n", (long long)between(32, mib / 16, 1024));
	char path[sizeof(c->data_new) + 32];
	snprintf(path, sizeof(path), "%s/postgresql.conf", c->data_new);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	bool good = fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	return good ? ARK_OK : ark_err_errno(err, saved, "cannot write '%s'", path);
}

/* What an earlier try left behind. */
static enum ark_rc remove_new(struct db_cluster *c, int lock_fd, struct ark_err *err)
{
	const char *rm[] = { "/bin/rm", "-rf", "--", c->data_new, NULL };
	return access(c->data_new, F_OK) == 0 ? db_program_run(&c->user, rm, c->dir, lock_fd, c->interrupted, err) : ARK_OK;
}

enum ark_rc db_cluster_discard(struct db_cluster *c, int lock_fd, struct ark_err *err)
{
	enum ark_rc rc = remove_new(c, lock_fd, err);
	if (rc == ARK_OK && rename(c->data, c->data_new) != 0)
		rc = ark_err_errno(err, errno, "cannot rename '%s'", c->data);
	return rc;
}

static enum ark_rc init(struct db_cluster *c, const char *const *locale, int lock_fd,
                        struct ark_err *err)
{
	char initdb[sizeof(c->programs) + 16];
	const char *argv[24] = { initdb, "-D", c->data_new, "-U", "postgres", "-A", "trust",
		                 "-E", "UTF8", "-T", "english" };
	size_t n = 11;
	snprintf(initdb, sizeof(initdb), "%s/initdb", c->programs);
	while (*locale != NULL)
		argv[n++] = *locale++;
	enum ark_rc rc = remove_new(c, lock_fd, err);
	return rc < 0 ? rc : db_program_run(&c->user, argv, c->dir, lock_fd, c->interrupted, err);
}

static enum ark_rc sync_folder(const char *path, struct ark_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	return good ? ARK_OK : ark_err_errno(err, saved, "cannot sync '%s'", path);
}

enum ark_rc db_cluster_make(struct db_cluster *c, int lock_fd, struct ark_err *err)
{
	/* Letters of every language, the same order of names on every machine. */
	static const char *const BUILTIN[] = { "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
		                               "--locale=C", NULL };
	static const char *const UTF8[] = { "--locale=C.UTF-8", NULL };
	static const char *const PLAIN[] = { "--locale=C", NULL };
	enum ark_rc rc = init(c, c->major >= 17 ? BUILTIN : UTF8, lock_fd, err);
	if (rc == ARK_FAIL && strstr(err->text, "locale") != NULL)
		rc = init(c, PLAIN, lock_fd, err);
	if (rc == ARK_OK)
		rc = write_settings(c, err);
	if (rc == ARK_OK && rename(c->data_new, c->data) != 0)
		rc = ark_err_errno(err, errno, "cannot rename '%s'", c->data_new);
	return rc == ARK_OK ? sync_folder(c->dir, err) : rc;
}

/* --- running --------------------------------------------------------------------------------- */

bool db_cluster_answers(const struct db_cluster *c)
{
	const char *keys[] = { "host", "port", "user", "dbname", "connect_timeout", NULL };
	const char *values[] = { c->socket_dir, DB_CLUSTER_PORT, "postgres", "postgres", "10", NULL };
	return PQpingParams(keys, values, 0) == PQPING_OK;
}

/* Process id in postmaster.pid, 0 when there is none. */
static pid_t server_pid(const struct db_cluster *c)
{
	char path[sizeof(c->data) + 32], text[32] = "";
	snprintf(path, sizeof(path), "%s/postmaster.pid", c->data);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;
	return pid > 1 ? (pid_t)pid : 0;
}

/*
 * A server of a tool that was killed. One that is coming up will be used; while one is on its way out, or
 * processes of a killed one are, no other can start. True when there is one that answers.
 */
static bool former_answers(const struct db_cluster *c)
{
	for (int64_t began_ms = ark_time_tick_ms();; usleep(STEP_US)) {
		if (db_cluster_answers(c))
			return true;
		if (!db_process_in(&c->user, c->data) || (c->interrupted != NULL && c->interrupted()))
			return false;
		pid_t pid = server_pid(c);
		bool lives = pid != 0 && db_process_is(&c->user, pid, c->data) == DB_YES;
		if (ark_time_tick_ms() - began_ms > (lives ? START_LIMIT_MS : ORPHAN_LIMIT_MS))
			return false;
	}
}

/*
 * A server that was killed leaves its pid file. PostgreSQL recognises that unless the number belongs
 * to some other program by now (usual in containers). Only then, and when nothing is left of the old
 * server, its pid files go.
 */
static void clear_stale(const struct db_cluster *c)
{
	char path[sizeof(c->data) + 32];
	pid_t pid = server_pid(c);
	if (pid == 0 || kill(pid, 0) != 0 || db_process_is(&c->user, pid, c->data) != DB_NO ||
	    db_process_in(&c->user, c->data))
		return;
	snprintf(path, sizeof(path), "%s/postmaster.pid", c->data);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/.s.PGSQL." DB_CLUSTER_PORT ".lock", c->socket_dir);
	(void)unlink(path);
}

static void shorten_log(const struct db_cluster *c)
{
	struct stat st;
	char old[sizeof(c->log) + 4];
	snprintf(old, sizeof(old), "%s.1", c->log);
	if (lstat(c->log, &st) == 0 && st.st_size > LOG_KEEP)
		(void)rename(c->log, old);
}

/* Last line of the log, for an error. */
static void log_tail(const struct db_cluster *c, char *out, size_t size)
{
	int fd = open(c->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	out[0] = '\0';
	if (fd < 0)
		return;
	off_t from = fstat(fd, &st) == 0 && st.st_size > (off_t)size - 1 ? st.st_size - (off_t)size + 1 : 0;
	ssize_t n = pread(fd, out, size - 1, from);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	for (char *p = out; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

static enum ark_rc wait_answer(const struct db_cluster *c, int life_fd, struct ark_err *err)
{
	int64_t end_ms = ark_time_tick_ms() + START_LIMIT_MS;
	while (!db_cluster_answers(c)) {
		struct pollfd life = { .fd = life_fd, .events = POLLIN };
		if (c->interrupted != NULL && c->interrupted())
			return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		bool ended = poll(&life, 1, 20) > 0;
		if (!ended && ark_time_tick_ms() < end_ms)
			continue;
		char words[600];
		log_tail(c, words, sizeof(words));
		ark_err_set(err, ARK_KIND_DB, "the embedded server does not start: %s", words);
		ark_err_hint(err, "see '%s'", c->log);
		return ARK_FAIL;
	}
	return ARK_OK;
}

enum ark_rc db_cluster_start(struct db_cluster *c, struct ark_err *err)
{
	char postgres[sizeof(c->programs) + 16];
	const char *argv[] = { postgres, "-D", c->data, "-k", c->socket_dir, "-p", DB_CLUSTER_PORT,
		               "-h", "", NULL };
	snprintf(postgres, sizeof(postgres), "%s/postgres", c->programs);
	if (former_answers(c))
		return ARK_OK;
	clear_stale(c);
	shorten_log(c);
	int life_fd = -1;
	enum ark_rc rc = db_program_detach(&c->user, argv, c->dir, c->log, &life_fd, err);
	if (rc < 0)
		return rc;
	rc = wait_answer(c, life_fd, err);
	close(life_fd);
	/* one that a killed tool had just begun to start can be the first of the two */
	if (rc == ARK_FAIL && former_answers(c))
		return ARK_OK;
	if (rc < 0)
		db_cluster_stop(c);
	return rc;
}

void db_cluster_stop(const struct db_cluster *c)
{
	pid_t pid = server_pid(c);
	if (pid == 0 || db_process_is(&c->user, pid, c->data) != DB_YES)
		return;
	(void)kill(pid, SIGINT); /* "fast": sessions end, a checkpoint, then it is gone */
	for (int64_t end_ms = ark_time_tick_ms() + STOP_LIMIT_MS;
	     server_pid(c) == pid && db_process_is(&c->user, pid, c->data) == DB_YES &&
	     ark_time_tick_ms() < end_ms;)
		usleep(STEP_US);
}
