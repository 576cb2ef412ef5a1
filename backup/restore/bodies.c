#include "backup/restore/bodies.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup/filestore.h"
#include "backup/restore/place.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/io/spool.h"
#include "common/json/small.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define JOBS_MAX 16
#define WATCH_MS 100
#define KINDS 3
#define BRAND "brand/image.png" /* shown at sign-in */

extern char **environ;

static const char *const KIND_NAMES[KINDS] = { "referenced", "mutable", "other" };

void bodies_release(struct bodies *b)
{
	free(b->name);
	b->name = NULL;
}

static enum ark_rc open_store(const struct bodies *b, bool write, struct store **out, struct ark_err *err)
{
	struct store_options opt = { .write = write, .create = write, .batch = write, .modes = STORE_MATTERMOST,
		                     .interrupted = ark_interrupted, .s3 = b->s3, .environ = environ };
	return store_open_text(b->place, &opt, out, err);
}

/* --- may it be filled ------------------------------------------------------------------------------------ */

static bool is_bucket(const char *place)
{
	return strncmp(place, "s3://", 5) == 0;
}

/* "s3://BUCKET/PREFIX" as the snapshot names such a place. */
static void bucket_text(const struct bodies *b, const char *place, struct ark_buf *out)
{
	struct ark_str rest = ark_str_from(ark_str_z(place), strlen("s3://"));
	struct ark_str bucket = ark_str_first(rest, ark_str_find(rest, '/', 0));
	struct ark_str prefix = ark_str_from(rest, bucket.len + 1);
	ark_auto(ark_freep) char *name = ark_strdup(bucket), *path = ark_strdup(prefix.len > 0 ? prefix : ARK_LIT(""));
	char none[] = "";
	struct mm_files files = { .kind = MM_FILES_S3, .path = path, .bucket = name, .region = none, .endpoint = none,
		                  .access_key = none, .secret_key = none, .origin = none, .problem = none };
	filestore_bucket_text(&files, b->s3, out);
}

static void resolve(const struct bodies *b, const char *place, struct ark_buf *out)
{
	if (is_bucket(place))
		bucket_text(b, place, out);
	else
		place_resolve(place, out);
}

static enum ark_rc refuse(const struct bodies *b, enum place_relation rel, const char *what, struct ark_err *err)
{
	static const char *const HOW[] = { "apart from", "the same as", "inside", "around" };
	ark_err_set(err, ARK_KIND_REFUSED, "the file target '%s' is %s %s", b->place, HOW[rel], what);
	ark_err_hint(err, "name a place that is not there yet, or is empty");
	return ARK_FAIL;
}

static enum ark_rc one_is_enough(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	bool *found = ctx;
	(void)entry;
	(void)err;
	*found = true;
	return ARK_END;
}

static bool holds_files(const struct bodies *b, const char *place)
{
	struct bodies other = { .place = place, .s3 = b->s3 };
	ark_auto(store_closep) struct store *store = NULL;
	struct ark_err err = { 0 };
	bool found = false;
	return open_store(&other, false, &store, &err) == ARK_OK &&
	       store_list(store, "", NULL, 0, one_is_enough, &found, &err) >= 0 && found;
}

/* The snapshot's own store. One of another machine is this one only if something is there. */
static enum ark_rc check_source(const struct bodies *b, bool production, struct ark_err *err)
{
	struct ark_str files = repo_source(b->contents, "files"), host = repo_source(b->contents, "host");
	if (!ark_str_has(files) || files.len == 0)
		return ARK_OK;
	ark_auto(ark_freep) char *source = ark_strdup(files);
	enum place_relation rel = place_compare(b->name, source);
	if (rel == PLACE_APART)
		return ARK_OK;
	char here[256] = "";
	gethostname(here, sizeof(here) - 1);
	bool elsewhere = !is_bucket(source) && ark_str_has(host) && !ark_str_eqz(host, here);
	if (elsewhere && !holds_files(b, source))
		return ARK_OK;
	/* what was lost comes back to where it was: that place has to be empty, which is asked next */
	if (production && rel == PLACE_SAME)
		return ARK_OK;
	return refuse(b, rel, "the file store that the snapshot was taken from", err);
}

