/* Emoji names: what Mattermost knows, what it calls otherwise, what it does not have. */
#include "import/translate/emoji.h"
#include "tests/harness/tap.h"

#include <stdio.h>
#include <stdlib.h>

static struct ark_buf out, as_name;

static enum emoji_kind tr(const char *name)
{
	ark_buf_reset(&out);
	ark_buf_reset(&as_name);
	return emoji_translate(ark_str_z(name), &out, &as_name);
}

#define SYSTEM(slack, want)                                                                        \
	do {                                                                                       \
		CHECK_I64(tr(slack), EMOJI_SYSTEM);                                                \
		CHECK_STR(ark_buf_view(&out), want);                                               \
	} while (0)

static void every_name_of_the_list_is_known(void)
{
	char path[1000], line[200];
	const char *root = getenv("ARK_SOURCE_ROOT");
	snprintf(path, sizeof(path), "%s/common/mm/emoji-names.txt", root ? root : ".");
	FILE *f = fopen(path, "r");
	CHECK(f != NULL);
	int n = 0;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, " \n")] = '\0';
		CHECK(emoji_is_system(ark_str_z(line)));
		n++;
	}
	if (f != NULL)
		fclose(f);
	CHECK_I64(n, 4464);
}

static void what_is_not_in_the_list_is_not_known(void)
{
	CHECK(!emoji_is_system(ARK_LIT("simple_smile")));
	CHECK(!emoji_is_system(ARK_LIT("melting_face")));
	CHECK(!emoji_is_system(ARK_LIT("nope_emoji")));
	CHECK(!emoji_is_system(ARK_LIT("+1:")));
	CHECK(!emoji_is_system(ARK_LIT("")));
	CHECK(!emoji_is_system(ARK_STR_NONE));
}

static void names_without_a_difference_stay(void)
{
	SYSTEM("smile", "smile");
	SYSTEM("+1", "+1");
	SYSTEM("flag-de", "flag-de");
	SYSTEM("white_check_mark", "white_check_mark");
}

static void slacks_own_names_are_mapped(void)
{
	SYSTEM("simple_smile", "slightly_smiling_face");
	SYSTEM("thumbsup_all", "+1");
	SYSTEM("white_square", "white_large_square");
	SYSTEM("black_square", "black_large_square");
	SYSTEM("men-with-bunny-ears-partying", "man-with-bunny-ears-partying");
}

static void skin_tones_become_suffixes(void)
{
	SYSTEM("wave::skin-tone-2", "wave_light_skin_tone");
	SYSTEM("wave::skin-tone-3", "wave_medium_light_skin_tone");
	SYSTEM("wave::skin-tone-4", "wave_medium_skin_tone");
	SYSTEM("wave::skin-tone-5", "wave_medium_dark_skin_tone");
	SYSTEM("+1::skin-tone-6", "+1_dark_skin_tone");
}

static void tones_that_do_not_exist_are_dropped(void)
{
	SYSTEM("handshake::skin-tone-2", "handshake");
	SYSTEM("people_holding_hands::skin-tone-2-3", "people_holding_hands");
	SYSTEM("wave::skin-tone-9", "wave");
	SYSTEM("wave::skin-tone-", "wave");
	SYSTEM("tada::skin-tone-3", "tada");
}

static void newer_emoji_are_characters(void)
{
	CHECK_I64(tr("melting_face"), EMOJI_UNICODE);
	CHECK_STR(ark_buf_view(&out), "🫠");
	CHECK_STR(ark_buf_view(&as_name), "melting_face");
	CHECK_I64(tr("heart_on_fire"), EMOJI_UNICODE);
	CHECK_STR(ark_buf_view(&out), "❤️‍🔥");
	CHECK_I64(tr("heart_hands::skin-tone-3"), EMOJI_UNICODE);
	CHECK_STR(ark_buf_view(&out), "🫶");
	CHECK_STR(ark_buf_view(&as_name), "heart_hands");
	CHECK_I64(tr("flag-sark"), EMOJI_UNICODE);
	CHECK_STR(ark_buf_view(&out), "🇨🇶");
	CHECK_I64(emoji_translate(ARK_LIT("x-ray"), &out, NULL), EMOJI_UNICODE);
}

static void own_emoji_keep_names_that_are_valid(void)
{
	CHECK_I64(tr("shipit"), EMOJI_CUSTOM);
	CHECK_STR(ark_buf_view(&out), "shipit");
	CHECK_I64(tr("party-parrot_2+"), EMOJI_CUSTOM);
	CHECK_STR(ark_buf_view(&out), "party-parrot_2+");
	CHECK_I64(tr("ShipIt"), EMOJI_CUSTOM);
	CHECK_STR(ark_buf_view(&out), "shipit");
}

static void other_names_get_a_stable_one(void)
{
	static const char *const odd[] = {
		"リハテスト", "it's",
		"a b",        "",
		"été",        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};
	char before[6][80];
	for (size_t i = 0; i < 6; i++) {
		CHECK_I64(tr(odd[i]), EMOJI_CUSTOM);
		CHECK(out.len >= 1 && out.len <= 64);
		CHECK_I64(strspn(out.data, "abcdefghijklmnopqrstuvwxyz0123456789_+-"), out.len);
		snprintf(before[i], sizeof(before[i]), "%s", out.data);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(before[i], before[k]) != 0);
		tr(odd[i]);
		CHECK_STR(ark_buf_view(&out), before[i]);
	}
	/* Changing this renames what earlier runs wrote. */
	tr("リハテスト");
	CHECK_STR(ark_buf_view(&out), "emoji_7f3475ab682ea9f4");
}

int main(void)
{
	ark_buf_init(&out, 1000);
	ark_buf_init(&as_name, 1000);
	TAP_RUN(every_name_of_the_list_is_known);
	TAP_RUN(what_is_not_in_the_list_is_not_known);
	TAP_RUN(names_without_a_difference_stay);
	TAP_RUN(slacks_own_names_are_mapped);
	TAP_RUN(skin_tones_become_suffixes);
	TAP_RUN(tones_that_do_not_exist_are_dropped);
	TAP_RUN(newer_emoji_are_characters);
	TAP_RUN(own_emoji_keep_names_that_are_valid);
	TAP_RUN(other_names_get_a_stable_one);
	ark_buf_release(&out);
	ark_buf_release(&as_name);
	return tap_done();
}
