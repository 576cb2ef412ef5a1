/* Names that Mattermost accepts. */
#include "common/base/utf8.h"
#include "import/translate/names.h"
#include "tests/harness/tap.h"

static char seen[600];

static struct ark_str keep(struct ark_buf *b)
{
	size_t n = b->len < sizeof(seen) ? b->len : sizeof(seen);
	memcpy(seen, b->data, n);
	ark_buf_release(b);
	return ark_str_n(seen, n);
}

static struct ark_str user(const char *name)
{
	struct ark_buf b;
	ark_buf_init(&b, 1000);
	name_user(ark_str_z(name), ARK_LIT("U0AB1"), &b);
	return keep(&b);
}

static struct ark_str channel(const char *name)
{
	struct ark_buf b;
	ark_buf_init(&b, 1000);
	name_channel(ark_str_z(name), ARK_LIT("C0123ABCDEF"), &b);
	return keep(&b);
}

static struct ark_str numbered(const char *base, unsigned n)
{
	struct ark_buf b;
	ark_buf_init(&b, 1000);
	name_user_numbered(ark_str_z(base), n, &b);
	return keep(&b);
}

static struct ark_str with_id(const char *base, const char *id)
{
	struct ark_buf b;
	ark_buf_init(&b, 1000);
	name_channel_with_id(ark_str_z(base), ark_str_z(id), &b);
	return keep(&b);
}

static struct ark_str shown(struct ark_str name, size_t runes)
{
	struct ark_buf b;
	ark_buf_init(&b, 1000);
	name_shown(name, runes, &b);
	return keep(&b);
}

#define TEN   "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void user_names_keep_dots_dashes_underscores(void)
{
	CHECK_STR(user("Bob.Smith-Jones_2"), "bob.smith-jones_2");
}

static void user_names_become_ascii(void)
{
	CHECK_STR(user("Zoë Ærø"), "zoe-aero");
	CHECK_STR(user("a  &  b"), "a-b");
	CHECK_STR(user("--x--"), "x");
}

static void user_without_any_ascii_is_the_id(void)
{
	CHECK_STR(user("日本"), "u0ab1");
	CHECK_STR(user(""), "u0ab1");
	CHECK_STR(user("🎉🎉"), "u0ab1");
	CHECK_STR(user("._."), "u0ab1");
	struct ark_buf b;
	ark_buf_init(&b, 100);
	name_user(ARK_STR_NONE, ARK_STR_NONE, &b);
	CHECK_STR(keep(&b), "user");
}

static void reserved_user_names_get_a_number(void)
{
	CHECK_STR(user("all"), "all-1");
	CHECK_STR(user("Channel"), "channel-1");
	CHECK_STR(user("matterbot"), "matterbot-1");
	CHECK_STR(user("system"), "system-1");
	CHECK_STR(user("here"), "here-1");
	CHECK_STR(user("allan"), "allan");
}

static void user_names_are_cut_to_64_bytes(void)
{
	CHECK_STR(user(SIXTY TEN), SIXTY "abcd");
	CHECK_STR(user(SIXTY "abc-def"), SIXTY "abc");
	CHECK_STR(numbered(SIXTY "abcd", 2), SIXTY "ab-2");
	CHECK_STR(numbered(SIXTY "abcd", 1000), TEN TEN TEN TEN TEN "abcdefghi-1000");
}

static void numbers_go_behind(void)
{
	CHECK_STR(numbered("bob", 2), "bob-2");
	CHECK_STR(numbered("bob", 13), "bob-13");
}

static void channel_names_follow_the_rule(void)
{
	CHECK_STR(channel("General"), "general");
	CHECK_STR(channel("-dev_"), "dev");
	CHECK_STR(channel("__x"), "x");
	CHECK_STR(channel("über-uns"), "uber-uns");
	CHECK_STR(channel("a.b c"), "a-b-c");
	CHECK_STR(channel("foo_bar"), "foo_bar");
	CHECK_STR(channel("x"), "x");
	CHECK_STR(channel("mpdm-alice--bob--carol-1"), "mpdm-alice-bob-carol-1");
}

static void channel_without_any_ascii_is_the_id(void)
{
	CHECK_STR(channel("雑談"), "c0123abcdef");
	CHECK_STR(channel("---"), "c0123abcdef");
	CHECK_STR(channel(""), "c0123abcdef");
}

static void channel_names_are_cut_to_64_bytes(void)
{
	CHECK_STR(channel(SIXTY TEN), SIXTY "abcd");
	CHECK_STR(channel(SIXTY "abc-_-def"), SIXTY "abc");
}

