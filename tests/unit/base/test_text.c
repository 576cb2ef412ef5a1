/* Strings, buffers, UTF-8, maps, arenas. */
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/utf8.h"
#include "tests/harness/tap.h"

static void buf_stops_at_its_ceiling(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 10);
	ark_buf_z(&b, "12345678");
	ark_buf_z(&b, "abc");
	ark_buf_z(&b, "9");
	struct ark_err err = { 0 };
	CHECK(b.failed);
	CHECK(ark_buf_ok(&b, "text", &err) == ARK_FAIL);
	CHECK(err.kind == ARK_KIND_LIMIT);
	ark_buf_reset(&b);
	CHECK(ark_buf_ok(&b, "text", &err) == ARK_OK);
}

static void json_strings_are_escaped(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	ark_buf_json(&b, ARK_LIT("a\"\\\n\x01é"));
	CHECK_STR(ark_buf_view(&b), "\"a\\\"\\\\\\n\\u0001é\"");
}

static void cleaning_removes_nul_and_bad_bytes(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	ark_utf8_clean(&b, ARK_LIT("a\0b\xff"
	                           "c\xed\xa0\x80"
	                           "d\xef\xbf\xbd"));
	CHECK(ark_utf8_valid(ark_buf_view(&b)));
	CHECK_STR(ark_buf_view(&b), "ab\xef\xbf\xbd"
	                            "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	                            "d\xef\xbf\xbd");
}

static void cutting_never_splits_a_rune(void)
{
	CHECK_STR(ark_utf8_first(ARK_LIT("äöü"), 2), "äö");
	CHECK_STR(ark_utf8_first_bytes(ARK_LIT("äöü"), 3), "ä");
	CHECK_I64(ark_utf8_runes(ARK_LIT("a😀b")), 3);
}

static void columns_on_a_terminal(void)
{
	CHECK_I64(ark_utf8_columns(ARK_LIT("ab")), 2);
	CHECK_I64(ark_utf8_columns(ARK_LIT("日本")), 4);
	CHECK_I64(ark_utf8_columns(ARK_LIT("e\xcc\x81")), 1);
	CHECK_STR(ark_utf8_first_columns(ARK_LIT("日本"), 3), "日");
	CHECK_STR(ark_utf8_first_columns(ARK_LIT("e\xcc\x81x"), 1), "e\xcc\x81");
}

static void ascii_form_of_names(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	ark_utf8_ascii_lower(&b, ARK_LIT("Zoë Ærø-ẞ日"), '-');
	CHECK_STR(ark_buf_view(&b), "zoe aero-ss-");
}

static void map_keeps_order_and_replaces(void)
{
	ark_auto(ark_map_release) struct ark_map m = { 0 };
	for (uint32_t i = 0; i < 1000; i++) {
		char key[16];
		int n = snprintf(key, sizeof(key), "k%u", i);
		ark_map_put(&m, ark_str_n(key, (size_t)n), i);
	}
	ark_map_put(&m, ARK_LIT("k7"), 70);
	CHECK_I64(ark_map_get(&m, ARK_LIT("k7")), 70);
	CHECK_I64(ark_map_get(&m, ARK_LIT("k999")), 999);
	CHECK(ark_map_get(&m, ARK_LIT("nope")) == ARK_MAP_NONE);
	CHECK_STR(ark_map_key(&m, 3), "k3");
	CHECK_I64(m.count, 1000);
}

static void full_arena_says_so(void)
{
	struct ark_arena a;
	ark_arena_init(&a, 64);
	CHECK(ark_arena_take(&a, 40) != NULL);
	CHECK(ark_arena_take(&a, 40) == NULL);
	ark_arena_reset(&a);
	CHECK(ark_arena_take(&a, 64) != NULL);
	ark_arena_release(&a);
}

int main(void)
{
	TAP_RUN(buf_stops_at_its_ceiling);
	TAP_RUN(json_strings_are_escaped);
	TAP_RUN(cleaning_removes_nul_and_bad_bytes);
	TAP_RUN(cutting_never_splits_a_rune);
	TAP_RUN(columns_on_a_terminal);
	TAP_RUN(ascii_form_of_names);
	TAP_RUN(map_keeps_order_and_replaces);
	TAP_RUN(full_arena_says_so);
	return tap_done();
}
