/*
 * A world in which every id is known, for the targets of the text translation.
 */
#ifndef ARK_TESTS_FUZZ_WORLD_H
#define ARK_TESTS_FUZZ_WORLD_H

#include "import/translate/text.h"

static bool fuzz_name(void *ctx, struct ark_str id, struct ark_str *out)
{
	(void)ctx;
	(void)id;
	*out = ARK_LIT("some-name");
	return true;
}

static bool fuzz_emoji(void *ctx, struct ark_str name, struct ark_str *out)
{
	(void)ctx;
	*out = ARK_LIT("own");
	return name.len == 3;
}

static bool fuzz_message(void *ctx, struct ark_str channel, struct ark_str ts, struct ark_str *out)
{
	(void)ctx;
	(void)ts;
	*out = ARK_LIT("https://mm.example.org/t/pl/x");
	return channel.len == 2;
}

static const struct text_world FUZZ_WORLD = { .user = fuzz_name,
	                                      .channel = fuzz_name,
	                                      .group = fuzz_name,
	                                      .emoji = fuzz_emoji,
	                                      .message = fuzz_message };

/* The most that a byte of input becomes: an entity and U+200B, or a date token. */
#define FUZZ_GROWTH 12

#endif
