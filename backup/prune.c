/*
 * Removing snapshots that no rule keeps, and what only they needed. In three steps, each of which leaves a
 * repository that is whole: snapshots are moved away, packs are condemned, packs are deleted (sweep).
 * Why that is safe beside a create: repo/intent.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "backup/app.h"
#include "backup/repo/intent.h"
#include "backup/repo/pack.h"
#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/io/frame.h"
#include "common/repo/format.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define NEED_TRIES 3 /* at what is needed, while others write and sweep */
#define REPACK_BELOW 50 /* percent of a pack that is still needed: less, and the rest is moved out of it */

/* --- which snapshots stay -------------------------------------------------------------------------------- */

struct verdict {
	char reasons[160]; /* empty: no rule keeps it */
};

static void keep(struct verdict *v, const char *why)
{
	size_t len = strlen(v->reasons);
	snprintf(v->reasons + len, sizeof(v->reasons) - len, "%s%s", len > 0 ? ", " : "", why);
}

/* Number of the period that a moment lies in (UTC): newer ones are larger. */
static int64_t period(int64_t ms, int rule)
{
	struct ark_civil c = ark_time_civil(ms);
	switch (rule) {
	case 0:
		return ms / 3600000;
	case 1:
		return ms / 86400000;
	case 2:
		return (ms / 86400000 + 3) / 7; /* weeks begin on Monday; 1970-01-01 was a Thursday */
	case 3:
		return c.year * 12 + c.month;
	default:
		return c.year;
	}
}

static void keep_periods(const struct repo_snapshots *all, struct verdict *v, int rule, int64_t count,
                         const char *why)
{
	int64_t last = INT64_MIN;
	for (size_t i = all->count; i-- > 0 && count > 0;) {
		int64_t p = period(all->items[i].taken_ms, rule);
		if (p == last)
			continue;
		last = p;
		count--;
		keep(&v[i], why);
	}
}

static void judge(const struct backup_config *o, const struct repo_snapshots *all, struct verdict *v)
{
	const struct {
		int64_t count;
		const char *why;
	} RULES[] = { { o->keep_hourly, "hourly" }, { o->keep_daily, "daily" }, { o->keep_weekly, "weekly" },
		      { o->keep_monthly, "monthly" }, { o->keep_yearly, "yearly" } };
	for (size_t i = all->count; i-- > 0;) {
		if ((int64_t)(all->count - i) <= o->keep_last)
			keep(&v[i], "last");
		if (o->keep_within.has && all->items[i].taken_ms >= o->keep_within.ms)
			keep(&v[i], "within");
	}
	for (int rule = 0; rule < 5; rule++)
		keep_periods(all, v, rule, RULES[rule].count, RULES[rule].why);
	/* the floor: the newest that no rule keeps */
	int64_t kept = 0;
	for (size_t i = 0; i < all->count; i++)
		kept += v[i].reasons[0] != '\0';
	for (size_t i = all->count; i-- > 0 && kept < o->keep_at_least;) {
		if (v[i].reasons[0] == '\0') {
			keep(&v[i], "at least");
			kept++;
		}
	}
}

static bool has_rule(const struct backup_config *o)
{
	return o->keep_last + o->keep_hourly + o->keep_daily + o->keep_weekly + o->keep_monthly + o->keep_yearly > 0 ||
	       o->keep_within.has;
}

/* --- what is needed ---------------------------------------------------------------------------------------- */

struct use {
	uint64_t needed; /* bytes of objects that a snapshot needs, with what stands in front of each in a pack */
	uint64_t objects;
};

struct prune {
	struct app *a;
	struct ark_map packs; /* 32 bytes: number in `uses` */
	struct use *uses;
	size_t cap;
	const struct condemned *now;
	struct repo_id *condemn;
	size_t condemn_count;
};

static void prune_release(struct prune *p)
{
	ark_map_release(&p->packs);
	free(p->uses);
	free(p->condemn);
}

static struct ark_str key_of(const struct repo_id *id)
{
	return ark_str_n((const char *)id->b, REPO_ID_BYTES);
}

static struct use *use_of(struct prune *p, const struct repo_id *pack)
{
	uint32_t n = ark_map_get(&p->packs, key_of(pack));
	if (n == ARK_MAP_NONE) {
		n = p->packs.count;
		ark_map_put(&p->packs, key_of(pack), n);
		if (n >= p->cap) {
			p->cap = p->cap == 0 ? 256 : 2 * p->cap;
			p->uses = ark_realloc(p->uses, p->cap, sizeof(*p->uses));
		}
		p->uses[n] = (struct use){ 0 };
	}
	return &p->uses[n];
}

