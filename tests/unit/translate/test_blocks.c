/* Blocks to Markdown: each block type, each inline element, each rule of docs/slack-quirks.md. */
#include "import/translate/blocks.h"
#include "tests/harness/tap.h"
#include "tests/unit/translate/world.h"

static struct ark_buf out, padded;
static struct json_doc *doc;

static enum blocks_result tr(const char *json)
{
	struct json_val root;
	struct ark_err err = { 0 };
	ark_buf_reset(&padded);
	ark_buf_z(&padded, json);
	size_t len = padded.len;
	for (int i = 0; i < JSON_PADDING; i++)
		ark_buf_c(&padded, ' ');
	ark_buf_reset(&out);
	if (json_doc_parse(doc, padded.data, len, &root, &err) != ARK_OK) {
		printf("# bad JSON in a test: %s\n", err.text);
		return -1;
	}
	return blocks_translate(&WORLD, root, &out);
}

static void check(const char *json, const char *want)
{
	CHECK_I64(tr(json), BLOCKS_WHOLE);
	if (!ark_str_eqz(ark_buf_view(&out), want))
		printf("# json %s\n", json);
	CHECK_STR(ark_buf_view(&out), want);
}

/* Parts of one rich_text block; the same with one section around inline elements. */
static void check_rich(const char *parts, const char *want)
{
	ark_auto(ark_buf_release) struct ark_buf json;
	ark_buf_init(&json, 100000);
	ark_buf_fmt(&json, "[{\"type\":\"rich_text\",\"elements\":[%s]}]", parts);
	check(json.data, want);
}

static void check_inline(const char *elements, const char *want)
{
	ark_auto(ark_buf_release) struct ark_buf json;
	ark_buf_init(&json, 100000);
	ark_buf_fmt(&json, "{\"type\":\"rich_text_section\",\"elements\":[%s]}", elements);
	check_rich(json.data, want);
}

#define T(text)         "{\"type\":\"text\",\"text\":\"" text "\"}"
#define ST(text, style) "{\"type\":\"text\",\"text\":\"" text "\",\"style\":{" style "}}"
#define BOLD            "\"bold\":true"
#define ITALIC          "\"italic\":true"
#define STRIKE          "\"strike\":true"
#define CODE            "\"code\":true"
#define SECTION(e)      "{\"type\":\"rich_text_section\",\"elements\":[" e "]}"
#define LIST(style, indent, items)                                                                 \
	"{\"type\":\"rich_text_list\",\"style\":\"" style "\",\"indent\":" indent                  \
	",\"elements\":[" items "]}"
#define QUOTE(e) "{\"type\":\"rich_text_quote\",\"elements\":[" e "]}"
#define PRE(e)   "{\"type\":\"rich_text_preformatted\",\"elements\":[" e "]}"

static void nothing_is_nothing(void)
{
	CHECK_I64(tr("null"), BLOCKS_NOTHING);
	CHECK_I64(tr("5"), BLOCKS_NOTHING);
	CHECK_I64(tr("[]"), BLOCKS_NOTHING);
	CHECK_I64(tr("[null, 3]"), BLOCKS_NOTHING);
	CHECK_I64(tr("{}"), BLOCKS_NOTHING);
	CHECK_I64(tr("[{\"type\":\"rich_text\",\"elements\":[]}]"), BLOCKS_NOTHING);
	CHECK_I64(tr("[{\"type\":\"rich_text\",\"elements\":[" SECTION("") "]}]"), BLOCKS_NOTHING);
	CHECK_I64(out.len, 0);
}

static void text_is_literal(void)
{
	check_inline(T("hello"), "hello");
	check_inline(T("*a* _b_ <@U1> &lt; `c`"), "\\*a\\* \\_b\\_ <@U1> &amp;lt; \\`c\\`");
	check_inline(T("# h\\n> q\\n+ x"), "\\# h\n\\> q\n\\+ x");
	check_inline(T("a\\n\\nb"), "a\n\nb");
	check_inline(T("*") "," T("a") "," T("*"), "\\*a\\*");
}

