#include "import/slack/survey.h"

#include "import/slack/day.h"
#include "import/slack/mend.h"
#include "import/slack/message.h"

#include "common/base/banned.h"

static void look(struct slack_export *x, struct json_val v)
{
	struct slack_message m;
	if (slack_message_decode(v, &m) != MESSAGE_FINE)
		return;
	if (ark_str_has(m.team) && m.team.len <= 32)
		slack_people_vote(&x->people, m.team);
	if (!ark_str_has(m.user) || json_type(m.user_profile) != JSON_OBJECT)
		return;
	uint32_t person = slack_people_need(&x->people, m.user);
	if (person != PERSON_NONE)
		slack_people_profile(&x->people, person, m.user_profile);
}

/* What cannot be read is passed over: the import itself counts it. */
static uint64_t look_all(struct slack_export *x, struct json_doc *doc, struct ark_buf *mended,
                         struct ark_str text)
{
	struct ark_err ignored = { 0 };
	struct json_val root;
	if (text.len == 0 || slack_parse(doc, text, mended, &root, &ignored) < 0)
		return 0;
	if (json_type(root) == JSON_OBJECT) {
		look(x, root);
		return 1;
	}
	uint64_t n = 0;
	struct json_iter it = json_items(root);
	for (struct json_val v; json_next(&it, &v); n++)
		look(x, v);
	return n;
}

enum ark_rc slack_survey(struct slack_export *x,
                         enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes,
                                             struct ark_err *err),
                         void *ctx, struct ark_err *err)
{
	ark_auto(json_doc_freep) struct json_doc *doc = json_doc_new();
	ark_auto(ark_buf_release) struct ark_buf mended;
	ark_buf_init(&mended, SLACK_MENDED_MAX);
	ark_auto(slack_days_closep) struct slack_days *days = slack_days_open(x);
	for (;;) {
		struct slack_block *block;
		enum ark_rc rc = slack_days_next(days, &block, err);
		if (rc == ARK_END)
			return ARK_OK;
		for (uint32_t i = 0; rc == ARK_OK && i < block->count; i++) {
			struct ark_str text = slack_piece_text(block, &block->pieces[i]);
			uint64_t n = block->pieces[i].kind == PIECE_DAMAGED ? 0 : look_all(x, doc, &mended, text);
			if (tick != NULL)
				rc = tick(ctx, n, text.len, err);
		}
		if (rc < 0)
			return rc;
		slack_days_return(days, block);
	}
}
