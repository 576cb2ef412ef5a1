/*
 * The tables behind world.h. Names are built from syllables, so they mean nobody.
 */
#include "bench/gen-slack/world.h"

#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

/* Streams of random numbers, one kind each. */
enum { STREAM_MEMBERS = 11, STREAM_CONV = 12 };

#define MS_2014 1388534400000 /* 2014-01-01 */
#define MS_2017 1483228800000 /* 2017-01-01 */
#define MS_2018 1514764800000 /* 2018-01-01 */
#define MS_2023 1672531200000 /* 2023-01-01 */
#define MS_2026 1782864000000 /* 2026-07-01 */

const struct gen_era gen_eras[] = {
	{ .name = "2023-26",
	  .begin_ms = MS_2023,
	  .end_ms = MS_2026,
	  .roots = 140,
	  .blocks = 830,
	  .profiles = 90,
	  .reactions = 160,
	  .files = 22,
	  .edited = 60,
	  .mentions = 150,
	  .links = 130,
	  .webhooks = 22,
	  .apps = 12,
	  .joins = 40,
	  .unfurls = 25,
	  .text_percent = 32,
	  .density = 290,
	  .ids = true },
	{ .name = "2017-22",
	  .begin_ms = MS_2018,
	  .end_ms = MS_2023,
	  .fraction = 100,
	  .roots = 420,
	  .blocks = 980,
	  .profiles = 400,
	  .reactions = 300,
	  .files = 25,
	  .edited = 60,
	  .mentions = 180,
	  .links = 160,
	  .webhooks = 30,
	  .apps = 10,
	  .joins = 40,
	  .unfurls = 50,
	  .text_percent = 100,
	  .density = 465,
	  .ids = true },
	{ .name = "2014-17",
	  .begin_ms = MS_2014,
	  .end_ms = MS_2017,
	  .fraction = 1,
	  .roots = 5,
	  .files = 35,
	  .edited = 25,
	  .reactions = 40,
	  .mentions = 140,
	  .links = 150,
	  .webhooks = 40,
	  .apps = 5,
	  .joins = 60,
	  .unfurls = 60,
	  .text_percent = 90,
	  .density = 108,
	  .labels = true,
	  .old_file = true },
	{ .name = NULL },
};

const struct gen_era *gen_era_find(const char *name)
{
	for (const struct gen_era *e = gen_eras; e->name != NULL; e++) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

static const char *const frequent[] = {
	"the",   "to",    "a",     "it",     "and",   "is",   "in",     "that",  "for",  "of",
	"you",   "we",    "this",  "on",     "with",  "have", "be",     "can",   "not",  "but",
	"if",    "are",   "so",    "just",   "there", "was",  "at",     "from",  "or",   "will",
	"do",    "what",  "would", "as",     "they",  "your", "like",   "all",   "when", "about",
	"how",   "one",   "an",    "should", "now",   "more", "out",    "some",  "up",   "then",
	"them",  "our",   "know",  "think",  "use",   "has",  "me",     "my",    "no",   "here",
	"could", "which", "get",   "also",   "any",   "good", "thanks", "need",  "did",  "only",
	"time",  "by",    "make",  "see",    "new",   "work", "people", "other", "had",  "been",
};

static const char *const onsets[] = { "b", "br", "c",  "ch", "d", "dr", "f",  "fl",
				      "g", "gr", "h",  "j",  "k", "l",  "m",  "n",
				      "p", "pl", "pr", "r",  "s", "sh", "sl", "st",
				      "t", "tr", "v",  "w",  "z", "qu", "th", "sk" };
static const char *const vowels[] = { "a", "e", "i", "o", "u", "ai", "ea", "ou" };
static const char *const codas[] = { "", "", "n", "r", "l", "s", "t", "nd" };

/* Two or three syllables from a number: different below 32*8*8*32*8. */
static void word_build(struct ark_buf *b, uint32_t n)
{
	ark_buf_z(b, onsets[n % 32]);
	ark_buf_z(b, vowels[n / 32 % 8]);
	ark_buf_z(b, codas[n / 256 % 8]);
	ark_buf_z(b, onsets[(n / 2048 + 7) % 32]);
	ark_buf_z(b, vowels[n / 65536 % 8]);
}

static void words_fill(struct gen_word *words)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 64);
	for (uint32_t i = 0; i < GEN_WORDS; i++) {
		ark_buf_reset(&b);
		if (i < sizeof(frequent) / sizeof(frequent[0]))
			ark_buf_z(&b, frequent[i]);
		else
			word_build(&b, i * 40503u % (1u << 19));
		size_t len = b.len < sizeof(words[i].text) ? b.len : sizeof(words[i].text) - 1;
		memcpy(words[i].text, b.data, len);
		words[i].len = (uint8_t)len;
	}
}