static bool is_free(void *ctx, const struct repo_entry *e)
{
	const struct prune *p = ctx;
	return ark_map_get(&p->now->packs, key_of(&e->pack)) == ARK_MAP_NONE;
}

/* Counts an object once; *first is false when it was counted before. */
static enum ark_rc need(struct prune *p, const struct repo_id *id, bool *first, struct ark_err *err)
{
	struct repo_index *x = repo_index(p->a->repo);
	struct repo_entry e;
	char hex[REPO_ID_HEX + 1];
	*first = repo_index_mark(x, id);
	if (!*first && repo_index_marked(x, id))
		return ARK_OK;
	/* a copy that is not condemned is the one that counts */
	if (repo_index_find_in(x, id, is_free, p, &e) || repo_index_find(x, id, &e)) {
		struct use *u = use_of(p, &e.pack);
		u->needed += e.length + (e.offset > 0 ? PACK_ENTRY_HEAD : 0);
		u->objects++;
		return ARK_OK;
	}
	repo_id_hex(id, hex);
	ark_err_set(err, ARK_KIND_INPUT, "object %s is needed and is not there: nothing is pruned from a damaged repository",
	            hex);
	ark_err_hint(err, "'matter-backup verify' tells more");
	return ARK_FAIL;
}

static enum ark_rc need_snapshot(struct prune *p, const struct repo_snapshot *s, struct ark_err *err)
{
	ark_auto(repo_walk_freep) struct repo_walk *w = repo_walk_new(p->a->repo);
	struct repo_item item;
	bool first;
	enum ark_rc rc = need(p, &s->contents, &first, err);
	if (rc == ARK_OK)
		rc = need(p, &s->root, &first, err);
	repo_walk_begin(w, &s->root);
	while (rc == ARK_OK && (rc = repo_walk_next(w, &item, err)) == ARK_OK) {
		if (item.kind == REPO_ITEM_MISSING)
			continue;
		rc = need(p, &item.id, &first, err);
		if (item.kind == REPO_ITEM_LIST && !first)
			repo_walk_skip(w);
	}
	return rc < 0 ? ark_err_in(err, rc, "snapshot '%s'", s->name) : ARK_OK;
}

/* Of all snapshots that are there; damaged ones stop everything. */
static enum ark_rc need_each(struct prune *p, const char *dir, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	enum ark_rc rc = repo_snapshots_in(p->a->repo, dir, &all, NULL, err);
	for (size_t i = 0; i < all.count && rc == ARK_OK; i++) {
		rc = ark_interrupt_check(err);
		if (rc == ARK_OK)
			rc = need_snapshot(p, &all.items[i], err);
	}
	return rc;
}

/*
 * The same while others write: a snapshot that was published behind our reading of the index names objects that
 * are not in it, and one that is just being removed names what is gone. Looked at again, both are what they are.
 */
static enum ark_rc need_all(struct prune *p, const char *dir, struct ark_err *err)
{
	struct repo_index *x = repo_index(p->a->repo);
	for (int tries = 1;; tries++) {
		uint64_t entries = repo_index_count(x);
		enum ark_rc rc = need_each(p, dir, err);
		bool failed = rc == ARK_FAIL && err->kind != ARK_KIND_SIGNAL;
		if ((!failed && (rc < 0 || repo_index_count(x) == entries)) || tries == NEED_TRIES)
			return rc;
		struct ark_err second = { 0 };
		if (repo_load(p->a->repo, &second) < 0)
			return failed ? rc : ARK_OK;
		repo_index_forget_marks(x);
		ark_map_release(&p->packs);
		p->packs = (struct ark_map){ 0 };
	}
}

/* What is condemned is in the index, too: while it is not swept it may still be needed. */
static enum ark_rc load(struct prune *p, const struct condemned *now, struct ark_err *err)
{
	p->now = now;
	enum ark_rc rc = repo_load(p->a->repo, err);
	repo_index_forget_marks(repo_index(p->a->repo));
	return rc;
}

/* --- removing and bringing back ------------------------------------------------------------------------------ */

