/*
 * One Slack message to the record of the post that shows the same. Pure but for the people it makes
 * known (strangers, bots) in the export's list.
 *
 * Fact  docs/slack-quirks.md "Subtypes"; fixtures/slack/subtypes-all
 */
#ifndef IMPORT_TRANSLATE_MESSAGE_H
#define IMPORT_TRANSLATE_MESSAGE_H

#include "import/slack/export.h"
#include "import/slack/message.h"
#include "import/translate/record.h"
#include "import/translate/skip.h"
#include "import/translate/text.h"

struct translate_options {
	bool no_joins;   /* leave out joins and leaves */
	bool skip_bots;  /* leave out what bots wrote */
	int64_t since_us, until_us; /* until 0: no end */
};

/* What only the caller knows. */
struct translate_names {
	void *ctx;
	/* Mattermost name of a conversation's channel; false for direct ones */
	bool (*channel)(void *ctx, uint32_t conv, struct ark_str *out);
	/* name in Slack of one whose channel cannot be mentioned there; may be NULL */
	bool (*elsewhere)(void *ctx, uint32_t conv, struct ark_str *out);
};

struct translator {
	struct slack_export *x;
	struct translate_options options;
	struct translate_names names;
	struct text_world world;
	/* scratch, used again for each message */
	struct ark_buf parts[PART_COUNT];
	struct ark_buf tmp, tmp2, source;
	/* counted over the whole run */
	struct ark_map odd_subtypes; /* subtypes that no rule is made for, or whose content is lost */
	uint64_t reactions_cut;      /* people whom Slack's export does not name */
	uint32_t mentions[64];
	uint32_t mentions_count;
	bool stranger;
};

void translator_init(struct translator *t, struct slack_export *x, const struct translate_names *names,
                     const struct translate_options *options);
void translator_release(struct translator *t);

/*
 * m     decoded; borrows from its JSON document
 * conv  the conversation whose folder it stands in
 * out   the record is appended (8-byte aligned when out's length was); nothing on a skip
 * Returns SKIP_NONE when it was written, else why not.
 */
enum skip_reason translate_message(struct translator *t, const struct slack_message *m, uint32_t conv,
                                   uint32_t source, struct ark_buf *out);

#endif
