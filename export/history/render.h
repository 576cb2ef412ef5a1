/*
 * What stands in the files of a history, and reading it back: day files as JSON lines or Markdown,
 * channel.json, people.jsonl. Volatile things (when a row was touched last, e-mail addresses and display
 * names beside each message) are left out, so that a difference is what people did. docs/format-history.md
 * is the description.
 */
#ifndef EXPORT_HISTORY_RENDER_H
#define EXPORT_HISTORY_RENDER_H

#include "common/base/buf.h"
#include "common/json/value.h"
#include "export/record.h"

enum history_form { HISTORY_JSONL, HISTORY_MD };
extern const char *const HISTORY_FORMS[]; /* "jsonl", "md"; NULL-ended */
/* ".jsonl", ".md" */
const char *history_form_ending(enum history_form form);

/* What stands before the first message of a day; nothing for JSON lines. */
void history_day_head(enum history_form form, struct ark_str date, struct ark_buf *to);
void history_post(enum history_form form, const struct export_record *r, struct ark_buf *to);
void history_channel(const struct export_channel *c, struct ark_buf *to);
void history_person(const struct export_person *p, struct ark_buf *to);

/* One message of a day file as it stands there. */
struct history_piece {
	struct ark_str all;
	struct ark_str id;     /* borrowed from the reader */
	int64_t create_ms, edit_ms, delete_ms;
};
struct history_pieces {
	enum history_form form;
	struct ark_str rest;
	struct json_doc *doc;
	struct json_val json; /* of the latest piece, with HISTORY_JSONL */
	char id[64];
};
/*
 * content  followed by JSON_PADDING readable bytes; borrowed
 * head     what stands before the first message
 */
void history_pieces_begin(struct history_pieces *p, enum history_form form, struct ark_str content,
                          struct ark_str *head);
/* ARK_END; FAIL with kind INPUT when the file is not one of ours. */
enum ark_rc history_pieces_next(struct history_pieces *p, struct history_piece *out, struct ark_err *err);
void history_pieces_end(struct history_pieces *p);

#endif
