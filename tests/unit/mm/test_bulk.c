#include "common/mm/bulk.h"

#include "tests/harness/tap.h"

static struct ark_buf out;

static const struct mm_bulk_reading READ = { .msg_count = 7, .msg_count_root = 5, .last_viewed_ms = 1700 };

static void small_lines(void)
{
	ark_buf_reset(&out);
	mm_bulk_version(&out, "matter-import", "0.1.0", 0);
	mm_bulk_emoji(&out, &(struct mm_bulk_emoji){ ARK_LIT("party"), ARK_LIT("emoji/party.png") });
	mm_bulk_team(&out, &(struct mm_bulk_team){ .name = ARK_LIT("acme"), .display_name = ARK_LIT("A \"B\"") });
	mm_bulk_channel(&out, &(struct mm_bulk_channel){ .team = ARK_LIT("acme"), .name = ARK_LIT("dev"),
	                                                 .display_name = ARK_LIT("dev"), .is_private = true,
	                                                 .header = ARK_LIT(""), .deleted_ms = 12 });
	mm_bulk_bot(&out, &(struct mm_bulk_bot){ .username = ARK_LIT("bot"), .owner = ARK_LIT("x") });
	CHECK_STR(ark_buf_view(&out),
	          "{\"type\":\"version\",\"version\":1,\"info\":{\"generator\":\"matter-import\","
	          "\"version\":\"0.1.0\"}}\n"
	          "{\"type\":\"emoji\",\"emoji\":{\"name\":\"party\",\"image\":\"emoji/party.png\"}}\n"
	          "{\"type\":\"team\",\"team\":{\"name\":\"acme\",\"display_name\":\"A \\\"B\\\"\",\"type\":\"I\","
	          "\"allow_open_invite\":false}}\n"
	          "{\"type\":\"channel\",\"channel\":{\"team\":\"acme\",\"name\":\"dev\",\"display_name\":\"dev\","
	          "\"type\":\"P\",\"header\":\"\",\"deleted_at\":12}}\n"
	          "{\"type\":\"bot\",\"bot\":{\"username\":\"bot\",\"owner\":\"x\"}}\n");
}

static void people_carry_what_they_have_read(void)
{
	struct mm_bulk_in_channel channels[] = {
		{ .name = ARK_LIT("dev"), .admin = true, .favorite = true, .reading = READ },
		{ .name = ARK_LIT("ops"), .guest = true },
	};
	struct mm_bulk_in_team team = { .name = ARK_LIT("acme"), .channels = channels, .channels_count = 2 };
	ark_buf_reset(&out);
	mm_bulk_user(&out, &(struct mm_bulk_user){ .username = ARK_LIT("anna"), .email = ARK_LIT("a@b.example"),
	                                           .teams = &team, .teams_count = 1 });
	CHECK_STR(ark_buf_view(&out),
	          "{\"type\":\"user\",\"user\":{\"username\":\"anna\",\"email\":\"a@b.example\",\"teams\":["
	          "{\"name\":\"acme\",\"roles\":\"team_user\",\"channels\":[{\"name\":\"dev\",\"roles\":"
	          "\"channel_user channel_admin\",\"favorite\":true,\"msg_count\":7,\"msg_count_root\":5,"
	          "\"mention_count\":0,\"mention_count_root\":0,\"last_viewed_at\":1700},{\"name\":\"ops\","
	          "\"roles\":\"channel_guest\",\"msg_count\":0,\"msg_count_root\":0,\"mention_count\":0,"
	          "\"mention_count_root\":0,\"last_viewed_at\":0}]}]}}\n");
}

