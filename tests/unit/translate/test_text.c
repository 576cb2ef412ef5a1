/* mrkdwn to Markdown: each line is a case of docs/slack-quirks.md "Text". */
#include "common/base/utf8.h"
#include "import/translate/text.h"
#include "tests/harness/tap.h"
#include "tests/unit/translate/world.h"

static struct ark_buf out;

struct pair {
	const char *slack, *markdown;
};

static void check_pairs(const struct pair *pairs, size_t n, unsigned flags)
{
	for (size_t i = 0; i < n; i++) {
		ark_buf_reset(&out);
		text_translate(&WORLD, ark_str_z(pairs[i].slack), flags, &out);
		if (!ark_str_eqz(ark_buf_view(&out), pairs[i].markdown))
			printf("# slack '%s'\n", pairs[i].slack);
		CHECK_STR(ark_buf_view(&out), pairs[i].markdown);
	}
}

#define PAIRS(...)                                                                                 \
	do {                                                                                       \
		static const struct pair pairs[] = { __VA_ARGS__ };                                \
		check_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]), 0);                           \
	} while (0)

static void plain_text_stays(void)
{
	PAIRS(
	    { "", "" }, { "hello world", "hello world" }, { "line1\nline2", "line1\nline2" },
	    { "a\n\nb", "a\n\nb" }, { "日本語 ok", "日本語 ok" }, { "a\r\nb\rc", "a\nb\nc" },
	    { "a.b, (c) {d} $5! x=y; 50% #tag @nobody", "a.b, (c) {d} $5! x=y; 50% #tag @nobody" },
	    { "AT&T a & b &lt x", "AT&T a & b &lt x" });
}

static void bold_is_doubled(void)
{
	PAIRS({ "*x*", "**x**" }, { "*bold*", "**bold**" }, { "(*bold*)", "(**bold**)" },
	      { "\"*q*\"", "\"**q**\"" }, { "*A*: x", "**A**: x" }, { "1 *2* 3", "1 **2** 3" },
	      { "*a* *b*", "**a** **b**" }, { "*a b c*, d", "**a b c**, d" },
	      { "x *a*\n*b* y", "x **a**\n**b** y" }, { "*日本*、x", "**日本**、x" },
	      { "*a*&amp;*b*", "**a**&**b**" });
}

static void what_slack_does_not_make_bold_is_not(void)
{
	PAIRS({ "*bold*text", "\\*bold\\*text" }, { "pre*bold*", "pre\\*bold\\*" },
	      { "* x", "\\* x" }, { "a * b * c", "a * b * c" }, { "2*3*4", "2\\*3\\*4" },
	      { "*a\nb*", "\\*a\nb\\*" }, { "* a*", "\\* a\\*" }, { "*a *", "*a *" },
	      { "**", "**" }, { "*", "*" }, { "*.txt and *.c", "*.txt and *.c" },
	      { "5*6 and 7*8", "5\\*6 and 7\\*8" }, { "2**3 and 4**5", "2\\*\\*3 and 4\\*\\*5" },
	      { "a ** b ** c", "a \\*\\* b \\*\\* c" }, { "*日本*語", "\\*日本\\*語" });
}

static void italic_keeps_its_mark(void)
{
	PAIRS({ "_x_", "_x_" }, { "(_it_)", "(_it_)" }, { "_ x _", " _x_ " },
	      { "SOME_ENV_VAR", "SOME_ENV_VAR" }, { "foo_bar_baz.html", "foo_bar_baz.html" },
	      { "snake_case_word and _lead and trail", "snake_case_word and _lead and trail" },
	      { "__init__.py", "\\_\\_init\\_\\_.py" }, { "a _it_b", "a _it_b" },
	      { "_it_、x", "*it*、x" }, { "_ _", "_ _" }, { "__", "__" }, { "_", "_" },
	      { "Name: ______", "Name: \\_\\_\\_\\_\\_\\_" });
}

