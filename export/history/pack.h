/*
 * Objects of git on their way into packs: compressed where they come from, collected in a temporary file
 * without a name, and indexed by libgit2 in a thread of its own, which so reads and checks all of it again.
 * Never loose, never all in memory: after PACK_OBJECTS objects another pack begins. Packs are made in a
 * folder of the caller's and are nobody's until he moves them (repo.h).
 *
 * Why not git_packbuilder: it holds a record of each object of the whole pack.
 */
#ifndef EXPORT_HISTORY_PACK_H
#define EXPORT_HISTORY_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"
#include "export/history/body.h"

#define HISTORY_OID 20
#define HISTORY_OID_HEX 41

struct history_oid {
	unsigned char b[HISTORY_OID];
};
void history_oid_hex(const struct history_oid *id, char out[HISTORY_OID_HEX]);
/* False when the text is no 40 hex digits. */
bool history_oid_read(struct ark_str hex, struct history_oid *out);
static inline bool history_oid_eq(const struct history_oid *a, const struct history_oid *b)
{
	return memcmp(a->b, b->b, HISTORY_OID) == 0;
}

/* Numbers of the types in packs. Fact  git's Documentation/gitformat-pack */
enum history_type { HISTORY_COMMIT = 1, HISTORY_TREE = 2, HISTORY_BLOB = 3 };
const char *history_type_name(enum history_type type);

/* What compressing and naming takes; one per thread. */
struct history_press;
struct history_press *history_press_new(void);
void history_press_free(struct history_press *p); /* NULL is fine */
void history_press_name(struct history_press *p, enum history_type type, struct ark_str content,
                        struct history_oid *out);

struct history_packs;

/* folder  where packs are made; it is there and empty, and is kept until history_packs_free; NULL: objects get
 *         their names and are not kept, for trying out what would be written */
struct history_packs *history_packs_new(const char *folder);
void history_packs_free(struct history_packs *p); /* gives up what is not finished; NULL is fine */

/* Any thread, each with its own press. What is in the pack already is not written twice. */
enum ark_rc history_packs_add(struct history_packs *p, struct history_press *press, enum history_type type,
                              struct ark_str content, struct history_oid *id, struct ark_err *err);
/* The same of a file of any length. Other threads wait while it is packed. */
enum ark_rc history_packs_add_body(struct history_packs *p, struct history_press *press,
                                   const struct history_body *body, struct history_oid *id, struct ark_err *err);
/*
 * A folder's list, as what changed since another one (`was`, with the name was_id) where that stands in the same
 * pack. One thread at a time, and none that adds otherwise.
 */
enum ark_rc history_packs_add_tree(struct history_packs *p, struct history_press *press, struct ark_str content,
                                   const struct history_oid *was_id, struct ark_str was, struct history_oid *id,
                                   struct ark_err *err);
/* Everything is indexed and on disk in the folder. */
enum ark_rc history_packs_finish(struct history_packs *p, struct ark_err *err);
/* After finish: names without folder and ending, "pack-1a2b..."; NULL behind the last. */
const char *history_packs_name(const struct history_packs *p, size_t n);
/* Objects so far. */
uint64_t history_packs_count(struct history_packs *p);

/* For tests: `content` as a delta of `was`, both lists of entries. */
void history_tree_delta(struct ark_str was, struct ark_str content, struct ark_buf *out);

#endif
