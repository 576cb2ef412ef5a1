#include "import/translate/file.h"

#include <string.h>

#include "common/base/utf8.h"
#include "import/translate/scrub.h"

#include "common/base/banned.h"

/* ten notes with their previews fit into the shortest post there is */
#define PREVIEW_RUNES 1000

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

/* ---- names ---- */

/* Nothing but dots and spaces names no file. */
static bool is_name(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '.' && s.ptr[i] != ' ')
			return true;
	return false;
}

void file_name_clean(struct ark_str name, struct ark_str fallback, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf plain;
	ark_auto(ark_buf_release) struct ark_buf nfc;
	ark_buf_init(&plain, LIMIT_ENTRY_NAME * 4);
	ark_buf_init(&nfc, LIMIT_ENTRY_NAME * 4);
	name = ark_utf8_first_bytes(ark_str_trim(name), LIMIT_ENTRY_NAME / 4);
	for (size_t at = 0, len; at < name.len; at += len) {
		uint32_t rune = ark_utf8_at(name, at, &len);
		if (rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0x2028 || rune == 0x2029)
			continue;
		/* marks that turn the order of what is shown around: "gpj.exe" */
		if ((rune >= 0x202a && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069))
			continue;
		ark_utf8_put(&plain, rune == '/' || rune == '\\' ? '_' : rune);
	}
	ark_utf8_nfc(&nfc, ark_buf_view(&plain));
	/* what was not a character may have stood inside a token */
	text_drop_tokens(&nfc);
	struct ark_str clean = ark_str_trim(ark_buf_view(&nfc));
	if (!is_name(clean))
		clean = fallback;
	if (clean.len > FILE_NAME_BYTES) { /* the ending says what it is: keep it */
		size_t dot = clean.len;
		while (dot > 0 && clean.ptr[dot - 1] != '.' && clean.len - dot < 16)
			dot--;
		struct ark_str end = dot > 1 && clean.ptr[dot - 1] == '.' ? ark_str_from(clean, dot - 1)
		                                                           : ARK_LIT("");
		ark_buf_str(out, ark_utf8_first_bytes(clean, FILE_NAME_BYTES - end.len));
		ark_buf_str(out, end);
		return;
	}
	ark_buf_str(out, clean);
}

/* What ending a file of Slack's `filetype` has. Fact: docs/slack-quirks.md "Files". */
static struct ark_str ending_of(struct ark_str filetype)
{
	static const char *const ENDINGS[][2] = {
		{ "text", "txt" },     { "quip", "html" },       { "space", "html" },  { "post", "html" },
		{ "docs", "html" },    { "email", "html" },      { "markdown", "md" }, { "python", "py" },
		{ "javascript", "js" }, { "typescript", "ts" },  { "shell", "sh" },    { "ruby", "rb" },
		{ "perl", "pl" },      { "csharp", "cs" },       { "kotlin", "kt" },   { "rust", "rs" },
		{ "haskell", "hs" },   { "powershell", "ps1" },  { "latex", "tex" },   { "auto", "txt" },
	};
	for (size_t i = 0; i < sizeof(ENDINGS) / sizeof(ENDINGS[0]); i++)
		if (ark_str_eqz(filetype, ENDINGS[i][0]))
			return ark_str_z(ENDINGS[i][1]);
	bool plain = filetype.len > 0 && filetype.len <= 8;
	for (size_t i = 0; i < filetype.len; i++)
		plain = plain && ((filetype.ptr[i] >= 'a' && filetype.ptr[i] <= 'z') ||
		                  (filetype.ptr[i] >= '0' && filetype.ptr[i] <= '9'));
	return plain && !ark_str_eqz(filetype, "binary") && !ark_str_eqz(filetype, "none") ? filetype
	                                                                                  : ARK_LIT("");
}

static void stored_name(struct json_val f, struct ark_str id, struct ark_buf *out)
{
	struct ark_str fallback = id.len > 0 ? id : ARK_LIT("file");
	struct ark_str name = json_text(json_get(f, "name"));
	if (ark_str_has(name) && ark_str_trim(name).len > 0) {
		file_name_clean(name, fallback, out);
		return;
	}
	struct ark_str title = json_text(json_get(f, "title"));
	file_name_clean(ark_str_has(title) ? title : ARK_LIT(""), fallback, out);
	struct ark_str end = ending_of(json_text(json_get(f, "filetype")));
	if (end.len == 0 || ark_str_ends(ark_buf_view(out), end))
		return;
	ark_buf_c(out, '.');
	ark_buf_str(out, end);
}