static void strike_is_doubled(void)
{
	PAIRS({ "~x~", "~~x~~" }, { "~gone~, kept", "~~gone~~, kept" }, { "~ x ~", "~ x ~" },
	      { "~5 and ~6", "~5 and ~6" }, { "a~b~c", "a~b~c" }, { "~~x~~", "\\~\\~x\\~\\~" },
	      { "~~", "~~" });
}

static void styles_nest_in_any_order(void)
{
	PAIRS({ "*_x_*", "**_x_**" }, { "_*x*_", "_**x**_" }, { "~*x*~", "~~**x**~~" },
	      { "*~_x_~*", "**~~_x_~~**" }, { "_a *b* c_", "_a **b** c_" },
	      { "*a _b* c_", "**a \\_b** c\\_" });
}

static void typed_markdown_bold_is_kept(void)
{
	PAIRS({ "**x**", "**x**" }, { "a **b c** d", "a **b c** d" },
	      { "**x**y", "\\*\\*x\\*\\*y" }, { "__x__", "\\_\\_x\\_\\_" });
}

static void code_is_left_alone(void)
{
	PAIRS({ "`x`", "`x`" }, { "aaa`b`aaa", "aaa`b`aaa" }, { "`*a* _b_ ~c~`", "`*a* _b_ ~c~`" },
	      { "`a &lt;b&gt; &amp;&amp; c`", "`a <b> && c`" }, { "` a `", "` a `" },
	      { "`<@U1> <#C1> <http://e.x|e.x> <!here>`", "`@bob #general e.x @here`" },
	      { "`a\nb`", "\\`a\nb\\`" }, { "``", "``" }, { "`", "`" },
	      { "`a``b`", "`a`\xe2\x80\x8b`b`" });
}

static void code_blocks_stand_on_their_own_lines(void)
{
	PAIRS({ "```x```", "```\nx\n```" }, { "```\nx\n```", "```\nx\n```" },
	      { "a```b```c", "a\n```\nb\n```\nc" }, { "a ```b``` c", "a\n```\nb\n```\nc" },
	      { "a\n```b```\nc", "a\n```\nb\n```\nc" }, { "```a b\nc```", "```\na b\nc\n```" },
	      { "```\n\nx\n\n```", "```\n\nx\n\n```" },
	      { "```a *b* <@U1> &lt;x&gt;```", "```\na *b* @bob <x>\n```" },
	      { "```<http://e.x/a_b>```", "```\nhttp://e.x/a_b\n```" },
	      { "``````", "\\`\\`\\`\\`\\`\\`" }, { "```x", "\\`\\`\\`x" },
	      { "&gt; a ```b\nc``` d", "> a\n> ```\n> b\n> c\n> ```\n> d" });
}

static void quotes_are_line_by_line(void)
{
	PAIRS({ "&gt; q", "> q" }, { "&gt;q", "> q" }, { "> q", "> q" },
	      { "&gt; a\n&gt; b", "> a\n> b" }, { "&gt; q\nplain", "> q\n\nplain" },
	      { "&gt; q\n\nplain", "> q\n\nplain" }, { "plain\n&gt; q", "plain\n> q" },
	      { "&gt;&gt;&gt; a\nb", "> a\n> b" }, { "&gt;&gt;&gt; a\n\nb", "> a\n> \n> b" },
	      { "a &gt; b", "a > b" }, { "x\n&gt;&gt;&gt;a\nb", "x\n> a\n> b" },
	      { "&gt; *a*\n&gt; `b`", "> **a**\n> `b`" });
}

static void typed_lists_become_lists(void)
{
	PAIRS({ "• x", "- x" }, { "• a\n• b", "- a\n- b" },
	      { "• a\n    ◦ b\n        ▪\xef\xb8\x8e c", "- a\n    - b\n        - c" },
	      { "• a\ntext", "- a\n\ntext" }, { "    ◦ b", "- b" }, { "- x\n- y", "- x\n- y" },
	      { "1. a\n2. b", "1. a\n2. b" }, { "a • b", "a • b" }, { "•x", "•x" },
	      { "+ x", "\\+ x" }, { "1) a", "1) a" }, { "2024. x", "2024. x" },
	      { "01. x", "01\\. x" });
}

