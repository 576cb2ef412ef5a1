/*
 * What people will see: random texts and styles, translated and shown by the model of the web
 * client, must show what Slack shows. The seed is fixed, so that a failure can be seen again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/utf8.h"
#include "import/translate/blocks.h"
#include "tests/harness/mm_markdown.h"
#include "tests/harness/tap.h"
#include "tests/unit/translate/world.h"

static const struct mm_options VISIBLE = { .visible = true };

static struct ark_buf text, out, shown, have, want;
static uint64_t seed;

/* ARK_TEST_SEED tries other texts than those of every day. */
static void plant(uint64_t usual)
{
	const char *other = getenv("ARK_TEST_SEED");
	seed = other != NULL ? strtoull(other, NULL, 10) : usual;
}

static uint32_t next_random(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* --- comparing --- */

/* Without what nobody sees: U+200B, the kind and number of blanks. */
static void normalise(struct ark_str s, struct ark_buf *to)
{
	bool blank = false;
	ark_buf_reset(to);
	for (size_t i = 0, len; i < s.len; i += len) {
		uint32_t r = ark_utf8_at(s, i, &len);
		if (r == 0x200B)
			continue;
		if (ark_utf8_is_space(r)) {
			blank = true;
			continue;
		}
		if (blank && to->len > 0)
			ark_buf_c(to, ' ');
		blank = false;
		ark_buf_add(to, s.ptr + i, len);
	}
}

static void expect_literal(struct ark_str s, struct ark_buf *to)
{
	ark_auto(ark_buf_release) struct ark_buf html;
	ark_buf_init(&html, 1u << 20);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '&' || c == '<' || c == '>')
			ark_buf_z(&html, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
		else
			ark_buf_c(&html, c);
	}
	normalise(ark_buf_view(&html), to);
}

static void render(void)
{
	ark_buf_reset(&shown);
	mm_render(&VISIBLE, ark_buf_view(&out), &shown);
	normalise(ark_buf_view(&shown), &have);
}

static bool same(void)
{
	if (ark_str_eq(ark_buf_view(&have), ark_buf_view(&want)))
		return true;
	printf("# text  '%s'\n# out   '%s'\n# shown '%s'\n# want  '%s'\n", text.data, out.data,
	       have.data, want.data);
	return false;
}

/* --- literal text --- */

static const char *const PIECES[] = {
	"*",
	"*",
	"**",
	"***",
	"_",
	"_",
	"__",
	"~",
	"~~",
	"~~~",
	"`",
	"``",
	"```",
	"\\",
	"\\\\",
	"[",
	"]",
	"](",
	"(",
	")",
	"!",
	"![",
	"<",
	">",
	"&",
	"&amp;",
	"&lt;",
	"&#65;",
	"#",
	"# ",
	"## ",
	"+",
	"+ ",
	"-",
	"--",
	"---",
	"- ",
	"=",
	"===",
	"|",
	"|-|",
	"---|",
	":",
	"::",
	".",
	",",
	"'",
	"\"",
	"/",
	"{",
	"}",
	";",
	"?",
	"a",
	"b",
	"word",
	"x1",
	"é",
	"日本",
	"😀",
	" ",
	" ",
	" ",
	"  ",
	"    ",
	"\n",
	"\n",
	"\n\n",
	"\t",
	"[a]: http://x",
	"http://e.x/",
	"http://e.x/a_b*c*",
	"www.e.x/*a*",
	"e.com/_a_",
	"<b>",
	"</b>",
	"<div>",
	"<!--",
	"-->",
	"a@b.org",
	"<a@b.org>",
	"<http://e.x/a>",
	"> ",
	"\xe2\x80\x8b",
	"$",
	"%",
	"^",
	"mailto:",
	"http://e.x/a(b",
	"01. ",
	"javascript:x",
};
#define N_PIECES (sizeof(PIECES) / sizeof(PIECES[0]))

static void random_text(uint32_t most)
{
	ark_buf_reset(&text);
	for (uint32_t n = 1 + next_random(most); n > 0; n--)
		ark_buf_z(&text, PIECES[next_random(N_PIECES)]);
}

static void literal_text_shows_as_it_is(void)
{
	plant(1);
	int bad = 0;
	for (int i = 0; i < 40000 && bad < 10; i++) {
		random_text(i % 3 == 0 ? 30 : 10);
		ark_buf_reset(&out);
		text_literal(ark_buf_view(&text), &out);
		render();
		expect_literal(ark_buf_view(&text), &want);
		bad += !same();
	}
	CHECK_I64(bad, 0);
}

