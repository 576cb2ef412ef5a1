/*
 * Posts as they are made, into lines. A line holds a whole thread, whose replies come long after its
 * root: each post becomes a JSON object that waits with those of its channel, and the lines are put
 * together when the channel is through.
 */
#include "import/bulk/private.h"

#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define NO_POST UINT32_MAX
#define IN_MEMORY (8u << 20)

/* ---- what waits ---- */

static void bulk_wait_init(struct bulk_wait *w)
{
	*w = (struct bulk_wait){ .spool = IO_SPOOL_NONE };
	ark_buf_init(&w->memory, SIZE_MAX / 2);
}

static void bulk_wait_release(struct bulk_wait *w)
{
	ark_buf_release(&w->memory);
	io_spool_close(&w->spool);
}

uint64_t bulk_wait_len(const struct bulk_wait *w)
{
	return w->spool.len + w->memory.len;
}

static enum ark_rc bulk_wait_add(struct bulk_wait *w, const char *dir, struct ark_str text, struct ark_err *err)
{
	ark_buf_str(&w->memory, text);
	if (w->memory.len < IN_MEMORY)
		return ARK_OK;
	enum ark_rc rc = io_spool_add(&w->spool, dir, w->memory.data, w->memory.len, err);
	ark_buf_reset(&w->memory);
	return rc;
}

enum ark_rc bulk_wait_read(const struct bulk_wait *w, uint64_t at, char *to, size_t len, struct ark_err *err)
{
	if (at < w->spool.len) {
		size_t n = w->spool.len - at < len ? (size_t)(w->spool.len - at) : len;
		enum ark_rc rc = io_spool_read(&w->spool, at, to, n, err);
		if (rc < 0)
			return rc;
		at += n;
		to += n;
		len -= n;
	}
	if (len > 0)
		memcpy(to, w->memory.data + (at - w->spool.len), len);
	return ARK_OK;
}

/* ---- a channel's posts ---- */

struct waiting {
	uint64_t at;
	uint32_t len;
	uint32_t first, last, next; /* replies of a root, in the order of time */
	bool is_root, there, counted;
};

struct follower {
	uint32_t root, person;
};

struct bulk_posts {
	struct load *l;
	struct bulk_bodies *bodies;
	/* the post under way */
	bool open;
	struct load_taken now;
	char id[MM_ID_LEN + 1], root_id[MM_ID_LEN + 1];
	struct ark_buf message, props, notes, type;
	struct mm_bulk_reaction *reactions;
	size_t reactions_count, reactions_cap;
	struct ark_pool names; /* of its reactions */
	struct ark_str attachments[MM_FILES_PER_POST];
	size_t attachments_count;
	/* of its channel */
	struct waiting *list;
	uint32_t count, cap;
	struct ark_map by_id;
	struct follower *followers;
	size_t followers_count, followers_cap;
	struct bulk_wait objects;
	struct ark_buf object, line;
	/* complete lines: of channels, of direct ones */
	struct bulk_wait lines[2];
	uint64_t lines_count[2];
	enum ark_rc rc;
	struct ark_err err;
};

struct bulk_posts *bulk_posts_new(struct load *l, struct bulk_bodies *bodies)
{
	struct bulk_posts *p = ark_calloc(1, sizeof(*p));
	p->l = l;
	p->bodies = bodies;
	struct ark_buf *bufs[] = { &p->message, &p->props, &p->notes, &p->type, &p->object, &p->line };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_init(bufs[i], SIZE_MAX / 2);
	bulk_wait_init(&p->objects);
	bulk_wait_init(&p->lines[0]);
	bulk_wait_init(&p->lines[1]);
	return p;
}

void bulk_posts_free(struct bulk_posts *p)
{
	if (p == NULL)
		return;
	struct ark_buf *bufs[] = { &p->message, &p->props, &p->notes, &p->type, &p->object, &p->line };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_release(bufs[i]);
	bulk_wait_release(&p->objects);
	bulk_wait_release(&p->lines[0]);
	bulk_wait_release(&p->lines[1]);
	free(p->reactions);
	ark_pool_release(&p->names);
	free(p->list);
	ark_map_release(&p->by_id);
	free(p->followers);
	free(p);
}

static struct ark_str username(const struct bulk_posts *p, uint32_t person)
{
	return p->l->x->people.list[person].username;
}

/* The place of a root, whichever comes first, it or a reply. */
static uint32_t place_of(struct bulk_posts *p, const char *id)
{
	uint32_t at = ark_map_get(&p->by_id, ark_str_z(id));
	if (at != ARK_MAP_NONE)
		return at;
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 256 : p->cap * 2;
		p->list = ark_realloc(p->list, p->cap, sizeof(*p->list));
	}
	at = p->count++;
	p->list[at] = (struct waiting){ .first = NO_POST, .last = NO_POST, .next = NO_POST };
	ark_map_put(&p->by_id, ark_str_z(id), at);
	return at;
}

