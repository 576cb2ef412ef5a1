/*
 * What each byte may do in Markdown (markup.h): the table that scanning and deciding go by.
 */
#include "import/translate/markup.h"

#include "common/base/banned.h"

/* clang-format off: a table */
#define S BYTE_SPECIAL
#define W BYTE_WORD
#define B BYTE_SPACE
#define P BYTE_PUNCT
#define E BYTE_ESCAPE
#define H BYTE_HEAD
#define A BYTE_ACTS

const unsigned char markup_class[256] = {
	[0] = S,
	[1] = S | A,
	['\t'] = B | H | A,
	['\n'] = S | B | A,
	['\v'] = B,
	['\f'] = B,
	['\r'] = S | B,
	[' '] = B | H | A,
	['!'] = P | E,
	['"'] = P,
	['#'] = P | E | H | A,
	['$'] = P,
	['%'] = P,
	['&'] = S | P | A,
	['\''] = P,
	['('] = P | E | A,
	[')'] = P | E | A,
	['*'] = S | P | E | H | A,
	['+'] = P | E | H | A,
	[','] = P,
	['-'] = P | E | H | A,
	['.'] = P | E,
	['/'] = P,
	[':'] = S | P | H | A,
	[';'] = P,
	['<'] = S | P | H | A,
	['='] = P | H | A,
	['>'] = P | E | H | A,
	['?'] = P,
	['@'] = P | A,
	['['] = S | P | E | H | A,
	['\\'] = S | E | H | A,
	[']'] = S | E | A,
	['^'] = P,
	['_'] = S | P | W | E | H | A,
	['`'] = S | E | H | A,
	['{'] = P | E,
	['|'] = P | E | H | A,
	['}'] = P | E,
	['~'] = S | P | E | H | A,
	[0xA0] = A,
	[0xC2] = H | A,
	['0'] = W | H,
	['1'] = W | H,
	['2'] = W | H,
	['3'] = W | H,
	['4'] = W | H,
	['5'] = W | H,
	['6'] = W | H,
	['7'] = W | H,
	['8'] = W | H,
	['9'] = W | H,
	['a'] = W,
	['b'] = W,
	['c'] = W,
	['d'] = W,
	['e'] = W,
	['f'] = W,
	['g'] = W,
	['h'] = W,
	['i'] = W,
	['j'] = W,
	['k'] = W,
	['l'] = W,
	['m'] = W,
	['n'] = W,
	['o'] = W,
	['p'] = W,
	['q'] = W,
	['r'] = W,
	['s'] = W,
	['t'] = W,
	['u'] = W,
	['v'] = W,
	['w'] = W,
	['x'] = W,
	['y'] = W,
	['z'] = W,
	['A'] = W,
	['B'] = W,
	['C'] = W,
	['D'] = W,
	['E'] = W,
	['F'] = W,
	['G'] = W,
	['H'] = W,
	['I'] = W,
	['J'] = W,
	['K'] = W,
	['L'] = W,
	['M'] = W,
	['N'] = W,
	['O'] = W,
	['P'] = W,
	['Q'] = W,
	['R'] = W,
	['S'] = W,
	['T'] = W,
	['U'] = W,
	['V'] = W,
	['W'] = W,
	['X'] = W,
	['Y'] = W,
	['Z'] = W,
};

#undef S
#undef W
#undef B
#undef P
#undef E
#undef H
#undef A
/* clang-format on */
