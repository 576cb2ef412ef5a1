/* Any bytes as a JSON document: refused, or every value in it is what the header promises. */
#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "common/json/value.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void walk(struct json_val v, int depth)
{
	FUZZ_CLAIM(depth <= LIMIT_JSON_DEPTH);
	int64_t n;
	double f;
	struct ark_str s = json_str(v);
	FUZZ_CLAIM(ark_str_has(s) == (json_type(v) == JSON_STRING));
	FUZZ_CLAIM(!ark_str_has(s) || ark_utf8_valid(s));
	FUZZ_CLAIM(!json_i64(v, &n) || json_type(v) == JSON_NUMBER || json_type(v) == JSON_STRING);
	FUZZ_CLAIM(!json_f64(v, &f) || json_type(v) == JSON_NUMBER || json_type(v) == JSON_STRING);
	size_t count = 0;
	struct json_iter it = json_items(v);
	for (struct json_val x; json_next(&it, &x); count++)
		walk(x, depth + 1);
	it = json_fields(v);
	struct ark_str key;
	for (struct json_val x; json_next_field(&it, &key, &x); count++) {
		FUZZ_CLAIM(ark_utf8_valid(key));
		walk(x, depth + 1);
	}
	FUZZ_CLAIM(count == json_count(v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_doc *doc;
	if (doc == NULL)
		doc = json_doc_new();
	struct ark_err err = { 0 };
	struct json_val root;
	char *text = fuzz_padded(data, size);
	if (json_doc_parse(doc, text, size, &root, &err) == ARK_OK)
		walk(root, 0);
	else
		FUZZ_CLAIM(err.text[0] != '\0' && err.kind != ARK_KIND_NONE);
	free(text);
	return 0;
}
