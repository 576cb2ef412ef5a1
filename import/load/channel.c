#include "import/load/channel.h"

#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

struct follower {
	uint32_t root; /* key */
	uint32_t person;
};

struct channel_loader {
	struct load *l;
	struct post_writer post;
	struct io_array mentioned; /* follower: who is mentioned in threads of the channel under way */
	uint32_t *followers;       /* of the thread under way */
	uint32_t followers_count, followers_cap;
	uint32_t *member_of; /* person to the last target they are a member of, + 1 */
	uint32_t member_of_count;
};

struct channel_loader *channel_loader_new(struct load *l, struct sink *sink)
{
	struct channel_loader *c = ark_calloc(1, sizeof(*c));
	c->l = l;
	post_writer_init(&c->post, l, sink);
	io_array_init(&c->mentioned, sizeof(struct follower), 0, l->set.temp_dir);
	return c;
}

void channel_loader_free(struct channel_loader *c)
{
	if (c == NULL)
		return;
	post_writer_release(&c->post);
	free(c->followers);
	io_array_release(&c->mentioned);
	free(c->member_of);
	free(c);
}

static void mark_members(struct channel_loader *c, uint32_t target)
{
	uint32_t people = c->l->x->people.count;
	if (people > c->member_of_count) {
		c->member_of = ark_realloc(c->member_of, people, sizeof(*c->member_of));
		memset(c->member_of + c->member_of_count, 0,
		       (people - c->member_of_count) * sizeof(*c->member_of));
		c->member_of_count = people;
	}
	const struct load_target *t = &c->l->targets[target];
	struct ark_number_iter it = ark_numbers_read(&t->members);
	for (uint32_t m; ark_numbers_next(&it, &m);)
		c->member_of[m] = target + 1;
}

/* Who follows a thread: its author, who replied, who was mentioned; as far as they are in the channel. */
static bool may_follow(const struct channel_loader *c, uint32_t target, uint32_t person)
{
	return person != PERSON_NONE && person < c->member_of_count && c->member_of[person] == target + 1;
}

static enum ark_rc note_mentioned(struct channel_loader *c, uint32_t target, struct thread_order *o, uint32_t key,
                                  const struct record *r, struct ark_err *err)
{
	const struct thread_key *k = thread_key_at(o, key);
	uint32_t root = k->root != KEY_NONE ? k->root : k->replies > 0 ? key : KEY_NONE;
	struct ark_str list = root == KEY_NONE ? ARK_LIT("") : record_part(r, PART_MENTIONS);
	for (size_t at = 0; at + sizeof(uint32_t) <= list.len; at += sizeof(uint32_t)) {
		uint32_t person;
		void *next;
		memcpy(&person, list.ptr + at, sizeof(person));
		if (!may_follow(c, target, person))
			continue;
		enum ark_rc rc = io_array_add(&c->mentioned, &next, err);
		if (rc < 0)
			return rc;
		*(struct follower *)next = (struct follower){ root, person };
	}
	return ARK_OK;
}

/* ---- thread rows ---- */

/* Repliers, each once, in the order of their latest reply, oldest first. */
static void participants(struct channel_loader *c, struct thread_order *o, uint32_t root,
                         struct ark_buf *out)
{
	const struct thread_key *k = thread_key_at(o, root);
	ark_auto(ark_freep) uint32_t *list = ark_malloc(((size_t)k->replies + 1) * sizeof(*list));
	uint32_t n = 0;
	if (k->parts > 1) /* the rest of the root's own text */
		list[n++] = k->author;
	for (uint32_t i = k->first_reply; i != KEY_NONE; i = thread_key_at(o, i)->next_reply)
		list[n++] = thread_key_at(o, i)->author;
	/* keep the last of each: walk back, mark, write from the other end */
	ark_auto(ark_map_release) struct ark_map seen = { 0 };
	uint32_t kept = n;
	for (uint32_t i = n; i > 0; i--) {
		struct ark_str id = ark_str_n((const char *)&list[i - 1], sizeof(list[0]));
		if (ark_map_get(&seen, id) != ARK_MAP_NONE)
			continue;
		ark_map_put(&seen, id, 0);
		list[--kept] = list[i - 1];
	}
	ark_buf_c(out, '[');
	for (uint32_t i = kept; i < n; i++) {
		ark_buf_z(out, i > kept ? ", \"" : "\"");
		ark_buf_z(out, c->l->x->people.list[list[i]].mm_id);
		ark_buf_c(out, '"');
	}
	ark_buf_c(out, ']');
}

