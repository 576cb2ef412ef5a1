/*
 * Runs by itself (no cluster of the harness): the embedded cluster is the thing tested. As root the
 * server runs under `postgres`; tests/harness/as_user.sh runs this again as an ordinary user.
 */
#include "common/db/embedded.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/conn.h"
#include "tests/harness/pg.h"

static char base[64], dir[100];

static enum ark_rc open_at(const char *path, bool create, struct db_embedded **e, struct ark_err *err)
{
	return db_embedded_open(&(struct db_embedded_options){ .dir = path, .create = create }, e, err);
}

static const char *in_base(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static int run(const char *command)
{
	return system(command); /* set-up of tests only; names hold no special characters */
}

static struct db_conn *connect_to(const struct db_embedded *e)
{
	struct ark_err err = { 0 };
	struct db_conn *c = NULL;
	CHECK_OK(db_open(db_embedded_dsn(e).ptr, &(struct db_options){ .app = "test" }, &c, &err));
	return c;
}

static pid_t server_pid(const char *of)
{
	char path[4200], line[32] = "";
	snprintf(path, sizeof(path), "%s/pg/postmaster.pid", of);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	long pid = fgets(line, sizeof(line), f) != NULL ? strtol(line, NULL, 10) : 0;
	fclose(f);
	return (pid_t)pid;
}

static struct ark_str setting(struct db_conn *c, const char *name, struct db_result **res)
{
	struct ark_err err = { 0 };
	db_result_freep(res);
	CHECK_OK(db_query_one(c, "SELECT current_setting($1)", DB_PARAMS(ark_str_z(name)), res, &err));
	return *res != NULL ? db_value(*res, 0, 0) : ARK_STR_NONE;
}

static void made_started_used_stopped(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	struct stat st;
	CHECK(open_at(dir, false, &e, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_MISSING && !exists(dir));
	setenv("PGPORT", "1", 1); /* what stands around does not reach it */
	setenv("PGOPTIONS", "-c work_mem=64kB", 1);
	setenv("PGDATA", "/nowhere", 1);
	CHECK_OK(open_at(dir, true, &e, &err));
	unsetenv("PGOPTIONS");
	if (e == NULL)
		return;
	CHECK_STR(db_embedded_dir(e), dir);
	CHECK(exists(db_embedded_files(e).ptr));
	CHECK(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	ark_auto(db_closep) struct db_conn *c = connect_to(e);
	if (c == NULL)
		return;
	CHECK_STR(setting(c, "server_encoding", &res), "UTF8");
	CHECK_STR(setting(c, "listen_addresses", &res), "");
	CHECK_STR(setting(c, "wal_level", &res), "minimal");
	CHECK_STR(setting(c, "fsync", &res), "on");
	CHECK_STR(setting(c, "unix_socket_permissions", &res), "0700");
	db_result_freep(&res);
	CHECK_OK(db_query_one(c, "SELECT upper('\xc3\xa9')", DB_NO_PARAMS, &res, &err));
	CHECK_STR(db_value(res, 0, 0), "\xc3\x89");
	CHECK_OK(db_exec(c, "CREATE TABLE t (a int)", &err));
	CHECK(server_pid(dir) > 0);
	db_closep(&c);
	db_embedded_releasep(&e);
	CHECK_I64(server_pid(dir), 0);
}

static void several_tools_at_once(void)
{
	enum { TOOLS = 5 };
	pid_t pids[TOOLS];
	for (int i = 0; i < TOOLS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		struct ark_err err = { 0 };
		struct db_embedded *e = NULL;
		int bad = 1;
		usleep((useconds_t)i * 40000);
		if (open_at(dir, true, &e, &err) == ARK_OK) {
			struct db_conn *c = connect_to(e);
			bad = c == NULL || db_exec(c, "INSERT INTO t VALUES (1)", &err) < 0;
			usleep((useconds_t)(i * 7919 % 5) * 60000);
			bad = bad || db_exec(c, "INSERT INTO t VALUES (1)", &err) < 0;
			db_close(c);
		}
		if (bad)
			printf("# tool %d: %s\n", i, err.text);
		db_embedded_release(e);
		fflush(stdout);
		_exit(bad);
	}
	for (int i = 0; i < TOOLS; i++) {
		int status = -1;
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	}
	CHECK_I64(server_pid(dir), 0);
}

/* A tool that opens, tells by a byte, and waits to be killed. */
static pid_t tool_that_waits(void)
{
	int ends[2];
	char byte;
	CHECK(pipe(ends) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct ark_err err = { 0 };
		struct db_embedded *e = NULL;
		if (open_at(dir, true, &e, &err) < 0)
			_exit(1);
		(void)!write(ends[1], "x", 1);
		pause();
		_exit(1);
	}
	close(ends[1]);
	CHECK(read(ends[0], &byte, 1) == 1);
	close(ends[0]);
	return pid;
}

static void killed_tools_leave_no_work(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	pid_t tool = tool_that_waits();
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	pid_t server = server_pid(dir);
	CHECK(server > 0 && kill(server, 0) == 0);
	CHECK_OK(open_at(dir, false, &e, &err));
	CHECK_I64(server_pid(dir), server); /* used again */
	db_embedded_releasep(&e);
	CHECK_I64(server_pid(dir), 0);
}

/* Here it waits for a session, longer than the processes of a killed server would be waited for. */
static void servers_on_their_way_out_are_waited_for(void)
{
	struct ark_err err = { 0 };
	struct db_embedded *e = NULL;
	pid_t tool = tool_that_waits();
	pid_t server = server_pid(dir);
	pid_t session = fork();
	if (session == 0) {
		struct db_conn *c = open_at(dir, false, &e, &err) == ARK_OK ? connect_to(e) : NULL;
		db_embedded_release(e); /* the server stays, as the tool has it */
		kill(server, SIGTERM);
		kill(tool, SIGKILL);
		sleep(11);
		_exit(c == NULL);
	}
	waitpid(tool, NULL, 0);
	CHECK(server_pid(dir) == server);
	CHECK_OK(open_at(dir, false, &e, &err));
	CHECK(server_pid(dir) > 0 && server_pid(dir) != server);
	db_embedded_release(e);
	int status = -1;
	CHECK(waitpid(session, &status, 0) == session && status == 0);
}

static void killed_servers_start_again(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	pid_t tool = tool_that_waits();
	kill(server_pid(dir), SIGKILL);
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	CHECK_OK(open_at(dir, false, &e, &err));
	if (e == NULL)
		return;
	ark_auto(db_closep) struct db_conn *c = connect_to(e);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	CHECK_OK(db_query_one(c, "SELECT count(*) FROM t", DB_NO_PARAMS, &res, &err));
	CHECK_I64(db_i64(res, 0, 0), 10);
	db_closep(&c);
}

/* The number in a left-over pid file belongs to another program of the same user by now. */
static void reused_process_ids_do_not_matter(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	char path[200];
	pid_t other = fork();
	if (other == 0) {
		struct stat st;
		if (stat(dir, &st) != 0 || setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0)
			_exit(1);
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	usleep(50000);
	snprintf(path, sizeof(path), "%s/pg/postmaster.pid", dir);
	FILE *f = fopen(path, "w");
	CHECK(f != NULL);
	fprintf(f, "%ld\n%s/pg\n1600000000\n5432\n%s\n\n", (long)other, dir, dir);
	fclose(f);
	CHECK_OK(open_at(dir, false, &e, &err));
	db_embedded_releasep(&e);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

static void half_made_clusters_are_made_again(void)
{
	struct ark_err err = { 0 };
	char half[128];
	for (int after_ms = 30; after_ms < 700; after_ms += 350) {
		ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
		snprintf(half, sizeof(half), "%s/half%d", base, after_ms);
		pid_t pid = fork();
		if (pid == 0) {
			(void)open_at(half, true, &e, &err);
			pause();
			_exit(0);
		}
		usleep((useconds_t)after_ms * 1000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CHECK_OK(open_at(half, true, &e, &err));
		if (e != NULL) {
			ark_auto(db_closep) struct db_conn *c = connect_to(e);
			CHECK(c != NULL);
		}
		char rest[160];
		snprintf(rest, sizeof(rest), "%s/pg.tmp", half);
		CHECK(!exists(rest));
	}
}

static void what_cannot_work_is_refused_at_once(void)
{
	struct ark_err err = { 0 };
	struct db_embedded *e = NULL;
	/* a folder on the way that the server's user cannot pass, or we cannot write to */
	CHECK(mkdir(in_base("closed"), 0700) == 0);
	if (geteuid() != 0)
		CHECK(chmod(in_base("closed"), 0500) == 0);
	CHECK(open_at(in_base("closed/a/b"), true, &e, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && err.hint[0] != '\0');
	CHECK(!exists(in_base("closed/a")));
	/* a folder with something in it */
	CHECK(mkdir(in_base("full"), 0755) == 0 && close(creat(in_base("full/letter"), 0644)) == 0);
	CHECK(open_at(in_base("full"), true, &e, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_REFUSED && !exists(in_base("full/lock")));
	CHECK(open_at(in_base("full/letter"), true, &e, &err) < 0);
	CHECK(open_at(in_base("none/../x"), true, &e, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_USAGE);
	/* a version that is not here */
	char path[200];
	snprintf(path, sizeof(path), "%s/pg/PG_VERSION", dir);
	FILE *f = fopen(path, "w");
	CHECK(f != NULL);
	fputs("9\n", f);
	fclose(f);
	CHECK(open_at(dir, true, &e, &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_MISSING && strstr(err.hint, "postgresql-9") != NULL);
	CHECK(e == NULL);
}

static bool yes(void)
{
	return true;
}

/* After an upgrade of the distribution: a cluster that only its owner can start, and a scratch one. */
static void scratch_clusters_follow_the_programs(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	char path[4096], command[9000];
	snprintf(path, sizeof(path), "%s", in_base("scratch"));
	CHECK_OK(open_at(path, true, &e, &err));
	db_embedded_releasep(&e);
	snprintf(command, sizeof(command), "cd %s/pg && echo 9 >PG_VERSION && mkdir ../pg.tmp && touch old", path);
	CHECK(run(command) == 0);
	CHECK(open_at(path, true, &e, &err) == ARK_FAIL && err.kind == ARK_KIND_MISSING);
	for (int i = 0; i < 2; i++) {
		CHECK_OK(db_embedded_open(&(struct db_embedded_options){ .dir = path, .create = true, .scratch = true }, &e, &err));
		ark_auto(db_closep) struct db_conn *c = e != NULL ? connect_to(e) : NULL;
		CHECK(c != NULL);
		snprintf(command, sizeof(command), "cd %s/pg && test ! -e old && test ! -e ../pg.tmp && %s kept", path,
		         i == 0 ? "touch" : "test -e");
		CHECK(run(command) == 0); /* and the second time it is the same one */
		db_closep(&c);
		db_embedded_releasep(&e);
	}
}

static void interruption_leaves_nothing_running(void)
{
	struct ark_err err = { 0 };
	struct db_embedded *e = NULL;
	enum ark_rc rc = db_embedded_open(&(struct db_embedded_options){ .dir = in_base("interrupted"),
	                                  .create = true, .interrupted = yes }, &e, &err);
	CHECK(rc == ARK_STOP && err.kind == ARK_KIND_SIGNAL && e == NULL);
	CHECK_OK(open_at(in_base("interrupted"), true, &e, &err));
	db_embedded_release(e);
}

static void long_and_odd_names_work(void)
{
	struct ark_err err = { 0 };
	ark_auto(db_embedded_releasep) struct db_embedded *e = NULL;
	char path[400];
	snprintf(path, sizeof(path), "%s/it's $(a) \"%0150d\"", base, 7);
	CHECK_OK(open_at(path, true, &e, &err));
	if (e == NULL)
		return;
	ark_auto(db_closep) struct db_conn *c = connect_to(e);
	CHECK(c != NULL);
	struct ark_str host = c != NULL ? db_host(c) : ARK_STR_NONE;
	struct stat st;
	CHECK(ark_str_has(host) && !ark_str_starts(host, ark_str_z(base)));
	CHECK(stat(host.ptr, &st) == 0 && (st.st_mode & 0777) == 0700);
	ark_auto(ark_freep) char *socket_dir = ark_strdup(host);
	db_closep(&c);
	db_embedded_releasep(&e);
	CHECK(rmdir(socket_dir) == 0); /* nothing is left in it */
}

int main(void)
{
	struct ark_err err = { 0 };
	struct db_embedded *e = NULL;
	snprintf(base, sizeof(base), "/tmp/ark-embedded.XXXXXX");
	if (mkdtemp(base) == NULL || chmod(base, 0755) != 0)
		return 1;
	snprintf(dir, sizeof(dir), "%s/a/data", base);
	if (open_at(in_base("probe"), true, &e, &err) < 0 && err.kind == ARK_KIND_MISSING) {
		printf("1..0 # SKIP %s\n", err.text);
		(void)rmdir(base);
		return 0;
	}
	db_embedded_release(e);
	TAP_RUN(made_started_used_stopped);
	TAP_RUN(several_tools_at_once);
	TAP_RUN(killed_tools_leave_no_work);
	TAP_RUN(servers_on_their_way_out_are_waited_for);
	TAP_RUN(killed_servers_start_again);
	TAP_RUN(reused_process_ids_do_not_matter);
	TAP_RUN(half_made_clusters_are_made_again);
	TAP_RUN(scratch_clusters_follow_the_programs);
	TAP_RUN(interruption_leaves_nothing_running);
	TAP_RUN(long_and_odd_names_work);
	TAP_RUN(what_cannot_work_is_refused_at_once);
	char command[128];
	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s", base, base);
	(void)run(command);
	return tap_done();
}