static void participants_keep_their_rights(void)
{
	struct mm_bulk_participant people[] = { { .username = ARK_LIT("anna"), .reading = READ },
		                                { .username = ARK_LIT("guest"), .guest = true } };
	struct ark_str shown = ARK_LIT("anna");
	ark_buf_reset(&out);
	mm_bulk_direct_channel(&out, &(struct mm_bulk_direct){ .people = people, .count = 2, .shown_by = &shown,
	                                                       .shown_count = 1 });
	CHECK_STR(ark_buf_view(&out),
	          "{\"type\":\"direct_channel\",\"direct_channel\":{\"participants\":[{\"username\":\"anna\","
	          "\"scheme_user\":true,\"scheme_guest\":false,\"msg_count\":7,\"msg_count_root\":5,"
	          "\"mention_count\":0,\"mention_count_root\":0,\"last_viewed_at\":1700},{\"username\":\"guest\","
	          "\"scheme_user\":false,\"scheme_guest\":true,\"msg_count\":0,\"msg_count_root\":0,"
	          "\"mention_count\":0,\"mention_count_root\":0,\"last_viewed_at\":0}],\"shown_by\":[\"anna\"]}}\n");
}

static void threads_are_put_together(void)
{
	struct mm_bulk_reaction early = { ARK_LIT("ben"), ARK_LIT("eyes"), 90 };
	struct ark_str file = ARK_LIT("F1/a.png");
	struct mm_bulk_follower follower = { ARK_LIT("anna"), 200, 0 };
	struct ark_str members[] = { ARK_LIT("anna"), ARK_LIT("ben") };
	ark_auto(ark_buf_release) struct ark_buf root;
	ark_auto(ark_buf_release) struct ark_buf reply;
	ark_buf_init(&root, 4096);
	ark_buf_init(&reply, 4096);
	mm_bulk_post_object(&root, &(struct mm_bulk_post){
		.user = ARK_LIT("anna"), .message = ARK_LIT("hi \xff"), .props = ARK_LIT("{\"a\":1}"), .create_ms = 100,
		.edit_ms = 150, .pinned = true, .reactions = &early, .reactions_count = 1 });
	mm_bulk_post_object(&reply, &(struct mm_bulk_post){ .user = ARK_LIT("ben"), .type = ARK_LIT("me"),
	                                                    .props = ARK_LIT("{}"), .create_ms = 101,
	                                                    .attachments = &file, .attachments_count = 1 });
	CHECK_STR(ark_buf_view(&reply), "{\"user\":\"ben\",\"type\":\"me\",\"message\":\"\",\"create_at\":101,"
	                                "\"attachments\":[{\"path\":\"F1/a.png\"}]}");
	ark_buf_reset(&out);
	mm_bulk_post_begin(&out, &(struct mm_bulk_place){ .team = ARK_LIT("acme"), .channel = ARK_LIT("dev") },
	                   ark_buf_view(&root));
	mm_bulk_post_reply(&out, true, ARK_LIT("{\"r\":1}"));
	mm_bulk_post_reply(&out, false, ARK_LIT("{\"r\":2}"));
	mm_bulk_post_end(&out, true, &follower, 1);
	mm_bulk_post_begin(&out, &(struct mm_bulk_place){ .members = members, .members_count = 2 },
	                   ARK_LIT("{\"x\":1}"));
	mm_bulk_post_end(&out, false, NULL, 0);
	CHECK_STR(ark_buf_view(&out),
	          "{\"type\":\"post\",\"post\":{\"team\":\"acme\",\"channel\":\"dev\",\"user\":\"anna\",\"message\":"
	          "\"hi \xef\xbf\xbd\",\"props\":{\"a\":1},\"create_at\":100,\"edit_at\":150,\"is_pinned\":true,"
	          "\"reactions\":[{\"user\":\"ben\",\"emoji_name\":\"eyes\",\"create_at\":100}],\"replies\":"
	          "[{\"r\":1},{\"r\":2}],\"thread_followers\":[{\"user\":\"anna\",\"last_viewed\":200,"
	          "\"unread_mentions\":0}]}}\n"
	          "{\"type\":\"direct_post\",\"direct_post\":{\"channel_members\":[\"anna\",\"ben\"],\"x\":1}}\n");
}

int main(void)
{
	ark_buf_init(&out, 1u << 20);
	TAP_RUN(small_lines);
	TAP_RUN(people_carry_what_they_have_read);
	TAP_RUN(participants_keep_their_rights);
	TAP_RUN(threads_are_put_together);
	ark_buf_release(&out);
	return tap_done();
}
