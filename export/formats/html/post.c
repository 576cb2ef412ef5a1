/* One message as HTML: its text as the web client shows it, and everything that hangs on it. */
#include <stdlib.h>

#include "common/base/utf8.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/html/chart.h"
#include "export/formats/html/private.h"

#include "common/base/banned.h"

struct ark_str html_person_name(const struct export_person *person)
{
	return person == NULL ? ARK_LIT("somebody unknown") : person->display_name;
}

/* --- the line above the text --- */

/* Letters on a coloured disc, the colour from the account's id. */
static void put_face(struct ark_buf *b, struct ark_str name, struct ark_str id)
{
	unsigned colour = 0;
	for (size_t i = 0; i < id.len; i++)
		colour = colour * 31 + (unsigned char)id.ptr[i];
	ark_buf_fmt(b, "<span class=\"face c%u\" aria-hidden=\"true\">", colour % 8);
	html_escape(ark_utf8_first(name, 1), b);
	ark_buf_z(b, "</span>");
}

static void put_tag(struct ark_buf *b, const char *class, const char *text)
{
	ark_buf_fmt(b, "<span class=\"tag %s\">%s</span>", class, text);
}

static void put_tags(struct ark_buf *b, const struct export_record *r)
{
	if (r->origin.from_webhook || r->origin.from_bot || (r->author != NULL && r->author->is_bot))
		put_tag(b, "bot", "bot");
	if (r->what == EXPORT_ORPHAN)
		put_tag(b, "gone", "earlier version of a message that is gone");
	if (r->is_pinned)
		put_tag(b, "pinned", "pinned");
	if (r->has_priority && r->priority.len > 0) {
		ark_buf_z(b, "<span class=\"tag urgent\">");
		html_escape(r->priority, b);
		ark_buf_z(b, "</span>");
	}
	if (r->match)
		put_tag(b, "match", "match");
}

static void put_head(struct ark_buf *b, const struct export_record *r)
{
	struct ark_str name = ark_str_has(r->origin.override_name) ? r->origin.override_name
	                                                           : html_person_name(r->author);
	put_face(b, name, r->author_id);
	ark_buf_z(b, "<div class=\"head\"><b class=\"name\"><bdi>");
	html_escape(name, b);
	ark_buf_z(b, "</bdi></b>");
	if (r->author != NULL) {
		ark_buf_z(b, " <span class=\"user\">@");
		html_escape(r->author->user_name, b);
		ark_buf_z(b, "</span>");
	}
	ark_buf_z(b, " <a class=\"when\" href=\"#p-");
	html_escape(r->id, b);
	ark_buf_z(b, "\">");
	html_time(b, r->create_ms, false);
	ark_buf_z(b, "</a>");
	put_tags(b, r);
	ark_buf_z(b, "</div>\n");
}

/* --- files --- */

static bool is_picture(const struct export_attachment *f)
{
	static const char *const SHOWN[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };
	for (size_t i = 0; i < sizeof(SHOWN) / sizeof(SHOWN[0]); i++)
		if (ark_str_eqz(f->mime_type, SHOWN[i]))
			return true;
	return false;
}

static void put_file(struct ark_buf *b, const struct export_attachment *f)
{
	struct ark_str data = ARK_LIT("data/");
	bool here = ark_str_has(f->copy_path) && ark_str_starts(f->copy_path, data);
	ark_buf_z(b, "<li>");
	if (here) {
		ark_buf_z(b, "<a href=\"../../../");
		html_escape(ark_str_from(f->copy_path, data.len), b);
		ark_buf_z(b, "\" download=\"");
		html_escape(f->name, b);
		ark_buf_z(b, "\">");
	}
	if (here && is_picture(f)) {
		ark_buf_z(b, "<img loading=\"lazy\" alt=\"\" src=\"../../../");
		html_escape(ark_str_from(f->copy_path, data.len), b);
		if (f->width > 0 && f->height > 0)
			ark_buf_fmt(b, "\" width=\"%d\" height=\"%d", f->width, f->height);
		ark_buf_z(b, "\">");
	}
	ark_buf_z(b, "<bdi class=\"file\">");
	html_escape(f->name, b);
	ark_buf_z(b, here ? "</bdi></a> " : "</bdi> ");
	ark_buf_z(b, "<span class=\"soft\">");
	ark_human_bytes(b, f->size_bytes > 0 ? (uint64_t)f->size_bytes : 0);
	if (f->bytes == EXPORT_BYTES_MISSING)
		ark_buf_z(b, ", missing in the file store");
	if (f->delete_ms > 0)
		ark_buf_z(b, ", deleted");
	ark_buf_z(b, "</span>");
	if (ark_str_has(f->sha256)) {
		ark_buf_z(b, " <code class=\"hash\" title=\"SHA-256\">");
		html_escape(f->sha256, b);
		ark_buf_z(b, "</code>");
	}
	ark_buf_z(b, "</li>\n");
}

