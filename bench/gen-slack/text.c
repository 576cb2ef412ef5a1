/*
 * Texts by measured lengths and shares of markup. Words come from one skewed vocabulary, so that
 * text compresses and indexes like text.
 */
#include "bench/gen-slack/text.h"

#include "common/base/banned.h"

#define TEXT_CEIL (1u << 20)

/* characters, people and bots together */
static const struct gen_quantile length_q[] = { { 0, 2 },      { 100, 10 },   { 500, 58 },
						{ 750, 124 },  { 900, 255 },  { 950, 422 },
						{ 990, 1106 }, { 999, 2681 }, { 1000, 8000 } };

static const char *const emoji[] = { "smile",       "joy",          "+1",
				     "tada",        "eyes",         "thinking_face",
				     "pray",        "rocket",       "heart",
				     "sweat_smile", "party_parrot", "slightly_smiling_face",
				     "wave" };
static const char *const foreign[] = { "明日の会議は十時からです",
				       "ありがとうございます",
				       "資料を更新しました",
				       "確認お願いします",
				       "größer",
				       "für",
				       "naïve",
				       "déjà",
				       "привет",
				       "спасибо",
				       "señor",
				       "łódź" };

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

void gen_text_init(struct gen_text *t)
{
	ark_buf_init(&t->text, TEXT_CEIL);
	ark_buf_init(&t->elements, TEXT_CEIL);
	ark_buf_init(&t->run, TEXT_CEIL);
	ark_buf_init(&t->inside, TEXT_CEIL);
	ark_buf_init(&t->scratch, TEXT_CEIL);
}

void gen_text_release(struct gen_text *t)
{
	ark_buf_release(&t->text);
	ark_buf_release(&t->elements);
	ark_buf_release(&t->run);
	ark_buf_release(&t->inside);
	ark_buf_release(&t->scratch);
}

void gen_text_words(const struct gen_world *w, struct gen_rng *r, uint32_t chars,
		    struct ark_buf *out)
{
	size_t end = out->len + chars;
	do {
		ark_buf_str(out, gen_word(w, r));
		ark_buf_c(out, ' ');
	} while (out->len < end);
	ark_buf_cut(out, out->len - 1);
}

static void comma(struct ark_buf *b)
{
	if (b->len > 0)
		ark_buf_c(b, ',');
}

/* The waiting plain text becomes an element. */
static void run_flush(struct gen_text *t, const char *style)
{
	if (t->run.len == 0)
		return;
	comma(&t->inside);
	ark_buf_z(&t->inside, "{\"type\":\"text\",\"text\":");
	ark_buf_json(&t->inside, ark_buf_view(&t->run));
	if (style != NULL)
		ark_buf_fmt(&t->inside, ",\"style\":{\"%s\":true}", style);
	ark_buf_c(&t->inside, '}');
	ark_buf_reset(&t->run);
}

/* Plain characters into both forms; only & < > differ. */
static void plain(struct gen_text *t, struct ark_str s)
{
	ark_buf_str(&t->run, s);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '&')
			ark_buf_z(&t->text, "&amp;");
		else if (s.ptr[i] == '<')
			ark_buf_z(&t->text, "&lt;");
		else if (s.ptr[i] == '>')
			ark_buf_z(&t->text, "&gt;");
		else
			ark_buf_c(&t->text, s.ptr[i]);
	}
}

static void section_end(struct gen_text *t, const char *type)
{
	run_flush(t, NULL);
	if (t->inside.len == 0)
		return;
	comma(&t->elements);
	ark_buf_fmt(&t->elements, "{\"type\":\"%s\",\"elements\":[", type);
	ark_buf_str(&t->elements, ark_buf_view(&t->inside));
	ark_buf_z(&t->elements, "]}");
	ark_buf_reset(&t->inside);
}

static void styled(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	static const struct {
		const char *style;
		char mark;
	} kinds[] = { { "bold", '*' },
		      { "code", '`' },
		      { "code", '`' },
		      { "italic", '_' },
		      { "strike", '~' } };
	uint32_t k = gen_rng_below(r, 21);
	k = k < 8 ? 0 : k < 13 ? 1 : k < 17 ? 2 : k < 20 ? 3 : 4;
	run_flush(t, NULL);
	ark_buf_c(&t->text, kinds[k].mark);
	ark_buf_reset(&t->scratch);
	gen_text_words(w, r, 4 + gen_rng_below(r, 14), &t->scratch);
	plain(t, ark_buf_view(&t->scratch));
	ark_buf_c(&t->text, kinds[k].mark);
	run_flush(t, kinds[k].style);
}

