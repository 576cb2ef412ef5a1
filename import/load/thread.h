/*
 * The messages of one complete channel put in order: which are the same, which belong to a thread,
 * which are dropped after all, and at what millisecond each one stands. Works on keys only; the
 * records stay where they are (load/spill.h).
 *
 * Fact  docs/slack-quirks.md "Order and threads"; fixtures/slack/thread-orphans, same-millisecond
 */
#ifndef IMPORT_LOAD_THREAD_H
#define IMPORT_LOAD_THREAD_H

#include "common/io/array.h"
#include "import/load/load.h"
#include "import/load/spill.h"

#define KEY_NONE UINT32_MAX

struct thread_key {
	int64_t ts_us, thread_us, refer_us, edited_us;
	int64_t create_ms;
	int64_t last_reply_ms; /* roots: newest reply, 0 without */
	uint64_t same_id;
	uint32_t conv, author, other, source;
	uint32_t reactions;
	uint32_t root;         /* key of the root, or KEY_NONE */
	uint32_t first_reply, last_reply, next_reply; /* chain in order of time */
	uint32_t living;       /* first of its moment and dropped: the first that was not; or KEY_NONE */
	uint32_t ordinal;      /* second message with one ts: 1 */
	uint32_t replies;      /* rows in the thread: parts of long messages count */
	uint16_t parts;        /* posts that the message takes */
	uint16_t flags;
	uint8_t event;
	uint8_t skip;          /* enum skip_reason; SKIP_NONE: lives */
	bool placeholder;      /* a root that is not in the archive */
	bool touched;          /* roots: a post of the thread is new or changed, as far as is known */
	struct ark_str text;   /* placeholder: text of the root copy, or none */
};

struct thread_order {
	struct io_array keys;    /* thread_key: records first, in walk order; placeholders behind */
	uint32_t records, count;
	struct io_array order;   /* uint32_t: living keys by time */
	uint32_t order_count;
	struct ark_pool strings;
};

/* Good until a key is added. */
static inline struct thread_key *thread_key_at(struct thread_order *o, uint32_t n)
{
	return io_array_at(&o->keys, n);
}

/* Number of the n-th living key by time. */
static inline uint32_t thread_in_order(struct thread_order *o, uint32_t n)
{
	return *(const uint32_t *)io_array_at(&o->order, n);
}

/* Read all keys of a walk and put them in order. `post_runes`: longest message. */
enum ark_rc thread_order_make(struct thread_order *o, const struct load *l, struct load_walk *walk,
                              struct ark_err *err);
/* The living record with this ts in this conversation, or KEY_NONE. `near` is a key it may not be far from. */
uint32_t thread_find(struct thread_order *o, uint32_t conv, int64_t ts_us, uint32_t near);
void thread_order_release(struct thread_order *o);

/*
 * How a message's text and its files are spread over posts: text that is too long goes on in the
 * thread, files stand on the first post when they fit there, ten on each, else behind the text. The
 * same on every run, whatever could be had of the files.
 */
struct record_layout {
	unsigned parts;       /* posts altogether */
	unsigned text_parts;  /* of these, the first ones */
	unsigned first_files; /* the part that shows the first ten files */
};
struct record_layout record_layout(const struct load *l, const struct record *r);

#endif
