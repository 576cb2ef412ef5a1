#include "common/cli/talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

/* message_type and how it looks to people; by enum ark_level */
static const struct {
	const char *type, *prefix, *colour;
} LEVELS[] = {
	[ARK_LEVEL_ERROR] = { "error", "error: ", "\033[1;31m" },
	[ARK_LEVEL_WARNING] = { "warning", "warning: ", "\033[1;33m" },
	[ARK_LEVEL_INFO] = { "status", NULL, NULL },
	[ARK_LEVEL_DEBUG] = { "debug", "debug: ", "\033[2m" },
};

static const char *const ERROR_IDS[] = {
	[ARK_KIND_NONE] = "error.failed",     [ARK_KIND_USAGE] = "error.usage",
	[ARK_KIND_INPUT] = "error.input",     [ARK_KIND_LIMIT] = "error.limit",
	[ARK_KIND_MISSING] = "error.missing", [ARK_KIND_IO] = "error.io",
	[ARK_KIND_DB] = "error.database",     [ARK_KIND_REFUSED] = "error.refused",
	[ARK_KIND_LOCKED] = "error.locked",   [ARK_KIND_SIGNAL] = "error.interrupted",
	[ARK_KIND_MEMORY] = "error.memory",
};

void ark_talk_init(struct ark_talk *talk, const char *tool, const struct ark_common *common)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool tty = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
	int level = (isatty(STDERR_FILENO) ? ARK_LEVEL_INFO : ARK_LEVEL_WARNING) + common->verbose;
	if (common->quiet)
		level = ARK_LEVEL_ERROR;
	*talk = (struct ark_talk){
		.tool = tool,
		.out = stdout,
		.err = stderr,
		.level = level > ARK_LEVEL_DEBUG ? ARK_LEVEL_DEBUG : (enum ark_level)level,
		.json = common->json,
		.log_json = common->log_json,
		.quiet = common->quiet,
		.terminal = tty,
		.colour = tty && !common->log_json && (no_color == NULL || no_color[0] == '\0'),
	};
}

/* What a terminal might act on: C0 and C1 controls, line and paragraph separators, and the marks
 * that turn the direction of text (CVE-2021-42574 shows why). */
static bool is_control(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7F && rune < 0xA0) || rune == 0x061C || rune == 0x200E ||
	       rune == 0x200F || (rune >= 0x2028 && rune <= 0x202E) ||
	       (rune >= 0x2066 && rune <= 0x2069);
}

static void clean(struct ark_buf *out, struct ark_str s, bool keep_tabs)
{
	for (size_t i = 0, len; i < s.len; i += len) {
		uint32_t rune = ark_utf8_at(s, i, &len);
		if (is_control(rune) && !(keep_tabs && rune == '\t'))
			ark_buf_c(out, '?');
		else
			ark_utf8_put(out, rune);
	}
}

void ark_talk_clean(struct ark_buf *out, struct ark_str s)
{
	clean(out, s, false);
}

static void hide_bar(struct ark_talk *talk)
{
	if (talk->bar_hide != NULL)
		talk->bar_hide(talk->bar);
}

static void show_bar(struct ark_talk *talk)
{
	if (talk->bar_show != NULL)
		talk->bar_show(talk->bar);
}

void ark_write(struct ark_talk *talk, const struct ark_buf *data)
{
	if (data->failed) {
		talk->out_lost = true;
		return;
	}
	hide_bar(talk);
	bool flush = talk->bar_show != NULL;
	/* What is lost is remembered for ark_finish, because errno does not last. */
	if ((fwrite(data->data, 1, data->len, talk->out) != data->len ||
	     (flush && fflush(talk->out) != 0)) && !talk->out_lost) {
		talk->out_lost = true;
		talk->out_errno = errno;
	}
	show_bar(talk);
}

static void finish_event(struct ark_event *e)
{
	while (e->depth > 0)
		ark_event_close(e);
	ark_buf_z(&e->text, "}\n");
}

