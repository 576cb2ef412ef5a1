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
	struct ark_str id, username, email, roles, authdata;
	bool active, bot;
};
/* Before the first accounts_known: look up people by address and by the map. */
void accounts_index(struct load *l);
/* Make it known: its names are taken. It becomes the account of those whom the map gives it, else of the
 * person with its address; bots' accounts never, deactivated and administrators' only by the map. Strings
 * are copied. */
void accounts_known(struct load *l, const struct account_row *row);

/*
 * Give an id and a user name to everybody in the export's lists: first those whose account was found
 * by e-mail, then active people, then the others, each group in the order of their Slack ids, so that
 * names come out the same on every run. From then on whoever turns up in a message gets them at once.
 */
void accounts_assign(struct load *l);
/* What the map says of a Slack id, or NULL. */
struct mapfile_row *account_wish(const struct load *l, struct ark_str key);
/* ASCII letters as small ones; appended. */
void account_lower(struct ark_buf *out, struct ark_str s);
/* Everybody as accounts_assign takes them; to be freed. */
uint32_t *accounts_order(const struct load *l);
/* People who have one account, or one name in the map, or (merge_by_email) one address become one. */
void accounts_merge(struct load *l, const uint32_t *order);
/* Once names are given: whoever was merged has those of their leader. */
void accounts_follow(struct load *l, uint32_t person);
/* Whom the caller named as administrators. FAIL REFUSED: nobody, a bot, an account of before. */
enum ark_rc accounts_admins(struct load *l, struct ark_err *err);
/* The sign-in service of a person's new account, its authdata appended to `data`; NULL: none. */
const char *account_auth(struct load *l, uint32_t person, struct ark_buf *data);

/* Names of strangers that were found meanwhile: gives them their final user names. `changed` is told
 * of each person whose user name is another one now. */
void accounts_settle(struct load *l, void (*changed)(void *ctx, uint32_t person, struct ark_str old),
                     void *ctx);
/* The address of a person's new account, which nobody else has; appended to `out`. */
void account_email(struct load *l, uint32_t person, struct ark_buf *out);

#endif
