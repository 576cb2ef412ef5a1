/*
 * One pass over the text: at each place where a word can begin, the kinds are tried in turn. The web
 * client replaces kind after kind instead; the result differs only where kinds overlap.
 */
#include "export/formats/markdown/decorate.h"

#include <string.h>

#include "common/base/limits.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

struct cursor {
	struct ark_str s;
	const struct html_names *names;
	bool in_link;
	struct ark_buf *out;
};

static char at(struct ark_str s, size_t i)
{
	return i < s.len ? s.ptr[i] : '\0';
}

static bool word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool name_byte(char c)
{
	return word(c) || c == '.' || c == '-';
}

static struct ark_str take(struct ark_str s, size_t from, bool (*fits)(char c))
{
	size_t end = from;
	while (end < s.len && fits(s.ptr[end]))
		end++;
	return ark_str_n(s.ptr + from, end - from);
}

static struct ark_str lowered(struct ark_str name, char room[MM_USERNAME_BYTES + 1])
{
	if (name.len > MM_USERNAME_BYTES)
		return ARK_STR_NONE;
	for (size_t i = 0; i < name.len; i++)
		room[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]);
	return ark_str_n(room, name.len);
}

static bool is_user(const struct cursor *c, struct ark_str name)
{
	static const char *const EVERYBODY[] = { "all", "channel", "here" };
	char room[MM_USERNAME_BYTES + 1];
	struct ark_str low = lowered(name, room);
	for (size_t i = 0; i < sizeof(EVERYBODY) / sizeof(EVERYBODY[0]); i++)
		if (ark_str_eqz(low, EVERYBODY[i]))
			return true;
	return low.len > 0 && c->names->user != NULL && c->names->user(c->names->ctx, low);
}

static bool ends_in_mark(struct ark_str name)
{
	return name.len > 0 && strchr("._-", name.ptr[name.len - 1]) != NULL;
}

/* Each of these returns how many bytes it took and wrote, 0 for none. */

static size_t mention(const struct cursor *c, size_t i)
{
	if (at(c->s, i) != '@' || (i > 0 && name_byte(c->s.ptr[i - 1]) && c->s.ptr[i - 1] != '_'))
		return 0;
	struct ark_str name = take(c->s, i + 1, name_byte), user = name;
	while (!is_user(c, user) && ends_in_mark(user))
		user.len--;
	if (!is_user(c, user))
		return 0;
	ark_buf_z(c->out, "<span class=\"mention\">@");
	html_escape(user, c->out);
	ark_buf_z(c->out, "</span>");
	return 1 + user.len;
}

static size_t channel(const struct cursor *c, size_t i)
{
	if (at(c->s, i) != '~' || (i > 0 && word(c->s.ptr[i - 1])) || c->names->channel == NULL)
		return 0;
	struct ark_str name = take(c->s, i + 1, name_byte), title, href;
	while (name.len > 0 && !c->names->channel(c->names->ctx, name, &title, &href)) {
		if (!ends_in_mark(name))
			return 0;
		name.len--;
	}
	if (name.len == 0)
		return 0;
	bool link = !c->in_link && ark_str_has(href);
	if (link) {
		ark_buf_z(c->out, "<a class=\"channel\" href=\"");
		html_escape(href, c->out);
		ark_buf_z(c->out, "\">~");
	} else {
		ark_buf_z(c->out, "<span class=\"channel\">~");
	}
	html_escape(title, c->out);
	ark_buf_z(c->out, link ? "</a>" : "</span>");
	return 1 + name.len;
}

/* At least three characters behind the "#", the first a letter, the last no mark. */
static size_t hashtag(const struct cursor *c, size_t i)
{
	size_t len = 0;
	if (at(c->s, i) != '#' || (i > 0 && word(c->s.ptr[i - 1])) || i + 1 >= c->s.len || c->in_link ||
	    !ark_utf8_is_letter(ark_utf8_at(c->s, i + 1, &len)))
		return 0;
	size_t end = 0;
	for (size_t e = i + 1; e < c->s.len; e += len) {
		uint32_t r = ark_utf8_at(c->s, e, &len);
		bool solid = ark_utf8_is_letter(r) || (r >= '0' && r <= '9');
		if (!solid && r != '-' && r != '_' && r != '.')
			break;
		if (solid)
			end = e + len;
	}
	struct ark_str tag = ark_str_n(c->s.ptr + i, end > i ? end - i : 0);
	if (ark_utf8_runes(tag) < 4)
		return 0;
	ark_buf_z(c->out, "<span class=\"hashtag\">");
	html_escape(tag, c->out);
	ark_buf_z(c->out, "</span>");
	return tag.len;
}

