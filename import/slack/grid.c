#include "import/slack/grid.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "import/slack/day.h"
#include "import/slack/mend.h"
#include "import/slack/message.h"

#include "common/base/banned.h"

void slack_grid_release(struct slack_export *x)
{
	for (uint32_t i = 0; i < x->workspaces_count; i++) {
		free(x->workspaces[i].people);
		ark_map_release(&x->workspaces[i].natives);
		ark_map_release(&x->workspaces[i].everybody);
	}
	free(x->workspaces);
	x->workspaces = NULL;
	x->workspaces_count = 0;
	x->org = ARK_STR_NONE;
}

size_t slack_grid_scope(struct ark_str rel, struct ark_str *folder)
{
	if (!ark_str_starts(rel, ARK_LIT("teams/")))
		return 0;
	struct ark_str rest = ark_str_from(rel, 6);
	size_t slash = ark_str_find(rest, '/', 0);
	if (slash == SIZE_MAX || slash == 0)
		return 0;
	*folder = ark_str_first(rest, slash);
	return 6 + slash + 1;
}

uint32_t slack_grid_workspace(struct slack_export *x, struct ark_str folder)
{
	for (uint32_t i = 0; i < x->workspaces_count; i++)
		if (ark_str_eq(x->workspaces[i].folder, folder))
			return i + 1;
	if (x->workspaces_count == LIMIT_WORKSPACES)
		return 0;
	ark_auto(ark_buf_release) struct ark_buf scope;
	ark_buf_init(&scope, LIMIT_ENTRY_NAME * 8);
	ark_buf_fmt(&scope, "teams/%.*s/", ARK_FMT(folder));
	x->workspaces = ark_realloc(x->workspaces, x->workspaces_count + 1, sizeof(*x->workspaces));
	x->workspaces[x->workspaces_count] = (struct slack_workspace){
		.folder = ark_pool_str(&x->strings, folder),
		.scope = ark_pool_str(&x->strings, ark_buf_view(&scope)),
	};
	return ++x->workspaces_count;
}

void slack_grid_enter(struct slack_export *x, uint32_t workspace)
{
	x->convs.workspace = workspace;
	x->convs.scope = workspace == 0 ? ARK_LIT("") : x->workspaces[workspace - 1].scope;
}

/* ---- votes ---- */

static void vote(struct ark_map *votes, struct ark_str team)
{
	uint32_t n = ark_map_get(votes, team);
	ark_map_put(votes, team, n == ARK_MAP_NONE ? 1 : n + 1);
}

/* What most say, or none when that are two. */
static struct ark_str winner(const struct ark_map *votes)
{
	struct ark_str best = ARK_STR_NONE;
	uint32_t most = 0;
	for (uint32_t i = 0; i < votes->count; i++) {
		uint32_t n = votes->entries[i].value;
		if (n == most)
			best = ARK_STR_NONE;
		if (n <= most)
			continue;
		best = ark_map_key(votes, i);
		most = n;
	}
	return best;
}

void slack_grid_user(struct slack_export *x, uint32_t person, struct json_val user)
{
	struct ark_str org = json_str(json_get(json_get(user, "enterprise_user"), "enterprise_id"));
	if (ark_str_has(org) && org.len <= 32 && (!ark_str_has(x->org) || ark_str_cmp(org, x->org) < 0))
		x->org = ark_pool_str(&x->strings, org);
	if (x->convs.workspace == 0 || person == PERSON_NONE)
		return;
	struct slack_workspace *w = &x->workspaces[x->convs.workspace - 1];
	if (w->people_count == w->people_cap) {
		w->people_cap = w->people_cap == 0 ? 64 : w->people_cap * 2;
		w->people = ark_realloc(w->people, w->people_cap, sizeof(*w->people));
	}
	bool deleted = json_is_true(json_get(user, "deleted"));
	bool guest = json_is_true(json_get(user, "is_restricted")) ||
	             json_is_true(json_get(user, "is_ultra_restricted"));
	w->people[w->people_count++] = (struct slack_listed){ person, x->convs.source, deleted, guest };
	struct ark_str team = json_str(json_get(user, "team_id"));
	if (!ark_str_starts(team, ARK_LIT("T")) || team.len > 32)
		return;
	vote(&w->everybody, team);
	if (!deleted && !guest && !json_is_true(json_get(user, "is_bot")))
		vote(&w->natives, team);
}

