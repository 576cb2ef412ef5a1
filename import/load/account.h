/*
 * People to Mattermost accounts: user names, ids, e-mail addresses, and which account was there
 * before. Existing accounts are only found, never changed.
 *
 * Fact  docs/mattermost-facts.md "Users"
 */
#ifndef IMPORT_LOAD_ACCOUNT_H
#define IMPORT_LOAD_ACCOUNT_H

#include "import/load/load.h"

/* An account of the database before the run. */
struct account_row {
	struct ark_str id, username, email, roles;
	bool active;
};
/* Before the first accounts_known: look up people by address. */
void accounts_index(struct load *l);
/* Make it known: its names are taken. Strings are copied. */
void accounts_known(struct load *l, const struct account_row *row);

/*
 * Give an id and a user name to everybody in the export's lists: first those whose account was found
 * by e-mail, then active people, then the others, each group in the order of their Slack ids, so that
 * names come out the same on every run. From then on whoever turns up in a message gets them at once.
 */
void accounts_assign(struct load *l);
/* Names of strangers that were found meanwhile: gives them their final user names. `changed` is told
 * of each person whose user name is another one now. */
void accounts_settle(struct load *l, void (*changed)(void *ctx, uint32_t person, struct ark_str old),
                     void *ctx);
/* The address of a person's new account; appended to `out`. */
void account_email(struct load *l, uint32_t person, struct ark_buf *out);
/* True for people who get a new account that can be used. */
bool account_active(const struct load *l, uint32_t person);

#endif
