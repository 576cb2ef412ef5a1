/*
 * Blocks of the model of the web client: from its lexer to what writes them. Private to the model.
 */
#ifndef ARK_TESTS_MM_BLOCKS_H
#define ARK_TESTS_MM_BLOCKS_H

#include "tests/harness/mm_markdown.h"

enum tok_type {
	TOK_SPACE,
	TOK_CODE,
	TOK_HEADING,
	TOK_HR,
	TOK_QUOTE,
	TOK_QUOTE_END,
	TOK_LIST,
	TOK_LIST_END,
	TOK_ITEM,
	TOK_LOOSE_ITEM,
	TOK_ITEM_END,
	TOK_PARAGRAPH,
	TOK_TEXT,
	TOK_TABLE,
};

struct tok {
	enum tok_type type;
	struct ark_str text, more; /* code: content, language; list: -, bullet; table: rows */
	long n;                    /* heading: depth; list: first number; item: its number */
	bool ordered;
};

struct toks {
	struct tok *t;
	size_t n, cap;
};

/* Append the blocks of `s`; free(l->t) in the end. `top`: not in a list; `quoted`: in a quote. */
void mm_lex(struct mm *m, struct toks *l, struct ark_str s, bool top, bool quoted, int depth);

#endif
