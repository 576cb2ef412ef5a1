/*
 * Reading what is stored and comparing it with its names. No secret key is needed: names of stored files are
 * hashes of their bytes, and lists are never sealed. What a snapshot needs has to be there, too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "backup/app.h"
#include "backup/repo/local.h"
#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/repo/format.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define NOTE "verified" /* lines: milliseconds, blank, pack */
#define NOTE_MAX (64u << 20)

struct stored {
	struct repo_id pack;
	uint64_t size;
	int64_t verified_ms; /* 0: never */
	bool wanted;
};

struct verify {
	struct app *a;
	struct stored *items;
	size_t count, cap;
	struct ark_map places;  /* pack to number */
	struct crypt_hash *hash;
	uint64_t damaged, missing, read_files, read_bytes;
	bool known_bad;    /* before anything was read */
	uint64_t vanished; /* packs that were on the list, and not there when they were to be read */
	bool quiet;        /* only counting, not telling */
	bool stopped;
};

static void verify_release(struct verify *v)
{
	free(v->items);
	ark_map_release(&v->places);
	crypt_hash_free(v->hash);
}

static void complain(struct verify *v, const char *msgid, const char *what, const char *why)
{
	struct ark_event e;
	if (v->quiet)
		return;
	ark_out(v->a->talk, "%s\t%s", what, why);
	ark_event_begin(&e, "error", msgid);
	ark_event_text(&e, "what", ark_str_z(what));
	ark_event_text(&e, "reason", ark_str_z(why));
	ark_event_send(&e, v->a->talk);
}

static struct ark_str key_of(const struct repo_id *id)
{
	return ark_str_n((const char *)id->b, REPO_ID_BYTES);
}

/* --- what there is ------------------------------------------------------------------------------------- */

static enum ark_rc add_stored(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct verify *v = ctx;
	struct repo_id pack;
	(void)err;
	if (!repo_data_parse(key, &pack)) {
		complain(v, "verify.stranger", key, "is no file of a repository");
		v->damaged++;
		return ARK_OK;
	}
	if (v->count == v->cap) {
		v->cap = v->cap == 0 ? 256 : 2 * v->cap;
		v->items = ark_realloc(v->items, v->cap, sizeof(*v->items));
	}
	ark_map_put(&v->places, key_of(&pack), (uint32_t)v->count);
	v->items[v->count++] = (struct stored){ .pack = pack, .size = size };
	return ARK_OK;
}

/* What was read when, from the note of this machine. */
static void read_note(struct verify *v)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct ark_err err = { 0 };
	ark_buf_init(&text, NOTE_MAX);
	if (local_note_read(v->a->repo, NOTE, &text, &err) < 0)
		return; /* nothing remembered: everything was read never */
	struct ark_str rest = ark_buf_view(&text);
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end);
		size_t blank = ark_str_find(line, ' ', 0);
		struct repo_id pack;
		uint64_t ms = 0;
		rest = end == SIZE_MAX ? ark_str_from(rest, rest.len) : ark_str_from(rest, end + 1);
		if (blank == SIZE_MAX || !ark_str_u64(ark_str_first(line, blank), &ms) ||
		    !repo_id_parse(ark_str_from(line, blank + 1), &pack))
			continue;
		uint32_t n = ark_map_get(&v->places, key_of(&pack));
		if (n != ARK_MAP_NONE)
			v->items[n].verified_ms = (int64_t)ms;
	}
}

static enum ark_rc write_note(struct verify *v, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, NOTE_MAX);
	for (size_t i = 0; i < v->count; i++) {
		if (v->items[i].verified_ms == 0)
			continue;
		ark_buf_fmt(&text, "%lld ", (long long)v->items[i].verified_ms);
		repo_id_add(&v->items[i].pack, &text);
		ark_buf_c(&text, '\n');
	}
	return text.failed ? ARK_OK : local_note_write(v->a->repo, NOTE, ark_buf_view(&text), err);
}

/* --- what snapshots need ---------------------------------------------------------------------------------- */

static bool has_place(void *ctx, const struct repo_entry *e)
{
	const struct verify *v = ctx;
	return ark_map_get(&v->places, key_of(&e->pack)) != ARK_MAP_NONE;
}