static void mention(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r,
		    struct gen_text *t)
{
	uint32_t user = gen_conv_member(w, c, gen_rng_skewed(r, c->members));
	run_flush(t, NULL);
	comma(&t->inside);
	ark_buf_z(&t->text, "<@");
	gen_user_id(&t->text, user);
	if (w->opt.era->labels) {
		ark_buf_c(&t->text, '|');
		gen_user_name(w, &t->text, user);
	}
	ark_buf_c(&t->text, '>');
	ark_buf_z(&t->inside, "{\"type\":\"user\",\"user_id\":\"");
	gen_user_id(&t->inside, user);
	ark_buf_z(&t->inside, "\"}");
}

static void broadcast(struct gen_rng *r, struct gen_text *t)
{
	const char *range = gen_rng_chance(r, 1, 4) ? "here" : "channel";
	run_flush(t, NULL);
	comma(&t->inside);
	ark_buf_fmt(&t->text, "<!%s>", range);
	ark_buf_fmt(&t->inside, "{\"type\":\"broadcast\",\"range\":\"%s\"}", range);
}

static void channel_link(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	const struct gen_conv *c = &w->convs[gen_rng_below(r, w->opt.channels)];
	run_flush(t, NULL);
	comma(&t->inside);
	ark_buf_z(&t->text, "<#");
	gen_conv_id(&t->text, c);
	ark_buf_c(&t->text, '|');
	if (c->kind == GEN_OPEN)
		gen_conv_name(w, &t->text, c);
	ark_buf_c(&t->text, '>');
	ark_buf_z(&t->inside, "{\"type\":\"channel\",\"channel_id\":\"");
	gen_conv_id(&t->inside, c);
	ark_buf_z(&t->inside, "\"}");
}

static void link_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	run_flush(t, NULL);
	comma(&t->inside);
	ark_buf_reset(&t->scratch);
	ark_buf_z(&t->scratch, "https://");
	ark_buf_str(&t->scratch, gen_word(w, r));
	ark_buf_z(&t->scratch, ".example.com/");
	ark_buf_str(&t->scratch, gen_word(w, r));
	ark_buf_fmt(&t->scratch, "/%u", gen_rng_below(r, 100000));
	bool query = gen_rng_chance(r, 1, 6), label = gen_rng_chance(r, 2, 5);
	ark_buf_c(&t->text, '<');
	ark_buf_str(&t->text, ark_buf_view(&t->scratch));
	ark_buf_z(&t->text, query ? "?a=1&amp;b=2" : "");
	ark_buf_z(&t->inside, "{\"type\":\"link\",\"url\":\"");
	ark_buf_str(&t->inside, ark_buf_view(&t->scratch));
	ark_buf_z(&t->inside, query ? "?a=1&b=2\"" : "\"");
	if (label) {
		struct ark_str word = gen_word(w, r);
		ark_buf_c(&t->text, '|');
		ark_buf_str(&t->text, word);
		ark_buf_z(&t->inside, ",\"text\":\"");
		ark_buf_str(&t->inside, word);
		ark_buf_c(&t->inside, '"');
	}
	ark_buf_c(&t->text, '>');
	ark_buf_c(&t->inside, '}');
}

static void emoji_add(struct gen_rng *r, struct gen_text *t)
{
	const char *name = emoji[gen_rng_skewed(r, COUNT(emoji))];
	run_flush(t, NULL);
	comma(&t->inside);
	ark_buf_fmt(&t->text, ":%s:", name);
	ark_buf_fmt(&t->inside, "{\"type\":\"emoji\",\"name\":\"%s\"}", name);
}

