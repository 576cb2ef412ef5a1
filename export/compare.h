/*
 * What differs from an earlier run: a streamed merge of the state that it left with the posts of now. For
 * incremental exports. Memory does not depend on how many posts there are.
 */
#ifndef EXPORT_COMPARE_H
#define EXPORT_COMPARE_H

#include "export/app.h"
#include "export/folder.h"

/* Where states come from and go to. */
struct export_state_place {
	struct export_stream *before; /* the state of the run before; NULL: there is none, and nothing differs */
	enum ark_rc (*write)(void *ctx, const void *data, size_t len, struct ark_err *err); /* the state of now */
	void *ctx;
};

/*
 * Compare, write the state of now, and set a->changes. Channels that are gone are appended to a->sel.
 */
enum ark_rc export_compare(struct export_app *a, const struct export_state_place *place, struct ark_err *err);
void export_changes_free(struct export_changes *c); /* NULL is fine */

/* The records that differ, through the formats: by channel id, in a channel by (create, id). What left the
 * scope but not the database is a note. */
enum ark_rc export_compare_give(struct export_app *a, struct ark_err *err);

#endif
