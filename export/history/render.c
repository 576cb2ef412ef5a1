#include "export/history/render.h"

#include <string.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/cli/talk.h"
#include "common/json/out.h"

#include "common/base/banned.h"

const char *const HISTORY_FORMS[] = { "jsonl", "md", NULL };

const char *history_form_ending(enum history_form form)
{
	return form == HISTORY_MD ? ".md" : ".jsonl";
}

/* --- JSON lines -------------------------------------------------------------------------------- */

static void attachments(struct json_out *o, const struct export_record *r)
{
	json_out_open_list(o, "attachments");
	for (size_t i = 0; i < r->attachments_count; i++) {
		const struct export_attachment *a = &r->attachments[i];
		json_out_open(o, NULL);
		if (a->delete_ms > 0)
			json_out_i64(o, "delete_at", a->delete_ms);
		json_out_text(o, "id", a->id);
		json_out_text(o, "mime_type", a->mime_type);
		json_out_text(o, "name", a->name);
		if (ark_str_has(a->sha256))
			json_out_text(o, "sha256", a->sha256);
		json_out_i64(o, "size", a->size_bytes);
		json_out_close(o);
	}
	json_out_close(o);
}

static struct ark_str name_of(const struct export_person *p)
{
	return p != NULL ? p->user_name : ARK_STR_NONE;
}

static void acks(struct json_out *o, const struct export_record *r)
{
	json_out_open_list(o, "acknowledgements");
	for (size_t i = 0; i < r->acks_count; i++) {
		json_out_open(o, NULL);
		json_out_i64(o, "at", r->acks[i].ack_ms);
		json_out_text(o, "user_id", r->acks[i].user_id);
		json_out_text(o, "user_name", name_of(r->acks[i].person));
		json_out_close(o);
	}
	json_out_close(o);
}

static void reactions(struct json_out *o, const struct export_record *r)
{
	json_out_open_list(o, "reactions");
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		json_out_open(o, NULL);
		json_out_i64(o, "at", x->create_ms);
		json_out_text(o, "emoji", x->emoji);
		if (x->delete_ms > 0)
			json_out_i64(o, "removed_at", x->delete_ms);
		json_out_text(o, "user_id", x->user_id);
		json_out_text(o, "user_name", name_of(x->person));
		json_out_close(o);
	}
	json_out_close(o);
}

static void versions(struct json_out *o, const struct export_record *r)
{
	json_out_open_list(o, "versions");
	for (size_t i = 0; i < r->versions_count; i++) {
		json_out_open(o, NULL);
		json_out_i64(o, "edit_at", r->versions[i].edit_ms);
		json_out_text(o, "id", r->versions[i].id);
		json_out_text(o, "text", r->versions[i].text);
		json_out_close(o);
	}
	json_out_close(o);
}

static void priority(struct json_out *o, const struct export_record *r)
{
	json_out_open(o, "priority");
	json_out_bool(o, "persistent_notifications", r->persistent_notifications);
	json_out_text(o, "priority", r->priority);
	json_out_bool(o, "requested_ack", r->requested_ack);
	json_out_close(o);
}

static void some_text(struct json_out *o, const char *key, struct ark_str value)
{
	if (value.len > 0)
		json_out_text(o, key, value);
}

/* Members that say nothing are left out; the rest in the order of their keys. */
static void json_line(const struct export_record *r, struct ark_buf *to)
{
	struct json_out o;
	json_out_begin(&o, to, false);
	json_out_open(&o, NULL);
	if (r->acks_count > 0)
		acks(&o, r);
	if (r->attachments_count > 0)
		attachments(&o, r);
	json_out_text(&o, "author_id", r->author_id);
	json_out_text(&o, "author_name", name_of(r->author));
	json_out_i64(&o, "create_at", r->create_ms);
	json_out_time(&o, "create_time", r->create_ms);
	if (r->delete_ms > 0) {
		json_out_i64(&o, "delete_at", r->delete_ms);
		json_out_time(&o, "delete_time", r->delete_ms);
		some_text(&o, "deleted_by_id", r->deleted_by_id);
		some_text(&o, "deleted_by_name", name_of(r->deleted_by));
	}
	if (r->edit_ms > 0) {
		json_out_i64(&o, "edit_at", r->edit_ms);
		json_out_time(&o, "edit_time", r->edit_ms);
	}
	json_out_text(&o, "id", r->id);
	if (r->is_pinned)
		json_out_bool(&o, "is_pinned", true);
	if (r->has_priority)
		priority(&o, r);
	if (r->props.len > 2)
		json_out_raw(&o, "props", r->props);
	if (r->reactions_count > 0)
		reactions(&o, r);
	some_text(&o, "root_id", r->root_id);
	json_out_text(&o, "text", r->text);
	some_text(&o, "type", r->type);
	if (r->versions_count > 0)
		versions(&o, r);
	json_out_end(&o);
}

/* --- Markdown ---------------------------------------------------------------------------------- */

