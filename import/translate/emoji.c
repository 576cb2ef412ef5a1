/*
 * Mattermost's own names are common/mm/emoji.h; the list beside this file holds what Slack has and
 * Mattermost has not.
 */
#include "import/translate/emoji.h"

#include <stdio.h>

#include "common/base/limits.h"
#include "common/mm/emoji.h"

#include "common/base/banned.h"

#include "import/translate/emoji_table.inc"

/* Slack's names for what Mattermost calls otherwise. */
static const struct {
	const char *slack;
	const char *mattermost;
} RENAMED[] = {
	{ "simple_smile", "slightly_smiling_face" },
	{ "thumbsup_all", "+1" },
	{ "white_square", "white_large_square" },
	{ "black_square", "black_large_square" },
	{ "men-with-bunny-ears-partying", "man-with-bunny-ears-partying" },
	{ "women-with-bunny-ears-partying", "woman-with-bunny-ears-partying" },
};

/* Suffix of Mattermost's name for Slack's "::skin-tone-N", N = 2..6. */
static const char *const TONES[] = { "_light_skin_tone", "_medium_light_skin_tone",
				     "_medium_skin_tone", "_medium_dark_skin_tone",
				     "_dark_skin_tone" };

/* The characters for a name that only Slack has; NULL for others. */
static const char *slack_only(struct ark_str name)
{
	const struct mm_emoji_slot *slot = mm_emoji_find(SLACK_EMOJI, SLACK_EMOJI_SLOTS, name);
	return slot != NULL ? slot->unicode : NULL;
}

bool emoji_is_system(struct ark_str name)
{
	return mm_emoji(name) != NULL;
}

/* Cuts "::skin-tone-N" off; 2..6, or 0 without one. Two-tone forms ("-2-3") give the first. */
static unsigned take_tone(struct ark_str *name)
{
	static const struct ark_str mark = { "::skin-tone-", 12 };
	size_t at = ark_str_search(*name, mark, 0);
	if (at == SIZE_MAX)
		return 0;
	unsigned tone = 0;
	if (at + mark.len < name->len) {
		char c = name->ptr[at + mark.len];
		if (c >= '2' && c <= '6')
			tone = (unsigned)(c - '0');
	}
	name->len = at;
	return tone;
}

static struct ark_str renamed(struct ark_str name)
{
	for (size_t i = 0; i < sizeof(RENAMED) / sizeof(RENAMED[0]); i++)
		if (ark_str_eqz(name, RENAMED[i].slack))
			return ark_str_z(RENAMED[i].mattermost);
	return name;
}

bool emoji_is_known(struct ark_str name)
{
	take_tone(&name);
	name = renamed(name);
	return mm_emoji(name) != NULL || slack_only(name) != NULL;
}

static bool valid_name(struct ark_str name)
{
	if (name.len == 0 || name.len > MM_EMOJI_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		      c == '+'))
			return false;
	}
	return true;
}

/* A name of its own for what Mattermost's alphabet cannot spell: the same for the same bytes. */
static void put_derived(struct ark_str name, struct ark_buf *out)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * 1099511628211u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	ark_buf_fmt(out, "emoji_%016llx", (unsigned long long)h);
}

static void put_custom(struct ark_str name, struct ark_buf *out)
{
	if (valid_name(name)) {
		ark_buf_str(out, name);
		return;
	}
	char lower[MM_EMOJI_NAME_BYTES];
	struct ark_str as_lower = { lower, name.len };
	if (name.len <= sizeof(lower)) {
		for (size_t i = 0; i < name.len; i++) {
			char c = name.ptr[i];
			lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		}
		if (valid_name(as_lower) && mm_emoji(as_lower) == NULL && slack_only(as_lower) == NULL) {
			ark_buf_str(out, as_lower);
			return;
		}
	}
	put_derived(name, out);
}

static bool put_toned(struct ark_str base, unsigned tone, struct ark_buf *out)
{
	char name[128];
	if (base.len > MM_EMOJI_NAME_BYTES)
		return false;
	int n = snprintf(name, sizeof(name), "%.*s%s", ARK_FMT(base), TONES[tone - 2]);
	struct ark_str toned = { name, (size_t)n };
	if (!emoji_is_system(toned))
		return false;
	ark_buf_str(out, toned);
	return true;
}

enum emoji_kind emoji_translate(struct ark_str name, struct ark_buf *out, struct ark_buf *as_name)
{
	unsigned tone = take_tone(&name);
	name = renamed(name);
	if (mm_emoji(name) == NULL) {
		const char *unicode = slack_only(name);
		if (unicode == NULL) {
			put_custom(name, out);
			return EMOJI_CUSTOM;
		}
		ark_buf_z(out, unicode);
		if (as_name != NULL)
			ark_buf_str(as_name, name);
		return EMOJI_UNICODE;
	}
	if (tone == 0 || !put_toned(name, tone, out))
		ark_buf_str(out, name);
	return EMOJI_SYSTEM;
}
