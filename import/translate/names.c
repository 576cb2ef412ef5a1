#include "import/translate/names.h"

#include "common/base/limits.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

/* Fact  docs/mattermost-facts.md "Names": four that the server refuses; "here" is a mention. */
static const char *const USER_RESERVED[] = { "all", "channel", "here", "matterbot", "system" };

/* A team's URL name must not even begin with one of these. */
static const char *const TEAM_RESERVED[] = {
	"admin", "api",   "channel", "claim",   "error", "files",  "help",   "landing",   "login",
	"mfa",   "oauth", "plug",    "plugins", "post",  "signup", "boards", "playbooks",
};

#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define SUFFIX_ID_CHARS 8

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool has_alnum(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_alnum(s.ptr[i]))
			return true;
	return false;
}

static bool in_set(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Append [a-z0-9] and `keep` of `s`; anything else becomes one '-'. */
static void put_folded(struct ark_str s, const char *keep, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf ascii;
	ark_buf_init(&ascii, 4 * LIMIT_ENTRY_NAME);
	ark_utf8_ascii_lower(&ascii, ark_str_first(s, LIMIT_ENTRY_NAME), '-');
	size_t start = out->len;
	for (size_t i = 0; i < ascii.len; i++) {
		char c = ascii.data[i];
		if (!is_alnum(c) && !in_set(c, keep))
			c = '-';
		if (c == '-' && out->len > start && out->data[out->len - 1] == '-')
			continue;
		ark_buf_c(out, c);
	}
}

/* Take the bytes of `set` off both ends of what was appended from `start` on, and cut to `bytes`.
 */
static void trim(struct ark_buf *out, size_t start, const char *set, size_t bytes)
{
	size_t from = start;
	while (from < out->len && in_set(out->data[from], set))
		from++;
	if (from > start) {
		memmove(out->data + start, out->data + from, out->len - from);
		ark_buf_cut(out, out->len - (from - start));
	}
	if (out->len > start + bytes)
		ark_buf_cut(out, start + bytes);
	while (out->len > start && in_set(out->data[out->len - 1], set))
		ark_buf_cut(out, out->len - 1);
}

static struct ark_str since(const struct ark_buf *out, size_t start)
{
	return ark_str_n(out->data + start, out->len - start);
}

/* The Slack id (or `instead` when there is none) as a name. */
static void put_id(struct ark_str slack_id, const char *instead, struct ark_buf *out)
{
	size_t start = out->len;
	put_folded(slack_id, "", out);
	trim(out, start, "-", MM_CHANNEL_NAME_BYTES);
	if (out->len == start)
		ark_buf_z(out, instead);
}

void name_user(struct ark_str name, struct ark_str slack_id, struct ark_buf *out)
{
	size_t start = out->len;
	put_folded(name, "._-", out);
	trim(out, start, "-", MM_USERNAME_BYTES);
	if (!has_alnum(since(out, start))) {
		ark_buf_cut(out, start);
		put_id(slack_id, "user", out);
	}
	for (size_t i = 0; i < COUNT(USER_RESERVED); i++)
		if (ark_str_eqz(since(out, start), USER_RESERVED[i])) {
			ark_buf_z(out, "-1");
			return;
		}
}

void name_user_numbered(struct ark_str base, unsigned number, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf behind;
	ark_buf_init(&behind, 16);
	ark_buf_fmt(&behind, "-%u", number);
	size_t start = out->len;
	ark_buf_str(out, base);
	trim(out, start, "-", MM_USERNAME_BYTES - behind.len);
	ark_buf_str(out, ark_buf_view(&behind));
}

static bool looks_like_group(struct ark_str s)
{
	if (s.len != 40)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') && !(s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))
			return false;
	return true;
}

static bool looks_like_direct(struct ark_str s)
{
	if (s.len != 2 * MM_ID_LEN + 2 || s.ptr[MM_ID_LEN] != '_' || s.ptr[MM_ID_LEN + 1] != '_')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (i != MM_ID_LEN && i != MM_ID_LEN + 1 && !is_alnum(s.ptr[i]))
			return false;
	return true;
}

void name_channel_with_id(struct ark_str base, struct ark_str slack_id, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf id;
	ark_buf_init(&id, LIMIT_ENTRY_NAME);
	put_id(slack_id, "x", &id);
	size_t skip = id.len > SUFFIX_ID_CHARS ? id.len - SUFFIX_ID_CHARS : 0;
	size_t start = out->len;
	ark_buf_str(out, base);
	trim(out, start, "-_", MM_CHANNEL_NAME_BYTES - 1 - SUFFIX_ID_CHARS);
	if (out->len > start)
		ark_buf_c(out, '-');
	ark_buf_add(out, id.data + skip, id.len - skip);
}

void name_channel(struct ark_str name, struct ark_str slack_id, struct ark_buf *out)
{
	ark_auto(ark_buf_release) struct ark_buf folded;
	ark_buf_init(&folded, 4 * LIMIT_ENTRY_NAME);
	put_folded(name, "_-", &folded);
	trim(&folded, 0, "-_", MM_CHANNEL_NAME_BYTES);
	struct ark_str base = ark_buf_view(&folded);
	if (base.len == 0)
		put_id(slack_id, "channel", out);
	else if (looks_like_group(base) || looks_like_direct(base))
		name_channel_with_id(base, slack_id, out);
	else
		ark_buf_str(out, base);
}

void name_team(struct ark_str text, struct ark_buf *out)
{
	size_t start = out->len;
	put_folded(text, "", out);
	trim(out, start, "-", 64);
}

bool name_team_valid(struct ark_str name)
{
	if (name.len < 2 || name.len > 64 || !is_alnum(name.ptr[0]) ||
	    !is_alnum(name.ptr[name.len - 1]))
		return false;
	for (size_t i = 0; i < COUNT(TEAM_RESERVED); i++)
		if (ark_str_starts(name, ark_str_z(TEAM_RESERVED[i])))
			return false;
	size_t dashes = 0, underscores = 0;
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '-')
			dashes++;
		else if (name.ptr[i] == '_')
			underscores++;
		else if (!is_alnum(name.ptr[i]))
			return false;
	}
	if (underscores == 0)
		return true;
	return dashes == 0 && underscores == 2 &&
	       ark_str_search(name, ARK_LIT("__"), 0) != SIZE_MAX;
}