static bool says(const struct json_small *mark, const char *key, const char *want)
{
	struct ark_str have = json_small_str(mark, key);
	return ark_str_has(have) && want[0] != '\0' && ark_str_eqz(have, want);
}

/* The mark holds: files of a run into this database that died, or of the copy that is in it. */
static bool mark_holds(const struct json_small *mark, const struct target *t)
{
	if (!says(mark, "database", t->name) || !says(mark, "system_identifier", t->system_identifier))
		return false;
	if (says(mark, "state", "filling"))
		return true;
	return says(mark, "state", "complete") && t->marked && says(mark, "diagnostic_id", t->diagnostic_id);
}

/* *mark stays NULL when there is none, or one that cannot be understood. */
static enum ark_rc read_mark(struct store *store, struct json_small **mark, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = store_read_all(store, BODIES_MARK, &text, err);
	if (rc == ARK_FAIL && (err->kind == ARK_KIND_MISSING || err->kind == ARK_KIND_LIMIT))
		return ARK_OK;
	if (rc == ARK_OK)
		(void)json_small_parse(ark_buf_view(&text), mark, err);
	return rc;
}

enum ark_rc bodies_left(const struct bodies *b, struct target *t, bool *left, struct ark_buf *snapshot,
                        struct ark_err *err)
{
	ark_auto(store_closep) struct store *store = NULL;
	ark_auto(json_small_freep) struct json_small *mark = NULL;
	char oid[16];
	*left = false;
	enum ark_rc rc = open_store(b, false, &store, err);
	if (rc < 0)
		return err->kind == ARK_KIND_MISSING ? ARK_OK : rc;
	rc = read_mark(store, &mark, err);
	if (rc == ARK_OK)
		rc = target_oid(t, t->name, oid, err);
	if (rc < 0 || mark == NULL)
		return rc;
	*left = says(mark, "state", "filling") && says(mark, "database", t->name) && says(mark, "database_oid", oid) &&
	        says(mark, "system_identifier", t->system_identifier);
	if (*left)
		ark_buf_str(snapshot, json_small_str(mark, "snapshot"));
	return ARK_OK;
}

static enum ark_rc check_content(struct bodies *b, const struct target *t, struct ark_err *err)
{
	ark_auto(store_closep) struct store *store = NULL;
	ark_auto(json_small_freep) struct json_small *mark = NULL;
	enum ark_rc rc = open_store(b, false, &store, err);
	if (rc < 0)
		return err->kind == ARK_KIND_MISSING && !is_bucket(b->place) ? ARK_OK : rc;
	rc = store_list(store, "", NULL, 0, one_is_enough, &b->used, err);
	if (rc < 0 || !b->used)
		return rc < 0 ? rc : ARK_OK;
	rc = read_mark(store, &mark, err);
	if (rc < 0 || (mark != NULL && mark_holds(mark, t)))
		return rc;
	ark_err_set(err, ARK_KIND_REFUSED, "the file target '%s' is not empty, and %s", b->place,
	            mark == NULL ? "does not carry the mark of a test installation"
	                         : "its mark is that of another test installation");
	ark_err_hint(err, "name a place that is not there yet, or is empty");
	return ARK_FAIL;
}

enum ark_rc bodies_check(struct bodies *b, const struct target *t, const char *repository, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf name, other;
	ark_buf_init(&name, LIMIT_DSN);
	ark_buf_init(&other, LIMIT_DSN);
	resolve(b, b->place, &name);
	resolve(b, repository, &other);
	enum ark_rc rc = ark_buf_ok(&name, "the place's name", err);
	if (rc < 0)
		return rc;
	b->name = ark_strdup(ark_buf_view(&name));
	enum place_relation rel = place_compare(b->name, other.data);
	if (rel != PLACE_APART)
		return refuse(b, rel, "the repository", err);
	rc = check_source(b, t->opt->production, err);
	return rc == ARK_OK ? check_content(b, t, err) : rc;
}

/* One of the snapshot's lists without what is not wanted. */
struct list {
	const struct bodies *b;
	struct repo_files *files;
	struct paths wanted;
	bool asks; /* `wanted` is asked */
};

static void list_begin(struct list *l, const struct bodies *b, struct repo *repo, const struct repo_part *part)
{
	*l = (struct list){ .b = b, .files = repo_files_new(repo) };
	l->asks = b->wanted != NULL && (b->only_wanted || ark_str_eqz(part->name, KIND_NAMES[0]));
	paths_begin(&l->wanted, b->wanted);
	repo_files_begin(l->files, part);
}

