/*
 * A folder's list as git keeps it: entries "MODE NAME\0ID" in git's order, in one buffer, so that ten
 * thousand of them take little memory and the bytes are ready to be named and packed.
 */
#ifndef EXPORT_HISTORY_TREE_H
#define EXPORT_HISTORY_TREE_H

#include "common/base/buf.h"
#include "export/history/pack.h"

struct history_entry {
	bool is_tree;
	struct ark_str name;
	struct history_oid id;
	size_t at, len; /* in the list */
};

/* Lists from outside are checked before anything else: sorted, known modes, whole. FAIL with kind INPUT. */
enum ark_rc history_tree_check(struct ark_str raw, struct ark_err *err);
/* The entry at *at, which is moved behind it; false at the end. */
bool history_tree_next(struct ark_str raw, size_t *at, struct history_entry *out);
bool history_tree_find(struct ark_str raw, struct ark_str name, struct history_entry *out);
/* Put or replace; a file and a folder of one name replace each other. */
void history_tree_set(struct ark_buf *raw, struct ark_str name, bool is_tree, const struct history_oid *id);
/* Nothing happens when it is not there. */
void history_tree_remove(struct ark_buf *raw, struct ark_str name);

#endif