static void styles_are_marked(void)
{
	check_inline(ST("b", BOLD), "**b**");
	check_inline(ST("i", ITALIC), "_i_");
	check_inline(ST("s", STRIKE), "~~s~~");
	check_inline(ST("c", CODE), "`c`");
	check_inline(ST("u", "\"underline\":true,\"highlight\":true,\"bold\":false"), "u");
}

static void blanks_go_outside_the_marks(void)
{
	check_inline(ST("bold ", BOLD) "," T("x"), "**bold** x");
	check_inline(T("x") "," ST(" bold", BOLD) "," T(" y"), "x **bold** y");
	check_inline(ST("  ", BOLD) "," T("x"), "  x");
	check_inline(T("x") "," ST(" ", ITALIC) "," T("y"), "x y");
	check_inline(ST("a\\n", BOLD) "," T("b"), "**a**\nb");
}

static void runs_of_equal_style_are_one(void)
{
	check_inline(ST("a", BOLD) "," ST("b", BOLD), "**ab**");
	check_inline(ST("a", BOLD) "," T(" ") "," ST("b", BOLD), "**a b**");
	check_inline(ST("a", CODE) "," ST("b", CODE), "`ab`");
}

static void styles_nest_in_a_fixed_order(void)
{
	check_inline(ST("x", STRIKE "," ITALIC "," BOLD), "~~**_x_**~~");
	check_inline(ST("a", BOLD) "," ST("b", BOLD "," ITALIC), "**a*b***");
	check_inline(ST("a ", BOLD) "," ST("b", BOLD "," ITALIC), "**a _b_**");
	check_inline(ST("a", BOLD) "," ST("b", BOLD "," STRIKE), "**a**~~**b**~~");
	check_inline(ST("x", CODE "," BOLD), "**`x`**");
	check_inline(ST("x", CODE "," BOLD "," ITALIC "," STRIKE), "~~**_`x`_**~~");
}

static void code_gets_enough_ticks(void)
{
	check_inline(ST("a`b", CODE), "``a`b``");
	check_inline(ST("`a", CODE), "`` `a ``");
	check_inline(ST("a``b`", CODE), "``` a``b` ```");
	check_inline(ST("a\\nb", CODE), "`a`\n`b`");
	check_inline(ST("*x* <y>", CODE), "`*x* <y>`");
	check_inline(ST("a", CODE) "," ST("b", CODE "," BOLD), "`a`**`b`**");
}

static void styles_end_with_the_line(void)
{
	check_inline(ST("a\\nb", BOLD), "**a**\n**b**");
	check_inline(ST("a\\n\\nb", ITALIC), "_a_\n\n_b_");
}

static void italic_inside_words_uses_stars(void)
{
	check_inline(T("pre") "," ST("it", ITALIC) "," T("post"), "pre*it*post");
	check_inline(T("pre") "," ST("b", BOLD) "," T("post"), "pre**b**post");
	check_inline(ST("it", ITALIC) "," T("."), "_it_.");
	check_inline(ST("it", ITALIC) "," T("。"), "*it*。");
	check_inline(ST("a*b", ITALIC) "," T("c"), "*a&#42;b*c");
	check_inline(ST("a_", ITALIC) "," T(" c"), "*a\\_* c");
	check_inline(ST("it", ITALIC) "," ST("b", BOLD), "_it_**b**");
	check_inline(T("x") "," ST("it", ITALIC) "," ST("b", BOLD), "x*it*\xe2\x80\x8b**b**");
}

static void marks_are_dropped_where_nothing_else_helps(void)
{
	check_inline(ST("see ", BOLD) "," ST("2**3", BOLD "," CODE) "," ST(" ok", BOLD),
		     "see `2**3` ok");
	check_inline(ST("a~", STRIKE) "," T(" b"), "~~a&#126;~~ b");
}