static enum ark_rc move_snapshot(struct repo *r, const char *from, const char *to, const char *name,
                                 struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	char key[REPO_KEY_MAX], target[REPO_KEY_MAX];
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	snprintf(key, sizeof(key), "%s%s", from, name);
	snprintf(target, sizeof(target), "%s%s", to, name);
	enum ark_rc rc = repo_keep_get(repo_keep(r), key, 0, REPO_KEEP_ALL, &text, err);
	/* first there, then not here any more: a crash in between leaves it in both */
	if (rc == ARK_OK)
		rc = repo_keep_put(repo_keep(r), target, ark_buf_view(&text), REPO_KEEP_REPLACE, err);
	if (rc == ARK_OK)
		rc = repo_keep_remove(repo_keep(r), key, err);
	return rc;
}

static void say_verdict(struct app *a, const struct repo_snapshot *s, const struct verdict *v)
{
	bool kept = v->reasons[0] != '\0';
	/* a plan is what was asked for; a real run says it to who wants to know */
	if (a->config->dry_run)
		ark_out(a->talk, "%s\t%s%s%s", s->name, kept ? "keep" : "remove", kept ? ": " : "", v->reasons);
	else
		ark_info(a->talk, "prune.removed", "%s: no rule keeps it", s->name);
	struct ark_event e;
	ark_event_begin(&e, "verdict", "prune.verdict");
	ark_event_text(&e, "snapshot", ark_str_z(s->name));
	ark_event_bool(&e, "keep", kept);
	ark_event_text(&e, "reasons", ark_str_z(v->reasons));
	ark_event_send(&e, a->talk);
}

static enum ark_rc remove_snapshots(struct app *a, uint64_t *removed, struct ark_err *err)
{
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	enum ark_rc rc = repo_snapshots_read(a->repo, &all, NULL, err);
	if (rc < 0)
		return rc;
	ark_auto(ark_freep) struct verdict *v = ark_calloc(all.count + 1, sizeof(*v));
	judge(a->config, &all, v);
	for (size_t i = 0; i < all.count && rc == ARK_OK; i++) {
		if (a->config->dry_run || v[i].reasons[0] == '\0')
			say_verdict(a, &all.items[i], &v[i]);
		if (v[i].reasons[0] != '\0')
			continue;
		++*removed;
		if (!a->config->dry_run)
			rc = move_snapshot(a->repo, REPO_DIR_SNAPSHOTS, REPO_DIR_REMOVED, all.items[i].name, err);
	}
	return rc;
}

/* --- condemning ----------------------------------------------------------------------------------------------- */

struct condemning {
	struct prune *p;
	const struct condemned *now;
	struct pack_writer *writer; /* NULL: nothing is moved */
	struct ark_map repack;      /* packs */
	uint64_t bytes;
};

/* The needed objects of packs that are mostly not needed any more, into new ones. */
static enum ark_rc repack(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct condemning *c = ctx;
	struct repo *r = c->p->a->repo;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_auto(ark_buf_release) struct ark_buf space = { 0 };
	(void)size;
	ark_buf_init(&text, LIMIT_REPO_INDEX);
	ark_buf_init(&space, LIMIT_REPO_OBJECT);
	enum ark_rc rc = repo_index_text(r, key, &text, err);
	struct ark_str rest = ark_buf_view(&text);
	while (rc == ARK_OK && rest.len > 0) {
		struct repo_entry e;
		struct ark_str stored;
		size_t end = ark_str_find(rest, '\n', 0);
		if (end == SIZE_MAX || !repo_entry_parse(ark_str_first(rest, end), &e))
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged", key);
		rest = ark_str_from(rest, end + 1);
		if (ark_map_get(&c->repack, key_of(&e.pack)) == ARK_MAP_NONE ||
		    !repo_index_marked(repo_index(r), &e.id))
			continue;
		rc = repo_stored(r, &e, &space, &stored, err);
		if (rc == ARK_OK)
			rc = pack_move(c->writer, &e, stored, err);
	}
	return rc;
}

static enum ark_rc weigh_pack(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct condemning *c = ctx;
	struct prune *p = c->p;
	struct repo_id pack;
	if (!repo_data_parse(key, &pack) || ark_map_get(&c->now->packs, key_of(&pack)) != ARK_MAP_NONE)
		return ARK_OK;
	const struct use *u = use_of(p, &pack);
	bool repacked = u->objects > 1 && u->needed < size / 100 * REPACK_BELOW && c->writer != NULL;
	(void)err;
	if (repacked)
		ark_map_put(&c->repack, key_of(&pack), 1);
	if (u->objects == 0 || repacked) {
		p->condemn = ark_realloc(p->condemn, p->condemn_count + 1, sizeof(pack));
		p->condemn[p->condemn_count++] = pack;
		c->bytes += size - (repacked ? u->needed : 0);
	}
	return ARK_OK;
}

