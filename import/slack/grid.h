/*
 * The export of a whole Enterprise Grid organisation: `teams/<folder>/` holds an ordinary export of each
 * workspace, conversations that several of them share lie beside `teams/`. Which workspace is which, and
 * which conversation belongs to which.
 *
 * Fact  docs/slack-quirks.md "Organisations"; fixtures/slack/grid-*
 */
#ifndef IMPORT_SLACK_GRID_H
#define IMPORT_SLACK_GRID_H

#include "import/slack/export.h"

void slack_grid_release(struct slack_export *x);

/* Length of "teams/<folder>/" at the beginning of `rel`, 0 when there is none; `folder` borrows. */
size_t slack_grid_scope(struct ark_str rel, struct ark_str *folder);
/* Number of the workspace of a folder, made when it is new; 0 when there are too many. */
uint32_t slack_grid_workspace(struct slack_export *x, struct ark_str folder);
/* What is read from now on belongs to that workspace; 0: to none. */
void slack_grid_enter(struct slack_export *x, uint32_t workspace);
/* Somebody in the list of users that is being read. */
void slack_grid_user(struct slack_export *x, uint32_t person, struct json_val user);

/*
 * Decide slack_workspace.team and slack_conv.home, behind slack_export_open. A workspace is what most of
 * its active members say, else its first message, else most of all members. A conversation below one
 * workspace alone is that one's; a shared one is that of its first message with a `team`, else of the
 * first workspace (by folder) that lists it. Reads day files of what the lists do not decide.
 * Who is in several lists is deactivated when all of them say so, and a guest when all those say so in which
 * they are not.
 * tick  may be NULL; something else than OK from it ends it
 */
enum ark_rc slack_grid_settle(struct slack_export *x,
                              enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes,
                                                  struct ark_err *err),
                              void *ctx, struct ark_err *err);

/* Id of the organisation, "E…"; where nobody's entry tells, the smallest id of its workspaces, or none. */
struct ark_str slack_grid_org(const struct slack_export *x);

#endif
