/*
 * Fields in about the order and with about the shares that real exports have.
 */
#include "bench/gen-slack/emit.h"

#include "common/base/banned.h"

enum { STREAM_MESSAGE = 31, STREAM_USER = 32, STREAM_EDIT = 33 };

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static const char *const reactions[] = { "+1",
					 "heart",
					 "wave",
					 "raised_hands",
					 "eyes",
					 "joy",
					 "tada",
					 "white_check_mark",
					 "100",
					 "clap",
					 "thinking_face",
					 "fire",
					 "pray",
					 "rocket",
					 "+1::skin-tone-3",
					 "party_parrot",
					 "cake",
					 "heavy_plus_sign",
					 "rolling_on_the_floor_laughing",
					 "bulb",
					 "smile",
					 "point_up",
					 "ok_hand",
					 "star-struck",
					 "muscle",
					 "wave::skin-tone-2",
					 "melting_face",
					 "shipit" };
static const struct {
	const char *type, *mime;
} file_types[] = {
	{ "png", "image/png" },   { "jpg", "image/jpeg" }, { "pdf", "application/pdf" },
	{ "text", "text/plain" }, { "mp4", "video/mp4" },  { "zip", "application/zip" }
};
static const char *const webhooks[] = { "Build",         "Deploy",   "Alerts",
					"Issue tracker", "Calendar", "feed" };

static const struct gen_quantile size_q[] = { { 0, 300 },         { 100, 5600 },
					      { 500, 285000 },    { 750, 1500000 },
					      { 900, 3800000 },   { 990, 54600000 },
					      { 1000, 200000000 } };

static void ts_add(struct ark_buf *out, int64_t ts_us)
{
	/* seconds have ten digits and microseconds six: written by hand, this is in every message
	 * often */
	char text[17];
	int64_t v = ts_us;
	for (int i = 16; i >= 0; i--) {
		if (i == 10) {
			text[i] = '.';
			continue;
		}
		text[i] = (char)('0' + v % 10);
		v /= 10;
	}
	ark_buf_c(out, '"');
	ark_buf_add(out, text, 17);
	ark_buf_c(out, '"');
}

static void hex_add(struct ark_buf *out, uint64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
		ark_buf_c(out, "0123456789abcdef"[(v >> (4 * i)) & 15]);
}

static void uuid_add(struct ark_buf *out, struct gen_rng *r)
{
	uint64_t a = gen_rng_next(r), b = gen_rng_next(r);
	hex_add(out, a >> 32, 8);
	ark_buf_c(out, '-');
	hex_add(out, a >> 16, 4);
	ark_buf_z(out, "-4");
	hex_add(out, a, 3);
	ark_buf_z(out, "-a");
	hex_add(out, b >> 52, 3);
	ark_buf_c(out, '-');
	hex_add(out, b, 12);
}

static void user_add(struct ark_buf *out, const char *key, uint32_t user)
{
	ark_buf_fmt(out, "\"%s\":\"", key);
	gen_user_id(out, user);
	ark_buf_c(out, '"');
}

static void profile_add(const struct gen_world *w, struct ark_buf *out, uint32_t user)
{
	ark_buf_z(out, ",\"user_profile\":{\"avatar_hash\":\"g");
	hex_add(out, user * 0x9e3779b97f4a7c15u, 11);
	ark_buf_z(out, "\",\"image_72\":\"https:\\/\\/avatars.example.com\\/");
	gen_user_id(out, user);
	ark_buf_z(out, "-72.png\",\"real_name\":\"");
	gen_user_real_name(w, out, user);
	ark_buf_z(out, "\",\"display_name\":\"");
	gen_user_name(w, out, user);
	ark_buf_z(out, "\",\"team\":\"" GEN_TEAM "\",\"name\":\"");
	gen_user_name(w, out, user);
	ark_buf_z(out, "\",\"is_restricted\":false,\"is_ultra_restricted\":false}");
}

