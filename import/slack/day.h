/*
 * The day files of an export, read and inflated on a thread of their own, handed over in blocks.
 * Small files come whole; large ones and damaged ones come cut into elements.
 */
#ifndef IMPORT_SLACK_DAY_H
#define IMPORT_SLACK_DAY_H

#include "common/base/buf.h"
#include "import/slack/export.h"

enum slack_piece_kind {
	PIECE_FILE,    /* a whole day file: an array of messages as a rule */
	PIECE_ELEMENT, /* one element of a large day file */
	PIECE_DAMAGED, /* a stretch that could not be read or cut: text is empty, `len` its bytes */
	PIECE_TOO_LARGE, /* an element beyond LIMIT_MESSAGE, likewise */
	PIECE_END,     /* the large file's last piece was before this one */
};

struct slack_piece {
	enum slack_piece_kind kind;
	uint32_t source;
	uint32_t conv;
	uint32_t name_at, name_len; /* path in the archive, inside the block: slack_piece_name */
	size_t text_at, text_len;   /* inside the block, JSON_PADDING readable bytes behind */
	uint64_t offset, len;       /* place in the file */
};

struct slack_block {
	struct ark_buf data;
	struct slack_piece *pieces;
	uint32_t count;
	uint32_t cap;
};

struct slack_days;

/* Start reading; `x` must stay as it is until slack_days_close (the thread only reads it). */
struct slack_days *slack_days_open(const struct slack_export *x);
/* Only those of conversations that are marked. */
struct slack_days *slack_days_open_marked(const struct slack_export *x);
/* Stops the thread wherever it is. NULL is fine. */
void slack_days_close(struct slack_days *d);
void slack_days_closep(struct slack_days **d);

/* The next block, to be given back with slack_days_return; ARK_END after the last. */
enum ark_rc slack_days_next(struct slack_days *d, struct slack_block **out, struct ark_err *err);
void slack_days_return(struct slack_days *d, struct slack_block *block);

static inline struct ark_str slack_piece_name(const struct slack_block *b, const struct slack_piece *p)
{
	return ark_str_n(b->data.data + p->name_at, p->name_len);
}

static inline struct ark_str slack_piece_text(const struct slack_block *b, const struct slack_piece *p)
{
	return ark_str_n(b->data.data + p->text_at, p->text_len);
}

#endif
