/*
 * The tree of files that a run makes. It grows beside its final name and gets that by one rename, or
 * is removed: nothing that is not complete is ever seen there. Each file's SHA-256 is taken while it
 * is written, for the manifest (bag.h). Any number of files may be open, each in one thread.
 *
 * Names are relative to the export, made of [A-Za-z0-9._=/~-] only ("data/html/index.html"); what
 * belongs to the payload begins with "data/".
 */
#ifndef EXPORT_OUT_H
#define EXPORT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"
#include "common/store/store.h"

struct export_out;
struct export_file;

enum export_pack {
	EXPORT_PLAIN,
	EXPORT_ZSTD, /* level 3, one frame, with checksum */
};

/*
 * A new file; its folders are made (0700, the file 0600). A name that was there in this run is a bug.
 * pack  applied to what is written; the name is taken as it is (".zst" is the caller's)
 */
enum ark_rc export_file_begin(struct export_out *out, const char *name, enum export_pack pack,
                              struct export_file **file, struct ark_err *err);
enum ark_rc export_file_write(struct export_file *file, const void *data, size_t len,
                              struct ark_err *err);
/* Everything is there: flush, close, into the manifest. *file is NULL afterwards, in any case. */
enum ark_rc export_file_end(struct export_file **file, struct ark_err *err);
/* Give up: the file is removed. For ark_auto; a no-op after export_file_end. */
void export_file_drop(struct export_file **file);

/*
 * A plain file whose name is known when it is written (its digest). export_file_end_as names it; when
 * that name is there already in this run, the content is the same and the new copy is dropped.
 */
enum ark_rc export_file_begin_unnamed(struct export_out *out, struct export_file **file,
                                      struct ark_err *err);
enum ark_rc export_file_end_as(struct export_file **file, const char *name, struct ark_err *err);

/* In one go. */
enum ark_rc export_file_put(struct export_out *out, const char *name, enum export_pack pack,
                            struct ark_str content, struct ark_err *err);

/*
 * The bytes of a plain file that this run has ended, in pieces: for a format that puts a copied body
 * into an archive of its own.
 */
typedef enum ark_rc export_take(void *ctx, const void *data, size_t len, struct ark_err *err);
enum ark_rc export_out_read(const struct export_out *out, const char *name, export_take *take, void *ctx,
                            struct ark_err *err);

/*
 * `name` as one component of a path: [a-z0-9._-] stay, every other byte becomes ~ and two hex digits,
 * a leading dot or an empty name too ("~" alone). Different names give different components, also on
 * file systems that do not tell upper from lower case.
 */
void export_path_safe(struct ark_buf *to, struct ark_str name);

/* Whether an export may hold a file of this name, which comes from outside. */
bool export_name_fits(const char *name);

/* --- for the run and the bag, not for formats -------------------------------------------------- */

/*
 * Begin a tree that will be called `final`, a path that is not there yet; it grows in a hidden folder
 * beside it, or for a bucket in the folder for temporary files. What a run that died left there is removed. LOCKED when another run is writing to the
 * same name; REFUSED when `final` exists.
 */
enum ark_rc export_out_open(const char *final, const struct store_s3_options *s3, struct export_out **out,
                            struct ark_err *err);
/* Everything on disk, then the name; or everything uploaded. Afterwards export_out_free only releases. */
enum ark_rc export_out_publish(struct export_out *out, struct ark_err *err);
/* Give up unless published: what was written is removed. NULL is fine. */
void export_out_free(struct export_out *out);
void export_out_freep(struct export_out **out); /* for ark_auto */

struct export_listed {
	char *name;
	uint64_t size_bytes;
	unsigned char sha256[32];
};
/* What has been ended so far, by name; borrowed, not while files are written. */
const struct export_listed *export_out_list(struct export_out *out, size_t *count);
/* Uncompressed and written bytes so far. */
void export_out_bytes(struct export_out *out, uint64_t *plain, uint64_t *written);

#endif