static void links(void)
{
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x\"}", "http://e.x");
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x\",\"text\":\"\"}", "http://e.x");
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x\",\"text\":\"http://e.x\"}",
		     "http://e.x");
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x\",\"text\":\"l\"}",
		     "[l](http://e.x)");
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x/a\"}," T("b"), "<http://e.x/a>b");
	check_inline("{\"type\":\"link\",\"url\":\"http://e.x/a\"}," T(". b"), "http://e.x/a. b");
	check_inline(
	    "{\"type\":\"link\",\"url\":\"http://e.x\",\"text\":\"l\",\"style\":{\"bold\":true}}",
	    "**[l](http://e.x)**");
	check_inline(T("John <") ",{\"type\":\"link\",\"url\":\"mailto:j@example.org\",\"text\":"
				 "\"j@example.org\"}," T(">"),
		     "John &lt;[j@example.org](mailto:j@example.org)>");
	check_inline(
	    "{\"type\":\"link\",\"url\":\"https://w.slack.com/archives/C1/p1549307811074100\"}",
	    "https://mm.example.org/team/pl/abc");
}

static void people_and_channels(void)
{
	check_inline("{\"type\":\"user\",\"user_id\":\"U1\"}," T(" hi"), "@bob hi");
	check_inline("{\"type\":\"user\",\"user_id\":\"U1\"}," T("hi"), "@bob hi");
	check_inline(T("x") ",{\"type\":\"user\",\"user_id\":\"U1\",\"style\":{\"bold\":true}}",
		     "x**@bob**");
	check_inline("{\"type\":\"user\",\"user_id\":\"U9\"}", "@U9");
	check_inline("{\"type\":\"channel\",\"channel_id\":\"C1\"}", "~general");
	check_inline("{\"type\":\"channel\",\"channel_id\":\"C9\"}", "#C9");
	check_inline("{\"type\":\"usergroup\",\"usergroup_id\":\"S1\"}", "@devs");
	check_inline("{\"type\":\"team\",\"team_id\":\"T1\"}", "T1");
	check_inline("{\"type\":\"broadcast\",\"range\":\"here\"}", "@here");
	check_inline("{\"type\":\"broadcast\",\"range\":\"channel\"}", "@channel");
	check_inline("{\"type\":\"broadcast\",\"range\":\"everyone\"}", "@all");
}

static void emoji(void)
{
	check_inline("{\"type\":\"emoji\",\"name\":\"wave\"}", ":wave:");
	check_inline("{\"type\":\"emoji\",\"name\":\"wave\",\"skin_tone\":3}",
		     ":wave_medium_light_skin_tone:");
	check_inline("{\"type\":\"emoji\",\"name\":\"melting_face\",\"unicode\":\"1fae0\"}",
		     "🫠");
	check_inline("{\"type\":\"emoji\",\"name\":\"parrot\"}", ":slack_parrot:");
	check_inline("{\"type\":\"emoji\",\"name\":\"own-one\"}", ":own-one:");
	/* no name of an emoji: what somebody typed */
	check_inline("{\"type\":\"text\",\"text\":\"get\"},{\"type\":\"emoji\",\"name\":\"APIError\"}",
	             "get:APIError:");
	check_inline("{\"type\":\"emoji\",\"name\":\"too_new\",\"unicode\":\"1f44b-1f3fc\"}",
		     "👋🏼");
	check_inline("{\"type\":\"emoji\",\"name\":\"too_new\",\"unicode\":\"zz\"}", ":too_new:");
	check_inline(
	    "{\"type\":\"user\",\"user_id\":\"U1\"},{\"type\":\"emoji\",\"name\":\"wave\"}",
	    "@bob :wave:");
}

static void other_inlines(void)
{
	check_inline("{\"type\":\"date\",\"timestamp\":1392734382,\"format\":\"{date_num}\"}",
		     "2014-02-18");
	check_inline("{\"type\":\"date\",\"timestamp\":1392734382,\"format\":\"{date}\","
		     "\"fallback\":\"then\"}",
		     "then");
	check_inline(
	    "{\"type\":\"date\",\"timestamp\":1,\"fallback\":\"then\",\"url\":\"http://e.x\"}",
	    "[then](http://e.x)");
	check_inline("{\"type\":\"color\",\"value\":\"#ff0000\"}", "`#ff0000`");
	check_inline("{\"type\":\"message_mention\",\"channel_id\":\"C1\",\"message_ts\":"
		     "\"1549307811.074100\",\"label\":\"it\"}",
		     "[it](https://mm.example.org/team/pl/abc)");
	check_inline("{\"type\":\"message_mention\",\"label\":\"it\",\"url\":\"http://e.x\"}",
		     "[it](http://e.x)");
	check_inline("{\"type\":\"canvas\",\"label\":\"Plan\",\"url\":\"http://e.x\"}",
		     "[Plan](http://e.x)");
	check_inline("{\"type\":\"citation\",\"text\":\"said\"}", "said");
}