static void channel_names_never_look_like_group_or_direct(void)
{
	CHECK_STR(channel("0123456789abcdef0123456789abcdef01234567"),
		  "0123456789abcdef0123456789abcdef01234567-23abcdef");
	CHECK_STR(channel("0123456789abcdef0123456789abcdef0123456g"),
		  "0123456789abcdef0123456789abcdef0123456g");
	CHECK_STR(channel("abcdefghijabcdefghijabcdef__abcdefghijabcdefghijabcdef"),
		  "abcdefghijabcdefghijabcdef__abcdefghijabcdefghijabcdef-23abcdef");
	CHECK_STR(channel("abcdefghijabcdefghijabcde__abcdefghijabcdefghijabcdef"),
		  "abcdefghijabcdefghijabcde__abcdefghijabcdefghijabcdef");
}

static void colliding_channel_names_get_the_id(void)
{
	CHECK_STR(with_id("dev", "C0123ABCDEF"), "dev-23abcdef");
	CHECK_STR(with_id("dev", "C1"), "dev-c1");
	CHECK_STR(with_id(SIXTY, "C0123ABCDEF"), TEN TEN TEN TEN TEN "abcde-23abcdef");
	CHECK_STR(with_id(TEN TEN TEN TEN TEN "abc--x", "C0123ABCDEF"),
		  TEN TEN TEN TEN TEN "abc-23abcdef");
}

static void team_names_come_from_folders(void)
{
	static const char *const PAIRS[][2] = { { "Acme Ltd", "acme-ltd" }, { "--a_b  (c)--", "a-b-c" },
		                                { "Café Zürich", "cafe-zurich" }, { "公司", "" } };
	for (size_t i = 0; i < sizeof(PAIRS) / sizeof(PAIRS[0]); i++) {
		ark_auto(ark_buf_release) struct ark_buf name;
		ark_buf_init(&name, 4096);
		name_team(ark_str_z(PAIRS[i][0]), &name);
		CHECK_STR(ark_buf_view(&name), PAIRS[i][1]);
	}
}

static void team_names_are_judged_as_the_server_does(void)
{
	CHECK(name_team_valid(ARK_LIT("acme")));
	CHECK(name_team_valid(ARK_LIT("a1")));
	CHECK(name_team_valid(ARK_LIT("a-b-2")));
	CHECK(name_team_valid(ARK_LIT("a__b")));
	CHECK(name_team_valid(ARK_LIT(SIXTY "abcd")));
	CHECK(!name_team_valid(ARK_LIT("a")));
	CHECK(!name_team_valid(ARK_LIT("")));
	CHECK(!name_team_valid(ARK_LIT(SIXTY "abcde")));
	CHECK(!name_team_valid(ARK_LIT("Acme")));
	CHECK(!name_team_valid(ARK_LIT("-ab")));
	CHECK(!name_team_valid(ARK_LIT("ab-")));
	CHECK(!name_team_valid(ARK_LIT("a_b")));
	CHECK(!name_team_valid(ARK_LIT("a__b__c")));
	CHECK(!name_team_valid(ARK_LIT("a-b__c")));
	CHECK(!name_team_valid(ARK_LIT("a b")));
	CHECK(!name_team_valid(ARK_LIT("api")));
	CHECK(!name_team_valid(ARK_LIT("poster")));
	CHECK(!name_team_valid(ARK_LIT("filesystem")));
}

static void shown_names_lose_what_the_server_drops(void)
{
	CHECK_STR(shown(ARK_LIT("  Ann\t\xe2\x80\xaeX\xef\xbb\xbf Lee \n"), 64), "Ann X Lee");
	CHECK_STR(shown(ARK_LIT("a\x01"
				"b\x7f"),
			64),
		  "ab");
	CHECK_STR(shown(ARK_LIT("äöüß"), 3), "äöü");
	CHECK_STR(shown(ARK_LIT("ab cd"), 3), "ab");
	CHECK_STR(shown(ARK_LIT(" \xe2\x80\xae "), 3), "");
}

int main(void)
{
	TAP_RUN(user_names_keep_dots_dashes_underscores);
	TAP_RUN(user_names_become_ascii);
	TAP_RUN(user_without_any_ascii_is_the_id);
	TAP_RUN(reserved_user_names_get_a_number);
	TAP_RUN(user_names_are_cut_to_64_bytes);
	TAP_RUN(numbers_go_behind);
	TAP_RUN(channel_names_follow_the_rule);
	TAP_RUN(channel_without_any_ascii_is_the_id);
	TAP_RUN(channel_names_are_cut_to_64_bytes);
	TAP_RUN(channel_names_never_look_like_group_or_direct);
	TAP_RUN(colliding_channel_names_get_the_id);
	TAP_RUN(team_names_come_from_folders);
	TAP_RUN(team_names_are_judged_as_the_server_does);
	TAP_RUN(shown_names_lose_what_the_server_drops);
	return tap_done();
}