static void entities_are_decoded_once(void)
{
	PAIRS({ "&lt;b&gt; &amp; c", "<b> & c" }, { "&amp;lt;", "&amp;lt;" },
	      { "&amp;copy; &amp;#65;", "&amp;copy; &amp;#65;" },
	      { "&amp;amp;lt;", "&amp;amp;lt;" }, { "a &amp; b; c", "a & b; c" },
	      { "AT&amp;T", "AT&T" }, { "&copy;", "&amp;copy;" }, { "&lt;@U1&gt;", "<@U1>" });
}

static void mentions_name_who_is_meant(void)
{
	PAIRS({ "<@U1>", "@bob" }, { "<@U1|robert>", "@bob" }, { "<@W2>", "@carol.smith" },
	      { "<@B1>", "@robot" }, { "<@USLACKBOT>", "@slackbot" }, { "<@U999>", "@U999" },
	      { "<@U999|name>", "@name" }, { "<@U999|@name>", "@name" },
	      { "<@here> <@channel>", "@here @channel" }, { "foo<@U1>", "foo @bob" },
	      { "<@U1>x", "@bob x" }, { "<@U1>.", "@bob." }, { "<@U1>.x", "@bob .x" },
	      { "<@U1>'s", "@bob's" }, { "<@U1>: hi", "@bob: hi" },
	      { "<@U1>:smile:", "@bob :smile:" }, { "<@U1>, <@W2>", "@bob, @carol.smith" },
	      { "<@U1><@W2>", "@bob @carol.smith" }, { "(<@U1>)", "(@bob)" },
	      { "*<@U1>*", "**@bob**" }, { "_<@U1>_", "_@bob_" }, { "<@foo bar>", "<@foo bar>" });
}

static void broadcasts_are_mapped(void)
{
	PAIRS({ "<!here>", "@here" }, { "<!here|@here>", "@here" }, { "<!channel>", "@channel" },
	      { "<!group>", "@channel" }, { "<!everyone>", "@all" }, { "<!everyone|all>", "@all" },
	      { "<!subteam^S1|@devs>", "@devs" }, { "<!subteam^S9|@ops>", "@ops" },
	      { "<!subteam^S9>", "@S9" }, { "<!subteam^S1|>", "@devs" }, { "<!foo|bar>", "bar" },
	      { "<!foo>", "foo" });
}

static void channels_are_mapped(void)
{
	PAIRS({ "<#C1>", "~general" }, { "<#C1|gen>", "~general" }, { "<#G2|>", "~secret-plans" },
	      { "<#C999|name>", "~name" }, { "<#C999>", "#C999" }, { "<#C999|>", "#C999" },
	      { "see<#C1>x", "see ~general x" }, { "<#C1>.", "~general." });
}

static void dates_show_their_fallback(void)
{
	PAIRS({ "<!date^1392734382^{date}|2014-02-18>", "2014-02-18" },
	      { "<!date^1392734382^{date_num} {time_secs}>", "2014-02-18 14:39:42" },
	      { "<!date^1392734382^Posted {date} at {time}|>",
		"Posted February 18th, 2014 at 14:39" },
	      { "<!date^1392734382^{date_long}, {date_short}, {date_slash}>",
		"Tuesday, February 18th, 2014, Feb 18, 2014, 02/18/2014" },
	      { "<!date^1392734382^{date}^https://e.x/|2014-02-18>", "[2014-02-18](https://e.x/)" },
	      { "<!date^x^{date}|>", "x" });
}

