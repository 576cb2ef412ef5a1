/*
 * The folders of the commit that is being made, and of the one after it: what is put into them is written as
 * few lists as can be, each as what changed since its last form. Where lists of earlier commits come from is
 * said by a callback, because those of packs that are being made cannot be read back.
 *
 * Memory: the lists of root and teams, of each conversation that was touched, and of its newest year and month.
 * Hence in one conversation days are put in ascending order, within a commit, and over all commits where
 * `load` cannot give what was written on the way.
 */
#ifndef EXPORT_HISTORY_FOREST_H
#define EXPORT_HISTORY_FOREST_H

#include "export/history/pack.h"
#include "export/history/tree.h"

struct history_forest;

/* The content of a list, into `out`. */
typedef enum ark_rc history_load_fn(void *ctx, const struct history_oid *id, struct ark_buf *out,
                                    struct ark_err *err);

/* root  of the commit before; NULL: there is none */
struct history_forest *history_forest_new(struct history_packs *packs, struct history_press *press,
                                          const struct history_oid *root, history_load_fn *load, void *ctx);
void history_forest_free(struct history_forest *f); /* NULL is fine */

#define HISTORY_PATH_MAX 5 /* team, conversation, year, month, day */
struct history_path {
	struct ark_str part[HISTORY_PATH_MAX];
	unsigned count;
};

/* Put a file or a whole folder there; id NULL: take away what is there. */
enum ark_rc history_forest_set(struct history_forest *f, const struct history_path *path, bool is_tree,
                               const struct history_oid *id, struct ark_err *err);
/* ARK_END: nothing there. */
enum ark_rc history_forest_get(struct history_forest *f, const struct history_path *path,
                               struct history_entry *out, struct ark_err *err);
/* The list of a folder of which nothing was put yet; borrowed until the next call. Empty where there is none. */
enum ark_rc history_forest_list(struct history_forest *f, const struct history_path *path, struct ark_str *out,
                                struct ark_err *err);
/* Write what changed; the root's name. An empty root is written too. */
enum ark_rc history_forest_write(struct history_forest *f, struct history_oid *root, struct ark_err *err);

#endif
