#include "purge/keptset.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

void kept_release(struct kept_set *s)
{
	free(s->rows);
	*s = (struct kept_set){ 0 };
}

void kept_clear(struct kept_set *s)
{
	s->count = 0;
}

bool kept_add(struct kept_set *s, const struct plan_row *row)
{
	if (s->rows == NULL)
		s->rows = ark_calloc(KEPT_MAX, sizeof(s->rows[0]));
	if (s->count == KEPT_MAX)
		return false;
	struct kept_row *r = &s->rows[s->count++];
	*r = (struct kept_row){ .edit_ms = row->edit_ms };
	memcpy(r->id, row->id.ptr, row->id.len < MM_ID_LEN ? row->id.len : MM_ID_LEN);
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct kept_row *x = a, *y = b;
	return memcmp(x->id, y->id, MM_ID_LEN);
}

void kept_sort(struct kept_set *s)
{
	if (s->count > 0)
		qsort(s->rows, s->count, sizeof(s->rows[0]), by_id);
}

void kept_see(struct kept_set *s, struct ark_str id, int64_t edit_ms)
{
	struct kept_row key = { .edit_ms = 0 };
	if (s->count == 0 || id.len > MM_ID_LEN)
		return;
	memcpy(key.id, id.ptr, id.len);
	struct kept_row *r = bsearch(&key, s->rows, s->count, sizeof(s->rows[0]), by_id);
	if (r != NULL && (edit_ms == KEPT_ANY || r->edit_ms == edit_ms))
		r->seen = true;
}

const struct kept_row *kept_unseen(const struct kept_set *s, uint64_t *count)
{
	const struct kept_row *first = NULL;
	*count = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (s->rows[i].seen)
			continue;
		first = first != NULL ? first : &s->rows[i];
		(*count)++;
	}
	return first;
}
