#include "export/history/old.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

struct history_old {
	struct history_repo *repo;
	enum history_form form;
	struct ark_buf content;
	struct history_pieces pieces;
};

struct history_old *history_old_new(struct history_repo *repo, enum history_form form)
{
	struct history_old *o = ark_calloc(1, sizeof(*o));
	o->repo = repo;
	o->form = form;
	ark_buf_init(&o->content, LIMIT_HISTORY_DAY);
	return o;
}

void history_old_free(struct history_old *o)
{
	if (o == NULL)
		return;
	history_old_end(o);
	ark_buf_release(&o->content);
	free(o);
}

enum ark_rc history_old_begin(struct history_old *o, const struct history_oid *id, struct ark_err *err)
{
	struct ark_str head;
	enum ark_rc rc = history_repo_read(o->repo, id, HISTORY_BLOB, &o->content, err);
	if (rc < 0)
		return rc;
	history_pieces_begin(&o->pieces, o->form, ark_buf_view(&o->content), &head);
	return ARK_OK;
}

enum ark_rc history_old_next(struct history_old *o, struct history_piece *out, struct ark_err *err)
{
	return history_pieces_next(&o->pieces, out, err);
}

void history_old_end(struct history_old *o)
{
	history_pieces_end(&o->pieces);
}
