#include "backup/repo/listing.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define FANOUT 16   /* items of a node in the mean */
#define ITEMS_MAX 128
#define LEVELS 10   /* sixteen to the tenth */

struct level {
	struct ark_buf text;
	unsigned items;
	uint64_t rows, bytes;
	bool cut;  /* the last item ends the node */
	uint64_t nodes; /* written on this level so far */
};

struct listing {
	struct pack_tools *tools;
	struct level levels[LEVELS];
};

struct listing *listing_new(struct pack_tools *tools)
{
	struct listing *l = ark_calloc(1, sizeof(*l));
	l->tools = tools;
	for (int i = 0; i < LEVELS; i++)
		ark_buf_init(&l->levels[i].text, LIMIT_REPO_OBJECT);
	return l;
}

void listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < LEVELS; i++)
		ark_buf_release(&l->levels[i].text);
	free(l);
}

void listing_freep(struct listing **l)
{
	listing_free(*l);
	*l = NULL;
}

static enum ark_rc add_at(struct listing *l, unsigned depth, const struct repo_item *item, struct ark_err *err);

/* Write the node of this level and tell the level above. */
static enum ark_rc close_node(struct listing *l, unsigned depth, struct ark_err *err)
{
	struct level *v = &l->levels[depth];
	struct repo_item node = { .kind = REPO_ITEM_LIST, .rows = v->rows, .bytes = v->bytes };
	enum ark_rc rc = ark_buf_ok(&v->text, "a list", err);
	if (rc == ARK_OK)
		rc = pack_put(l->tools, ark_buf_view(&v->text), PACK_OPEN, &node.id, err);
	if (rc < 0)
		return rc;
	uint64_t nodes = v->nodes + 1;
	ark_buf_reset(&v->text);
	v->items = 0;
	v->rows = v->bytes = 0;
	v->cut = false;
	v->nodes = nodes;
	if (depth + 1 == LEVELS)
		return ark_err_set(err, ARK_KIND_LIMIT, "a list is too long");
	return add_at(l, depth + 1, &node, err);
}

static enum ark_rc add_at(struct listing *l, unsigned depth, const struct repo_item *item, struct ark_err *err)
{
	struct level *v = &l->levels[depth];
	if (v->cut) {
		enum ark_rc rc = close_node(l, depth, err);
		if (rc < 0)
			return rc;
	}
	repo_item_add(item, &v->text);
	v->items++;
	v->rows += item->rows;
	v->bytes += item->bytes;
	v->cut = item->id.b[0] % FANOUT == 0 || v->items >= ITEMS_MAX;
	return ARK_OK;
}

enum ark_rc listing_add(struct listing *l, const struct repo_item *item, struct ark_err *err)
{
	return add_at(l, 0, item, err);
}

void listing_ref(struct listing *l, const struct repo_id *id, bool missing)
{
	struct repo_item item = { .kind = missing ? REPO_ITEM_MISSING : REPO_ITEM_REF };
	if (!missing)
		item.id = *id;
	repo_item_add(&item, &l->levels[0].text);
}

enum ark_rc listing_finish(struct listing *l, struct repo_id *root, uint64_t *rows, uint64_t *bytes,
                           bool *empty, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	unsigned depth = 0;
	*rows = *bytes = 0;
	*empty = l->levels[0].items == 0 && l->levels[0].nodes == 0;
	/* upwards, until a level holds everything in the one node that it has open */
	while (!*empty && rc == ARK_OK && l->levels[depth].nodes > 0) {
		if (l->levels[depth].items > 0)
			rc = close_node(l, depth, err);
		depth++;
	}
	if (!*empty && rc == ARK_OK) {
		struct level *v = &l->levels[depth];
		*rows = v->rows;
		*bytes = v->bytes;
		rc = ark_buf_ok(&v->text, "a list", err);
		if (rc == ARK_OK)
			rc = pack_put(l->tools, ark_buf_view(&v->text), PACK_OPEN, root, err);
	}
	for (unsigned i = 0; i < LEVELS; i++) {
		struct level *v = &l->levels[i];
		ark_buf_reset(&v->text);
		v->items = 0;
		v->rows = v->bytes = 0;
		v->cut = false;
		v->nodes = 0;
	}
	return rc;
}