static void links_show_what_slack_shows(void)
{
	PAIRS({ "<http://e.x>", "http://e.x" }, { "<http://e.x|label>", "[label](http://e.x)" },
	      { "<https://e/a_b|a|b>", "[a|b](https://e/a_b)" },
	      { "<https://e.x/?a=1&amp;b=2>", "https://e.x/?a=1&b=2" },
	      { "<http://e.x|e.x>", "http://e.x" }, { "<http://e.x/|e.x>", "http://e.x/" },
	      { "<http://e.x|>", "http://e.x" }, { "<http://e.x/a_>", "<http://e.x/a_>" },
	      { "<https://e.x/a_b_>日本", "<https://e.x/a_b_>日本" },
	      { "<http://e.x/a>b", "<http://e.x/a>b" }, { "<http://e.x/a>.", "http://e.x/a." },
	      { "(<http://e.x/a>)", "(http://e.x/a)" }, { "x<http://e.x/a>", "x<http://e.x/a>" },
	      { "<http://e.x/a b|l>", "[l](http://e.x/a%20b)" },
	      { "<http://e.x/a(b|l>", "[l](http://e.x/a%28b)" },
	      { "<http://e.x/a_(b)|l>", "[l](http://e.x/a_(b))" },
	      { "<http://e.x|a [b] c>", "[a \\[b\\] c](http://e.x)" },
	      { "<http://e.x|a]b>", "[a&#93;b](http://e.x)" },
	      { "<http://e.x|a\nb>", "[a b](http://e.x)" },
	      { "<http://e.x|&lt;b&gt; &amp; c>", "[<b> & c](http://e.x)" },
	      { "*<http://e.x|x>*", "**[x](http://e.x)**" },
	      { "*<http://e.x>*", "**<http://e.x>**" },
	      { "<mailto:a@example.org|a@example.org>", "a@example.org" },
	      { "<mailto:a@b.c|a@b.c>", "[a@b.c](mailto:a@b.c)" },
	      { "<mailto:a@b.org|write>", "[write](mailto:a@b.org)" },
	      { "<tel:+49123|call>", "[call](tel:+49123)" },
	      { "<tel:+49123>", "[tel:+49123](tel:+49123)" },
	      { "<slack://x>", "[slack://x](slack://x)" }, { "<javascript:alert(1)|x>", "x" },
	      { "!<http://e.x/i.png|x>", "\\![x](http://e.x/i.png)" }, { "<foo>", "<foo>" },
	      { "<foo bar>", "<foo bar>" }, { "a < b", "a < b" }, { "<http://e.x", "<http://e.x" },
	      { "<a\nb>", "<a\nb>" });
}

static void links_to_messages_lead_to_their_posts(void)
{
	PAIRS({ "<https://w.slack.com/archives/C1/p1549307811074100>",
		"https://mm.example.org/team/pl/abc" },
	      { "<https://w.slack.com/archives/C1/p1549307811074100?thread_ts=1.2&amp;cid=C1|here>",
		"[here](https://mm.example.org/team/pl/abc)" },
	      { "<https://w.slack.com/archives/C1/p1549307811074101>",
		"https://w.slack.com/archives/C1/p1549307811074101" },
	      { "<https://w.slack.com/archives/C1>", "https://w.slack.com/archives/C1" });
}

static void emoji_have_the_names_of_mattermost(void)
{
	PAIRS({ ":smile:", ":smile:" }, { ":simple_smile:", ":slightly_smiling_face:" },
	      { ":+1::skin-tone-3:", ":+1_medium_light_skin_tone:" }, { ":melting_face:", "🫠" },
	      { ":parrot:", ":slack_parrot:" }, { ":リハテスト:", ":emoji_rehearsal:" },
	      { ":nope_emoji:", ":nope_emoji:" }, { "12:30:45", "12:30:45" },
	      { ":+1::tada:", ":+1::tada:" }, { "*:smile:*", "**:smile:**" },
	      { ":smile: *a*", ":smile: **a**" }, { ":) :/ ;) <3", ":) :/ ;) <3" });
}

