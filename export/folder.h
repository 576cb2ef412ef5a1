/*
 * Reading exports that are there: small files, streams of lines, and which files there are. What is read
 * may have been tampered with: names come from manifests, contents from anywhere.
 */
#ifndef EXPORT_FOLDER_H
#define EXPORT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/str.h"
#include "common/store/store.h"

struct export_folder;

/*
 * A folder, or s3://BUCKET[/PREFIX]. FAIL with kind MISSING when there is no such folder; a prefix under
 * which nothing lies is an empty one. What an upload that never ended left is MISSING, as an export and as a
 * run of a series (upload.h).
 */
enum ark_rc export_folder_open(const char *path, const struct store_s3_options *s3, struct export_folder **out,
                               struct ark_err *err);
/* A folder inside, by its name. */
enum ark_rc export_folder_inside(const struct export_folder *f, const char *name,
                                 struct export_folder **out, struct ark_err *err);
void export_folder_close(struct export_folder *f); /* NULL is fine */
void export_folder_closep(struct export_folder **f); /* for ark_auto */
const char *export_folder_name(const struct export_folder *f); /* as it was opened, for people */

/* Whether a plain file is there, at the top. */
bool export_folder_has(const struct export_folder *f, const char *name);
/* The whole file. MISSING when it is not there, LIMIT when it does not fit `out`. */
enum ark_rc export_folder_small(const struct export_folder *f, const char *name, struct ark_buf *out,
                                struct ark_err *err);

/* Every file below, by name ("data/people.jsonl.zst"), in no order; links and sockets too. Hidden names
 * at the top are passed over. */
enum ark_rc export_folder_files(const struct export_folder *f, struct ark_map *names,
                                struct ark_err *err);
/* The names at the top, sorted; folders and files. Hidden ones too. */
enum ark_rc export_folder_top(const struct export_folder *f, struct ark_map *names,
                              struct ark_err *err);

/* --- streams ----------------------------------------------------------------------------------- */

struct export_stream;

/* `unpack`: the file is zstd. A name that leads out of the folder is refused. */
enum ark_rc export_stream_open(const struct export_folder *f, const char *name, bool unpack,
                               struct export_stream **out, struct ark_err *err);
void export_stream_close(struct export_stream *s); /* NULL is fine */
void export_stream_closep(struct export_stream **s); /* for ark_auto */
/* The next plain bytes, borrowed until the next call; ARK_END. */
enum ark_rc export_stream_next(struct export_stream *s, struct ark_str *piece, struct ark_err *err);
/* The next line without its line end, borrowed likewise; LIMIT beyond LIMIT_RECORD bytes. Not mixed with
 * export_stream_next. */
enum ark_rc export_stream_line(struct export_stream *s, struct ark_str *line, struct ark_err *err);
/* Bytes of the file so far, and after ARK_END the SHA-256 of all of it. */
uint64_t export_stream_bytes(const struct export_stream *s);
void export_stream_sha256(struct export_stream *s, unsigned char out[32]);

#endif
