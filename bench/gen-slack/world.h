/*
 * Who and what is in the generated workspace: options, people, bots, conversations, words.
 * Everything is derived from the seed and a number; the tables here are only what is needed often.
 *
 * Fact  docs/slack-quirks.md "Numbers" (what real exports look like in numbers)
 */
#ifndef GEN_SLACK_WORLD_H
#define GEN_SLACK_WORLD_H

#include "bench/gen-slack/rng.h"
#include "common/base/buf.h"

#define GEN_WORDS 16384
#define GEN_TEAM  "T0GENER01"

/* How messages of an era look; shares in 1/1000 of the messages unless said otherwise. */
struct gen_era {
	const char *name;
	int64_t begin_ms, end_ms;
	uint32_t fraction; /* 0: real microseconds; else `ts` fractions are counters times this */
	uint32_t roots;    /* of the top-level messages: have replies */
	uint32_t blocks;
	uint32_t profiles; /* carry user_profile */
	uint32_t reactions, files, edited;
	uint32_t mentions, links;
	uint32_t webhooks, apps; /* bot_message; messages of app users */
	uint32_t joins;
	uint32_t unfurls;      /* link attachments */
	uint32_t text_percent; /* length of texts, 100 is that of the measured workspaces */
	uint32_t density;      /* messages per day and channel, scale; see plan.c */
	bool ids;              /* client_msg_id, team, user_team, source_team */
	bool labels;           /* <@U1|name> */
	bool old_file;         /* one `file` with subtype file_share */
};

const struct gen_era *gen_era_find(const char *name); /* NULL: no such era */
extern const struct gen_era gen_eras[];               /* ends with a NULL name */

struct gen_options {
	const struct gen_era *era;
	uint64_t messages, seed;
	uint32_t users, channels;
	uint32_t private_percent; /* of the channels */
	uint32_t direct_percent;  /* of the messages are in direct and group conversations */
	uint32_t newer_permille;  /* further messages after the era's end, and some edits */
	bool pretty;
	const char *out;
	bool folder;
};

enum gen_conv_kind { GEN_OPEN, GEN_PRIVATE, GEN_DIRECT, GEN_GROUP };

struct gen_conv {
	enum gen_conv_kind kind;
	uint32_t number;   /* among all conversations; names and ids come from it */
	uint32_t messages; /* how many; the newer ones not counted */
	uint32_t newer;
	uint32_t members;
	bool archived;
};

struct gen_word {
	char text[14];
	uint8_t len;
};

struct gen_world {
	struct gen_options opt;
	struct gen_conv *convs;
	uint32_t convs_count;
	uint32_t bots; /* the last of the users are app users */
	struct gen_word *words;
};

void gen_world_init(struct gen_world *w, const struct gen_options *opt);
void gen_world_release(struct gen_world *w);

/* Ids and names, appended as plain ASCII or UTF-8 (never anything that JSON must escape). */
void gen_user_id(struct ark_buf *b, uint32_t user);
void gen_user_name(const struct gen_world *w, struct ark_buf *b, uint32_t user);
void gen_user_real_name(const struct gen_world *w, struct ark_buf *b, uint32_t user);
bool gen_user_is_bot(const struct gen_world *w, uint32_t user);
void gen_conv_id(struct ark_buf *b, const struct gen_conv *c);
/* The name of a channel or group conversation; of a direct one the id, as its folder is called. */
void gen_conv_name(const struct gen_world *w, struct ark_buf *b, const struct gen_conv *c);
/* The nth member's user number; n < c->members. Authors are drawn from the members. */
uint32_t gen_conv_member(const struct gen_world *w, const struct gen_conv *c, uint32_t nth);
struct ark_str gen_word(const struct gen_world *w, struct gen_rng *r);

#endif
