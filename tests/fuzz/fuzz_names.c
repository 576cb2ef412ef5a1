/* Any text as a name: what comes out is one that Mattermost takes. */
#include "common/base/limits.h"
#include "common/base/utf8.h"
#include "import/translate/names.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static bool only(struct ark_str s, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr(more, c) != NULL)))
			return false;
	}
	return s.len > 0;
}

static bool hex_40(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr("0123456789abcdef", s.ptr[i]) == NULL)
			return false;
	return s.len == 40;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str id = ARK_LIT("C0ABC12345");
	ark_auto(ark_buf_release) struct ark_buf clean = { 0 };
	ark_auto(ark_buf_release) struct ark_buf user = { 0 };
	ark_auto(ark_buf_release) struct ark_buf channel = { 0 };
	ark_auto(ark_buf_release) struct ark_buf more = { 0 };
	ark_buf_init(&clean, 1u << 20);
	ark_buf_init(&user, 1u << 20);
	ark_buf_init(&channel, 1u << 20);
	ark_buf_init(&more, 1u << 20);
	ark_utf8_clean(&clean, ark_str_n((const char *)data, size));
	struct ark_str name = ark_buf_view(&clean);

	name_user(name, id, &user);
	FUZZ_CLAIM(only(ark_buf_view(&user), "._-") && user.len <= MM_USERNAME_BYTES);
	name_user_numbered(ark_buf_view(&user), 31, &more);
	FUZZ_CLAIM(only(ark_buf_view(&more), "._-") && more.len <= MM_USERNAME_BYTES);
	FUZZ_CLAIM(!ark_str_eq(ark_buf_view(&more), ark_buf_view(&user)) || user.len >= 2);

	name_channel(name, id, &channel);
	struct ark_str c = ark_buf_view(&channel);
	FUZZ_CLAIM(only(c, "_-") && c.len <= MM_CHANNEL_NAME_BYTES && c.ptr[0] != '_' && c.ptr[0] != '-');
	FUZZ_CLAIM(!hex_40(c));
	ark_buf_reset(&more);
	name_channel_with_id(c, id, &more);
	FUZZ_CLAIM(only(ark_buf_view(&more), "_-") && more.len <= MM_CHANNEL_NAME_BYTES);
	FUZZ_CLAIM(ark_str_ends(ark_buf_view(&more), ARK_LIT("abc12345")));

	ark_buf_reset(&more);
	name_shown(name, MM_CHANNEL_DISPLAY_RUNES, &more);
	FUZZ_CLAIM(ark_utf8_valid(ark_buf_view(&more)));
	FUZZ_CLAIM(ark_utf8_runes(ark_buf_view(&more)) <= MM_CHANNEL_DISPLAY_RUNES);
	return 0;
}
