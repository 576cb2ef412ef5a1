#include "import/translate/control.h"

#include "import/translate/date.h"

#include "common/base/banned.h"

/* Slack ids are far shorter; a message's ts too. */
#define MAX_ID 40
/* Labels and URLs up to this size are decoded without asking for memory. */
#define SMALL 1024

size_t control_entity(struct ark_str s, size_t i, char *out)
{
	static const struct {
		struct ark_str name;
		char c;
	} entities[] = { { { "&amp;", 5 }, '&' }, { { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' } };
	for (size_t k = 0; k < 3; k++)
		if (ark_str_starts(ark_str_from(s, i), entities[k].name)) {
			*out = entities[k].c;
			return entities[k].name.len;
		}
	return 0;
}

/* Append `s` with &amp; &lt; &gt; decoded once. */
static void control_decode(struct ark_str s, struct ark_buf *out)
{
	size_t from = 0;
	for (size_t i = 0; (i = ark_str_find(s, '&', i)) != SIZE_MAX;) {
		char c;
		size_t n = control_entity(s, i, &c);
		if (n > 0) {
			ark_buf_add(out, s.ptr + from, i - from);
			ark_buf_c(out, c);
			from = i + n;
		}
		i += n > 0 ? n : 1;
	}
	if (from < s.len)
		ark_buf_add(out, s.ptr + from, s.len - from);
}

/* Upper-case letters and digits that begin with one of `kinds`. */
static bool is_id(struct ark_str s, const char *kinds)
{
	if (s.len < 2 || s.len > MAX_ID || strchr(kinds, s.ptr[0]) == NULL)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
			return false;
	return true;
}

static void literal(struct markup *m, char sigil, struct ark_str s)
{
	if (s.len > 0 && s.ptr[0] == sigil)
		s = ark_str_from(s, 1);
	markup_literal(m, ark_str_n(&sigil, 1));
	markup_literal(m, s);
}

void control_user(struct markup *m, const struct text_world *world, struct ark_str id,
		  struct ark_str label)
{
	struct ark_str name;
	if (world->user != NULL && world->user(world->ctx, id, &name))
		markup_mention(m, '@', name);
	else
		literal(m, '@', label.len > 0 ? label : id);
}

void control_channel(struct markup *m, const struct text_world *world, struct ark_str id,
		     struct ark_str label)
{
	struct ark_str name;
	if (world->channel != NULL && world->channel(world->ctx, id, &name))
		markup_mention(m, '~', name);
	else if (world->elsewhere != NULL && world->elsewhere(world->ctx, id, &name))
		literal(m, '#', name);
	else if (label.len > 0)
		literal(m, '~', label.ptr[0] == '#' ? ark_str_from(label, 1) : label);
	else
		literal(m, '#', id);
}

void control_group(struct markup *m, const struct text_world *world, struct ark_str id,
		   struct ark_str label)
{
	struct ark_str name;
	if (world->group != NULL && world->group(world->ctx, id, &name))
		markup_mention(m, '@', name);
	else
		literal(m, '@', label.len > 0 ? label : id);
}

bool control_broadcast(struct markup *m, struct ark_str range)
{
	static const struct {
		const char *slack;
		struct ark_str name;
	} ranges[] = { { "here", { "here", 4 } },
		       { "channel", { "channel", 7 } },
		       { "group", { "channel", 7 } },
		       { "everyone", { "all", 3 } } };
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (ark_str_eqz(range, ranges[i].slack)) {
			markup_mention(m, '@', ranges[i].name);
			return true;
		}
	return false;
}

/*
 * "https://x.slack.com/archives/C1/p1549307811074100[?...]": the channel, and the ts with its dot
 * written to `ts`.
 */
static bool message_link(struct ark_str url, struct ark_str *channel, char ts[MAX_ID + 2],
			 struct ark_str *ts_out)
{
	static const struct ark_str mark = { ".slack.com/archives/", 20 };
	size_t at =
	    ark_str_starts(url, ARK_LIT("https://")) ? ark_str_search(url, mark, 8) : SIZE_MAX;
	if (at == SIZE_MAX || ark_str_find(ark_str_first(url, at), '/', 8) != SIZE_MAX)
		return false;
	struct ark_str rest = ark_str_from(url, at + mark.len);
	size_t slash = ark_str_find(rest, '/', 0);
	if (slash == SIZE_MAX || slash == 0 || slash + 1 >= rest.len || rest.ptr[slash + 1] != 'p')
		return false;
	*channel = ark_str_first(rest, slash);
	struct ark_str digits = ark_str_from(rest, slash + 2);
	size_t n = 0;
	while (n < digits.len && digits.ptr[n] >= '0' && digits.ptr[n] <= '9')
		n++;
	if (n < 7 || n > MAX_ID || (n < digits.len && strchr("?#/", digits.ptr[n]) == NULL))
		return false;
	memcpy(ts, digits.ptr, n - 6);
	ts[n - 6] = '.';
	memcpy(ts + n - 5, digits.ptr + n - 6, 6);
	*ts_out = ark_str_n(ts, n + 1);
	return true;
}

void control_link(struct markup *m, const struct text_world *world, struct ark_str url,
		  struct ark_str label)
{
	struct ark_str channel, ts, post;
	char room[MAX_ID + 2];
	if (world->message != NULL && message_link(url, &channel, room, &ts) &&
	    world->message(world->ctx, channel, ts, &post)) {
		bool said = url_says(url, label);
		markup_link(m, post, said ? ARK_STR_NONE : label);
		return;
	}
	markup_link(m, url, label);
}

void control_date(struct ark_str unix_s, struct ark_str format, struct ark_str fallback,
		  struct ark_buf *out)
{
	uint64_t s;
	if (fallback.len > 0)
		control_decode(fallback, out);
	else if (ark_str_u64(unix_s, &s) && s <= 253402300799)
		date_put((int64_t)s, format, out);
	else
		ark_buf_str(out, unix_s);
}

/* The next part of `*rest` up to '^'. */
static struct ark_str take_part(struct ark_str *rest)
{
	size_t at = ark_str_find(*rest, '^', 0);
	struct ark_str part = ark_str_first(*rest, at);
	*rest = at == SIZE_MAX ? ark_str_from(*rest, rest->len) : ark_str_from(*rest, at + 1);
	return part;
}

/* "!date^1392734382^{date}[^link]|fallback" behind "!date^". */
static void put_date(struct markup *m, const struct text_world *world, struct ark_str parts,
		     struct ark_str fallback)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 2 * (parts.len + fallback.len) + 1000);
	struct ark_str unix_s = take_part(&parts);
	struct ark_str format = take_part(&parts);
	control_date(unix_s, format, fallback, &shown);
	if (parts.len > 0 && !m->plain) {
		ark_auto(ark_buf_release) struct ark_buf url;
		ark_buf_init(&url, parts.len + 1);
		control_decode(parts, &url);
		control_link(m, world, ark_buf_view(&url), ark_buf_view(&shown));
	} else {
		markup_literal(m, ark_buf_view(&shown));
	}
}

static bool has_scheme(struct ark_str body)
{
	size_t i = 0;
	while (i < body.len && (byte_is((unsigned char)body.ptr[i], BYTE_WORD) ||
				body.ptr[i] == '+' || body.ptr[i] == '.' || body.ptr[i] == '-'))
		i++;
	bool letter = body.len > 0 && ((body.ptr[0] | 32) >= 'a' && (body.ptr[0] | 32) <= 'z');
	return letter && i + 1 < body.len && body.ptr[i] == ':';
}

static enum control_kind kind_of(struct ark_str body, struct ark_str *which)
{
	*which = ark_str_from(body, 1);
	switch (body.ptr[0]) {
	case '@':
		if (ark_str_eqz(*which, "here") || ark_str_eqz(*which, "channel") ||
		    ark_str_eqz(*which, "everyone"))
			return KIND_RANGE;
		return is_id(*which, "UWB") ? KIND_USER : KIND_NONE;
	case '#': return is_id(*which, "CGD") ? KIND_CHANNEL : KIND_NONE;
	case '!':
		if (ark_str_starts(*which, ARK_LIT("subteam^"))) {
			*which = ark_str_from(*which, 8);
			*which = take_part(which);
			return is_id(*which, "S") ? KIND_GROUP : KIND_OTHER;
		}
		if (ark_str_starts(*which, ARK_LIT("date^"))) {
			*which = ark_str_from(*which, 5);
			return KIND_DATE;
		}
		if (ark_str_eqz(*which, "here") || ark_str_eqz(*which, "channel") ||
		    ark_str_eqz(*which, "group") || ark_str_eqz(*which, "everyone"))
			return KIND_RANGE;
		return which->len > 0 ? KIND_OTHER : KIND_NONE;
	default: *which = body; return has_scheme(body) ? KIND_LINK : KIND_NONE;
	}
}

bool control_parse(struct ark_str s, size_t i, struct control *out)
{
	size_t bar = 0;
	size_t k = i + 1;
	for (; k < s.len && s.ptr[k] != '>'; k++) {
		if (s.ptr[k] == '<' || (s.ptr[k] == '\n' && bar == 0))
			return false;
		if (s.ptr[k] == '|' && bar == 0)
			bar = k;
	}
	if (k >= s.len || k == i + 1 || bar == i + 1)
		return false;
	size_t end = bar > 0 ? bar : k;
	out->kind = kind_of(ark_str_n(s.ptr + i + 1, end - i - 1), &out->which);
	out->label = bar > 0 ? ark_str_n(s.ptr + bar + 1, k - bar - 1) : ARK_STR_NONE;
	out->len = k + 1 - i;
	return out->kind != KIND_NONE;
}

/* --- where nothing is markup --- */

static void put_plain(struct markup *m, enum control_place place, struct ark_str s)
{
	if (place == CONTROL_CODE)
		markup_code_text(m, s);
	else if (place == CONTROL_FENCE)
		markup_fence_text(m, s);
	else
		markup_literal(m, s);
}

static void put_decoded(struct markup *m, enum control_place place, struct ark_str s)
{
	size_t from = 0;
	for (size_t i = 0; (i = ark_str_find(s, '&', i)) != SIZE_MAX;) {
		char c;
		size_t n = control_entity(s, i, &c);
		if (n > 0) {
			put_plain(m, place, ark_str_n(s.ptr + from, i - from));
			put_plain(m, place, ark_str_n(&c, 1));
			from = i + n;
		}
		i += n > 0 ? n : 1;
	}
	put_plain(m, place, ark_str_from(s, from));
}

static void put_named(struct markup *m, enum control_place place, char sigil, struct ark_str name)
{
	if (name.len > 0 && name.ptr[0] == sigil)
		name = ark_str_from(name, 1);
	put_plain(m, place, ark_str_n(&sigil, 1));
	put_decoded(m, place, name);
}

/* The name that `ask` knows for the id, else the label, else the id. */
static struct ark_str best_name(bool (*ask)(void *, struct ark_str, struct ark_str *), void *ctx,
				const struct control *c)
{
	struct ark_str name;
	if (ask != NULL && ask(ctx, c->which, &name))
		return name;
	return c->label.len > 0 ? c->label : c->which;
}

static void put_as_plain(struct markup *m, const struct text_world *world, const struct control *c,
			 enum control_place place)
{
	switch (c->kind) {
	case KIND_USER: put_named(m, place, '@', best_name(world->user, world->ctx, c)); break;
	case KIND_GROUP: put_named(m, place, '@', best_name(world->group, world->ctx, c)); break;
	case KIND_CHANNEL:
		put_named(m, place, '#',
			  c->label.len > 0 ? c->label : best_name(world->channel, world->ctx, c));
		break;
	case KIND_RANGE: put_named(m, place, '@', c->which); break;
	case KIND_DATE: {
		ark_auto(ark_buf_release) struct ark_buf shown;
		ark_buf_init(&shown, 2 * (c->which.len + c->label.len) + 1000);
		struct ark_str parts = c->which;
		struct ark_str unix_s = take_part(&parts);
		control_date(unix_s, take_part(&parts), c->label, &shown);
		put_plain(m, place, ark_buf_view(&shown));
		break;
	}
	default: put_decoded(m, place, c->label.len > 0 ? c->label : c->which); break;
	}
}

void control_put_code(struct markup *m, const struct text_world *world, struct ark_str s,
		      enum control_place place)
{
	size_t from = 0;
	for (size_t i = 0; (i = ark_str_find(s, '<', i)) != SIZE_MAX;) {
		struct control c;
		bool known = control_parse(s, i, &c);
		if (known) {
			put_decoded(m, place, ark_str_n(s.ptr + from, i - from));
			put_as_plain(m, world, &c, place);
			from = i + c.len;
		}
		i += known ? c.len : 1;
	}
	put_decoded(m, place, ark_str_from(s, from));
}

/* --- in running text --- */

/* Decoded into `room` while that is long enough, else into `grown`. */
static struct ark_str decoded(struct ark_str s, char room[SMALL], struct ark_buf *grown)
{
	if (s.len == 0 || memchr(s.ptr, '&', s.len) == NULL)
		return s;
	if (s.len > SMALL) {
		control_decode(s, grown);
		return ark_buf_view(grown);
	}
	size_t n = 0;
	for (size_t i = 0; i < s.len;) {
		char c = s.ptr[i];
		size_t len = c == '&' ? control_entity(s, i, &c) : 1;
		room[n++] = c;
		i += len > 0 ? len : 1;
	}
	return ark_str_n(room, n);
}

void control_put(struct markup *m, const struct text_world *world, const struct control *c,
		 enum control_place place)
{
	if (m->plain || place == CONTROL_CODE || place == CONTROL_FENCE) {
		put_as_plain(m, world, c, place);
		return;
	}
	if (c->kind == KIND_DATE) {
		put_date(m, world, c->which, c->label);
		return;
	}
	char room[2][SMALL];
	ark_auto(ark_buf_release) struct ark_buf grown_label;
	ark_auto(ark_buf_release) struct ark_buf grown_url;
	ark_buf_init(&grown_label, c->label.len);
	ark_buf_init(&grown_url, c->which.len);
	struct ark_str label = decoded(c->label, room[0], &grown_label);
	switch (c->kind) {
	case KIND_USER: control_user(m, world, c->which, label); break;
	case KIND_CHANNEL: control_channel(m, world, c->which, label); break;
	case KIND_GROUP: control_group(m, world, c->which, label); break;
	case KIND_RANGE: control_broadcast(m, c->which); break;
	case KIND_LINK:
		control_link(m, world, decoded(c->which, room[1], &grown_url), label);
		break;
	default: markup_literal(m, label.len > 0 ? label : c->which); break;
	}
}
