#include "purge/archive.h"

#include <stdio.h>
#include <string.h>

#include "common/cli/signal.h"
#include "common/repo/snapshot.h"
#include "common/repo/walk.h"
#include "purge/archive_export.h"

#include "common/base/banned.h"

/* ---- a repository ---- */

struct columns {
	size_t id, edit; /* positions among the values of a line */
};

/* "id", createat, ...: names of COPY as quote_ident writes them. */
static enum ark_rc find_columns(struct ark_str list, struct columns *out, struct ark_err *err)
{
	*out = (struct columns){ SIZE_MAX, SIZE_MAX };
	for (size_t n = 0; list.len > 0; n++) {
		size_t end = ark_str_find(list, ',', 0);
		struct ark_str name = ark_str_trim(ark_str_first(list, end));
		if (ark_str_eqz(name, "id"))
			out->id = n;
		if (ark_str_eqz(name, "editat"))
			out->edit = n;
		list = ark_str_from(list, end == SIZE_MAX ? list.len : end + 1);
	}
	if (out->id == SIZE_MAX || out->edit == SIZE_MAX)
		return ark_err_set(err, ARK_KIND_REFUSED, "the snapshot's table of posts has no ids or no times of edits");
	return ARK_OK;
}

static void see_row(struct kept_set *set, const struct columns *at, struct ark_str line)
{
	struct ark_str id = ARK_STR_NONE;
	uint64_t edit = 0;
	for (size_t n = 0; line.len > 0; n++) {
		size_t end = ark_str_find(line, '\t', 0);
		struct ark_str value = ark_str_first(line, end);
		if (n == at->id)
			id = value;
		if (n == at->edit && !ark_str_u64(value, &edit))
			edit = 0;
		line = ark_str_from(line, end == SIZE_MAX ? line.len : end + 1);
	}
	if (ark_str_has(id))
		kept_see(set, id, (int64_t)edit);
}

static enum ark_rc see_snapshot(struct repo *repo, const struct repo_part *part, struct kept_set *set,
                                struct ark_err *err)
{
	struct columns at;
	enum ark_rc rc = find_columns(part->columns, &at, err);
	if (rc < 0)
		return rc;
	ark_auto(repo_rows_freep) struct repo_rows *rows = repo_rows_new(repo);
	struct ark_str text;
	repo_rows_begin(rows, part);
	while ((rc = repo_rows_next(rows, &text, err)) == ARK_OK) {
		for (size_t end; (end = ark_str_find(text, '\n', 0)) != SIZE_MAX; text = ark_str_from(text, end + 1))
			see_row(set, &at, ark_str_first(text, end));
		if ((rc = ark_interrupt_check(err)) < 0)
			break;
	}
	return rc < 0 ? rc : ARK_OK;
}

/* A snapshot holds a message when it was taken after that was written and before it went: now. */
static enum ark_rc count_snapshots(struct repo *repo, int64_t oldest_ms, struct archive_found *out, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	enum ark_rc rc = repo_snapshots_read(repo, &all, NULL, err);
	for (size_t i = 0; rc == ARK_OK && i < all.count; i++) {
		if (all.items[i].taken_ms < oldest_ms)
			continue;
		out->snapshots_holding++;
		out->newest_ms = all.items[i].taken_ms;
	}
	return rc;
}

/* ---- either ---- */

struct source {
	struct purge_app *app;
	struct repo *repo; /* NULL: an export */
	struct repo_contents contents;
	const struct repo_part *posts;
	struct store_options store;
};

static void source_release(struct source *s)
{
	repo_contents_release(&s->contents);
	repo_close(s->repo);
}

static enum ark_rc open_repo(struct source *s, struct archive_found *out, struct ark_err *err)
{
	struct repo_snapshot snapshot;
	enum ark_rc rc = repo_snapshot_find(s->repo, s->app->config->snapshot, &snapshot, err);
	if (rc == ARK_OK)
		rc = repo_contents_read(s->repo, &snapshot, &s->contents, err);
	if (rc < 0)
		return rc;
	out->is_repo = true;
	snprintf(out->snapshot, sizeof(out->snapshot), "%s", snapshot.name);
	s->posts = repo_part_find(&s->contents, REPO_PART_TABLE, "posts");
	return s->posts != NULL ? ARK_OK
	                        : ark_err_set(err, ARK_KIND_REFUSED, "snapshot '%s' has no table of posts", snapshot.name);
}