/* Every line of a text is quoted, so that nothing in it can look like a message of its own. */
static void quoted(struct ark_buf *to, struct ark_str text)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		struct ark_str line = ark_str_first(text, end);
		ark_buf_z(to, line.len > 0 ? "> " : ">");
		ark_talk_clean(to, line);
		ark_buf_c(to, '\n');
		text = ark_str_from(text, end == SIZE_MAX ? text.len : end + 1);
	}
}

static void put_clock(struct ark_buf *to, int64_t ms, bool date)
{
	struct ark_civil c = ark_time_civil(ms > 0 ? ms : 0);
	if (date)
		ark_buf_fmt(to, "%04d-%02d-%02d ", c.year, c.month, c.day);
	ark_buf_fmt(to, "%02d:%02d", c.hour, c.minute);
}

static void md_extras(const struct export_record *r, struct ark_buf *to)
{
	for (size_t i = 0; i < r->attachments_count; i++) {
		const struct export_attachment *a = &r->attachments[i];
		ark_buf_z(to, "- file ");
		ark_talk_clean(to, a->name);
		ark_buf_fmt(to, ", %lld bytes", (long long)a->size_bytes);
		if (ark_str_has(a->sha256))
			ark_buf_fmt(to, ", SHA-256 `%.*s`", ARK_FMT(a->sha256));
		ark_buf_z(to, a->delete_ms > 0 ? ", deleted\n" : "\n");
	}
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		if (x->delete_ms > 0)
			continue;
		ark_buf_z(to, "- :");
		ark_talk_clean(to, x->emoji);
		ark_buf_z(to, ": ");
		ark_talk_clean(to, x->person != NULL ? x->person->user_name : x->user_id);
		ark_buf_c(to, '\n');
	}
	for (size_t i = 0; i < r->versions_count; i++) {
		ark_buf_z(to, "\nbefore, from ");
		put_clock(to, r->versions[i].edit_ms, true);
		ark_buf_z(to, ":\n\n");
		quoted(to, r->versions[i].text);
	}
}

static void markdown(const struct export_record *r, struct ark_buf *to)
{
	ark_buf_z(to, "<!-- ");
	ark_talk_clean(to, r->id);
	ark_buf_fmt(to, " %lld %lld %lld -->\n**", (long long)r->create_ms, (long long)r->edit_ms,
	            (long long)r->delete_ms);
	ark_talk_clean(to, r->author != NULL ? r->author->user_name : r->author_id);
	ark_buf_z(to, "** ");
	put_clock(to, r->create_ms, false);
	if (ark_str_has(r->root_id)) {
		ark_buf_z(to, ", in the thread of ");
		ark_talk_clean(to, r->root_id);
	}
	if (r->is_pinned)
		ark_buf_z(to, ", pinned");
	if (r->edit_ms > 0) {
		ark_buf_z(to, ", edited ");
		put_clock(to, r->edit_ms, true);
	}
	if (r->delete_ms > 0) {
		ark_buf_z(to, ", deleted ");
		put_clock(to, r->delete_ms, true);
	}
	ark_buf_z(to, "\n\n");
	quoted(to, r->text);
	if (r->attachments_count + r->reactions_count + r->versions_count > 0)
		ark_buf_c(to, '\n');
	md_extras(r, to);
	ark_buf_c(to, '\n');
}

void history_day_head(enum history_form form, struct ark_str date, struct ark_buf *to)
{
	if (form == HISTORY_MD)
		ark_buf_fmt(to, "# %.*s\n\n", ARK_FMT(date));
}

void history_post(enum history_form form, const struct export_record *r, struct ark_buf *to)
{
	if (form == HISTORY_MD)
		markdown(r, to);
	else
		json_line(r, to);
}

/* --- conversations and people ------------------------------------------------------------------ */

void history_channel(const struct export_channel *c, struct ark_buf *to)
{
	struct json_out o;
	json_out_begin(&o, to, true);
	json_out_open(&o, NULL);
	json_out_i64(&o, "create_at", c->create_ms);
	json_out_text(&o, "creator_id", c->creator_id);
	if (c->delete_ms > 0)
		json_out_i64(&o, "delete_at", c->delete_ms);
	json_out_text(&o, "display_name", c->display_name);
	json_out_text(&o, "header", c->header);
	json_out_text(&o, "id", c->id);
	json_out_text(&o, "kind", ark_str_z(export_channel_kind_name(c->kind)));
	json_out_text(&o, "name", c->name);
	json_out_text(&o, "purpose", c->purpose);
	json_out_text(&o, "team_display_name", c->team_display_name);
	json_out_text(&o, "team_id", c->team_id);
	json_out_text(&o, "team_name", c->team_name);
	json_out_end(&o);
}