static void thread_add(const struct gen_plan *p, uint32_t at, struct ark_buf *out)
{
	const struct gen_msg *m = &p->msgs[at];
	if (m->root != GEN_NONE) {
		ark_buf_z(out, ",\"thread_ts\":");
		ts_add(out, p->msgs[m->root].ts_us);
		if (p->msgs[m->root].kind != GEN_WEBHOOK) {
			ark_buf_c(out, ',');
			user_add(out, "parent_user_id", p->msgs[m->root].author);
		}
		return;
	}
	if (m->replies == 0)
		return;
	ark_buf_z(out, ",\"thread_ts\":");
	ts_add(out, m->ts_us);
	uint32_t users[5], n = 0;
	for (uint32_t i = m->first_reply; i != GEN_NONE && n < COUNT(users);
	     i = p->msgs[i].next_reply) {
		uint32_t k = 0;
		while (k < n && users[k] != p->msgs[i].author)
			k++;
		if (k == n)
			users[n++] = p->msgs[i].author;
	}
	ark_buf_fmt(
	    out, ",\"reply_count\":%u,\"reply_users_count\":%u,\"latest_reply\":", m->replies, n);
	ts_add(out, p->msgs[m->last_reply].ts_us);
	ark_buf_z(out, ",\"reply_users\":[");
	for (uint32_t k = 0; k < n; k++) {
		ark_buf_z(out, k > 0 ? ",\"" : "\"");
		gen_user_id(out, users[k]);
		ark_buf_c(out, '"');
	}
	ark_buf_z(out, "],\"replies\":[");
	for (uint32_t i = m->first_reply; i != GEN_NONE; i = p->msgs[i].next_reply) {
		ark_buf_z(out, i != m->first_reply ? ",{" : "{");
		user_add(out, "user", p->msgs[i].author);
		ark_buf_z(out, ",\"ts\":");
		ts_add(out, p->msgs[i].ts_us);
		ark_buf_c(out, '}');
	}
	ark_buf_z(out, "],\"is_locked\":false,\"subscribed\":false");
}

static void reactions_add(const struct gen_world *w, const struct gen_conv *c, struct gen_rng *r,
			  struct ark_buf *out)
{
	static const struct gen_quantile distinct_q[] = { { 0, 1 },   { 550, 1 }, { 750, 2 },
							  { 900, 3 }, { 950, 4 }, { 1000, 12 } };
	uint32_t n = gen_rng_quantile(r, distinct_q, COUNT(distinct_q));
	uint32_t first = gen_rng_skewed(r, COUNT(reactions));
	ark_buf_z(out, ",\"reactions\":[");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t users = 1 + gen_rng_skewed(r, c->members < 50 ? c->members : 50);
		uint32_t from = gen_rng_below(r, c->members);
		ark_buf_fmt(out, "%s{\"name\":\"%s\",\"users\":[", i > 0 ? "," : "",
			    reactions[(first + i) % COUNT(reactions)]);
		for (uint32_t k = 0; k < users; k++) {
			ark_buf_z(out, k > 0 ? ",\"" : "\"");
			gen_user_id(out, gen_conv_member(w, c, (from + k) % c->members));
			ark_buf_c(out, '"');
		}
		ark_buf_fmt(out, "],\"count\":%u}", users);
	}
	ark_buf_c(out, ']');
}

static void file_object(const struct gen_world *w, const struct gen_msg *m, struct gen_rng *r,
			struct ark_buf *out)
{
	uint64_t id = gen_rng_next(r);
	uint32_t kind = gen_rng_below(r, 1000);
	if (kind < 30) { /* only id and mode are left of it */
		ark_buf_z(out, "{\"id\":\"F0");
		hex_add(out, id, 7);
		ark_buf_z(out, gen_rng_chance(r, 1, 2) ? "\",\"mode\":\"tombstone\"}"
						       : "\",\"mode\":\"hidden_by_limit\"}");
		return;
	}
	uint32_t type = gen_rng_skewed(r, COUNT(file_types));
	ark_buf_z(out, "{\"id\":\"F0");
	hex_add(out, id, 7);
	ark_buf_fmt(out, "\",\"created\":%lld,\"timestamp\":%lld,\"name\":\"",
		    (long long)(m->ts_us / 1000000), (long long)(m->ts_us / 1000000));
	struct ark_str name = gen_word(w, r);
	ark_buf_fmt(out, "%.*s.%s\",\"title\":\"%.*s\",\"mimetype\":\"%s\",\"filetype\":\"%s\",",
		    ARK_FMT(name), file_types[type].type, ARK_FMT(name), file_types[type].mime,
		    file_types[type].type);
	user_add(out, "user", m->author);
	ark_buf_fmt(out,
		    ",\"size\":%u,\"mode\":\"hosted\",\"is_external\":false,\"is_public\":true",
		    gen_rng_quantile(r, size_q, COUNT(size_q)));
	ark_buf_z(out,
		  ",\"url_private\":\"https:\\/\\/files.slack.com\\/files-pri\\/" GEN_TEAM "-F0");
	hex_add(out, id, 7);
	ark_buf_fmt(out, "\\/%.*s.%s\"", ARK_FMT(name), file_types[type].type);
	if (type < 2)
		ark_buf_fmt(out, ",\"original_w\":%u,\"original_h\":%u",
			    100 + gen_rng_below(r, 3000), 100 + gen_rng_below(r, 2000));
	ark_buf_c(out, '}');
}

