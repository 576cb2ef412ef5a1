/*
 * Who writes now, and what nobody may use any more: intents and condemned packs. No clock decides, and
 * nothing has to be removed by hand in a folder. docs/format-backup.md "Prune beside create"
 *
 *	create   reads the condemned lists, publishes an intent with their highest generation, reads them
 *	         again; uses nothing that is on them; withdraws the intent after its snapshot is published.
 *	         What it writes may get the name of something condemned: then it first forgets what it knows,
 *	         so that no sweep begins, and waits for one that runs
 *	prune    moves snapshots away, then condemns the packs that no snapshot needs, one generation higher
 *	sweep    deletes packs of a generation that every open intent knows, unless a snapshot that is there
 *	         now needs them: looked at after the intents. One at a time: of two copies of an object, two
 *	         sweeps could each delete another one
 */
#ifndef BACKUP_REPO_INTENT_H
#define BACKUP_REPO_INTENT_H

#include "common/base/map.h"
#include "common/repo/repo.h"

struct condemned {
	uint64_t generation;  /* the highest, 0 for none */
	struct ark_map packs; /* 32-byte names; value: number of the generation in `lists` */
	struct condemned_list {
		uint64_t generation;
		char key[128];
	} *lists;
	size_t count, cap;
};

enum ark_rc condemned_read(struct repo *r, struct condemned *out, struct ark_err *err);
void condemned_release(struct condemned *c); /* also for ark_auto */
/* Publish a list of packs (32 bytes each) and names of removed snapshots, one generation above `now`. */
enum ark_rc condemned_write(struct repo *r, const struct condemned *now, const struct repo_id *packs,
                            size_t count, uint64_t *generation, struct ark_err *err);

struct intent {
	struct repo *r;
	char key[128]; /* "" : none is open */
	int lock;      /* folder: shared kernel lock, -1 otherwise */
	bool exclusive;
	bool knows_nothing;
};
#define INTENT_NONE ((struct intent){ .lock = -1 })

/*
 * Begin writing: intent published, `condemned` (out) is what must not be used. `purpose` is for people.
 */
enum ark_rc intent_begin(struct repo *r, const char *purpose, struct intent *out,
                         struct condemned *condemned, struct ark_err *err);
/* For who needs what is condemned: nothing at all is swept meanwhile. */
enum ark_rc intent_begin_knowing_nothing(struct repo *r, const char *purpose, struct intent *out,
                                         struct condemned *condemned, struct ark_err *err);
/*
 * From when this returns, nothing that is there is swept until the intent ends, whatever is condemned: for what is
 * named by its content and would get a condemned name. Waits for a sweep that runs. FAIL: LOCKED.
 */
enum ark_rc intent_hold(struct intent *i, struct ark_err *err);
/* Withdraw. Dropping it without (a crash) leaves a dead intent. */
enum ark_rc intent_end(struct intent *i, struct ark_err *err);
void intent_release(struct intent *i); /* also for ark_auto; withdraws too, quietly */

struct open_intent {
	char name[64];
	uint64_t generation;
	int64_t begun_ms;
	char who[128]; /* "create on host, process 4711" */
	bool dead;     /* its process is gone, as far as can be told from here */
	bool sweeps;
};
struct open_intents {
	struct open_intent *items;
	size_t count;
};
/*
 * For sweeping. In a folder: when nobody writes (exclusive kernel lock, kept in `guard` until released)
 * every intent is dead, else none is. On S3: dead when its process on this machine is gone.
 */
enum ark_rc intents_read(struct repo *r, struct intent *guard, struct open_intents *out,
                         struct ark_err *err);
void open_intents_release(struct open_intents *o); /* also for ark_auto */
/*
 * Be the one who sweeps, until intent_end. In a folder by a kernel lock, in a bucket by an intent that delays
 * nobody. alone  out: false when somebody else is, and nothing is held. other  out: who; its name is "" in a folder
 */
enum ark_rc sweep_begin(struct repo *r, struct intent *out, bool *alone, struct open_intent *other,
                        struct ark_err *err);
enum ark_rc intent_drop(struct repo *r, const char *name, struct ark_err *err);

#endif