static void put_files(struct ark_buf *b, const struct export_record *r)
{
	if (r->attachments_count == 0)
		return;
	ark_buf_z(b, "<ul class=\"files\">\n");
	for (size_t i = 0; i < r->attachments_count; i++)
		put_file(b, &r->attachments[i]);
	ark_buf_z(b, "</ul>\n");
}

/* --- message attachments: props.attachments, as integrations and imports write them --- */

static void put_markdown(struct html_archive *a, const char *class, struct json_val text)
{
	struct ark_str s = json_text(text);
	if (!ark_str_has(s))
		return;
	ark_buf_fmt(&a->html, "<div class=\"%s\">", class);
	html_markdown(s, &a->names, &a->html);
	ark_buf_z(&a->html, "</div>\n");
	ark_buf_str(&a->text, s);
	ark_buf_c(&a->text, '\n');
}

static void put_fields(struct html_archive *a, struct json_val fields)
{
	if (json_count(fields) == 0)
		return;
	ark_buf_z(&a->html, "<dl>");
	struct json_iter it = json_items(fields);
	for (struct json_val f; json_next(&it, &f);) {
		struct ark_str title = json_text(json_get(f, "title"));
		ark_buf_z(&a->html, "<div><dt>");
		html_escape(ark_str_has(title) ? title : ARK_LIT(""), &a->html);
		ark_buf_z(&a->html, "</dt><dd>");
		put_markdown(a, "value", json_get(f, "value"));
		ark_buf_z(&a->html, "</dd></div>");
	}
	ark_buf_z(&a->html, "</dl>\n");
}

static void put_card(struct html_archive *a, struct json_val card)
{
	struct ark_str author = json_text(json_get(card, "author_name"));
	struct ark_str footer = json_text(json_get(card, "footer"));
	put_markdown(a, "text", json_get(card, "pretext"));
	ark_buf_z(&a->html, "<aside class=\"card\">");
	if (ark_str_has(author)) {
		ark_buf_z(&a->html, "<p class=\"soft\">");
		html_escape(author, &a->html);
		ark_buf_z(&a->html, "</p>");
	}
	put_markdown(a, "title", json_get(card, "title"));
	put_markdown(a, "text", json_get(card, "text"));
	put_fields(a, json_get(card, "fields"));
	if (ark_str_has(footer)) {
		ark_buf_z(&a->html, "<p class=\"soft\">");
		html_escape(footer, &a->html);
		ark_buf_z(&a->html, "</p>");
	}
	ark_buf_z(&a->html, "</aside>\n");
}

static void put_cards(struct html_archive *a, const struct export_record *r)
{
	if (ark_str_search(r->props, ARK_LIT("\"attachments\""), 0) == SIZE_MAX)
		return;
	static const char padding[JSON_PADDING];
	struct json_val root;
	struct ark_err ignored = { 0 };
	ark_buf_reset(&a->piece);
	ark_buf_str(&a->piece, r->props);
	ark_buf_add(&a->piece, padding, sizeof(padding));
	if (json_doc_parse(a->json, a->piece.data, r->props.len, &root, &ignored) < 0)
		return; /* the database says jsonb: deeper than we read */
	struct json_iter it = json_items(json_get(root, "attachments"));
	for (struct json_val card; json_next(&it, &card);)
		put_card(a, card);
}

/* --- reactions, acknowledgements, earlier versions --- */

