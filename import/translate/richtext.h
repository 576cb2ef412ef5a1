/*
 * The block "rich_text": sections, lists, quotes, code. Private to this room.
 * Fact  docs/slack-quirks.md "Blocks"
 */
#ifndef IMPORT_TRANSLATE_RICHTEXT_H
#define IMPORT_TRANSLATE_RICHTEXT_H

#include "common/json/value.h"
#include "import/translate/markup.h"

/* Append a rich_text block; false when something in it was not understood. */
bool richtext_put(const struct text_world *world, struct json_val block, struct ark_buf *out);
/* Append inline elements on one line (a table's cell); false as above. */
bool richtext_put_line(const struct text_world *world, struct json_val block, struct ark_buf *out);

#endif