static void need(struct verify *v, const struct repo_snapshot *s, const struct repo_id *id)
{
	struct repo_entry e;
	char text[REPO_ID_HEX + 64], hex[REPO_ID_HEX + 1];
	repo_id_hex(id, hex);
	if (!repo_index_find_in(repo_index(v->a->repo), id, has_place, v, &e)) {
		bool known = repo_index_find(repo_index(v->a->repo), id, &e);
		snprintf(text, sizeof(text), "is needed by snapshot %s and %s", s->name,
		         known ? "its pack is gone" : "is in no index");
		complain(v, "verify.missing", hex, text);
		v->missing++;
		return;
	}
	uint32_t n = ark_map_get(&v->places, key_of(&e.pack));
	v->items[n].wanted = true;
	if (e.offset + e.length > v->items[n].size) {
		complain(v, "verify.cut", hex, "its pack ends before it");
		v->damaged++;
	}
}

static enum ark_rc need_list(struct verify *v, const struct repo_snapshot *s, struct ark_err *err)
{
	ark_auto(repo_walk_freep) struct repo_walk *w = repo_walk_new(v->a->repo);
	enum ark_rc rc;
	struct repo_item item;
	need(v, s, &s->contents);
	need(v, s, &s->root);
	repo_walk_begin(w, &s->root);
	while ((rc = repo_walk_next(w, &item, err)) == ARK_OK) {
		if (item.kind == REPO_ITEM_MISSING)
			continue;
		need(v, s, &item.id);
		if (item.kind != REPO_ITEM_LIST)
			continue;
		/* one that was walked before; one that is not there fails when it is entered */
		if (!repo_index_mark(repo_index(v->a->repo), &item.id) && repo_index_marked(repo_index(v->a->repo), &item.id))
			repo_walk_skip(w);
	}
	if (rc == ARK_FAIL && err->kind != ARK_KIND_SIGNAL) {
		complain(v, "verify.damaged", s->name, err->text);
		v->damaged++;
		return ARK_OK;
	}
	return rc < 0 ? rc : ARK_OK;
}

static enum ark_rc add_name(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	(void)size, (void)err;
	ark_map_put(ctx, ark_str_z(strrchr(key, '/') + 1), 1);
	return ARK_OK;
}

static enum ark_rc look_at_snapshot(struct verify *v, struct ark_str named, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct repo_snapshot s;
	char name[REPO_KEY_MAX], key[REPO_KEY_MAX];
	const struct ark_list *o = &v->a->args->operands;
	if (o->count > 1 && !ark_str_starts(named, ark_str_z(o->items[1])))
		return ARK_OK;
	snprintf(name, sizeof(name), "%.*s", ARK_FMT(named));
	snprintf(key, sizeof(key), REPO_DIR_SNAPSHOTS "%.*s", ARK_FMT(named));
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_keep_get(repo_keep(v->a->repo), key, 0, REPO_KEEP_ALL, &text, err);
	if (rc == ARK_FAIL && err->kind == ARK_KIND_MISSING)
		return ARK_OK; /* removed since it was listed */
	if (rc == ARK_OK)
		rc = repo_snapshot_parse(ark_buf_view(&text), name, &s, err);
	if (rc == ARK_FAIL) {
		complain(v, "verify.snapshot", name, err->text);
		v->damaged++;
		return ARK_OK;
	}
	return rc < 0 ? rc : need_list(v, &s, err);
}

/* --- reading ------------------------------------------------------------------------------------------------ */

static enum ark_rc add_hash(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct verify *v = ctx;
	crypt_hash_add(v->hash, ptr, len);
	v->read_bytes += len;
	ark_progress_add(&v->a->bar, 0, len);
	return ark_interrupt_check(err);
}

/* A pack that is not what its name says: which of its objects? In a sealed repository their names are no
 * hashes, and all of them are named. */
