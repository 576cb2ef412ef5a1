/* The first run: a commit for each day of the past. */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define NAMED_MAX 200 /* conversations that a commit's message names */

/* --- pieces that later runs need too ----------------------------------------------------------- */

enum ark_rc history_write_commit(struct history *h, const struct history_oid *tree, const struct history_oid *parent,
                                 int64_t when_ms, struct ark_str message, struct history_oid *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_SMALL);
	history_commit_text(&text, tree, parent, when_ms / 1000, message);
	enum ark_rc rc = ark_buf_ok(&text, "a commit", err);
	h->commits++;
	return rc == ARK_OK ? history_packs_add(h->packs, h->press, HISTORY_COMMIT, ark_buf_view(&text), out, err) : rc;
}

enum ark_rc history_write_channel(struct history *h, size_t channel, struct history_oid *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_SMALL);
	history_channel(&h->app.sel.channels[channel], &text);
	enum ark_rc rc = ark_buf_ok(&text, "a conversation's description", err);
	return rc == ARK_OK ? history_packs_add(h->packs, h->press, HISTORY_BLOB, ark_buf_view(&text), out, err) : rc;
}

enum ark_rc history_load(void *history, const struct history_oid *id, struct ark_buf *out, struct ark_err *err)
{
	struct history *h = history;
	return history_repo_read(h->repo, id, HISTORY_TREE, out, err);
}

/* --- days into commits ------------------------------------------------------------------------- */

struct past {
	struct history *h;
	struct history_forest *forest;
	bool *described; /* conversations that have their channel.json */
	bool any;        /* a day is open */
	uint32_t day;
	uint64_t posts, conversations;
	int64_t last_ms;
	struct ark_buf names;
	bool has_parent;
	struct history_oid parent;
};

static enum ark_rc nothing_to_load(void *ctx, const struct history_oid *id, struct ark_buf *out, struct ark_err *err)
{
	(void)ctx;
	(void)id;
	(void)out;
	(void)err;
	ark_bug("a first run reads back what it writes");
}

static enum ark_rc describe(struct past *p, size_t channel, struct ark_err *err)
{
	const struct export_channel *c = &p->h->app.sel.channels[channel];
	struct history_path path = { .part = { c->team_path, c->channel_path, ARK_LIT("channel.json") }, .count = 3 };
	struct history_oid id;
	if (p->described[channel])
		return ARK_OK;
	p->described[channel] = true;
	enum ark_rc rc = history_write_channel(p->h, channel, &id, err);
	return rc == ARK_OK ? history_forest_set(p->forest, &path, false, &id, err) : rc;
}

static enum ark_rc commit_day(struct past *p, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf message;
	ark_buf_init(&message, LIMIT_HISTORY_SMALL);
	char date[ARK_TIME_ISO];
	ark_time_iso((int64_t)p->day * HISTORY_DAY_MS, date);
	if (p->any)
		ark_buf_fmt(&message, "%.10s: %llu post%s in %llu conversation%s\n\n", date, (unsigned long long)p->posts,
		            p->posts == 1 ? "" : "s", (unsigned long long)p->conversations, p->conversations == 1 ? "" : "s");
	else
		ark_buf_z(&message, "no posts\n");
	ark_buf_str(&message, ark_buf_view(&p->names));
	if (p->conversations > NAMED_MAX)
		ark_buf_fmt(&message, "and %llu more\n", (unsigned long long)p->conversations - NAMED_MAX);
	struct history_oid tree, commit;
	enum ark_rc rc = history_forest_write(p->forest, &tree, err);
	if (rc == ARK_OK)
		rc = history_write_commit(p->h, &tree, p->has_parent ? &p->parent : NULL, p->last_ms, ark_buf_view(&message),
		                          &commit, err);
	p->parent = commit;
	p->has_parent = true;
	p->posts = p->conversations = 0;
	p->last_ms = 0;
	ark_buf_reset(&p->names);
	return rc;
}