/*
 * What the server takes out of shown names: deprecated clones, separators, direction overrides,
 * annotation marks, byte order marks, musical scoping, language tags. Isolates (U+2066..2069) stay.
 */
static bool server_drops(uint32_t r)
{
	return r == 0x340 || r == 0x341 || r == 0x17A3 || r == 0x17D3 ||
	       (r >= 0x2028 && r <= 0x202E) || (r >= 0x206A && r <= 0x206F) ||
	       (r >= 0xFFF9 && r <= 0xFFFC) || r == 0xFEFF || (r >= 0x1D173 && r <= 0x1D17A) ||
	       (r >= 0xE0000 && r <= 0xE007F);
}

void name_shown(struct ark_str name, size_t runes, struct ark_buf *out)
{
	size_t count = 0;
	size_t end = out->len; /* behind the last rune that is no blank */
	bool begun = false;
	for (size_t i = 0, len; i < name.len && count < runes; i += len) {
		uint32_t r = ark_utf8_at(name, i, &len);
		bool blank = ark_utf8_is_space(r);
		if (server_drops(r) || (!blank && (r < 0x20 || (r >= 0x7F && r < 0xA0))) ||
		    (blank && !begun))
			continue;
		begun = true;
		ark_utf8_put(out, blank && r < 0x20 ? ' ' : r);
		count++;
		if (!blank)
			end = out->len;
	}
	ark_buf_cut(out, end);
}
