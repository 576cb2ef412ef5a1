/*
 * The file store that a restore fills: whether it may, its mark, bodies of files into it side by side, and
 * what a copy before left there. Not for rows: load.h.
 *
 * The mark is the file BODIES_MARK. While files arrive it says so, and which database they are for: a run
 * that died is taken up by the next one into that database. Afterwards it says of which copy it is, or,
 * for production, is gone. That comes last, behind the database's getting its name: a run that died in
 * between left a mark that names the database which has the name now.
 */
#ifndef BACKUP_RESTORE_BODIES_H
#define BACKUP_RESTORE_BODIES_H

#include "backup/restore/paths.h"
#include "backup/restore/target.h"
#include "common/cli/progress.h"
#include "common/repo/snapshot.h"
#include "common/store/store.h"

#define BODIES_MARK "matterark-test-copy.json" /* never stored in a snapshot */

struct bodies {
	const char *place;                 /* DIR or s3://BUCKET/PREFIX; NULL: files are read and compared only */
	const struct store_s3_options *s3;
	const struct repo_options *repo;
	const struct repo_contents *contents;
	const char *snapshot;
	unsigned jobs;
	struct ark_progress *bar;
	struct ark_str brand;              /* PNG for the sign-in page of a test installation */
	const struct io_spool *wanted;     /* sorted paths of files that rows name; NULL: all of the list are wanted */
	bool only_wanted;                  /* of the other lists, too */
	bool without_faces;                        /* pictures of people are left out */
	bool used;                         /* something is there already: what is not of the snapshot goes */
	char *name;                        /* resolved */
	/* out */
	uint64_t files, bytes, missing, removed;
};

void bodies_release(struct bodies *b); /* also for ark_auto */

/*
 * May it be filled? FAIL with kind REFUSED when it is the snapshot's source, inside or around it or the
 * repository, or holds files that are not those of the copy in `target`, which was checked before.
 * repository  as repo_keep_name has it
 */
enum ark_rc bodies_check(struct bodies *b, const struct target *target, const char *repository, struct ark_err *err);
/*
 * Production is there already, and all that its restore did not come to was taking the mark away: *left, with the
 * snapshot's name. FAIL only when the place cannot be read.
 */
enum ark_rc bodies_left(const struct bodies *b, struct target *target, bool *left, struct ark_buf *snapshot,
                        struct ark_err *err);
/* Files and bytes that are to come. */
uint64_t bodies_weight(const struct repo_contents *contents, uint64_t *files);
/* Set the mark (with a place), then read all bodies, compare them with their names, put them where they belong. */
enum ark_rc bodies_put(struct bodies *b, const struct target *target, struct ark_err *err);
/* Files that are not of the snapshot go: of a copy once the database got its name, so that the one before
 * is whole until then; of production before, nobody uses it yet. */
enum ark_rc bodies_sweep(struct bodies *b, struct ark_err *err);
/* At the end: the brand image is set and the mark names the copy, or the mark goes.
 * diagnostic_id  of the copy; NULL: production */
enum ark_rc bodies_finish(struct bodies *b, const struct target *target, const char *diagnostic_id, struct ark_err *err);

#endif