/* Everything of three characters out of those that can act. */
static void every_short_text_shows_as_it_is(void)
{
	static const char set[] = "*_~`[]()<>\\!#+-=|&:.a \n";
	int bad = 0;
	for (uint32_t n = 0; n < 23u * 23 * 23 * 23 && bad < 10; n++) {
		ark_buf_reset(&text);
		for (uint32_t k = n, i = 0; i < 4; i++, k /= 23)
			ark_buf_c(&text, set[k % 23]);
		ark_buf_reset(&out);
		text_literal(ark_buf_view(&text), &out);
		render();
		expect_literal(ark_buf_view(&text), &want);
		bad += !same();
	}
	CHECK_I64(bad, 0);
}

static void plain_fields_show_as_they_are(void)
{
	plant(2);
	int bad = 0;
	for (int i = 0; i < 20000 && bad < 10; i++) {
		random_text(12);
		ark_auto(ark_buf_release) struct ark_buf slack;
		ark_buf_init(&slack, 1u << 20);
		for (size_t k = 0; k < text.len; k++) {
			char c = text.data[k];
			if (c == '&' || c == '<' || c == '>')
				ark_buf_z(&slack, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
			else
				ark_buf_c(&slack, c);
		}
		ark_buf_reset(&out);
		text_translate(&WORLD, ark_buf_view(&slack), TEXT_PLAIN_FORMAT, &out);
		render();
		expect_literal(ark_buf_view(&text), &want);
		bad += !same();
	}
	CHECK_I64(bad, 0);
}

/* --- styles --- */

#define BOLD   1u
#define ITALIC 2u
#define STRIKE 4u
#define CODE   8u

struct letter {
	uint32_t rune;
	unsigned style;
};

#define MAX_LETTERS 2000

struct letters {
	struct letter l[MAX_LETTERS];
	size_t n;
};

static void add_letters(struct letters *to, struct ark_str s, unsigned style)
{
	for (size_t i = 0, len; i < s.len && to->n < MAX_LETTERS; i += len) {
		uint32_t r = ark_utf8_at(s, i, &len);
		if (r != 0x200B && !ark_utf8_is_space(r))
			to->l[to->n++] = (struct letter){ r, style };
	}
}

/* What the model shows, letter by letter; an unknown tag is a letter that nothing is like. */
static void read_letters(struct ark_str s, struct letters *to)
{
	static const struct {
		const char *name;
		unsigned style;
	} tags[] = { { "strong", BOLD }, { "em", ITALIC }, { "del", STRIKE }, { "code", CODE } };
	unsigned style = 0;
	to->n = 0;
	for (size_t i = 0; i < s.len;) {
		size_t end = s.ptr[i] == '<' ? ark_str_find(s, '>', i) : SIZE_MAX;
		if (end != SIZE_MAX) {
			struct ark_str tag = ark_str_n(s.ptr + i + 1, end - i - 1);
			bool close = ark_str_starts(tag, ARK_LIT("/"));
			size_t k = 0;
			while (k < 4 && !ark_str_eqz(ark_str_from(tag, close), tags[k].name))
				k++;
			if (k == 4)
				add_letters(to, ARK_LIT("\xef\xbf\xbd"), style);
			else
				style = close ? style & ~tags[k].style : style | tags[k].style;
			i = end + 1;
			continue;
		}
		struct ark_str rest = ark_str_from(s, i);
		bool entity = false;
		static const char *const names[] = { "&amp;", "&lt;", "&gt;" };
		for (size_t k = 0; k < 3 && !entity; k++)
			if (ark_str_starts(rest, ark_str_z(names[k]))) {
				add_letters(to, ark_str_n(&"&<>"[k], 1), style);
				i += strlen(names[k]);
				entity = true;
			}
		if (entity)
			continue;
		size_t len;
		ark_utf8_at(s, i, &len);
		add_letters(to, ark_str_n(s.ptr + i, len), style);
		i += len;
	}
}

static bool same_letters(const struct letters *a, const struct letters *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->l[i].rune != b->l[i].rune || a->l[i].style != b->l[i].style)
			return false;
	return true;
}

