/* The folder of a report: whole or not at all, and nothing of anybody else's is touched. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/tap.h"
#include "tests/unit/report/sample.h"

#include "common/base/banned.h"

/* A folder of our own to try things in; it is the working directory. */
static void enter(char top[64])
{
	snprintf(top, 64, "/tmp/test_report.XXXXXX");
	if (mkdtemp(top) == NULL || chdir(top) != 0)
		ark_bug("no folder for tests");
}

static void leave(const char *top)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	if (chdir("/") != 0 || system(command) != 0)
		printf("# '%s' stays\n", top);
}

/* Entries of the working directory. */
static unsigned entries(void)
{
	unsigned n = 0;
	DIR *d = opendir(".");
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static bool there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void touch(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		ark_bug("cannot write '%s'", path);
}

/* The first bytes of a file; "" when there is none. */
static struct ark_str head(const char *path, char text[4096])
{
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, 4095, f) : 0;
	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	return ark_str_n(text, n);
}

static enum ark_rc report_to(const char *dir, const char *name, struct ark_err *err)
{
	struct sample s;
	sample_make(&s, name);
	ark_auto(import_report_closep) struct import_report_writer *w = NULL;
	enum ark_rc rc = import_report_open(dir, &w, err);
	if (rc == ARK_OK)
		rc = import_report_write(w, &s.r, err);
	sample_release(&s);
	return rc;
}

static void a_new_folder_appears_whole(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	struct sample s;
	sample_make(&s, "small");
	struct import_report_writer *w = NULL;
	CHECK_I64(import_report_open("out/", &w, &err), ARK_OK);
	CHECK(!there("out"));
	CHECK_I64(entries(), 1);
	CHECK_I64(import_report_write(w, &s.r, &err), ARK_OK);
	CHECK(there("out/report.html") && there("out/users.csv") && there("out/skipped.jsonl"));
	CHECK_I64(entries(), 1);
	CHECK(ark_str_ends(ark_str_z(import_report_place(w)), ARK_LIT("/out")));
	import_report_close(w);
	CHECK(there("out/report.json"));
	sample_release(&s);
	leave(top);
}

static void giving_up_leaves_nothing(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	struct import_report_writer *w = NULL;
	CHECK_I64(import_report_open("out", &w, &err), ARK_OK);
	import_report_skip(w, 0, ARK_LIT("a"), 0, 1, CONV_NONE, 0, SKIP_EMPTY, NULL);
	import_report_close(w);
	CHECK_I64(entries(), 0);
	leave(top);
}