/* Under an intent: packs that are written by repacking must not be swept before their index is known. */
static enum ark_rc condemn(struct app *a, uint64_t *packs, uint64_t *bytes, struct ark_err *err)
{
	ark_auto(prune_release) struct prune p = { .a = a };
	ark_auto(condemned_release) struct condemned now = { 0 };
	ark_auto(intent_release) struct intent intent = INTENT_NONE;
	ark_auto(pack_closep) struct pack_writer *writer = NULL;
	struct condemning c = { .p = &p, .now = &now };
	uint64_t generation;
	enum ark_rc rc = a->config->dry_run ? condemned_read(a->repo, &now, err) :
	                                      intent_begin(a->repo, "prune", &intent, &now, err);
	if (rc == ARK_OK)
		rc = load(&p, &now, err);
	if (rc == ARK_OK)
		rc = need_all(&p, REPO_DIR_SNAPSHOTS, err);
	if (rc == ARK_OK && !a->config->dry_run)
		rc = pack_open(a->repo, &intent, &now.packs, &writer, err);
	c.writer = writer;
	if (rc == ARK_OK)
		rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_DATA, weigh_pack, &c, err);
	if (rc == ARK_OK && c.repack.count > 0)
		rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_INDEX, repack, &c, err);
	if (rc == ARK_OK && writer != NULL)
		rc = pack_flush(writer, err);
	ark_map_release(&c.repack);
	*packs = p.condemn_count;
	*bytes = c.bytes;
	if (rc == ARK_OK && p.condemn_count > 0 && !a->config->dry_run)
		rc = condemned_write(a->repo, &now, p.condemn, p.condemn_count, &generation, err);
	return rc < 0 ? rc : intent_end(&intent, err);
}

/* --- sweeping ---------------------------------------------------------------------------------------------------- */

struct sweeping {
	struct app *a;
	const struct ark_map *gone; /* packs that are deleted */
	uint64_t files;
};

/* An index file without the lines of what goes; then packs can be deleted. */
static enum ark_rc rewrite_index(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct sweeping *s = ctx;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_auto(ark_buf_release) struct ark_buf kept = { 0 };
	ark_auto(ark_buf_release) struct ark_buf frame = { 0 };
	bool dropped = false;
	(void)size;
	ark_buf_init(&text, LIMIT_REPO_INDEX);
	ark_buf_init(&kept, LIMIT_REPO_INDEX);
	ark_buf_init(&frame, LIMIT_REPO_INDEX);
	enum ark_rc rc = repo_index_text(s->a->repo, key, &text, err);
	struct ark_str rest = ark_buf_view(&text);
	while (rc == ARK_OK && rest.len > 0) {
		struct repo_entry e;
		size_t end = ark_str_find(rest, '\n', 0);
		if (end == SIZE_MAX || !repo_entry_parse(ark_str_first(rest, end), &e))
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged", key);
		if (ark_map_get(s->gone, key_of(&e.pack)) == ARK_MAP_NONE)
			ark_buf_add(&kept, rest.ptr, end + 1);
		else
			dropped = true;
		rest = ark_str_from(rest, end + 1);
	}
	if (rc < 0 || !dropped)
		return rc;
	if (kept.len > 0) {
		struct io_packer *packer = io_packer_new(3);
		unsigned char sum[CRYPT_SHA256_BYTES];
		char name[REPO_KEY_MAX], hex[CRYPT_SHA256_HEX];
		rc = io_packer_add(packer, NULL, ark_buf_view(&kept), &frame, err);
		io_packer_free(packer);
		ark_auto(crypt_hash_freep) struct crypt_hash *h = crypt_hash_new();
		crypt_sha256(h, frame.data, frame.len, sum);
		crypt_hex(sum, sizeof(sum), hex);
		snprintf(name, sizeof(name), REPO_DIR_INDEX "%s", hex);
		if (rc == ARK_OK)
			rc = repo_keep_put(repo_keep(s->a->repo), name, ark_buf_view(&frame), REPO_KEEP_SAME, err);
	}
	return rc < 0 ? rc : repo_keep_remove(repo_keep(s->a->repo), key, err);
}

