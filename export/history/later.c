/* Every run but the first: what differs from the newest commit, in one commit. */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/json/value.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define NAMED_MAX 200

/* --- counts ------------------------------------------------------------------------------------ */

void history_counts_add(struct history_counts *to, const struct history_counts *more)
{
	to->added += more->added;
	to->edited += more->edited;
	to->deleted += more->deleted;
	to->changed += more->changed;
	to->purged += more->purged;
	to->left += more->left;
}

bool history_counts_any(const struct history_counts *c)
{
	return c->added + c->edited + c->deleted + c->changed + c->purged + c->left > 0;
}

void history_counts_text(const struct history_counts *c, bool head, struct ark_buf *to)
{
	size_t begin = to->len;
	if (c->added > 0)
		ark_buf_fmt(to, "+%llu%s", (unsigned long long)c->added, !head ? "" : c->added == 1 ? " post" : " posts");
	const struct {
		uint64_t n;
		const char *what;
	} rest[] = { { c->edited, "edited" }, { c->deleted, "deleted" }, { c->changed, "changed otherwise" },
		     { c->purged, "purged" }, { c->left, "not in scope any more" } };
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if (rest[i].n > 0)
			ark_buf_fmt(to, "%s%llu %s", to->len > begin ? ", " : "", (unsigned long long)rest[i].n, rest[i].what);
}

/* --- conversations that are in the history ----------------------------------------------------- */

struct present {
	struct ark_str where[2], id;
	struct history_oid tree, json;
	bool has_json, used; /* used: it is a conversation of now */
};

struct shelf {
	struct history *h;
	struct present *list;
	size_t count, cap;
	struct ark_map by_path, by_id;
	struct ark_buf key, raw;
};

static struct ark_str key_of(struct shelf *s, struct ark_str team, struct ark_str channel)
{
	ark_buf_reset(&s->key);
	ark_buf_fmt(&s->key, "%.*s/%.*s", ARK_FMT(team), ARK_FMT(channel));
	return ark_buf_view(&s->key);
}

static enum ark_rc add_present(struct shelf *s, struct ark_str team, const struct history_entry *e, struct ark_err *err)
{
	enum ark_rc rc = history_repo_read(s->h->repo, &e->id, HISTORY_TREE, &s->raw, err);
	if (rc == ARK_OK)
		rc = history_tree_check(ark_buf_view(&s->raw), err);
	if (rc < 0)
		return rc;
	if (s->count == s->cap) {
		s->cap = s->cap > 0 ? 2 * s->cap : 64;
		s->list = ark_realloc(s->list, s->cap, sizeof(s->list[0]));
	}
	struct present *p = &s->list[s->count];
	struct history_entry json;
	*p = (struct present){ .where = { team, ark_pool_str(&s->h->strings, e->name) }, .tree = e->id };
	p->has_json = history_tree_find(ark_buf_view(&s->raw), ARK_LIT("channel.json"), &json);
	if (p->has_json)
		p->json = json.id;
	ark_map_put(&s->by_path, key_of(s, team, e->name), (uint32_t)s->count++);
	return ARK_OK;
}

static enum ark_rc look(struct shelf *s, struct ark_err *err)
{
	struct history_path top = { .count = 0 }, path = { .count = 1 };
	struct history_entry team, channel;
	struct ark_str root, list;
	enum ark_rc rc = history_forest_list(s->h->forest, &top, &root, err);
	for (size_t at = 0; rc == ARK_OK && history_tree_next(root, &at, &team);) {
		if (!team.is_tree)
			continue;
		struct ark_str name = ark_pool_str(&s->h->strings, team.name);
		path.part[0] = name;
		rc = history_forest_list(s->h->forest, &path, &list, err);
		for (size_t k = 0; rc == ARK_OK && history_tree_next(list, &k, &channel);)
			if (channel.is_tree)
				rc = add_present(s, name, &channel, err);
	}
	return rc;
}