static void literals_that_would_act_are_escaped(void)
{
	PAIRS({ "# h", "\\# h" }, { "#h", "#h" }, { "####### x", "####### x" }, { "---", "\\---" },
	      { "- - -", "\\- - -" }, { "***", "\\*\\*\\*" }, { "a\n---", "a\n\\---" },
	      { "a\n===", "a\n\n===" }, { "===", "===" },
	      { "[x](http://e.x)", "\\[x](http://e.x)" }, { "[x] (y)", "[x] (y)" },
	      { "[JIRA-1] done", "[JIRA-1] done" },
	      { "![x](http://e.x/i.png)", "!\\[x](http://e.x/i.png)" },
	      { "[a]: http://e.x", "\\[a]: http://e.x" }, { "[a]: text", "[a]: text" },
	      { "C:\\dir\\_x", "C:\\dir\\\\_x" }, { "a\\b", "a\\b" }, { "\\*", "\\\\*" },
	      { "a|b\n-|-\n1|2", "a|b\n\\-|-\n1|2" }, { "|a|\n|-|\n|1|", "|a|\n\\|-|\n|1|" },
	      { "    four", "\xe2\x80\x8b    four" }, { "a\n    b", "a\n    b" },
	      { "\ttab", "\xe2\x80\x8b\ttab" }, { "~~~\nx\n~~~", "\\~\\~\\~\nx\n\\~\\~\\~" },
	      { "&lt;a@b.org&gt;", "&lt;a@b.org>" }, { "- # x", "- \\# x" },
	      { "\\:smile:", "\\:smile:" }, { "\\@bob", "\\@bob" });
}

static void unmarked_urls_are_copied(void)
{
	PAIRS({ "http://e.x/a_b_c", "http://e.x/a_b_c" }, { "http://e.x/*a*b", "http://e.x/*a*b" },
	      { "see http://e.x/?a=1&amp;b=_2_.", "see http://e.x/?a=1&b=_2_." },
	      { "http://e.x/&lt;a&gt;", "http://e.x/<a>" });
}

static void fields_without_mrkdwn_are_plain(void)
{
	static const struct pair pairs[] = {
		{ "*a* _b_ ~c~", "\\*a\\* \\_b\\_ ~c~" },
		{ "`x` ```y```", "\\`x\\` \\`\\`\\`y```" },
		{ "<@U1> &lt;b&gt; <http://e.x|l>", "@bob <b> [l](http://e.x)" },
		{ "&gt; q", "\\> q" },
		{ "• x", "• x" },
	};
	check_pairs(pairs, 5, TEXT_PLAIN_FORMAT);
}

static void markdown_is_kept(void)
{
	static const struct pair pairs[] = {
		{ "# h\n**a** *b* `<@U1>` <@U1>", "# h\n**a** *b* `<@U1>` @bob" },
		{ "&lt; <http://e.x> <http://e.x|l>", "&lt; <http://e.x> [l](http://e.x)" },
		{ "```\n<@U1>\n```\n<!here>", "```\n<@U1>\n```\n@here" },
	};
	check_pairs(pairs, 3, TEXT_KEEP_MARKDOWN);
}

static void check_plain(const char *slack, const char *want)
{
	ark_buf_reset(&out);
	text_plain(&WORLD, ark_str_z(slack), &out);
	CHECK_STR(ark_buf_view(&out), want);
}

static void plain_text_has_no_marks(void)
{
	check_plain("*a* _b_ ~c~ `d` ```e```", "a b c d\ne");
	check_plain("<@U1> <#C1|gen> <!here> <http://e.x|l> <http://e.x>",
		    "@bob #gen @here l http://e.x");
	check_plain("&lt;b&gt; &amp; 2*3*4 a_b", "<b> & 2*3*4 a_b");
	check_plain("&gt; q\n# h\n1. x\n01. y", "q\n# h\n1. x\n01. y");
	check_plain("**x** :smile: <!date^1^x|y>", "x :smile: y");
}

static void check_literal(const char *before, const char *plain, const char *want)
{
	ark_buf_reset(&out);
	ark_buf_z(&out, before);
	text_literal(ark_str_z(plain), &out);
	CHECK_STR(ark_buf_view(&out), want);
}

