/*
 * matter-history rebuild: the commits that are there, without the posts of the purge ledger. Each commit's tree is
 * walked along what differs from its parent's, so every object is looked at once; what the walk meets goes
 * into new packs, changed or not, and the old ones are removed. Nothing comes from the database but the ledger:
 * versions of a message that only nightly runs saw exist nowhere else.
 *
 * Memory: 16 bytes for each purged post, and about 80 for each object that became another one.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/mm/ledger.h"
#include "export/history/history.h"

#include "common/base/banned.h"

#define MARK 16
#define MONTH_LEVEL 4 /* root 0, team, conversation, year, month */

struct rebuild {
	struct history *h;
	struct crypt_hash *hash;
	unsigned char (*purged)[MARK]; /* first bytes of the ids' SHA-256, sorted */
	size_t purged_count, purged_cap;
	struct history_oid *chain; /* commits, newest first */
	size_t chain_count, chain_cap;
	struct ark_map other_at;   /* id of an object that became another one -> index */
	struct history_oid *others;
	bool *empty;               /* nothing is left of it */
	size_t others_count, others_cap;
	uint64_t posts, files, commits_changed, commits_dropped;
	struct ark_buf blob, kept;
};

/* --- what was purged --------------------------------------------------------------------------- */

static void mark_of(struct rebuild *r, struct ark_str id, unsigned char out[MARK])
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	crypt_sha256(r->hash, id.ptr, id.len, digest);
	memcpy(out, digest, MARK);
}

static enum ark_rc on_purged(void *ctx, const struct mm_ledger_entry *e, struct ark_err *err)
{
	struct rebuild *r = ctx;
	(void)err;
	if (r->purged_count == r->purged_cap) {
		r->purged_cap = r->purged_cap > 0 ? 2 * r->purged_cap : 1024;
		r->purged = ark_realloc(r->purged, r->purged_cap, MARK);
	}
	mark_of(r, e->post_id, r->purged[r->purged_count++]);
	return ARK_OK;
}

static int by_mark(const void *a, const void *b)
{
	return memcmp(a, b, MARK);
}

static bool is_purged(struct rebuild *r, struct ark_str id)
{
	unsigned char mark[MARK];
	mark_of(r, id, mark);
	return r->purged_count > 0 && bsearch(mark, r->purged, r->purged_count, MARK, by_mark) != NULL;
}

static enum ark_rc from_database(struct rebuild *r, struct ark_err *err)
{
	struct export_app *a = &r->h->app;
	struct mm_place_how how = { .app = a->tool->name, .interrupted = ark_interrupted };
	struct db_options db = { .app = a->tool->name, .interrupted = ark_interrupted };
	enum ark_rc rc = mm_place_find(&a->place, &r->h->config->export.place, a->args, &how, err);
	if (rc == ARK_OK)
		rc = mm_place_open(&a->place, NULL, err);
	if (rc == ARK_OK)
		rc = db_open(a->place.dsn.data, &db, &a->conn, err);
	return rc == ARK_OK ? mm_ledger_each(a->conn, on_purged, r, err) : rc;
}

static enum ark_rc read_ledger(struct rebuild *r, struct ark_err *err)
{
	const char *file = r->h->config->ledger;
	enum ark_rc rc = file != NULL ? mm_ledger_file(file, on_purged, r, err) : from_database(r, err);
	if (rc < 0)
		return ark_err_in(err, rc, "reading what was purged");
	if (r->purged_count > 0)
		qsort(r->purged, r->purged_count, MARK, by_mark);
	return ARK_OK;
}

/* --- objects ----------------------------------------------------------------------------------- */

/* was became now; now NULL: nothing is left. */
static void note_other(struct rebuild *r, const struct history_oid *was, const struct history_oid *now)
{
	if (r->others_count == r->others_cap) {
		r->others_cap = r->others_cap > 0 ? 2 * r->others_cap : 256;
		r->others = ark_realloc(r->others, r->others_cap, sizeof(r->others[0]));
		r->empty = ark_realloc(r->empty, r->others_cap, sizeof(r->empty[0]));
	}
	r->empty[r->others_count] = now == NULL;
	if (now != NULL)
		r->others[r->others_count] = *now;
	ark_map_put(&r->other_at, ark_str_n((const char *)was->b, HISTORY_OID), (uint32_t)r->others_count++);
}

