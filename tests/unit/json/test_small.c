#include "common/json/small.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/harness/tap.h"

static void values_by_path(void)
{
	struct ark_err err = { 0 };
	ark_auto(json_small_freep) struct json_small *doc = NULL;
	CHECK(json_small_parse(ARK_LIT("{\"a\": {\"b\": \"x\\u00e9\", \"on\": true, \"n\": -5, \"\": 1},"
	                               " \"nul\": null, \"empty\": \"\"}"), &doc, &err) == ARK_OK);
	if (doc == NULL)
		return;
	CHECK_STR(json_small_str(doc, "a.b"), "x\xc3\xa9");
	CHECK(ark_str_has(json_small_str(doc, "empty")) && json_small_str(doc, "empty").len == 0);
	CHECK(!ark_str_has(json_small_str(doc, "a.on")) && !ark_str_has(json_small_str(doc, "nul")));
	CHECK(!ark_str_has(json_small_str(doc, "a.b.c")) && !ark_str_has(json_small_str(doc, "a.bb")));
	CHECK(json_small_has(doc, "nul") && json_small_has(doc, "a") && !json_small_has(doc, "b"));
	CHECK(json_small_has(doc, "a."));
	bool on = false;
	int64_t n = 0;
	CHECK(json_small_bool(doc, "a.on", &on) && on);
	CHECK(!json_small_bool(doc, "a.n", &on) && !json_small_i64(doc, "a.on", &n));
	CHECK(json_small_i64(doc, "a.n", &n) && n == -5);
}

static void errors_name_the_place_and_quote_nothing(void)
{
	static const char *const BAD[] = { "", "{\"Password\": \"s3cret\"", "{\"s3cret\": \n s3cret}",
		                           "{} s3cret", "\xff\xfe" };
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct ark_err err = { 0 };
		struct json_small *doc = NULL;
		CHECK(json_small_parse(ark_str_z(BAD[i]), &doc, &err) == ARK_FAIL && doc == NULL);
		CHECK(err.kind == ARK_KIND_INPUT && strstr(err.text, "s3cret") == NULL);
		CHECK(strstr(err.text, "line ") != NULL);
	}
}

static void files(void)
{
	struct ark_err err = { 0 };
	ark_auto(json_small_freep) struct json_small *doc = NULL;
	char path[] = "/tmp/ark-small.XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, "{\"a\": \"b\"}", 10) == 10 && close(fd) == 0);
	CHECK(json_small_file(path, &doc, &err) == ARK_OK);
	CHECK_STR(json_small_str(doc, "a"), "b");
	unlink(path);
	json_small_freep(&doc);
	CHECK(json_small_file(path, &doc, &err) < 0 && err.kind == ARK_KIND_MISSING);
	CHECK(json_small_file("/tmp", &doc, &err) < 0 && err.kind == ARK_KIND_INPUT);
	CHECK(doc == NULL);
}

int main(void)
{
	TAP_RUN(values_by_path);
	TAP_RUN(errors_name_the_place_and_quote_nothing);
	TAP_RUN(files);
	return tap_done();
}
