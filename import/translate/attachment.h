/*
 * Slack's message attachments: authored ones become Mattermost message attachments (props), quoted
 * messages a quote in the body, link previews are dropped (Mattermost makes its own).
 *
 * Fact  docs/slack-quirks.md "Attachments"; fixtures/slack/attachments-kinds
 */
#ifndef IMPORT_TRANSLATE_ATTACHMENT_H
#define IMPORT_TRANSLATE_ATTACHMENT_H

#include "common/json/value.h"
#include "import/translate/text.h"

enum attachment_kind { ATTACHMENT_AUTHORED, ATTACHMENT_SHARE, ATTACHMENT_UNFURL, ATTACHMENT_APP };

/*
 * world   names
 * list    the message's `attachments`, anything
 * props   `"attachments":[...]` is appended when there is at least one to keep
 * body    quotes are appended, each as a paragraph of its own
 * tmp     scratch
 * Returns the number kept in props.
 */
unsigned attachments_translate(const struct text_world *world, struct json_val list,
                               struct ark_buf *props, struct ark_buf *body, struct ark_buf *tmp);

#endif
