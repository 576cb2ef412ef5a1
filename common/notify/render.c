#include "common/notify/render.h"

#include <stdio.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "common/json/out.h"

#include "common/base/banned.h"

#define PREFIX "MATTERARK_NOTIFY_"

/* --- words ------------------------------------------------------------------------------------- */

/* "done", "losses", "failed" ...: one word for programs; stable. */
static const char *notify_status(enum ark_exit code)
{
	switch (code) {
	case ARK_EXIT_DONE:
		return "done";
	case ARK_EXIT_LOSSES:
		return "losses";
	case ARK_EXIT_USAGE:
		return "usage";
	case ARK_EXIT_REFUSED:
		return "refused";
	case ARK_EXIT_LOCKED:
		return "locked";
	case ARK_EXIT_INTERRUPTED:
		return "interrupted";
	default:
		return "failed";
	}
}

bool notify_success(enum ark_exit code)
{
	return code == ARK_EXIT_DONE || code == ARK_EXIT_LOSSES;
}

/* For people. */
static const char *outcome(const struct notify_run *run, const struct notify_moment *at)
{
	if (!at->end)
		return "began";
	switch (run->code) {
	case ARK_EXIT_DONE:
		return "done";
	case ARK_EXIT_LOSSES:
		return "done, but something is missing";
	case ARK_EXIT_LOCKED:
		return "not done: somebody else is at it";
	case ARK_EXIT_REFUSED:
		return "refused";
	case ARK_EXIT_INTERRUPTED:
		return "interrupted";
	default:
		return "failed";
	}
}

static const char *or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

static size_t counts(const struct notify_run *run, const struct notify_moment *at)
{
	if (!at->end)
		return 0;
	return run->count_count < LIMIT_NOTIFY_COUNTS ? run->count_count : LIMIT_NOTIFY_COUNTS;
}

static int64_t duration_ms(const struct notify_run *run, const struct notify_moment *at)
{
	return at->now_ms > run->begin_ms ? at->now_ms - run->begin_ms : 0;
}

static void put_duration(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out)
{
	unsigned long long s = (unsigned long long)duration_ms(run, at) / 1000;
	if (s >= 3600)
		ark_buf_fmt(out, "%llu h %llu min", s / 3600, s / 60 % 60);
	else if (s >= 60)
		ark_buf_fmt(out, "%llu min %llu s", s / 60, s % 60);
	else
		ark_buf_fmt(out, "%llu s", s);
}

/* --- for programs ------------------------------------------------------------------------------ */

void notify_render_json(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out)
{
	struct json_out o;
	json_out_begin(&o, out, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "message_type", ARK_LIT("run"));
	json_out_text(&o, "event", at->end ? ARK_LIT("end") : ARK_LIT("begin"));
	json_out_text(&o, "tool", ark_str_z(run->tool));
	json_out_text(&o, "version", ark_str_z(run->version));
	json_out_text(&o, "command", ark_str_z(run->command));
	json_out_text(&o, "host", ark_str_z(at->host));
	json_out_text(&o, "target", ark_str_z(run->target));
	json_out_time(&o, "begin", run->begin_ms);
	if (at->end) {
		json_out_time(&o, "end", at->now_ms);
		json_out_seconds(&o, "duration_s", duration_ms(run, at));
		json_out_text(&o, "status", ark_str_z(notify_status(run->code)));
		json_out_i64(&o, "exit_code", run->code);
		json_out_text(&o, "headline", ark_str_z(run->headline));
		json_out_text(&o, "problem", ark_str_z(run->problem));
		json_out_open(&o, "counts");
		for (size_t i = 0; i < counts(run, at); i++)
			json_out_u64(&o, run->counts[i].name, run->counts[i].value);
	}
	json_out_end(&o);
}

static void variable(struct ark_buf *out, const char *name, const char *value)
{
	ark_buf_fmt(out, PREFIX "%s=%s", name, or_nothing(value));
	ark_buf_c(out, '\0');
}

