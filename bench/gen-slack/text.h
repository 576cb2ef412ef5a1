/*
 * What somebody writes: the same content as mrkdwn (`text`) and as rich_text elements (`blocks`).
 */
#ifndef GEN_SLACK_TEXT_H
#define GEN_SLACK_TEXT_H

#include "bench/gen-slack/world.h"

struct gen_text {
	struct ark_buf text;     /* mrkdwn with Slack's escapes, not yet a JSON string */
	struct ark_buf elements; /* JSON: the elements of one rich_text block, comma-separated */
	/* private */
	struct ark_buf run;    /* plain text that waits to become one element */
	struct ark_buf inside; /* elements of the section being built */
	struct ark_buf scratch;
};

void gen_text_init(struct gen_text *t);
void gen_text_release(struct gen_text *t);
/* Make a message's content of `r`'s choice for a member of `c`; replaces what was there. */
void gen_text_make(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r,
		   struct gen_text *t);
/* About `chars` of plain words, nothing JSON or Slack would escape. */
void gen_text_words(const struct gen_world *w, struct gen_rng *r, uint32_t chars,
		    struct ark_buf *out);

#endif
