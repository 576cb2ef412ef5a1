/*
 * Writing objects into a repository: compressed, sealed where it is encrypted, collected into packs of
 * 16 MiB, each pack followed by its index file. An object that is there is not written again.
 *
 * Threads: preparing (compressing, hashing) is done by any number of threads with tools of their own;
 * keeping is serialised inside.
 */
#ifndef BACKUP_REPO_PACK_H
#define BACKUP_REPO_PACK_H

#include "common/repo/repo.h"

struct ark_map;
struct intent;
struct io_dict;
struct pack_tools;
struct pack_writer;

#define PACK_BYTES (16u << 20)
#define PACK_ENTRY_HEAD 20 /* bytes in front of each object: a skippable frame of 8, its length 4, start of its name 8 */
#define PACK_OWN_FILE (1u << 20) /* a body of a file from this size on is a stored file of its own */

enum pack_how {
	PACK_OPEN = 1,  /* never sealed: lists, which hold names of objects only */
	PACK_DICT = 2,  /* with the dictionary of pack_use_dictionary */
	PACK_MIRROR = 4, /* sealed: what the next run on this machine reads again */
	PACK_FAST = 8,  /* mostly compressed already: little effort */
};

/*
 * r          used by the writer alone until pack_close
 * intent     the open one under which it writes; held when something would get a condemned name
 * condemned  packs that may be swept; both are borrowed
 */
enum ark_rc pack_open(struct repo *r, struct intent *intent, const struct ark_map *condemned,
                      struct pack_writer **out, struct ark_err *err);
void pack_close(struct pack_writer *w); /* what was not finished is dropped; NULL is fine */
void pack_closep(struct pack_writer **w);
/* Borrowed until pack_close; NULL for none. Before any thread begins. */
void pack_use_dictionary(struct pack_writer *w, const struct io_dict *dict);

struct pack_tools *pack_tools_new(struct pack_writer *w);
void pack_tools_free(struct pack_tools *t); /* NULL is fine */

/* What preparing made of an object; `stored` is empty when it is known already. */
struct pack_ready {
	struct repo_id id;
	enum repo_codec codec;
	bool known;
	struct ark_buf stored;
};
void pack_ready_init(struct pack_ready *p);
void pack_ready_release(struct pack_ready *p);

/* how  bits of enum pack_how */
enum ark_rc pack_prepare(struct pack_tools *t, struct ark_str plain, unsigned how, struct pack_ready *out,
                         struct ark_err *err);
/* One that is known by now is dropped. */
enum ark_rc pack_keep(struct pack_writer *w, const struct repo_id *id, enum repo_codec codec,
                      struct ark_str stored, struct ark_err *err);
/* Both. */
enum ark_rc pack_put(struct pack_tools *t, struct ark_str plain, unsigned how, struct repo_id *id,
                     struct ark_err *err);
/* A body of any size out of an open file, from its start. size_bytes: out, how long it was. */
enum ark_rc pack_put_file(struct pack_tools *t, int fd, struct repo_id *id, uint64_t *size_bytes,
                          struct ark_err *err);
/* Stored bytes of an object that exists, into a new pack: for repacking. The index in memory stays as it is. */
enum ark_rc pack_move(struct pack_writer *w, const struct repo_entry *e, struct ark_str stored,
                      struct ark_err *err);

/* Reading older objects while threads write: the next item of a walk over this repository. */
struct repo_walk;
struct repo_item;
enum ark_rc pack_walk_next(struct pack_writer *w, struct repo_walk *walk, struct repo_item *out,
                           struct ark_err *err);
bool pack_knows(struct pack_writer *w, const struct repo_id *id);
/* Everything durable, index included. More may follow. */
enum ark_rc pack_flush(struct pack_writer *w, struct ark_err *err);
/* Bytes of all files that were written. */
uint64_t pack_added(const struct pack_writer *w);

#endif
