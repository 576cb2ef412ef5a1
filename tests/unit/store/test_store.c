/*
 * What every store promises, on a folder of its own; with s3://BUCKET/PREFIX as argument the same on
 * that store (keys and endpoint in AWS_*).
 */
#include "common/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/tap.h"

extern char **environ;

static struct test {
	char dir[256];
	const char *place;
	bool local;
} test;

static struct store *open_store(bool batch)
{
	struct store_options opt = { .write = true, .create = true, .batch = batch, .environ = environ };
	struct store *s = NULL;
	struct ark_err err = { 0 };
	if (store_open_text(test.place, &opt, &s, &err) < 0) {
		printf("Bail out! %s (%s)\n", err.text, err.hint);
		exit(1);
	}
	return s;
}

static enum ark_rc put(struct store *s, const char *path, const char *text, unsigned flags)
{
	struct ark_err err = { 0 };
	struct ark_body body = ark_body_mem(ark_str_z(text));
	enum ark_rc rc = store_put(s, path, &body, flags, &err);
	if (rc < 0)
		printf("# put %s: %s\n", path, err.text);
	return rc;
}

/* The content, "?" when it cannot be read. */
static struct ark_str get(struct store *s, const char *path)
{
	static struct ark_buf b;
	struct ark_err err = { 0 };
	if (b.data == NULL)
		ark_buf_init(&b, 64u << 20);
	ark_buf_reset(&b);
	if (store_read_all(s, path, &b, &err) < 0) {
		ark_buf_reset(&b);
		ark_buf_c(&b, '?');
	}
	return ark_buf_view(&b);
}

static void a_file_is_read_as_it_was_put(void)
{
	ark_auto(store_closep) struct store *s = open_store(false);
	struct store_stat st;
	struct ark_err err = { 0 };
	CHECK_I64(put(s, "a/b/c ä+'!()*%20&=?#.txt", "hello", 0), ARK_OK);
	CHECK_STR(get(s, "a/b/c ä+'!()*%20&=?#.txt"), "hello");
	CHECK_I64(put(s, "a/b/c ä+'!()*%20&=?#.txt", "other", 0), ARK_OK);
	CHECK_STR(get(s, "a/b/c ä+'!()*%20&=?#.txt"), "other");
	CHECK_I64(store_stat(s, "a/b/c ä+'!()*%20&=?#.txt", &st, &err), ARK_OK);
	CHECK_I64(st.size, 5);
	CHECK(st.mtime_ms > 1700000000000);
	CHECK(st.etag[0] != '\0');
	CHECK_I64(put(s, "a/empty", "", 0), ARK_OK);
	CHECK_STR(get(s, "a/empty"), "");
}

static void what_is_not_there_is_missing(void)
{
	ark_auto(store_closep) struct store *s = open_store(false);
	struct store_stat st;
	struct ark_err err = { 0 };
	CHECK(store_stat(s, "no/such", &st, &err) < 0);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	err = (struct ark_err){ 0 };
	CHECK(store_read(s, "no/such", 0, UINT64_MAX, (struct ark_sink){ 0 }, NULL, &err) < 0);
	CHECK_I64(err.kind, ARK_KIND_MISSING);
	CHECK_I64(store_delete(s, "no/such", &err), ARK_OK);
}

static void absent_is_heeded(void)
{
	ark_auto(store_closep) struct store *s = open_store(false);
	struct ark_err err = { 0 };
	bool honoured = false;
	CHECK_I64(store_probe_absent(s, &honoured, &err), ARK_OK);
	CHECK(honoured);
	CHECK_I64(store_delete(s, "once", &err), ARK_OK);
	CHECK_I64(put(s, "once", "first", STORE_IF_ABSENT), ARK_OK);
	CHECK_I64(put(s, "once", "second", STORE_IF_ABSENT), ARK_END);
	CHECK_STR(get(s, "once"), "first");
}