/* Whose folder each of these is that is not as it would be written now. */
static enum ark_rc identify(struct shelf *s, struct ark_err *err)
{
	ark_auto(json_doc_freep) struct json_doc *doc = json_doc_new();
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < s->count && rc == ARK_OK; i++) {
		struct present *p = &s->list[i];
		struct json_val root;
		if (p->used || !p->has_json)
			continue;
		rc = history_repo_read(s->h->repo, &p->json, HISTORY_BLOB, &s->raw, err);
		if (rc == ARK_OK)
			rc = json_doc_parse(doc, s->raw.data, s->raw.len, &root, err);
		if (rc < 0)
			return ark_err_in(err, rc, "'%.*s/%.*s/channel.json'", ARK_FMT(p->where[0]), ARK_FMT(p->where[1]));
		p->id = ark_pool_str(&s->h->strings, json_str(json_get(root, "id")));
		if (ark_str_has(p->id))
			ark_map_put(&s->by_id, p->id, (uint32_t)i);
	}
	return rc;
}

/* Those whose description is as it was; the others' numbers go to `rest`. */
static void match(struct shelf *s, size_t now, uint32_t *rest, size_t *rest_count)
{
	struct history *h = s->h;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_SMALL);
	for (size_t i = 0; i < now; i++) {
		const struct export_channel *c = &h->app.sel.channels[i];
		uint32_t at = ark_map_get(&s->by_path, key_of(s, c->team_path, c->channel_path));
		struct history_oid id;
		ark_buf_reset(&text);
		history_channel(c, &text);
		history_press_name(h->press, HISTORY_BLOB, ark_buf_view(&text), &id);
		if (at != ARK_MAP_NONE && s->list[at].has_json && history_oid_eq(&id, &s->list[at].json)) {
			s->list[at].used = true;
			s->list[at].id = c->id;
		} else {
			rest[(*rest_count)++] = (uint32_t)i;
		}
	}
}

/* Folders of conversations that have another name now go there; all from their places first. */
static enum ark_rc move(struct shelf *s, const uint32_t *rest, size_t count, struct ark_err *err)
{
	struct history *h = s->h;
	enum ark_rc rc = ARK_OK;
	for (unsigned step = 0; step < 2; step++) {
		for (size_t i = 0; i < count && rc == ARK_OK; i++) {
			const struct export_channel *c = &h->app.sel.channels[rest[i]];
			uint32_t at = ark_map_get(&s->by_id, c->id);
			struct present *p = at != ARK_MAP_NONE ? &s->list[at] : NULL;
			if (p == NULL || (ark_str_eq(p->where[0], c->team_path) && ark_str_eq(p->where[1], c->channel_path)))
				continue;
			struct history_path from = { .part = { p->where[0], p->where[1] }, .count = 2 };
			struct history_path to = { .part = { c->team_path, c->channel_path }, .count = 2 };
			rc = step == 0 ? history_forest_set(h->forest, &from, true, NULL, err)
			               : history_forest_set(h->forest, &to, true, &p->tree, err);
		}
	}
	return rc;
}

static enum ark_rc describe(struct shelf *s, const uint32_t *rest, size_t count, struct ark_err *err)
{
	struct history *h = s->h;
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < count && rc == ARK_OK; i++) {
		const struct export_channel *c = &h->app.sel.channels[rest[i]];
		struct history_path path = { .part = { c->team_path, c->channel_path, ARK_LIT("channel.json") }, .count = 3 };
		struct history_oid id;
		uint32_t at = ark_map_get(&s->by_id, c->id);
		if (at != ARK_MAP_NONE)
			s->list[at].used = true;
		rc = history_write_channel(h, rest[i], &id, err);
		if (rc == ARK_OK)
			rc = history_forest_set(h->forest, &path, false, &id, err);
		int64_t ms = c->update_ms > c->create_ms ? c->update_ms : c->create_ms;
		ms = c->delete_ms > ms ? c->delete_ms : ms;
		h->newest_ms = ms > h->newest_ms ? ms : h->newest_ms;
		h->conversations_changed++;
	}
	return rc;
}

/* Without a state nothing else tells of conversations that are gone. */
static void add_gone(struct shelf *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->list[i].used && ark_str_has(s->list[i].id) &&
		    ark_map_get(&s->h->app.sel.channel_at, s->list[i].id) == ARK_MAP_NONE)
			history_add_all_days(s->h, history_lost_channel(s->h, s->list[i].id));
}