static void chain(struct bulk_posts *p, uint32_t root, uint32_t reply)
{
	struct waiting *r = &p->list[root];
	if (r->first == NO_POST)
		r->first = reply;
	else
		p->list[r->last].next = reply;
	r->last = reply;
}

/* The post under way is complete: what follows belongs to another one. */
static void finish(struct bulk_posts *p)
{
	if (!p->open)
		return;
	p->open = false;
	if (p->notes.len > 0) {
		ark_buf_z(&p->message, p->message.len > 0 ? "\n\n" : "");
		ark_buf_str(&p->message, ark_buf_view(&p->notes));
	}
	struct mm_bulk_post post = {
		.user = username(p, p->now.author), .message = ark_buf_view(&p->message),
		.type = ark_buf_view(&p->type), .props = ark_buf_view(&p->props), .create_ms = p->now.create_ms,
		.edit_ms = p->now.edit_ms, .pinned = p->now.pinned, .reactions = p->reactions,
		.reactions_count = p->reactions_count, .attachments = p->attachments,
		.attachments_count = p->attachments_count,
	};
	ark_buf_reset(&p->object);
	mm_bulk_post_object(&p->object, &post);
	uint32_t at = place_of(p, p->id);
	struct waiting *w = &p->list[at];
	w->at = bulk_wait_len(&p->objects);
	w->len = (uint32_t)p->object.len;
	w->there = true;
	w->is_root = p->root_id[0] == '\0';
	w->counted = p->now.counted;
	if (!w->is_root)
		chain(p, place_of(p, p->root_id), at);
	if (p->rc == ARK_OK)
		p->rc = bulk_wait_add(&p->objects, p->l->set.temp_dir, ark_buf_view(&p->object), &p->err);
}

static void take_post(void *ctx, const struct load_taken *post)
{
	struct bulk_posts *p = ctx;
	finish(p);
	p->open = true;
	p->now = *post;
	memcpy(p->id, post->id, sizeof(p->id));
	p->root_id[0] = '\0';
	if (post->root_id[0] != '\0')
		memcpy(p->root_id, post->root_id, sizeof(p->root_id));
	/* what the text says of files is said again for those that do not come along */
	struct ark_str text = post->message;
	if (post->note.len > 0 && ark_str_ends(text, post->note))
		text = ark_str_first(text, text.len - post->note.len);
	if (text.len < post->message.len && ark_str_ends(text, ARK_LIT("\n\n")))
		text = ark_str_first(text, text.len - 2);
	ark_buf_reset(&p->message);
	ark_buf_str(&p->message, text);
	ark_buf_reset(&p->type);
	ark_buf_str(&p->type, post->type);
	ark_buf_reset(&p->props);
	ark_buf_c(&p->props, '{');
	ark_buf_str(&p->props, post->props);
	ark_buf_c(&p->props, '}');
	ark_buf_reset(&p->notes);
	p->reactions_count = p->attachments_count = 0;
	ark_pool_release(&p->names);
}

static void take_file(void *ctx, const struct file_entry *f)
{
	struct bulk_posts *p = ctx;
	struct ark_str path = f->reason == FILE_WANTED ? bulk_bodies_path(p->bodies, f) : ARK_STR_NONE;
	if (ark_str_has(path) && p->attachments_count < MM_FILES_PER_POST) {
		p->attachments[p->attachments_count++] = path;
		return;
	}
	ark_buf_z(&p->notes, p->notes.len > 0 ? "\n" : "");
	ark_buf_str(&p->notes, f->note);
}

static void take_reaction(void *ctx, uint32_t person, struct ark_str emoji, int64_t create_ms)
{
	struct bulk_posts *p = ctx;
	if (p->reactions_count == p->reactions_cap) {
		p->reactions_cap = p->reactions_cap == 0 ? 64 : p->reactions_cap * 2;
		p->reactions = ark_realloc(p->reactions, p->reactions_cap, sizeof(*p->reactions));
	}
	p->reactions[p->reactions_count++] = (struct mm_bulk_reaction){
		username(p, person), ark_pool_str(&p->names, emoji), create_ms };
}

static void take_follower(void *ctx, const char *root_id, uint32_t person)
{
	struct bulk_posts *p = ctx;
	finish(p);
	if (p->followers_count == p->followers_cap) {
		p->followers_cap = p->followers_cap == 0 ? 256 : p->followers_cap * 2;
		p->followers = ark_realloc(p->followers, p->followers_cap, sizeof(*p->followers));
	}
	p->followers[p->followers_count++] = (struct follower){ place_of(p, root_id), person };
}