/* ---- links ---- */

/*
 * Where the body is, without its token: what is behind '?' goes, and a link that leads anywhere else
 * than to Slack is none, because an archive's links are input. Fact: docs/slack-quirks.md "Files".
 */
static struct ark_str plain_link(struct json_val f)
{
	static const char *const KEYS[] = { "url_private_download", "url_private" };
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
		struct ark_str url = json_text(json_get(f, KEYS[i]));
		if (!ark_str_has(url) || !ark_str_starts(url, ARK_LIT("https://")) || url.len > 2048)
			continue;
		size_t end = 0;
		while (end < url.len && url.ptr[end] != '?' && url.ptr[end] != '#' &&
		       (unsigned char)url.ptr[end] > 0x20)
			end++;
		return ark_str_first(url, end);
	}
	return ARK_LIT("");
}

/* ---- entries ---- */

static bool may_be_html(struct json_val f, struct ark_str mode)
{
	static const char *const MODES[] = { "quip", "post", "space", "docs", "email", "canvas" };
	static const char *const TYPES[] = { "html", "quip", "post", "space", "docs", "email", "xhtml",
		                             "canvas" };
	for (size_t i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++)
		if (ark_str_eqz(mode, MODES[i]))
			return true;
	struct ark_str type = json_text(json_get(f, "filetype"));
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if (ark_str_eqz(type, TYPES[i]))
			return true;
	struct ark_str mime = json_text(json_get(f, "mimetype"));
	struct ark_str name = json_text(json_get(f, "name"));
	return ark_str_search(mime, ARK_LIT("html"), 0) != SIZE_MAX ||
	       ark_str_eqz(mime, "application/vnd.slack-docs") ||
	       (name.len > 5 && (ark_str_ends(name, ARK_LIT(".html")) || ark_str_ends(name, ARK_LIT(".htm"))));
}

const char *file_reason_text(enum file_reason reason)
{
	static const char *const TEXTS[FILE_REASONS] = {
		[FILE_WANTED] = "not imported yet",
		[FILE_DELETED] = "deleted in Slack",
		[FILE_HIDDEN] = "hidden by Slack's plan limit",
		[FILE_NO_ACCESS] = "not accessible in Slack",
		[FILE_ELSEWHERE] = "kept outside Slack, its address is not in the export",
	};
	return TEXTS[reason];
}

static void put_note(struct json_val f, struct ark_str mode, enum file_reason why, struct ark_buf *note)
{
	ark_buf_z(note, "file ");
	put_name(note, f);
	int64_t size = 0;
	if (why != FILE_ELSEWHERE && json_i64(json_get(f, "size"), &size) && size > 0)
		put_size(note, size);
	ark_buf_z(note, ": ");
	ark_buf_z(note, file_reason_text(why));
	if (ark_str_eqz(mode, "snippet"))
		put_preview(note, f);
}

static void put_entry(struct file_sink *sink, struct json_val f, struct ark_str id, struct ark_str mode,
                      enum file_reason why)
{
	struct ark_buf *tmp = sink->tmp;
	struct record_file head = { .reason = (uint8_t)why };
	int64_t size = 0;
	if (json_i64(json_get(f, "size"), &size) && size > 0)
		head.size_bytes = size;
	head.flags = may_be_html(f, mode) ? FILE_MAY_BE_HTML : 0;
	struct ark_str mime = ark_str_first(json_text(json_get(f, "mimetype")), 255);
	for (size_t i = 0; i < mime.len; i++)
		if ((unsigned char)mime.ptr[i] <= 0x20 || (unsigned char)mime.ptr[i] >= 0x7f)
			mime = ARK_LIT("");
	struct ark_str link = plain_link(f);
	size_t at = sink->files->len;
	ark_buf_add(sink->files, (const char *)&head, sizeof(head));
	ark_buf_str(sink->files, id);
	ark_buf_reset(tmp);
	stored_name(f, id, tmp);
	head.name_len = (uint16_t)tmp->len;
	ark_buf_str(sink->files, ark_buf_view(tmp));
	ark_buf_str(sink->files, mime);
	ark_buf_str(sink->files, link);
	/* by itself: what is dropped from the note must not move the name */
	ark_buf_reset(tmp);
	put_note(f, mode, why, tmp);
	text_drop_nul(tmp, false);
	text_drop_tokens(tmp);
	head.note_len = (uint32_t)tmp->len;
	ark_buf_str(sink->files, ark_buf_view(tmp));
	head.id_len = (uint8_t)id.len;
	head.mime_len = (uint16_t)mime.len;
	head.link_len = (uint32_t)link.len;
	if (!sink->files->failed)
		memcpy(sink->files->data + at, &head, sizeof(head));
}

