/*
 * The writer of Mattermost Markdown that text.c (mrkdwn) and blocks.c (rich_text) share. It knows
 * where a line starts, what is styled, and which characters might act; private to this room.
 *
 * Two steps keep escaping minimal and linear in time. While writing, each literal character that
 * could act, and each style marker, takes a slot of SLOT_BYTES in the buffer. markup_finish then
 * walks once from right to left (what stands behind is known there) and decides, and once from left
 * to right to write the slots out. Without slots both walks are skipped. What a slot becomes is
 * never longer than the slot, so everything happens in place.
 *
 * Fact  docs/slack-quirks.md "Text"; fixtures/markdown-rendered.tsv
 */
#ifndef IMPORT_TRANSLATE_MARKUP_H
#define IMPORT_TRANSLATE_MARKUP_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "import/translate/text.h"

/* Styles, outermost first: the order in which they nest. */
#define STYLE_STRIKE 1u
#define STYLE_BOLD   2u
#define STYLE_ITALIC 4u

/* A slot: SLOT_MARK, its type, what becomes of it, a flag, room, the character last. */
#define SLOT_BYTES  9
#define SLOT_MARK   1
#define SLOT_TYPE   1
#define SLOT_ACTION 2
#define SLOT_FLAG   3 /* literal: it stands right behind a URL */
#define SLOT_RULE   4 /* style: with what follows it would be a rule across the page */
#define SLOT_CHAR   (SLOT_BYTES - 1)
#define SLOT_YES    'y'
enum slot_type {
	SLOT_LITERAL = 'L', /* a character meant literally, inside a line */
	SLOT_HEAD = 'H',    /* the same where a line (or list item) starts */
	SLOT_ADDRESS = 'A', /* the same in a word that may become a link: an entity, no backslash */
	SLOT_INDENT = 'I',  /* first blank of a line that might become indented code */
	SLOT_OPEN = 'O',    /* style begins; the character is '*' bold, '_' italic, '~' strike */
	SLOT_CLOSE = 'C',
	SLOT_DROP = 'D',  /* nothing */
	SLOT_FENCE = 'F', /* between these two nothing acts */
	SLOT_FENCE_END = 'G',
};

/* Classes of bytes. */
#define BYTE_SPECIAL 1u  /* stops a run of plain text */
#define BYTE_WORD    2u  /* ASCII letters, digits, '_' */
#define BYTE_SPACE   4u  /* ASCII white space */
#define BYTE_PUNCT   8u  /* may stand behind a closing '_' */
#define BYTE_ESCAPE  16u /* a backslash before it vanishes */
#define BYTE_ACTS    64u /* the decision on a literal may depend on it, or it may be one's slot */
#define BYTE_HEAD    32u /* does something at the start of a line, or keeps it a start */
extern const unsigned char markup_class[256];

static inline bool byte_is(unsigned char c, unsigned classes)
{
	return (markup_class[c] & classes) != 0;
}

/* The first special byte of s at or after i; s.len when there is none. */
static inline size_t byte_skip_plain(struct ark_str s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	const unsigned char *t = markup_class;
	for (; i + 8 <= s.len; i += 8) {
		unsigned first = t[p[i]] | t[p[i + 1]] | t[p[i + 2]] | t[p[i + 3]];
		unsigned second = t[p[i + 4]] | t[p[i + 5]] | t[p[i + 6]] | t[p[i + 7]];
		if ((first | second) & BYTE_SPECIAL)
			break;
	}
	while (i < s.len && (t[p[i]] & BYTE_SPECIAL) == 0)
		i++;
	return i;
}

enum markup_tail {
	TAIL_TEXT,
	TAIL_MENTION, /* the output ends in @name or ~name: what follows must not join it */
	TAIL_URL,     /* the output ends in a link's bare URL that starts at tail_at */
	TAIL_COPIED,  /* the same, but it was literal text: more of that may well follow */
};

struct markup {
	struct ark_buf *out;
	size_t start;       /* what stands before is not ours */
	bool plain;         /* no markup at all: text_plain */
	bool slots;         /* at least one was written */
	bool links;         /* a [label](URL) was written */
	bool label;         /* inside a link label: nothing links itself there */
	bool head;          /* nothing but blanks, prefix and list markers on this line yet */
	bool fresh;         /* nothing at all on this line yet, behind the prefix */
	bool block;         /* the line starts a block: indented code could begin */
	bool list;          /* a list may be open: indentation has a meaning */
	size_t columns;     /* blanks at the start of this line */
	size_t list_indent; /* and of the last one with a list marker */
	bool fenced;        /* a fence was closed: the next thing starts a line */
	bool angle;         /* a literal '<' was written: what looks like a tag may hold a URL */
	bool quote;         /* lines begin with "> " */
	unsigned indent;    /* and then with so many blanks */
	unsigned open;      /* styles open now */
	unsigned want;      /* styles of what comes next */
	enum markup_tail tail;
	size_t tail_at;
	size_t word_end; /* in literal text: where the word that was looked at last ends */
	size_t address;  /* and where in it something begins that may become a link */
};

