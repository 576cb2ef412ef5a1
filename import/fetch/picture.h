/*
 * Pictures that hang on no post: custom emoji and avatars, out of folders and archives. What people have
 * set or deleted in Mattermost stays as it is.
 *
 * Fact  docs/mattermost-facts.md "Files", "Emoji"
 */
#ifndef IMPORT_FETCH_PICTURE_H
#define IMPORT_FETCH_PICTURE_H

#include "common/db/conn.h"
#include "common/store/store.h"
#include "import/slack/export.h"

struct pictures;

struct picture_settings {
	struct db_conn *conn;
	struct store *store;
	struct ark_str workspace;
	int64_t run_no; /* under which it is noted */
	int64_t now_ms;
};

struct picture_count {
	uint64_t emoji, emoji_known, emoji_refused; /* refused: no PNG, JPEG or GIF, or larger than 512 KiB */
	uint64_t emoji_system;                      /* a name that Mattermost has a picture for */
	uint64_t avatars, avatars_refused;
};

enum ark_rc pictures_open(const struct picture_settings *set, struct pictures **out, struct ark_err *err);
/* Gives up what pictures_commit has not kept. NULL is fine. */
void pictures_close(struct pictures *p);
void pictures_closep(struct pictures **p);

/* Is a picture for this emoji of Slack's wanted? */
bool pictures_wants_emoji(struct pictures *p, struct ark_str slack_name);
enum ark_rc pictures_emoji(struct pictures *p, struct ark_str slack_name, struct ark_str body,
                           struct ark_err *err);
/* Does this person have an account of ours without a picture? */
enum ark_rc pictures_wants_avatar(struct pictures *p, struct ark_str slack_id, bool *out,
                                  struct ark_err *err);
enum ark_rc pictures_avatar(struct pictures *p, struct ark_str slack_id, struct ark_str body,
                            struct ark_err *err);

/* Everything in a folder or archive whose name is an emoji's: "party_parrot.gif". */
enum ark_rc pictures_emoji_folder(struct pictures *p, const char *path, struct ark_err *err);
/* `__avatars/U.../name` of the archives. */
enum ark_rc pictures_avatars(struct pictures *p, const struct slack_export *x, struct ark_err *err);

enum ark_rc pictures_commit(struct pictures *p, struct ark_err *err);
const struct picture_count *pictures_count(const struct pictures *p);

#endif