static void put_thread(struct channel_loader *c, const struct load_target *t,
                       struct thread_order *o, uint32_t root)
{
	const struct thread_key *k = thread_key_at(o, root);
	struct sink *s = c->post.sink;
	if (k->root != KEY_NONE || k->replies == 0)
		return;
	if (s->mode == SINK_STAGED) /* made of the posts that are there (load/merge_posts.c) */
		return;
	char id[MM_ID_LEN + 1];
	post_id(&c->post, k, 0, id);
	sink_begin(s, SINK_THREADS);
	sink_z(s, SINK_THREADS, id);
	sink_i64(s, SINK_THREADS, k->replies);
	sink_i64(s, SINK_THREADS, k->last_reply_ms);
	struct ark_buf *list = sink_raw(s, SINK_THREADS);
	if (list != NULL)
		participants(c, o, root, list);
	sink_z(s, SINK_THREADS, t->id);
	sink_i64(s, SINK_THREADS, 0);
	sink_z(s, SINK_THREADS, t->type == 'D' || t->type == 'G' ? "" : c->l->teams[t->team].id);
	sink_end(s, SINK_THREADS);
}

static int by_root(const void *a, const void *b)
{
	const struct follower *x = a, *y = b;
	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return (x->person > y->person) - (x->person < y->person);
}

static void follow(struct channel_loader *c, uint32_t target, uint32_t person)
{
	if (!may_follow(c, target, person))
		return;
	if (c->followers_count == c->followers_cap) {
		c->followers_cap = c->followers_cap == 0 ? 1024 : c->followers_cap * 2;
		c->followers = ark_realloc(c->followers, c->followers_cap, sizeof(*c->followers));
	}
	c->followers[c->followers_count++] = person;
	/* nobody twice, as soon as that matters */
	if (c->followers_count == c->followers_cap)
		c->followers_count = ark_numbers_unique(c->followers, c->followers_count);
}

static void put_follower(struct channel_loader *c, const char *id, uint32_t person)
{
	struct sink *s = c->post.sink;
	if (c->l->taker != NULL)
		c->l->taker->follower(c->l->taker->ctx, id, person);
	sink_begin(s, SINK_THREADMEMBERSHIPS);
	sink_z(s, SINK_THREADMEMBERSHIPS, id);
	sink_z(s, SINK_THREADMEMBERSHIPS, c->l->x->people.list[person].mm_id);
	sink_bool(s, SINK_THREADMEMBERSHIPS, true);
	sink_i64(s, SINK_THREADMEMBERSHIPS, c->l->start_ms);
	sink_i64(s, SINK_THREADMEMBERSHIPS, c->l->start_ms);
	sink_i64(s, SINK_THREADMEMBERSHIPS, 0);
	sink_end(s, SINK_THREADMEMBERSHIPS);
}

/* Followers of one thread; *at is the first of those mentioned that are not of an earlier one. */
static void put_thread_followers(struct channel_loader *c, uint32_t target, struct thread_order *o, uint32_t root,
                                 size_t *at)
{
	char id[MM_ID_LEN + 1];
	c->followers_count = 0;
	follow(c, target, thread_key_at(o, root)->author);
	for (uint32_t i = thread_key_at(o, root)->first_reply; i != KEY_NONE; i = thread_key_at(o, i)->next_reply)
		follow(c, target, thread_key_at(o, i)->author);
	for (; *at < c->mentioned.count; (*at)++) {
		const struct follower *f = io_array_at(&c->mentioned, *at);
		if (f->root > root)
			break;
		if (f->root == root)
			follow(c, target, f->person);
	}
	c->followers_count = ark_numbers_unique(c->followers, c->followers_count);
	post_id(&c->post, thread_key_at(o, root), 0, id);
	for (uint32_t i = 0; i < c->followers_count; i++)
		put_follower(c, id, c->followers[i]);
}

static void put_followers(struct channel_loader *c, uint32_t target, struct thread_order *o)
{
	size_t at = 0;
	if (c->mentioned.count > 0)
		qsort(c->mentioned.data, c->mentioned.count, sizeof(struct follower), by_root);
	for (uint32_t i = 0; i < o->count; i++) {
		const struct thread_key *k = thread_key_at(o, i);
		if (k->touched && k->skip == SKIP_NONE && k->root == KEY_NONE && (k->replies > 0 || k->placeholder))
			put_thread_followers(c, target, o, i, &at);
	}
}

/* ---- people's names that may change ---- */

/* A post that names a stranger by a name that is not final is noted: finish.c mends it when
 * the name is known. */
static void note_strangers(struct channel_loader *c, const struct thread_key *k,
                           const struct record *r)
{
	struct sink *s = c->post.sink;
	char id[MM_ID_LEN + 1];
	post_id(&c->post, k, 0, id);
	struct ark_str list = record_part(r, PART_MENTIONS);
	size_t n = list.len / sizeof(uint32_t);
	for (size_t i = 0; i <= n; i++) {
		uint32_t person = k->author;
		if (i < n)
			memcpy(&person, list.ptr + i * sizeof(person), sizeof(person));
		const struct slack_person *p = &c->l->x->people.list[person];
		if (p->username_final)
			continue;
		sink_begin(s, SINK_RENAME);
		sink_z(s, SINK_RENAME, id);
		sink_str(s, SINK_RENAME, p->username);
		sink_end(s, SINK_RENAME);
	}
}