static void literal_looks_at_what_stands_before(void)
{
	check_literal("", "# h", "\\# h");
	check_literal("x ", "# h", "x # h");
	check_literal("x\n", "# h", "x\n\\# h");
	check_literal("", "> q", "\\> q");
	check_literal("", "*a* <@U1> &lt;", "\\*a\\* <@U1> &amp;lt;");
	check_literal("", "+ x", "\\+ x");
	check_literal("", "- x", "- x");
	check_literal("a ", "5 * 6", "a 5 * 6");
}

static void check_link(const char *before, const char *url, const char *label, uint32_t next,
		       const char *want)
{
	ark_buf_reset(&out);
	ark_buf_z(&out, before);
	text_link(ark_str_z(url), label ? ark_str_z(label) : ARK_STR_NONE, next, &out);
	CHECK_STR(ark_buf_view(&out), want);
}

static void links_for_other_rooms(void)
{
	check_link("", "http://e.x/a", NULL, 0, "http://e.x/a");
	check_link("", "http://e.x/a", NULL, 'b', "<http://e.x/a>");
	check_link("", "http://e.x/a", NULL, ' ', "http://e.x/a");
	check_link("", "http://e.x/a", NULL, 0x65E5, "<http://e.x/a>");
	check_link("x", "http://e.x/a", NULL, 0, "x<http://e.x/a>");
	check_link("", "http://e.x/a_b", "a_b*c*", 0, "[a_b\\*c\\*](http://e.x/a_b)");
}

static void mentions_for_other_rooms(void)
{
	static const struct {
		const char *before;
		char sigil;
		uint32_t next;
		const char *want;
	} cases[] = { { "", '@', 0, "@bob" },     { "x", '@', 0, "x @bob" },
		      { "(", '@', ')', "(@bob" }, { "", '@', 'a', "@bob " },
		      { "", '@', '.', "@bob" },   { "", '~', '1', "~bob " },
		      { "_", '@', ' ', "_ @bob" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ark_buf_reset(&out);
		ark_buf_z(&out, cases[i].before);
		text_mention(cases[i].sigil, ARK_LIT("bob"), cases[i].next, &out);
		CHECK_STR(ark_buf_view(&out), cases[i].want);
	}
	ark_buf_reset(&out);
	ark_buf_z(&out, "@bob");
	text_emoji(&WORLD, ARK_LIT("smile"), &out);
	text_emoji(&WORLD, ARK_LIT("parrot"), &out);
	CHECK_STR(ark_buf_view(&out), "@bob :smile::slack_parrot:");
}

static void check_hashtags(const char *text, const char *want)
{
	ark_buf_reset(&out);
	ark_buf_z(&out, "|");
	text_hashtags(ark_str_z(text), &out);
	CHECK_STR(ark_str_from(ark_buf_view(&out), 1), want);
}

static void hashtags_are_the_servers(void)
{
	check_hashtags("a #tag-b, #c. #d1 ##e2 (#f_g)", "#tag-b #d1 #e2 #f_g");
	check_hashtags("#1 #a #123 word#tag #é #日本 #x-", "#日本");
	check_hashtags("no tags", "");
	check_hashtags("#ab\n#cd\t#ab", "#ab #cd #ab");
}

static void hashtags_are_cut_between_words(void)
{
	struct ark_buf text;
	ark_buf_init(&text, 100000);
	for (int i = 0; i < 400; i++)
		ark_buf_z(&text, "#abcd ");
	ark_buf_reset(&out);
	text_hashtags(ark_buf_view(&text), &out);
	CHECK_I64(out.len, 166 * 6 - 1);
	ark_buf_reset(&text);
	ark_buf_c(&text, '#');
	for (int i = 0; i < 2000; i++)
		ark_buf_c(&text, 'a');
	ark_buf_reset(&out);
	text_hashtags(ark_buf_view(&text), &out);
	CHECK_I64(out.len, 0);
	ark_buf_release(&text);
}

/* A megabyte of one pattern: anything but linear would not end. */
static void hostile_input_takes_linear_time(void)
{
	static const char *const patterns[] = {
		"*",    "_",     "~",       "`",          "<",       "[",        "]",     "\\",
		"&",    ":",     ">",       "*a ",        "_a ",     "`` ",      "<a",    "[[] ",
		"[](",  "](",    "- ",      "***\n",      "---\n",   "a\n===\n", "http:", "http://",
		"&gt;", "&lt;a", "<@U1>",   "<http://a|", ":a",      "**a",      " *a* ", "_ ",
		"    ", "#",     "1. ",     "|-",         "~~a ~~",  "`a\n",     "```",   "``` ",
		"*_~`", "\\*",   "&amp;lt", "(",          "www.a/*", "x.com/_",  "_ a",   "a_ *_",
	};
	struct ark_buf text;
	ark_buf_init(&text, 2u << 20);
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		ark_buf_reset(&text);
		while (text.len < (1u << 20))
			ark_buf_z(&text, patterns[p]);
		ark_buf_reset(&out);
		text_translate(&WORLD, ark_buf_view(&text), 0, &out);
		CHECK(!out.failed && out.len >= text.len / 8 && out.len <= 6 * text.len);
		text_literal(ark_buf_view(&text), &out);
		text_plain(&WORLD, ark_buf_view(&text), &out);
		ark_buf_reset(&out);
		text_hashtags(ark_buf_view(&text), &out);
		CHECK(out.len <= 1000);
	}
	ark_buf_release(&text);
}

