/* matter-history show and log: reading for people. Takes no lock. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "common/cli/signal.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define QUOTE_BYTES 40 /* of the message that began a thread */

static enum ark_rc read_tree(struct history *h, const struct history_oid *id, struct ark_buf *out, struct ark_err *err)
{
	enum ark_rc rc = history_load(h, id, out, err);
	return rc == ARK_OK ? history_tree_check(ark_buf_view(out), err) : rc;
}

static enum ark_rc open_head(struct history *h, struct history_commit *c, struct ark_err *err)
{
	struct history_oid head;
	h->app.target = h->app.args->operands.items[0];
	enum ark_rc rc = history_repo_open(h->app.target, HISTORY_READ, &h->repo, err);
	if (rc == ARK_OK && !history_repo_head(h->repo, &head))
		return ark_err_set(err, ARK_KIND_MISSING, "'%s' holds no history yet", h->app.target);
	return rc == ARK_OK ? history_repo_commit(h->repo, &head, c, err) : rc;
}

/* --- which conversation ------------------------------------------------------------------------ */

struct found {
	struct ark_buf team, name;
	struct history_oid tree;
	unsigned count;
};

static void found_init(struct found *f)
{
	*f = (struct found){ 0 };
	ark_buf_init(&f->team, 4096);
	ark_buf_init(&f->name, 4096);
}

static void found_release(struct found *f)
{
	ark_buf_release(&f->team);
	ark_buf_release(&f->name);
}

static void look_in_team(struct found *f, struct ark_str team, struct ark_str list, struct ark_str wanted)
{
	struct history_entry e;
	if (!history_tree_find(list, wanted, &e) || !e.is_tree)
		return;
	f->count++;
	f->tree = e.id;
	ark_buf_reset(&f->team);
	ark_buf_str(&f->team, team);
	ark_buf_reset(&f->name);
	ark_buf_str(&f->name, e.name);
}

/* "team/name", or "name" in any team. */
static enum ark_rc find_conversation(struct history *h, const struct history_oid *root, const char *text,
                                     struct found *out, struct ark_err *err)
{
	struct ark_str all = ark_str_z(text);
	size_t slash = ark_str_find(all, '/', 0);
	struct ark_str team = slash != SIZE_MAX ? ark_str_first(all, slash) : ARK_STR_NONE;
	struct ark_str name = slash != SIZE_MAX ? ark_str_from(all, slash + 1) : all;
	ark_auto(ark_buf_release) struct ark_buf raw, list;
	ark_buf_init(&raw, LIMIT_HISTORY_TREE);
	ark_buf_init(&list, LIMIT_HISTORY_TREE);
	struct history_entry e;
	enum ark_rc rc = read_tree(h, root, &raw, err);
	for (size_t at = 0; rc == ARK_OK && history_tree_next(ark_buf_view(&raw), &at, &e);) {
		if (!e.is_tree || (ark_str_has(team) && !ark_str_eq(team, e.name)))
			continue;
		rc = read_tree(h, &e.id, &list, err);
		if (rc == ARK_OK)
			look_in_team(out, e.name, ark_buf_view(&list), name);
	}
	if (rc < 0 || out->count == 1)
		return rc;
	if (out->count > 1) {
		ark_err_set(err, ARK_KIND_USAGE, "several teams have a conversation '%s'", text);
		ark_err_hint(err, "say which: TEAM/%.200s", text);
		return ARK_FAIL;
	}
	ark_err_set(err, ARK_KIND_MISSING, "there is no conversation '%s' in the history", text);
	ark_err_hint(err, "'git -C %.200s ls-tree -d --name-only HEAD:TEAM' lists those of a team", h->app.target);
	return ARK_FAIL;
}

/* --- a transcript ------------------------------------------------------------------------------ */

struct showing {
	struct history *h;
	struct found at;
	struct ark_buf out, blob;
	struct ark_map heads;   /* id of a message -> index: how it begins, for its replies */
	struct ark_pool pool;
	struct ark_str *begins;
	size_t begins_count, begins_cap;
	uint64_t posts;
};

static void put_clock(struct ark_buf *to, int64_t ms)
{
	struct ark_civil c = ark_time_civil(ms > 0 ? ms : 0);
	ark_buf_fmt(to, "%02d:%02d", c.hour, c.minute);
}

static void indented(struct ark_buf *to, struct ark_str text, const char *indent)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		ark_buf_z(to, indent);
		ark_talk_clean(to, ark_str_first(text, end));
		ark_buf_c(to, '\n');
		text = ark_str_from(text, end == SIZE_MAX ? text.len : end + 1);
	}
}