static void message_event(struct ark_event *e, enum ark_level level, const char *msgid,
                          struct ark_str text, struct ark_str hint)
{
	ark_event_begin(e, LEVELS[level].type, msgid);
	ark_event_text(e, "text", text);
	if (hint.len > 0)
		ark_event_text(e, "hint", hint);
}

static void add_colour(const struct ark_talk *talk, struct ark_buf *line, const char *colour)
{
	if (talk->colour && colour != NULL)
		ark_buf_z(line, colour);
}

/* "matter-import: warning: text", one write so that lines of two processes do not mix. */
static void human_line(struct ark_talk *talk, struct ark_buf *line, const char *prefix,
                       const char *colour, struct ark_str text)
{
	if (prefix != NULL) {
		ark_buf_z(line, talk->tool);
		ark_buf_z(line, ": ");
		add_colour(talk, line, colour);
		ark_buf_z(line, prefix);
		add_colour(talk, line, "\033[0m");
	}
	ark_talk_clean(line, text);
	ark_buf_c(line, '\n');
}

static void say(struct ark_talk *talk, enum ark_level level, const char *msgid, struct ark_str text,
                struct ark_str hint)
{
	struct ark_event e;
	bool shown = level <= talk->level;
	bool event = talk->json && level <= ARK_LEVEL_INFO && (!talk->quiet || shown);
	if (!shown && !event)
		return;
	if (event) {
		message_event(&e, level, msgid, text, hint);
		finish_event(&e);
		ark_write(talk, &e.text);
		ark_buf_release(&e.text);
	}
	hide_bar(talk);
	if (shown && talk->log_json) {
		message_event(&e, level, msgid, text, hint);
		ark_event_time(&e, "time", ark_time_now_ms());
		finish_event(&e);
		fwrite(e.text.data, 1, e.text.len, talk->err);
		fflush(talk->err);
		ark_buf_release(&e.text);
	} else if (shown) {
		ark_auto(ark_buf_release) struct ark_buf line;
		ark_buf_init(&line, LIMIT_TALK + 1024);
		human_line(talk, &line, LEVELS[level].prefix, LEVELS[level].colour, text);
		if (hint.len > 0)
			human_line(talk, &line, "hint: ", NULL, hint);
		fwrite(line.data, 1, line.len, talk->err);
		fflush(talk->err);
	}
	show_bar(talk);
}

static void say_fmt(struct ark_talk *talk, enum ark_level level, const char *msgid, const char *fmt,
                    va_list ap) __attribute__((format(printf, 4, 0)));
static void say_fmt(struct ark_talk *talk, enum ark_level level, const char *msgid, const char *fmt,
                    va_list ap)
{
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);
	if (n >= 0)
		say(talk, level, msgid,
		    ark_utf8_first_bytes(ark_str_n(text, (size_t)n), LIMIT_TALK / 4), ARK_STR_NONE);
	free(text);
}

void ark_warn(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
{
	va_list ap;
	talk->warnings++;
	va_start(ap, fmt);
	say_fmt(talk, ARK_LEVEL_WARNING, msgid, fmt, ap);
	va_end(ap);
}

void ark_info(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say_fmt(talk, ARK_LEVEL_INFO, msgid, fmt, ap);
	va_end(ap);
}

void ark_debug(struct ark_talk *talk, const char *msgid, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say_fmt(talk, ARK_LEVEL_DEBUG, msgid, fmt, ap);
	va_end(ap);
}

enum ark_exit ark_fail(struct ark_talk *talk, const struct ark_err *err)
{
	talk->errors++;
	say(talk, ARK_LEVEL_ERROR, ERROR_IDS[err->kind], ark_str_z(err->text),
	    ark_str_z(err->hint));
	return ark_exit_of(err->kind);
}

void ark_out(struct ark_talk *talk, const char *fmt, ...)
{
	if (talk->json)
		return;
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, LIMIT_EVENT);
	if (n >= 0)
		clean(&line, ark_str_n(text, (size_t)n), true);
	free(text);
	ark_buf_c(&line, '\n');
	ark_write(talk, &line);
}

