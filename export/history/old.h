/* A day file of the history, message by message. */
#ifndef EXPORT_HISTORY_OLD_H
#define EXPORT_HISTORY_OLD_H

#include "export/history/render.h"
#include "export/history/repo.h"

struct history_old;
/* repo  borrowed */
struct history_old *history_old_new(struct history_repo *repo, enum history_form form);
void history_old_free(struct history_old *o); /* NULL is fine */

enum ark_rc history_old_begin(struct history_old *o, const struct history_oid *id, struct ark_err *err);
/* Borrowed until the next call; followed by JSON_PADDING readable bytes. ARK_END. */
enum ark_rc history_old_next(struct history_old *o, struct history_piece *out, struct ark_err *err);
void history_old_end(struct history_old *o); /* also when nothing was begun */

#endif