static void list_release(struct list *l)
{
	repo_files_free(l->files);
	paths_release(&l->wanted);
	*l = (struct list){ 0 };
}

/* Fact  docs/mattermost-facts.md "Files": pictures of people are below users/ */
static bool left_out(const struct bodies *b, struct ark_str path)
{
	return ark_str_eqz(path, BODIES_MARK) || (b->without_faces && ark_str_starts(path, ARK_LIT("users/")));
}

static enum ark_rc list_next(struct list *l, struct repo_file *f, struct ark_err *err)
{
	for (;;) {
		bool wanted = true;
		enum ark_rc rc = repo_files_next(l->files, f, err);
		if (rc == ARK_OK && l->asks)
			rc = paths_has(&l->wanted, f->path, &wanted, err);
		if (rc != ARK_OK || (wanted && !left_out(l->b, f->path)))
			return rc;
	}
}

/* --- the mark ---------------------------------------------------------------------------------------------- */

static void member(struct ark_buf *out, const char *key, const char *value)
{
	ark_buf_fmt(out, "%s\n \"%s\": ", out->len > 1 ? "," : "", key);
	ark_buf_json(out, ark_str_z(value));
}

static enum ark_rc set_mark(const struct bodies *b, struct store *store, const struct target *t, const char *state,
                            const char *diagnostic_id, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	ark_buf_c(&text, '{');
	member(&text, "about", t->opt->production ?
	       "matter-backup restores production to here; the same command once more finishes what it did not come to" :
	       "these files belong to a test installation made by matter-backup; it may be thrown away");
	member(&text, "state", state);
	member(&text, "database", t->name);
	member(&text, "database_oid", t->temp_oid);
	member(&text, "system_identifier", t->system_identifier);
	member(&text, "diagnostic_id", diagnostic_id);
	member(&text, "snapshot", b->snapshot);
	ark_buf_z(&text, "\n}\n");
	struct ark_body body = ark_body_mem(ark_buf_view(&text));
	enum ark_rc rc = store_put(store, BODIES_MARK, &body, 0, err);
	return rc < 0 ? rc : store_sync(store, err);
}

static enum ark_rc begin(struct bodies *b, const struct target *t, struct ark_err *err)
{
	ark_auto(store_closep) struct store *store = NULL;
	enum ark_rc rc = open_store(b, true, &store, err);
	return rc < 0 ? rc : set_mark(b, store, t, "filling", "", err);
}

/* --- bodies ---------------------------------------------------------------------------------------------------- */

struct run {
	struct bodies *b;
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned alive, jobs;
	_Atomic bool stop;
	enum ark_rc rc;
	struct ark_err err;
};

struct worker {
	struct run *run;
	pthread_t thread;
	unsigned number;
	struct repo *repo;
	struct store *store;
	uint64_t seen, files, bytes, missing;
};

struct taking {
	struct worker *w;
	struct store_writer *writer; /* NULL: only read */
	uint64_t len;
};

static enum ark_rc take_body(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct taking *t = ctx;
	t->len += len;
	ark_progress_count(t->w->run->b->bar, 0, len);
	if (t->w->run->stop)
		return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
	enum ark_rc rc = ark_interrupt_check(err);
	return rc == ARK_OK && t->writer != NULL ? store_put_add(t->writer, ptr, len, err) : rc;
}

static enum ark_rc one_body(struct worker *w, const struct repo_file *f, struct ark_err *err)
{
	ark_auto(store_put_drop) struct store_writer *writer = NULL;
	ark_auto(ark_freep) char *path = ark_strdup(f->path);
	enum ark_rc rc = w->store != NULL ? store_put_begin(w->store, path, 0, &writer, err) : ARK_OK;
	struct taking t = { .w = w, .writer = writer };
	if (rc == ARK_OK)
		rc = repo_read_pieces(w->repo, &f->id, take_body, &t, err);
	if (rc == ARK_OK && t.len != f->size_bytes)
		rc = ark_err_set(err, ARK_KIND_INPUT, "has %llu bytes, not %llu", (unsigned long long)t.len,
		                 (unsigned long long)f->size_bytes);
	if (rc == ARK_OK && writer != NULL)
		rc = store_put_end(&writer, err);
	w->files++;
	w->bytes += t.len;
	ark_progress_count(w->run->b->bar, 1, 0);
	return rc < 0 ? ark_err_in(err, rc, "file '%s'", path) : rc;
}

