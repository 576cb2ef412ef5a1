/*
 * When is what said in one conversation: the messages' times, authors and threads, before any text.
 */
#ifndef GEN_SLACK_PLAN_H
#define GEN_SLACK_PLAN_H

#include "bench/gen-slack/world.h"

#define GEN_NONE UINT32_MAX

enum gen_kind {
	GEN_TEXT,
	GEN_JOIN,
	GEN_LEAVE,
	GEN_TOPIC,
	GEN_PURPOSE,
	GEN_WEBHOOK,
	GEN_APP,
	GEN_ARCHIVE
};

struct gen_msg {
	int64_t ts_us;
	uint32_t id; /* order of making: seeds the text; the same however many newer ones follow */
	uint32_t author; /* user number */
	uint32_t root;   /* place of the root in the plan; GEN_NONE for a top-level message */
	uint32_t first_reply, last_reply,
	    next_reply; /* places, ascending by time; GEN_NONE at the end */
	uint32_t replies;
	enum gen_kind kind;
};

struct gen_plan {
	struct gen_msg *msgs; /* ascending by ts_us, which never repeats */
	uint32_t count, cap;
};

/* Fill `p` for conversation `c`; what was in it is replaced. */
void gen_plan_make(const struct gen_world *w, const struct gen_conv *c, struct gen_plan *p);
void gen_plan_release(struct gen_plan *p);

/* The Pacific day of a time, as days since 1970: Slack files messages by it. */
int64_t gen_pacific_day(int64_t unix_s);

#endif