/* Where each conversation's days are; those that are gone (behind `now`) are where they were. */
static void settle_paths(struct shelf *s, size_t now)
{
	struct history *h = s->h;
	h->channels = h->app.sel.channels_count;
	h->paths = ark_calloc(h->channels + 1, sizeof(h->paths[0]));
	h->counts = ark_calloc(h->channels + 1, sizeof(h->counts[0]));
	for (size_t i = 0; i < h->channels; i++) {
		const struct export_channel *c = &h->app.sel.channels[i];
		uint32_t at = i < now ? ARK_MAP_NONE : ark_map_get(&s->by_id, c->id);
		h->paths[i][0] = i < now ? c->team_path : at != ARK_MAP_NONE ? s->list[at].where[0] : ARK_STR_NONE;
		h->paths[i][1] = i < now ? c->channel_path : at != ARK_MAP_NONE ? s->list[at].where[1] : ARK_STR_NONE;
	}
}

/* The description of a conversation that is gone; its place may be another's by now. */
static enum ark_rc forget_gone(struct shelf *s, size_t now, struct ark_err *err)
{
	struct history *h = s->h;
	ark_auto(ark_map_release) struct ark_map taken = { 0 };
	for (size_t i = 0; i < now; i++)
		ark_map_put(&taken, key_of(s, h->paths[i][0], h->paths[i][1]), 1);
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < s->count && rc == ARK_OK; i++) {
		const struct present *p = &s->list[i];
		struct history_path path = { .part = { p->where[0], p->where[1], ARK_LIT("channel.json") }, .count = 3 };
		if (p->used || !p->has_json || ark_map_get(&taken, key_of(s, p->where[0], p->where[1])) != ARK_MAP_NONE)
			continue;
		rc = history_forest_set(h->forest, &path, false, NULL, err);
		h->conversations_changed++;
	}
	return rc;
}

/* --- people ------------------------------------------------------------------------------------ */

/* The next line of *rest. */
static struct ark_str take_line(struct ark_str *rest)
{
	size_t end = ark_str_find(*rest, '\n', 0);
	struct ark_str line = ark_str_first(*rest, end);
	*rest = ark_str_from(*rest, end == SIZE_MAX ? rest->len : end + 1);
	return line;
}

/* The list of now into `text`; whoever has no such line in `was` has changed. */
static void list_people(struct history *h, struct ark_str was, struct ark_buf *text)
{
	ark_auto(ark_map_release) struct ark_map known = { 0 };
	while (was.len > 0)
		ark_map_put(&known, take_line(&was), 1);
	for (size_t i = 0; i < h->app.sel.people_count; i++) {
		const struct export_person *p = &h->app.sel.people[i];
		size_t begin = text->len;
		history_person(p, text);
		if (ark_map_get(&known, ark_str_n(text->data + begin, text->len - begin - 1)) != ARK_MAP_NONE)
			continue;
		int64_t ms = p->update_ms > p->create_ms ? p->update_ms : p->create_ms;
		h->newest_ms = ms > h->newest_ms ? ms : h->newest_ms;
		h->people_changed++;
	}
}

static enum ark_rc people(struct history *h, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text, was;
	ark_buf_init(&text, LIMIT_HISTORY_DAY);
	ark_buf_init(&was, LIMIT_HISTORY_DAY);
	struct history_path path = { .part = { ARK_LIT("people.jsonl") }, .count = 1 };
	struct history_entry e;
	struct history_oid id;
	enum ark_rc rc = history_forest_get(h->forest, &path, &e, err);
	if (rc == ARK_OK)
		rc = history_repo_read(h->repo, &e.id, HISTORY_BLOB, &was, err);
	if (rc < 0)
		return rc;
	list_people(h, ark_buf_view(&was), &text);
	rc = ark_buf_ok(&text, "the list of people", err);
	if (rc < 0 || ark_str_eq(ark_buf_view(&was), ark_buf_view(&text)))
		return rc;
	rc = history_packs_add(h->packs, h->press, HISTORY_BLOB, ark_buf_view(&text), &id, err);
	return rc == ARK_OK ? history_forest_set(h->forest, &path, false, &id, err) : rc;
}

/* --- the commit -------------------------------------------------------------------------------- */