static void put_run(struct ark_buf *json, struct ark_str s, unsigned style)
{
	ark_buf_z(json, "{\"type\":\"text\",\"text\":");
	ark_buf_json(json, s);
	ark_buf_fmt(json, ",\"style\":{\"bold\":%s,\"italic\":%s,\"strike\":%s,\"code\":%s}}",
		    style & BOLD ? "true" : "false", style & ITALIC ? "true" : "false",
		    style & STRIKE ? "true" : "false", style & CODE ? "true" : "false");
}

static struct json_doc *doc;

/* Translate one rich_text section of these elements, and show it. */
static void show_elements(struct ark_buf *json)
{
	struct json_val root;
	struct ark_err err = { 0 };
	ark_buf_z(json, "]}]}]");
	size_t len = json->len;
	for (int i = 0; i < JSON_PADDING; i++)
		ark_buf_c(json, ' ');
	CHECK(json_doc_parse(doc, json->data, len, &root, &err) == ARK_OK);
	ark_buf_reset(&out);
	blocks_translate(&WORLD, root, &out);
	ark_buf_reset(&shown);
	mm_render(&VISIBLE, ark_buf_view(&out), &shown);
}

#define SECTION                                                                                    \
	"[{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_section\",\"elements\":["

static void check_styles(uint64_t from, const char *const *pieces, uint32_t n_pieces, int rounds)
{
	static struct letters have_letters, want_letters;
	ark_auto(ark_buf_release) struct ark_buf json, run;
	ark_buf_init(&json, 1u << 20);
	ark_buf_init(&run, 1u << 20);
	plant(from);
	int bad = 0;
	for (int i = 0; i < rounds && bad < 10; i++) {
		ark_buf_reset(&json);
		ark_buf_z(&json, SECTION);
		want_letters.n = 0;
		for (uint32_t runs = 1 + next_random(5), k = 0; k < runs; k++) {
			unsigned style = next_random(3) == 0 ? 0 : next_random(8);
			ark_buf_reset(&run);
			if (next_random(6) == 0) {
				style |= CODE;
				ark_buf_z(&run, next_random(2) ? "x = y" : "a`b");
			}
			for (uint32_t n = 1 + next_random(4); n > 0 && !(style & CODE); n--)
				ark_buf_z(&run, pieces[next_random(n_pieces)]);
			if (k > 0)
				ark_buf_c(&json, ',');
			put_run(&json, ark_buf_view(&run), style);
			add_letters(&want_letters, ark_buf_view(&run), style);
		}
		show_elements(&json);
		read_letters(ark_buf_view(&shown), &have_letters);
		if (!same_letters(&have_letters, &want_letters)) {
			bad++;
			ark_buf_cut(&json, json.len - JSON_PADDING);
			printf("# json  %s\n# out   '%s'\n# shown '%s'\n", json.data, out.data,
			       shown.data);
		}
	}
	CHECK_I64(bad, 0);
}

static void styles_show_where_they_are(void)
{
	static const char *const words[] = { "a",  "word", "b c", " ", " x",   "y ", ".",
					     ", ", "(",    ")",   "é", "日本", "😀",  "\"",
					     "'s", "1",    "-",   ":", "\n",   "?" };
	check_styles(3, words, sizeof(words) / sizeof(words[0]), 40000);
}

static void styles_show_around_marks(void)
{
	static const char *const marks[] = { "a", "b ",    " c", " ",  "*",   "**", "_",    "__",
					     "~", "~~",    "`",  "``", "\\",  "[",  "](x)", "<",
					     ">", "&amp;", "!",  "\"", "x_y", ".",  "日",   "😀" };
	check_styles(4, marks, sizeof(marks) / sizeof(marks[0]), 40000);
}

