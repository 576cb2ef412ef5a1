#include "export/history/forest.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define KEPT_LEVELS 2 /* below the root and a team all folders are kept, deeper ones one at a time */

struct node {
	struct ark_buf raw;  /* the list of now */
	struct ark_buf was;  /* as it has the name `id`; only while `dirty` */
	struct history_oid id;
	bool has_id, dirty;
	bool noted;          /* is in its parent's `touched` */
	struct ark_str name; /* borrowed from its parent's kids, or own */
	char *own_name;
	struct node **kids;
	size_t kids_count, kids_cap;
	struct ark_map kid_at;
	uint32_t *touched; /* kids to be looked at */
	size_t touched_count, touched_cap;
};

struct history_forest {
	struct history_packs *packs;
	struct history_press *press;
	history_load_fn *load;
	void *ctx;
	struct node *root;
};

static struct node *node_new(struct ark_str name)
{
	struct node *n = ark_calloc(1, sizeof(*n));
	ark_buf_init(&n->raw, LIMIT_HISTORY_TREE);
	ark_buf_init(&n->was, LIMIT_HISTORY_TREE);
	n->own_name = ark_strdup(name);
	n->name = ark_str_n(n->own_name, name.len);
	return n;
}

static void node_free(struct node *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->kids_count; i++)
		node_free(n->kids[i]);
	free(n->kids);
	free(n->touched);
	ark_map_release(&n->kid_at);
	ark_buf_release(&n->raw);
	ark_buf_release(&n->was);
	free(n->own_name);
	free(n);
}

static enum ark_rc node_load(struct history_forest *f, struct node *n, const struct history_oid *id,
                             struct ark_err *err)
{
	enum ark_rc rc = f->load(f->ctx, id, &n->raw, err);
	if (rc == ARK_OK)
		rc = history_tree_check(ark_buf_view(&n->raw), err);
	n->id = *id;
	n->has_id = rc == ARK_OK;
	return rc;
}

struct history_forest *history_forest_new(struct history_packs *packs, struct history_press *press,
                                          const struct history_oid *root, history_load_fn *load, void *ctx)
{
	struct history_forest *f = ark_calloc(1, sizeof(*f));
	*f = (struct history_forest){ packs, press, load, ctx, node_new(ARK_LIT("")) };
	if (root != NULL) {
		f->root->id = *root;
		f->root->has_id = true;
	}
	return f;
}

void history_forest_free(struct history_forest *f)
{
	if (f == NULL)
		return;
	node_free(f->root);
	free(f);
}

/* Before the list changes. */
static void soil(struct node *n)
{
	if (n->dirty)
		return;
	n->dirty = true;
	if (n->has_id)
		ark_buf_str(&n->was, ark_buf_view(&n->raw));
}

static void touch(struct node *n, uint32_t kid)
{
	if (n->kids[kid]->noted)
		return;
	n->kids[kid]->noted = true;
	if (n->touched_count == n->touched_cap) {
		n->touched_cap = n->touched_cap > 0 ? 2 * n->touched_cap : 4;
		n->touched = ark_realloc(n->touched, n->touched_cap, sizeof(n->touched[0]));
	}
	n->touched[n->touched_count++] = kid;
}

/* --- writing ----------------------------------------------------------------------------------- */

static enum ark_rc node_write(struct history_forest *f, struct node *n, bool is_root, struct ark_err *err)
{
	for (size_t i = 0; i < n->touched_count; i++) {
		struct node *kid = n->kids[n->touched[i]];
		struct history_oid before = kid->id;
		bool had = kid->has_id;
		kid->noted = false;
		enum ark_rc rc = node_write(f, kid, false, err);
		if (rc < 0)
			return rc;
		if (had == kid->has_id && (!had || history_oid_eq(&before, &kid->id)))
			continue;
		soil(n);
		if (kid->has_id)
			history_tree_set(&n->raw, kid->name, true, &kid->id);
		else
			history_tree_remove(&n->raw, kid->name);
	}
	n->touched_count = 0;
	if (!n->dirty)
		return ARK_OK;
	enum ark_rc rc = ark_buf_ok(&n->raw, "a folder's list", err);
	struct history_oid id = n->id;
	bool same = n->has_id && ark_str_eq(ark_buf_view(&n->raw), ark_buf_view(&n->was));
	bool keep = n->raw.len > 0 || is_root;
	if (rc == ARK_OK && keep && !same)
		rc = history_packs_add_tree(f->packs, f->press, ark_buf_view(&n->raw), n->has_id ? &n->id : NULL,
		                            ark_buf_view(&n->was), &id, err);
	n->id = id;
	n->has_id = keep;
	n->dirty = false;
	ark_buf_release(&n->was);
	ark_buf_init(&n->was, LIMIT_HISTORY_TREE);
	return rc;
}

enum ark_rc history_forest_write(struct history_forest *f, struct history_oid *root, struct ark_err *err)
{
	if (!f->root->has_id)
		soil(f->root);
	enum ark_rc rc = node_write(f, f->root, true, err);
	if (rc == ARK_OK)
		*root = f->root->id;
	return rc;
}

