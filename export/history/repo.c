#include "export/history/repo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "common/io/publish.h"
#include "common/io/zstd.h"
#include "common/json/value.h"
#include "export/history/git.h"
#include "export/history/private.h"

#include "common/base/banned.h"

#define STATE_LEVEL 3

enum ark_rc history_git_fail(struct ark_err *err, const char *doing)
{
	const git_error *e = git_error_last();
	return ark_err_set(err, ARK_KIND_IO, "%s: %s", doing, e != NULL ? e->message : "libgit2 does not say why");
}

enum ark_rc history_git_stop(struct ark_err *err, const char *doing)
{
	(void)history_git_fail(err, doing);
	return ARK_STOP;
}

/* --- reading ----------------------------------------------------------------------------------- */

void *history_repo_git(const struct history_repo *r)
{
	return r->git;
}

const char *history_repo_incoming(const struct history_repo *r)
{
	return r->incoming;
}

bool history_repo_head(const struct history_repo *r, struct history_oid *out)
{
	git_oid id;
	if (git_reference_name_to_id(&id, r->git, HISTORY_BRANCH) < 0)
		return false;
	memcpy(out->b, id.id, HISTORY_OID);
	return true;
}

static git_oid git_of(const struct history_oid *id)
{
	git_oid out = { 0 };
	memcpy(out.id, id->b, HISTORY_OID);
	return out;
}

enum ark_rc history_repo_read(struct history_repo *r, const struct history_oid *id, enum history_type type,
                              struct ark_buf *out, struct ark_err *err)
{
	git_oid name = git_of(id);
	git_odb_object *object = NULL;
	char hex[HISTORY_OID_HEX];
	history_oid_hex(id, hex);
	ark_buf_reset(out);
	if (git_odb_read(&object, r->odb, &name) < 0) {
		enum ark_rc rc = history_git_fail(err, "reading the repository");
		err->kind = ARK_KIND_INPUT;
		return ark_err_in(err, rc, "object %s", hex);
	}
	bool fits = (int)git_odb_object_type(object) == (int)type;
	if (fits)
		ark_buf_add(out, git_odb_object_data(object), git_odb_object_size(object));
	git_odb_object_free(object);
	if (!fits)
		return ark_err_set(err, ARK_KIND_INPUT, "object %s is no %s", hex, history_type_name(type));
	(void)ark_buf_room(out, JSON_PADDING);
	return ark_buf_ok(out, "an object", err);
}

void history_commit_text(struct ark_buf *to, const struct history_oid *tree, const struct history_oid *parent,
                         int64_t when_s, struct ark_str message)
{
	char hex[HISTORY_OID_HEX];
	history_oid_hex(tree, hex);
	ark_buf_fmt(to, "tree %s\n", hex);
	if (parent != NULL) {
		history_oid_hex(parent, hex);
		ark_buf_fmt(to, "parent %s\n", hex);
	}
	for (int i = 0; i < 2; i++)
		ark_buf_fmt(to, "%s " HISTORY_NAME " <" HISTORY_ADDRESS "> %lld +0000\n", i == 0 ? "author" : "committer",
		            (long long)(when_s > 0 ? when_s : 0));
	ark_buf_c(to, '\n');
	ark_buf_str(to, message);
}

enum ark_rc history_repo_commit(struct history_repo *r, const struct history_oid *id, struct history_commit *out,
                                struct ark_err *err)
{
	git_oid name = git_of(id);
	git_commit *commit = NULL;
	if (git_commit_lookup(&commit, r->git, &name) < 0)
		return history_git_fail(err, "reading a commit");
	out->id = *id;
	memcpy(out->tree.b, git_commit_tree_id(commit)->id, HISTORY_OID);
	out->has_parent = git_commit_parentcount(commit) > 0;
	if (out->has_parent)
		memcpy(out->parent.b, git_commit_parent_id(commit, 0)->id, HISTORY_OID);
	out->when_s = git_commit_time(commit);
	ark_buf_reset(&out->message);
	ark_buf_z(&out->message, git_commit_message_raw(commit));
	const git_signature *who = git_commit_author(commit);
	bool ours = git_commit_parentcount(commit) <= 1 && strcmp(who->name, HISTORY_NAME) == 0 &&
	            strcmp(who->email, HISTORY_ADDRESS) == 0;
	git_commit_free(commit);
	if (!ours)
		return ark_err_set(err, ARK_KIND_REFUSED, "the history holds a commit that this program did not make");
	return ark_buf_ok(&out->message, "a commit", err);
}

struct others {
	struct ark_buf *names;
};

static int other_ref(const char *name, void *ctx)
{
	struct others *o = ctx;
	if (strcmp(name, HISTORY_BRANCH) != 0)
		ark_buf_fmt(o->names, "%s%s", o->names->len > 0 ? ", " : "", name);
	return 0;
}

