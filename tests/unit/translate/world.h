/*
 * The people and channels that the tests of the text translation know.
 */
#ifndef ARK_TESTS_TRANSLATE_WORLD_H
#define ARK_TESTS_TRANSLATE_WORLD_H

#include "import/translate/text.h"

struct world_entry {
	const char *id, *name;
};

static bool world_find(const struct world_entry *table, size_t n, struct ark_str id,
                       struct ark_str *out)
{
	for (size_t i = 0; i < n; i++)
		if (ark_str_eqz(id, table[i].id)) {
			*out = ark_str_z(table[i].name);
			return true;
		}
	return false;
}

static bool world_user(void *ctx, struct ark_str id, struct ark_str *out)
{
	static const struct world_entry users[] = {
		{ "U1", "bob" }, { "W2", "carol.smith" }, { "B1", "robot" }, { "USLACKBOT", "slackbot" },
	};
	(void)ctx;
	return world_find(users, 4, id, out);
}

static bool world_channel(void *ctx, struct ark_str id, struct ark_str *out)
{
	static const struct world_entry channels[] = { { "C1", "general" }, { "G2", "secret-plans" } };
	(void)ctx;
	return world_find(channels, 2, id, out);
}

static bool world_group(void *ctx, struct ark_str id, struct ark_str *out)
{
	static const struct world_entry groups[] = { { "S1", "devs" } };
	(void)ctx;
	return world_find(groups, 1, id, out);
}

static bool world_emoji(void *ctx, struct ark_str name, struct ark_str *out)
{
	static const struct world_entry own[] = { { "parrot", "slack_parrot" },
		                                  { "リハテスト", "emoji_rehearsal" } };
	(void)ctx;
	return world_find(own, 2, name, out);
}

static bool world_message(void *ctx, struct ark_str channel, struct ark_str ts, struct ark_str *out)
{
	(void)ctx;
	*out = ARK_LIT("https://mm.example.org/team/pl/abc");
	return ark_str_eqz(channel, "C1") && ark_str_eqz(ts, "1549307811.074100");
}

static const struct text_world WORLD = { .user = world_user,
	                                 .channel = world_channel,
	                                 .group = world_group,
	                                 .emoji = world_emoji,
	                                 .message = world_message };

#endif
