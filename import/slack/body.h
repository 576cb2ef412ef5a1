/*
 * Names of file bodies in archives: whose body an entry is. The layouts of slackdump and of
 * slack-advanced-exporter; the file's name is not looked at, tools change it.
 *
 * Fact  docs/slack-quirks.md "Archive"
 */
#ifndef IMPORT_SLACK_BODY_H
#define IMPORT_SLACK_BODY_H

#include "common/base/str.h"

#define SLACK_ID_BYTES 64

/* `__uploads/F…/name`, `channel/attachments/F…-name`, below any folder. False: no body. `id` borrows
 * from `name`. */
bool slack_body_id(struct ark_str name, struct ark_str *id);
/* `__avatars/U…/name`. */
bool slack_avatar_id(struct ark_str name, struct ark_str *id);

#endif