enum ark_rc history_repo_other_refs(struct history_repo *r, struct ark_buf *names, struct ark_err *err)
{
	struct others o = { names };
	return git_reference_foreach_name(r->git, other_ref, &o) < 0 ? history_git_fail(err, "listing references") : ARK_OK;
}

/* --- small files of our own -------------------------------------------------------------------- */

void history_repo_path(const struct history_repo *r, const char *name, struct ark_buf *out)
{
	ark_buf_fmt(out, "%s/%s", r->own, name);
}

enum ark_rc history_repo_small(const struct history_repo *r, const char *name, struct ark_buf *out, struct ark_err *err)
{
	if (r->folder == NULL)
		return ARK_END;
	enum ark_rc rc = export_folder_small(r->folder, name, out, err);
	if (rc < 0 && err->kind == ARK_KIND_MISSING) {
		*err = (struct ark_err){ 0 };
		return ARK_END;
	}
	return rc;
}

enum ark_rc history_repo_put(const struct history_repo *r, const char *name, struct ark_str content, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	history_repo_path(r, name, &path);
	ark_auto(io_publish_release) struct io_publish file = IO_PUBLISH_NONE;
	enum ark_rc rc = io_publish_begin(path.data, &file, err);
	if (rc == ARK_OK)
		rc = io_publish_write(&file, content.ptr, content.len, err);
	return rc == ARK_OK ? io_publish_finish(&file, err) : rc;
}

static void state_name(const struct history_oid *commit, char out[64])
{
	char hex[HISTORY_OID_HEX];
	history_oid_hex(commit, hex);
	snprintf(out, 64, "state-%s.zst", hex);
}

enum ark_rc history_repo_state(const struct history_repo *r, struct export_stream **out, struct ark_err *err)
{
	struct history_oid head;
	char name[64];
	if (r->folder == NULL || !history_repo_head(r, &head))
		return ARK_END;
	state_name(&head, name);
	return export_folder_has(r->folder, name) ? export_stream_open(r->folder, name, true, out, err) : ARK_END;
}

static enum ark_rc to_state(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct history_repo *r = ctx;
	return io_publish_write(&r->state, data, len, err);
}

enum ark_rc history_repo_state_begin(struct history_repo *r, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	history_repo_path(r, "state", &path);
	enum ark_rc rc = io_publish_begin(path.data, &r->state, err);
	if (rc < 0)
		return rc;
	r->zstd = io_zstd_out_new(STATE_LEVEL);
	io_zstd_out_begin(r->zstd, to_state, r);
	return ARK_OK;
}

enum ark_rc history_repo_state_write(void *repo, const void *data, size_t len, struct ark_err *err)
{
	struct history_repo *r = repo;
	return io_zstd_out_add(r->zstd, data, len, err);
}

void history_repo_state_carry(struct history_repo *r)
{
	r->carry = true;
}

/* --- opening ----------------------------------------------------------------------------------- */

bool history_repo_exists(const char *path)
{
	struct stat st;
	ark_auto(ark_buf_release) struct ark_buf head;
	ark_buf_init(&head, 1u << 16);
	ark_buf_fmt(&head, "%s/HEAD", path);
	return stat(head.data, &st) == 0;
}

static enum ark_rc make_folder(const char *path, struct ark_err *err)
{
	int failed = ark_fail_step("make a folder of the repository");
	if (failed != 0 || (mkdir(path, 0700) != 0 && errno != EEXIST))
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot make folder '%s'", path);
	return ARK_OK;
}

/* A folder that is ours may be empty, or hold our folder, or be a clone. */
static enum ark_rc check_folder(const char *path, bool create, struct ark_err *err)
{
	DIR *d = opendir(path);
	if (d == NULL && errno == ENOENT && create)
		return make_folder(path, err);
	if (d == NULL && errno == ENOENT) {
		ark_err_set(err, ARK_KIND_MISSING, "there is no repository '%s'", path);
		ark_err_hint(err, "'matter-history update %s' makes one", path);
		return ARK_FAIL;
	}
	if (d == NULL)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	bool any = false, ours = false;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		any = any || !dots;
		ours = ours || strcmp(e->d_name, "matterark") == 0 || strcmp(e->d_name, "objects") == 0;
	}
	closedir(d);
	if ((any && ours) || (!any && create))
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no history", path);
	ark_err_hint(err, "name a folder that is not there; 'matter-history update' makes it");
	return ARK_FAIL;
}