static void lists_have_marks_and_levels(void)
{
	check_rich(LIST("bullet", "0", SECTION(T("a")) "," SECTION(T("b"))), "- a\n- b");
	check_rich(LIST("ordered", "0", SECTION(T("a")) "," SECTION(T("b"))), "1. a\n2. b");
	check_rich(
	    LIST("bullet", "0", SECTION(T("a"))) "," LIST("bullet", "1", SECTION(T("b"))) "," LIST(
		"bullet", "2", SECTION(T("c"))) "," LIST("bullet", "0", SECTION(T("d"))),
	    "- a\n    - b\n        - c\n- d");
	check_rich(LIST("bullet", "3", SECTION(T("a"))) "," LIST("bullet", "5", SECTION(T("b"))),
		   "- a\n    - b");
	check_rich("{\"type\":\"rich_text_list\",\"style\":\"ordered\",\"offset\":2,\"elements\":"
		   "[" SECTION(T("c")) "]}",
		   "3. c");
	check_rich(
	    LIST("ordered", "0", SECTION(T("a"))) "," LIST(
		"bullet", "1",
		SECTION(T("x"))) ",{\"type\":\"rich_text_list\",\"style\":\"ordered\",\"indent\":0,"
				 "\"offset\":1,\"elements\":[" SECTION(T("b")) "]}",
	    "1. a\n    - x\n2. b");
	check_rich(LIST("bullet", "0", SECTION(T("a\\nb"))), "- a\n  b");
	check_rich(LIST("bullet", "0", SECTION(T("# x")) "," SECTION(T("---"))),
		   "- \\# x\n- \\---");
	check_rich(LIST("bullet", "0", SECTION("")), "- \xe2\x80\x8b");
}

static void what_surrounds_a_list_is_apart(void)
{
	check_rich(SECTION(T("intro\\n")) "," LIST("bullet", "0",
						   SECTION(T("a"))) "," SECTION(T("\\nafter")),
		   "intro\n- a\n\nafter");
	check_rich(LIST("bullet", "0", SECTION(T("a"))) "," LIST("ordered", "0", SECTION(T("b"))),
		   "- a\n\n\xe2\x80\x8b\n\n1. b");
	check_rich(LIST("ordered", "0", SECTION(T("a"))) "," LIST("ordered", "0", SECTION(T("b"))),
		   "1. a\n\n\xe2\x80\x8b\n\n1. b");
	check_rich(
	    "{\"type\":\"rich_text_list\",\"style\":\"bullet\",\"border\":1,\"elements\":[" SECTION(
		T("a")) "," SECTION(T("b")) "]}",
	    "> - a\n> - b");
}

static void quotes_prefix_every_line(void)
{
	check_rich(QUOTE(T("a\\nb")), "> a\n> b");
	check_rich(QUOTE(T("a\\n\\nb")), "> a\n> \n> b");
	check_rich(QUOTE(T("a\\n")) "," SECTION(T("b")), "> a\n\nb");
	check_rich(SECTION(T("x")) "," QUOTE(T("a")), "x\n> a");
	check_rich(QUOTE(ST("a\\nb", BOLD)), "> **a**\n> **b**");
}

static void code_blocks(void)
{
	check_rich(PRE(T("a *b* <c> & d")), "```\na *b* <c> & d\n```");
	check_rich(PRE(T("a\\n")) "," SECTION(T("b")), "```\na\n```\nb");
	check_rich(SECTION(T("x")) "," PRE(T("a")), "x\n```\na\n```");
	check_rich(PRE(T("```\\nx\\n```")), "````\n```\nx\n```\n````");
	check_rich(PRE(T("see ") ",{\"type\":\"link\",\"url\":\"http://e.x/a_b\"}," T(
		       " ") ",{\"type\":\"user\",\"user_id\":\"U1\"},{\"type\":\"channel\","
			    "\"channel_id\":\"C1\"}"
			    ",{\"type\":\"emoji\",\"name\":\"wave\"},{\"type\":\"broadcast\","
			    "\"range\":\"here\"}"),
		   "```\nsee http://e.x/a_b @bob#general:wave:@here\n```");
	check_rich(
	    "{\"type\":\"rich_text_preformatted\",\"language\":\"sql\",\"elements\":[" T("x") "]}",
	    "```sql\nx\n```");
	check_rich(
	    "{\"type\":\"rich_text_preformatted\",\"border\":1,\"elements\":[" T("x\\ny") "]}",
	    "> ```\n> x\n> y\n> ```");
	check_rich(LIST("bullet", "0", SECTION(T("a"))) "," PRE(T("x")), "- a\n\n```\nx\n```");
}

