/*
 * Talking to people and to programs, for the main program of a tool, nobody below it. Messages go
 * to standard error, results to standard output. Text from outside may be passed as it is: control
 * characters and bad UTF-8 are replaced here. One thread at a time.
 *
 * What is said without options: errors and warnings always; info (phases, the closing summary) when
 * standard error is a terminal, so that cron stays quiet. --verbose raises that by one step,
 * --quiet leaves errors.
 *
 * msgid is a stable name for programs: lower case, dots between words ("import.channel_skipped").
 * Errors have theirs from their kind ("error.input").
 */
#ifndef ARK_CLI_TALK_H
#define ARK_CLI_TALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/cli/exit.h"
#include "common/cli/option.h"

enum ark_level { ARK_LEVEL_ERROR, ARK_LEVEL_WARNING, ARK_LEVEL_INFO, ARK_LEVEL_DEBUG };

struct ark_talk {
	const char *tool;
	FILE *out, *err;      /* borrowed */
	enum ark_level level; /* what is shown */
	bool json;            /* --json: results, status, warnings and errors as objects on `out` */
	bool log_json;        /* --log-json: messages as objects on `err` */
	bool quiet;
	bool terminal;        /* `err` is one that understands control sequences */
	bool colour;
	uint64_t warnings, errors; /* said so far, shown or not */
	bool out_lost;        /* something for `out` did not arrive; out_errno says why if known */
	int out_errno;
	/* Set by a progress bar while it runs: take it off the line, put it back. */
	void (*bar_hide)(void *bar);
	void (*bar_show)(void *bar);
	void *bar;
};

/* Standard output and error, levels from the common options, colours unless NO_COLOR is set. */
void ark_talk_init(struct ark_talk *talk, const char *tool, const struct ark_common *common);

void ark_warn(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void ark_info(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void ark_debug(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Print an error with its hint, once, at the top; returns the exit code of its kind. */
enum ark_exit ark_fail(struct ark_talk *talk, const struct ark_err *err);

/* One line of human-readable results on standard output; nothing under --json. A newline is added,
 * tabs stay, other control characters are replaced. */
void ark_out(struct ark_talk *talk, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Data for standard output as it is; a buffer that failed or an output that is full is remembered
 * and makes ark_finish fail. */
void ark_write(struct ark_talk *talk, const struct ark_buf *data);

/*
 * Flush standard output and tell whether it took everything. Returns `code`; or, if `code` is DONE
 * or LOSSES and the output is not complete, ARK_EXIT_FAILED, with a message unless the reader just
 * went away (a closed pipe). Last call of every main: return ark_finish(&talk, code).
 */
int ark_finish(struct ark_talk *talk, enum ark_exit code);

/* Append `s` fit for a terminal: C0, C1 and bidirectional controls become '?', bad UTF-8 U+FFFD. */
void ark_talk_clean(struct ark_buf *out, struct ark_str s);

/*
 * One JSON object of --json output, on one line:
 *
 *	struct ark_event e;
 *	ark_event_begin(&e, "summary", "import.done");
 *	ark_event_u64(&e, "read", counts.read);
 *	ark_event_open(&e, "skipped");
 *	ark_event_u64(&e, "damaged_range", 1);
 *	ark_event_close(&e);
 *	ark_event_send(&e, &talk);	// writes and releases
 *
 * Keys are literals of ours; values may come from outside and are cut at LIMIT_TALK bytes. Inside a
 * list the key is NULL.
 */
struct ark_event {
	struct ark_buf text;
	char closing[16]; /* brackets still open */
	unsigned depth;
	bool first; /* no comma before the next member */
};

/* message_type: status, warning, error, summary, or the name of a row ("run"). */
void ark_event_begin(struct ark_event *e, const char *message_type, const char *msgid);
void ark_event_text(struct ark_event *e, const char *key, struct ark_str value); /* NONE: null */
void ark_event_i64(struct ark_event *e, const char *key, int64_t value);
void ark_event_u64(struct ark_event *e, const char *key, uint64_t value);
void ark_event_bool(struct ark_event *e, const char *key, bool value);
void ark_event_time(struct ark_event *e, const char *key, int64_t unix_ms); /* ISO 8601, UTC */
void ark_event_open(struct ark_event *e, const char *key);      /* an object */
void ark_event_open_list(struct ark_event *e, const char *key); /* an array */
void ark_event_close(struct ark_event *e);
/* Write the line to standard output if talk->json, and release. One of more than LIMIT_EVENT bytes
 * is not written, and ark_finish fails. */
void ark_event_send(struct ark_event *e, struct ark_talk *talk);
/* The same line appended to a buffer. */
void ark_event_into(struct ark_event *e, struct ark_buf *out);

#endif