struct ark_str gen_word(const struct gen_world *w, struct gen_rng *r)
{
	const struct gen_word *word = &w->words[gen_rng_skewed(r, GEN_WORDS)];
	return ark_str_n(word->text, word->len);
}

/* --- people --- */

static void id_add(struct ark_buf *b, const char *prefix, uint32_t n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[8] = "0000000";
	/* an odd multiplier modulo 36^5: ids do not ascend, and never meet */
	uint64_t v = ((uint64_t)n * 31415927u + 271828u) % 60466176u;
	for (int i = 6; i >= 2; i--) {
		text[i] = digits[v % 36];
		v /= 36;
	}
	ark_buf_z(b, prefix);
	ark_buf_add(b, text, 7);
}

void gen_user_id(struct ark_buf *b, uint32_t user)
{
	id_add(b, "U0", user);
}

bool gen_user_is_bot(const struct gen_world *w, uint32_t user)
{
	return user >= w->opt.users - w->bots;
}

void gen_user_name(const struct gen_world *w, struct ark_buf *b, uint32_t user)
{
	(void)w;
	word_build(b, user * 7919u % (1u << 19));
	if (user % 3 == 0)
		ark_buf_fmt(b, ".%c", (char)('a' + user % 26));
}

void gen_user_real_name(const struct gen_world *w, struct ark_buf *b, uint32_t user)
{
	(void)w;
	size_t at = b->len;
	word_build(b, user * 7919u % (1u << 19));
	b->data[at] = (char)(b->data[at] - 'a' + 'A');
	ark_buf_c(b, ' ');
	if (user % 17 == 0)
		ark_buf_z(b, "Ö");
	at = b->len;
	word_build(b, user * 104729u % (1u << 19));
	if (user % 17 != 0)
		b->data[at] = (char)(b->data[at] - 'a' + 'A');
}

/* --- conversations --- */

void gen_conv_id(struct ark_buf *b, const struct gen_conv *c)
{
	const char *prefix = "C0";
	if (c->kind == GEN_DIRECT)
		prefix = "D0";
	else if (c->kind == GEN_GROUP || (c->kind == GEN_PRIVATE && c->number % 2 == 0))
		prefix = "G0";
	id_add(b, prefix, c->number);
}

void gen_conv_name(const struct gen_world *w, struct ark_buf *b, const struct gen_conv *c)
{
	if (c->kind == GEN_DIRECT) {
		gen_conv_id(b, c);
		return;
	}
	if (c->kind == GEN_GROUP) {
		ark_buf_z(b, "mpdm-");
		for (uint32_t i = 0; i < c->members; i++) {
			gen_user_name(w, b, gen_conv_member(w, c, i));
			ark_buf_z(b, i + 1 < c->members ? "--" : "-1");
		}
		return;
	}
	if (c->number < 2) {
		ark_buf_z(b, c->number == 0 ? "general" : "random");
		return;
	}
	if (c->number % 11 == 7)
		ark_buf_z(b, "開発-");
	else if (c->number % 11 == 4)
		ark_buf_z(b, "größe-");
	word_build(b, c->number * 2654435u % (1u << 19));
	ark_buf_c(b, '-');
	word_build(b, c->number % (1u << 19));
}

uint32_t gen_conv_member(const struct gen_world *w, const struct gen_conv *c, uint32_t nth)
{
	uint32_t people = w->opt.users - w->bots;
	if (c->number == 0)
		return nth % people;
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_MEMBERS, c->number);
	/* a stride without common divisor walks over all people before it comes back */
	uint32_t start = gen_rng_below(&r, people);
	uint32_t stride = 1;
	for (uint32_t tries = 0; tries < 64 && people > 2; tries++) {
		uint32_t a = 1 + gen_rng_below(&r, people - 1), x = a, y = people;
		while (y != 0) {
			uint32_t t = x % y;
			x = y;
			y = t;
		}
		if (x == 1) {
			stride = a;
			break;
		}
	}
	return (uint32_t)((start + (uint64_t)stride * nth) % people);
}

