/*
 * Any JSON as the messages of a channel, up to the record that is loaded: it is well-formed, points at
 * people who are there, holds text that PostgreSQL takes and props that are JSON, and is the same when it
 * is made again.
 */
#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "import/slack/export.h"
#include "import/translate/file.h"
#include "import/translate/message.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static bool channel_name(void *ctx, uint32_t conv, struct ark_str *out)
{
	(void)ctx;
	*out = ARK_LIT("general");
	return conv == 0;
}

static void props_are_json(struct ark_str props)
{
	struct json_doc *doc = json_doc_new();
	struct ark_buf text;
	struct ark_err err = { 0 };
	struct json_val root;
	ark_buf_init(&text, 64u << 20);
	ark_buf_c(&text, '{');
	ark_buf_str(&text, props);
	ark_buf_c(&text, '}');
	char *copy = fuzz_padded((const uint8_t *)text.data, text.len);
	FUZZ_CLAIM(json_doc_parse(doc, copy, text.len, &root, &err) == ARK_OK);
	/* jsonb has no U+0000 */
	FUZZ_CLAIM(ark_str_search(props, ARK_LIT("\\u0000"), 0) == SIZE_MAX);
	free(copy);
	ark_buf_release(&text);
	json_doc_free(doc);
}

static void check_reactions(const struct record *r, uint32_t people)
{
	struct ark_str all = record_part(r, PART_REACTIONS);
	uint32_t n = 0;
	for (size_t at = 0; at < all.len; n++) {
		struct record_reaction x;
		FUZZ_CLAIM(all.len - at > sizeof(x));
		memcpy(&x, all.ptr + at, sizeof(x));
		at += sizeof(x);
		FUZZ_CLAIM(x.person < people);
		FUZZ_CLAIM(x.len > 0 && x.len <= MM_EMOJI_NAME_BYTES && all.len - at >= x.len);
		at += x.len;
	}
	FUZZ_CLAIM(n <= r->reactions); /* two skin tones of one person are one here */
}

static void check_record(const struct record *r, size_t size, const struct slack_people *people)
{
	size_t sum = sizeof(*r);
	for (int i = 0; i < PART_COUNT; i++)
		sum += r->parts[i];
	FUZZ_CLAIM(r->size == size && size % 8 == 0 && sum <= size);
	for (int i = PART_MESSAGE; i <= PART_EXTRA2; i++) {
		struct ark_str s = record_part(r, (enum record_part)i);
		FUZZ_CLAIM(ark_utf8_valid(s) && ark_str_find(s, '\0', 0) == SIZE_MAX);
	}
	FUZZ_CLAIM(r->author == PERSON_NONE || r->author < people->count);
	FUZZ_CLAIM(r->other == PERSON_NONE || r->other < people->count);
	FUZZ_CLAIM(r->ts_us > 0);
	struct ark_str mentions = record_part(r, PART_MENTIONS);
	for (size_t at = 0; at < mentions.len; at += sizeof(uint32_t)) {
		uint32_t person;
		FUZZ_CLAIM(mentions.len - at >= sizeof(person));
		memcpy(&person, mentions.ptr + at, sizeof(person));
		FUZZ_CLAIM(person < people->count);
	}
	struct ark_str files = record_part(r, PART_FILES);
	size_t at = 0;
	unsigned count = 0, groups = file_groups(files);
	for (struct file_entry f; file_next(files, &at, &count, &f);) {
		FUZZ_CLAIM(at <= files.len && f.group < groups && f.reason < FILE_REASONS);
		FUZZ_CLAIM(ark_utf8_valid(f.name) && f.name.len > 0 && f.name.len < 256);
		FUZZ_CLAIM(ark_str_find(f.name, '/', 0) == SIZE_MAX && ark_str_find(f.name, '\0', 0) == SIZE_MAX);
		FUZZ_CLAIM(ark_utf8_valid(f.note) && ark_str_find(f.note, '\0', 0) == SIZE_MAX);
		FUZZ_CLAIM(ark_str_find(f.link, '?', 0) == SIZE_MAX);
	}
	FUZZ_CLAIM(at == files.len);
	check_reactions(r, people->count);
	props_are_json(record_part(r, PART_PROPS));
}

/* What a second run compares, and what people see. */
static void same(const struct ark_buf *a, const struct ark_buf *b)
{
	const struct record *x = (const struct record *)(const void *)a->data;
	const struct record *y = (const struct record *)(const void *)b->data;
	FUZZ_CLAIM(a->len == b->len && x->author == y->author && x->event == y->event);
	FUZZ_CLAIM(memcmp(x->digest, y->digest, sizeof(x->digest)) == 0);
	for (int i = PART_MESSAGE; i <= PART_EXTRA2; i++)
		FUZZ_CLAIM(ark_str_eq(record_part(x, (enum record_part)i), record_part(y, (enum record_part)i)));
}

static void translate(struct translator *t, struct json_val v)
{
	struct slack_message m;
	if (slack_message_decode(v, &m) != MESSAGE_FINE)
		return;
	ark_auto(ark_buf_release) struct ark_buf once = { 0 };
	ark_auto(ark_buf_release) struct ark_buf twice = { 0 };
	ark_buf_init(&once, 64u << 20);
	ark_buf_init(&twice, 64u << 20);
	/* the first time may make people known, which may change what a text says about them */
	(void)translate_message(t, &m, 0, 0, &once);
	ark_buf_reset(&once);
	enum skip_reason skip = translate_message(t, &m, 0, 0, &once);
	FUZZ_CLAIM(translate_message(t, &m, 0, 0, &twice) == skip);
	FUZZ_CLAIM((skip == SKIP_NONE) == (once.len > 0));
	if (skip != SKIP_NONE)
		return;
	same(&once, &twice);
	check_record((const struct record *)(const void *)once.data, once.len, &t->x->people);
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
		struct slack_export x;
		struct translator t;
		struct translate_options options = { 0 };
		struct translate_names names = { .channel = channel_name };
		slack_export_init(&x);
		(void)slack_convs_folder(&x.convs, ARK_LIT("general"));
		translator_init(&t, &x, &names, &options);
		struct json_iter it = json_items(root);
		for (struct json_val v; json_next(&it, &v);)
			translate(&t, v);
		translate(&t, root);
		translator_release(&t);
		slack_export_release(&x);
	}
	free(text);
	return 0;
}
