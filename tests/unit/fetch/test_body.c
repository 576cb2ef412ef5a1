/* Bodies: what is one and what is Slack's sign-in page, names in archives, names that are given. */
#include <stdlib.h>

#include "import/fetch/body.h"
#include "import/fetch/download.h"
#include "import/fetch/mime.h"
#include "import/slack/body.h"
#include "import/translate/file.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

static const char SIGN_IN[] = "<!DOCTYPE html>\n<html><title>Sign in</title><form data-qa=\"signin_form\">";

static const char *fault(const char *text, int64_t size, bool html)
{
	struct ark_err err = { 0 };
	ark_auto(body_release) struct body b;
	body_init(&b, "/tmp");
	CHECK_I64(body_add(&b, text, strlen(text), &err), ARK_OK);
	return body_fault(&b, size, html);
}

static void sign_in_pages_are_no_files(void)
{
	CHECK(fault(SIGN_IN, 4000, false) != NULL);
	CHECK(fault(SIGN_IN, 0, false) != NULL);
	CHECK(fault(SIGN_IN, 4000, true) != NULL); /* a canvas may be HTML, but not this */
	CHECK(fault("\xef\xbb\xbf  <HTML><body>x", 4000, false) != NULL);
	CHECK(fault("", 10, false) != NULL);
}

static void files_are_files(void)
{
	CHECK(fault("<html><p>Plan</p></html>", 20, true) == NULL);
	CHECK(fault("<html><p>Plan</p></html>", 24, false) == NULL); /* of exactly the size Slack says */
	CHECK(fault(SIGN_IN, (int64_t)sizeof(SIGN_IN) - 1, false) == NULL); /* somebody shared such a page */
	CHECK(fault("plain", 5, false) == NULL);
	CHECK(fault("plain", 999, false) == NULL); /* sizes of snippets are not reliable */
	CHECK(fault("", 0, false) == NULL);
	CHECK(fault("<htmlish", 4, true) == NULL);
}

static void a_large_body_is_whole(void)
{
	struct ark_err err = { 0 };
	struct ark_str all;
	char piece[1000];
	ark_auto(ark_buf_release) struct ark_buf whole;
	ark_auto(body_release) struct body b;
	ark_buf_init(&whole, 64u << 20);
	body_init(&b, getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	for (int round = 0; round < 2; round++) {
		body_reset(&b);
		ark_buf_reset(&whole);
		for (int i = 0; i < (round == 0 ? 9000 : 10); i++) {
			memset(piece, 'a' + i % 26, sizeof(piece));
			CHECK_I64(body_add(&b, piece, sizeof(piece), &err), ARK_OK);
			ark_buf_add(&whole, piece, sizeof(piece));
		}
		CHECK_I64(body_map(&b, &all, &err), ARK_OK);
		CHECK(ark_str_eq(all, ark_buf_view(&whole)));
		struct ark_body as = body_whole(&b);
		CHECK_I64(as.len, whole.len);
	}
}

static void whose_body_an_entry_is(void)
{
	struct ark_str id = ARK_LIT("");
	CHECK(slack_body_id(ARK_LIT("__uploads/F0A1/x.png"), &id));
	CHECK_STR(id, "F0A1");
	CHECK(slack_body_id(ARK_LIT("top/dev/attachments/F0B2-a b.txt"), &id));
	CHECK_STR(id, "F0B2");
	CHECK(slack_body_id(ARK_LIT("a/b/__uploads/F0C3/n"), &id));
	CHECK_STR(id, "F0C3");
	static const char *const NONE[] = { "__uploads/F0A1", "__uploads/F0A1/", "__uploads//x", "x__uploads/F0A1/x",
		                            "attachments/F0B2-x", "dev/attachments/F0B2", "dev/attachments/-x",
		                            "__uploads/F0A1/x/y", "__uploads/F 1/x", "dev/2023-01-01.json" };
	for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++)
		CHECK(!slack_body_id(ark_str_z(NONE[i]), &id));
	CHECK(slack_avatar_id(ARK_LIT("__avatars/U0X/pic.jpg"), &id));
	CHECK_STR(id, "U0X");
}