/* ---- lines ---- */

static enum ark_rc read_object(struct bulk_posts *p, uint32_t at, struct ark_err *err)
{
	const struct waiting *w = &p->list[at];
	ark_buf_reset(&p->object);
	char *to = ark_buf_room(&p->object, w->len);
	enum ark_rc rc = bulk_wait_read(&p->objects, w->at, to, w->len, err);
	p->object.len = w->len;
	p->object.data[w->len] = '\0';
	return rc;
}

static int by_root(const void *a, const void *b)
{
	const struct follower *x = a, *y = b;
	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return (x->person > y->person) - (x->person < y->person);
}

/* Followers of a root, all read. `from` goes on behind them. */
static size_t followers_of(const struct bulk_posts *p, uint32_t root, int64_t viewed_ms, size_t *from,
                           struct mm_bulk_follower **out)
{
	size_t n = 0;
	while (*from < p->followers_count && p->followers[*from].root < root)
		++*from;
	while (*from + n < p->followers_count && p->followers[*from + n].root == root)
		n++;
	*out = ark_calloc(n + 1, sizeof(**out));
	for (size_t i = 0; i < n; i++)
		(*out)[i] = (struct mm_bulk_follower){ username(p, p->followers[*from + i].person), viewed_ms, 0 };
	*from += n;
	return n;
}

static enum ark_rc put_line(struct bulk_posts *p, struct load_target *t, const struct mm_bulk_place *place,
                            uint32_t root, size_t *from, struct ark_err *err)
{
	ark_auto(ark_freep) struct mm_bulk_follower *followers = NULL;
	size_t followers_count = followers_of(p, root, t->last_post_ms, from, &followers);
	enum ark_rc rc = read_object(p, root, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&p->line);
	mm_bulk_post_begin(&p->line, place, ark_buf_view(&p->object));
	bool any = false;
	for (uint32_t i = p->list[root].first; i != NO_POST && rc == ARK_OK; i = p->list[i].next) {
		/* room for followers: a name and two numbers each */
		size_t full = p->line.len + p->list[i].len + followers_count * 160 + 64;
		if (full > MM_BULK_ROOM) {
			t->count.written -= p->list[i].counted;
			t->count.skipped[SKIP_TOO_LARGE] += p->list[i].counted;
			continue;
		}
		rc = read_object(p, i, err);
		mm_bulk_post_reply(&p->line, !any, ark_buf_view(&p->object));
		any = true;
	}
	mm_bulk_post_end(&p->line, any, followers, followers_count);
	bool direct = place->members_count > 0;
	p->lines_count[direct]++;
	return rc < 0 ? rc : bulk_wait_add(&p->lines[direct], p->l->set.temp_dir, ark_buf_view(&p->line), err);
}

static void reset_channel(struct bulk_posts *p)
{
	p->count = 0;
	p->followers_count = 0;
	ark_map_release(&p->by_id);
	p->by_id = (struct ark_map){ 0 };
	bulk_wait_release(&p->objects);
	bulk_wait_init(&p->objects);
}

static enum ark_rc take_channel(void *ctx, struct load_target *t, struct ark_err *err)
{
	struct bulk_posts *p = ctx;
	finish(p);
	if (p->rc < 0) {
		*err = p->err;
		return p->rc;
	}
	struct ark_str members[MM_GROUP_MEMBERS_MAX];
	struct mm_bulk_place place = { .team = ARK_LIT(""), .channel = t->name };
	if (t->type != 'D' && t->type != 'G') {
		place.team = ark_str_z(p->l->teams[t->team].name);
	} else {
		place.members = members;
		struct ark_number_iter it = ark_numbers_read(&t->members);
		for (uint32_t m; ark_numbers_next(&it, &m);)
			members[place.members_count++] = username(p, m);
		if (place.members_count == 1)
			members[place.members_count++] = members[0];
	}
	if (p->followers_count > 0)
		qsort(p->followers, p->followers_count, sizeof(*p->followers), by_root);
	enum ark_rc rc = ARK_OK;
	size_t from = 0;
	for (uint32_t i = 0; i < p->count && rc == ARK_OK; i++)
		if (p->list[i].there && p->list[i].is_root)
			rc = put_line(p, t, &place, i, &from, err);
	reset_channel(p);
	return rc;
}

struct load_taker bulk_posts_taker(struct bulk_posts *p)
{
	return (struct load_taker){ take_post, take_file, take_reaction, take_follower, take_channel, p };
}

const struct bulk_wait *bulk_posts_lines(const struct bulk_posts *p, bool direct, uint64_t *count)
{
	*count = p->lines_count[direct];
	return &p->lines[direct];
}
