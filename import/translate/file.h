/*
 * File objects of a message: which there are, and what is said about them in the post while their
 * bodies are not in Mattermost.
 *
 * Fact  docs/slack-quirks.md "Files"; fixtures/slack/file-modes
 */
#ifndef IMPORT_TRANSLATE_FILE_H
#define IMPORT_TRANSLATE_FILE_H

#include "common/json/value.h"
#include "import/slack/message.h"
#include "import/translate/text.h"

#define FILES_PER_MESSAGE_MAX 256 /* further ones are not looked at; Slack allows 10 per upload */

struct file_sink {
	struct ark_buf *body;  /* external documents: `[title](url)`, a line each */
	struct ark_buf *note;  /* everything that should be a Mattermost file and is not yet */
	struct ark_buf *ids;   /* PART_FILES */
	unsigned count;
	/* told of each file whose body is not there (may be NULL); reason is one of few texts */
	void (*missing)(void *ctx, struct ark_str id, struct ark_str name, const char *reason);
	void *missing_ctx;
};

/* All files of a message: `files`, `file`, those of attachments and of the comment; each id once. */
void files_translate(const struct slack_message *m, struct file_sink *sink);

#endif
