/*
 * Conversations to Mattermost channels: which channel each goes into, its name, type and members.
 *
 * Fact  docs/mattermost-facts.md "Channels"; fixtures/slack/mpim-of-nine, dm-self, general-renamed
 */
#ifndef IMPORT_LOAD_TARGET_H
#define IMPORT_LOAD_TARGET_H

#include "import/load/load.h"

/* A channel name of a team that is taken before the run (archived ones too). */
void targets_taken(struct load *l, uint32_t team, struct ark_str name);

/*
 * Make the targets of all conversations; sets slack_conv.target. People must have their ids.
 * Teams that this run makes get their town-square and off-topic.
 */
void targets_make(struct load *l);
/* FAIL REFUSED: the channel of --into-channel is archived, or open to people who could not read in Slack what
 * would come into it. */
enum ark_rc targets_usable(const struct load *l, struct ark_err *err);
void targets_release(struct load *l);

/* The name that `~name` mentions use in channels of `team` (TEAM_NONE: in direct ones); false for direct and
 * group channels, and for those of another team, which such a mention does not find. */
bool target_mention(const struct load *l, uint32_t team, uint32_t conv, struct ark_str *out);
/* What a channel of another team is called, where it cannot be mentioned. */
bool target_elsewhere(const struct load *l, uint32_t team, uint32_t conv, struct ark_str *out);
/* Team of the channel that a conversation goes into, TEAM_NONE for direct ones. */
uint32_t target_team(const struct load *l, uint32_t conv);
bool target_is_direct(const struct load_target *t);

#endif