/* What became of an object that was met; false: nothing. */
static bool became(const struct rebuild *r, const struct history_oid *was, struct history_oid *now)
{
	uint32_t at = ark_map_get(&r->other_at, ark_str_n((const char *)was->b, HISTORY_OID));
	*now = at == ARK_MAP_NONE ? *was : r->others[at];
	return at == ARK_MAP_NONE || !r->empty[at];
}

/* A day file without what was purged, in r->kept; how many went. */
static enum ark_rc filter(struct rebuild *r, enum history_form form, uint64_t *gone, bool *any, struct ark_err *err)
{
	struct history_pieces pieces;
	struct history_piece piece;
	struct ark_str head;
	*gone = 0;
	*any = false;
	ark_buf_reset(&r->kept);
	history_pieces_begin(&pieces, form, ark_buf_view(&r->blob), &head);
	ark_buf_str(&r->kept, head);
	enum ark_rc rc;
	while ((rc = history_pieces_next(&pieces, &piece, err)) == ARK_OK) {
		if (is_purged(r, piece.id)) {
			(*gone)++;
			continue;
		}
		*any = true;
		ark_buf_str(&r->kept, piece.all);
	}
	history_pieces_end(&pieces);
	return rc < 0 ? rc : ark_buf_ok(&r->kept, "a day", err);
}

static enum ark_rc pass_blob(struct rebuild *r, const struct history_entry *e, unsigned level, struct ark_err *err)
{
	struct history *h = r->h;
	struct history_oid id;
	uint64_t gone = 0;
	bool any = true;
	enum ark_rc rc = history_repo_read(h->repo, &e->id, HISTORY_BLOB, &r->blob, err);
	bool md = ark_str_ends(e->name, ARK_LIT(".md"));
	if (rc == ARK_OK && level == MONTH_LEVEL)
		rc = filter(r, md ? HISTORY_MD : HISTORY_JSONL, &gone, &any, err);
	if (rc < 0 || gone == 0)
		return rc < 0 ? rc : history_packs_add(h->packs, h->press, HISTORY_BLOB, ark_buf_view(&r->blob), &id, err);
	r->posts += gone;
	r->files++;
	if (any)
		rc = history_packs_add(h->packs, h->press, HISTORY_BLOB, ark_buf_view(&r->kept), &id, err);
	note_other(r, &e->id, any ? &id : NULL);
	return rc;
}

/* --- trees ------------------------------------------------------------------------------------- */

static enum ark_rc pass_tree(struct rebuild *r, const struct history_oid *id, const struct history_oid *before,
                             unsigned level, struct ark_err *err);

static enum ark_rc read_tree(struct rebuild *r, const struct history_oid *id, struct ark_buf *out, struct ark_err *err)
{
	enum ark_rc rc = history_repo_read(r->h->repo, id, HISTORY_TREE, out, err);
	return rc == ARK_OK ? history_tree_check(ark_buf_view(out), err) : rc;
}

/* Entries of `raw` that `was` does not have are passed on; then `now` is the list of what they became. */
static enum ark_rc pass_entries(struct rebuild *r, struct ark_str raw, struct ark_str was, unsigned level,
                                struct ark_buf *now, struct ark_err *err)
{
	struct history_entry e, old = { 0 };
	size_t at = 0, old_at = 0;
	bool has_old = history_tree_next(was, &old_at, &old);
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && history_tree_next(raw, &at, &e)) {
		/* both are in one order: skip what is behind; a missed pair only costs a second look */
		while (has_old && !ark_str_eq(old.name, e.name) && ark_str_cmp(old.name, e.name) < 0)
			has_old = history_tree_next(was, &old_at, &old);
		bool pair = has_old && ark_str_eq(old.name, e.name) && old.is_tree == e.is_tree;
		if (pair && history_oid_eq(&old.id, &e.id))
			;
		else if (e.is_tree)
			rc = pass_tree(r, &e.id, pair ? &old.id : NULL, level + 1, err);
		else
			rc = pass_blob(r, &e, level, err);
		struct history_oid became_id;
		if (rc == ARK_OK && became(r, &e.id, &became_id))
			history_tree_set(now, e.name, e.is_tree, &became_id);
	}
	return rc;
}

