/*
 * Whether a message that stands in the history says the same as it would be written now: only the names of
 * people, which are those of the day on which a line was written, may be others.
 */
#ifndef EXPORT_HISTORY_ALIKE_H
#define EXPORT_HISTORY_ALIKE_H

#include <stdbool.h>

#include "export/history/render.h"

struct history_alike;
struct history_alike *history_alike_new(void);
void history_alike_free(struct history_alike *a); /* NULL is fine */

/*
 * was  a piece of a day file, followed by JSON_PADDING readable bytes
 * now  what history_post wrote; room is made behind it
 */
bool history_alike(struct history_alike *a, enum history_form form, struct ark_str was, struct ark_buf *now);

#endif
