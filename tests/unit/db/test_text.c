#include "common/db/text.h"

#include <stdlib.h>

#include "tests/harness/tap.h"

static void identifiers_and_literals_are_quoted(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	db_ident(&b, ARK_LIT("posts"));
	db_ident(&b, ARK_LIT("\"a\"\"b"));
	db_ident(&b, ARK_LIT(""));
	CHECK_STR(ark_buf_view(&b), "\"posts\"\"\"\"a\"\"\"\"b\"\"\"");
	ark_buf_reset(&b);
	db_literal(&b, ARK_LIT("it's \\ ''"));
	CHECK_STR(ark_buf_view(&b), "'it''s \\ '''''");
}

/* The plain way, byte by byte. */
static void slow_copy_text(struct ark_buf *out, struct ark_str s)
{
	static const char FROM[] = "\\\t\n\r", TO[] = "\\tnr";
	for (size_t i = 0; i < s.len; i++) {
		const char *p = s.ptr[i] != '\0' ? strchr(FROM, s.ptr[i]) : NULL;
		if (p != NULL) {
			ark_buf_c(out, '\\');
			ark_buf_c(out, TO[p - FROM]);
		} else {
			ark_buf_c(out, s.ptr[i]);
		}
	}
}

static void copy_text_escapes_what_copy_reads(void)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1000);
	db_copy_text(&b, ARK_LIT("a\tb\\c\nd\re\bf \xc3\xa9"));
	CHECK_STR(ark_buf_view(&b), "a\\tb\\\\c\\nd\\re\bf \xc3\xa9");
}

/* Every length and every place of a special byte around the words of the fast way. */
static void copy_text_agrees_with_the_plain_way(void)
{
	ark_auto(ark_buf_release) struct ark_buf fast, slow;
	ark_buf_init(&fast, 1000);
	ark_buf_init(&slow, 1000);
	unsigned seed = 1;
	for (int round = 0; round < 200000; round++) {
		char text[40];
		size_t len = (size_t)round % sizeof(text);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			unsigned r = seed >> 16;
			text[i] = r % 7 == 0 ? "\\\t\n\r\b\f\v\x0e[]\xdc\x8a"[r / 7 % 12] : (char)(r % 255 + 1);
		}
		ark_buf_reset(&fast);
		ark_buf_reset(&slow);
		db_copy_text(&fast, ark_str_n(text, len));
		slow_copy_text(&slow, ark_str_n(text, len));
		if (!ark_str_eq(ark_buf_view(&fast), ark_buf_view(&slow))) {
			CHECK(false);
			return;
		}
	}
}

int main(void)
{
	TAP_RUN(identifiers_and_literals_are_quoted);
	TAP_RUN(copy_text_escapes_what_copy_reads);
	TAP_RUN(copy_text_agrees_with_the_plain_way);
	return tap_done();
}
