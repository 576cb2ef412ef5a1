/*
 * Why a message of the archive did not become a post. Each one is counted, and
 * read = written + sum of these is checked at the end of every run.
 */
#ifndef IMPORT_TRANSLATE_SKIP_H
#define IMPORT_TRANSLATE_SKIP_H

#include <stdbool.h>

#define SKIP_REASONS(X)                                                                            \
	X(DAMAGED_RANGE, "damaged_range", true, "a stretch of the file that is no JSON")            \
	X(TOO_LARGE, "too_large", true, "a message larger than the limit")                          \
	X(NULL_ELEMENT, "null_element", false, "null or {} where a message should be")              \
	X(NOT_A_MESSAGE, "not_a_message", false, "an object of another type")                       \
	X(BAD_TS, "bad_ts", true, "no readable ts")                                                 \
	X(NO_AUTHOR, "no_author", false, "neither author nor content")                              \
	X(EMPTY, "empty", false, "nothing to show: no text, files, attachments or replies")         \
	X(DUPLICATE, "duplicate", false, "the same message stands in the archive more than once")   \
	X(LOG_ENTRY, "log_entry", false, "a log entry about an edit or deletion, no message")       \
	X(NO_COUNTERPART, "no_counterpart", false, "an event that Mattermost has no place for")     \
	X(DELETED, "deleted", false, "a deleted message without replies")                           \
	X(REPLY_BROADCAST, "reply_broadcast", false, "a pointer to a reply that was imported")      \
	X(CANVAS_UPDATE, "canvas_update", false, "notice of a change in a canvas")                  \
	X(CANVAS_COMMENT, "canvas_comment", false, "a comment on a file or canvas")                 \
	X(NO_WORKSPACE, "no_workspace", true, "nothing tells which workspace of the organisation it belongs to") \
	X(CHANNEL_DELETED, "channel_deleted", false, "its channel was deleted in Mattermost for good")      \
	X(OPTION_JOINS, "option_no_joins", false, "join or leave, left out by --no-joins")          \
	X(OPTION_BOTS, "option_bots", false, "written by a bot, left out by --bots skip")           \
	X(OPTION_TIME, "option_time", false, "outside --since/--until")                             \
	X(OPTION_CHANNELS, "option_channels", false, "conversation left out by --channels")         \
	X(OPTION_DIRECT, "option_no_direct", false, "direct conversation, left out by --no-direct")

enum skip_reason {
#define SKIP_ENUM(id, name, loss, text) SKIP_##id,
	SKIP_REASONS(SKIP_ENUM)
#undef SKIP_ENUM
	SKIP_COUNT,
	SKIP_NONE = SKIP_COUNT,
};

/* "damaged_range" */
const char *skip_name(enum skip_reason reason);
/* One line for people. */
const char *skip_text(enum skip_reason reason);
/* True when something was lost against the archive's will: the run ends with exit code 3. */
int skip_is_loss(enum skip_reason reason);

#endif