static void list_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	section_end(t, "rich_text_section");
	bool ordered = gen_rng_chance(r, 1, 3);
	comma(&t->elements);
	ark_buf_fmt(&t->elements,
		    "{\"type\":\"rich_text_list\",\"style\":\"%s\",\"indent\":0,\"elements\":[",
		    ordered ? "ordered" : "bullet");
	uint32_t n = 2 + gen_rng_below(r, 4);
	for (uint32_t i = 0; i < n; i++) {
		if (ordered)
			ark_buf_fmt(&t->text, "\n%u. ", i + 1);
		else
			ark_buf_z(&t->text, "\n• ");
		ark_buf_reset(&t->scratch);
		gen_text_words(w, r, 8 + gen_rng_below(r, 40), &t->scratch);
		ark_buf_str(&t->text, ark_buf_view(&t->scratch));
		ark_buf_fmt(&t->elements,
			    "%s{\"type\":\"rich_text_section\",\"elements\":[{\"type\":\"text\","
			    "\"text\":\"%s\"}]}",
			    i > 0 ? "," : "", t->scratch.data);
	}
	ark_buf_z(&t->elements, "]}");
}

static void preformatted_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	section_end(t, "rich_text_section");
	ark_buf_z(&t->text, "```");
	for (uint32_t i = 1 + gen_rng_below(r, 6); i > 0; i--) {
		ark_buf_reset(&t->scratch);
		gen_text_words(w, r, 10 + gen_rng_below(r, 50), &t->scratch);
		ark_buf_z(&t->scratch, i > 1 ? " = a[0] && \"b\";\n" : " < {0};");
		plain(t, ark_buf_view(&t->scratch));
	}
	ark_buf_z(&t->text, "```");
	section_end(t, "rich_text_preformatted");
}

static void quote_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *t)
{
	section_end(t, "rich_text_section");
	ark_buf_z(&t->text, "\n&gt; ");
	ark_buf_reset(&t->scratch);
	gen_text_words(w, r, 20 + gen_rng_below(r, 80), &t->scratch);
	plain(t, ark_buf_view(&t->scratch));
	section_end(t, "rich_text_quote");
	ark_buf_c(&t->text, '\n');
}

/* A stretch of words with what people put between them. */
static void words_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *t,
		      uint32_t chars)
{
	size_t end = t->text.len + chars;
	do {
		uint32_t what = gen_rng_below(r, 1000);
		if (what < 4)
			styled(w, r, t);
		else if (what < 11)
			emoji_add(r, t);
		else if (what < 14)
			plain(t, ark_str_z(foreign[gen_rng_below(r, COUNT(foreign))]));
		else if (what < 16)
			plain(t, gen_rng_chance(r, 1, 2) ? ARK_LIT("R&D") : ARK_LIT("a -> b"));
		else
			plain(t, gen_word(w, r));
		if (t->text.len >= end)
			break;
		plain(t, gen_rng_chance(r, 1, 14)   ? ARK_LIT(", ")
			 : gen_rng_chance(r, 1, 80) ? ARK_LIT("\n")
						    : ARK_LIT(" "));
	} while (true);
}

void gen_text_make(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r,
		   struct gen_text *t)
{
	const struct gen_era *e = w->opt.era;
	ark_buf_reset(&t->text);
	ark_buf_reset(&t->elements);
	ark_buf_reset(&t->run);
	ark_buf_reset(&t->inside);
	uint32_t chars = gen_rng_quantile(r, length_q, COUNT(length_q)) * e->text_percent / 100;
	if (gen_rng_chance(r, e->mentions, 1000)) {
		mention(w, c, r, t);
		plain(t, ARK_LIT(" "));
	} else if (gen_rng_chance(r, 18, 1000)) {
		broadcast(r, t);
		plain(t, ARK_LIT(" "));
	}
	words_add(w, r, t, chars / 2 + 1);
	if (gen_rng_chance(r, e->links, 1000)) {
		plain(t, ARK_LIT(" "));
		link_add(w, r, t);
	}
	if (gen_rng_chance(r, 5, 1000)) {
		plain(t, ARK_LIT(" "));
		channel_link(w, r, t);
	}
	if (gen_rng_chance(r, 12, 1000))
		preformatted_add(w, r, t);
	else if (gen_rng_chance(r, 20, 1000))
		list_add(w, r, t);
	else if (gen_rng_chance(r, 18, 1000))
		quote_add(w, r, t);
	else {
		plain(t, gen_rng_chance(r, 1, 3) ? ARK_LIT(". ") : ARK_LIT(" "));
		words_add(w, r, t, chars / 2 + 1);
	}
	section_end(t, "rich_text_section");
}