/* The first messages of threads are remembered while their month is shown. */
static void remember(struct showing *s, struct ark_str id, struct ark_str author, struct ark_str text)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 4096);
	struct ark_str line = ark_str_first(text, ark_str_find(text, '\n', 0));
	struct ark_str cut = ark_utf8_first_bytes(line, QUOTE_BYTES);
	ark_talk_clean(&b, author);
	ark_buf_z(&b, ": ");
	ark_talk_clean(&b, cut);
	ark_buf_z(&b, cut.len < line.len ? "..." : "");
	if (s->begins_count == s->begins_cap) {
		s->begins_cap = s->begins_cap > 0 ? 2 * s->begins_cap : 64;
		s->begins = ark_realloc(s->begins, s->begins_cap, sizeof(s->begins[0]));
	}
	s->begins[s->begins_count] = ark_pool_str(&s->pool, ark_buf_view(&b));
	ark_map_put(&s->heads, id, (uint32_t)s->begins_count++);
}

static void forget(struct showing *s)
{
	ark_map_clear(&s->heads);
	ark_pool_release(&s->pool);
	s->pool = (struct ark_pool){ 0 };
	s->begins_count = 0;
}

static void extras(struct showing *s, struct json_val post, const char *indent)
{
	struct json_iter it = json_items(json_get(post, "attachments"));
	for (struct json_val a; json_next(&it, &a);) {
		ark_buf_fmt(&s->out, "%s[file: ", indent);
		ark_talk_clean(&s->out, json_str(json_get(a, "name")));
		ark_buf_z(&s->out, "]\n");
	}
	bool any = false;
	it = json_items(json_get(post, "reactions"));
	for (struct json_val x; json_next(&it, &x);) {
		if (json_type(json_get(x, "removed_at")) != JSON_MISSING)
			continue;
		ark_buf_z(&s->out, any ? " :" : indent);
		ark_buf_z(&s->out, any ? "" : ":");
		ark_talk_clean(&s->out, json_str(json_get(x, "emoji")));
		ark_buf_z(&s->out, ": ");
		ark_talk_clean(&s->out, json_text(json_get(x, "user_name")));
		any = true;
	}
	ark_buf_z(&s->out, any ? "\n" : "");
}

static void show_post(struct showing *s, const struct history_piece *p, struct json_val post)
{
	struct ark_str author = json_text(json_get(post, "author_name")), text = json_str(json_get(post, "text"));
	struct ark_str root = json_text(json_get(post, "root_id"));
	const char *indent = ark_str_has(root) ? "         " : "       ";
	author = ark_str_has(author) ? author : json_str(json_get(post, "author_id"));
	put_clock(&s->out, p->create_ms);
	ark_buf_z(&s->out, ark_str_has(root) ? "  > " : "  ");
	ark_talk_clean(&s->out, author);
	uint32_t at = ark_str_has(root) ? ark_map_get(&s->heads, root) : ARK_MAP_NONE;
	if (at != ARK_MAP_NONE)
		ark_buf_fmt(&s->out, "  (to %.*s)", ARK_FMT(s->begins[at]));
	else if (ark_str_has(root))
		ark_buf_z(&s->out, "  (to an earlier message)");
	ark_buf_z(&s->out, p->edit_ms > 0 ? "  (edited)" : "");
	ark_buf_z(&s->out, p->delete_ms > 0 ? "  (deleted)" : "");
	ark_buf_z(&s->out, json_is_true(json_get(post, "is_pinned")) ? "  (pinned)" : "");
	ark_buf_c(&s->out, '\n');
	indented(&s->out, text, indent);
	extras(s, post, indent);
	if (!ark_str_has(root))
		remember(s, p->id, author, text);
}

static void post_event(struct showing *s, const struct history_piece *p)
{
	struct ark_event e;
	ark_event_begin(&e, "post", "history.post");
	ark_event_text(&e, "team", ark_buf_view(&s->at.team));
	ark_event_text(&e, "channel", ark_buf_view(&s->at.name));
	ark_event_text(&e, "id", p->id);
	ark_event_time(&e, "create_time", p->create_ms);
	ark_event_text(&e, "line", ark_str_first(p->all, p->all.len - 1));
	ark_event_send(&e, s->h->app.talk);
}

