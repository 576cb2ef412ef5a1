/*
 * The generated workspace as JSON: lists and messages, compact.
 */
#ifndef GEN_SLACK_EMIT_H
#define GEN_SLACK_EMIT_H

#include "bench/gen-slack/plan.h"
#include "bench/gen-slack/text.h"

/* One message object appended to `out`. */
void gen_emit_message(const struct gen_world *w, const struct gen_conv *c, const struct gen_plan *p,
		      uint32_t at, struct gen_text *text, struct ark_buf *out);
/* users.json */
void gen_emit_users(const struct gen_world *w, struct ark_buf *out);
/* channels.json, groups.json, dms.json, mpims.json: the conversations of one kind */
void gen_emit_convs(const struct gen_world *w, enum gen_conv_kind kind, struct ark_buf *out);
/* `compact` with line breaks and four blanks per level, as Slack writes its files. */
void gen_emit_pretty(struct ark_str compact, struct ark_buf *out);

#endif