/*
 * Weight of the nth of `count` channels in units of 2^-40: 1/(n+k)^1.25, without the C library's
 * pow. k grows with the workspace: larger ones have more channels of a size rather than larger
 * ones.
 */
static uint64_t conv_weight(uint32_t n, uint32_t count)
{
	double v = (double)n + (count > 1000 ? count / 250.0 : 4.0);
	double root = __builtin_sqrt(__builtin_sqrt(v));
	return (uint64_t)(1099511627776.0 / (v * root));
}

static void convs_add(struct gen_world *w, enum gen_conv_kind kind)
{
	struct gen_conv *c = &w->convs[w->convs_count];
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_CONV, w->convs_count);
	uint32_t people = w->opt.users - w->bots;
	*c = (struct gen_conv){ .kind = kind, .number = w->convs_count };
	if (kind == GEN_DIRECT)
		c->members = gen_rng_chance(&r, 30, 1000) || people < 2 ? 1 : 2;
	else if (kind == GEN_GROUP)
		c->members = 3 + gen_rng_below(&r, 5);
	else
		c->members = c->number == 0 ? people : 3 + gen_rng_skewed(&r, people);
	if (c->members > people)
		c->members = people;
	c->archived = kind <= GEN_PRIVATE && c->number > 1 && gen_rng_chance(&r, 300, 1000);
	w->convs_count++;
}

/* Share `total` over convs[from..] by weight; what rounding leaves goes one by one from the front.
 */
static void convs_share(struct gen_world *w, uint32_t from, uint64_t total)
{
	uint64_t sum = 0, given = 0;
	uint32_t count = w->convs_count - from;
	for (uint32_t i = 0; i < count; i++)
		sum += conv_weight(i, count);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t n = (uint64_t)((unsigned __int128)total * conv_weight(i, count) / sum);
		w->convs[from + i].messages = (uint32_t)n;
		given += n;
	}
	for (uint32_t i = 0; count > 0 && given < total; i = (i + 1) % count, given++)
		w->convs[from + i].messages++;
	uint64_t before = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct gen_conv *c = &w->convs[from + i];
		uint64_t upto = before + c->messages;
		if (!c->archived)
			c->newer = (uint32_t)(upto * w->opt.newer_permille / 1000 -
					      before * w->opt.newer_permille / 1000);
		before = upto;
	}
}

void gen_world_init(struct gen_world *w, const struct gen_options *opt)
{
	*w = (struct gen_world){ .opt = *opt };
	w->bots = opt->users / 50;
	w->words = ark_calloc(GEN_WORDS, sizeof(*w->words));
	words_fill(w->words);
	uint64_t direct = opt->messages * opt->direct_percent / 100;
	uint32_t directs = direct > 0 ? (uint32_t)(direct / 150 + 1) : 0;
	w->convs = ark_calloc((size_t)opt->channels + directs, sizeof(*w->convs));
	for (uint32_t i = 0; i < opt->channels; i++) {
		bool hidden =
		    i > 1 && i * opt->private_percent / 100 != (i - 1) * opt->private_percent / 100;
		convs_add(w, hidden ? GEN_PRIVATE : GEN_OPEN);
	}
	for (uint32_t i = 0; i < directs; i++)
		convs_add(w, i % 4 == 3 && opt->users - w->bots >= 3 ? GEN_GROUP : GEN_DIRECT);
	convs_share(w, opt->channels, direct);
	/* convs_share starts at `from` and goes to the end: channels come second, with the rest
	 * hidden */
	uint32_t all = w->convs_count;
	w->convs_count = opt->channels;
	convs_share(w, 0, opt->messages - direct);
	w->convs_count = all;
}

void gen_world_release(struct gen_world *w)
{
	free(w->convs);
	free(w->words);
	*w = (struct gen_world){ 0 };
}