int ark_finish(struct ark_talk *talk, enum ark_exit code)
{
	bool bad = talk->out_lost || ferror(talk->out) != 0;
	int errnum = talk->out_errno;
	if (fflush(talk->out) != 0) {
		bad = true;
		errnum = errnum != 0 ? errnum : errno;
	}
	/* NFS and quotas may tell only at close. */
	if (fclose(talk->out) != 0) {
		errnum = errnum != 0 ? errnum : errno;
		bad = true;
	}
	if (!bad || (code != ARK_EXIT_DONE && code != ARK_EXIT_LOSSES))
		return code;
	talk->json = false; /* its place is gone */
	struct ark_err err = { 0 };
	if (errnum != 0)
		ark_err_errno(&err, errnum, "cannot write to standard output");
	else
		ark_err_set(&err, ARK_KIND_IO, "cannot write everything to standard output");
	if (errnum != EPIPE)
		ark_fail(talk, &err);
	return ARK_EXIT_FAILED;
}

static void event_key(struct ark_event *e, const char *key)
{
	if (!e->first)
		ark_buf_c(&e->text, ',');
	e->first = false;
	if (key != NULL) {
		ark_buf_json(&e->text, ark_str_z(key));
		ark_buf_c(&e->text, ':');
	}
}

void ark_event_begin(struct ark_event *e, const char *message_type, const char *msgid)
{
	*e = (struct ark_event){ .first = true };
	ark_buf_init(&e->text, LIMIT_EVENT);
	ark_buf_c(&e->text, '{');
	ark_event_text(e, "message_type", ark_str_z(message_type));
	ark_event_text(e, "msgid", ark_str_z(msgid));
}

void ark_event_text(struct ark_event *e, const char *key, struct ark_str value)
{
	event_key(e, key);
	value = ark_utf8_first_bytes(value, LIMIT_TALK);
	if (!ark_str_has(value)) {
		ark_buf_z(&e->text, "null");
	} else if (ark_utf8_valid(value)) {
		ark_buf_json(&e->text, value);
	} else {
		ark_auto(ark_buf_release) struct ark_buf mended;
		ark_buf_init(&mended, LIMIT_EVENT);
		ark_utf8_clean(&mended, value);
		ark_buf_json(&e->text, ark_buf_view(&mended));
	}
}

void ark_event_i64(struct ark_event *e, const char *key, int64_t value)
{
	event_key(e, key);
	ark_buf_i64(&e->text, value);
}

void ark_event_u64(struct ark_event *e, const char *key, uint64_t value)
{
	event_key(e, key);
	ark_buf_u64(&e->text, value);
}

void ark_event_bool(struct ark_event *e, const char *key, bool value)
{
	event_key(e, key);
	ark_buf_z(&e->text, value ? "true" : "false");
}

void ark_event_time(struct ark_event *e, const char *key, int64_t unix_ms)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(unix_ms, iso);
	ark_event_text(e, key, ark_str_z(iso));
}

static void event_open(struct ark_event *e, const char *key, char open, char close)
{
	if (e->depth == sizeof(e->closing))
		ark_bug("a JSON line nested deeper than %u", e->depth);
	event_key(e, key);
	ark_buf_c(&e->text, open);
	e->closing[e->depth++] = close;
	e->first = true;
}

void ark_event_open(struct ark_event *e, const char *key)
{
	event_open(e, key, '{', '}');
}

void ark_event_open_list(struct ark_event *e, const char *key)
{
	event_open(e, key, '[', ']');
}

void ark_event_close(struct ark_event *e)
{
	if (e->depth == 0)
		ark_bug("a JSON line closed once too often");
	ark_buf_c(&e->text, e->closing[--e->depth]);
	e->first = false;
}

void ark_event_send(struct ark_event *e, struct ark_talk *talk)
{
	if (!talk->json) {
		ark_buf_release(&e->text);
		return;
	}
	finish_event(e);
	ark_write(talk, &e->text);
	ark_buf_release(&e->text);
}

void ark_event_into(struct ark_event *e, struct ark_buf *out)
{
	finish_event(e);
	if (e->text.failed)
		out->failed = true;
	else
		ark_buf_str(out, ark_buf_view(&e->text));
	ark_buf_release(&e->text);
}
