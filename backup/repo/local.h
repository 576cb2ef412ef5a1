/*
 * What the writing side of an encrypted repository keeps on its machine, in the 0700 cache: the key for
 * names of objects, and a mirror of what it has to read again. Not in the repository.
 */
#ifndef BACKUP_REPO_LOCAL_H
#define BACKUP_REPO_LOCAL_H

#include "common/repo/repo.h"

/* Made when it is not there: then everything is stored once more. */
enum ark_rc local_name_key(struct repo *r, unsigned char key[32], struct ark_err *err);
enum ark_rc local_mirror_put(struct repo *r, const struct repo_id *id, struct ark_str plain,
                             struct ark_err *err);
/* Remove everything from the mirror that was not put since `begun_ms`. */
enum ark_rc local_mirror_trim(struct repo *r, int64_t begun_ms, struct ark_err *err);
/* Small notes by name ("verified"), appended or replaced. MISSING when there is none. */
enum ark_rc local_note_read(struct repo *r, const char *name, struct ark_buf *out, struct ark_err *err);
enum ark_rc local_note_write(struct repo *r, const char *name, struct ark_str text, struct ark_err *err);

#endif
