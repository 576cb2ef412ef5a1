#include "import/load/thread.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "import/translate/file.h"
#include "import/translate/split.h"

#include "common/base/banned.h"

/* A note may say something longer later: why a file could not be had. */
#define NOTE_GROWS 64

/* Notes of the first post's files, each with room to grow; their length in bytes, or exactly in runes. */
static size_t notes_length(struct ark_str files, bool runes)
{
	size_t at = 0, sum = 0;
	unsigned count = 0;
	for (struct file_entry f; file_next(files, &at, &count, &f) && f.group == 0;)
		sum += (runes ? ark_utf8_runes(f.note) : f.note.len) + NOTE_GROWS;
	return sum + 2;
}

static unsigned text_parts(const struct load *l, struct ark_str text)
{
	ark_auto(ark_buf_release) struct ark_buf carry;
	ark_auto(ark_buf_release) struct ark_buf part;
	ark_buf_init(&carry, LIMIT_TEXT);
	ark_buf_init(&part, LIMIT_TEXT);
	unsigned n = 0;
	while (split_next(&text, l->set.post_runes, &carry, &part) && n < UINT16_MAX / 2) {
		ark_buf_reset(&part);
		n++;
	}
	return n == 0 ? 1 : n;
}

struct record_layout record_layout(const struct load *l, const struct record *r)
{
	struct record_layout x = { .parts = 1, .text_parts = 1 };
	struct ark_str text = record_part(r, PART_MESSAGE), files = record_part(r, PART_FILES);
	size_t limit = l->set.post_runes;
	bool short_text = text.len <= limit || ark_utf8_runes(text) <= limit;
	if (!short_text)
		x.parts = x.text_parts = text_parts(l, text);
	if (files.len == 0)
		return x;
	bool fits = text.len + notes_length(files, false) <= limit ||
	            (short_text && ark_utf8_runes(text) + notes_length(files, true) <= limit);
	unsigned groups = file_groups(files);
	x.first_files = fits ? 0 : x.text_parts;
	x.parts = x.first_files + groups;
	return x;
}

/* ---- keys ---- */

static enum ark_rc append(struct thread_order *o, struct thread_key **out, struct ark_err *err)
{
	void *k;
	enum ark_rc rc = io_array_add(&o->keys, &k, err);
	if (rc < 0)
		return rc;
	*out = k;
	**out = (struct thread_key){ .root = KEY_NONE, .first_reply = KEY_NONE, .last_reply = KEY_NONE,
		                     .next_reply = KEY_NONE, .living = KEY_NONE, .parts = 1,
		                     .skip = SKIP_NONE };
	o->count++;
	return ARK_OK;
}

/* Where each file was shown first: legacy comments hang on that message. */
static void note_files(struct ark_map *files, const struct record *r, uint32_t key)
{
	size_t at = 0;
	unsigned count = 0;
	for (struct file_entry f; file_next(record_part(r, PART_FILES), &at, &count, &f);)
		if (f.id.len > 0 && ark_map_get(files, f.id) == ARK_MAP_NONE)
			ark_map_put(files, f.id, key);
}

struct comment {
	uint32_t key;
	struct ark_str file;
};

struct scan {
	struct ark_map files;
	struct comment *comments;
	uint32_t comments_count;
};

static void scan_release(struct scan *s)
{
	ark_map_release(&s->files);
	free(s->comments);
}

/* ---- places ---- */

static bool is_before(struct thread_order *o, uint32_t n, uint32_t conv, int64_t ts_us)
{
	const struct thread_key *k = thread_key_at(o, n);
	return k->ts_us < ts_us || (k->ts_us == ts_us && k->conv < conv);
}

/* The first of the keys [0, end) that does not stand before this place. Roots are near their replies: in
 * steps that double from `near`, then in halves, which touches few keys that are far away. */
