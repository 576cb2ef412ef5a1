/* matter-history update: from the options to a branch that has moved. */
#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/json/out.h"
#include "export/history/history.h"

#include "common/base/banned.h"

static void read_scope(struct history *h)
{
	const struct export_config *c = &h->config->export;
	h->app.scope = (struct export_scope){
		.teams = c->teams, .channels = c->channels, .users = c->users, .direct = c->direct,
		.no_deleted = c->no_deleted, .has_since = c->since.has, .since_ms = c->since.ms,
	};
	h->app.formats[0] = &HISTORY_DAYS;
	h->app.formats_count = 1;
}

/* What the history itself says of its scope: all that a clone has. ARK_END: nothing. */
static enum ark_rc committed_scope(struct history *h, struct ark_buf *out, struct ark_err *err)
{
	struct history_oid head;
	struct history_commit c;
	struct history_entry e;
	ark_auto(ark_buf_release) struct ark_buf root;
	ark_buf_init(&root, LIMIT_HISTORY_TREE);
	if (!history_repo_head(h->repo, &head))
		return ARK_END;
	ark_buf_init(&c.message, LIMIT_HISTORY_SMALL);
	enum ark_rc rc = history_repo_commit(h->repo, &head, &c, err);
	ark_buf_release(&c.message);
	if (rc == ARK_OK)
		rc = history_repo_read(h->repo, &c.tree, HISTORY_TREE, &root, err);
	if (rc == ARK_OK)
		rc = history_tree_check(ark_buf_view(&root), err);
	if (rc < 0)
		return rc;
	if (!history_tree_find(ark_buf_view(&root), ARK_LIT(HISTORY_SCOPE), &e) || e.is_tree)
		return ARK_END;
	return history_repo_read(h->repo, &e.id, HISTORY_BLOB, out, err);
}

/* What is in this history and how: the same in every run, or what left it would look purged. */
static enum ark_rc check_scope(struct history *h, bool fresh, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf before;
	ark_buf_init(&before, LIMIT_HISTORY_SMALL);
	struct json_out o;
	json_out_begin(&o, &h->scope_text, true);
	json_out_open(&o, NULL);
	json_out_text(&o, "format", ark_str_z(HISTORY_FORMS[h->config->form]));
	export_scope_json(&o, &h->app);
	json_out_end(&o);
	struct ark_str now = ark_buf_view(&h->scope_text);
	enum ark_rc rc = fresh ? ARK_END : history_repo_small(h->repo, HISTORY_SCOPE, &before, err);
	bool noted = rc == ARK_OK;
	if (rc == ARK_END && !fresh)
		rc = committed_scope(h, &before, err);
	if (rc < 0)
		return rc;
	if (rc == ARK_OK && !ark_str_eq(now, ark_buf_view(&before))) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' was made with other options about what is in it",
		            h->app.args->operands.items[0]);
		ark_err_hint(err, "%s in it says which; what left the scope would look purged",
		             noted ? "matterark/" HISTORY_SCOPE : "'git show main:" HISTORY_SCOPE "'");
		return ARK_FAIL;
	}
	return noted || h->config->export.dry_run ? ARK_OK : history_repo_put(h->repo, HISTORY_SCOPE, now, err);
}

/* --- what is told ------------------------------------------------------------------------------ */

static void plan_row(struct history *h, struct ark_str team, struct ark_str channel, const struct history_counts *c)
{
	uint64_t touched = c->edited + c->deleted + c->changed, gone = c->purged + c->left;
	ark_out(h->app.talk, "%10llu new %10llu touched %10llu gone  %.*s/%.*s", (unsigned long long)c->added,
	        (unsigned long long)touched, (unsigned long long)gone, ARK_FMT(team), ARK_FMT(channel));
	struct ark_event e;
	ark_event_begin(&e, "channel", "history.planned");
	ark_event_text(&e, "team", team);
	ark_event_text(&e, "channel", channel);
	ark_event_u64(&e, "new", c->added);
	ark_event_u64(&e, "touched", touched);
	ark_event_u64(&e, "gone", gone);
	ark_event_send(&e, h->app.talk);
}

static void say_plan(struct history *h, bool fresh, bool changed)
{
	const struct export_selection *sel = &h->app.sel;
	for (size_t i = 0; fresh && i < sel->channels_count; i++) {
		struct history_counts c = { .added = sel->channels[i].posts };
		if (c.added > 0)
			plan_row(h, sel->channels[i].team_path, sel->channels[i].channel_path, &c);
	}
	for (size_t i = 0; !fresh && i < h->channels; i++)
		if (history_counts_any(&h->counts[i]))
			plan_row(h, h->paths[i][0], h->paths[i][1], &h->counts[i]);
	if (h->conversations_changed + h->people_changed > 0)
		ark_out(h->app.talk, "%10llu conversations described anew, %llu accounts", (unsigned long long)h->conversations_changed,
		        (unsigned long long)h->people_changed);
	if (!fresh && !changed)
		ark_out(h->app.talk, "nothing has changed");
}

static void sum_up(const struct history *h, bool fresh, struct history_counts *sum)
{
	*sum = (struct history_counts){ .added = fresh ? atomic_load(&h->app.posts) : 0 };
	for (size_t i = 0; i < h->channels; i++)
		history_counts_add(sum, &h->counts[i]);
}

