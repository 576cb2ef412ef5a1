/*
 * Slack's control sequences "<body|label>" in mrkdwn: mentions, channels, links, dates. Private to
 * this room.
 * Fact  docs/slack-quirks.md "Text"
 */
#ifndef IMPORT_TRANSLATE_CONTROL_H
#define IMPORT_TRANSLATE_CONTROL_H

#include "import/translate/markup.h"

enum control_kind {
	KIND_NONE,
	KIND_USER,    /* which: the id */
	KIND_CHANNEL, /* which: the id */
	KIND_GROUP,   /* which: the id */
	KIND_RANGE,   /* which: here, channel, group, everyone */
	KIND_DATE,    /* which: "seconds^format[^link]" */
	KIND_OTHER,   /* which: what to show without a label */
	KIND_LINK,    /* which: the URL */
};

struct control {
	enum control_kind kind;
	struct ark_str which; /* still with its entities */
	struct ark_str label; /* behind the first '|'; ARK_STR_NONE without one */
	size_t len;           /* bytes from '<' to '>' */
};

enum control_place {
	CONTROL_TEXT,  /* in running text */
	CONTROL_CODE,  /* in a code span: plain */
	CONTROL_FENCE, /* in a code block: plain */
};

/* What starts with the '<' at s[i]; false when it is a literal '<'. */
bool control_parse(struct ark_str s, size_t i, struct control *out);
void control_put(struct markup *m, const struct text_world *world, const struct control *c,
		 enum control_place place);
/* Text with entities, plain, where `place` says. */
void control_put_code(struct markup *m, const struct text_world *world, struct ark_str s,
		      enum control_place place);
/* The byte that the entity at s[i] ('&') stands for and its length; 0 when it is none. */
size_t control_entity(struct ark_str s, size_t i, char *out);

/* The same things as blocks name them. `label` may be ARK_STR_NONE. */
void control_user(struct markup *m, const struct text_world *world, struct ark_str id,
		  struct ark_str label);
void control_channel(struct markup *m, const struct text_world *world, struct ark_str id,
		     struct ark_str label);
void control_group(struct markup *m, const struct text_world *world, struct ark_str id,
		   struct ark_str label);
/* "here", "channel", "group", "everyone"; false when it is none of these. */
bool control_broadcast(struct markup *m, struct ark_str range);
/* A link, which leads to the imported post when it is one to a Slack message. */
void control_link(struct markup *m, const struct text_world *world, struct ark_str url,
		  struct ark_str label);
/* What a date shows: its fallback, else the date in UTC. */
void control_date(struct ark_str unix_s, struct ark_str format, struct ark_str fallback,
		  struct ark_buf *out);

#endif
