/*
 * The time line of a conversation. Days first (few messages on most, many on some), then top-level
 * messages on them, then threads whose replies come minutes to weeks later.
 */
#include "bench/gen-slack/plan.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define DAY_S      86400
#define NEWER_DAYS 14

enum { STREAM_PLAN = 21, STREAM_NEWER = 22 };

static const struct gen_quantile replies_q[] = { { 0, 1 },    { 300, 1 },   { 500, 3 },
						 { 750, 7 },  { 900, 15 },  { 950, 22 },
						 { 990, 45 }, { 999, 109 }, { 1000, 254 } };

/* --- Pacific days --- */

/* Unix seconds of the nth Sunday of a month, 00:00 UTC. */
static int64_t nth_sunday(int year, int month, int nth)
{
	struct ark_civil first = { .year = year, .month = month, .day = 1 };
	int64_t day = ark_time_from_civil(&first) / 1000 / DAY_S;
	int64_t weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	return (day + (7 - weekday) % 7 + 7 * (nth - 1)) * DAY_S;
}

int64_t gen_pacific_day(int64_t unix_s)
{
	struct ark_civil c = ark_time_civil(unix_s * 1000);
	/* since 2007: second Sunday of March 2:00 to first Sunday of November 2:00 local time */
	bool summer = false;
	if (c.month > 3 && c.month < 11)
		summer = true;
	else if (c.month == 3)
		summer = unix_s >= nth_sunday(c.year, 3, 2) + 10 * 3600;
	else if (c.month == 11)
		summer = unix_s < nth_sunday(c.year, 11, 1) + 9 * 3600;
	return (unix_s - (summer ? 7 : 8) * 3600) / DAY_S;
}

/* --- making --- */

static struct gen_msg *plan_add(struct gen_plan *p, int64_t ts_us, uint32_t author, uint32_t root)
{
	if (p->count == p->cap) {
		p->cap = p->cap > 0 ? p->cap * 2 : 1024;
		p->msgs = ark_realloc(p->msgs, p->cap, sizeof(*p->msgs));
	}
	struct gen_msg *m = &p->msgs[p->count];
	*m = (struct gen_msg){ .ts_us = ts_us,
			       .id = p->count,
			       .author = author,
			       .root = root,
			       .first_reply = GEN_NONE,
			       .last_reply = GEN_NONE,
			       .next_reply = GEN_NONE };
	p->count++;
	return m;
}

static int64_t fraction_for(const struct gen_era *era, struct gen_rng *r)
{
	if (era->fraction == 0)
		return gen_rng_below(r, 1000000);
	return (int64_t)(1 + gen_rng_skewed(r, 40)) * era->fraction;
}

static uint32_t author_pick(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r)
{
	return gen_conv_member(w, c, gen_rng_skewed(r, c->members));
}

static enum gen_kind kind_pick(const struct gen_world *w, const struct gen_conv *c,
			       struct gen_rng *r)
{
	const struct gen_era *e = w->opt.era;
	uint32_t at = gen_rng_below(r, 1000);
	if (c->kind >= GEN_DIRECT)
		return GEN_TEXT;
	if (at > 996)
		return at == 997 ? GEN_TOPIC : at == 998 ? GEN_PURPOSE : GEN_LEAVE;
	if (at < e->joins)
		return GEN_JOIN;
	at -= e->joins;
	if (at < e->webhooks)
		return GEN_WEBHOOK;
	at -= e->webhooks;
	if (at < e->apps && w->bots > 0)
		return GEN_APP;
	return GEN_TEXT;
}

/* A reply comes 2^x minutes later, x from 0 to 18, in the middle likeliest: half within nine hours.
 */
static int64_t reply_delay_us(struct gen_rng *r)
{
	uint32_t x = gen_rng_below(r, 181) + gen_rng_below(r, 181); /* in 1/20 of a doubling */
	uint64_t minutes_us = 60000000u;
	uint64_t base = minutes_us << (x / 20);
	return (int64_t)(base + base / 20 * (x % 20) + gen_rng_below(r, 60000000));
}

static void thread_add(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r,
		       struct gen_plan *p, uint32_t root, uint32_t room, int64_t end_us)
{
	uint32_t n = gen_rng_quantile(r, replies_q, sizeof(replies_q) / sizeof(replies_q[0]));
	int64_t root_us = p->msgs[root].ts_us;
	for (uint32_t i = 0; i < n && i < room; i++) {
		int64_t ts = root_us + reply_delay_us(r);
		if (ts >= end_us)
			ts = root_us + 1000000 + gen_rng_below(r, 900000000);
		ts = ts / 1000000 * 1000000 + fraction_for(w->opt.era, r);
		plan_add(p, ts, author_pick(w, c, r), root);
	}
}

/* A moment of a working day, in Europe as well as in America. */
static int64_t moment_us(const struct gen_era *era, struct gen_rng *r, int64_t day_begin_s)
{
	int64_t s = 7 * 3600 + gen_rng_below(r, 8 * 3600) + gen_rng_below(r, 7 * 3600);
	return (day_begin_s + s) * 1000000 + fraction_for(era, r);
}