/* True: it is shown as a link. */
static bool put_external(struct file_sink *sink, struct json_val f)
{
	struct ark_str url = json_text(json_get(f, "external_url"));
	if (!ark_str_has(url))
		url = json_text(json_get(f, "url_private"));
	if (!ark_str_has(url) || ark_str_search(url, ARK_LIT("xox"), 0) != SIZE_MAX)
		return false;
	struct ark_str title = json_text(json_get(f, "title"));
	if (!ark_str_has(title))
		title = file_name(f);
	if (sink->body->len > 0)
		ark_buf_c(sink->body, '\n');
	text_link(url, title, 0, sink->body);
	return true;
}

static void put_file(struct file_sink *sink, struct json_val f, struct ark_str id)
{
	struct ark_str mode = json_str(json_get(f, "mode"));
	struct ark_str access = json_text(json_get(f, "file_access"));
	bool deleted = ark_str_eqz(mode, "tombstone"), hidden = ark_str_eqz(mode, "hidden_by_limit");
	bool external = !deleted && !hidden && is_external(f, mode);
	if (external && put_external(sink, f))
		return;
	enum file_reason why = deleted    ? FILE_DELETED
	                       : hidden   ? FILE_HIDDEN
	                       : external ? FILE_ELSEWHERE
	                       : id.len == 0 || (ark_str_has(access) && !ark_str_eqz(access, "visible"))
	                           ? FILE_NO_ACCESS
	                           : FILE_WANTED;
	put_entry(sink, f, id, mode, why);
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

/* "F0123ABCD"; anything else is no id. */
static struct ark_str plain_id(struct ark_str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!((id.ptr[i] >= 'A' && id.ptr[i] <= 'Z') || (id.ptr[i] >= 'a' && id.ptr[i] <= 'z') ||
		      (id.ptr[i] >= '0' && id.ptr[i] <= '9')))
			return ARK_LIT("");
	return id.len <= 64 ? id : ARK_LIT("");
}

static void take(struct file_sink *sink, struct json_val f)
{
	if (json_type(f) != JSON_OBJECT || sink->count >= FILES_PER_MESSAGE_MAX)
		return;
	struct ark_str id = plain_id(json_str(json_get(f, "id")));
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
	put_file(sink, f, id);
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

/* ---- reading them again ---- */

bool file_next(struct ark_str files, size_t *at, unsigned *count, struct file_entry *out)
{
	struct record_file head;
	if (*at + sizeof(head) > files.len)
		return false;
	memcpy(&head, files.ptr + *at, sizeof(head));
	const char *p = files.ptr + *at + sizeof(head);
	*out = (struct file_entry){ .size_bytes = head.size_bytes, .reason = (enum file_reason)head.reason,
		                    .may_be_html = (head.flags & FILE_MAY_BE_HTML) != 0 };
	out->id = ark_str_n(p, head.id_len);
	out->name = ark_str_n(p += head.id_len, head.name_len);
	out->mime = ark_str_n(p += head.name_len, head.mime_len);
	out->link = ark_str_n(p += head.mime_len, head.link_len);
	out->note = ark_str_n(p += head.link_len, head.note_len);
	p += head.note_len;
	out->group = (*count)++ / MM_FILES_PER_POST;
	*at = (size_t)(p - files.ptr);
	return true;
}

unsigned file_groups(struct ark_str files)
{
	size_t at = 0;
	unsigned count = 0, groups = 0;
	for (struct file_entry f; file_next(files, &at, &count, &f);)
		groups = f.group + 1;
	return groups;
}

void file_notes(struct ark_str files, unsigned group, struct ark_buf *out)
{
	size_t at = 0, start = out->len;
	unsigned count = 0;
	for (struct file_entry f; file_next(files, &at, &count, &f);) {
		if (f.group != group)
			continue;
		if (out->len > start)
			ark_buf_c(out, '\n');
		ark_buf_str(out, f.note);
	}
}