static enum ark_rc pass_tree(struct rebuild *r, const struct history_oid *id, const struct history_oid *before,
                             unsigned level, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf raw, was, now;
	ark_buf_init(&raw, LIMIT_HISTORY_TREE);
	ark_buf_init(&was, LIMIT_HISTORY_TREE);
	ark_buf_init(&now, LIMIT_HISTORY_TREE);
	struct history *h = r->h;
	struct history_oid made, base;
	if (level > MONTH_LEVEL)
		return ark_err_set(err, ARK_KIND_INPUT, "the repository holds folders that are not ours");
	enum ark_rc rc = read_tree(r, id, &raw, err);
	if (rc == ARK_OK && before != NULL)
		rc = read_tree(r, before, &was, err);
	if (rc == ARK_OK)
		rc = pass_entries(r, ark_buf_view(&raw), ark_buf_view(&was), level, &now, err);
	if (rc == ARK_OK)
		rc = ark_buf_ok(&now, "a folder's list", err);
	if (rc < 0)
		return rc;
	if (now.len == 0 && level > 0) {
		note_other(r, id, NULL);
		return ARK_OK;
	}
	bool chain = before != NULL && became(r, before, &base) && history_oid_eq(&base, before);
	rc = history_packs_add_tree(h->packs, h->press, ark_buf_view(&now), chain ? before : NULL, ark_buf_view(&was),
	                            &made, err);
	if (rc == ARK_OK && !history_oid_eq(&made, id))
		note_other(r, id, &made);
	return rc;
}

/* --- commits ----------------------------------------------------------------------------------- */

static enum ark_rc list_commits(struct rebuild *r, struct history_commit *c, struct ark_err *err)
{
	struct history_oid id;
	bool more = history_repo_head(r->h->repo, &id);
	while (more) {
		enum ark_rc rc = history_repo_commit(r->h->repo, &id, c, err);
		if (rc < 0)
			return rc;
		if (r->chain_count == r->chain_cap) {
			r->chain_cap = r->chain_cap > 0 ? 2 * r->chain_cap : 1024;
			r->chain = ark_realloc(r->chain, r->chain_cap, sizeof(r->chain[0]));
		}
		r->chain[r->chain_count++] = id;
		more = c->has_parent;
		id = c->parent;
	}
	return ARK_OK;
}

struct tip {
	bool has;
	struct history_oid old_tree, tree, commit;
};

static enum ark_rc pass_commit(struct rebuild *r, const struct history_commit *c, struct tip *tip, struct ark_err *err)
{
	struct history *h = r->h;
	struct history_oid tree, id;
	enum ark_rc rc = pass_tree(r, &c->tree, tip->has ? &tip->old_tree : NULL, 0, err);
	if (rc < 0)
		return rc;
	(void)became(r, &c->tree, &tree);
	bool same = history_oid_eq(&tree, &c->tree) &&
	            (!c->has_parent || (tip->has && history_oid_eq(&tip->commit, &c->parent)));
	bool empty = !same && tip->has && history_oid_eq(&tree, &tip->tree);
	tip->old_tree = c->tree;
	tip->tree = tree;
	if (empty) {
		r->commits_dropped++;
		return ARK_OK;
	}
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_HISTORY_SMALL);
	if (same)
		rc = history_repo_read(h->repo, &c->id, HISTORY_COMMIT, &text, err);
	else
		history_commit_text(&text, &tree, tip->has ? &tip->commit : NULL, c->when_s, ark_buf_view(&c->message));
	if (rc == ARK_OK)
		rc = history_packs_add(h->packs, h->press, HISTORY_COMMIT, ark_buf_view(&text), &id, err);
	r->commits_changed += !same;
	tip->commit = id;
	tip->has = true;
	return rc;
}