static void name_objects(struct verify *v, const struct stored *p, const char *key)
{
	struct repo_index_walk w = { 0 };
	struct repo_entry e;
	uint64_t told = 0;
	while (repo_index_next(repo_index(v->a->repo), &w, &e)) {
		ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
		unsigned char sum[CRYPT_SHA256_BYTES];
		struct ark_err err = { 0 };
		char hex[REPO_ID_HEX + 1];
		if (!repo_id_eq(&e.pack, &p->pack))
			continue;
		ark_buf_init(&bytes, LIMIT_REPO_OBJECT);
		bool sealed = e.codec == REPO_SEALED_ZSTD || e.codec == REPO_SEALED_RAW;
		bool good = !sealed && repo_keep_get(repo_keep(v->a->repo), key, e.offset, e.length, &bytes, &err) == ARK_OK;
		crypt_sha256(v->hash, bytes.data, bytes.len, sum);
		/* sixteen bytes of the name stand in the index */
		if (good && memcmp(sum, e.id.b, REPO_ID_BYTES / 2) == 0)
			continue;
		crypt_hex(e.id.b, REPO_ID_BYTES / 2, hex);
		complain(v, "verify.object", hex, sealed ? "may be damaged: its pack is" : "is damaged");
		told++;
	}
	if (told == 0)
		complain(v, "verify.pack", key, "is damaged between its objects; all of them are whole");
}

static enum ark_rc read_stored(struct verify *v, struct stored *p, struct ark_err *err)
{
	char key[REPO_KEY_MAX];
	unsigned char sum[CRYPT_SHA256_BYTES];
	repo_data_key(&p->pack, key);
	crypt_hash_begin(v->hash);
	enum ark_rc rc = repo_keep_read(repo_keep(v->a->repo), key, add_hash, v, err);
	crypt_hash_end(v->hash, sum);
	v->read_files++;
	if (rc == ARK_OK && memcmp(sum, p->pack.b, sizeof(sum)) == 0) {
		p->verified_ms = ark_time_now_ms();
		return ARK_OK;
	}
	if (rc < 0 && err->kind == ARK_KIND_SIGNAL)
		return rc;
	if (rc == ARK_FAIL && err->kind == ARK_KIND_MISSING) {
		v->vanished++;
		return ARK_OK;
	}
	v->damaged++;
	p->verified_ms = 0; /* known bad: first in line the next time */
	complain(v, "verify.damaged", key, rc < 0 ? err->text : "its bytes are not what its name says");
	if (rc == ARK_OK)
		name_objects(v, p, key);
	return ARK_OK;
}

static int by_age(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;
	return x->verified_ms != y->verified_ms ? (x->verified_ms < y->verified_ms ? -1 : 1) :
	                                          memcmp(x->pack.b, y->pack.b, REPO_ID_BYTES);
}

