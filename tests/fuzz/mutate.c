#include "tests/fuzz/mutate.h"

#include <string.h>

#include "common/base/banned.h"

#define STEPS_MAX 8 /* behind that hardly anything of a seed is left */

/* What the readers know: syntax, ends of texts, what their own checks look for. */
static const struct ark_str WORDS[] = {
#define W(s) { s, sizeof(s) - 1 }
	W("\""),      W("{"),        W("}"),      W("["),         W("]"),       W(","),     W(":"),
	W("\\"),      W("\\\""),     W("\\u0000"), W("\\ud800"),  W("\0"),      W("\n"),    W("\r\n"),
	W("\t"),      W(" "),        W("<"),      W(">"),         W("&amp;"),   W("<@U1>"), W("<#C1|a>"),
	W("<!here>"), W("```"),      W("`"),      W("*"),         W("_"),       W("~"),     W("'"),
	W("\xff"),    W("\xc3\xa9"), W("\xc3"),   W("\xf0\x9f\x98\x80"), W("\xe2\x80\xae"), W("\xef\xbb\xbf"),
	W("../"),     W("/"),        W("?t=xoxe-123456789-a"),  W("xoxb-123456789"),        W("=xox"),
	W("0"),       W("-1"),       W("1e999"),  W("9223372036854775808"),  W("4294967296"), W("null"),
	W("true"),    W("%00"),      W("%s"),     W("$1"),        W(";"),       W("--"),    W("\\."),
#undef W
};

static uint64_t roll(struct mutator *m)
{
	/* splitmix64 */
	uint64_t z = (m->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t below(struct mutator *m, size_t n)
{
	return n == 0 ? 0 : (size_t)(roll(m) % n);
}

/* Short seeds more often: they are quick, and a change of one byte is more of them. */
static struct ark_str some_seed(struct mutator *m)
{
	size_t a = below(m, m->count), b = below(m, m->count);
	return m->seeds[a < b ? a : b];
}

/* A part, mostly a short one. */
static struct ark_str some_part(struct mutator *m, struct ark_str of)
{
	size_t at = below(m, of.len + 1), most = below(m, 4) == 0 ? of.len : 32;
	size_t len = of.len - at;
	return ark_str_n(of.ptr + at, below(m, (len < most ? len : most) + 1));
}

/* `part` (not in m->input) instead of `gone` bytes at `at`. */
static void splice(struct mutator *m, size_t at, size_t gone, struct ark_str part)
{
	struct ark_buf *b = &m->input;
	if (b->len - gone + part.len > MUTATE_BYTES_MAX)
		return;
	if (part.len > gone && ark_buf_room(b, part.len - gone) == NULL)
		return;
	memmove(b->data + at + part.len, b->data + at + gone, b->len - at - gone);
	if (part.len > 0)
		memcpy(b->data + at, part.ptr, part.len);
	b->len = b->len - gone + part.len;
}

/* What stands between two quotation marks behind a random place; empty when there is nothing. */
static struct ark_str some_quoted(struct mutator *m, struct ark_str of)
{
	size_t open = ark_str_find(of, '"', below(m, of.len + 1));
	size_t shut = open == SIZE_MAX ? SIZE_MAX : ark_str_find(of, '"', open + 1);
	return shut == SIZE_MAX ? ark_str_n(of.ptr, 0) : ark_str_n(of.ptr + open + 1, shut - open - 1);
}

/* Another text in a text of JSON, which stays JSON: what is behind the parser gets to see it. */
static void text_step(struct mutator *m)
{
	struct ark_str old = some_quoted(m, ark_buf_view(&m->input)), other = some_quoted(m, some_seed(m));
	struct ark_str word = WORDS[below(m, sizeof(WORDS) / sizeof(WORDS[0]))];
	bool breaks = ark_str_find(word, '"', 0) != SIZE_MAX || ark_str_find(word, '\n', 0) != SIZE_MAX;
	size_t start = (size_t)(old.ptr - m->input.data), inside = start + below(m, old.len + 1);
	if (below(m, 2) == 0)
		splice(m, start, old.len, other);
	else if (!breaks && below(m, 2) == 0)
		splice(m, start, old.len, word);
	else if (!breaks)
		splice(m, inside, 0, word);
	else
		splice(m, inside, 0, other);
}

static void one_step(struct mutator *m)
{
	struct ark_buf *b = &m->input;
	size_t at = below(m, b->len + 1), rest = b->len - at;
	char c;
	switch (below(m, 14)) {
	case 0:
		if (rest > 0)
			b->data[at] = (char)((unsigned char)b->data[at] ^ (1u << below(m, 8)));
		break;
	case 1:
		c = (char)(unsigned char)below(m, 256);
		splice(m, at, rest > 0 ? below(m, 2) : 0, ark_str_n(&c, 1));
		break;
	case 2: /* away */
		splice(m, at, some_part(m, ark_str_n(b->data + at, rest)).len, ark_str_n("", 0));
		break;
	case 3: { /* a piece of itself elsewhere; copied, because it may move while it is put in */
		char copy[64];
		struct ark_str part = ark_str_first(some_part(m, ark_buf_view(b)), sizeof(copy));
		memcpy(copy, part.ptr, part.len);
		splice(m, at, 0, ark_str_n(copy, part.len));
		break;
	}
	case 4:
	case 5:
		splice(m, at, rest > 0 ? below(m, 2) : 0, WORDS[below(m, sizeof(WORDS) / sizeof(WORDS[0]))]);
		break;
	case 6: {
		struct ark_str gone = some_part(m, ark_str_n(b->data + at, rest));
		splice(m, at, below(m, 2) * gone.len, some_part(m, some_seed(m)));
		break;
	}
	default:
		text_step(m);
	}
}

void mutator_init(struct mutator *m, const struct ark_str *seeds, uint32_t count)
{
	*m = (struct mutator){ .seeds = seeds, .count = count, .steps = STEPS_MAX };
	ark_buf_init(&m->input, MUTATE_BYTES_MAX);
}

void mutator_release(struct mutator *m)
{
	ark_buf_release(&m->input);
}

struct ark_str mutator_next(struct mutator *m)
{
	if (m->steps >= STEPS_MAX || below(m, 3) == 0) {
		struct ark_str seed = some_seed(m);
		size_t most = seed.len < MUTATE_BYTES_MAX ? seed.len : MUTATE_BYTES_MAX;
		ark_buf_reset(&m->input);
		ark_buf_add(&m->input, seed.ptr + (below(m, 4) == 0 ? below(m, seed.len - most + 1) : 0), most);
		m->steps = 0;
	}
	uint32_t steps = 1 + (uint32_t)below(m, 3);
	for (uint32_t i = 0; i < steps; i++)
		one_step(m);
	m->steps += steps;
	return ark_buf_view(&m->input);
}
