/*
 * The rows of people, channels and memberships, written when all messages were read and everything
 * about them is known.
 *
 * Fact  docs/mattermost-facts.md "Users", "Teams", "Channels", "Members", "Preferences"
 */
#ifndef IMPORT_LOAD_ROWS_H
#define IMPORT_LOAD_ROWS_H

#include "import/load/load.h"
#include "import/load/sink.h"

/* All of them. `new_team`: the team's own row and its default channels too. */
void rows_write(struct load *l, struct sink *s, bool new_team);

#endif