static void put_reactions(struct html_archive *a, const struct export_record *r)
{
	struct ark_buf *b = &a->html;
	if (r->reactions_count == 0)
		return;
	ark_buf_z(b, "<ul class=\"reactions\">");
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		bool again = x->delete_ms > 0;
		for (size_t k = 0; k < i && !again; k++)
			again = r->reactions[k].delete_ms == 0 && ark_str_eq(r->reactions[k].emoji, x->emoji);
		if (again)
			continue;
		uint64_t n = 0;
		ark_buf_z(b, "<li title=\":");
		html_escape(x->emoji, b);
		ark_buf_c(b, ':');
		for (size_t k = i; k < r->reactions_count; k++) {
			if (r->reactions[k].delete_ms > 0 || !ark_str_eq(r->reactions[k].emoji, x->emoji))
				continue;
			ark_buf_z(b, n++ == 0 ? " " : ", ");
			html_escape(html_person_name(r->reactions[k].person), b);
		}
		struct ark_str unicode = ARK_STR_NONE;
		bool known = a->names.emoji(a->names.ctx, x->emoji, &unicode) && unicode.len > 0;
		ark_buf_z(b, "\">");
		if (!known)
			ark_buf_c(b, ':');
		html_escape(known ? unicode : x->emoji, b);
		ark_buf_fmt(b, "%s <span>%llu</span></li>", known ? "" : ":", (unsigned long long)n);
	}
	ark_buf_z(b, "</ul>\n");
}

static void put_acks(struct ark_buf *b, const struct export_record *r)
{
	if (r->acks_count == 0)
		return;
	ark_buf_z(b, "<p class=\"soft acks\">acknowledged by ");
	for (size_t i = 0; i < r->acks_count; i++) {
		ark_buf_z(b, i > 0 ? ", " : "");
		html_escape(html_person_name(r->acks[i].person), b);
	}
	ark_buf_z(b, "</p>\n");
}

static void put_versions(struct html_archive *a, const struct export_record *r)
{
	struct ark_buf *b = &a->html;
	if (r->versions_count == 0) {
		if (r->edit_ms > 0) {
			ark_buf_z(b, "<p class=\"soft edited\">edited ");
			html_time(b, r->edit_ms, true);
			ark_buf_z(b, "</p>\n");
		}
		return;
	}
	ark_buf_fmt(b, "<details class=\"versions\"><summary>edited, %zu earlier %s</summary><ol>\n",
	            r->versions_count, r->versions_count == 1 ? "version" : "versions");
	for (size_t i = 0; i < r->versions_count; i++) {
		const struct export_version *v = &r->versions[i];
		ark_buf_z(b, "<li><p class=\"soft\">");
		html_time(b, v->edit_ms, true);
		ark_buf_z(b, ", replaced ");
		html_time(b, v->replaced_ms, true);
		ark_buf_z(b, "</p><div class=\"text\">");
		html_markdown(v->text, &a->names, b);
		ark_buf_z(b, "</div></li>\n");
	}
	ark_buf_z(b, "</ol></details>\n");
}

static void put_body(struct html_archive *a, const struct export_record *r)
{
	struct ark_buf *b = &a->html;
	if (r->text.len > 0) {
		ark_buf_z(b, "<div class=\"text\">");
		html_markdown(r->text, &a->names, b);
		ark_buf_z(b, "</div>\n");
		ark_buf_str(&a->text, r->text);
		ark_buf_c(&a->text, '\n');
	}
	put_cards(a, r);
	put_files(b, r);
	for (size_t i = 0; i < r->attachments_count; i++) {
		ark_buf_str(&a->text, r->attachments[i].name);
		ark_buf_c(&a->text, '\n');
	}
	put_versions(a, r);
}

static void put_deleted(struct html_archive *a, const struct export_record *r)
{
	struct ark_buf *b = &a->html;
	ark_buf_z(b, "<details class=\"deleted\"><summary>deleted ");
	html_time(b, r->delete_ms, true);
	if (r->deleted_by != NULL) {
		ark_buf_z(b, " by ");
		html_escape(html_person_name(r->deleted_by), b);
	}
	ark_buf_z(b, "</summary>\n");
	put_body(a, r);
	ark_buf_z(b, "</details>\n");
}

void html_post(struct html_archive *a, const struct export_record *r)
{
	struct ark_buf *b = &a->html;
	ark_buf_reset(b);
	ark_buf_reset(&a->text);
	ark_buf_z(b, r->is_system ? "<article class=\"post system\" id=\"p-" : "<article class=\"post\" id=\"p-");
	html_escape(r->id, b);
	ark_buf_z(b, "\">\n");
	if (r->what == EXPORT_PURGED) {
		ark_buf_z(b, "<p class=\"soft\">This message is gone: it was deleted for good after an earlier "
		             "export. ");
		html_time(b, r->create_ms, true);
		ark_buf_z(b, "</p></article>\n");
		return;
	}
	put_head(b, r);
	if (r->delete_ms > 0)
		put_deleted(a, r);
	else
		put_body(a, r);
	put_reactions(a, r);
	put_acks(b, r);
	ark_buf_z(b, "</article>\n");
}