static enum ark_rc show_lines(struct showing *s, struct ark_err *err)
{
	struct history_pieces pieces;
	struct history_piece p;
	struct ark_str head;
	enum ark_rc rc;
	history_pieces_begin(&pieces, HISTORY_JSONL, ark_buf_view(&s->blob), &head);
	while ((rc = history_pieces_next(&pieces, &p, err)) == ARK_OK) {
		s->posts++;
		if (s->h->app.talk->json)
			post_event(s, &p);
		else
			show_post(s, &p, pieces.json);
		if (s->out.len > 65536 || ark_interrupted()) {
			ark_write(s->h->app.talk, &s->out);
			ark_buf_reset(&s->out);
			rc = ark_interrupt_check(err);
			if (rc < 0)
				break;
		}
	}
	history_pieces_end(&pieces);
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc show_day(struct showing *s, const struct history_entry *e, struct ark_str date, struct ark_err *err)
{
	struct ark_talk *talk = s->h->app.talk;
	enum ark_rc rc = history_repo_read(s->h->repo, &e->id, HISTORY_BLOB, &s->blob, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&s->out);
	if (!talk->json)
		ark_buf_fmt(&s->out, "== %.*s  %.*s/%.*s\n", ARK_FMT(date), ARK_FMT(ark_buf_view(&s->at.team)),
		            ARK_FMT(ark_buf_view(&s->at.name)));
	if (ark_str_ends(e->name, ARK_LIT(".md")))
		indented(&s->out, ark_buf_view(&s->blob), "");
	else
		rc = show_lines(s, err);
	if (rc == ARK_OK && !talk->json) {
		ark_buf_c(&s->out, '\n');
		ark_write(talk, &s->out);
	}
	return rc < 0 ? ark_err_in(err, rc, "%.*s", ARK_FMT(date)) : ARK_OK;
}

/* "2024-05-01" of what is below `tree` at this level, as far as `wanted` fits. */
static enum ark_rc show_below(struct showing *s, const struct history_oid *tree, struct ark_str date,
                              struct ark_str wanted, unsigned level, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf raw, name;
	ark_buf_init(&raw, LIMIT_HISTORY_TREE);
	ark_buf_init(&name, 4096);
	struct history_entry e;
	enum ark_rc rc = read_tree(s->h, tree, &raw, err);
	for (size_t at = 0; rc == ARK_OK && !s->h->app.talk->out_lost && history_tree_next(ark_buf_view(&raw), &at, &e);) {
		if (e.is_tree != (level < 2))
			continue;
		ark_buf_reset(&name);
		ark_buf_fmt(&name, "%.*s%s%.*s", ARK_FMT(date), level > 0 ? "-" : "",
		            ARK_FMT(ark_str_first(e.name, ark_str_find(e.name, '.', 0))));
		struct ark_str have = ark_buf_view(&name);
		size_t common = have.len < wanted.len ? have.len : wanted.len;
		if (!ark_str_eq(ark_str_first(have, common), ark_str_first(wanted, common)) || (level == 2 && have.len < wanted.len))
			continue;
		if (level == 2)
			rc = show_day(s, &e, have, err);
		else
			rc = show_below(s, &e.id, have, wanted, level + 1, err);
		if (level == 1)
			forget(s);
	}
	return rc;
}

/* A day, a month, a year. */
static enum ark_rc check_date(struct ark_str date, struct ark_err *err)
{
	bool fine = date.len == 0 || date.len == 4 || date.len == 7 || date.len == 10;
	for (size_t i = 0; i < date.len && fine; i++)
		fine = i == 4 || i == 7 ? date.ptr[i] == '-' : date.ptr[i] >= '0' && date.ptr[i] <= '9';
	if (!fine)
		return ark_err_set(err, ARK_KIND_USAGE, "'%.*s' is no date like 2024-05-01, 2024-05 or 2024", ARK_FMT(date));
	return ARK_OK;
}

static enum ark_rc show(struct showing *s, struct history_commit *c, struct ark_err *err)
{
	const struct ark_list *words = &s->h->app.args->operands;
	struct ark_str date = words->count > 2 ? ark_str_z(words->items[2]) : ARK_LIT("");
	struct history_pager pager;
	enum ark_rc rc = check_date(date, err);
	if (rc == ARK_OK)
		rc = open_head(s->h, c, err);
	if (rc == ARK_OK)
		rc = find_conversation(s->h, &c->tree, words->items[1], &s->at, err);
	if (rc == ARK_OK)
		rc = history_pager_begin(&pager, !s->h->app.talk->json, err);
	if (rc < 0)
		return rc;
	rc = show_below(s, &s->at.tree, ARK_LIT(""), date, 0, err);
	history_pager_end(&pager, s->h->app.talk);
	return rc;
}

int history_command_show(struct history *h, struct ark_err *err)
{
	struct history_commit c;
	struct showing s = { .h = h };
	found_init(&s.at);
	ark_buf_init(&c.message, LIMIT_HISTORY_SMALL);
	ark_buf_init(&s.out, LIMIT_HISTORY_DAY);
	ark_buf_init(&s.blob, LIMIT_HISTORY_DAY);
	enum ark_rc rc = show(&s, &c, err);
	found_release(&s.at);
	ark_buf_release(&c.message);
	ark_buf_release(&s.out);
	ark_buf_release(&s.blob);
	ark_map_release(&s.heads);
	ark_pool_release(&s.pool);
	free(s.begins);
	return rc < 0 ? (int)rc : ARK_EXIT_DONE;
}

/* --- log --------------------------------------------------------------------------------------- */

/* The folder of the conversation in a commit; false: not there. */
static enum ark_rc folder_in(struct history *h, const struct history_oid *root, const struct found *at,
                             struct history_oid *out, bool *has, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf raw;
	ark_buf_init(&raw, LIMIT_HISTORY_TREE);
	struct history_entry e;
	*has = false;
	enum ark_rc rc = read_tree(h, root, &raw, err);
	if (rc < 0 || !history_tree_find(ark_buf_view(&raw), ark_buf_view(&at->team), &e))
		return rc;
	rc = read_tree(h, &e.id, &raw, err);
	if (rc < 0 || !history_tree_find(ark_buf_view(&raw), ark_buf_view(&at->name), &e))
		return rc;
	*out = e.id;
	*has = true;
	return ARK_OK;
}

static void log_row(struct history *h, const struct history_commit *c)
{
	char hex[HISTORY_OID_HEX], when[ARK_TIME_ISO];
	struct ark_str all = ark_buf_view(&c->message), subject = ark_str_first(all, ark_str_find(all, '\n', 0));
	history_oid_hex(&c->id, hex);
	ark_time_iso(c->when_s * 1000, when);
	ark_out(h->app.talk, "%.10s  %.10s %.5s  %.*s", hex, when, when + 11, ARK_FMT(subject));
	struct ark_event e;
	ark_event_begin(&e, "commit", "history.commit");
	ark_event_text(&e, "id", ark_str_z(hex));
	ark_event_time(&e, "time", c->when_s * 1000);
	ark_event_text(&e, "subject", subject);
	ark_event_send(&e, h->app.talk);
}

/* Newest first; with a conversation only the commits in which its folder is not as in the one before. */
static enum ark_rc walk(struct history *h, struct history_commit *c, const struct found *at, struct ark_err *err)
{
	struct history_commit before;
	ark_buf_init(&before.message, LIMIT_HISTORY_SMALL);
	enum ark_rc rc = ARK_OK;
	for (bool more = true; more && rc == ARK_OK && !h->app.talk->out_lost;) {
		struct history_oid now_id = { 0 }, was_id = { 0 };
		bool now = false, was = false;
		more = c->has_parent;
		if (more)
			rc = history_repo_commit(h->repo, &c->parent, &before, err);
		if (rc == ARK_OK && at != NULL)
			rc = folder_in(h, &c->tree, at, &now_id, &now, err);
		if (rc == ARK_OK && at != NULL && more)
			rc = folder_in(h, &before.tree, at, &was_id, &was, err);
		if (rc == ARK_OK && (at == NULL || now != was || (now && !history_oid_eq(&now_id, &was_id))))
			log_row(h, c);
		if (rc == ARK_OK && more) {
			struct history_commit held = *c;
			*c = before;
			before = held;
			rc = ark_interrupt_check(err);
		}
	}
	ark_buf_release(&before.message);
	return rc;
}

static enum ark_rc log_all(struct history *h, struct history_commit *c, struct found *at, struct ark_err *err)
{
	const struct ark_list *words = &h->app.args->operands;
	struct history_pager pager;
	enum ark_rc rc = open_head(h, c, err);
	if (rc == ARK_OK && words->count > 1)
		rc = find_conversation(h, &c->tree, words->items[1], at, err);
	if (rc == ARK_OK)
		rc = history_pager_begin(&pager, !h->app.talk->json, err);
	if (rc < 0)
		return rc;
	rc = walk(h, c, words->count > 1 ? at : NULL, err);
	history_pager_end(&pager, h->app.talk);
	return rc;
}

int history_command_log(struct history *h, struct ark_err *err)
{
	struct history_commit c;
	struct found at;
	found_init(&at);
	ark_buf_init(&c.message, LIMIT_HISTORY_SMALL);
	enum ark_rc rc = log_all(h, &c, &at, err);
	found_release(&at);
	ark_buf_release(&c.message);
	return rc < 0 ? (int)rc : ARK_EXIT_DONE;
}
