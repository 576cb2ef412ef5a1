/* Long posts in parts. */
#include "common/base/utf8.h"
#include "import/translate/split.h"
#include "tests/harness/tap.h"

#define MAX_PARTS 64

static struct ark_buf parts[MAX_PARTS];
static size_t count;

static void split(struct ark_str text, size_t limit)
{
	ark_auto(ark_buf_release) struct ark_buf carry;
	ark_buf_init(&carry, 1000);
	count = 0;
	for (;;) {
		if (count < MAX_PARTS)
			ark_buf_reset(&parts[count]);
		struct ark_buf *part = &parts[count < MAX_PARTS ? count : MAX_PARTS - 1];
		if (!split_next(&text, limit, &carry, part))
			break;
		CHECK(ark_utf8_runes(ark_buf_view(part)) <= limit);
		CHECK(part->len > 0);
		count++;
	}
}

/* `want`: the parts with '|' between them. */
static void check(const char *text, size_t limit, const char *want)
{
	ark_auto(ark_buf_release) struct ark_buf have;
	ark_buf_init(&have, 10000);
	split(ark_str_z(text), limit);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			ark_buf_c(&have, '|');
		ark_buf_str(&have, ark_buf_view(&parts[i]));
	}
	CHECK_STR(ark_buf_view(&have), want);
}

static void short_text_is_one_part(void)
{
	check("", 10, "");
	check("\n\n", 10, "");
	check("hello", 5, "hello");
	check("äöüäö", 5, "äöüäö");
}

static void a_paragraph_is_the_best_place(void)
{
	check("aaa bbb\n\nccc\nddd", 12, "aaa bbb|ccc\nddd");
	check("aa\n\nbb\n\ncc", 6, "aa\n\nbb|cc");
}

static void then_a_line_then_a_blank_then_a_rune(void)
{
	check("aaa bbb\nccc ddd", 12, "aaa bbb|ccc ddd");
	check("aaa bbb ccc ddd", 12, "aaa bbb ccc|ddd");
	check("aaabbbcccddd", 5, "aaabb|bcccd|dd");
	check("日本語日本語日", 3, "日本語|日本語|日");
}

static void runes_are_counted_and_never_cut(void)
{
	check("ää öö üü", 5, "ää öö|üü");
	check("👍🏽👍🏽👍🏽", 3, "👍🏽|👍🏽|👍🏽");
}

static void links_are_never_cut(void)
{
	check("see [a b c](http://e.x/d) end", 26, "see [a b c](http://e.x/d)|end");
	check("see [a b c](http://e.x/d) end", 22, "see|[a b c](http://e.x/d)|end");
	check("see [a b c](http://e.x/d) end", 21, "see|[a b c](http://e.x/d)|end");
	check("日本[日本](http://e.x)日本", 17, "日本|[日本](http://e.x)日|本");
	check("日本@user.name日本語", 12, "日本@user.name|日本語");
	check("日本<http://e.x/日本>日本", 15, "日本|<http://e.x/日本>|日本");
	check("[JIRA] a b c d e f", 12, "[JIRA] a b c|d e f");
}

static void code_spans_are_never_cut(void)
{
	check("see `a b c d` end", 10, "see|`a b c d`|end");
	check("it`s a b c d e f", 8, "it`s a b|c d e f");
}

static void escapes_and_entities_are_never_cut(void)
{
	check("日\\*日&amp;日", 6, "日\\*日|&amp;日");
	check("日\\*日", 2, "日|\\*|日");
}

static void what_would_act_does_not_come_first(void)
{
	check("aa bb # cc dd", 6, "aa|bb #|cc dd");
}

static void fences_are_closed_and_opened_again(void)
{
	check("```c\naaaa\nbbbb\ncccc\n```", 18, "```c\naaaa\nbbbb\n```|```c\ncccc\n```");
	check("> ```\n> aaaa\n> bbbb\n> ```", 20, "> ```\n> aaaa\n> ```|> ```\n> bbbb\n> ```");
	check("xx\n```\naaaa\nbbbb\n```\nyy", 16, "xx\n```\naaaa\n```|```\nbbbb\n```\nyy");
	check("````\n```\nx\n```\n````", 100, "````\n```\nx\n```\n````");
}

static void quotes_go_on(void)
{
	check("> aaa bbb ccc ddd", 10, "> aaa bbb|> ccc ddd");
	check("> aaa bbb ccc ddd eee", 10, "> aaa bbb|> ccc ddd|> eee");
}