static void count_variable(struct ark_buf *out, const struct notify_count *count)
{
	ark_buf_z(out, PREFIX "COUNT_");
	for (const char *c = count->name; *c != '\0'; c++)
		ark_buf_c(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
	ark_buf_fmt(out, "=%llu", (unsigned long long)count->value);
	ark_buf_c(out, '\0');
}

void notify_render_environment(const struct notify_run *run, const struct notify_moment *at,
                               struct ark_buf *out)
{
	char iso[ARK_TIME_ISO], number[32];
	variable(out, "EVENT", at->end ? "end" : "begin");
	variable(out, "TOOL", run->tool);
	variable(out, "VERSION", run->version);
	variable(out, "COMMAND", run->command);
	variable(out, "HOST", at->host);
	variable(out, "TARGET", run->target);
	ark_time_iso(run->begin_ms, iso);
	variable(out, "BEGIN", iso);
	if (!at->end)
		return;
	ark_time_iso(at->now_ms, iso);
	variable(out, "END", iso);
	snprintf(number, sizeof(number), "%lld", (long long)duration_ms(run, at) / 1000);
	variable(out, "SECONDS", number);
	variable(out, "STATUS", notify_status(run->code));
	snprintf(number, sizeof(number), "%d", (int)run->code);
	variable(out, "EXIT_CODE", number);
	variable(out, "HEADLINE", run->headline);
	variable(out, "PROBLEM", run->problem);
	for (size_t i = 0; i < counts(run, at); i++)
		count_variable(out, &run->counts[i]);
}

/* --- for people -------------------------------------------------------------------------------- */

void notify_render_text(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out)
{
	ark_buf_fmt(out, "%s %s on %s: %s\n", run->tool, run->command, at->host, outcome(run, at));
	if (at->end && run->headline != NULL)
		ark_buf_fmt(out, "%s\n", run->headline);
	if (at->end && run->problem != NULL)
		ark_buf_fmt(out, "%s\n", run->problem);
	if (run->target != NULL)
		ark_buf_fmt(out, "\n%s\n", run->target);
	if (!at->end)
		return;
	ark_buf_z(out, "took ");
	put_duration(run, at, out);
	ark_buf_fmt(out, ", exit code %d\n", (int)run->code);
	if (counts(run, at) > 0)
		ark_buf_c(out, '\n');
	for (size_t i = 0; i < counts(run, at); i++)
		ark_buf_fmt(out, "%16llu  %s\n", (unsigned long long)run->counts[i].value, run->counts[i].title);
}

/*
 * Text that shows as it is: no Markdown, and no mention, because names in messages of ours may come from
 * outside and must not call everybody. Fact  docs/mattermost-facts.md "Incoming webhooks"
 */
static void put_markdown(struct ark_buf *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (strchr("\\`*_{}[]()#|~!>", *c) != NULL)
			ark_buf_c(out, '\\');
		ark_buf_c(out, *c == '\n' || *c == '\r' ? ' ' : *c);
		if (*c == '@')
			ark_utf8_put(out, 0x200b);
	}
}

/* Text of several lines or with anything in it, as code: nothing in it means anything. */
static void put_code(struct ark_buf *out, const char *text)
{
	ark_buf_z(out, "```\n");
	for (const char *c = text; *c != '\0'; c++)
		ark_buf_c(out, *c == '`' ? '\'' : *c);
	ark_buf_z(out, "\n```\n");
}

static void put_table(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out)
{
	if (counts(run, at) == 0)
		return;
	ark_buf_z(out, "\n| what | count |\n|:--|--:|\n");
	for (size_t i = 0; i < counts(run, at); i++) {
		ark_buf_z(out, "| ");
		put_markdown(out, run->counts[i].title);
		ark_buf_fmt(out, " | %llu |\n", (unsigned long long)run->counts[i].value);
	}
}

/* Colours of Mattermost's own palette for good, warning and danger. */
static const char *colour(enum ark_exit code)
{
	return code == ARK_EXIT_DONE ? "#3db887" : code == ARK_EXIT_LOSSES ? "#ffbc1f" : "#d24b4e";
}