/* Words with Slack's marks around them, between what may stand there. */
static void mrkdwn_styles_show(void)
{
	static const struct {
		const char *open, *close;
		unsigned style;
	} wraps[] = { { "", "", 0 },
		      { "", "", 0 },
		      { "*", "*", BOLD },
		      { "_", "_", ITALIC },
		      { "~", "~", STRIKE },
		      { "`", "`", CODE },
		      { "*_", "_*", BOLD | ITALIC },
		      { "_*", "*_", BOLD | ITALIC },
		      { "~*", "*~", STRIKE | BOLD },
		      { "*~_", "_~*", BOLD | STRIKE | ITALIC },
		      { "**", "**", BOLD },
		      { "*`", "`*", BOLD | CODE } };
	static const char *const words[] = { "word",    "日本", "a b", "x1", "a.b",    "5",
					     "foo_bar", "it's", "😀",   "C#", "x&amp;y" };
	static const char *const between[] = { " ",   " ",  ", ", " (",      ") ",           "\n",
					       " - ", ": ", "! ", " 2 * 3 ", " snake_case ", " ~5 ",
					       "\n\n" };
	static struct letters have_letters, want_letters;
	int bad = 0;
	plant(6);
	for (int i = 0; i < 40000 && bad < 10; i++) {
		ark_buf_reset(&text);
		want_letters.n = 0;
		for (uint32_t n = 1 + next_random(6); n > 0; n--) {
			size_t w = next_random(sizeof(wraps) / sizeof(wraps[0]));
			const char *word = words[next_random(sizeof(words) / sizeof(words[0]))];
			const char *gap =
			    between[next_random(sizeof(between) / sizeof(between[0]))];
			ark_buf_fmt(&text, "%s%s%s%s", wraps[w].open, word, wraps[w].close, gap);
			add_letters(&want_letters,
				    strcmp(word, "x&amp;y") == 0 ? ARK_LIT("x&y") : ark_str_z(word),
				    wraps[w].style);
			add_letters(&want_letters, ark_str_z(gap), 0);
		}
		ark_buf_reset(&out);
		text_translate(&WORLD, ark_buf_view(&text), 0, &out);
		ark_buf_reset(&shown);
		mm_render(&VISIBLE, ark_buf_view(&out), &shown);
		read_letters(ark_buf_view(&shown), &have_letters);
		if (!same_letters(&have_letters, &want_letters)) {
			bad++;
			printf("# slack '%s'\n# out   '%s'\n# shown '%s'\n", text.data, out.data,
			       shown.data);
		}
	}
	CHECK_I64(bad, 0);
}

/* --- links --- */

/* %28 and ( are the same to who follows a link; blanks and U+200B are not looked at. */
static void percent_decode(struct ark_str s, struct ark_buf *to)
{
	static const char hex[] = "0123456789ABCDEF";
	ark_buf_reset(to);
	for (size_t i = 0; i < s.len; i++) {
		const char *high =
		    i + 2 < s.len && s.ptr[i] == '%' ? strchr(hex, s.ptr[i + 1]) : NULL;
		const char *low = high != NULL ? strchr(hex, s.ptr[i + 2]) : NULL;
		char c = s.ptr[i];
		if (low != NULL) {
			c = (char)((high - hex) * 16 + (low - hex));
			i += 2;
		}
		if (ark_str_starts(ark_str_from(s, i), ARK_LIT("\xe2\x80\x8b")))
			i += 2;
		else if (c != ' ' && c != '\n')
			ark_buf_c(to, c);
	}
}

/* The text of `html` without its tags to `plain`, where the first link leads to `href`. */
static int read_links(struct ark_str html, struct ark_buf *plain, struct ark_buf *href)
{
	int links = 0;
	ark_buf_reset(plain);
	ark_buf_reset(href);
	for (size_t i = 0; i < html.len; i++) {
		size_t end = html.ptr[i] == '<' ? ark_str_find(html, '>', i) : SIZE_MAX;
		if (end == SIZE_MAX) {
			static const char *const names[] = { "&amp;", "&lt;", "&gt;" };
			char c = html.ptr[i];
			for (size_t k = 0; k < 3; k++)
				if (ark_str_starts(ark_str_from(html, i), ark_str_z(names[k]))) {
					c = "&<>"[k];
					i += strlen(names[k]) - 1;
					break;
				}
			ark_buf_c(plain, c);
			continue;
		}
		if (ark_str_starts(ark_str_from(html, i), ARK_LIT("<a "))) {
			links++;
			ark_buf_add(href, html.ptr + i + 3, end - i - 3);
		}
		i = end;
	}
	return links;
}

static const char *pick(const char *const *from, size_t n)
{
	return from[next_random((uint32_t)n)];
}

#define PICK(a) pick(a, sizeof(a) / sizeof((a)[0]))