/* ---- people ---- */

/* Of several archives the newest, which was read last. */
static void keep_last(struct slack_workspace *w, uint32_t *seen)
{
	for (uint32_t i = 0; i < w->people_count; i++)
		seen[w->people[i].person] = i;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < w->people_count; i++)
		if (seen[w->people[i].person] == i)
			w->people[kept++] = w->people[i];
	w->people_count = kept;
}

struct standing {
	bool listed, active, full; /* in a workspace; in one of them not deactivated; there no guest */
	uint32_t source;
};

/* One account stands for somebody in all workspaces. */
static void settle_people(struct slack_export *x)
{
	ark_auto(ark_freep) uint32_t *seen = ark_calloc(x->people.count + (size_t)1, sizeof(*seen));
	ark_auto(ark_freep) struct standing *all = ark_calloc(x->people.count + (size_t)1, sizeof(*all));
	for (uint32_t i = 0; i < x->workspaces_count; i++) {
		struct slack_workspace *w = &x->workspaces[i];
		keep_last(w, seen);
		for (uint32_t n = 0; n < w->people_count; n++) {
			struct standing *s = &all[w->people[n].person];
			if (s->listed && s->source > w->people[n].source)
				continue;
			if (!s->listed || s->source < w->people[n].source)
				*s = (struct standing){ .listed = true, .source = w->people[n].source };
			s->active |= !w->people[n].deleted;
			s->full |= !w->people[n].deleted && !w->people[n].guest;
		}
	}
	for (uint32_t i = 0; i < x->people.count; i++) {
		struct slack_person *p = &x->people.list[i];
		if (!all[i].listed)
			continue;
		p->deleted = !all[i].active;
		if (all[i].active)
			p->guest = !all[i].full;
	}
}

/* ---- messages ---- */

/* The first message of a conversation that names a workspace, for each workspace that is named. */
struct first {
	uint32_t conv;
	struct ark_str team;
	int64_t ts_us;
};

struct look {
	struct slack_export *x;
	struct json_doc *doc;
	struct ark_buf mended;
	struct first *list;
	uint32_t count;
	struct ark_map by_key; /* "<conversation> <team>" to the list */
};

static void look_release(struct look *l)
{
	json_doc_free(l->doc);
	ark_buf_release(&l->mended);
	ark_map_release(&l->by_key);
	free(l->list);
}

static void look_at(struct look *l, uint32_t conv, struct json_val v)
{
	struct slack_message m;
	if (slack_message_decode(v, &m) != MESSAGE_FINE || !ark_str_has(m.team) || m.team.len > 32)
		return;
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, 1024);
	ark_buf_fmt(&key, "%u %.*s", conv, ARK_FMT(m.team));
	uint32_t at = ark_map_get(&l->by_key, ark_buf_view(&key));
	if (at == ARK_MAP_NONE) {
		l->list = ark_realloc(l->list, l->count + 1, sizeof(*l->list));
		l->list[l->count] = (struct first){ conv, ark_pool_str(&l->x->strings, m.team), m.ts_us };
		ark_map_put(&l->by_key, ark_buf_view(&key), l->count++);
	} else if (m.ts_us < l->list[at].ts_us) {
		l->list[at].ts_us = m.ts_us;
	}
}

/* What cannot be read is passed over: the import itself counts it. */
static uint64_t look_all(struct look *l, uint32_t conv, struct ark_str text)
{
	struct ark_err ignored = { 0 };
	struct json_val root;
	if (text.len == 0 || slack_parse(l->doc, text, &l->mended, &root, &ignored) < 0)
		return 0;
	if (json_type(root) == JSON_OBJECT) {
		look_at(l, conv, root);
		return 1;
	}
	uint64_t n = 0;
	struct json_iter it = json_items(root);
	for (struct json_val v; json_next(&it, &v); n++)
		look_at(l, conv, v);
	return n;
}

static enum ark_rc read_marked(struct look *l,
                               enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes,
                                                   struct ark_err *err),
                               void *ctx, struct ark_err *err)
{
	ark_auto(slack_days_closep) struct slack_days *days = slack_days_open_marked(l->x);
	for (;;) {
		struct slack_block *block;
		enum ark_rc rc = slack_days_next(days, &block, err);
		if (rc == ARK_END)
			return ARK_OK;
		for (uint32_t i = 0; rc == ARK_OK && i < block->count; i++) {
			const struct slack_piece *p = &block->pieces[i];
			struct ark_str text = slack_piece_text(block, p);
			uint64_t n = p->kind == PIECE_DAMAGED ? 0 : look_all(l, p->conv, text);
			if (tick != NULL)
				rc = tick(ctx, n, text.len, err);
		}
		if (rc < 0)
			return rc;
		slack_days_return(days, block);
	}
}

