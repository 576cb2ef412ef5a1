/*
 * Names that people give, as ids of the database: channels by pattern, persons by name. And who and where
 * as conditions over rows of posts.
 */
#ifndef PURGE_SCOPE_H
#define PURGE_SCOPE_H

#include "common/cli/option.h"
#include "purge/hold.h"

/* Append "{id,id}": channels of teams whose name, or TEAM/NAME, matches the shell pattern, and the one, of
 * any kind, with this id. `count` is how many; nothing is appended for none. */
enum ark_rc purge_channels_named(struct db_conn *conn, const char *glob, struct ark_buf *ids, size_t *count,
                                 struct ark_err *err);
/* Id of the account with this user name (with or without '@') or id, appended. ARK_END: there is none. */
enum ark_rc purge_user_named(struct db_conn *conn, const char *name, struct ark_buf *id, struct ark_err *err);

struct purge_scope {
	struct ark_when deleted_before, older_than;
	bool keep_pinned;
	struct ark_buf channels; /* "{id,id}"; "" for all */
	struct ark_buf users;
	struct purge_hold hold;
};

void purge_scope_init(struct purge_scope *s);
void purge_scope_release(struct purge_scope *s); /* also for ark_auto */

/* Look the names up. FAIL with kind USAGE for one that names nothing. */
enum ark_rc purge_scope_names(struct purge_scope *s, struct db_conn *conn, const struct ark_list *channels,
                              const struct ark_list *users, struct ark_err *err);

/* Conditions over row `alias` of posts: in these channels and of these people; deleted long enough ago; written
 * long enough ago. "false" where that was not asked for. */
void purge_scope_narrow(const struct purge_scope *s, const char *alias, struct ark_buf *sql);
void purge_scope_deleted(const struct purge_scope *s, const char *alias, struct ark_buf *sql);
void purge_scope_old(const struct purge_scope *s, const char *alias, struct ark_buf *sql);

#endif