void markup_begin(struct markup *m, struct ark_buf *out);
/* Decide and write out all slots; the writer may not be used after that. */
void markup_finish(struct markup *m);
/* The same without any markup. */
void markup_finish_plain(struct markup *m);

/* Text that is meant literally; line ends start new lines. */
void markup_literal(struct markup *m, struct ark_str text);
/* One special byte (BYTE_SPECIAL) of a literal text, at s[i]; returns how many bytes it took. */
size_t markup_special(struct markup *m, struct ark_str s, size_t i);
/* The same with `as` meant where s[i] stands: the last byte of an entity. */
size_t markup_special_as(struct markup *m, struct ark_str s, size_t i, char as);
/* Literal bytes at the start of a line, from s[i] on: blanks, list markers, what must not act.
 * Returns how many bytes it took; the line start may go on behind them (m->head). */
size_t markup_head(struct markup *m, struct ark_str s, size_t i);
/* Bytes without any special one, not at a line start (!m->head), `after` a mention or URL allowed.
 */
void markup_run(struct markup *m, const char *ptr, size_t len);
/* Something that means itself and is no blank: an emoji, a character. */
void markup_raw(struct markup *m, struct ark_str s);
/* "@name", "~name"; kept apart from what stands around it. */
void markup_mention(struct markup *m, char sigil, struct ark_str name);
void markup_link(struct markup *m, struct ark_str url, struct ark_str label);
/* An emoji by its Slack name (world may be NULL): ":name:" or the character. */
void markup_emoji(struct markup *m, const struct text_world *world, struct ark_str name);
/* Literal text in which ":name:" of a known emoji is one. */
void markup_literal_emoji(struct markup *m, const struct text_world *world, struct ark_str text);
/* Length of ":name:" or ":name::skin-tone-N:" at s[at], the name to `name`; 0 when it is none. */
size_t emoji_code_at(struct ark_str s, size_t at, struct ark_str *name);
void markup_image(struct markup *m, struct ark_str url, struct ark_str alt);
/* A code span; `code` without line ends. */
void markup_code(struct markup *m, struct ark_str code);
/* The same in pieces: begin returns where it begins, end wants that back. */
size_t markup_code_begin(struct markup *m);
void markup_code_text(struct markup *m, struct ark_str text);
void markup_code_end(struct markup *m, size_t begin);
/* Prepare for what starts with `next`: separate it from a mention or URL, switch styles. */
void markup_join(struct markup *m, struct ark_str next);
/* Which kind of slot a literal s[i] takes here. */
enum slot_type markup_slot_type(struct markup *m, struct ark_str s, size_t i);
/* A slot of its own; returns where it stands in the buffer. */
size_t markup_slot(struct markup *m, enum slot_type type, char c);
void markup_style_close(struct markup *m, unsigned keep);

void markup_newline(struct markup *m);
/* Start a line unless the output is at the start of one. */
void markup_line(struct markup *m);
/* An empty line, unless there is one. */
void markup_gap(struct markup *m);
/* Open a code block on its own lines, `ticks` >= 3 long; its lines are written with
 * markup_fence_text; then close. */
void markup_fence_open(struct markup *m, unsigned ticks, struct ark_str language);
void markup_fence_text(struct markup *m, struct ark_str text);
void markup_fence_close(struct markup *m, unsigned ticks);

/* url.c: where the web client ends the link that starts at s[from] with "scheme:"; `from` when it
 * makes none of it. */
size_t url_bare_end(struct ark_str s, size_t from);
/* Length of an autolinked scheme with its ':' that ends just before s[end]; 0 when there is none.
 */
size_t url_scheme_before(struct ark_str s, size_t end);
/* Append `url` so that it can stand alone, in ( ) or in < >. */
enum url_place { URL_BARE, URL_PAREN, URL_ANGLE };
void url_put(struct ark_str url, enum url_place place, struct ark_buf *out);
/* Does `label` say nothing that `url` does not? */
bool url_says(struct ark_str url, struct ark_str label);
/* Where in a word something begins that may become a link by itself; word.len when nothing does. */
size_t url_like(struct ark_str word);
/* Append s[from..end), literal text that is (part of) a bare URL: only entities are kept from
 * acting. */
void url_copy(struct ark_str s, size_t from, size_t end, struct ark_buf *out);

#endif