static void put_emoji(const struct cursor *c, struct ark_str name, struct ark_str unicode)
{
	ark_buf_z(c->out, "<span class=\"emoji\" title=\":");
	html_escape(name, c->out);
	ark_buf_z(c->out, ":\">");
	if (unicode.len > 0) {
		html_escape(unicode, c->out);
	} else {
		ark_buf_c(c->out, ':');
		html_escape(name, c->out);
		ark_buf_c(c->out, ':');
	}
	ark_buf_z(c->out, "</span>");
}

static bool emoji_byte(char c)
{
	return word(c) || c == '+' || c == '-';
}

static size_t emoji(const struct cursor *c, size_t i)
{
	if (at(c->s, i) != ':' || c->names->emoji == NULL)
		return 0;
	struct ark_str name = take(c->s, i + 1, emoji_byte), unicode;
	if (name.len == 0 || at(c->s, i + 1 + name.len) != ':' ||
	    !c->names->emoji(c->names->ctx, name, &unicode))
		return 0;
	put_emoji(c, name, unicode);
	return name.len + 2;
}

/* Longer ones before those that they begin with. Fact: fixtures/markdown-rendered.tsv */
static const struct {
	const char *text, *name;
} EMOTICONS[] = {
	{ ":-)", "slightly_smiling_face" },
	{ ":)", "slightly_smiling_face" },
	{ ";-)", "wink" },
	{ ";)", "wink" },
	{ ":-o", "scream" },
	{ ":o", "open_mouth" },
	{ ":-]", "smirk" },
	{ ":]", "smirk" },
	{ ":-d", "smile" },
	{ ":d", "smile" },
	{ "x-d", "stuck_out_tongue_closed_eyes" },
	{ ":-p", "stuck_out_tongue" },
	{ ":p", "stuck_out_tongue" },
	{ ":-[", "rage" },
	{ ":[", "rage" },
	{ ":-@", "rage" },
	{ ":@", "rage" },
	{ ":-(", "slightly_frowning_face" },
	{ ":(", "slightly_frowning_face" },
	{ ":'-(", "cry" },
	{ ":'(", "cry" },
	{ ":`(", "cry" },
	{ ":-/", "confused" },
	{ ":/", "confused" },
	{ ":-s", "confounded" },
	{ ":s", "confounded" },
	{ ":-|", "neutral_face" },
	{ ":|", "neutral_face" },
	{ ":-$", "flushed" },
	{ ":$", "flushed" },
	{ ":-x", "mask" },
	{ "<3", "heart" },
	{ "</3", "broken_heart" },
};

static size_t emoticon(const struct cursor *c, size_t i)
{
	if (strchr(":;<xX", at(c->s, i)) == NULL || (i > 0 && word(c->s.ptr[i - 1])) ||
	    c->names->emoji == NULL)
		return 0;
	for (size_t e = 0; e < sizeof(EMOTICONS) / sizeof(EMOTICONS[0]); e++) {
		struct ark_str want = ark_str_z(EMOTICONS[e].text), name = ark_str_z(EMOTICONS[e].name);
		struct ark_str unicode;
		if (c->s.len - i < want.len || strncasecmp(c->s.ptr + i, want.ptr, want.len) != 0 ||
		    word(at(c->s, i + want.len)) || !c->names->emoji(c->names->ctx, name, &unicode))
			continue;
		put_emoji(c, name, unicode);
		return want.len;
	}
	return 0;
}

void html_decorate(struct ark_str text, const struct html_names *names, bool in_link,
                   struct ark_buf *out)
{
	static size_t (*const KINDS[])(const struct cursor *c, size_t i) = { mention, channel, hashtag, emoji,
		                                                             emoticon };
	struct cursor c = { .s = text, .names = names, .in_link = in_link, .out = out };
	size_t plain = 0;
	for (size_t i = 0; i < text.len;) {
		size_t took = 0;
		if (strchr("@~#:;<xX", text.ptr[i]) != NULL && text.ptr[i] != '\0') {
			/* what stands before goes out first; a kind that takes nothing writes nothing */
			html_escape(ark_str_n(text.ptr + plain, i - plain), out);
			plain = i;
			for (size_t k = 0; took == 0 && k < sizeof(KINDS) / sizeof(KINDS[0]); k++)
				took = KINDS[k](&c, i);
		}
		i += took > 0 ? took : 1;
		if (took > 0)
			plain = i;
	}
	html_escape(ark_str_from(text, plain), out);
}