static void message_of(struct history *h, struct ark_buf *to)
{
	struct history_counts sum = { 0 };
	uint64_t conversations = 0, named = 0;
	for (size_t i = 0; i < h->channels; i++) {
		history_counts_add(&sum, &h->counts[i]);
		conversations += history_counts_any(&h->counts[i]);
	}
	history_counts_text(&sum, true, to);
	if (conversations > 0)
		ark_buf_fmt(to, " in %llu conversation%s", (unsigned long long)conversations, conversations == 1 ? "" : "s");
	if (h->conversations_changed > 0)
		ark_buf_fmt(to, "%s%llu conversation%s described anew", to->len > 0 ? ", " : "",
		            (unsigned long long)h->conversations_changed, h->conversations_changed == 1 ? "" : "s");
	if (h->people_changed > 0)
		ark_buf_fmt(to, "%s%llu account%s", to->len > 0 ? ", " : "", (unsigned long long)h->people_changed,
		            h->people_changed == 1 ? "" : "s");
	ark_buf_z(to, to->len > 0 ? "\n" : "other changes\n");
	for (size_t i = 0; i < h->channels && named < NAMED_MAX; i++) {
		if (!history_counts_any(&h->counts[i]))
			continue;
		ark_buf_fmt(to, "%s%.*s/%.*s: ", named++ == 0 ? "\n" : "", ARK_FMT(h->paths[i][0]), ARK_FMT(h->paths[i][1]));
		history_counts_text(&h->counts[i], false, to);
		ark_buf_c(to, '\n');
	}
	if (conversations > named)
		ark_buf_fmt(to, "and %llu more\n", (unsigned long long)(conversations - named));
}

static uint64_t planned(const struct history *h)
{
	uint64_t n = 0;
	for (size_t i = 0; i < h->ranges_count; i++)
		n += h->ranges[i].posts;
	return n;
}

static enum ark_rc write_all(struct shelf *s, const struct history_commit *parent, struct history_oid *head,
                             struct ark_err *err)
{
	struct history *h = s->h;
	size_t now = h->now, rest_count = 0;
	ark_auto(ark_freep) uint32_t *rest = ark_calloc(now + 1, sizeof(rest[0]));
	enum ark_rc rc = look(s, err);
	if (rc == ARK_OK)
		match(s, now, rest, &rest_count);
	if (rc == ARK_OK)
		rc = identify(s, err);
	if (rc == ARK_OK)
		rc = move(s, rest, rest_count, err);
	if (rc == ARK_OK)
		rc = describe(s, rest, rest_count, err);
	if (rc < 0)
		return rc;
	if (h->all)
		add_gone(s);
	settle_paths(s, now);
	export_source_fill(&h->app);
	ark_progress_phase(&h->app.bar, "reading what may differ", "messages", planned(h), 0);
	rc = history_merge(h, err);
	if (rc == ARK_OK)
		rc = forget_gone(s, now, err);
	if (rc == ARK_OK)
		rc = people(h, err);
	struct history_oid tree;
	if (rc == ARK_OK)
		rc = history_forest_write(h->forest, &tree, err);
	if (rc < 0 || history_oid_eq(&tree, &parent->tree))
		return rc < 0 ? rc : ARK_END;
	ark_auto(ark_buf_release) struct ark_buf message;
	ark_buf_init(&message, LIMIT_HISTORY_SMALL);
	message_of(h, &message);
	int64_t when = h->newest_ms > parent->when_s * 1000 ? h->newest_ms : parent->when_s * 1000;
	return history_write_commit(h, &tree, &parent->id, when, ark_buf_view(&message), head, err);
}

enum ark_rc history_later(struct history *h, const struct history_oid *parent, struct history_oid *head,
                          struct ark_err *err)
{
	struct history_commit before;
	struct shelf s = { .h = h };
	ark_buf_init(&before.message, LIMIT_HISTORY_SMALL);
	ark_buf_init(&s.key, 1u << 16);
	ark_buf_init(&s.raw, LIMIT_HISTORY_TREE);
	enum ark_rc rc = history_repo_commit(h->repo, parent, &before, err);
	if (rc == ARK_OK) {
		h->forest = history_forest_new(h->packs, h->press, &before.tree, history_load, h);
		rc = write_all(&s, &before, head, err);
	}
	ark_buf_release(&before.message);
	ark_buf_release(&s.key);
	ark_buf_release(&s.raw);
	ark_map_release(&s.by_path);
	ark_map_release(&s.by_id);
	free(s.list);
	return rc;
}