static enum ark_rc put_file(struct past *p, const struct history_file *f, struct ark_err *err)
{
	const struct export_channel *c = &p->h->app.sel.channels[f->channel];
	char names[HISTORY_NAMES];
	struct history_path path;
	struct ark_str where[2] = { c->team_path, c->channel_path };
	enum ark_rc rc = p->any && p->day != f->day ? commit_day(p, err) : ARK_OK;
	p->any = true;
	p->day = f->day;
	if (rc == ARK_OK)
		rc = describe(p, f->channel, err);
	history_day_path((enum history_form)p->h->config->form, where, f->day, names, &path);
	if (rc == ARK_OK)
		rc = history_forest_set(p->forest, &path, false, &f->id, err);
	if (p->conversations++ < NAMED_MAX)
		ark_buf_fmt(&p->names, "%.*s/%.*s: %u\n", ARK_FMT(c->team_path), ARK_FMT(c->channel_path), f->posts);
	p->posts += f->posts;
	p->last_ms = f->last_ms > p->last_ms ? f->last_ms : p->last_ms;
	return rc;
}

/* What has no day of its own comes with the last one. */
static enum ark_rc put_rest(struct past *p, struct ark_err *err)
{
	const struct export_selection *sel = &p->h->app.sel;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_DAY);
	struct history_oid id;
	enum ark_rc rc = ARK_OK;
	int64_t newest = 0;
	for (size_t i = 0; i < sel->channels_count && rc == ARK_OK; i++) {
		newest = sel->channels[i].create_ms > newest ? sel->channels[i].create_ms : newest;
		rc = describe(p, i, err);
	}
	for (size_t i = 0; i < sel->people_count; i++) {
		history_person(&sel->people[i], &text);
		newest = sel->people[i].create_ms > newest ? sel->people[i].create_ms : newest;
	}
	if (!p->any)
		p->last_ms = newest;
	struct history_path path = { .part = { ARK_LIT("people.jsonl") }, .count = 1 };
	if (rc == ARK_OK)
		rc = ark_buf_ok(&text, "the list of people", err);
	if (rc == ARK_OK)
		rc = history_packs_add(p->h->packs, p->h->press, HISTORY_BLOB, ark_buf_view(&text), &id, err);
	if (rc == ARK_OK)
		rc = history_forest_set(p->forest, &path, false, &id, err);
	path.part[0] = ARK_LIT(HISTORY_SCOPE);
	if (rc == ARK_OK)
		rc = history_packs_add(p->h->packs, p->h->press, HISTORY_BLOB, ark_buf_view(&p->h->scope_text), &id, err);
	return rc == ARK_OK ? history_forest_set(p->forest, &path, false, &id, err) : rc;
}

static enum ark_rc write_days(struct past *p, struct ark_err *err)
{
	struct history *h = p->h;
	struct history_file file;
	enum ark_rc rc = ARK_OK;
	ark_progress_phase(&h->app.bar, "writing commits", "day files", history_sort_count(h->sort), 0);
	while (rc == ARK_OK && (rc = history_sort_next(h->sort, &file, err)) == ARK_OK) {
		rc = put_file(p, &file, err);
		ark_progress_add(&h->app.bar, 1, 0);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	if (rc == ARK_END)
		rc = put_rest(p, err);
	return rc == ARK_OK ? commit_day(p, err) : rc;
}

enum ark_rc history_first(struct history *h, struct history_oid *head, struct ark_err *err)
{
	h->sort = history_sort_new();
	export_source_fill(&h->app);
	ark_progress_phase(&h->app.bar, "reading", "messages", h->app.sel.planned, 0);
	enum ark_rc rc = export_crew_work(&h->app, err);
	if (rc < 0)
		return rc;
	struct past p = { .h = h, .forest = history_forest_new(h->packs, h->press, NULL, nothing_to_load, NULL) };
	p.described = ark_calloc(h->app.sel.channels_count + 1, sizeof(p.described[0]));
	ark_buf_init(&p.names, LIMIT_HISTORY_SMALL);
	rc = write_days(&p, err);
	if (rc == ARK_OK)
		*head = p.parent;
	history_forest_free(p.forest);
	free(p.described);
	ark_buf_release(&p.names);
	return rc;
}
