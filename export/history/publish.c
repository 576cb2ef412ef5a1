/*
 * From packs that lie aside to a branch that has moved. The order, and what the next run does when this one
 * dies behind each step:
 *
 *	intent written           packs that it names are removed again, unless the branch has moved
 *	packs moved              the same
 *	state renamed            the same, and the state: it belongs to no commit
 *	branch moved             done; a rebuild's old packs are removed
 *	old packs removed
 *	intent removed
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"
#include "export/history/git.h"
#include "export/history/private.h"

#include "common/base/banned.h"

#define INTENT "intent"

/* --- files ------------------------------------------------------------------------------------- */

static enum ark_rc remove_file(const char *path, struct ark_err *err)
{
	int failed = ark_fail_step("remove a file of the repository");
	if (failed != 0 || (unlink(path) != 0 && errno != ENOENT))
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot remove '%s'", path);
	return ARK_OK;
}

static enum ark_rc rename_file(const char *from, const char *to, struct ark_err *err)
{
	int failed = ark_fail_step("give a file of the repository its name");
	if (failed != 0 || rename(from, to) != 0)
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot rename '%s'", from);
	return ARK_OK;
}

static enum ark_rc sync_folder(const char *path, struct ark_err *err)
{
	int failed = ark_fail_step("sync a folder of the repository");
	int fd = failed == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (failed == 0 && (fd < 0 || fsync(fd) != 0))
		failed = errno;
	if (fd >= 0)
		close(fd);
	return failed == 0 ? ARK_OK : ark_err_errno(err, failed, "cannot sync '%s'", path);
}

/* Remove the files of a folder that `which` affirms; one that is not there is empty. */
static enum ark_rc remove_some(const char *folder, bool (*which)(const char *name, void *ctx), void *ctx,
                               struct ark_err *err)
{
	DIR *d = opendir(folder);
	if (d == NULL)
		return errno == ENOENT ? ARK_OK : ark_err_errno(err, errno, "cannot open '%s'", folder);
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	enum ark_rc rc = ARK_OK;
	for (struct dirent *e; rc == ARK_OK && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || !which(e->d_name, ctx))
			continue;
		ark_buf_reset(&path);
		ark_buf_fmt(&path, "%s/%s", folder, e->d_name);
		rc = remove_file(path.data, err);
	}
	closedir(d);
	return rc;
}

static bool all_of_them(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return true;
}

/* States of other commits, and files that never got their names. ctx: the one that stays. */
static bool is_rest(const char *name, void *ctx)
{
	const char *keep = ctx;
	return (strncmp(name, "state-", 6) == 0 && strcmp(name, keep) != 0) || strstr(name, ".part-") != NULL;
}

static void state_of_head(const struct history_repo *r, char out[64])
{
	struct history_oid head;
	char hex[HISTORY_OID_HEX] = "none";
	if (history_repo_head(r, &head))
		history_oid_hex(&head, hex);
	snprintf(out, 64, "state-%s.zst", hex);
}

static enum ark_rc remove_rests(struct history_repo *r, struct ark_err *err)
{
	char keep[64];
	state_of_head(r, keep);
	enum ark_rc rc = remove_some(r->own, is_rest, keep, err);
	return rc == ARK_OK ? remove_some(r->incoming, all_of_them, NULL, err) : rc;
}

/* --- intents ----------------------------------------------------------------------------------- */

static void pack_path(const struct history_repo *r, struct ark_str name, const char *ending, struct ark_buf *out)
{
	ark_buf_reset(out);
	ark_buf_fmt(out, "%s/objects/pack/%.*s%s", r->path, ARK_FMT(name), ending);
}

/* The index first: without it nobody reads the pack. */
static enum ark_rc remove_pack(const struct history_repo *r, struct ark_str name, struct ark_err *err)
{
	static const char *const ENDINGS[] = { ".idx", ".rev", ".bitmap", ".mtimes", ".pack" };
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < sizeof(ENDINGS) / sizeof(ENDINGS[0]) && rc == ARK_OK; i++) {
		pack_path(r, name, ENDINGS[i], &path);
		rc = remove_file(path.data, err);
	}
	return rc;
}


static bool is_object(const char *name, void *ctx)
{
	(void)ctx;
	return strlen(name) == 38 && strspn(name, "0123456789abcdef") == 38;
}