void notify_render_webhook(const struct notify_run *run, const struct notify_moment *at,
                           struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf title, text;
	ark_buf_init(&title, 1024);
	ark_buf_init(&text, LIMIT_NOTICE);
	ark_buf_fmt(&title, "%s %s on %s: %s", run->tool, run->command, at->host, outcome(run, at));
	if (run->headline != NULL) {
		put_markdown(&text, run->headline);
		ark_buf_c(&text, '\n');
	}
	if (run->problem != NULL)
		put_code(&text, run->problem);
	put_table(run, at, &text);
	ark_buf_c(&text, '\n');
	if (run->target != NULL) {
		put_markdown(&text, run->target);
		ark_buf_z(&text, ", ");
	}
	put_duration(run, at, &text);
	ark_buf_fmt(&text, ", exit code %d", (int)run->code);
	struct json_out o;
	json_out_begin(&o, out, false);
	json_out_open(&o, NULL);
	json_out_open_list(&o, "attachments");
	json_out_open(&o, NULL);
	json_out_text(&o, "fallback", ark_buf_view(&title));
	json_out_text(&o, "color", ark_str_z(colour(run->code)));
	json_out_text(&o, "title", ark_buf_view(&title));
	json_out_text(&o, "text", ark_buf_view(&text));
	json_out_end(&o);
	out->failed = out->failed || text.failed || title.failed;
}

/* --- mail -------------------------------------------------------------------------------------- */

#define LINE 76 /* Fact  RFC 2045 6.7 (5) */

/* Quoted-printable: readable where the text is English, and nothing that a mail server could break. */
static void put_quoted(struct ark_buf *out, struct ark_str s)
{
	size_t column = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c == '\n') {
			ark_buf_z(out, "\r\n");
			column = 0;
			continue;
		}
		bool last = i + 1 == s.len || s.ptr[i + 1] == '\n';
		bool plain = c >= ' ' && c <= '~' && c != '=' && !(c == ' ' && last) && !(c == '.' && column == 0);
		if (column + (plain ? 1 : 3) >= LINE) {
			ark_buf_z(out, "=\r\n");
			column = 0;
		}
		if (plain)
			ark_buf_c(out, (char)c);
		else
			ark_buf_fmt(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
}

/* Fact  RFC 5322 3.3 */
static void put_date(struct ark_buf *out, int64_t unix_ms)
{
	static const char DAYS[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
	static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct ark_civil c = ark_time_civil(unix_ms);
	ark_buf_fmt(out, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000", DAYS + unix_ms / 86400000 % 7 * 3, c.day,
	            MONTHS + (c.month - 1) * 3, c.year, c.hour, c.minute, c.second);
}

/* A value of ours for a header: printable ASCII. */
static void put_header(struct ark_buf *out, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		ark_buf_c(out, *c >= ' ' && *c <= '~' ? *c : '?');
}

void notify_render_mail(const struct notify_run *run, const struct notify_moment *at, const char *from,
                        const char *const *to, const char *id, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_NOTICE);
	notify_render_text(run, at, &text);
	ark_buf_z(out, "Date: ");
	put_date(out, at->now_ms);
	ark_buf_fmt(out, "\r\nFrom: <%s>\r\nTo: ", from);
	for (size_t i = 0; to[i] != NULL; i++)
		ark_buf_fmt(out, "%s<%s>", i > 0 ? ",\r\n " : "", to[i]);
	ark_buf_z(out, "\r\nSubject: ");
	put_header(out, run->tool);
	ark_buf_c(out, ' ');
	put_header(out, run->command);
	ark_buf_z(out, " on ");
	put_header(out, at->host);
	ark_buf_fmt(out, ": %s\r\nMessage-ID: <%s@", outcome(run, at), id);
	put_header(out, at->host);
	/* RFC 3834: no out-of-office answers, please */
	ark_buf_z(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	               "Content-Type: text/plain; charset=utf-8\r\n"
	               "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	put_quoted(out, ark_buf_view(&text));
	out->failed = out->failed || text.failed;
}