static void files_add(const struct gen_world *w, const struct gen_msg *m, struct gen_rng *r,
		      struct ark_buf *out)
{
	uint32_t n = gen_rng_chance(r, 9, 10) ? 1 : 2 + gen_rng_skewed(r, 9);
	if (w->opt.era->old_file) {
		ark_buf_z(out, ",\"subtype\":\"file_share\",\"upload\":true,\"file\":");
		file_object(w, m, r, out);
		return;
	}
	ark_buf_z(out, ",\"upload\":false,\"files\":[");
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			ark_buf_c(out, ',');
		file_object(w, m, r, out);
	}
	ark_buf_c(out, ']');
}

static void unfurl_add(const struct gen_world *w, struct gen_rng *r, struct ark_buf *out)
{
	ark_buf_fmt(out,
		    ",\"attachments\":[{\"id\":1,\"from_url\":\"https:\\/\\/news.example.com\\/"
		    "%u\",\"service_name\":\"News\",\"title\":\"",
		    gen_rng_below(r, 100000));
	gen_text_words(w, r, 40, out);
	ark_buf_z(out, "\",\"text\":\"");
	gen_text_words(w, r, 120, out);
	ark_buf_z(out, "\",\"fallback\":\"News\"}]");
}

/* A webhook's post: no user, and the content often in an attachment alone. */
static void webhook_add(const struct gen_world *w, struct gen_rng *r, struct gen_text *text,
			struct ark_buf *out)
{
	uint32_t which = gen_rng_skewed(r, COUNT(webhooks));
	bool bare = gen_rng_chance(r, 1, 2);
	ark_buf_fmt(out,
		    ",\"subtype\":\"bot_message\",\"bot_id\":\"B0HOOK%03u\",\"username\":\"%s\","
		    "\"icons\":{\"emoji\":\":robot_face:\"}",
		    which, webhooks[which]);
	ark_buf_z(out, ",\"text\":");
	if (!bare) {
		ark_buf_json(out, ark_buf_view(&text->text));
		return;
	}
	ark_buf_fmt(
	    out,
	    "\"\",\"attachments\":[{\"id\":1,\"color\":\"36a64f\",\"fallback\":\"%s\",\"title\":\"",
	    webhooks[which]);
	gen_text_words(w, r, 20, out);
	ark_buf_fmt(out, "\",\"title_link\":\"https:\\/\\/ci.example.com\\/%u\",\"text\":\"",
		    gen_rng_below(r, 100000));
	gen_text_words(w, r, 60 + gen_rng_below(r, 100), out);
	ark_buf_fmt(out, "\",\"fields\":[{\"title\":\"Status\",\"value\":\"%u\",\"short\":true}]}]",
		    gen_rng_below(r, 600));
}

static void event_add(const struct gen_world *w, const struct gen_msg *m, struct gen_rng *r,
		      struct ark_buf *out)
{
	static const char *const subtypes[] = { [GEN_JOIN] = "channel_join",
						[GEN_LEAVE] = "channel_leave",
						[GEN_TOPIC] = "channel_topic",
						[GEN_PURPOSE] = "channel_purpose",
						[GEN_ARCHIVE] = "channel_archive" };
	static const char *const texts[] = { [GEN_JOIN] = " has joined the channel",
					     [GEN_LEAVE] = " has left the channel",
					     [GEN_TOPIC] = " set the channel topic: ",
					     [GEN_PURPOSE] = " set the channel purpose: ",
					     [GEN_ARCHIVE] = " archived the channel" };
	bool says = m->kind == GEN_TOPIC || m->kind == GEN_PURPOSE;
	size_t mark = 0, end = 0;
	ark_buf_fmt(out, ",\"subtype\":\"%s\",", subtypes[m->kind]);
	user_add(out, "user", m->author);
	ark_buf_z(out, ",\"text\":\"<@");
	gen_user_id(out, m->author);
	ark_buf_fmt(out, ">%s", texts[m->kind]);
	mark = out->len;
	if (says)
		gen_text_words(w, r, 10 + gen_rng_below(r, 60), out);
	end = out->len;
	ark_buf_c(out, '"');
	if (says && ark_buf_room(out, end - mark + 32) != NULL) {
		ark_buf_fmt(out, ",\"%s\":\"", m->kind == GEN_TOPIC ? "topic" : "purpose");
		ark_buf_add(out, out->data + mark, end - mark);
		ark_buf_c(out, '"');
	}
	if (m->kind == GEN_JOIN && gen_rng_chance(r, 1, 2)) {
		ark_buf_c(out, ',');
		user_add(out, "inviter", gen_rng_below(r, w->opt.users));
	}
}