static enum ark_rc take_lock(struct history_repo *r, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	history_repo_path(r, "lock", &path);
	r->lock = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->lock < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path.data);
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
		return ARK_OK;
	if (errno != EWOULDBLOCK)
		return ark_err_errno(err, errno, "cannot lock '%s'", path.data);
	return ark_err_set(err, ARK_KIND_LOCKED, "another run writes to '%s'", r->path);
}

static enum ark_rc make_repository(struct history_repo *r, struct ark_err *err)
{
	git_repository_init_options opt = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	opt.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_DOTGIT_DIR;
	opt.mode = GIT_REPOSITORY_INIT_SHARED_UMASK;
	opt.initial_head = "main";
	opt.description = "Mattermost conversations, by matter-history\n";
	int failed = ark_fail_step("make the repository");
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot make '%s'", r->path);
	if (git_repository_init_ext(&r->git, r->path, &opt) < 0)
		return history_git_stop(err, "making the repository");
	return ARK_OK;
}

static enum ark_rc open_git(struct history_repo *r, bool create, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (!history_repo_exists(r->path) && create)
		rc = make_repository(r, err);
	else if (git_repository_open_bare(&r->git, r->path) < 0)
		rc = history_git_fail(err, "opening the repository");
	if (rc == ARK_OK && git_repository_odb(&r->odb, r->git) < 0)
		rc = history_git_fail(err, "opening the repository");
	return rc;
}

/* A history that was cloned has no folder of ours; whose newest commit is not ours is somebody else's. */
static enum ark_rc open_own(struct history_repo *r, enum history_open how, struct ark_err *err)
{
	struct stat st;
	if (how == HISTORY_READ && stat(r->own, &st) != 0)
		return ARK_OK;
	if (stat(r->own, &st) != 0 && history_repo_exists(r->path)) {
		struct history_oid head;
		struct history_commit c;
		ark_buf_init(&c.message, LIMIT_HISTORY_SMALL);
		enum ark_rc rc = open_git(r, false, err);
		if (rc == ARK_OK && !history_repo_head(r, &head))
			rc = ark_err_set(err, ARK_KIND_REFUSED, "'%s' is a repository of something else", r->path);
		else if (rc == ARK_OK)
			rc = history_repo_commit(r, &head, &c, err);
		ark_buf_release(&c.message);
		if (rc < 0)
			return rc;
	}
	enum ark_rc rc = make_folder(r->own, err);
	return rc == ARK_OK ? export_folder_open(r->own, NULL, &r->folder, err) : rc;
}

static void *start(void *nothing)
{
	git_libgit2_init(); /* whoever needs it meanwhile waits in theirs */
	return nothing;
}

void history_start_begin(struct history_start *s)
{
	s->runs = pthread_create(&s->thread, NULL, start, NULL) == 0;
}

void history_start_end(struct history_start *s)
{
	if (!s->runs)
		return;
	(void)pthread_join(s->thread, NULL);
	s->runs = false;
	git_libgit2_shutdown();
}

enum ark_rc history_repo_open(const char *path, enum history_open how, struct history_repo **out, struct ark_err *err)
{
	ark_auto(history_repo_closep) struct history_repo *r = ark_calloc(1, sizeof(*r));
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)1 << 20);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)8 << 20);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	r->lock = -1;
	r->state = IO_PUBLISH_NONE;
	r->path = ark_strdupz(path);
	ark_auto(ark_buf_release) struct ark_buf own;
	ark_buf_init(&own, 1u << 16);
	ark_buf_fmt(&own, "%s/matterark", path);
	r->own = ark_strdupz(own.data);
	ark_buf_z(&own, "/incoming");
	r->incoming = ark_strdupz(own.data);
	enum ark_rc rc = check_folder(path, how == HISTORY_CREATE, err);
	if (rc == ARK_OK)
		rc = open_own(r, how, err);
	if (rc == ARK_OK && how != HISTORY_READ)
		rc = take_lock(r, err);
	if (rc == ARK_OK && r->git == NULL)
		rc = open_git(r, how == HISTORY_CREATE, err);
	if (rc == ARK_OK && how != HISTORY_READ)
		rc = history_repo_recover(r, err);
	if (rc < 0)
		return rc;
	*out = r;
	r = NULL;
	return ARK_OK;
}

void history_repo_close(struct history_repo *r)
{
	if (r == NULL)
		return;
	io_zstd_out_free(r->zstd);
	io_publish_release(&r->state);
	git_odb_free(r->odb);
	git_repository_free(r->git);
	export_folder_close(r->folder);
	if (r->lock >= 0)
		close(r->lock);
	free(r->path);
	free(r->own);
	free(r->incoming);
	free(r);
	git_libgit2_shutdown();
}

void history_repo_closep(struct history_repo **r)
{
	history_repo_close(*r);
	*r = NULL;
}