/* ---- decisions ---- */

static bool below_one(const struct slack_conv *c)
{
	return c->days_home != 0 && !c->days_at_root;
}

/* Conversations whose messages have to say what the lists do not. */
static bool mark(struct slack_export *x)
{
	bool any = false;
	for (uint32_t i = 0; i < x->convs.count; i++) {
		struct slack_conv *c = &x->convs.list[i];
		bool no_team = c->kind == CONV_DIRECT || c->kind == CONV_COMMENTS;
		bool unnamed = below_one(c) && !ark_str_has(x->workspaces[c->days_home - 1].team);
		c->marked = unnamed || (!no_team && c->days_at_root);
		any |= c->marked;
	}
	return any;
}

/* A workspace whose members do not say what it is: its own conversations do. */
static void name_from_messages(const struct look *l, struct slack_workspace *w, uint32_t number)
{
	int64_t earliest = INT64_MAX;
	for (uint32_t i = 0; i < l->count; i++) {
		const struct first *f = &l->list[i];
		const struct slack_conv *c = &l->x->convs.list[f->conv];
		bool own = below_one(c) && c->days_home == number;
		if (!own || f->ts_us > earliest ||
		    (f->ts_us == earliest && ark_str_cmp(f->team, w->team) >= 0))
			continue;
		earliest = f->ts_us;
		w->team = f->team;
	}
}

static uint32_t by_team(const struct slack_export *x, struct ark_str team)
{
	for (uint32_t i = 0; i < x->workspaces_count; i++)
		if (ark_str_has(x->workspaces[i].team) && ark_str_eq(x->workspaces[i].team, team))
			return i + 1;
	return 0;
}

static void find_homes(const struct look *l)
{
	struct slack_export *x = l->x;
	ark_auto(ark_freep) int64_t *earliest = ark_calloc(x->convs.count + 1, sizeof(*earliest));
	for (uint32_t i = 0; i < x->convs.count; i++) {
		struct slack_conv *c = &x->convs.list[i];
		c->home = c->days_home != 0 ? c->days_home : c->listed_home;
		if (c->home == 0 && x->workspaces_count == 1)
			c->home = 1;
		earliest[i] = INT64_MAX;
	}
	for (uint32_t i = 0; i < l->count; i++) {
		const struct first *f = &l->list[i];
		struct slack_conv *c = &x->convs.list[f->conv];
		uint32_t home = by_team(x, f->team);
		if (home == 0 || below_one(c) || f->ts_us >= earliest[f->conv])
			continue;
		earliest[f->conv] = f->ts_us;
		c->home = home;
	}
}

enum ark_rc slack_grid_settle(struct slack_export *x,
                              enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes,
                                                  struct ark_err *err),
                              void *ctx, struct ark_err *err)
{
	settle_people(x);
	for (uint32_t i = 0; i < x->workspaces_count; i++)
		x->workspaces[i].team = winner(&x->workspaces[i].natives);
	ark_auto(look_release) struct look l = { .x = x, .doc = json_doc_new() };
	ark_buf_init(&l.mended, SLACK_MENDED_MAX);
	if (mark(x)) {
		enum ark_rc rc = read_marked(&l, tick, ctx, err);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = 0; i < x->workspaces_count; i++) {
		struct slack_workspace *w = &x->workspaces[i];
		if (!ark_str_has(w->team))
			name_from_messages(&l, w, i + 1);
		if (!ark_str_has(w->team))
			w->team = winner(&w->everybody);
	}
	find_homes(&l);
	return ARK_OK;
}

struct ark_str slack_grid_org(const struct slack_export *x)
{
	struct ark_str org = x->org;
	for (uint32_t i = 0; i < x->workspaces_count && !ark_str_has(x->org); i++) {
		struct ark_str team = x->workspaces[i].team;
		if (ark_str_has(team) && (!ark_str_has(org) || ark_str_cmp(team, org) < 0))
			org = team;
	}
	return org;
}