static void say_done(struct history *h, bool fresh, bool changed, const struct history_oid *head)
{
	struct history_counts sum;
	char hex[HISTORY_OID_HEX];
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 65536);
	sum_up(h, fresh, &sum);
	history_counts_text(&sum, true, &text);
	history_oid_hex(head, hex);
	const char *what = !changed ? "nothing has changed" : text.len > 0 ? text.data : "no posts";
	ark_info(h->app.talk, "history.done", "%s: %s, %llu commit%s, now at %.10s", h->app.target, what,
	         (unsigned long long)h->commits, h->commits == 1 ? "" : "s", hex);
	uint64_t missing = atomic_load(&h->app.files_missing);
	if (missing > 0)
		ark_warn(h->app.talk, "history.missing", "the file store does not have %llu of the attached files; they stand "
		                                         "without a SHA-256", (unsigned long long)missing);
	struct notify_book *told = &h->app.told;
	notify_headline(told, "%s, %llu commits", what, (unsigned long long)h->commits);
	notify_count(told, "history_commits", "commits", h->commits);
	notify_count(told, "posts_added", "posts added", sum.added);
	notify_count(told, "posts_edited", "posts edited", sum.edited);
	notify_count(told, "posts_deleted", "posts deleted", sum.deleted);
	notify_count(told, "posts_purged", "posts purged", sum.purged);
	notify_count(told, "attachments_missing", "attached files missing", missing);
	struct ark_event e;
	ark_event_begin(&e, "summary", "history.done");
	ark_event_text(&e, "place", ark_str_z(h->app.target));
	ark_event_text(&e, "head", ark_str_z(hex));
	ark_event_u64(&e, "commits", h->commits);
	ark_event_u64(&e, "added", sum.added);
	ark_event_u64(&e, "edited", sum.edited);
	ark_event_u64(&e, "deleted", sum.deleted);
	ark_event_u64(&e, "changed", sum.changed);
	ark_event_u64(&e, "purged", sum.purged);
	ark_event_u64(&e, "left", sum.left);
	ark_event_u64(&e, "attachments_missing", missing);
	ark_event_i64(&e, "duration_ms", ark_time_now_ms() - h->app.begin_ms);
	ark_event_send(&e, h->app.talk);
}

/* --- the run ----------------------------------------------------------------------------------- */

/* The commits, and the branch on them. In a dry run objects get their names only, and nothing is published. */
static enum ark_rc bring_up(struct history *h, bool fresh, struct history_oid *head, bool *changed, struct ark_err *err)
{
	struct history_oid parent = *head;
	bool dry = h->config->export.dry_run;
	h->packs = history_packs_new(dry ? NULL : history_repo_incoming(h->repo));
	h->press = history_press_new();
	enum ark_rc rc = fresh ? history_first(h, head, err) : history_later(h, &parent, head, err);
	*changed = rc == ARK_OK;
	if (rc == ARK_END) {
		*head = parent;
		return dry ? ARK_OK : history_repo_keep_state(h->repo, err);
	}
	if (rc < 0 || dry)
		return rc;
	ark_progress_phase(&h->app.bar, "indexing", NULL, 0, 0);
	rc = history_packs_finish(h->packs, err);
	return rc == ARK_OK ? history_repo_publish(h->repo, h->packs, head, false, err) : rc;
}

static enum ark_rc open_repo(struct history *h, struct ark_err *err)
{
	const char *path = h->app.args->operands.items[0];
	bool dry = h->config->export.dry_run;
	h->app.target = path;
	if (dry && !history_repo_exists(path))
		return ARK_OK;
	return history_repo_open(path, dry ? HISTORY_READ : HISTORY_CREATE, &h->repo, err);
}

static enum ark_rc open_all(struct history *h, bool *fresh, struct history_oid *head, struct ark_err *err)
{
	struct export_app *a = &h->app;
	read_scope(h);
	history_start_begin(&h->start); /* beside connecting */
	enum ark_rc rc = export_source_connect(a, err);
	if (rc == ARK_OK)
		rc = open_repo(h, err);
	*fresh = rc == ARK_OK && (h->repo == NULL || !history_repo_head(h->repo, head));
	if (rc == ARK_OK)
		rc = check_scope(h, *fresh, err);
	if (rc == ARK_OK)
		rc = export_source_snapshot(a, err); /* not before the lock: no older moment than the history's */
	if (rc < 0)
		return rc;
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	ark_progress_phase(&a->bar, *fresh ? "counting" : "comparing", NULL, 0, 0);
	rc = export_source_has_files(a, err);
	if (rc == ARK_OK)
		rc = export_select_scope(a->conn, a->info, &a->scope, &a->sel, err);
	if (rc == ARK_OK)
		rc = history_survey(h, *fresh, err);
	return rc == ARK_OK ? export_source_store(a, err) : rc;
}

int history_command_update(struct history *h, struct ark_err *err)
{
	bool fresh, changed = false, dry = h->config->export.dry_run;
	struct history_oid head;
	struct export_app *a = &h->app;
	a->begin_ms = ark_time_now_ms();
	enum ark_rc rc = open_all(h, &fresh, &head, err);
	if (rc == ARK_OK && !(dry && fresh))
		rc = bring_up(h, fresh, &head, &changed, err);
	if (rc == ARK_OK && h->config->push != NULL && !dry) {
		ark_progress_phase(&a->bar, "pushing", NULL, 0, 0);
		rc = history_push(h, err);
	}
	ark_progress_end(&a->bar);
	a->bar_runs = false;
	if (rc < 0)
		return rc;
	if (dry)
		say_plan(h, fresh, changed);
	else
		say_done(h, fresh, changed, &head);
	return atomic_load(&a->files_missing) > 0 && !dry ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}
