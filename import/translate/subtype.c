#include "import/translate/subtype.h"

#include "common/base/banned.h"

#define NAME(n) { n, sizeof(n) - 1 }
#define TEXT(n) { NAME(n), RULE_TEXT, EVENT_NONE, SKIP_NONE }
#define EVENT(n, e) { NAME(n), RULE_EVENT, e, SKIP_NONE }
#define SKIP(n, s) { NAME(n), RULE_SKIP, EVENT_NONE, s }

static const struct subtype SUBTYPES[] = {
	{ NAME("bot_message"), RULE_BOT, EVENT_NONE, SKIP_NONE },
	{ NAME("file_share"), RULE_FILE_SHARE, EVENT_NONE, SKIP_NONE },
	{ NAME("file_comment"), RULE_FILE_COMMENT, EVENT_NONE, SKIP_NONE },
	{ NAME("file_reply"), RULE_FILE_COMMENT, EVENT_NONE, SKIP_NONE },
	{ NAME("tombstone"), RULE_TOMBSTONE, EVENT_NONE, SKIP_NONE },
	{ NAME("reply_broadcast"), RULE_REPLY_BROADCAST, EVENT_NONE, SKIP_NONE },
	{ NAME("huddle_thread"), RULE_HUDDLE, EVENT_NONE, SKIP_NONE },
	TEXT("thread_broadcast"),
	TEXT("file_mention"),
	TEXT("slackbot_response"),
	TEXT("sh_room_created"),
	TEXT("canvas_sharing_message"),
	TEXT("document_comment_root"),
	TEXT("document_mention"),
	TEXT("assistant_app_thread"),
	TEXT("ekm_access_denied"),
	TEXT("share_shortcut"),
	TEXT("slack_image"),
	TEXT("slack_video"),
	TEXT("slack_audio"),
	TEXT("shared_canvas"),
	TEXT("list_record_comment"),
	TEXT("welcome_party"),
	EVENT("channel_tab_added", EVENT_GENERIC),
	EVENT("me_message", EVENT_ME),
	EVENT("channel_join", EVENT_JOIN),
	EVENT("group_join", EVENT_JOIN),
	EVENT("channel_leave", EVENT_LEAVE),
	EVENT("group_leave", EVENT_LEAVE),
	EVENT("app_conversation_join", EVENT_JOIN),
	EVENT("app_conversation_leave", EVENT_LEAVE),
	EVENT("channel_topic", EVENT_TOPIC),
	EVENT("group_topic", EVENT_TOPIC),
	EVENT("channel_purpose", EVENT_PURPOSE),
	EVENT("group_purpose", EVENT_PURPOSE),
	EVENT("channel_name", EVENT_NAME),
	EVENT("group_name", EVENT_NAME),
	EVENT("channel_archive", EVENT_ARCHIVE),
	EVENT("group_archive", EVENT_ARCHIVE),
	EVENT("channel_unarchive", EVENT_UNARCHIVE),
	EVENT("group_unarchive", EVENT_UNARCHIVE),
	EVENT("channel_convert_to_private", EVENT_PRIVACY),
	EVENT("channel_convert_to_public", EVENT_PRIVACY),
	EVENT("channel_posting_permissions", EVENT_GENERIC),
	EVENT("pinned_item", EVENT_GENERIC),
	EVENT("unpinned_item", EVENT_GENERIC),
	EVENT("reminder_add", EVENT_GENERIC),
	EVENT("bot_add", EVENT_GENERIC),
	EVENT("bot_remove", EVENT_GENERIC),
	EVENT("bot_enable", EVENT_GENERIC),
	EVENT("bot_disable", EVENT_GENERIC),
	EVENT("bot_profile_changed", EVENT_GENERIC),
	EVENT("emoji_changed", EVENT_GENERIC),
	SKIP("message_changed", SKIP_LOG_ENTRY),
	SKIP("message_deleted", SKIP_LOG_ENTRY),
	SKIP("message_replied", SKIP_LOG_ENTRY),
	SKIP("file_created", SKIP_LOG_ENTRY),
	SKIP("file_changed", SKIP_LOG_ENTRY),
	SKIP("file_deleted", SKIP_LOG_ENTRY),
	SKIP("file_shared", SKIP_LOG_ENTRY),
	SKIP("file_unshared", SKIP_LOG_ENTRY),
	SKIP("file_public", SKIP_LOG_ENTRY),
	SKIP("group_open", SKIP_NO_COUNTERPART),
	SKIP("group_close", SKIP_NO_COUNTERPART),
	SKIP("reminder_delete", SKIP_NO_COUNTERPART),
	SKIP("sh_room_shared", SKIP_NO_COUNTERPART),
	SKIP("sh_room_updated", SKIP_NO_COUNTERPART),
	SKIP("document_unfurl", SKIP_NO_COUNTERPART),
	SKIP("joiner_notification", SKIP_NO_COUNTERPART),
	SKIP("joiner_notification_for_inviter", SKIP_NO_COUNTERPART),
	SKIP("channel_canvas_updated", SKIP_CANVAS_UPDATE),
	SKIP("tabbed_canvas_updated", SKIP_CANVAS_UPDATE),
};

static const struct subtype NONE = { NAME(""), RULE_TEXT, EVENT_NONE, SKIP_NONE };

const struct subtype *subtype_find(struct ark_str name)
{
	if (name.len == 0)
		return &NONE;
	for (size_t i = 0; i < sizeof(SUBTYPES) / sizeof(SUBTYPES[0]); i++)
		if (ark_str_eq(name, SUBTYPES[i].name))
			return &SUBTYPES[i];
	/* Slack Connect's notices come in families */
	if (ark_str_starts(name, ARK_LIT("shared_channel_")) ||
	    ark_str_starts(name, ARK_LIT("connected_team_")) ||
	    ark_str_starts(name, ARK_LIT("channel_shared_invite_"))) {
		static const struct subtype NOTICE = EVENT("notice", EVENT_GENERIC);
		return &NOTICE;
	}
	return &NONE;
}