static void tokens_go_to_slack_only(void)
{
	static const char *const YES[] = { "https://files.slack.com/files-pri/T-F/x.png", "https://slack-files.com/T-F",
		                           "https://a.slack-edge.com/x", "https://files.slack-gov.com/x" };
	static const char *const NO[] = { "http://files.slack.com/x", "https://files.slack.com.evil.example/x",
		                          "https://evil.example/files.slack.com/x", "https://slack.com@evil.example/",
		                          "https://files.slack.com@evil.example/x", "https://xfiles.slack.com/", "",
		                          "https://evil-slack-edge.com/x", "file:///etc/passwd" };
	for (size_t i = 0; i < sizeof(YES) / sizeof(YES[0]); i++)
		CHECK(download_is_slack(ark_str_z(YES[i])));
	for (size_t i = 0; i < sizeof(NO) / sizeof(NO[0]); i++)
		CHECK(!download_is_slack(ark_str_z(NO[i])));
}

static void the_token_of_an_export(void)
{
	struct slack_token t = { 0 };
	CHECK(slack_token_find(ARK_LIT("\"https:\\/\\/files.slack.com\\/x?t=xoxe-123-abcdef\","), &t));
	CHECK_STR(ark_str_z(t.parameter), "t");
	CHECK_STR(ark_str_z(t.value), "xoxe-123-abcdef");
	CHECK(slack_token_find(ARK_LIT("x?token=xoxe-9-zzzzzzzzz&a=1"), &t));
	CHECK_STR(ark_str_z(t.parameter), "token");
	CHECK_STR(ark_str_z(t.value), "xoxe-9-zzzzzzzzz");
	CHECK(!slack_token_find(ARK_LIT("somebody wrote =xox and text=xoxe-1-abcdefgh"), &t));
	CHECK(!slack_token_find(ARK_LIT("?t=xo"), &t));
}

static void names_are_fit_for_a_folder(void)
{
	static const char *const CASES[][2] = {
		{ "plan.pdf", "plan.pdf" },   { "../../etc/passwd", ".._.._etc_passwd" }, { "..", "F1" }, { " ", "F1" },
		{ "a\nb\x7f.txt", "ab.txt" }, { "a\\b", "a_b" },
		{ "\xe2\x80\xaegpj.exe", "gpj.exe" }, { "u\xcc\x88.txt", "\xc3\xbc.txt" },
		{ "xoxb-1234567 plan.pdf", "plan.pdf" }, { "..xoxb-1234567", "F1" },
		{ "xo\x01xb-1234567.md", ".md" }, { "xoxb-1234\xc3\xa9\xc2\xa9", "\xc3\xa9\xc2\xa9" },
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		ark_auto(ark_buf_release) struct ark_buf out;
		ark_buf_init(&out, 4096);
		file_name_clean(ark_str_z(CASES[i][0]), ARK_LIT("F1"), &out);
		CHECK_STR(ark_buf_view(&out), CASES[i][1]);
	}
	char large[600];
	memset(large, 'x', sizeof(large));
	memcpy(large + sizeof(large) - 4, ".pdf", 4);
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, 4096);
	file_name_clean(ark_str_n(large, sizeof(large)), ARK_LIT("F1"), &out);
	CHECK_I64(out.len, FILE_NAME_BYTES);
	CHECK(ark_str_ends(ark_buf_view(&out), ARK_LIT("x.pdf")));
}

static void what_is_made_of_an_image_lies_beside_it(void)
{
	static const struct {
		const char *path, *type, *want;
	} CASES[] = { { "a/b.c/pic.JPG", "image/jpeg", "a/b.c/pic_thumb.jpg" },
		      { "a/b.c/pic", "image/png", "a/b.c/pic_thumb.png" },
		      { "a/x.tar.webp", "image/webp", "a/x.tar_thumb.jpg" } };
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		ark_auto(ark_buf_release) struct ark_buf out;
		ark_buf_init(&out, 4096);
		mime_beside(ark_str_z(CASES[i].path), "_thumb", ark_str_z(CASES[i].type), &out);
		CHECK_STR(ark_buf_view(&out), CASES[i].want);
	}
	CHECK_STR(mime_type(ARK_LIT("png"), ARK_LIT("x/y")), "image/png");
	CHECK_STR(mime_type(ARK_LIT("zzz"), ARK_LIT("x/y")), "x/y");
}

int main(void)
{
	TAP_RUN(sign_in_pages_are_no_files);
	TAP_RUN(files_are_files);
	TAP_RUN(a_large_body_is_whole);
	TAP_RUN(whose_body_an_entry_is);
	TAP_RUN(tokens_go_to_slack_only);
	TAP_RUN(the_token_of_an_export);
	TAP_RUN(names_are_fit_for_a_folder);
	TAP_RUN(what_is_made_of_an_image_lies_beside_it);
	return tap_done();
}