static void the_ceiling_is_kept(void)
{
	struct ark_buf small;
	for (size_t ceil = 0; ceil < 60; ceil++) {
		ark_buf_init(&small, ceil);
		text_translate(
		    &WORLD, ARK_LIT("*a* _b_ `c` <@U1> <http://e.x|l> ```d``` &gt; ~e~ \\* **f**"),
		    0, &small);
		CHECK(small.len <= ceil);
		ark_buf_release(&small);
	}
}

int main(void)
{
	ark_buf_init(&out, 64u << 20);
	TAP_RUN(plain_text_stays);
	TAP_RUN(bold_is_doubled);
	TAP_RUN(what_slack_does_not_make_bold_is_not);
	TAP_RUN(italic_keeps_its_mark);
	TAP_RUN(strike_is_doubled);
	TAP_RUN(styles_nest_in_any_order);
	TAP_RUN(typed_markdown_bold_is_kept);
	TAP_RUN(code_is_left_alone);
	TAP_RUN(code_blocks_stand_on_their_own_lines);
	TAP_RUN(quotes_are_line_by_line);
	TAP_RUN(typed_lists_become_lists);
	TAP_RUN(entities_are_decoded_once);
	TAP_RUN(mentions_name_who_is_meant);
	TAP_RUN(broadcasts_are_mapped);
	TAP_RUN(channels_are_mapped);
	TAP_RUN(dates_show_their_fallback);
	TAP_RUN(links_show_what_slack_shows);
	TAP_RUN(links_to_messages_lead_to_their_posts);
	TAP_RUN(emoji_have_the_names_of_mattermost);
	TAP_RUN(literals_that_would_act_are_escaped);
	TAP_RUN(unmarked_urls_are_copied);
	TAP_RUN(fields_without_mrkdwn_are_plain);
	TAP_RUN(markdown_is_kept);
	TAP_RUN(plain_text_has_no_marks);
	TAP_RUN(literal_looks_at_what_stands_before);
	TAP_RUN(links_for_other_rooms);
	TAP_RUN(mentions_for_other_rooms);
	TAP_RUN(hashtags_are_the_servers);
	TAP_RUN(hashtags_are_cut_between_words);
	TAP_RUN(hostile_input_takes_linear_time);
	TAP_RUN(the_ceiling_is_kept);
	ark_buf_release(&out);
	return tap_done();
}