static enum ark_rc read_all(struct verify *v, struct ark_err *err)
{
	const struct backup_config *o = v->a->config;
	bool some = v->a->args->operands.count > 1;
	uint64_t all = 0, most;
	for (size_t i = 0; i < v->count; i++)
		all += some && !v->items[i].wanted ? 0 : v->items[i].size;
	most = all / 100 * (uint64_t)o->percent + all % 100 * (uint64_t)o->percent / 100;
	/* an age of so long ago: its length is the time that may be spent */
	int64_t last_ms = o->max_duration.has ? ark_time_tick_ms() + (v->a->args->now_ms - o->max_duration.ms) : INT64_MAX;
	if (v->count > 1)
		qsort(v->items, v->count, sizeof(*v->items), by_age);
	app_bar_begin(v->a, "verifying", NULL, 0, most);
	for (size_t i = 0; i < v->count; i++) {
		if (some && !v->items[i].wanted)
			continue;
		if ((v->read_files > 0 && v->read_bytes >= most) || ark_time_tick_ms() >= last_ms) {
			v->stopped = true;
			return ARK_OK;
		}
		enum ark_rc rc = read_stored(v, &v->items[i], err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

static void say_summary(struct verify *v)
{
	struct ark_event e;
	int64_t oldest = INT64_MAX;
	for (size_t i = 0; i < v->count; i++)
		oldest = v->items[i].verified_ms < oldest ? v->items[i].verified_ms : oldest;
	ark_info(v->a->talk, "verify.done", "read %llu of %zu stored files, %llu bytes: %llu damaged, %llu missing%s",
	         (unsigned long long)v->read_files, v->count, (unsigned long long)v->read_bytes,
	         (unsigned long long)v->damaged, (unsigned long long)v->missing, v->stopped ? "; the rest another time" : "");
	struct notify_book *told = &v->a->told;
	notify_headline(told, "%llu of %zu stored files were read", (unsigned long long)v->read_files, v->count);
	notify_count(told, "stored_files", "stored files", v->count);
	notify_count(told, "read_files", "of these read now", v->read_files);
	notify_count(told, "read_bytes", "bytes read now", v->read_bytes);
	notify_count(told, "damaged_files", "damaged", v->damaged);
	notify_count(told, "missing_objects", "objects missing", v->missing);
	if (oldest != INT64_MAX)
		notify_count(told, "oldest_reading_timestamp_seconds", "Unix time of the oldest reading",
		             (uint64_t)oldest / 1000);
	ark_event_begin(&e, "summary", "verify.summary");
	ark_event_u64(&e, "stored_files", v->count);
	ark_event_u64(&e, "read_files", v->read_files);
	ark_event_u64(&e, "read_bytes", v->read_bytes);
	ark_event_u64(&e, "damaged", v->damaged);
	ark_event_u64(&e, "missing", v->missing);
	ark_event_bool(&e, "complete", !v->stopped);
	ark_event_time(&e, "oldest_reading", oldest == INT64_MAX ? 0 : oldest);
	ark_event_send(&e, v->a->talk);
}

/* --- what is there, what is needed ---------------------------------------------------------------------------- */

static void forget(struct verify *v)
{
	free(v->items);
	v->items = NULL;
	v->count = v->cap = 0;
	ark_map_clear(&v->places);
	v->damaged = v->missing = 0;
	repo_index_forget_marks(repo_index(v->a->repo));
}

/* The names before the index, the index before what is stored: each names nothing that came later than what is read
 * behind it. */
static enum ark_rc look(struct verify *v, struct ark_err *err)
{
	struct app *a = v->a;
	ark_auto(ark_map_release) struct ark_map names = { 0 };
	enum ark_rc rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_SNAPSHOTS, add_name, &names, err);
	if (rc == ARK_OK)
		rc = repo_load(a->repo, err);
	if (rc == ARK_FAIL && err->kind == ARK_KIND_INPUT) {
		complain(v, "verify.index", "index", err->text);
		v->damaged++;
		rc = ARK_OK;
	}
	if (rc == ARK_OK)
		rc = repo_keep_list(repo_keep(a->repo), REPO_DIR_DATA, add_stored, v, err);
	for (uint32_t i = 0; rc == ARK_OK && i < names.count; i++)
		rc = look_at_snapshot(v, ark_map_key(&names, i), err);
	return rc;
}

/*
 * Others may write, prune and sweep meanwhile: snapshots appear and go, objects move to other packs. What is
 * wrong at a first look is looked at once more with fresh lists, and told only then.
 */
static enum ark_rc look_again(struct verify *v, struct ark_err *err)
{
	v->quiet = true;
	enum ark_rc rc = look(v, err);
	v->quiet = false;
	if (rc < 0 || v->damaged + v->missing == 0)
		return rc;
	forget(v);
	rc = look(v, err);
	v->known_bad = v->damaged + v->missing > 0;
	return rc;
}

/* Packs that went while we read: fine, when nobody needs them any more. */
static enum ark_rc settle_vanished(struct verify *v, struct ark_err *err)
{
	struct verify fresh = { .a = v->a, .hash = v->hash };
	if (v->vanished == 0 || v->known_bad)
		return ARK_OK;
	enum ark_rc rc = look(&fresh, err);
	v->damaged += fresh.damaged;
	v->missing += fresh.missing;
	free(fresh.items);
	ark_map_release(&fresh.places);
	return rc;
}

int run_verify(struct app *a, struct ark_err *err)
{
	ark_auto(verify_release) struct verify v = { .a = a, .hash = crypt_hash_new() };
	enum ark_rc rc = app_open_repo(a, err);
	if (rc == ARK_OK)
		rc = look_again(&v, err);
	if (rc < 0)
		return rc;
	read_note(&v);
	rc = read_all(&v, err);
	if (rc == ARK_OK)
		rc = settle_vanished(&v, err);
	app_bar_end(a);
	struct ark_err second = { 0 };
	if (write_note(&v, &second) < 0)
		ark_warn(a->talk, "verify.note", "what was read is not remembered: %s", second.text);
	if (rc < 0)
		return rc;
	say_summary(&v);
	if (v.damaged + v.missing == 0)
		return ARK_EXIT_DONE;
	return ark_err_set(err, ARK_KIND_INPUT, "the repository is damaged: %llu stored files or snapshots, %llu objects missing",
	                   (unsigned long long)v.damaged, (unsigned long long)v.missing);
}
