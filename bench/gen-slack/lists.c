/*
 * users.json, channels.json and their kin; and the pretty printer.
 */
#include "bench/gen-slack/emit.h"

#include "common/base/banned.h"

enum { STREAM_USER = 32 };

static void user_object(const struct gen_world *w, uint32_t user, struct ark_buf *out)
{
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_USER, user);
	bool bot = gen_user_is_bot(w, user);
	bool gone = !bot && user > 0 && gen_rng_chance(&r, 190, 1000);
	bool guest = !bot && user > 0 && gen_rng_chance(&r, 9, 1000);
	ark_buf_z(out, "{\"id\":\"");
	gen_user_id(out, user);
	ark_buf_z(out, "\",\"team_id\":\"" GEN_TEAM "\",\"name\":\"");
	gen_user_name(w, out, user);
	ark_buf_fmt(out, "\",\"deleted\":%s,\"real_name\":\"", gone ? "true" : "false");
	gen_user_real_name(w, out, user);
	ark_buf_c(out, '"');
	if (!gone)
		ark_buf_fmt(
		    out,
		    ",\"tz\":\"Europe\\/"
		    "Berlin\",\"is_admin\":%s,\"is_restricted\":%s,\"is_ultra_restricted\":false",
		    user == 0 ? "true" : "false", guest ? "true" : "false");
	ark_buf_fmt(out, ",\"is_bot\":%s,\"profile\":{\"title\":\"\",\"real_name\":\"",
		    bot ? "true" : "false");
	gen_user_real_name(w, out, user);
	ark_buf_z(out, "\",\"display_name\":\"");
	if (gen_rng_chance(&r, 1, 2))
		gen_user_name(w, out, user);
	ark_buf_c(out, '"');
	if (bot) {
		ark_buf_fmt(out, ",\"bot_id\":\"B0APP%04u\",\"api_app_id\":\"A0APP%04u\"", user,
			    user);
	} else {
		ark_buf_z(out, ",\"email\":\"");
		gen_user_name(w, out, user);
		ark_buf_fmt(out, ".%u@example.com\"", user);
	}
	ark_buf_z(out, "},\"updated\":1690000000}");
}

void gen_emit_users(const struct gen_world *w, struct ark_buf *out)
{
	ark_buf_c(out, '[');
	for (uint32_t i = 0; i < w->opt.users; i++) {
		if (i > 0)
			ark_buf_c(out, ',');
		user_object(w, i, out);
	}
	ark_buf_c(out, ']');
}

static void text_object(struct ark_buf *out, const struct gen_world *w, const char *key,
			struct gen_rng *r)
{
	ark_buf_fmt(out, ",\"%s\":{\"value\":\"", key);
	if (gen_rng_chance(r, 1, 2))
		gen_text_words(w, r, 10 + gen_rng_below(r, 90), out);
	ark_buf_z(out, "\",\"creator\":\"\",\"last_set\":0}");
}

static void conv_object(const struct gen_world *w, const struct gen_conv *c, struct ark_buf *out)
{
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_USER + 1, c->number);
	ark_buf_z(out, "{\"id\":\"");
	gen_conv_id(out, c);
	ark_buf_z(out, "\"");
	if (c->kind != GEN_DIRECT) {
		ark_buf_z(out, ",\"name\":\"");
		gen_conv_name(w, out, c);
		ark_buf_z(out, "\",\"creator\":\"");
		gen_user_id(out, gen_conv_member(w, c, 0));
		ark_buf_fmt(out, "\",\"is_archived\":%s,\"is_general\":%s",
			    c->archived ? "true" : "false", c->number == 0 ? "true" : "false");
		text_object(out, w, "topic", &r);
		text_object(out, w, "purpose", &r);
	}
	ark_buf_fmt(out, ",\"created\":%lld,\"members\":[",
		    (long long)(w->opt.era->begin_ms / 1000));
	uint32_t n = c->archived ? 0 : c->members;
	for (uint32_t i = 0; i < n; i++) {
		ark_buf_z(out, i > 0 ? ",\"" : "\"");
		gen_user_id(out, gen_conv_member(w, c, i));
		ark_buf_c(out, '"');
	}
	ark_buf_z(out, "]}");
}

void gen_emit_convs(const struct gen_world *w, enum gen_conv_kind kind, struct ark_buf *out)
{
	size_t before = out->len + 1;
	ark_buf_c(out, '[');
	for (uint32_t i = 0; i < w->convs_count; i++) {
		if (w->convs[i].kind != kind)
			continue;
		if (out->len > before)
			ark_buf_c(out, ',');
		conv_object(w, &w->convs[i], out);
	}
	ark_buf_c(out, ']');
}

static void line_break(struct ark_buf *out, size_t depth)
{
	ark_buf_c(out, '\n');
	for (size_t i = 0; i < depth; i++)
		ark_buf_z(out, "    ");
}

void gen_emit_pretty(struct ark_str compact, struct ark_buf *out)
{
	size_t depth = 0;
	bool text = false;
	for (size_t i = 0; i < compact.len; i++) {
		char c = compact.ptr[i];
		if (text) {
			ark_buf_c(out, c);
			if (c == '\\' && i + 1 < compact.len)
				ark_buf_c(out, compact.ptr[++i]);
			else if (c == '"')
				text = false;
			continue;
		}
		bool empty =
		    i + 1 < compact.len && (compact.ptr[i + 1] == ']' || compact.ptr[i + 1] == '}');
		if (c == ']' || c == '}') {
			if (compact.ptr[i - 1] != '[' && compact.ptr[i - 1] != '{')
				line_break(out, --depth);
			ark_buf_c(out, c);
			continue;
		}
		ark_buf_c(out, c);
		if (c == '"')
			text = true;
		else if (c == ':')
			ark_buf_c(out, ' ');
		else if (c == ',')
			line_break(out, depth);
		else if ((c == '[' || c == '{') && !empty)
			line_break(out, ++depth);
	}
	ark_buf_c(out, '\n');
}