static void sections(void)
{
	check(
	    "[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*a* &amp; <@U1>\"}}]",
	    "**a** & @bob");
	check("[{\"type\":\"section\",\"text\":{\"type\":\"plain_text\",\"text\":\"*a* :smile: "
	      "&amp;\"}}]",
	      "\\*a\\* :smile: &amp;amp;");
	check(
	    "[{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"*Prio:*\\nHigh\"},"
	    "{\"type\":\"plain_text\",\"text\":\"x\"}]}]",
	    "**Prio:** High\nx");
	check("[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a\"},\"accessory\":"
	      "{\"type\":\"image\",\"image_url\":\"http://e.x/i.png\",\"alt_text\":\"cat\"}}]",
	      "a\n[cat](http://e.x/i.png)");
	check("[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a\"},\"accessory\":"
	      "{\"type\":\"button\",\"text\":{\"type\":\"plain_text\",\"text\":\"Go\"},\"url\":"
	      "\"http://e.x\"}}]",
	      "a\n[Go](http://e.x)");
}

static void other_blocks(void)
{
	check("[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"C#\"}}]",
	      "**C#**");
	check("[{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"_a_\"},{"
	      "\"type\":\"image\","
	      "\"image_url\":\"http://e.x/"
	      "i.png\",\"alt_text\":\"i\"},{\"type\":\"plain_text\",\"text\":\"b\"}]}]",
	      "_a_ [i](http://e.x/i.png) b");
	check("[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"a\"}},{\"type\":"
	      "\"divider\"},"
	      "{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"b\"}}]",
	      "**a**\n\n---\n\n**b**");
	check("[{\"type\":\"image\",\"image_url\":\"http://e.x/i.png\",\"alt_text\":\"a "
	      "[x]\",\"title\":"
	      "{\"type\":\"plain_text\",\"text\":\"T\"}}]",
	      "T\n![a \\[x\\]](http://e.x/i.png)");
	check("[{\"type\":\"image\",\"slack_file\":{\"id\":\"F1\"},\"alt_text\":\"a\"}]", "a");
	check("[{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"text\":{\"type\":"
	      "\"plain_text\",\"text\":\"Approve\"}},"
	      "{\"type\":\"static_select\",\"placeholder\":{\"type\":\"plain_text\",\"text\":"
	      "\"Pick\"}}]}]",
	      "[Approve] [Pick]");
	check("[{\"type\":\"input\",\"label\":{\"type\":\"plain_text\",\"text\":\"Your name\"}}]",
	      "Your name");
	check("[{\"type\":\"video\",\"title\":{\"type\":\"plain_text\",\"text\":\"V\"},\"title_"
	      "url\":\"http://e.x\","
	      "\"video_url\":\"http://"
	      "v.x\",\"description\":{\"type\":\"plain_text\",\"text\":\"D\"}}]",
	      "[V](http://e.x)\nD");
	check("[{\"type\":\"call\",\"call_id\":\"R1\",\"call\":{\"v1\":{\"name\":\"Zoom\",\"join_"
	      "url\":\"http://z.x\"}}}]",
	      "[Zoom](http://z.x)");
	check("[{\"type\":\"markdown\",\"text\":\"# h\\n**a** <@U1>\"}]", "# h\n**a** @bob");
}