static void an_empty_folder_is_taken(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	mkdir("out", 0755);
	CHECK_I64(report_to("out", "small", &err), ARK_OK);
	struct stat st;
	CHECK(stat("out", &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK_I64(entries(), 1);
	leave(top);
}

static void an_earlier_report_is_replaced(void)
{
	char top[64], text[4096];
	enter(top);
	struct ark_err err = { 0 };
	CHECK_I64(report_to("out", "check", &err), ARK_OK);
	CHECK(ark_str_search(head("out/report.json", text), ARK_LIT("\"mode\": \"check\""), 0) !=
	      SIZE_MAX);
	CHECK_I64(report_to("out", "small", &err), ARK_OK);
	CHECK(ark_str_search(head("out/report.json", text), ARK_LIT("\"mode\": \"import\""), 0) !=
	      SIZE_MAX);
	CHECK_I64(entries(), 1);
	leave(top);
}

static void what_is_not_ours_is_refused(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	mkdir("notes", 0700);
	touch("notes/report.html", "mine");
	CHECK_I64(report_to("notes", "small", &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	touch("notes/report.json", "{\"format\": \"else\"}");
	CHECK_I64(report_to("notes", "small", &err), ARK_FAIL);
	CHECK_I64(report_to("mixed", "small", &err), ARK_OK);
	touch("mixed/diary.txt", "mine");
	CHECK_I64(report_to("mixed", "small", &err), ARK_FAIL);
	CHECK(strstr(err.text, "'diary.txt'") != NULL);
	CHECK(there("mixed/diary.txt") && there("mixed/report.json"));
	touch("file", "mine");
	CHECK_I64(report_to("file", "small", &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	CHECK_I64(report_to("/", "small", &err), ARK_FAIL);
	CHECK_I64(report_to("no/parent", "small", &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	CHECK_I64(entries(), 3);
	leave(top);
}

/* Somebody put a file into the earlier report while the import ran. */
static void what_comes_in_between_is_kept(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	struct sample s;
	sample_make(&s, "small");
	CHECK_I64(report_to("out", "check", &err), ARK_OK);
	struct import_report_writer *w = NULL;
	CHECK_I64(import_report_open("out", &w, &err), ARK_OK);
	touch("out/diary.txt", "mine");
	CHECK_I64(import_report_write(w, &s.r, &err), ARK_FAIL);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	import_report_close(w);
	CHECK(there("out/diary.txt") && there("out/report.html"));
	CHECK_I64(entries(), 1);
	sample_release(&s);
	leave(top);
}

static void a_link_is_followed_to_its_folder(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	mkdir("real", 0700);
	CHECK(symlink("real", "link") == 0);
	CHECK_I64(report_to("link", "small", &err), ARK_OK);
	struct stat st;
	CHECK(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(there("real/report.html"));
	leave(top);
}

/* A full disk: the limit on the size of files stands for it. */
static void an_earlier_report_outlives_a_full_disk(void)
{
	char top[64], text[4096];
	enter(top);
	struct ark_err err = { 0 };
	CHECK_I64(report_to("out", "check", &err), ARK_OK);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		struct rlimit little = { 5000, 5000 };
		setrlimit(RLIMIT_FSIZE, &little);
		struct ark_err why = { 0 };
		enum ark_rc rc = report_to("out", "small", &why);
		_exit(rc == ARK_STOP && why.kind == ARK_KIND_IO &&
		              strstr(why.text, "report '") != NULL
		          ? 0
		          : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_I64(status, 0);
	CHECK(ark_str_search(head("out/report.json", text), ARK_LIT("\"mode\": \"check\""), 0) !=
	      SIZE_MAX);
	CHECK_I64(entries(), 1);
	leave(top);
}

/* What a killed run left goes with the next run; a living run's folder and other names stay. */
static void rests_are_swept(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	mkdir(".out.part-0123456789abcdef", 0700);
	touch(".out.part-0123456789abcdef/skipped.jsonl", "{}\n");
	mkdir(".out.part-aaaaaaaaaaaaaaaa", 0700);
	int alive = open(".out.part-aaaaaaaaaaaaaaaa", O_RDONLY | O_DIRECTORY);
	CHECK(flock(alive, LOCK_EX | LOCK_NB) == 0);
	mkdir(".out.part-bbbbbbbbbbbbbbbb", 0700);
	touch(".out.part-bbbbbbbbbbbbbbbb/diary.txt", "mine");
	mkdir(".other.part-0123456789abcdef", 0700);
	mkdir(".out.part-notes", 0700);
	CHECK_I64(report_to("out", "small", &err), ARK_OK);
	CHECK(!there(".out.part-0123456789abcdef"));
	CHECK(there(".out.part-aaaaaaaaaaaaaaaa"));
	CHECK(there(".out.part-bbbbbbbbbbbbbbbb/diary.txt"));
	CHECK(there(".other.part-0123456789abcdef") && there(".out.part-notes"));
	CHECK_I64(entries(), 5);
	close(alive);
	leave(top);
}

/* kill -9 while it is being filled. */
static void a_killed_run_harms_nothing(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	CHECK_I64(report_to("out", "check", &err), ARK_OK);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		struct import_report_writer *w = NULL;
		import_report_open("out", &w, &err);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, NULL, 0);
	CHECK_I64(entries(), 2);
	CHECK(there("out/report.html"));
	CHECK_I64(report_to("out", "small", &err), ARK_OK);
	CHECK_I64(entries(), 1);
	leave(top);
}

static void two_runs_do_not_meet(void)
{
	char top[64];
	enter(top);
	struct ark_err err = { 0 };
	struct sample s;
	sample_make(&s, "small");
	struct import_report_writer *a = NULL, *b = NULL;
	CHECK_I64(import_report_open("out", &a, &err), ARK_OK);
	CHECK_I64(import_report_open("out", &b, &err), ARK_OK);
	CHECK_I64(import_report_write(a, &s.r, &err), ARK_OK);
	CHECK_I64(import_report_write(b, &s.r, &err), ARK_OK);
	import_report_close(a);
	import_report_close(b);
	CHECK(there("out/report.html"));
	CHECK_I64(entries(), 1);
	sample_release(&s);
	leave(top);
}

static void a_long_name_fits(void)
{
	char top[64], name[256];
	enter(top);
	struct ark_err err = { 0 };
	memset(name, 'n', 255);
	name[255] = '\0';
	CHECK_I64(report_to(name, "small", &err), ARK_OK);
	CHECK_I64(report_to(name, "small", &err), ARK_OK);
	CHECK_I64(entries(), 1);
	leave(top);
}

int main(void)
{
	TAP_RUN(a_new_folder_appears_whole);
	TAP_RUN(giving_up_leaves_nothing);
	TAP_RUN(an_empty_folder_is_taken);
	TAP_RUN(an_earlier_report_is_replaced);
	TAP_RUN(what_is_not_ours_is_refused);
	TAP_RUN(what_comes_in_between_is_kept);
	TAP_RUN(a_link_is_followed_to_its_folder);
	TAP_RUN(an_earlier_report_outlives_a_full_disk);
	TAP_RUN(rests_are_swept);
	TAP_RUN(a_killed_run_harms_nothing);
	TAP_RUN(two_runs_do_not_meet);
	TAP_RUN(a_long_name_fits);
	return tap_done();
}
