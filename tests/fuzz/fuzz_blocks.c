/*
 * Any JSON as blocks: valid UTF-8 of a size that the input explains, nothing when nothing is said.
 */
#include "common/base/utf8.h"
#include "import/translate/blocks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_world.h"

#include "common/base/banned.h"

static void translate(struct json_val blocks, size_t size)
{
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, 1u << 28);
	enum blocks_result result = blocks_translate(&FUZZ_WORLD, blocks, &out);
	FUZZ_CLAIM(!out.failed);
	FUZZ_CLAIM((result == BLOCKS_NOTHING) == (out.len == 0));
	FUZZ_CLAIM(ark_utf8_valid(ark_buf_view(&out)));
	FUZZ_CLAIM(out.len <= FUZZ_GROWTH * size + 64);
	FUZZ_CLAIM(memchr(out.data, 1, out.len) == NULL);
	(void)blocks_missing_words(ark_buf_view(&out), ark_buf_view(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_doc *doc; /* as in the tool: one for many messages */
	struct json_val root;
	struct ark_err err = { 0 };
	if (size > (1u << 20))
		return 0;
	if (doc == NULL)
		doc = json_doc_new();
	char *copy = fuzz_padded(data, size);
	if (json_doc_parse(doc, copy, size, &root, &err) == ARK_OK)
		translate(root, size);
	free(copy);
	return 0;
}
