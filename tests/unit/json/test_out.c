/* JSON that is written: structure, escapes, exact numbers. */
#include "common/json/out.h"

#include "tests/harness/tap.h"

#include "common/base/banned.h"

static struct ark_buf buf;
static struct json_out out;

static void begin(bool indent)
{
	ark_buf_reset(&buf);
	json_out_begin(&out, &buf, indent);
}

static void test_compact(void)
{
	begin(false);
	json_out_open(&out, NULL);
	json_out_text(&out, "a", ARK_LIT("x"));
	json_out_open_list(&out, "b");
	json_out_u64(&out, NULL, 1);
	json_out_open(&out, NULL);
	json_out_close(&out);
	json_out_close(&out);
	json_out_bool(&out, "c", false);
	json_out_end(&out);
	CHECK_STR(ark_buf_view(&buf), "{\"a\":\"x\",\"b\":[1,{}],\"c\":false}\n");
}

static void test_indented(void)
{
	begin(true);
	json_out_open(&out, NULL);
	json_out_u64(&out, "n", 1);
	json_out_open_list(&out, "empty");
	json_out_close(&out);
	json_out_open_list(&out, "l");
	json_out_i64(&out, NULL, -1);
	json_out_i64(&out, NULL, 2);
	json_out_end(&out);
	CHECK_STR(ark_buf_view(&buf),
	          "{\n\t\"n\": 1,\n\t\"empty\": [],\n\t\"l\": [\n\t\t-1,\n\t\t2\n\t]\n}\n");
}

static void test_exact(void)
{
	begin(false);
	json_out_open_list(&out, NULL);
	json_out_u64(&out, NULL, UINT64_MAX);
	json_out_i64(&out, NULL, INT64_MIN);
	json_out_seconds(&out, NULL, 12005);
	json_out_seconds(&out, NULL, -1);
	json_out_time(&out, NULL, 1700000000123);
	json_out_time(&out, NULL, 0);
	json_out_end(&out);
	CHECK_STR(ark_buf_view(&buf), "[18446744073709551615,-9223372036854775808,12.005,-0.001,"
	                              "\"2023-11-14T22:13:20.123Z\",null]\n");
}

static void test_hostile(void)
{
	begin(false);
	json_out_open_list(&out, NULL);
	json_out_text(&out, NULL, ARK_STR_NONE);
	json_out_text(&out, NULL, ARK_LIT("\"\\\n\x01\x00"));
	json_out_text(&out, NULL, ARK_LIT("a\xff" "b"));
	json_out_end(&out);
	CHECK_STR(ark_buf_view(&buf),
	          "[null,\"\\\"\\\\\\n\\u0001\\u0000\",\"a\xef\xbf\xbd" "b\"]\n");
}

/* The owner empties the buffer between two members. */
static void test_drained(void)
{
	begin(false);
	json_out_open_list(&out, NULL);
	json_out_u64(&out, NULL, 1);
	ark_buf_reset(&buf);
	json_out_u64(&out, NULL, 2);
	json_out_end(&out);
	CHECK_STR(ark_buf_view(&buf), ",2]\n");
}

int main(void)
{
	ark_buf_init(&buf, 1u << 16);
	TAP_RUN(test_compact);
	TAP_RUN(test_indented);
	TAP_RUN(test_exact);
	TAP_RUN(test_hostile);
	TAP_RUN(test_drained);
	ark_buf_release(&buf);
	return tap_done();
}