static void parts_are_read(void)
{
	ark_auto(store_closep) struct store *s = open_store(false);
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	ark_buf_init(&b, 100);
	CHECK_I64(put(s, "parts", "0123456789", 0), ARK_OK);
	CHECK_I64(store_read(s, "parts", 3, 4, ark_sink_buf(&b), NULL, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "3456");
	ark_buf_reset(&b);
	CHECK_I64(store_read(s, "parts", 8, 100, ark_sink_buf(&b), NULL, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "89");
	ark_buf_reset(&b);
	CHECK_I64(store_read(s, "parts", 10, 5, ark_sink_buf(&b), NULL, &err), ARK_OK);
	CHECK_I64(store_read(s, "parts", 99, UINT64_MAX, ark_sink_buf(&b), NULL, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "");
}

static enum ark_rc note(void *ctx, const struct store_entry *e, struct ark_err *err)
{
	(void)err;
	ark_buf_str(ctx, e->path);
	ark_buf_z(ctx, e->is_folder ? "\n" : " ");
	return ARK_OK;
}

static void lists_are_in_order(void)
{
	static const char *const PATHS[] = { "l/b", "l/a/z", "l/a.txt", "l/a-b", "l/a/y/x", "l/ü", "l2" };
	ark_auto(store_closep) struct store *s = open_store(false);
	ark_auto(ark_buf_release) struct ark_buf b;
	struct ark_err err = { 0 };
	ark_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++)
		CHECK_I64(put(s, PATHS[i], "x", 0), ARK_OK);
	CHECK_I64(store_list(s, "l", NULL, 0, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "l/a-b l/a.txt l/a/y/x l/a/z l/b l/ü l2 ");
	ark_buf_reset(&b);
	CHECK_I64(store_list(s, "l/", "l/a.txt", 0, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "l/a/y/x l/a/z l/b l/ü ");
	ark_buf_reset(&b);
	CHECK_I64(store_list(s, "l/a/", "l/a/y/x", 0, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "l/a/z ");
	ark_buf_reset(&b);
	CHECK_I64(store_list(s, "l/", NULL, STORE_BY_FOLDER, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "l/a-b l/a.txt l/a/\nl/b l/ü ");
	ark_buf_reset(&b);
	CHECK_I64(store_list(s, "nothing/", NULL, 0, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "");
}

static void a_writer_takes_any_length(void)
{
	ark_auto(store_closep) struct store *s = open_store(false);
	struct store_writer *w = NULL;
	struct ark_err err = { 0 };
	struct store_stat st;
	static char block[1 << 20];
	memset(block, 'm', sizeof(block));
	CHECK_I64(store_put_begin(s, "w/long", 0, &w, &err), ARK_OK);
	for (int i = 0; i < 21; i++)
		CHECK_I64(store_put_add(w, block, sizeof(block), &err), ARK_OK);
	CHECK_I64(store_put_add(w, "end", 3, &err), ARK_OK);
	CHECK(store_stat(s, "w/long", &st, &err) < 0);
	CHECK_I64(store_put_end(&w, &err), ARK_OK);
	CHECK_I64(store_stat(s, "w/long", &st, &err), ARK_OK);
	CHECK_I64(st.size, 21 * (1 << 20) + 3);
	struct ark_str all = get(s, "w/long");
	CHECK(all.len == st.size && memcmp(all.ptr + all.len - 4, "mend", 4) == 0);
	CHECK_I64(store_put_begin(s, "w/given-up", 0, &w, &err), ARK_OK);
	CHECK_I64(store_put_add(w, "half", 4, &err), ARK_OK);
	store_put_drop(&w);
	CHECK(store_stat(s, "w/given-up", &st, &err) < 0);
	CHECK_I64(store_delete(s, "w/long", &err), ARK_OK);
	CHECK(store_stat(s, "w/long", &st, &err) < 0);
}

static void names_that_leave_are_refused(void)
{
	static const char *const NAMES[] = { "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.",
		                             (STORE_TEMP "-x"), ("a/" STORE_TEMP) };
	ark_auto(store_closep) struct store *s = open_store(false);
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		struct ark_err err = { 0 };
		struct store_stat st;
		CHECK(store_stat(s, NAMES[i], &st, &err) == ARK_FAIL);
		CHECK_I64(err.kind, ARK_KIND_INPUT);
	}
}

static void a_batch_is_seen_whole(void)
{
	ark_auto(store_closep) struct store *s = open_store(true);
	struct ark_err err = { 0 };
	char path[32];
	for (int i = 0; i < STORE_BATCH + 20; i++) {
		snprintf(path, sizeof(path), "batch/%03d", i);
		CHECK_I64(put(s, path, path, 0), ARK_OK);
	}
	CHECK_STR(get(s, path), path); /* one that waits */
	CHECK_I64(put(s, "batch/x", "1", 0), ARK_OK);
	CHECK_I64(put(s, "batch/x", "2", 0), ARK_OK);
	CHECK_I64(store_sync(s, &err), ARK_OK);
	CHECK_STR(get(s, "batch/000"), "batch/000");
	CHECK_STR(get(s, "batch/x"), "2");
}

/* --- only where there is a file system ---------------------------------------------------------- */

static void path_of(const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", test.dir, name);
}

static void links_are_not_followed(void)
{
	char path[512];
	ark_auto(store_closep) struct store *s = open_store(false);
	struct ark_err err = { 0 };
	struct store_stat st;
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	CHECK_I64(put(s, "t/file", "inside", 0), ARK_OK);
	path_of("t/out", path);
	CHECK(symlink("/etc", path) == 0);
	path_of("t/passwd", path);
	CHECK(symlink("/etc/passwd", path) == 0);
	CHECK(store_stat(s, "t/out/passwd", &st, &err) < 0);
	CHECK_I64(err.kind, ARK_KIND_REFUSED);
	CHECK_STR(get(s, "t/passwd"), "?");
	struct ark_body body = ark_body_mem(ARK_LIT("x"));
	CHECK(store_put(s, "t/out/evil", &body, 0, &err) < 0);
	CHECK(access("/etc/evil", F_OK) != 0);
	/* a link that stands where a file is put is replaced, its target is not written to */
	CHECK_I64(put(s, "t/passwd", "mine", 0), ARK_OK);
	CHECK_STR(get(s, "t/passwd"), "mine");
	CHECK_I64(store_list(s, "t/", NULL, 0, note, &b, &err), ARK_OK);
	CHECK_STR(ark_buf_view(&b), "t/file t/passwd ");
}

static void modes_are_private(void)
{
	char path[512];
	struct stat st;
	ark_auto(store_closep) struct store *s = open_store(false);
	CHECK_I64(put(s, "m/file", "x", 0), ARK_OK);
	path_of("m", path);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
	path_of("m/file", path);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
}

static void mattermost_gets_what_it_can_read(void)
{
	char path[512];
	struct stat st;
	struct store_options opt = { .write = true, .create = true, .modes = STORE_MATTERMOST };
	ark_auto(store_closep) struct store *s = NULL;
	struct ark_err err = { 0 };
	umask(022); /* as a server's; a stricter one takes from 0750 as it does with Mattermost */
	path_of("mm", path);
	CHECK(mkdir(path, 0755) == 0);
	if (geteuid() == 0)
		CHECK(chown(path, 12345, 12346) == 0);
	CHECK_I64(store_open_text(path, &opt, &s, &err), ARK_OK);
	CHECK_I64(put(s, "20240101/x/file", "x", 0), ARK_OK);
	path_of("mm/20240101/x", path);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0750);
	CHECK_I64(st.st_uid, geteuid() == 0 ? 12345 : geteuid());
	path_of("mm/20240101/x/file", path);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK_I64(st.st_uid, geteuid() == 0 ? 12345 : geteuid());
	CHECK_I64(st.st_gid, geteuid() == 0 ? 12346 : getegid());
}

static void rests_are_swept(void)
{
	char path[512];
	path_of(STORE_TEMP "-0123456789abcdef", path);
	CHECK(mkdir(path, 0700) == 0);
	path_of(STORE_TEMP "-0123456789abcdef/0", path);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	/* one that lives is left alone, and goes with its store */
	struct store *living = open_store(false);
	struct store_writer *w = NULL;
	struct ark_err err = { 0 };
	CHECK_I64(store_put_begin(living, "living", 0, &w, &err), ARK_OK);
	store_close(open_store(false));
	CHECK(access(path, F_OK) != 0);
	CHECK_I64(store_put_end(&w, &err), ARK_OK);
	CHECK_STR(get(living, "living"), "");
	store_close(living);
	char command[600];
	snprintf(command, sizeof(command), "ls -A '%s' | grep -q '^" STORE_TEMP "'", test.dir);
	CHECK(system(command) != 0);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(test.dir, sizeof(test.dir), "%s/ark-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(test.dir) == NULL)
		return 1;
	test.local = argc < 2;
	test.place = test.local ? test.dir : argv[1];
	TAP_RUN(a_file_is_read_as_it_was_put);
	TAP_RUN(what_is_not_there_is_missing);
	TAP_RUN(absent_is_heeded);
	TAP_RUN(parts_are_read);
	TAP_RUN(lists_are_in_order);
	TAP_RUN(a_writer_takes_any_length);
	TAP_RUN(names_that_leave_are_refused);
	TAP_RUN(a_batch_is_seen_whole);
	if (test.local) {
		TAP_RUN(links_are_not_followed);
		TAP_RUN(modes_are_private);
		TAP_RUN(mattermost_gets_what_it_can_read);
		TAP_RUN(rests_are_swept);
	}
	char command[600];
	snprintf(command, sizeof(command), "rm -rf '%s'", test.dir);
	if (system(command) != 0)
		return 1;
	return tap_done();
}