/* Objects that others (git itself) put beside the packs. */
static enum ark_rc remove_loose(const struct history_repo *r, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < 256 && rc == ARK_OK; i++) {
		ark_buf_reset(&path);
		ark_buf_fmt(&path, "%s/objects/%02x", r->path, i);
		rc = remove_some(path.data, is_object, NULL, err);
		if (rc == ARK_OK)
			(void)rmdir(path.data);
	}
	return rc;
}

/* Lines "to ID", "new PACK", "old PACK", "loose". `moved`: the branch is where the intent wanted it. */
static enum ark_rc end_intent(struct history_repo *r, struct ark_str text, bool moved, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (text.len > 0 && rc == ARK_OK) {
		size_t end = ark_str_find(text, '\n', 0);
		struct ark_str line = ark_str_first(text, end);
		text = ark_str_from(text, end == SIZE_MAX ? text.len : end + 1);
		if (!moved && ark_str_starts(line, ARK_LIT("new ")))
			rc = remove_pack(r, ark_str_from(line, 4), err);
		if (moved && ark_str_starts(line, ARK_LIT("old ")))
			rc = remove_pack(r, ark_str_from(line, 4), err);
		if (moved && ark_str_eqz(line, "loose"))
			rc = remove_loose(r, err);
	}
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	history_repo_path(r, INTENT, &path);
	return rc == ARK_OK ? remove_file(path.data, err) : rc;
}

/* A lock of libgit2's on the branch that died with its run. Others hold theirs for moments. */
static enum ark_rc remove_branch_lock(const struct history_repo *r, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1u << 16);
	ark_buf_fmt(&path, "%s/" HISTORY_BRANCH ".lock", r->path);
	return remove_file(path.data, err);
}

enum ark_rc history_repo_recover(struct history_repo *r, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 16u << 20);
	enum ark_rc rc = history_repo_small(r, INTENT, &text, err);
	if (rc == ARK_OK) {
		struct ark_str all = ark_buf_view(&text), to = ark_str_first(ark_str_from(all, 3), 2 * HISTORY_OID);
		struct history_oid wanted, head;
		bool moved = ark_str_starts(all, ARK_LIT("to ")) && history_oid_read(to, &wanted) &&
		             history_repo_head(r, &head) && history_oid_eq(&wanted, &head);
		rc = remove_branch_lock(r, err);
		if (rc == ARK_OK)
			rc = end_intent(r, all, moved, err);
		(void)git_odb_refresh(r->odb);
	}
	if (rc >= 0)
		rc = remove_rests(r, err);
	int failed = rc == ARK_OK ? ark_fail_step("make the folder for packs") : 0;
	if (rc == ARK_OK && (failed != 0 || (mkdir(r->incoming, 0700) != 0 && errno != EEXIST)))
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot make folder '%s'", r->incoming);
	return rc;
}

/* --- publishing -------------------------------------------------------------------------------- */

/* Packs that are there now. ctx of list_pack. */
struct listing {
	struct ark_buf *text;
	const struct history_packs *packs; /* new ones: not listed */
};

static bool list_pack(const char *name, void *ctx)
{
	struct listing *l = ctx;
	struct ark_str s = ark_str_z(name);
	const char *own;
	if (!ark_str_ends(s, ARK_LIT(".pack")))
		return false;
	bool is_new = false;
	for (size_t i = 0; (own = history_packs_name(l->packs, i)) != NULL; i++)
		is_new = is_new || ark_str_eqz(ark_str_first(s, s.len - 5), own);
	if (!is_new)
		ark_buf_fmt(l->text, "old %.*s\n", ARK_FMT(ark_str_first(s, s.len - 5)));
	return false;
}

static enum ark_rc write_intent(struct history_repo *r, struct history_packs *packs, const struct history_oid *head,
                                bool replace, struct ark_buf *text, struct ark_err *err)
{
	char hex[HISTORY_OID_HEX];
	history_oid_hex(head, hex);
	ark_buf_fmt(text, "to %s\n", hex);
	struct ark_buf all;
	ark_buf_init(&all, 1u << 16);
	ark_buf_fmt(&all, "%s/objects/pack", r->path);
	struct listing l = { text, packs };
	enum ark_rc rc = replace ? remove_some(all.data, list_pack, &l, err) : ARK_OK;
	ark_buf_release(&all);
	if (replace)
		ark_buf_z(text, "loose\n");
	const char *name;
	for (size_t i = 0; (name = history_packs_name(packs, i)) != NULL; i++)
		ark_buf_fmt(text, "new %s\n", name);
	if (rc == ARK_OK)
		rc = ark_buf_ok(text, "the list of packs", err);
	return rc == ARK_OK ? history_repo_put(r, INTENT, ark_buf_view(text), err) : rc;
}