static uint32_t seed = 7;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Everything that shows, without what splitting may add: fences and quote marks. */
static void content(struct ark_str s, struct ark_buf *to)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(" \n>`", s.ptr[i]) == NULL)
			ark_buf_c(to, s.ptr[i]);
}

static void nothing_is_lost(void)
{
	static const char *const pieces[] = {
		"word",
		" ",
		" ",
		"\n",
		"\n\n",
		"日本",
		"[a b](http://e.x/(y))",
		"`a b`",
		"> ",
		"- x",
		"@bob",
		"~general",
		"\\*",
		"&amp;",
		"**b c**",
		"\n```\ncode a\ncode b\n\ncode c\n```\n",
		"[",
		"](",
		")",
		"<http://e.x/z>",
		"    ",
		"👍🏽",
		"#",
		"1. ",
	};
	ark_auto(ark_buf_release) struct ark_buf text, all, want, have;
	ark_buf_init(&text, 100000);
	ark_buf_init(&all, 100000);
	ark_buf_init(&want, 100000);
	ark_buf_init(&have, 100000);
	for (int round = 0; round < 20000; round++) {
		ark_buf_reset(&text);
		ark_buf_reset(&want);
		ark_buf_reset(&have);
		for (uint32_t n = 1 + next_random(30); n > 0; n--)
			ark_buf_z(&text, pieces[next_random(sizeof(pieces) / sizeof(pieces[0]))]);
		size_t limit = 1 + next_random(60);
		ark_auto(ark_buf_release) struct ark_buf carry, part;
		ark_buf_init(&carry, 1000);
		ark_buf_init(&part, 100000);
		struct ark_str rest = ark_buf_view(&text);
		bool whole = true;
		while (split_next(&rest, limit, &carry, &part)) {
			whole &= ark_utf8_runes(ark_buf_view(&part)) <= limit && part.len > 0;
			whole &= ark_utf8_valid(ark_buf_view(&part));
			content(ark_buf_view(&part), &have);
			ark_buf_reset(&part);
		}
		content(ark_buf_view(&text), &want);
		whole &= ark_str_eq(ark_buf_view(&want), ark_buf_view(&have));
		if (!whole) {
			printf("# limit %zu text '%s'\n", limit, text.data);
			CHECK(whole);
			return;
		}
	}
}

/* A megabyte of one pattern at the limit of a real server: anything but linear would not end. */
static void hostile_input_takes_linear_time(void)
{
	static const char *const patterns[] = { "[",     "](",    "[](",      "`",  "``` ",
						"```\n", "<",     "<a",       "&a", " ",
						"\\",    "> ",    "[a](",     "1",  "[a](b) ",
						"\n",    "a\n\n", "\n```\nx", "日", "> ```\n" };
	ark_auto(ark_buf_release) struct ark_buf text, carry, part;
	ark_buf_init(&text, 2u << 20);
	ark_buf_init(&carry, 1000);
	ark_buf_init(&part, 1u << 20);
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		ark_buf_reset(&text);
		while (text.len < (1u << 20))
			ark_buf_z(&text, patterns[p]);
		ark_buf_reset(&carry);
		struct ark_str rest = ark_buf_view(&text);
		size_t n = 0;
		for (; split_next(&rest, 16383, &carry, &part); n++)
			ark_buf_reset(&part);
		CHECK(n < 400);
	}
}

int main(void)
{
	for (size_t i = 0; i < MAX_PARTS; i++)
		ark_buf_init(&parts[i], 1u << 20);
	TAP_RUN(short_text_is_one_part);
	TAP_RUN(a_paragraph_is_the_best_place);
	TAP_RUN(then_a_line_then_a_blank_then_a_rune);
	TAP_RUN(runes_are_counted_and_never_cut);
	TAP_RUN(links_are_never_cut);
	TAP_RUN(code_spans_are_never_cut);
	TAP_RUN(escapes_and_entities_are_never_cut);
	TAP_RUN(what_would_act_does_not_come_first);
	TAP_RUN(fences_are_closed_and_opened_again);
	TAP_RUN(quotes_go_on);
	TAP_RUN(nothing_is_lost);
	TAP_RUN(hostile_input_takes_linear_time);
	for (size_t i = 0; i < MAX_PARTS; i++)
		ark_buf_release(&parts[i]);
	return tap_done();
}
