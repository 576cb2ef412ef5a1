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

/* All of them. */
void rows_write(struct load *l, struct sink *s);

/* Gets an account: everybody in the lists, and of the others whoever is named anywhere. */
bool rows_account(const struct load *l, uint32_t person);
/* Is it a guest's? */
bool rows_guest(const struct load *l, const struct slack_person *p);
/* First and last name: Slack's own where both are there, else the real name cut at its first blank. */
void rows_names(const struct slack_person *p, struct ark_str *first, struct ark_str *last);
/* Slack's locale as one that Mattermost has a translation for. */
const char *rows_locale(struct ark_str locale);

#endif