static void blocks_add(struct gen_rng *r, const struct gen_text *text, struct ark_buf *out)
{
	ark_buf_z(out, ",\"blocks\":[{\"type\":\"rich_text\",\"block_id\":\"");
	hex_add(out, gen_rng_next(r), 5);
	ark_buf_z(out, "\",\"elements\":[");
	ark_buf_str(out, ark_buf_view(&text->elements));
	ark_buf_z(out, "]}]");
}

/* What a person or an app user writes. */
static void text_add(const struct gen_world *w, const struct gen_msg *m, struct gen_rng *r,
		     const struct gen_text *text, struct ark_buf *out)
{
	const struct gen_era *e = w->opt.era;
	ark_buf_c(out, ',');
	user_add(out, "user", m->author);
	ark_buf_z(out, ",\"text\":");
	ark_buf_json(out, ark_buf_view(&text->text));
	if (m->kind == GEN_APP) {
		ark_buf_fmt(out, ",\"bot_id\":\"B0APP%04u\",\"app_id\":\"A0APP%04u\"", m->author,
			    m->author);
	} else if (e->ids) {
		ark_buf_z(out, ",\"client_msg_id\":\"");
		uuid_add(out, r);
		ark_buf_c(out, '"');
	}
	if (gen_rng_chance(r, e->blocks, 1000))
		blocks_add(r, text, out);
	if (e->ids)
		ark_buf_z(out, ",\"team\":\"" GEN_TEAM "\"");
	if (m->kind == GEN_TEXT && gen_rng_chance(r, e->profiles, 1000)) {
		ark_buf_z(out, ",\"user_team\":\"" GEN_TEAM "\",\"source_team\":\"" GEN_TEAM "\"");
		profile_add(w, out, m->author);
	}
	if (m->kind == GEN_TEXT && gen_rng_chance(r, e->files, 1000))
		files_add(w, m, r, out);
	else if (gen_rng_chance(r, e->unfurls, 1000))
		unfurl_add(w, r, out);
}

/* Whether a later export shows this message edited since, and how: a further sentence. */
static bool edited_since(const struct gen_world *w, const struct gen_conv *c,
			 const struct gen_msg *m)
{
	struct gen_rng r = gen_rng_for(w->opt.seed, STREAM_EDIT, (uint64_t)c->number << 32 | m->id);
	return w->opt.newer_permille > 0 && m->kind == GEN_TEXT &&
	       m->ts_us < w->opt.era->end_ms * 1000 && gen_rng_chance(&r, 2, 1000);
}

void gen_emit_message(const struct gen_world *w, const struct gen_conv *c, const struct gen_plan *p,
		      uint32_t at, struct gen_text *text, struct ark_buf *out)
{
	const struct gen_era *e = w->opt.era;
	const struct gen_msg *m = &p->msgs[at];
	struct gen_rng r =
	    gen_rng_for(w->opt.seed, STREAM_MESSAGE, (uint64_t)c->number << 32 | m->id);
	ark_buf_z(out, "{\"type\":\"message\",\"ts\":");
	ts_add(out, m->ts_us);
	if (m->kind == GEN_TEXT || m->kind == GEN_APP || m->kind == GEN_WEBHOOK)
		gen_text_make(w, c, &r, text);
	bool later = edited_since(w, c, m);
	if (later) {
		ark_buf_z(&text->text, "\nPS: corrected");
		ark_buf_z(&text->elements, ",{\"type\":\"rich_text_section\",\"elements\":[{"
					   "\"type\":\"text\",\"text\":\"\\nPS: corrected\"}]}");
	}
	if (m->kind == GEN_WEBHOOK)
		webhook_add(w, &r, text, out);
	else if (m->kind == GEN_TEXT || m->kind == GEN_APP)
		text_add(w, m, &r, text, out);
	else
		event_add(w, m, &r, out);
	thread_add(p, at, out);
	if (m->kind == GEN_TEXT && gen_rng_chance(&r, e->reactions, 1000))
		reactions_add(w, c, &r, out);
	if (later || (m->kind == GEN_TEXT && gen_rng_chance(&r, e->edited, 1000))) {
		ark_buf_z(out, ",\"edited\":{");
		user_add(out, "user", m->author);
		ark_buf_z(out, ",\"ts\":");
		int64_t when =
		    later ? w->opt.era->end_ms * 1000 + 86400000000 : m->ts_us + 20000000;
		ts_add(out, when / 1000000 * 1000000);
		ark_buf_c(out, '}');
	}
	ark_buf_c(out, '}');
}