static enum ark_rc move_packs(struct history_repo *r, struct history_packs *packs, struct ark_err *err)
{
	static const char *const ENDINGS[] = { ".pack", ".idx" };
	ark_auto(ark_buf_release) struct ark_buf from, to;
	ark_buf_init(&from, 1u << 16);
	ark_buf_init(&to, 1u << 16);
	const char *name;
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && (name = history_packs_name(packs, i)) != NULL; i++) {
		for (size_t k = 0; k < 2 && rc == ARK_OK; k++) {
			ark_buf_reset(&from);
			ark_buf_fmt(&from, "%s/%s%s", r->incoming, name, ENDINGS[k]);
			pack_path(r, ark_str_z(name), ENDINGS[k], &to);
			rc = rename_file(from.data, to.data, err);
		}
	}
	ark_buf_reset(&to);
	ark_buf_fmt(&to, "%s/objects/pack", r->path);
	if (rc == ARK_OK)
		rc = sync_folder(to.data, err);
	(void)git_odb_refresh(r->odb);
	return rc;
}

/* What was begun gets the name that belongs to the commit. */
static enum ark_rc name_state(struct history_repo *r, const struct history_oid *commit, struct ark_err *err)
{
	char hex[HISTORY_OID_HEX], old[64], new[64];
	history_oid_hex(commit, hex);
	snprintf(new, sizeof(new), "state-%s.zst", hex);
	ark_auto(ark_buf_release) struct ark_buf from, to;
	ark_buf_init(&from, 1u << 16);
	ark_buf_init(&to, 1u << 16);
	history_repo_path(r, new, &to);
	enum ark_rc rc = ARK_OK;
	if (r->carry) {
		state_of_head(r, old);
		history_repo_path(r, old, &from);
		int failed = ark_fail_step("name the state for the new commit");
		if (failed != 0 || (link(from.data, to.data) != 0 && errno != EEXIST && errno != ENOENT))
			return ark_err_errno(err, failed != 0 ? failed : errno, "cannot write '%s'", to.data);
		return sync_folder(r->own, err);
	}
	rc = io_zstd_out_finish(r->zstd, err);
	if (rc < 0)
		return rc;
	free(r->state.path);
	r->state.path = ark_strdupz(to.data);
	return io_publish_finish(&r->state, err);
}

static enum ark_rc move_branch(struct history_repo *r, const struct history_oid *head, struct ark_err *err)
{
	git_oid to = { 0 }, from = { 0 };
	struct history_oid before;
	bool had = history_repo_head(r, &before);
	memcpy(to.id, head->b, HISTORY_OID);
	if (had)
		memcpy(from.id, before.b, HISTORY_OID);
	int failed = ark_fail_step("move the branch");
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot move the branch");
	git_reference *ref = NULL;
	int rc = git_reference_create_matching(&ref, r->git, HISTORY_BRANCH, &to, had, had ? &from : NULL, NULL);
	git_reference_free(ref);
	return rc < 0 ? history_git_stop(err, "moving the branch") : ARK_OK;
}

enum ark_rc history_repo_publish(struct history_repo *r, struct history_packs *packs, const struct history_oid *head,
                                 bool replace, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf intent;
	ark_buf_init(&intent, 16u << 20);
	enum ark_rc rc = sync_folder(r->incoming, err);
	if (rc == ARK_OK)
		rc = write_intent(r, packs, head, replace, &intent, err);
	if (rc == ARK_OK)
		rc = move_packs(r, packs, err);
	if (rc == ARK_OK)
		rc = name_state(r, head, err);
	if (rc == ARK_OK)
		rc = move_branch(r, head, err);
	if (rc == ARK_OK)
		rc = end_intent(r, ark_buf_view(&intent), true, err);
	return rc == ARK_OK ? remove_rests(r, err) : rc;
}

enum ark_rc history_repo_keep_state(struct history_repo *r, struct ark_err *err)
{
	struct history_oid head;
	if (!history_repo_head(r, &head))
		return ARK_OK;
	return name_state(r, &head, err);
}