/* Every thread goes through the whole list and takes its share. */
static enum ark_rc one_list(struct worker *w, const struct repo_part *part, struct ark_err *err)
{
	ark_auto(list_release) struct list list;
	struct repo_file f;
	enum ark_rc rc;
	list_begin(&list, w->run->b, w->repo, part);
	while ((rc = list_next(&list, &f, err)) == ARK_OK) {
		if (w->run->stop)
			return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
		if (w->seen++ % w->run->jobs != w->number)
			continue;
		if (f.missing) {
			w->missing++;
			continue;
		}
		rc = one_body(w, &f, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc do_share(struct worker *w, struct ark_err *err)
{
	struct bodies *b = w->run->b;
	enum ark_rc rc = repo_open_beside(b->repo, b->contents, &w->repo, err);
	if (rc == ARK_OK && b->place != NULL)
		rc = open_store(b, true, &w->store, err);
	for (size_t i = 0; rc == ARK_OK && i < b->contents->count; i++)
		if (b->contents->parts[i].kind == REPO_PART_FILES)
			rc = one_list(w, &b->contents->parts[i], err);
	return rc == ARK_OK && w->store != NULL ? store_sync(w->store, err) : rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct run *run = w->run;
	struct ark_err err = { 0 };
	enum ark_rc rc = do_share(w, &err);
	store_close(w->store);
	repo_close(w->repo);
	pthread_mutex_lock(&run->lock);
	if (rc < 0 && run->rc == ARK_OK) {
		run->rc = rc;
		run->err = err;
		run->stop = true;
	}
	run->b->files += w->files;
	run->b->bytes += w->bytes;
	run->b->missing += w->missing;
	run->alive--;
	pthread_cond_broadcast(&run->change);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

static void watch(struct run *run)
{
	pthread_mutex_lock(&run->lock);
	while (run->alive > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&run->change, &run->lock, &until);
		ark_progress_tick(run->b->bar);
	}
	pthread_mutex_unlock(&run->lock);
}

uint64_t bodies_weight(const struct repo_contents *c, uint64_t *files)
{
	uint64_t bytes = 0;
	*files = 0;
	for (size_t i = 0; i < c->count; i++) {
		bool is = c->parts[i].kind == REPO_PART_FILES;
		*files += is ? c->parts[i].rows : 0;
		bytes += is ? c->parts[i].bytes : 0;
	}
	return bytes;
}

enum ark_rc bodies_put(struct bodies *b, const struct target *t, struct ark_err *err)
{
	struct worker workers[JOBS_MAX];
	struct run run = { .b = b, .jobs = b->jobs < JOBS_MAX ? b->jobs : JOBS_MAX };
	enum ark_rc rc = b->place != NULL ? begin(b, t, err) : ARK_OK;
	if (rc < 0)
		return rc;
	unsigned begun = 0;
	pthread_mutex_init(&run.lock, NULL);
	pthread_cond_init(&run.change, NULL);
	run.alive = run.jobs;
	for (; begun < run.jobs; begun++) {
		workers[begun] = (struct worker){ .run = &run, .number = begun };
		if (pthread_create(&workers[begun].thread, NULL, work, &workers[begun]) != 0)
			break;
	}
	if (begun < run.jobs) {
		pthread_mutex_lock(&run.lock);
		run.alive -= run.jobs - begun;
		run.stop = true;
		run.rc = ark_err_stop(&run.err, ARK_KIND_MEMORY, "cannot start a thread");
		pthread_mutex_unlock(&run.lock);
	}
	watch(&run);
	for (unsigned i = 0; i < begun; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_mutex_destroy(&run.lock);
	pthread_cond_destroy(&run.change);
	if (run.rc < 0)
		*err = run.err;
	return run.rc;
}

/* --- what the copy before left --------------------------------------------------------------------------------- */

/* The snapshot's lists, read side by side: each is in the order of the store's. */
struct sweep {
	struct bodies *b;
	struct list lists[KINDS];        /* no files: none, or at its end */
	struct ark_buf next[KINDS];      /* the path where it stands */
	struct io_spool gone;            /* paths that are not on any list */
};

static void sweep_release(struct sweep *s)
{
	for (int i = 0; i < KINDS; i++) {
		list_release(&s->lists[i]);
		ark_buf_release(&s->next[i]);
	}
	io_spool_close(&s->gone);
}

static enum ark_rc step(struct sweep *s, int i, struct ark_err *err)
{
	struct repo_file f;
	enum ark_rc rc = ARK_OK;
	do
		rc = list_next(&s->lists[i], &f, err);
	while (rc == ARK_OK && f.missing);
	ark_buf_reset(&s->next[i]);
	if (rc == ARK_OK) {
		ark_buf_str(&s->next[i], f.path);
		return ARK_OK;
	}
	if (rc == ARK_END) {
		list_release(&s->lists[i]);
		rc = ARK_OK;
	}
	return rc;
}

static enum ark_rc sweep_one(void *ctx, const struct store_entry *entry, struct ark_err *err)
{
	struct sweep *s = ctx;
	bool wanted = ark_str_eqz(entry->path, BODIES_MARK) || ark_str_eqz(entry->path, BRAND);
	for (int i = 0; i < KINDS; i++) {
		while (s->lists[i].files != NULL && ark_str_cmp(ark_buf_view(&s->next[i]), entry->path) < 0) {
			enum ark_rc rc = step(s, i, err);
			if (rc < 0)
				return rc;
		}
		wanted = wanted || (s->lists[i].files != NULL && ark_str_eq(ark_buf_view(&s->next[i]), entry->path));
	}
	if (wanted)
		return ARK_OK;
	return paths_add(&s->gone, entry->path, err);
}

static enum ark_rc remove_gone(struct sweep *s, struct store *store, struct ark_err *err)
{
	ark_auto(paths_release) struct paths gone;
	enum ark_rc rc;
	paths_begin(&gone, &s->gone);
	while ((rc = paths_next(&gone, err)) == ARK_OK) {
		ark_auto(ark_freep) char *path = ark_strdup(gone.path);
		rc = store_delete(store, path, err);
		if (rc < 0)
			return rc;
		s->b->removed++;
	}
	return rc < 0 ? rc : ARK_OK;
}

enum ark_rc bodies_sweep(struct bodies *b, struct ark_err *err)
{
	ark_auto(repo_closep) struct repo *repo = NULL;
	ark_auto(store_closep) struct store *store = NULL;
	ark_auto(sweep_release) struct sweep s = { .b = b, .gone = IO_SPOOL_NONE };
	if (b->place == NULL || !b->used)
		return ARK_OK;
	for (int i = 0; i < KINDS; i++)
		ark_buf_init(&s.next[i], LIMIT_REPO_SMALL);
	enum ark_rc rc = open_store(b, true, &store, err);
	if (rc == ARK_OK)
		rc = repo_open_beside(b->repo, b->contents, &repo, err);
	for (int i = 0; i < KINDS && rc == ARK_OK; i++) {
		const struct repo_part *part = repo_part_find(b->contents, REPO_PART_FILES, KIND_NAMES[i]);
		if (part == NULL)
			continue;
		list_begin(&s.lists[i], b, repo, part);
		rc = step(&s, i, err);
	}
	if (rc == ARK_OK)
		rc = store_list(store, "", NULL, 0, sweep_one, &s, err);
	return rc < 0 ? rc : remove_gone(&s, store, err);
}

enum ark_rc bodies_finish(struct bodies *b, const struct target *t, const char *diagnostic_id, struct ark_err *err)
{
	ark_auto(store_closep) struct store *store = NULL;
	if (b->place == NULL)
		return ARK_OK;
	enum ark_rc rc = open_store(b, true, &store, err);
	if (rc == ARK_OK && diagnostic_id != NULL) {
		struct ark_body image = ark_body_mem(b->brand);
		rc = store_put(store, BRAND, &image, 0, err);
	}
	if (rc < 0)
		return rc;
	return diagnostic_id != NULL ? set_mark(b, store, t, "complete", diagnostic_id, err)
	                             : store_delete(store, BODIES_MARK, err);
}