static uint32_t lower_bound(struct thread_order *o, uint32_t end, uint32_t conv, int64_t ts_us, uint32_t near)
{
	uint32_t lo = 0, hi = end;
	if (near < end && is_before(o, near, conv, ts_us)) {
		lo = near + 1;
		for (uint32_t step = 1; hi - near > step; step *= 2) {
			if (!is_before(o, near + step, conv, ts_us)) {
				hi = near + step;
				break;
			}
			lo = near + step + 1;
		}
	} else if (near < end) {
		hi = near;
		for (uint32_t step = 1; near >= step; step *= 2) {
			if (is_before(o, near - step, conv, ts_us)) {
				lo = near - step + 1;
				break;
			}
			hi = near - step;
		}
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (is_before(o, mid, conv, ts_us))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Does the root of the thread stand before its reply, where it belongs? Then nobody needs a copy of its text. */
static bool has_root(struct thread_order *o, uint32_t reply)
{
	const struct thread_key *k = thread_key_at(o, reply);
	uint32_t at = lower_bound(o, reply, k->conv, k->thread_us, reply > 0 ? reply - 1 : 0);
	const struct thread_key *root = at < reply ? thread_key_at(o, at) : NULL;
	return root != NULL && root->ts_us == k->thread_us && root->conv == k->conv &&
	       !(root->flags & RECORD_REPLY_BROADCAST);
}

static enum ark_rc read_key(struct thread_order *o, const struct load *l, struct scan *scan,
                            const struct record *r, struct ark_err *err)
{
	struct thread_key *k;
	uint32_t at = o->count;
	enum ark_rc rc = append(o, &k, err);
	if (rc < 0)
		return rc;
	k->ts_us = r->ts_us;
	k->thread_us = r->thread_us == r->ts_us ? 0 : r->thread_us;
	k->refer_us = r->refer_us;
	k->edited_us = r->edited_us;
	k->same_id = r->same_id;
	k->conv = r->conv;
	k->author = r->author;
	k->other = r->other;
	k->source = r->source;
	k->reactions = r->reactions;
	k->flags = r->flags;
	k->event = (uint8_t)r->event;
	k->parts = (uint16_t)record_layout(l, r).parts;
	if ((r->flags & RECORD_ROOT_COPY) && !has_root(o, at))
		k->text = ark_pool_str(&o->strings, record_part(r, PART_EXTRA));
	if (r->parts[PART_FILES] > 0)
		note_files(&scan->files, r, at);
	if (r->flags & RECORD_FILE_COMMENT) {
		scan->comments = ark_realloc(scan->comments, scan->comments_count + 1,
		                             sizeof(*scan->comments));
		scan->comments[scan->comments_count++] =
		    (struct comment){ at, ark_pool_str(&o->strings, record_part(r, PART_EXTRA)) };
	}
	return ARK_OK;
}

/* ---- the same message twice ---- */

/* Is `a` the copy to keep? Later archive, then later edit, then more reactions. */
static bool better(const struct thread_key *a, const struct thread_key *b)
{
	if (a->source != b->source)
		return a->source > b->source;
	if (a->edited_us != b->edited_us)
		return a->edited_us > b->edited_us;
	return a->reactions > b->reactions;
}

/* Groups of more are hostile: real ones have two or three. */
#define GROUP_LOOK 64

/* The living one among keys[from..at) that is the same message as keys[at], or KEY_NONE. */
static uint32_t twin_of(struct thread_order *o, uint32_t from, uint32_t at,
                        const struct ark_map *seen)
{
	uint64_t same_id = thread_key_at(o, at)->same_id;
	if (seen->count > 0)
		return ark_map_get(seen, ark_str_n((const char *)&same_id, sizeof(same_id)));
	for (uint32_t i = from; i < at; i++)
		if (thread_key_at(o, i)->skip == SKIP_NONE && thread_key_at(o, i)->same_id == same_id)
			return i;
	return KEY_NONE;
}

_Static_assert(ARK_MAP_NONE == KEY_NONE, "one value for none");

/* Which of keys[from..end), all of one moment, are the same message; the others get ordinals. */
static void drop_twins_of(struct thread_order *o, uint32_t from, uint32_t end)
{
	ark_auto(ark_map_release) struct ark_map seen = { 0 };
	bool large = end - from > GROUP_LOOK;
	uint32_t ordinal = 0;
	for (uint32_t i = from; i < end; i++) {
		struct thread_key *x = thread_key_at(o, i);
		uint32_t twin = twin_of(o, from, i, &seen);
		if (twin == KEY_NONE) {
			x->ordinal = ordinal++;
		} else if (better(x, thread_key_at(o, twin))) {
			x->ordinal = thread_key_at(o, twin)->ordinal;
			thread_key_at(o, twin)->skip = SKIP_DUPLICATE;
		} else {
			x->skip = SKIP_DUPLICATE;
		}
		if (large && x->skip == SKIP_NONE)
			ark_map_put(&seen, ark_str_n((const char *)&x->same_id, sizeof(x->same_id)), i);
	}
	/* thread_find begins at the first of them */
	for (uint32_t i = from; i < end && thread_key_at(o, from)->skip != SKIP_NONE; i++) {
		if (thread_key_at(o, i)->skip == SKIP_NONE) {
			thread_key_at(o, from)->living = i;
			return;
		}
	}
}

static void drop_twins(struct thread_order *o)
{
	for (uint32_t i = 0; i < o->records;) {
		uint32_t end = i + 1;
		while (end < o->records && thread_key_at(o, end)->ts_us == thread_key_at(o, i)->ts_us &&
		       thread_key_at(o, end)->conv == thread_key_at(o, i)->conv)
			end++;
		drop_twins_of(o, i, end);
		i = end;
	}
}

/* ---- threads ---- */

uint32_t thread_find(struct thread_order *o, uint32_t conv, int64_t ts_us, uint32_t near)
{
	uint32_t lo = lower_bound(o, o->records, conv, ts_us, near);
	if (lo < o->records && thread_key_at(o, lo)->living != KEY_NONE)
		lo = thread_key_at(o, lo)->living;
	/* a group may have lost more since; not to be walked through for each of its replies */
	uint32_t end = o->records - lo > GROUP_LOOK ? lo + GROUP_LOOK : o->records;
	for (; lo < end && thread_key_at(o, lo)->ts_us == ts_us && thread_key_at(o, lo)->conv == conv; lo++)
		if (thread_key_at(o, lo)->skip == SKIP_NONE)
			return lo;
	return KEY_NONE;
}

/* The root above `k` where bad bridges made replies to replies. */
static uint32_t top(struct thread_order *o, uint32_t k, uint32_t self)
{
	for (int depth = 0; depth < 100; depth++) {
		const struct thread_key *x = thread_key_at(o, k);
		if (x->thread_us == 0)
			return k;
		uint32_t up = thread_find(o, x->conv, x->thread_us, k);
		if (up == KEY_NONE || up == k || up == self)
			return k;
		k = up;
	}
	return k;
}

/* The placeholder for a root that is not in the archive, one per thread. */
static enum ark_rc placeholder(struct thread_order *o, struct ark_map *known, uint32_t reply, uint32_t *out,
                               struct ark_err *err)
{
	char name[64];
	const struct thread_key *r = thread_key_at(o, reply);
	int len = snprintf(name, sizeof(name), "%u.%lld", r->conv, (long long)r->thread_us);
	struct ark_str key = ark_str_n(name, (size_t)len);
	uint32_t at = ark_map_get(known, key);
	uint32_t author = r->other;
	struct ark_str text = r->text;
	if (at == ARK_MAP_NONE) {
		uint32_t conv = r->conv;
		int64_t ts_us = r->thread_us;
		struct thread_key *p;
		at = o->count;
		enum ark_rc rc = append(o, &p, err);
		if (rc < 0)
			return rc;
		p->placeholder = true;
		p->conv = conv;
		p->ts_us = ts_us;
		p->author = PERSON_NONE;
		ark_map_put(known, key, at);
	}
	struct thread_key *p = thread_key_at(o, at);
	if (p->author == PERSON_NONE)
		p->author = author;
	if (!ark_str_has(p->text))
		p->text = text;
	*out = at;
	return ARK_OK;
}

static enum ark_rc find_roots(struct thread_order *o, const struct scan *scan, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map known = { 0 };
	for (uint32_t i = 0; i < o->records; i++) {
		struct thread_key *k = thread_key_at(o, i);
		if (k->skip != SKIP_NONE)
			continue;
		if ((k->flags & RECORD_REPLY_BROADCAST) && k->refer_us != k->ts_us &&
		    thread_find(o, k->conv, k->refer_us, i) != KEY_NONE) {
			k->skip = SKIP_REPLY_BROADCAST;
			continue;
		}
		if (k->thread_us == 0)
			continue;
		uint32_t root = thread_find(o, k->conv, k->thread_us, i);
		if (root != KEY_NONE) {
			root = top(o, root, i);
			k->root = root == i ? KEY_NONE : root;
		} else {
			enum ark_rc rc = placeholder(o, &known, i, &root, err); /* may move the keys */
			if (rc < 0)
				return rc;
			thread_key_at(o, i)->root = root;
		}
	}
	for (uint32_t c = 0; c < scan->comments_count; c++) {
		struct thread_key *k = thread_key_at(o, scan->comments[c].key);
		uint32_t shown = ark_map_get(&scan->files, scan->comments[c].file);
		if (k->skip != SKIP_NONE || k->root != KEY_NONE || shown == ARK_MAP_NONE)
			continue;
		shown = thread_key_at(o, shown)->root != KEY_NONE ? thread_key_at(o, shown)->root : shown;
		if (thread_key_at(o, shown)->skip == SKIP_NONE && shown != scan->comments[c].key &&
		    thread_key_at(o, shown)->ts_us < k->ts_us && thread_key_at(o, shown)->conv == k->conv)
			k->root = shown;
	}
	/* a root hangs on nothing, whatever circle the archive describes */
	for (uint32_t i = 0; i < o->records; i++) {
		struct thread_key *k = thread_key_at(o, i);
		uint32_t above = k->root != KEY_NONE ? thread_key_at(o, k->root)->root : KEY_NONE;
		if (above != KEY_NONE)
			k->root = above == i ? KEY_NONE : above;
	}
	return ARK_OK;
}

/* Tombstones and empty messages stay only where replies hang on them. */
static void drop_empty(struct thread_order *o)
{
	for (uint32_t i = 0; i < o->records; i++)
		if (thread_key_at(o, i)->skip == SKIP_NONE && thread_key_at(o, i)->root != KEY_NONE)
			thread_key_at(o, thread_key_at(o, i)->root)->replies++;
	for (uint32_t i = 0; i < o->records; i++) {
		struct thread_key *k = thread_key_at(o, i);
		if (k->skip != SKIP_NONE || k->replies > 0 || k->root != KEY_NONE)
			continue;
		if (k->flags & RECORD_TOMBSTONE)
			k->skip = SKIP_DELETED;
		else if (k->flags & RECORD_EMPTY)
			k->skip = SKIP_EMPTY;
	}
	for (uint32_t i = 0; i < o->count; i++)
		thread_key_at(o, i)->replies = 0;
}

/* ---- time ---- */

static int64_t place_us(struct thread_order *o, uint32_t i)
{
	const struct thread_key *k = thread_key_at(o, i);
	if (k->root == KEY_NONE || thread_key_at(o, k->root)->ts_us < k->ts_us)
		return k->ts_us;
	return thread_key_at(o, k->root)->ts_us; /* a reply older than its root: directly behind it */
}

static int by_place(const void *a, const void *b, void *ctx)
{
	struct thread_order *o = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int64_t px = place_us(o, x), py = place_us(o, y);
	if (px != py)
		return px < py ? -1 : 1;
	bool rx = thread_key_at(o, x)->root == KEY_NONE, ry = thread_key_at(o, y)->root == KEY_NONE;
	if (rx != ry)
		return rx ? -1 : 1;
	return (x > y) - (x < y);
}

static enum ark_rc put_in_order(struct thread_order *o, struct ark_err *err)
{
	bool ordered = true;
	int64_t last = INT64_MIN;
	for (uint32_t i = 0; i < o->count; i++) {
		if (thread_key_at(o, i)->skip != SKIP_NONE)
			continue;
		int64_t at = place_us(o, i);
		ordered = ordered && at >= last && !(at == last && thread_key_at(o, i)->root == KEY_NONE);
		last = at;
		void *next;
		enum ark_rc rc = io_array_add(&o->order, &next, err);
		if (rc < 0)
			return rc;
		*(uint32_t *)next = i;
		o->order_count++;
	}
	if (!ordered)
		qsort_r(o->order.data, o->order_count, sizeof(uint32_t), by_place, o);
	return ARK_OK;
}

static void chain(struct thread_order *o, uint32_t i)
{
	struct thread_key *k = thread_key_at(o, i);
	struct thread_key *root = thread_key_at(o, k->root);
	if (root->first_reply == KEY_NONE)
		root->first_reply = i;
	else
		thread_key_at(o, root->last_reply)->next_reply = i;
	root->last_reply = i;
	root->replies += k->parts;
	root->last_reply_ms = k->create_ms + k->parts - 1;
}

/* Milliseconds: floor of the ts, and one more than the post before where that is taken. */
static void give_times(struct thread_order *o)
{
	int64_t last = -1;
	for (uint32_t n = 0; n < o->order_count; n++) {
		uint32_t i = thread_in_order(o, n);
		struct thread_key *k = thread_key_at(o, i);
		int64_t ms = k->ts_us / 1000;
		k->create_ms = ms > last ? ms : last + 1;
		last = k->create_ms + k->parts - 1;
		if (k->root != KEY_NONE) {
			chain(o, i);
		} else if (k->parts > 1) { /* the rest of a long message hangs in its thread */
			k->replies += (uint32_t)k->parts - 1;
			k->last_reply_ms = last;
		}
	}
}

enum ark_rc thread_order_make(struct thread_order *o, const struct load *l, struct load_walk *walk,
                              struct ark_err *err)
{
	size_t limit = l->set.memory_bytes < LIMIT_KEYS ? l->set.memory_bytes : LIMIT_KEYS;
	*o = (struct thread_order){ 0 };
	io_array_init(&o->keys, sizeof(struct thread_key), limit, l->set.temp_dir);
	io_array_init(&o->order, sizeof(uint32_t), limit, l->set.temp_dir);
	ark_auto(scan_release) struct scan scan = { 0 };
	enum ark_rc rc = load_walk_rewind(walk, err);
	if (rc < 0)
		return rc;
	for (const struct record *r; rc == ARK_OK && (rc = load_walk_next(walk, &r, err)) == ARK_OK;)
		rc = read_key(o, l, &scan, r, err);
	if (rc < 0)
		return rc;
	o->records = o->count;
	drop_twins(o);
	rc = find_roots(o, &scan, err);
	if (rc < 0)
		return rc;
	drop_empty(o);
	rc = put_in_order(o, err);
	if (rc == ARK_OK)
		give_times(o);
	return rc;
}

void thread_order_release(struct thread_order *o)
{
	io_array_release(&o->keys);
	io_array_release(&o->order);
	ark_pool_release(&o->strings);
	o->records = o->count = o->order_count = 0;
}