static void tables(void)
{
	check(
	    "[{\"type\":\"table\",\"column_settings\":[{\"align\":\"right\"},null],\"rows\":["
	    "[{\"type\":\"raw_text\",\"text\":\"a|b\"},{\"type\":\"raw_text\",\"text\":\"c\\nd\"}],"
	    "[{\"type\":\"rich_text\",\"elements\":[" SECTION(
		ST("x", BOLD)) "]},{\"type\":\"raw_number\",\"value\":1.5}],"
			       "[{\"type\":\"raw_text\",\"text\":\"z\"}]]}]",
	    "| a&#124;b | c d |\n|---:|---|\n| **x** | 1.5 |\n| z |  |");
	check("[{\"type\":\"table\",\"rows\":[[{\"type\":\"raw_text\",\"text\":\"a\"}]]}]",
	      "| a |\n|---|\n|  |");
}

static void unknown_blocks_are_searched_for_text(void)
{
	check(
	    "[{\"type\":\"alert\",\"level\":\"x\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*a*\"},"
	    "\"children\":[{\"title\":\"T\"}]}]",
	    "**a**\nT");
	CHECK_I64(tr("[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a\"}},{"
		     "\"type\":\"odd\",\"x\":1}]"),
		  BLOCKS_PARTLY);
	CHECK_STR(ark_buf_view(&out), "a");
	CHECK_I64(tr("[{\"type\":\"odd\"}]"), BLOCKS_NOTHING);
	CHECK_I64(tr("[{\"type\":\"rich_text\",\"elements\":[" SECTION(
		      T("a") ",{\"type\":\"odd\"}") "]}]"),
		  BLOCKS_PARTLY);
}

static void deep_nesting_ends(void)
{
	ark_auto(ark_buf_release) struct ark_buf json;
	ark_buf_init(&json, 100000);
	ark_buf_z(&json, "[{\"type\":\"odd\",\"x\":");
	for (int i = 0; i < 200; i++)
		ark_buf_z(&json, "[");
	ark_buf_z(&json, "{\"text\":\"deep\"}");
	for (int i = 0; i < 200; i++)
		ark_buf_z(&json, "]");
	ark_buf_z(&json, "}]");
	CHECK_I64(tr(json.data), BLOCKS_NOTHING);
}

static bool missing(const char *text, const char *emitted)
{
	return blocks_missing_words(ark_str_z(text), ark_str_z(emitted));
}

static void missing_words_are_found(void)
{
	CHECK(!missing("hello world", "world hello"));
	CHECK(missing("hello world", "hello"));
	CHECK(!missing("hello to 12", "hello"));
	CHECK(!missing("<@U123ABC> hello &amp;", "@bob hello &"));
	CHECK(missing("<http://e.x|label>", "other"));
	CHECK(!missing("<http://e.x|label>", "[label](http://e.x)"));
	CHECK(!missing("", ""));
	CHECK(missing("日本語です", "日本"));
}

int main(void)
{
	ark_buf_init(&out, 64u << 20);
	ark_buf_init(&padded, 1u << 20);
	doc = json_doc_new();
	TAP_RUN(nothing_is_nothing);
	TAP_RUN(text_is_literal);
	TAP_RUN(styles_are_marked);
	TAP_RUN(blanks_go_outside_the_marks);
	TAP_RUN(runs_of_equal_style_are_one);
	TAP_RUN(styles_nest_in_a_fixed_order);
	TAP_RUN(code_gets_enough_ticks);
	TAP_RUN(styles_end_with_the_line);
	TAP_RUN(italic_inside_words_uses_stars);
	TAP_RUN(marks_are_dropped_where_nothing_else_helps);
	TAP_RUN(links);
	TAP_RUN(people_and_channels);
	TAP_RUN(emoji);
	TAP_RUN(other_inlines);
	TAP_RUN(lists_have_marks_and_levels);
	TAP_RUN(what_surrounds_a_list_is_apart);
	TAP_RUN(quotes_prefix_every_line);
	TAP_RUN(code_blocks);
	TAP_RUN(sections);
	TAP_RUN(other_blocks);
	TAP_RUN(tables);
	TAP_RUN(unknown_blocks_are_searched_for_text);
	TAP_RUN(deep_nesting_ends);
	TAP_RUN(missing_words_are_found);
	json_doc_free(doc);
	ark_buf_release(&out);
	ark_buf_release(&padded);
	return tap_done();
}
