/*
 * File objects of a message: which there are, what a row of the ledger says about each, and the line
 * that stands in the post for as long as the body is not in Mattermost.
 *
 * Fact  docs/slack-quirks.md "Files"; fixtures/slack/file-modes
 */
#ifndef IMPORT_TRANSLATE_FILE_H
#define IMPORT_TRANSLATE_FILE_H

#include "common/base/limits.h"
#include "common/json/value.h"
#include "import/slack/message.h"
#include "import/translate/text.h"

#define FILES_PER_MESSAGE_MAX 256 /* further ones are not looked at; Slack allows 10 per upload */

/* Why a body cannot be had, as Slack says it; FILE_WANTED: it may be. */
enum file_reason {
	FILE_WANTED,
	FILE_DELETED,
	FILE_HIDDEN,
	FILE_NO_ACCESS,
	FILE_ELSEWHERE, /* kept outside Slack at an address that is not in the export */
	FILE_REASONS,
};

enum { FILE_MAY_BE_HTML = 1 }; /* canvas, post, e-mail, or a file of that type */

/* One file in PART_FILES of a record (record.h); the strings follow in this order. */
struct record_file {
	int64_t size_bytes; /* as Slack says it; 0: it does not */
	uint32_t note_len, link_len;
	uint16_t name_len, mime_len;
	uint8_t id_len, reason, flags;
};

/* The same, read. Strings borrow from the record. */
struct file_entry {
	int64_t size_bytes;
	struct ark_str id;    /* Slack's; may be empty */
	struct ark_str name;  /* fit for a file name */
	struct ark_str mime;
	struct ark_str link;  /* https, at Slack, without token; or empty */
	struct ark_str note;  /* Markdown */
	enum file_reason reason;
	bool may_be_html;
	unsigned group;       /* the how-many-th post of the message shows it */
};

struct file_sink {
	struct ark_buf *body;  /* external documents: `[title](url)`, a line each */
	struct ark_buf *files; /* PART_FILES */
	struct ark_buf *tmp;
	unsigned count;
	struct ark_buf *ids;   /* scratch: those seen */
};

/* All files of a message: `files`, `file`, those of attachments and of the comment; each id once. */
void files_translate(const struct slack_message *m, struct file_sink *sink);

/* Walk PART_FILES: `*at` and `*count` are 0 at first; false at the end. */
bool file_next(struct ark_str files, size_t *at, unsigned *count, struct file_entry *out);
/* Posts that the files of a message need, ten each; 0 without files. What Slack has no body of counts,
 * so that a file it hides later moves no other to another post. */
unsigned file_groups(struct ark_str files);
/* What a post says about the files it would show: their notes, a line each. Ten of them fit into a post. */
void file_notes(struct ark_str files, unsigned group, struct ark_buf *out);
/* "hidden by Slack's plan limit" */
const char *file_reason_text(enum file_reason reason);

/*
 * A name that is one: no path, no control characters, NFC, at most FILE_NAME_BYTES; `fallback` when
 * nothing is left.
 */
#define FILE_NAME_BYTES 230 /* "_preview.jpg" has to fit behind its stem into the 255 of a file system */
void file_name_clean(struct ark_str name, struct ark_str fallback, struct ark_buf *out);

#endif
