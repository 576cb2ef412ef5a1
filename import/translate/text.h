/*
 * Slack's mrkdwn (the `text` of messages, topics, attachments) to Mattermost Markdown.
 * A single left-to-right tokenizer; pure: no files, no database, no clock.
 * Not for blocks (blocks.h) and not for splitting long posts (split.h).
 *
 * Fact  docs/slack-quirks.md "Text"; fixtures/markdown-rendered.tsv is what the real web client
 *       (11.6) makes of 407 texts
 */
#ifndef IMPORT_TRANSLATE_TEXT_H
#define IMPORT_TRANSLATE_TEXT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * Who and what the ids in a text mean. Each function writes `out` and returns true, or returns false
 * for "unknown". Strings borrow from the world and live as long as it does.
 */
struct text_world {
	void *ctx;
	/* "U…", "W…" or "B…" to the Mattermost user name, without '@' */
	bool (*user)(void *ctx, struct ark_str id, struct ark_str *out);
	/* "C…", "G…" to the Mattermost channel name, without '~'; false for direct conversations too */
	bool (*channel)(void *ctx, struct ark_str id, struct ark_str *out);
	/* the name in Slack of one that cannot be mentioned from here: it is in another team */
	bool (*elsewhere)(void *ctx, struct ark_str id, struct ark_str *out);
	/* "S…" to the handle of a Mattermost group, without '@' */
	bool (*group)(void *ctx, struct ark_str id, struct ark_str *out);
	/* name of an own custom emoji of the workspace to the name it has in Mattermost */
	bool (*emoji)(void *ctx, struct ark_str name, struct ark_str *out);
	/* a message (channel id, ts "seconds.micros") to the URL of its post; false: keep Slack's link */
	bool (*message)(void *ctx, struct ark_str channel_id, struct ark_str ts, struct ark_str *out);
};

enum text_flags {
	TEXT_PLAIN_FORMAT = 1,  /* resolve <…> and entities, but * _ ~ ` are no markup (attachment field
	                           not listed in mrkdwn_in): they come out escaped where they would act */
	TEXT_KEEP_MARKDOWN = 2, /* text is standard Markdown already (block `markdown`): only <…> tokens
	                           are resolved */
};

/* Append the translation of `mrkdwn` (valid UTF-8) to `out`; out's ceiling is the only failure. */
void text_translate(const struct text_world *world, struct ark_str mrkdwn, unsigned flags,
                    struct ark_buf *out);
/* Append the text without any markup: for channel names in props, titles, notes, CSV. */
void text_plain(const struct text_world *world, struct ark_str mrkdwn, struct ark_buf *out);

/* Append `plain` (not escaped, no markup meant) so that Mattermost shows it literally: escapes only
 * what would act. `out` is looked at for what stands before (line start, word); marks pair within
 * `plain`, so one line of literal text is best given in one call. */
void text_literal(struct ark_str plain, struct ark_buf *out);
/* Append a link: bare URL, <URL> or [label](URL), whichever shows right where it stands; `label`
 * plain text or ARK_STR_NONE; `next` is the first rune of what follows, 0 at the end. */
void text_link(struct ark_str url, struct ark_str label, uint32_t next, struct ark_buf *out);
/* Append "@name" with a blank before when `out` ends in a word character, and one behind when `next`
 * would become part of the name or break the mention (docs/slack-quirks.md "Text"). Same for "~name". */
void text_mention(char sigil, struct ark_str name, uint32_t next, struct ark_buf *out);
/* Append :name: as Mattermost knows it (skin tones, Slack-only names), or the Unicode character when
 * it has no such name; see emoji.h. */
void text_emoji(const struct text_world *world, struct ark_str name, struct ark_buf *out);

/* Append the hashtags of a Markdown text as posts.hashtags wants them: as the server computes them
 * (docs/mattermost-facts.md "Posts"), joined by blanks, at most MM_HASHTAGS_BYTES. */
void text_hashtags(struct ark_str markdown, struct ark_buf *out);

#endif