/* --- walking ----------------------------------------------------------------------------------- */

/* The only kept folder of this level gives way to another one; what changed in it is written. */
static enum ark_rc leave_kid(struct history_forest *f, struct node *n, struct ark_err *err)
{
	if (n->kids_count == 0)
		return ARK_OK;
	struct node *kid = n->kids[0];
	struct history_oid before = kid->id;
	bool had = kid->has_id;
	enum ark_rc rc = node_write(f, kid, false, err);
	if (rc < 0)
		return rc;
	if (had != kid->has_id || (had && !history_oid_eq(&before, &kid->id))) {
		soil(n);
		if (kid->has_id)
			history_tree_set(&n->raw, kid->name, true, &kid->id);
		else
			history_tree_remove(&n->raw, kid->name);
	}
	node_free(kid);
	n->kids_count = n->touched_count = 0;
	ark_map_clear(&n->kid_at);
	return ARK_OK;
}

/* The folder inside; made when `make`, else ARK_END where there is none. */
static enum ark_rc step(struct history_forest *f, struct node *n, unsigned level, struct ark_str name, bool make,
                        struct node **out, struct ark_err *err)
{
	uint32_t at = ark_map_get(&n->kid_at, name);
	if (at != ARK_MAP_NONE) {
		*out = n->kids[at];
		return ARK_OK;
	}
	enum ark_rc rc = level >= KEPT_LEVELS ? leave_kid(f, n, err) : ARK_OK;
	struct history_entry e;
	bool there = rc == ARK_OK && history_tree_find(ark_buf_view(&n->raw), name, &e) && e.is_tree;
	if (rc < 0 || (!there && !make))
		return rc < 0 ? rc : ARK_END;
	struct node *kid = node_new(name);
	rc = there ? node_load(f, kid, &e.id, err) : ARK_OK;
	if (rc < 0) {
		node_free(kid);
		return rc;
	}
	if (n->kids_count == n->kids_cap) {
		n->kids_cap = n->kids_cap > 0 ? 2 * n->kids_cap : 1;
		n->kids = ark_realloc(n->kids, n->kids_cap, sizeof(n->kids[0]));
	}
	ark_map_put(&n->kid_at, name, (uint32_t)n->kids_count);
	n->kids[n->kids_count++] = kid;
	*out = kid;
	return ARK_OK;
}

static enum ark_rc begin(struct history_forest *f, struct ark_err *err)
{
	struct node *root = f->root;
	if (!root->has_id || root->dirty || root->raw.len > 0)
		return ARK_OK;
	struct history_oid id = root->id;
	return node_load(f, root, &id, err);
}

/* The folder that holds the last part. */
static enum ark_rc walk(struct history_forest *f, const struct history_path *path, unsigned parts, bool make,
                        struct node **out, struct ark_err *err)
{
	struct node *n = f->root;
	enum ark_rc rc = begin(f, err);
	for (unsigned i = 0; i < parts && rc == ARK_OK; i++) {
		struct node *kid = NULL;
		rc = step(f, n, i, path->part[i], make, &kid, err);
		if (rc == ARK_OK && make)
			touch(n, ark_map_get(&n->kid_at, path->part[i]));
		if (rc == ARK_OK)
			n = kid;
	}
	*out = n;
	return rc;
}

enum ark_rc history_forest_set(struct history_forest *f, const struct history_path *path, bool is_tree,
                               const struct history_oid *id, struct ark_err *err)
{
	struct node *n;
	enum ark_rc rc = walk(f, path, path->count - 1, true, &n, err);
	if (rc < 0)
		return rc;
	struct ark_str name = path->part[path->count - 1];
	if (ark_map_get(&n->kid_at, name) != ARK_MAP_NONE)
		ark_bug("a folder is replaced that was walked into");
	soil(n);
	if (id != NULL)
		history_tree_set(&n->raw, name, is_tree, id);
	else
		history_tree_remove(&n->raw, name);
	return ark_buf_ok(&n->raw, "a folder's list", err);
}

enum ark_rc history_forest_get(struct history_forest *f, const struct history_path *path,
                               struct history_entry *out, struct ark_err *err)
{
	struct node *n;
	enum ark_rc rc = walk(f, path, path->count - 1, false, &n, err);
	if (rc != ARK_OK)
		return rc;
	return history_tree_find(ark_buf_view(&n->raw), path->part[path->count - 1], out) ? ARK_OK : ARK_END;
}

enum ark_rc history_forest_list(struct history_forest *f, const struct history_path *path, struct ark_str *out,
                                struct ark_err *err)
{
	struct node *n;
	enum ark_rc rc = walk(f, path, path->count, false, &n, err);
	*out = rc == ARK_OK ? ark_buf_view(&n->raw) : ARK_LIT("");
	return rc < 0 ? rc : ARK_OK;
}
