/*
 * The teams that a run writes to: the one of --team, or for an organisation one per workspace, called
 * after its folder or as --team-map says.
 */
#ifndef IMPORT_LOAD_TEAM_H
#define IMPORT_LOAD_TEAM_H

#include "import/load/load.h"

#define TEAM_NONE UINT32_MAX

/* Which they are. FAIL USAGE: a name that Mattermost does not take, two workspaces with one name that
 * nobody chose, an option that means one team; INPUT: --team-map names a workspace that is not there. */
enum ark_rc teams_plan(struct load *l, struct ark_err *err);
void teams_release(struct load *l);
/* One more that a channel of an earlier run is in, by its id; nothing when it is known. */
void teams_known(struct load *l, struct ark_str id, struct ark_str name);

/* Ids for teams that this run makes; all of them when `every`. */
void teams_make(struct load *l, bool every);
/* FAIL USAGE: one of those has a name that Mattermost does not take.
 * Fact  docs/mattermost-facts.md "Names" */
enum ark_rc teams_valid(const struct load *l, struct ark_err *err);
uint32_t team_by_id(const struct load *l, const char *id);
/* That of a conversation which is not direct, or TEAM_NONE. */
uint32_t team_of(const struct load *l, uint32_t conv);
/* Who belongs to it: active people of its lists, and every member of one of its channels.
 * `member` has room for everybody. */
void team_members(const struct load *l, uint32_t team, bool *member);

#endif
