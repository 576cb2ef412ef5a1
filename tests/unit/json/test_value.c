#include <stdlib.h>

#include "common/base/mem.h"
#include "common/json/value.h"
#include "tests/harness/tap.h"

static struct json_doc *doc;

/* Parse a copy in a block of exactly the documented size. */
static enum ark_rc parse(const char *text, struct json_val *root)
{
	static char *block;
	struct ark_err err = { 0 };
	size_t len = strlen(text);
	free(block);
	block = ark_malloc(len + JSON_PADDING);
	memcpy(block, text, len);
	memset(block + len, 'x', JSON_PADDING);
	return json_doc_parse(doc, block, len, root, &err);
}

static void values_of_each_type(void)
{
	struct json_val root;
	CHECK(parse("{\"a\":[1,\"2\",3.0,null,true],\"s\":\"x\\u0000y\",\"o\":{}}", &root) == ARK_OK);
	CHECK_I64(json_type(root), JSON_OBJECT);
	CHECK_I64(json_count(root), 3);
	CHECK_I64(json_count(json_get(root, "a")), 5);
	int64_t sum = 0, i;
	struct json_iter it = json_items(json_get(root, "a"));
	for (struct json_val v; json_next(&it, &v);)
		if (json_i64(v, &i))
			sum += i;
	CHECK_I64(sum, 6);
	CHECK_I64(json_str(json_get(root, "s")).len, 3);
	CHECK_I64(json_type(json_get(root, "nope")), JSON_MISSING);
	CHECK(!ark_str_has(json_text(json_get(root, "o"))));
}

static void what_is_strict(void)
{
	struct json_val root;
	CHECK(parse("[\"\\ud800\"]", &root) == ARK_FAIL);
	CHECK(parse("[\"\xff\"]", &root) == ARK_FAIL);
	CHECK(parse("[1] 2", &root) == ARK_FAIL);
	CHECK(parse("", &root) == ARK_FAIL);
	char *deep = ark_malloc(20001);
	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	deep[20000] = '\0';
	CHECK(parse(deep, &root) == ARK_FAIL);
	free(deep);
	CHECK(parse("[[]]", &root) == ARK_OK);
}

int main(void)
{
	doc = json_doc_new();
	TAP_RUN(values_of_each_type);
	TAP_RUN(what_is_strict);
	json_doc_free(doc);
	return tap_done();
}
