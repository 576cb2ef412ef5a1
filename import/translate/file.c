#include "import/translate/file.h"

#include "common/base/utf8.h"

#include "common/base/banned.h"

#define PREVIEW_RUNES 2000

static struct ark_str file_name(struct json_val f)
{
	static const char *const KEYS[] = { "name", "title" };
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
		struct ark_str s = json_text(json_get(f, KEYS[i]));
		if (ark_str_has(s) && ark_str_trim(s).len > 0)
			return s;
	}
	return ARK_LIT("(name not in the export)");
}

static void put_size(struct ark_buf *out, int64_t bytes)
{
	static const char *const UNITS[] = { "bytes", "KB", "MB", "GB" };
	double n = (double)bytes;
	size_t unit = 0;
	while (n >= 1000 && unit < 3) {
		n /= 1000;
		unit++;
	}
	ark_buf_fmt(out, unit == 0 ? " (%.0f %s)" : n < 10 ? " (%.1f %s)" : " (%.0f %s)", n, UNITS[unit]);
}

static void note_line(struct ark_buf *note)
{
	if (note->len > 0)
		ark_buf_c(note, '\n');
	ark_buf_z(note, "file ");
}

static void put_name(struct ark_buf *out, struct json_val f)
{
	struct ark_str name = ark_utf8_first(file_name(f), 200);
	/* one line whatever the name holds */
	for (size_t at = 0; at < name.len;) {
		size_t end = at;
		while (end < name.len && (unsigned char)name.ptr[end] >= 0x20)
			end++;
		text_literal(ark_str_n(name.ptr + at, end - at), out);
		if (end < name.len)
			ark_buf_c(out, ' ');
		at = end + 1;
	}
}

/* What a snippet starts with, as Slack shows it: the body may never be had. */
static void put_preview(struct ark_buf *note, struct json_val f)
{
	struct ark_str preview = json_text(json_get(f, "preview"));
	if (!ark_str_has(preview) || ark_str_search(preview, ARK_LIT("```"), 0) != SIZE_MAX)
		return;
	struct ark_str cut = ark_utf8_first(preview, PREVIEW_RUNES);
	ark_buf_z(note, "\n```\n");
	ark_utf8_clean(note, ark_str_trim(cut));
	ark_buf_z(note, "\n```");
	int64_t more = 0;
	(void)json_i64(json_get(f, "lines_more"), &more);
	if (more > 0)
		ark_buf_fmt(note, "\n(%lld more lines)", (long long)more);
	else if (cut.len < preview.len)
		ark_buf_z(note, "\n(shortened)");
}

static bool is_external(struct json_val f, struct ark_str mode)
{
	return ark_str_eqz(mode, "external") || json_is_true(json_get(f, "is_external"));
}

static void put_external(struct file_sink *sink, struct json_val f)
{
	struct ark_str url = json_text(json_get(f, "external_url"));
	if (!ark_str_has(url))
		url = json_text(json_get(f, "url_private"));
	struct ark_str title = json_text(json_get(f, "title"));
	if (!ark_str_has(title))
		title = file_name(f);
	if (!ark_str_has(url) || ark_str_search(url, ARK_LIT("xox"), 0) != SIZE_MAX) {
		note_line(sink->note);
		put_name(sink->note, f);
		ark_buf_z(sink->note, ": kept outside Slack, its address is not in the export");
		return;
	}
	if (sink->body->len > 0)
		ark_buf_c(sink->body, '\n');
	text_link(url, title, 0, sink->body);
}

static void put_file(struct file_sink *sink, struct json_val f)
{
	struct ark_str mode = json_str(json_get(f, "mode"));
	struct ark_str access = json_text(json_get(f, "file_access"));
	bool bare = ark_str_eqz(mode, "tombstone") || ark_str_eqz(mode, "hidden_by_limit");
	if (!bare && is_external(f, mode)) {
		put_external(sink, f);
		return;
	}
	const char *why = ark_str_eqz(mode, "tombstone")         ? "deleted in Slack"
	                  : ark_str_eqz(mode, "hidden_by_limit") ? "hidden by Slack's plan limit"
	                  : ark_str_has(access) && !ark_str_eqz(access, "visible")
	                      ? "not accessible in Slack"
	                      : "not imported yet";
	note_line(sink->note);
	put_name(sink->note, f);
	int64_t size = 0;
	if (json_i64(json_get(f, "size"), &size) && size > 0)
		put_size(sink->note, size);
	ark_buf_z(sink->note, ": ");
	ark_buf_z(sink->note, why);
	if (ark_str_eqz(mode, "snippet"))
		put_preview(sink->note, f);
	if (sink->missing != NULL)
		sink->missing(sink->missing_ctx, json_str(json_get(f, "id")), file_name(f), why);
}

static bool seen(const struct ark_buf *ids, struct ark_str id)
{
	for (size_t at = 0; at < ids->len;) {
		size_t len = (unsigned char)ids->data[at];
		if (ark_str_eq(ark_str_n(ids->data + at + 1, len), id))
			return true;
		at += 1 + len;
	}
	return false;
}

static void take(struct file_sink *sink, struct json_val f)
{
	if (json_type(f) != JSON_OBJECT || sink->count >= FILES_PER_MESSAGE_MAX)
		return;
	struct ark_str id = ark_str_first(json_str(json_get(f, "id")), 255);
	if (id.len > 0) {
		if (seen(sink->ids, id))
			return;
		ark_buf_c(sink->ids, (char)(unsigned char)id.len);
		ark_buf_str(sink->ids, id);
	} else if (!ark_str_has(json_text(json_get(f, "name"))) &&
	           !ark_str_has(json_text(json_get(f, "title")))) {
		return; /* an object with nothing in it */
	}
	sink->count++;
	put_file(sink, f);
}

static void take_all(struct file_sink *sink, struct json_val list)
{
	struct json_iter it = json_items(list);
	for (struct json_val f; json_next(&it, &f);)
		take(sink, f);
}

void files_translate(const struct slack_message *m, struct file_sink *sink)
{
	take_all(sink, m->files);
	take(sink, m->file);
	struct json_iter it = json_items(m->attachments);
	for (struct json_val a; json_next(&it, &a);)
		take_all(sink, json_get(a, "files"));
}