static enum ark_rc pass_all(struct rebuild *r, struct tip *tip, struct ark_err *err)
{
	struct history_commit c;
	ark_buf_init(&c.message, LIMIT_HISTORY_SMALL);
	enum ark_rc rc = list_commits(r, &c, err);
	ark_progress_phase(&r->h->app.bar, "rebuilding", "commits", r->chain_count, 0);
	for (size_t i = r->chain_count; i > 0 && rc == ARK_OK; i--) {
		rc = history_repo_commit(r->h->repo, &r->chain[i - 1], &c, err);
		if (rc == ARK_OK)
			rc = pass_commit(r, &c, tip, err);
		ark_progress_add(&r->h->app.bar, 1, 0);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	ark_buf_release(&c.message);
	return rc;
}

/* --- the run ----------------------------------------------------------------------------------- */

static void say_done(struct rebuild *r, const struct history_oid *head, bool dry)
{
	char hex[HISTORY_OID_HEX];
	struct history *h = r->h;
	history_oid_hex(head, hex);
	const char *tense = dry ? "would go" : "are gone";
	ark_info(h->app.talk, "history.rebuilt", "%s: %llu copies of purged posts %s, %llu commits changed, %llu dropped",
	         h->app.target, (unsigned long long)r->posts, tense, (unsigned long long)r->commits_changed,
	         (unsigned long long)r->commits_dropped);
	if (dry)
		ark_out(h->app.talk, "%llu copies of purged posts in %llu files, %llu commits changed, %llu dropped",
		        (unsigned long long)r->posts, (unsigned long long)r->files, (unsigned long long)r->commits_changed,
		        (unsigned long long)r->commits_dropped);
	notify_headline(&h->app.told, "%llu copies of purged posts are gone", (unsigned long long)r->posts);
	notify_count(&h->app.told, "history_posts_removed", "copies of posts removed", r->posts);
	notify_count(&h->app.told, "history_commits_changed", "commits changed", r->commits_changed);
	struct ark_event e;
	ark_event_begin(&e, "summary", "history.rebuilt");
	ark_event_text(&e, "place", ark_str_z(h->app.target));
	ark_event_text(&e, "head", ark_str_z(hex));
	ark_event_u64(&e, "removed", r->posts);
	ark_event_u64(&e, "files", r->files);
	ark_event_u64(&e, "commits_changed", r->commits_changed);
	ark_event_u64(&e, "commits_dropped", r->commits_dropped);
	ark_event_i64(&e, "duration_ms", ark_time_now_ms() - h->app.begin_ms);
	ark_event_send(&e, h->app.talk);
}

static enum ark_rc check_refs(struct history *h, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf names;
	ark_buf_init(&names, LIMIT_HISTORY_SMALL);
	enum ark_rc rc = history_repo_other_refs(h->repo, &names, err);
	if (rc < 0 || names.len == 0)
		return rc;
	ark_err_set(err, ARK_KIND_REFUSED, "other references would keep what was purged: %.200s", names.data);
	ark_err_hint(err, "delete them first: git -C %.200s update-ref -d NAME", h->app.target);
	return ARK_FAIL;
}

static enum ark_rc publish(struct rebuild *r, const struct tip *tip, struct ark_err *err)
{
	struct history *h = r->h;
	ark_progress_phase(&h->app.bar, "indexing", NULL, 0, 0);
	history_repo_state_carry(h->repo);
	enum ark_rc rc = history_packs_finish(h->packs, err);
	return rc == ARK_OK ? history_repo_publish(h->repo, h->packs, &tip->commit, true, err) : rc;
}

static enum ark_rc run(struct rebuild *r, struct ark_err *err)
{
	struct history *h = r->h;
	struct tip tip = { 0 };
	struct history_oid head;
	bool dry = h->config->export.dry_run;
	enum ark_rc rc = history_repo_open(h->app.target, HISTORY_WRITE, &h->repo, err);
	if (rc == ARK_OK)
		rc = check_refs(h, err);
	if (rc == ARK_OK)
		rc = read_ledger(r, err);
	if (rc < 0)
		return rc;
	ark_progress_begin(&h->app.bar, h->app.talk);
	h->app.bar_runs = true;
	h->packs = history_packs_new(history_repo_incoming(h->repo));
	h->press = history_press_new();
	rc = pass_all(r, &tip, err);
	bool changed = rc == ARK_OK && history_repo_head(h->repo, &head) && !history_oid_eq(&head, &tip.commit);
	if (changed && !dry)
		rc = publish(r, &tip, err);
	if (rc == ARK_OK && h->config->push != NULL && !dry)
		rc = history_push(h, err);
	ark_progress_end(&h->app.bar);
	h->app.bar_runs = false;
	if (rc == ARK_OK)
		say_done(r, &tip.commit, dry);
	return rc;
}

int history_command_rebuild(struct history *h, struct ark_err *err)
{
	struct rebuild r = { .h = h, .hash = crypt_hash_new() };
	h->app.begin_ms = ark_time_now_ms();
	h->app.target = h->app.args->operands.items[0];
	ark_buf_init(&r.blob, LIMIT_HISTORY_DAY);
	ark_buf_init(&r.kept, LIMIT_HISTORY_DAY);
	enum ark_rc rc = run(&r, err);
	crypt_hash_free(r.hash);
	ark_buf_release(&r.blob);
	ark_buf_release(&r.kept);
	ark_map_release(&r.other_at);
	free(r.purged);
	free(r.chain);
	free(r.others);
	free(r.empty);
	return rc < 0 ? (int)rc : ARK_EXIT_DONE;
}