static enum ark_rc drop_removed(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct sweeping *s = ctx;
	(void)size;
	return repo_keep_remove(repo_keep(s->a->repo), key, err);
}

static enum ark_rc delete_packs(struct app *a, const struct ark_map *gone, struct ark_err *err)
{
	struct sweeping s = { .a = a, .gone = gone };
	enum ark_rc rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_REMOVED, drop_removed, &s, err);
	if (rc == ARK_OK && gone->count > 0)
		rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_INDEX, rewrite_index, &s, err);
	for (uint32_t i = 0; i < gone->count && rc == ARK_OK; i++) {
		struct repo_id pack;
		char key[REPO_KEY_MAX];
		memcpy(pack.b, ark_map_key(gone, i).ptr, REPO_ID_BYTES);
		repo_data_key(&pack, key);
		rc = repo_keep_remove(repo_keep(a->repo), key, err);
	}
	return rc;
}

static void say_intent(struct app *a, const struct open_intent *i)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(i->begun_ms, iso);
	ark_warn(a->talk, "prune.intent", "intent %s (%s, begun %s) delays sweeping; if it will not be finished: "
	         "--drop-intent %s", i->name, i->who, iso, i->name);
}

/* The oldest generation that some open intent knows; dead ones are dropped. */
static enum ark_rc oldest_intent(struct app *a, const struct open_intents *open, uint64_t *generation,
                                 struct ark_err *err)
{
	*generation = UINT64_MAX;
	for (size_t i = 0; i < open->count; i++) {
		const struct open_intent *x = &open->items[i];
		enum ark_rc rc = x->dead ? intent_drop(a->repo, x->name, err) : ARK_OK;
		if (rc < 0)
			return rc;
		if (x->dead || x->sweeps)
			continue;
		if (x->generation < *generation)
			*generation = x->generation;
		say_intent(a, x);
	}
	return ARK_OK;
}

static enum ark_rc sweep_alone(struct app *a, uint64_t *swept, struct ark_err *err)
{
	ark_auto(prune_release) struct prune p = { .a = a };
	ark_auto(condemned_release) struct condemned now = { 0 };
	ark_auto(intent_release) struct intent guard = INTENT_NONE;
	ark_auto(open_intents_release) struct open_intents open = { 0 };
	ark_auto(ark_map_release) struct ark_map gone = { 0 };
	uint64_t oldest = 0;
	enum ark_rc rc = intents_read(a->repo, &guard, &open, err);
	if (rc == ARK_OK)
		rc = oldest_intent(a, &open, &oldest, err);
	/* the lists before the snapshots: what a create publishes from here on does not use them */
	if (rc == ARK_OK)
		rc = condemned_read(a->repo, &now, err);
	if (rc == ARK_OK)
		rc = load(&p, &now, err);
	if (rc == ARK_OK)
		rc = need_all(&p, REPO_DIR_SNAPSHOTS, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < now.packs.count; i++) {
		struct ark_str pack = ark_map_key(&now.packs, i);
		const struct condemned_list *list = &now.lists[ark_map_get(&now.packs, pack)];
		uint32_t used = ark_map_get(&p.packs, pack);
		bool needed = used != ARK_MAP_NONE && p.uses[used].objects > 0;
		if (list->generation <= oldest && !needed)
			ark_map_put(&gone, pack, 1);
	}
	/* while something is delayed, what was removed may still be wanted back */
	if (gone.count > 0 || oldest == UINT64_MAX)
		rc = delete_packs(a, &gone, err);
	for (size_t i = 0; i < now.count && rc == ARK_OK; i++)
		if (now.lists[i].generation <= oldest)
			rc = repo_keep_remove(repo_keep(a->repo), now.lists[i].key, err);
	*swept = gone.count;
	return rc;
}

static enum ark_rc sweep(struct app *a, uint64_t *swept, struct ark_err *err)
{
	ark_auto(intent_release) struct intent mine = INTENT_NONE;
	struct open_intent other;
	bool alone = false;
	enum ark_rc rc = sweep_begin(a->repo, &mine, &alone, &other, err);
	if (rc == ARK_OK && !alone && other.name[0] != '\0')
		say_intent(a, &other);
	else if (rc == ARK_OK && !alone)
		ark_warn(a->talk, "prune.sweeps", "somebody else sweeps this repository just now; continuing without");
	if (rc == ARK_OK && alone)
		rc = sweep_alone(a, swept, err);
	return rc < 0 ? rc : intent_end(&mine, err);
}