static enum ark_rc open_source(struct source *s, struct archive_found *out, struct ark_err *err)
{
	const struct purge_config *c = s->app->config;
	const struct repo_options opt = { .place = c->archived_in, .identity_file = c->identity, .cache = c->cache,
		                          .interrupted = ark_interrupted, .s3 = &c->s3 };
	s->store = (struct store_options){ .modes = STORE_PRIVATE, .interrupted = ark_interrupted, .s3 = &c->s3 };
	enum ark_rc rc = repo_open(&opt, &s->repo, err);
	if (rc == ARK_OK)
		return open_repo(s, out, err);
	if (rc == ARK_STOP || err->kind != ARK_KIND_MISSING)
		return rc;
	if (c->snapshot != NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no repository, so it has no snapshot '%s'", c->archived_in,
		                   c->snapshot);
	return ARK_OK;
}

static enum ark_rc see_all(struct source *s, struct kept_set *set, struct ark_err *err)
{
	const char *place = s->app->config->archived_in;
	kept_sort(set);
	if (s->repo != NULL)
		return see_snapshot(s->repo, s->posts, set, err);
	uint64_t files = 0;
	enum ark_rc rc = archive_export_see(place, &s->store, set, &files, err);
	if (rc == ARK_OK && files == 0) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no repository, and no export with JSON lines", place);
		ark_err_hint(err, "'matter-export run --format jsonl' makes one");
		return ARK_FAIL;
	}
	return rc;
}

struct sum {
	uint64_t missing;
	char first[MM_ID_LEN + 1];
};

static enum ark_rc compare(struct source *s, struct kept_set *set, struct archive_found *out, struct sum *sum,
                           struct ark_err *err)
{
	uint64_t n = 0;
	enum ark_rc rc = set->count > 0 || out->rows == 0 ? see_all(s, set, err) : ARK_OK;
	const struct kept_row *first = kept_unseen(set, &n);
	if (first != NULL && sum->missing == 0)
		snprintf(sum->first, sizeof(sum->first), "%.*s", MM_ID_LEN, first->id);
	sum->missing += n;
	out->rows += set->count;
	kept_clear(set);
	return rc;
}

static enum ark_rc refuse(const struct source *s, const struct archive_found *found, const struct sum *sum,
                          struct ark_err *err)
{
	const char *place = s->app->config->archived_in;
	if (found->is_repo)
		ark_err_set(err, ARK_KIND_REFUSED, "%llu rows of the plan are not, as they read now, in snapshot '%s' of '%s'; the "
		            "first is message '%s'", (unsigned long long)sum->missing, found->snapshot, place, sum->first);
	else
		ark_err_set(err, ARK_KIND_REFUSED, "%llu rows of the plan are not, as they read now, in export '%s'; the first is "
		            "message '%s'", (unsigned long long)sum->missing, place, sum->first);
	ark_err_hint(err, found->is_repo ? "'matter-backup create' takes a snapshot that has them" : "export anew");
	return ARK_FAIL;
}

enum ark_rc archive_check(struct purge_app *a, struct plan *plan, struct archive_found *out, struct ark_err *err)
{
	*out = (struct archive_found){ 0 };
	ark_auto(source_release) struct source s = { .app = a };
	ark_auto(kept_release) struct kept_set set = { 0 };
	struct sum sum = { 0 };
	struct plan_line line;
	enum ark_rc rc = open_source(&s, out, err);
	if (rc == ARK_OK)
		rc = plan_rewind(plan, err);
	while (rc == ARK_OK && (rc = plan_next(plan, &line, err)) == ARK_OK) {
		ark_progress_add(&a->bar, 1, 0);
		if (line.kind != PLAN_ROW || kept_add(&set, &line.row))
			continue;
		rc = compare(&s, &set, out, &sum, err);
		if (rc == ARK_OK)
			(void)kept_add(&set, &line.row);
	}
	if (rc == ARK_END)
		rc = compare(&s, &set, out, &sum, err);
	if (rc < 0)
		return ark_err_in(err, rc, "--archived-in");
	if (sum.missing > 0)
		return refuse(&s, out, &sum, err);
	int64_t oldest_ms = 0;
	(void)json_small_i64(plan_head(plan), "oldest_ms", &oldest_ms);
	return s.repo != NULL ? count_snapshots(s.repo, oldest_ms, out, err) : ARK_OK;
}
