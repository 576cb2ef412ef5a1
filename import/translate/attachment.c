#include "import/translate/attachment.h"

#include "common/base/time.h"
#include "common/base/utf8.h"
#include "import/slack/ts.h"
#include "import/translate/blocks.h"

#include "common/base/banned.h"

#define ATTACHMENTS_MAX 100 /* Slack's own limit per message */

static enum attachment_kind attachment_kind(struct json_val a)
{
	if (json_is_true(json_get(a, "is_share")) || json_is_true(json_get(a, "is_msg_unfurl")) ||
	    json_is_true(json_get(a, "is_reply_unfurl")))
		return ATTACHMENT_SHARE;
	if (json_is_true(json_get(a, "is_app_unfurl")))
		return ATTACHMENT_APP;
	if (ark_str_has(json_text(json_get(a, "from_url"))) ||
	    ark_str_has(json_text(json_get(a, "original_url"))))
		return ATTACHMENT_UNFURL;
	return ATTACHMENT_AUTHORED;
}

/* Is `field` markup? Without `mrkdwn_in` all are. */
static unsigned flags_of(struct json_val a, const char *field)
{
	struct json_val in = json_get(a, "mrkdwn_in");
	if (json_type(in) != JSON_ARRAY || json_count(in) == 0)
		return 0;
	struct json_iter it = json_items(in);
	for (struct json_val v; json_next(&it, &v);)
		if (ark_str_eqz(json_str(v), field))
			return 0;
	return TEXT_PLAIN_FORMAT;
}

struct object {
	struct ark_buf *out;
	bool any;
};

static void put_key(struct object *o, const char *key)
{
	ark_buf_c(o->out, o->any ? ',' : '{');
	o->any = true;
	ark_buf_json(o->out, ark_str_z(key));
	ark_buf_c(o->out, ':');
}

static void put_text(struct object *o, const char *key, struct ark_str s)
{
	if (s.len == 0)
		return;
	put_key(o, key);
	ark_buf_json(o->out, s);
}

static bool is_web(struct ark_str url)
{
	return ark_str_starts(url, ARK_LIT("http://")) || ark_str_starts(url, ARK_LIT("https://"));
}

static bool has_token(struct ark_str url)
{
	return ark_str_search(url, ARK_LIT("xox"), 0) != SIZE_MAX;
}

static void put_link(struct object *o, const char *key, struct json_val a, const char *field)
{
	struct ark_str url = json_text(json_get(a, field));
	if (ark_str_has(url) && is_web(url) && !has_token(url))
		put_text(o, key, url);
}

static void put_markdown(const struct text_world *world, struct object *o, const char *key,
                         struct ark_str mrkdwn, unsigned flags, struct ark_buf *tmp)
{
	if (!ark_str_has(mrkdwn) || mrkdwn.len == 0)
		return;
	ark_buf_reset(tmp);
	text_translate(world, mrkdwn, flags, tmp);
	put_text(o, key, ark_buf_view(tmp));
}

