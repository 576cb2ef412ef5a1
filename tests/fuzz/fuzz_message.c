/* Any JSON as messages: what is called a message has a time that posts can have. */
#include "import/slack/message.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void decode(struct json_val v)
{
	struct slack_message m;
	enum slack_message_fault fault = slack_message_decode(v, &m);
	/* {} is how some tools write nothing */
	bool nothing = json_type(v) == JSON_NULL || (json_type(v) == JSON_OBJECT && json_count(v) == 0);
	FUZZ_CLAIM(nothing == (fault == MESSAGE_NULL));
	FUZZ_CLAIM(json_type(v) == JSON_OBJECT || fault != MESSAGE_FINE);
	if (fault != MESSAGE_FINE)
		return;
	FUZZ_CLAIM(m.ts_us > 0 && m.thread_us >= 0 && m.edited_us >= 0);
	FUZZ_CLAIM(!ark_str_has(m.user) || m.user.len > 0);
	FUZZ_CLAIM(!ark_str_has(m.bot_id) || m.bot_id.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_doc *doc;
	if (doc == NULL)
		doc = json_doc_new();
	struct ark_err err = { 0 };
	struct json_val root;
	char *text = fuzz_padded(data, size);
	if (json_doc_parse(doc, text, size, &root, &err) == ARK_OK) {
		struct json_iter it = json_items(root);
		for (struct json_val x; json_next(&it, &x);)
			decode(x);
		decode(root);
	}
	free(text);
	return 0;
}