/*
 * Days with messages: `n` messages get n / (density/128 * n^(1/4)) days spread over the
 * conversation's life, so that large channels are denser; density is set so that a day file
 * holds 9.8 on average.
 */
static uint32_t days_wanted(const struct gen_era *era, uint32_t n)
{
	double per_day = __builtin_sqrt(__builtin_sqrt((double)n)) * era->density / 128.0;
	int64_t all = (era->end_ms - era->begin_ms) / 1000 / DAY_S;
	double days = n / per_day;
	if (days < 1)
		return 1;
	return days > (double)all ? (uint32_t)all : (uint32_t)days;
}

static void base_make(const struct gen_world *w, const struct gen_conv *c, struct gen_plan *p)
{
	const struct gen_era *era = w->opt.era;
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_PLAN, c->number);
	int64_t begin_s = era->begin_ms / 1000, end_s = era->end_ms / 1000;
	int64_t all = (end_s - begin_s) / DAY_S;
	uint32_t days = days_wanted(era, c->messages);
	int64_t life = days + (all - days) * (1 + gen_rng_below(&r, 4)) / 4;
	int64_t first =
	    c->number < 2 || all == life ? 0 : gen_rng_below(&r, (uint32_t)(all - life) + 1);
	while (p->count < c->messages) {
		/* a day, the busy ones more often; the same stream of days for every run */
		uint32_t nth =
		    gen_rng_chance(&r, 1, 6) ? gen_rng_skewed(&r, days) : gen_rng_below(&r, days);
		int64_t day = first + (int64_t)((nth + 7u) * 2654435761u % days) * life / days;
		int64_t ts = moment_us(era, &r, begin_s + day * DAY_S);
		uint32_t at = p->count;
		struct gen_msg *m = plan_add(p, ts, author_pick(w, c, &r), GEN_NONE);
		m->kind = kind_pick(w, c, &r);
		if (m->kind == GEN_APP)
			m->author = w->opt.users - 1 - gen_rng_below(&r, w->bots);
		bool threaded = m->kind == GEN_TEXT || m->kind == GEN_APP || m->kind == GEN_WEBHOOK;
		if (threaded && gen_rng_chance(&r, era->roots, 1000))
			thread_add(w, c, &r, p, at, c->messages - p->count, end_s * 1000000);
	}
}

/* What a later export has besides: two more weeks, a third of it replies to what was there. */
static void newer_make(const struct gen_world *w, const struct gen_conv *c, struct gen_plan *p)
{
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_NEWER, c->number);
	int64_t begin_s = w->opt.era->end_ms / 1000;
	uint32_t base = p->count;
	for (uint32_t i = 0; i < c->newer; i++) {
		int64_t ts = moment_us(w->opt.era, &r,
				       begin_s + gen_rng_below(&r, NEWER_DAYS) * (int64_t)DAY_S);
		uint32_t root = GEN_NONE;
		if (base > 0 && gen_rng_chance(&r, 1, 3)) {
			root = gen_rng_below(&r, base);
			if (p->msgs[root].root != GEN_NONE)
				root = p->msgs[root].root;
			if (p->msgs[root].kind != GEN_TEXT)
				root = GEN_NONE;
		}
		plan_add(p, ts, author_pick(w, c, &r), root);
	}
}

/* --- order --- */

static int msg_compare(const void *left, const void *right)
{
	const struct gen_msg *a = left, *b = right;
	if (a->ts_us != b->ts_us)
		return a->ts_us < b->ts_us ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Sort, make times differ, and turn root ids into places with their replies chained behind them. */
static void plan_order(struct gen_plan *p)
{
	if (p->count == 0)
		return;
	qsort(p->msgs, p->count, sizeof(*p->msgs), msg_compare);
	uint32_t *place = ark_malloc(p->count * sizeof(*place));
	for (uint32_t i = 0; i < p->count; i++) {
		place[p->msgs[i].id] = i;
		if (i > 0 && p->msgs[i].ts_us <= p->msgs[i - 1].ts_us)
			p->msgs[i].ts_us = p->msgs[i - 1].ts_us + 1;
	}
	for (uint32_t i = 0; i < p->count; i++) {
		struct gen_msg *m = &p->msgs[i];
		if (m->root == GEN_NONE)
			continue;
		m->root = place[m->root];
		struct gen_msg *root = &p->msgs[m->root];
		if (root->last_reply == GEN_NONE)
			root->first_reply = i;
		else
			p->msgs[root->last_reply].next_reply = i;
		root->last_reply = i;
		root->replies++;
	}
	free(place);
}

void gen_plan_make(const struct gen_world *w, const struct gen_conv *c, struct gen_plan *p)
{
	p->count = 0;
	base_make(w, c, p);
	newer_make(w, c, p);
	plan_order(p);
	if (c->archived && p->count > 0 && p->msgs[p->count - 1].root == GEN_NONE &&
	    p->msgs[p->count - 1].replies == 0)
		p->msgs[p->count - 1].kind = GEN_ARCHIVE;
}

void gen_plan_release(struct gen_plan *p)
{
	free(p->msgs);
	*p = (struct gen_plan){ 0 };
}