void history_person(const struct export_person *p, struct ark_buf *to)
{
	struct json_out o;
	json_out_begin(&o, to, false);
	json_out_open(&o, NULL);
	some_text(&o, "bot_owner_id", p->bot_owner_id);
	json_out_i64(&o, "create_at", p->create_ms);
	if (p->delete_ms > 0)
		json_out_i64(&o, "delete_at", p->delete_ms);
	json_out_text(&o, "display_name", p->display_name);
	json_out_text(&o, "email", p->email);
	json_out_text(&o, "id", p->id);
	if (p->is_bot)
		json_out_bool(&o, "is_bot", true);
	if (p->is_remote)
		json_out_bool(&o, "is_remote", true);
	some_text(&o, "position", p->position);
	json_out_text(&o, "roles", p->roles);
	json_out_text(&o, "user_name", p->user_name);
	json_out_end(&o);
}

/* --- reading back ------------------------------------------------------------------------------ */

#define MARK "<!-- "

void history_pieces_begin(struct history_pieces *p, enum history_form form, struct ark_str content,
                          struct ark_str *head)
{
	*p = (struct history_pieces){ .form = form, .rest = content };
	*head = ark_str_first(content, 0);
	if (form == HISTORY_JSONL) {
		p->doc = json_doc_new();
		return;
	}
	size_t at = ark_str_starts(content, ARK_LIT(MARK)) ? 0 : ark_str_search(content, ARK_LIT("\n" MARK), 0);
	size_t end = at == SIZE_MAX ? content.len : at > 0 ? at + 1 : 0;
	*head = ark_str_first(content, end);
	p->rest = ark_str_from(content, end);
}

void history_pieces_end(struct history_pieces *p)
{
	json_doc_free(p->doc);
	p->doc = NULL;
}

static enum ark_rc keep_id(struct history_pieces *p, struct ark_str id, struct history_piece *out,
                           struct ark_err *err)
{
	if (id.len == 0 || id.len > sizeof(p->id))
		return ark_err_set(err, ARK_KIND_INPUT, "a message without an id stands in the file");
	memcpy(p->id, id.ptr, id.len);
	out->id = ark_str_n(p->id, id.len);
	return ARK_OK;
}

static enum ark_rc next_line(struct history_pieces *p, struct history_piece *out, struct ark_err *err)
{
	size_t end = ark_str_find(p->rest, '\n', 0);
	if (end == SIZE_MAX)
		return ark_err_set(err, ARK_KIND_INPUT, "the file ends within a line");
	struct ark_str line = ark_str_first(p->rest, end);
	out->all = ark_str_first(p->rest, end + 1);
	p->rest = ark_str_from(p->rest, end + 1);
	enum ark_rc rc = json_doc_parse(p->doc, line.ptr, line.len, &p->json, err);
	if (rc < 0)
		return rc;
	struct json_iter it = json_fields(p->json);
	struct ark_str key, id = ARK_LIT("");
	out->create_ms = out->edit_ms = out->delete_ms = 0;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		if (ark_str_eqz(key, "id"))
			id = json_str(v);
		else if (ark_str_eqz(key, "create_at"))
			(void)json_i64(v, &out->create_ms);
		else if (ark_str_eqz(key, "edit_at"))
			(void)json_i64(v, &out->edit_ms);
		else if (ark_str_eqz(key, "delete_at"))
			(void)json_i64(v, &out->delete_ms);
	}
	return keep_id(p, id, out, err);
}

/* "-12 ": the number before the blank. */
static bool take_number(struct ark_str *s, int64_t *out)
{
	size_t end = ark_str_find(*s, ' ', 0);
	struct ark_str w = ark_str_first(*s, end);
	bool negative = w.len > 1 && w.ptr[0] == '-';
	uint64_t v;
	if (end == SIZE_MAX || !ark_str_u64(ark_str_from(w, negative), &v) || v > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)v : (int64_t)v;
	*s = ark_str_from(*s, end + 1);
	return true;
}

static enum ark_rc next_block(struct history_pieces *p, struct history_piece *out, struct ark_err *err)
{
	size_t next = ark_str_search(p->rest, ARK_LIT("\n" MARK), 1);
	size_t len = next == SIZE_MAX ? p->rest.len : next + 1;
	out->all = ark_str_first(p->rest, len);
	struct ark_str mark = ark_str_from(ark_str_first(out->all, ark_str_find(out->all, '\n', 0)), sizeof(MARK) - 1);
	size_t end = ark_str_find(mark, ' ', 0);
	struct ark_str id = ark_str_first(mark, end);
	mark = ark_str_from(mark, end == SIZE_MAX ? mark.len : end + 1);
	p->rest = ark_str_from(p->rest, len);
	if (!take_number(&mark, &out->create_ms) || !take_number(&mark, &out->edit_ms) ||
	    !take_number(&mark, &out->delete_ms))
		return ark_err_set(err, ARK_KIND_INPUT, "a message without its mark stands in the file");
	return keep_id(p, id, out, err);
}

enum ark_rc history_pieces_next(struct history_pieces *p, struct history_piece *out, struct ark_err *err)
{
	if (p->rest.len == 0)
		return ARK_END;
	return p->form == HISTORY_MD ? next_block(p, out, err) : next_line(p, out, err);
}