/* ---- the channel ---- */

static void note_archiving(struct load_target *t, const struct thread_key *k)
{
	if (k->event == EVENT_ARCHIVE)
		t->last_archive_ms = k->create_ms;
	if (k->event == EVENT_UNARCHIVE)
		t->last_unarchive_ms = k->create_ms;
}

static void count_message(struct channel_loader *c, struct load_target *t, const struct thread_key *k)
{
	struct load *l = c->l;
	if (k->skip != SKIP_NONE) {
		t->count.skipped[k->skip]++;
		return;
	}
	t->count.written++;
	struct slack_person *p = &l->x->people.list[k->author];
	p->used = true;
	p->posts++;
	if (p->first_ms == 0 || k->create_ms < p->first_ms)
		p->first_ms = k->create_ms;
	load_report_month(&l->report, k->create_ms);
}

/* Pins that only the channel's own events tell of: exports that lost `pinned_to` and `pins`. */
static void pins_from_events(struct thread_order *o)
{
	for (uint32_t i = 0; i < o->records; i++)
		if (thread_key_at(o, i)->flags & RECORD_PINNED)
			return;
	for (uint32_t n = 0; n < o->order_count; n++) {
		const struct thread_key *k = thread_key_at(o, thread_in_order(o, n));
		if (!(k->flags & (RECORD_PINS | RECORD_UNPINS)))
			continue;
		uint32_t at = thread_find(o, k->conv, k->refer_us, thread_in_order(o, n));
		if (at == KEY_NONE)
			continue;
		struct thread_key *x = thread_key_at(o, at);
		x->flags &= (uint16_t)~RECORD_PINNED;
		x->flags |= k->flags & RECORD_PINS ? RECORD_PINNED : 0;
	}
}

static enum ark_rc write_all(struct channel_loader *c, uint32_t target, struct thread_order *o,
                             struct load_walk *walk, struct ark_err *err)
{
	struct load_target *t = &c->l->targets[target];
	enum ark_rc rc = load_walk_rewind(walk, err);
	const struct record *r;
	for (uint32_t i = 0; rc == ARK_OK && (rc = load_walk_next(walk, &r, err)) == ARK_OK; i++) {
		const struct thread_key *k = thread_key_at(o, i);
		count_message(c, t, k);
		if (k->skip != SKIP_NONE)
			continue;
		bool wanted = post_write(&c->post, t, o, i, r);
		thread_key_at(o, k->root != KEY_NONE ? k->root : i)->touched |= wanted;
		if ((rc = note_mentioned(c, target, o, i, r, err)) < 0)
			break;
		note_archiving(t, k);
		if (k->flags & RECORD_STRANGER)
			note_strangers(c, k, r);
	}
	if (rc < 0)
		return rc;
	for (uint32_t i = o->records; i < o->count; i++) {
		thread_key_at(o, i)->touched |= post_write_placeholder(&c->post, t, o, i);
	}
	for (uint32_t n = 0; n < o->order_count; n++)
		put_thread(c, t, o, thread_in_order(o, n));
	put_followers(c, target, o);
	return sink_ok(c->post.sink, err);
}

static void order_release(struct thread_order *o)
{
	thread_order_release(o);
}

enum ark_rc channel_load(struct channel_loader *c, uint32_t target, const struct io_spool *file,
                         struct ark_err *err)
{
	struct load_target *t = &c->l->targets[target];
	ark_auto(load_walk_closep) struct load_walk *walk = load_walk_open(t->spill, file, &t->records);
	ark_auto(order_release) struct thread_order o = { 0 };
	enum ark_rc rc = thread_order_make(&o, c->l, walk, err);
	if (rc < 0)
		return rc;
	pins_from_events(&o);
	for (uint32_t i = o.records; i < o.count; i++) /* before anything is written: Slackbot may be new */
		if (thread_key_at(&o, i)->author == PERSON_NONE)
			thread_key_at(&o, i)->author = slack_people_slackbot(&c->l->x->people);
	mark_members(c, target);
	io_array_release(&c->mentioned);
	io_array_init(&c->mentioned, sizeof(struct follower), o.keys.limit_bytes, c->l->set.temp_dir);
	post_writer_channel(&c->post);
	rc = write_all(c, target, &o, walk, err);
	if (rc == ARK_OK && c->l->taker != NULL)
		rc = c->l->taker->channel(c->l->taker->ctx, t, err);
	if (rc < 0)
		return rc;
	load_walk_close(walk); /* it borrows from both that follow */
	walk = NULL;
	ark_buf_release(&t->records);
	load_spill_free(t->spill);
	t->spill = NULL;
	return ARK_OK;
}