static void say_summary(struct app *a, uint64_t removed, uint64_t packs, uint64_t bytes, uint64_t swept)
{
	ark_info(a->talk, "prune.done", "%s %llu snapshots, condemned %llu packs (%llu bytes), deleted %llu",
	         a->config->dry_run ? "would remove" : "removed", (unsigned long long)removed,
	         (unsigned long long)packs, (unsigned long long)bytes, (unsigned long long)swept);
	notify_headline(&a->told, "%llu snapshots removed", (unsigned long long)removed);
	notify_count(&a->told, "snapshots_removed", "snapshots removed", removed);
	notify_count(&a->told, "packs_condemned", "packs condemned", packs);
	notify_count(&a->told, "packs_condemned_bytes", "bytes in them", bytes);
	notify_count(&a->told, "packs_deleted", "packs deleted", swept);
	struct ark_event e;
	ark_event_begin(&e, "summary", "prune.summary");
	ark_event_bool(&e, "dry_run", a->config->dry_run);
	ark_event_u64(&e, "removed", removed);
	ark_event_u64(&e, "condemned_packs", packs);
	ark_event_u64(&e, "condemned_bytes", bytes);
	ark_event_u64(&e, "deleted_packs", swept);
	ark_event_send(&e, a->talk);
}

int run_prune(struct app *a, struct ark_err *err)
{
	const struct backup_config *o = a->config;
	uint64_t removed = 0, packs = 0, bytes = 0, swept = 0;
	if (!has_rule(o) && !o->sweep && o->drop_intent == NULL) {
		ark_err_set(err, ARK_KIND_USAGE, "no rule says what to keep");
		ark_err_hint(err, "--keep-daily 7 --keep-weekly 5, for instance");
		return ARK_FAIL;
	}
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK && !o->dry_run)
		rc = app_tidy(a, err);
	if (rc == ARK_OK && o->drop_intent != NULL && !o->dry_run)
		rc = intent_drop(a->repo, o->drop_intent, err);
	if (rc == ARK_OK && has_rule(o))
		rc = remove_snapshots(a, &removed, err);
	if (rc == ARK_OK && (has_rule(o) || o->sweep))
		rc = condemn(a, &packs, &bytes, err);
	if (rc == ARK_OK && o->sweep && !o->dry_run)
		rc = sweep(a, &swept, err);
	if (rc < 0)
		return rc;
	say_summary(a, removed, packs, bytes, swept);
	return ARK_EXIT_DONE;
}

int run_undelete(struct app *a, struct ark_err *err)
{
	ark_auto(intent_release) struct intent intent = INTENT_NONE;
	ark_auto(condemned_release) struct condemned now = { 0 };
	ark_auto(prune_release) struct prune p = { .a = a };
	ark_auto(repo_snapshots_release) struct repo_snapshots all = { 0 };
	const char *name = a->args->operands.items[1];
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = intent_begin_knowing_nothing(a->repo, "undelete", &intent, &now, err);
	if (rc == ARK_OK)
		rc = repo_snapshots_in(a->repo, REPO_DIR_REMOVED, &all, NULL, err);
	const struct repo_snapshot *found = NULL;
	for (size_t i = 0; rc == ARK_OK && i < all.count; i++)
		if (ark_str_starts(ark_str_z(all.items[i].name), ark_str_z(name)))
			found = &all.items[i];
	if (rc == ARK_OK && found == NULL)
		rc = ark_err_set(err, ARK_KIND_MISSING, "no removed snapshot '%s' is there", name);
	/* everything it needs has to be there still; while our intent is open nothing newer is swept, and once
	 * it is a snapshot again the sweep sees it */
	if (rc == ARK_OK)
		rc = load(&p, &now, err);
	if (rc == ARK_OK)
		rc = need_snapshot(&p, found, err);
	if (rc == ARK_OK)
		rc = move_snapshot(a->repo, REPO_DIR_REMOVED, REPO_DIR_SNAPSHOTS, found->name, err);
	if (rc == ARK_OK)
		rc = intent_end(&intent, err);
	if (rc < 0)
		return rc;
	ark_info(a->talk, "undelete.done", "snapshot %s is back", found->name);
	struct ark_event e;
	ark_event_begin(&e, "summary", "undelete.done");
	ark_event_text(&e, "snapshot", ark_str_z(found->name));
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}