static void put_color(struct object *o, struct json_val a)
{
	struct ark_str color = json_text(json_get(a, "color"));
	if (!ark_str_has(color))
		return;
	if (ark_str_eqz(color, "good") || ark_str_eqz(color, "warning") || ark_str_eqz(color, "danger")) {
		put_text(o, "color", color);
		return;
	}
	if (color.ptr[0] == '#')
		color = ark_str_from(color, 1);
	if (color.len != 6)
		return;
	char text[8] = "#";
	for (size_t i = 0; i < 6; i++) {
		char c = color.ptr[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (!hex)
			return;
		text[i + 1] = c;
	}
	put_text(o, "color", ark_str_n(text, 7));
}

/* A field's value may be a string, a number or null. */
static void put_value(const struct text_world *world, struct object *o, struct json_val v,
                      unsigned flags, struct ark_buf *tmp)
{
	double number;
	if (ark_str_has(json_str(v))) {
		put_markdown(world, o, "value", json_str(v), flags, tmp);
	} else if (json_f64(v, &number)) {
		ark_buf_reset(tmp);
		ark_buf_fmt(tmp, "%.15g", number);
		put_text(o, "value", ark_buf_view(tmp));
	}
}

static void put_fields(const struct text_world *world, struct object *o, struct json_val a,
                       struct ark_buf *tmp)
{
	struct json_val fields = json_get(a, "fields");
	if (json_type(fields) != JSON_ARRAY || json_count(fields) == 0)
		return;
	put_key(o, "fields");
	bool any = false;
	unsigned flags = flags_of(a, "fields");
	struct json_iter it = json_items(fields);
	for (struct json_val f; json_next(&it, &f);) {
		if (json_type(f) != JSON_OBJECT)
			continue;
		ark_buf_c(o->out, any ? ',' : '[');
		any = true;
		struct object field = { o->out, false };
		put_markdown(world, &field, "title", json_text(json_get(f, "title")), TEXT_PLAIN_FORMAT, tmp);
		put_value(world, &field, json_get(f, "value"), flags, tmp);
		put_key(&field, "short");
		ark_buf_z(o->out, json_is_true(json_get(f, "short")) ? "true" : "false");
		ark_buf_c(o->out, '}');
	}
	ark_buf_z(o->out, any ? "]" : "[]");
}

/* Nothing but a fallback: Mattermost does not show that by itself. */
static bool only_fallback(struct json_val a)
{
	static const char *const SEEN[] = { "pretext", "title", "author_name", "image_url", "thumb_url",
		                            "footer" };
	for (size_t i = 0; i < sizeof(SEEN) / sizeof(SEEN[0]); i++)
		if (ark_str_has(json_text(json_get(a, SEEN[i]))))
			return false;
	return json_count(json_get(a, "fields")) == 0;
}

/* The text, or the blocks where it has none, or the fallback where there is nothing else at all. */
static void put_body(const struct text_world *world, struct object *o, struct json_val a,
                     struct ark_buf *tmp)
{
	struct ark_str text = json_text(json_get(a, "text"));
	ark_buf_reset(tmp);
	if (ark_str_has(text))
		text_translate(world, text, flags_of(a, "text"), tmp);
	else
		blocks_translate(world, json_get(a, "blocks"), tmp);
	if (tmp->len == 0 && only_fallback(a))
		text_translate(world, json_str(json_get(a, "fallback")), 0, tmp);
	put_text(o, "text", ark_buf_view(tmp));
}

static void put_authored(const struct text_world *world, struct json_val a, unsigned n,
                         struct ark_buf *out, struct ark_buf *tmp)
{
	struct object o = { out, false };
	int64_t number;
	put_key(&o, "id");
	ark_buf_i64(out, json_i64(json_get(a, "id"), &number) && number >= 0 ? number : (int64_t)n + 1);
	put_markdown(world, &o, "fallback", json_text(json_get(a, "fallback")), TEXT_PLAIN_FORMAT, tmp);
	put_color(&o, a);
	put_markdown(world, &o, "pretext", json_text(json_get(a, "pretext")), flags_of(a, "pretext"), tmp);
	struct ark_str author = json_text(json_get(a, "author_name"));
	if (ark_str_has(author)) {
		put_markdown(world, &o, "author_name", author, TEXT_PLAIN_FORMAT, tmp);
		put_link(&o, "author_link", a, "author_link");
		put_link(&o, "author_icon", a, "author_icon");
	}
	struct ark_str title = json_text(json_get(a, "title"));
	if (ark_str_has(title)) {
		put_markdown(world, &o, "title", title, TEXT_PLAIN_FORMAT, tmp);
		put_link(&o, "title_link", a, "title_link");
	}
	put_body(world, &o, a, tmp);
	put_fields(world, &o, a, tmp);
	put_link(&o, "image_url", a, "image_url");
	put_link(&o, "thumb_url", a, "thumb_url");
	put_markdown(world, &o, "footer", json_text(json_get(a, "footer")), TEXT_PLAIN_FORMAT, tmp);
	put_link(&o, "footer_icon", a, "footer_icon");
	int64_t ts_us;
	if (slack_ts_value(json_get(a, "ts"), &ts_us) && ts_us > 0) {
		put_key(&o, "ts");
		ark_buf_i64(out, ts_us / 1000000);
	}
	ark_buf_c(out, '}');
}

/* Something in it that a reader would see. */
static bool shows_anything(struct json_val a)
{
	static const char *const SEEN[] = { "text", "pretext", "title", "author_name", "image_url",
		                            "thumb_url", "footer", "fallback" };
	for (size_t i = 0; i < sizeof(SEEN) / sizeof(SEEN[0]); i++)
		if (ark_str_has(json_text(json_get(a, SEEN[i]))))
			return true;
	return json_count(json_get(a, "fields")) > 0 || json_count(json_get(a, "blocks")) > 0;
}

/* Append `text` with "> " before each line. */
static void put_quoted(struct ark_buf *out, struct ark_str text)
{
	for (size_t at = 0; at <= text.len;) {
		size_t end = ark_str_find(text, '\n', at);
		if (end == SIZE_MAX)
			end = text.len;
		ark_buf_z(out, at == 0 ? "> " : "\n> ");
		ark_buf_add(out, text.ptr + at, end - at);
		at = end + 1;
	}
}

static void share_head(const struct text_world *world, struct json_val a, struct ark_buf *out)
{
	struct ark_str name = json_text(json_get(a, "author_name"));
	if (!ark_str_has(name))
		name = json_text(json_get(a, "author_subname"));
	struct ark_str user;
	if (!ark_str_has(name) && world->user(world->ctx, json_str(json_get(a, "author_id")), &user))
		name = user;
	if (!ark_str_has(name))
		name = ARK_LIT("quoted message");
	ark_buf_z(out, "**");
	text_literal(name, out);
	ark_buf_z(out, "**");
	struct ark_str channel;
	struct ark_str id = json_str(json_get(a, "channel_id"));
	if (ark_str_has(id) && world->channel(world->ctx, id, &channel)) {
		ark_buf_z(out, " in ");
		text_mention('~', channel, ',', out);
	}
	int64_t ts_us;
	if (slack_ts_value(json_get(a, "ts"), &ts_us) && ts_us > 0) {
		char iso[ARK_TIME_ISO];
		ark_time_iso(ts_us / 1000, iso);
		ark_buf_z(out, ", ");
		ark_buf_add(out, iso, 10);
		ark_buf_c(out, ' ');
		ark_buf_add(out, iso + 11, 5);
		ark_buf_z(out, " UTC");
	}
}

/* A message that was shared: quoted, with who said it, where and when. */
static void put_share(const struct text_world *world, struct json_val a, struct ark_buf *body,
                      struct ark_buf *tmp)
{
	ark_buf_reset(tmp);
	share_head(world, a, tmp);
	ark_buf_c(tmp, '\n');
	size_t head = tmp->len;
	struct json_iter it = json_items(json_get(a, "message_blocks"));
	for (struct json_val mb; json_next(&it, &mb);)
		blocks_translate(world, json_get(json_get(mb, "message"), "blocks"), tmp);
	if (tmp->len == head) {
		struct ark_str text = json_text(json_get(a, "text"));
		if (!ark_str_has(text))
			text = json_text(json_get(a, "fallback"));
		if (ark_str_has(text))
			text_translate(world, text, 0, tmp);
	}
	if (tmp->len == head)
		ark_buf_cut(tmp, head - 1);
	if (body->len > 0)
		ark_buf_z(body, "\n\n");
	put_quoted(body, ark_str_trim(ark_buf_view(tmp)));
}

unsigned attachments_translate(const struct text_world *world, struct json_val list,
                               struct ark_buf *props, struct ark_buf *body, struct ark_buf *tmp)
{
	unsigned kept = 0, seen = 0;
	struct json_iter it = json_items(list);
	for (struct json_val a; json_next(&it, &a) && seen < ATTACHMENTS_MAX; seen++) {
		if (json_type(a) != JSON_OBJECT)
			continue;
		enum attachment_kind kind = attachment_kind(a);
		if (kind == ATTACHMENT_SHARE)
			put_share(world, a, body, tmp);
		if (kind == ATTACHMENT_SHARE || kind == ATTACHMENT_UNFURL || !shows_anything(a))
			continue;
		ark_buf_z(props, kept == 0 ? "\"attachments\":[" : ",");
		put_authored(world, a, kept, props, tmp);
		kept++;
	}
	if (kept > 0)
		ark_buf_c(props, ']');
	return kept;
}