static void links_lead_where_they_should(void)
{
	static const char *const urls[] = {
		"http://e.x/a",        "https://e.x/a_b_c",    "http://e.x/a_",
		"http://e.x/*a*",      "http://e.x/(a)",       "http://e.x/a(b",
		"http://e.x/a)b",      "https://e.x/@u/x_",    "https://e.x/@u",
		"http://e.x/?a=1&b=2", "http://e.x/?a=1&lt;b", "slack://x",
		"tel:+49123",          "mailto:a@b.c",         "http://e.x/a b",
		"http://e.x/~x~~y",    "http://e.x/a,b.",      "http://e.x/日本",
		"http://e.x/a'b\"c",   "http://e.x/a[b]c",     "http://e.x/a|b",
		"ftp://e.x/",          "http://e.x/a<b>c",     "http://e.x/`a`",
		"http://e.x/a#b!",     "http://e.x/\\_a"
	};
	static const char *const labels[] = {
		"",      "",    "",     "l",   "two words",      "a*b*c", "[x]",
		"a]b",   "[",   "_it_", "`c`", "x](y)",          "日本",  "<b>",
		"&amp;", "a\\", "!",    "**",  "http://f.x/_z_", "a\nb",  "~~s~~"
	};
	static const char *const around[] = { "",   "",  "a", " ",    " b ", "(", ")", ".",  ", ",
					      "日", "*", "_", "\"",   "!",   "[", "]", "~~", "\\",
					      "<",  ">", "`", "](z)", "1",   ":", "'s" };
	ark_auto(ark_buf_release) struct ark_buf json, plain, href, expect, url_text;
	struct ark_buf *all[] = { &json, &plain, &href, &expect, &url_text };
	static const struct mm_options options = { 0 };
	for (size_t i = 0; i < 5; i++)
		ark_buf_init(all[i], 1u << 20);
	int bad = 0;
	plant(5);
	for (int i = 0; i < 60000 && bad < 10; i++) {
		const char *url = PICK(urls), *label = PICK(labels);
		const char *before = PICK(around), *behind = PICK(around);
		unsigned style = next_random(4) == 0 ? next_random(8) : 0;
		ark_buf_reset(&json);
		ark_buf_z(&json, SECTION);
		put_run(&json, ark_str_z(before), style);
		ark_buf_z(&json, ",{\"type\":\"link\",\"url\":");
		ark_buf_json(&json, ark_str_z(url));
		ark_buf_z(&json, ",\"text\":");
		ark_buf_json(&json, ark_str_z(label));
		ark_buf_z(&json, "},");
		put_run(&json, ark_str_z(behind), next_random(4) == 0 ? style : 0);
		show_elements(&json);
		ark_buf_reset(&shown);
		mm_render(&options, ark_buf_view(&out), &shown);
		ark_buf_reset(&expect);
		ark_buf_fmt(&expect, "%s%s%s", before,
			    *label                            ? label
			    : strncmp(url, "mailto:", 7) == 0 ? url + 7
							      : url,
			    behind);
		percent_decode(ark_buf_view(&expect), &want);
		int links = read_links(ark_buf_view(&shown), &plain, &href);
		percent_decode(ark_buf_view(&plain), &have);
		bool right = ark_str_eq(ark_buf_view(&have), ark_buf_view(&want));
		percent_decode(ark_buf_view(&href), &have);
		percent_decode(ark_str_z(url), &url_text);
		right &= links == 1 && ark_str_eq(ark_buf_view(&have), ark_buf_view(&url_text));
		if (!right) {
			bad++;
			printf("# '%s' [%s](%s) '%s' style %u\n# out   '%s'\n# shown '%s'\n",
			       before, label, url, behind, style, out.data, shown.data);
		}
	}
	CHECK_I64(bad, 0);
}

int main(void)
{
	doc = json_doc_new();
	ark_buf_init(&text, 1u << 20);
	ark_buf_init(&out, 1u << 24);
	ark_buf_init(&shown, 1u << 24);
	ark_buf_init(&have, 1u << 24);
	ark_buf_init(&want, 1u << 24);
	TAP_RUN(literal_text_shows_as_it_is);
	TAP_RUN(every_short_text_shows_as_it_is);
	TAP_RUN(plain_fields_show_as_they_are);
	TAP_RUN(styles_show_where_they_are);
	TAP_RUN(styles_show_around_marks);
	TAP_RUN(mrkdwn_styles_show);
	TAP_RUN(links_lead_where_they_should);
	json_doc_free(doc);
	ark_buf_release(&text);
	ark_buf_release(&out);
	ark_buf_release(&shown);
	ark_buf_release(&have);
	ark_buf_release(&want);
	return tap_done();
}
