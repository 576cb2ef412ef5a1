#include "common/repo/walk.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

static bool hex_bytes(struct ark_str s, unsigned char *out, size_t len)
{
	struct repo_id id;
	char full[REPO_ID_HEX];
	if (s.len != 2 * len || s.len > sizeof(full))
		return false;
	memset(full, '0', sizeof(full));
	memcpy(full, s.ptr, s.len);
	if (!repo_id_parse(ark_str_n(full, sizeof(full)), &id))
		return false;
	memcpy(out, id.b, len);
	return true;
}

#define FIELDS 5

/* The fields of a line, separated by single blanks; how many, FIELDS + 1 when there are more. */
static size_t split(struct ark_str line, struct ark_str out[FIELDS])
{
	for (size_t n = 0;; n++) {
		size_t end = ark_str_find(line, ' ', 0);
		if (n == FIELDS)
			return FIELDS + 1;
		out[n] = ark_str_first(line, end);
		if (end == SIZE_MAX)
			return n + 1;
		line = ark_str_from(line, end + 1);
	}
}

bool repo_item_parse(struct ark_str line, struct repo_item *out)
{
	struct ark_str f[FIELDS];
	struct repo_item item = { 0 };
	size_t n = split(line, f);
	if (n > FIELDS || f[0].len != 1)
		return false;
	bool good = false;
	switch (f[0].ptr[0]) {
	case 'n':
		item.kind = REPO_ITEM_LIST;
		good = n == 4 && repo_id_parse(f[1], &item.id) && ark_str_u64(f[2], &item.rows) &&
		       ark_str_u64(f[3], &item.bytes);
		break;
	case 's':
		item.kind = REPO_ITEM_SEGMENT;
		good = n == 5 && repo_id_parse(f[1], &item.id) && hex_bytes(f[2], item.check, REPO_CHECK_BYTES) &&
		       ark_str_u64(f[3], &item.rows) && ark_str_u64(f[4], &item.bytes);
		break;
	case 'r':
		item.kind = n == 2 && ark_str_eqz(f[1], "-") ? REPO_ITEM_MISSING : REPO_ITEM_REF;
		good = item.kind == REPO_ITEM_MISSING || (n == 2 && repo_id_parse(f[1], &item.id));
		break;
	case 'o':
		item.kind = REPO_ITEM_OBJECT;
		good = n == 2 && repo_id_parse(f[1], &item.id);
		break;
	default:
		break;
	}
	if (good)
		*out = item;
	return good;
}

void repo_item_add(const struct repo_item *item, struct ark_buf *out)
{
	char check[2 * REPO_CHECK_BYTES + 1];
	if (item->kind == REPO_ITEM_MISSING) {
		ark_buf_z(out, "r -\n");
		return;
	}
	ark_buf_c(out, "nsrro"[item->kind]);
	ark_buf_c(out, ' ');
	repo_id_add(&item->id, out);
	if (item->kind == REPO_ITEM_SEGMENT) {
		crypt_hex(item->check, REPO_CHECK_BYTES, check);
		ark_buf_fmt(out, " %s", check);
	}
	if (item->kind == REPO_ITEM_SEGMENT || item->kind == REPO_ITEM_LIST)
		ark_buf_fmt(out, " %llu %llu", (unsigned long long)item->rows, (unsigned long long)item->bytes);
	ark_buf_c(out, '\n');
}

struct level {
	struct repo_id id;
	struct ark_buf text;
	size_t at;
};

struct repo_walk {
	struct repo *r;
	struct level levels[REPO_WALK_DEPTH];
	unsigned depth;      /* levels in use */
	bool enter;          /* the list in `next` is to be entered */
	struct repo_id next;
};

struct repo_walk *repo_walk_new(struct repo *r)
{
	struct repo_walk *w = ark_calloc(1, sizeof(*w));
	w->r = r;
	for (int i = 0; i < REPO_WALK_DEPTH; i++)
		ark_buf_init(&w->levels[i].text, LIMIT_REPO_OBJECT);
	return w;
}

void repo_walk_free(struct repo_walk *w)
{
	if (w == NULL)
		return;
	for (int i = 0; i < REPO_WALK_DEPTH; i++)
		ark_buf_release(&w->levels[i].text);
	free(w);
}

void repo_walk_freep(struct repo_walk **w)
{
	repo_walk_free(*w);
	*w = NULL;
}

void repo_walk_begin(struct repo_walk *w, const struct repo_id *list)
{
	w->depth = 0;
	w->enter = true;
	w->next = *list;
}

void repo_walk_skip(struct repo_walk *w)
{
	w->enter = false;
}

static enum ark_rc enter(struct repo_walk *w, struct ark_err *err)
{
	if (w->depth == REPO_WALK_DEPTH)
		return ark_err_set(err, ARK_KIND_INPUT, "lists are nested more than %d deep", REPO_WALK_DEPTH);
	struct level *l = &w->levels[w->depth];
	ark_buf_reset(&l->text);
	l->id = w->next;
	l->at = 0;
	enum ark_rc rc = repo_read(w->r, &w->next, &l->text, err);
	if (rc < 0)
		return rc;
	w->depth++;
	w->enter = false;
	return ARK_OK;
}

enum ark_rc repo_walk_next(struct repo_walk *w, struct repo_item *out, struct ark_err *err)
{
	if (w->enter) {
		enum ark_rc rc = enter(w, err);
		if (rc < 0)
			return rc;
	}
	while (w->depth > 0 && w->levels[w->depth - 1].at == w->levels[w->depth - 1].text.len)
		w->depth--;
	if (w->depth == 0)
		return ARK_END;
	struct level *l = &w->levels[w->depth - 1];
	struct ark_str rest = ark_str_from(ark_buf_view(&l->text), l->at);
	size_t end = ark_str_find(rest, '\n', 0);
	if (end == SIZE_MAX || !repo_item_parse(ark_str_first(rest, end), out)) {
		char hex[REPO_ID_HEX + 1];
		repo_id_hex(&l->id, hex);
		return ark_err_set(err, ARK_KIND_INPUT, "the list %s has a line that is no item", hex);
	}
	l->at += end + 1;
	if (out->kind == REPO_ITEM_LIST) {
		w->enter = true;
		w->next = out->id;
	}
	return ARK_OK;
}
